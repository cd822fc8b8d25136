/* The mail inside: that what is shown as its sender is its sender. */
#ifndef SC_VAULT_INNER_H
#define SC_VAULT_INNER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "vault/identity.h"

#define INNER_HEAD_MAX 65536	/* header section with its empty line */
#define INNER_FIELD_MAX 2048	/* the From field, unfolded */
#define INNER_NAME_MAX 24	/* what is kept of a field's name */

/* Caller's memory; wipe with inner_wipe(). */
struct inner {
	/* After inner_end(): the one addr-spec, ASCII lower case, NUL. */
	char		addr[IDENTITY_MAX_BYTES + 1];
	/* Our own: */
	size_t		total;
	uint8_t		state;
	uint8_t		nname;
	char		name[INNER_NAME_MAX];
	bool		in_from;
	bool		blank;		/* the line is only SP and TAB so far */
	unsigned	seen;		/* fields that may come once */
	size_t		nfrom;
	char		from[INNER_FIELD_MAX];
};

/*
 * inner_feed(in, p, len, e):
 * Octets of MAIL, any number at a time; after the empty line nothing more is
 * looked at, and inner_done() is true.
 *
 * inner_end(in, e): no more octets.
 *
 * RC_OK; RC_INPUT with EC_INNER: header above 64 KiB or without its empty
 * line; a line not ended by CRLF; NUL, bare CR or LF; a line that is no field;
 * not exactly one From with exactly one address; a second Subject, Date,
 * Message-ID, To, Cc or Reply-To; a field that begins X-Sceau.  From is
 * address, or name <address>, in which the name holds no "@" in any spelling;
 * groups, comments, routes, quoted local parts are refused.
 * Source: PROTOCOL 2.11 step 11, 2.19.13, 2.19.36.
 */
void inner_init(struct inner *in);
enum rc inner_feed(struct inner *in, const void *p, size_t len,
    struct err *e);
enum rc inner_end(struct inner *in, struct err *e);
bool inner_done(const struct inner *in);
void inner_wipe(struct inner *in);

/* inner_is(in, id): the address is local@domain of ${id}. */
bool inner_is(const struct inner *in, const struct identity *id);

#endif
