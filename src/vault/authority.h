/* Who may say what, as a table. */
#ifndef SC_VAULT_AUTHORITY_H
#define SC_VAULT_AUTHORITY_H

#include <stdbool.h>
#include <stdint.h>

/* What sort of envelope the record came in. */
enum authority_kind {
	AUTHORITY_MAIL = 1,	/* source 00, from somebody else */
	AUTHORITY_KEYFILE = 2,	/* source 01 or 02 */
	AUTHORITY_STORE = 4	/* our own local store */
};

/* Roles, as a set; anybody authenticated is at least a member. */
enum authority_role {
	AUTHORITY_MEMBER = 1,
	AUTHORITY_ISSUER = 2,
	AUTHORITY_HUB = 4,
	AUTHORITY_WATCH = 8
};

/*
 * What still depends on more than the table knows, as a set; the caller must
 * check each.  "refuse": AUTHORITY, the message is held; "ignore": the record
 * alone is skipped and logged (PROTOCOL 2.19.1).
 */
enum authority_if {
	/* GRANT: the granted identity is the sender's own, else refuse. */
	AUTHORITY_IF_RETURN_KEY = 1,
	/* GRANT: year = envelope's year, else refuse; generation below the
	 * minimum, or another key held for it: ignore, alarm. */
	AUTHORITY_IF_GRANT = 2,
	/* ACK: T in the outbox and sent to that name, else ignore. */
	AUTHORITY_IF_SENT_TO = 4,
	/* ACK of the hub: also state 1 for what others were sent; for mail
	 * with ROUTE only 1, 0x10, 0x11 (2.19.3). */
	AUTHORITY_IF_HUB_ACK = 8,
	/* RELAYED-ACK: T went to the hub with a ROUTE to that name, else
	 * ignore. */
	AUTHORITY_IF_ROUTED = 16,
	/* BAR by the watch desk: the name holds no ROLE, unless it is the
	 * desk's own, else refuse (2.19.23). */
	AUTHORITY_IF_NO_ROLE = 32,
	/* SELF, ROLE of a key file: 2.19.4, 2.19.27, else refuse. */
	AUTHORITY_IF_IMPORT = 64,
	/* ACK of anybody but the hub: the state is not 1, else refuse. */
	AUTHORITY_IF_NOT_STATE_1 = 128
};

struct authority_who {
	enum authority_kind	kind;
	unsigned		author;	/* roles of the sender's name */
	unsigned		reader;	/* our own roles */
	bool			has_watch;	/* our key file names a desk */
};

/*
 * authority_may(type, who, also):
 * Whether an author of ${who} may send a record of ${type}.  ${also} gets the
 * conditions that remain (0: none).  Pure; unknown types 80..FE are true.
 * Source: PROTOCOL 2.5 "Who may say what", 2.19.1 to 2.19.4, 2.19.23.
 */
bool authority_may(uint8_t type, const struct authority_who *who,
    unsigned *also);

#endif
