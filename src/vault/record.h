/* What an envelope says: records, as values and as octets. */
#ifndef SC_VAULT_RECORD_H
#define SC_VAULT_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "vault/identity.h"
#include "vault/kdf.h"

#define REC_HEAD_BYTES 5	/* type(1) and length(4) */

/* 01..7F must be understood, 80..FE are skipped when unknown. */
enum rec_type {
	REC_END = 0x00,
	REC_META = 0x01,
	REC_GRANT = 0x02,
	REC_ACK = 0x03,
	REC_ASK = 0x04,
	REC_DENY = 0x05,
	REC_BULLETIN = 0x06,
	REC_BAR = 0x07,
	REC_ENTRY = 0x08,
	REC_SELF = 0x09,
	REC_ROLE = 0x0a,
	REC_RELAYED = 0x0b,
	REC_ROUTE = 0x0c,
	REC_RELAYED_ACK = 0x0d,
	REC_MAIL = 0x20,
	REC_WITNESS = 0x81
};

enum rec_ack_state {
	REC_ACK_RELAYED = 1,
	REC_ACK_RECEIVED = 2,	/* on disk */
	REC_ACK_OPENED = 3,	/* opened or imported */
	REC_ACK_REFUSED = 0x10,
	REC_ACK_DAMAGED = 0x11	/* send again */
};

enum rec_role_kind {
	REC_ROLE_ISSUER = 1,
	REC_ROLE_HUB = 2,
	REC_ROLE_WATCH = 3
};

enum rec_entry_flag {
	REC_ENTRY_OTHER = 0,
	REC_ENTRY_PRACTICE = 1,
	REC_ENTRY_LABORATORY = 2,
	REC_ENTRY_INSTITUTION = 3,
	REC_ENTRY_DESK = 4
};

enum rec_deny_reason {
	REC_DENY_UNKNOWN = 1,
	REC_DENY_NOT_ALLOWED = 2,
	REC_DENY_EXCLUDED = 3
};

#define REC_ROUTE_MAX 254	/* octets of a mailbox */
#define REC_DISPLAY_MAX 200	/* octets of a display name */

/*
 * The values.  Pointers are to 32 octets and, like struct bytes, borrowed:
 * from the octets parsed, or from the caller who formats.  "name": without
 * generation.  Times are 0..2^63-1, which is CLOCK_FOREVER.
 */
struct rec_meta {
	int64_t		sealed_at;
	uint32_t	bulletin;	/* 0: none seen */
	uint16_t	year;		/* the highest held */
	uint8_t		version;
};
struct rec_grant {
	uint16_t	 year;
	const uint8_t	*key;
	struct identity	 peer;
};
struct rec_ack {		/* ACK, and RELAYED-ACK with the name */
	const uint8_t	*tag;
	enum rec_ack_state state;
	int64_t		 at;
	const uint8_t	*digest;
	struct identity	 name;	/* RELAYED-ACK only */
};
struct rec_ask {		/* ASK and ROUTE */
	struct identity	 name;
};
struct rec_deny {
	enum rec_deny_reason reason;
	struct identity	 name;
};
struct rec_bulletin {
	uint32_t	 number;
};
struct rec_bar {
	uint8_t		 minimum;	/* 1..255; IDENTITY_BARRED: excluded */
	struct identity	 name;
};
struct rec_entry {
	enum rec_entry_flag flag;
	struct identity	 id;
	struct bytes	 route;		/* addr-spec, ASCII; or empty */
	struct bytes	 display;	/* UTF-8 without control characters */
};
struct rec_self {
	uint16_t	 year;
	int64_t		 from_at;
	int64_t		 send_until_at;
	int64_t		 read_until_at;
	const uint8_t	*key;
	struct identity	 id;
};
struct rec_role {
	enum rec_role_kind role;
	struct identity	 id;
};
struct rec_relayed {
	const uint8_t	*tag;	/* of the original */
	int64_t		 at;	/* its META time */
	struct identity	 id;	/* its sender */
};
struct rec_witness {
	const uint8_t	*proof;
};

struct rec {
	uint8_t	type;
	union {
		struct rec_meta		meta;
		struct rec_grant	grant;
		struct rec_ack		ack;	/* and RELAYED-ACK */
		struct rec_ask		ask;
		struct rec_deny		deny;
		struct rec_bulletin	bulletin;
		struct rec_bar		bar;
		struct rec_entry	entry;
		struct rec_self		self;
		struct rec_role		role;
		struct rec_relayed	relayed;
		struct rec_ask		route;
		struct rec_witness	witness;
	};
};

/*
 * rec_parse(type, value, r, e):
 * One record of the table, every field checked, fixed lengths exact.  An
 * unknown type 80..FE gives RC_OK and only r->type (rec_skipped()).
 * RC_OK; RC_INPUT with EC_RECORD, also for MAIL and END, which are the
 * payload's own.  ${r} borrows from ${value}.
 * Source: PROTOCOL 2.5, 2.19.7, 2.19.9, 2.19.31.
 */
enum rc rec_parse(uint8_t type, struct bytes value, struct rec *r,
    struct err *e);

/*
 * rec_next(rd, r, e):
 * The next of a row of records, as struct payload_reader collected them:
 * while (rd.left > 0) rec_next(...).  RC_OK; RC_INPUT with EC_RECORD.
 */
enum rc rec_next(struct rd *rd, struct rec *r, struct err *e);

/*
 * rec_add(b, r, e):
 * Add ${r} as octets.  RC_OK; RC_INPUT with EC_RECORD: rec_parse() would
 * refuse it (a route or display name that a person gave); RC_NOMEM; ${b} is
 * unchanged by a failure.
 */
enum rc rec_add(struct buf *b, const struct rec *r, struct err *e);

/* rec_name(type): "RELAYED-ACK"; "?" when unknown. */
const char *rec_name(uint8_t type);
/* rec_known(type): in the table above (END and MAIL too). */
bool rec_known(uint8_t type);
/* rec_skipped(type): unknown, 80..FE: passed over without judgement. */
bool rec_skipped(uint8_t type);

#endif
