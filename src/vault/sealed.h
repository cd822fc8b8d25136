/* Long lists of records, written and read one by one: stores, key files. */
#ifndef SC_VAULT_SEALED_H
#define SC_VAULT_SEALED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/secret.h"
#include "vault/envelope.h"
#include "vault/record.h"

/* The longest record of a list with its head: an ENTRY has 662 octets. */
#define STREAM_RECORD_MAX 1024

/* ---- writing ------------------------------------------------------------ */

struct sealed_writer;

/* sealed_rec(w, r, e), sealed_raw(w, type, value, e): add a record.  RC_OK;
 * RC_INPUT: a route or display name that rec_add() refuses; what the sink
 * returned. */
enum rc sealed_rec(struct sealed_writer *w, const struct rec *r,
    struct err *e);
enum rc sealed_raw(struct sealed_writer *w, uint8_t type, struct bytes value,
    struct err *e);

struct sealed_plan {
	struct env_head	 head;		/* source, year, from, to are set */
	const uint8_t	*key;		/* C; or NULL, and then */
	const struct secret *pass;	/* its passphrase */
	const uint8_t	*rnd;		/* 32 octets; NULL: random */
	uint64_t	 max;		/* octets of records */
	/* Writes every record but END by sealed_rec(), META first.  Called
	 * twice (the salt depends on all of it): the same both times; once,
	 * when all of it fits into ${kept}. */
	enum rc		(*emit)(void *ctx, struct sealed_writer *w,
			    struct err *e);
	void		*ctx;
	uint8_t		*kept;		/* secret memory, borrowed, wiped at */
	size_t		 kept_max;	/* the end; NULL, 0: none */
};

/*
 * sealed_seal(plan, out, e):
 * Seal what ${plan->emit} writes into ${out}; memory does not grow with its
 * length.  RC_OK; what emit or the sink returned; RC_NOMEM; RC_INPUT with
 * EC_TOOBIG above ${plan->max}.
 */
enum rc sealed_seal(struct sealed_plan *plan, struct env_sink out,
    struct err *e);

/* ---- reading ------------------------------------------------------------ */

struct sealed_events {
	void	*ctx;
	uint64_t max;	/* octets of records */
	/* Give the key C that fits ${h}: what it returns other than RC_OK ends
	 * the reading. */
	enum rc	(*key)(void *ctx, const struct env_head *h,
		    uint8_t key[KDF_KEY_BYTES], struct err *e);
	/* One record, authentic and in its place; borrowed.  The list is not
	 * complete before sealed_read() has returned RC_OK. */
	enum rc	(*record)(void *ctx, uint8_t type, struct bytes value,
		    struct err *e);
};

/*
 * sealed_read(fd, on, e):
 * Read an envelope from ${fd} to its end.  META comes first and once, END and
 * padding are checked, MAIL is refused.  RC_OK; RC_INPUT with EC_FORMAT,
 * EC_VERSION, EC_HEADER, EC_BODY, EC_TRUNCATED, EC_RECORD, EC_TOOBIG; RC_TEMP:
 * reading failed; RC_NOMEM; what an event returned.
 */
enum rc sealed_read(int fd, const struct sealed_events *on, struct err *e);

/* sealed_head(fd, h, e): only its header, without any key. */
enum rc sealed_head(int fd, struct env_head *h, struct err *e);

#endif
