/* The payload of an envelope: records, a mail that streams, END, zeros. */
#ifndef SC_VAULT_PAYLOAD_H
#define SC_VAULT_PAYLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "vault/envelope.h"
#include "vault/kdf.h"
#include "vault/record.h"

/* Control records before MAIL, counted as the sum of 5 + length (2.19.35). */
#define PAYLOAD_MEMBER_MAX 65536u		/* from any member */
#define PAYLOAD_DESK_MAX (1024u * 1024u)	/* from issuer or watch desk */
#define PAYLOAD_KEYFILE_MAX (64u * 1024u * 1024u)
#define PAYLOAD_MAIL_MAX UINT32_MAX

/* payload_padded(n): the length to which ${n} octets are padded (2.19.8). */
uint64_t payload_padded(uint64_t n);

/* What is to be sealed.  Everything is borrowed until payload_seal_end(). */
struct payload_plan {
	struct bytes	 control;	/* META first; without MAIL, END */
	bool		 has_mail;
	uint32_t	 mail_len;
	const uint8_t	*digest;	/* D of the mail; unused without mail */
	bool		 check_digest;	/* hash again and compare (slower) */
};

/*
 * payload_salt(plan, hedge, salt):
 * The hedged salt of PROTOCOL 2.3 for ${plan}: random, and another one for
 * another payload even when the random source has failed.  ${hedge}: C, or
 * NULL when C itself depends on the salt (passphrase).
 */
void payload_salt(const struct payload_plan *plan, const uint8_t *hedge,
    uint8_t salt[ENV_SALT_BYTES]);

/* payload_size(plan): octets of the padded payload. */
uint64_t payload_size(const struct payload_plan *plan);

/* Sealing a payload.  Caller's memory, not to be moved; ${env} borrowed. */
struct payload_sealer {
	struct env_sealer		*env;
	const struct payload_plan	*plan;
	uint64_t			 mail_left;
	struct kdf_hash			 hash;
};

/*
 * payload_seal_start(s, env, plan, h, key, out, e):
 * As env_seal_start() (h->salt from payload_salt()), then the control
 * records and the head of MAIL.  payload_seal_mail() takes exactly mail_len
 * octets in all, more is RC_INPUT; payload_seal_end() adds END and zeros:
 * RC_INPUT when octets are missing or have another D than the plan's, and
 * the envelope is then not ended: nobody can open it.
 */
enum rc payload_seal_start(struct payload_sealer *s, struct env_sealer *env,
    const struct payload_plan *plan, struct env_head *h,
    const uint8_t key[KDF_KEY_BYTES], struct env_sink out, struct err *e);
enum rc payload_seal_mail(struct payload_sealer *s, const void *p, size_t len,
    struct err *e);
enum rc payload_seal_end(struct payload_sealer *s, struct err *e);

struct payload_reader;

/* What the reader calls, each may be NULL. */
struct payload_events {
	void	*ctx;
	/* All control records are in r->control and well-formed; ${len} octets
	 * of MAIL follow.  The place for the authority table. */
	enum rc	(*mail_begin)(void *ctx, const struct payload_reader *r,
		    uint32_t len, struct err *e);
	/* Octets of MAIL, borrowed; not to be released before the end. */
	enum rc	(*mail)(void *ctx, const uint8_t *p, size_t len,
		    struct err *e);
};

enum payload_state {
	PAYLOAD_HEAD,		/* type and length of a record */
	PAYLOAD_VALUE,
	PAYLOAD_MAIL,
	PAYLOAD_AFTER_MAIL,	/* only END may come */
	PAYLOAD_ZEROS,
	PAYLOAD_BAD
};

/* Reading a payload as it comes.  Caller's memory, not to be moved between
 * _init() and _free(). */
struct payload_reader {
	/* For the caller: */
	struct buf		 control;	/* whole records before MAIL */
	struct rec_meta		 meta;		/* once the first was read */
	bool			 has_mail;	/* MAIL was seen */
	uint32_t		 mail_len;
	uint8_t			 digest[KDF_KEY_BYTES];	/* D; after _end() */
	bool			 no_digest;	/* may be set after _init() */
	/* Our own: */
	struct payload_events	 on;
	enum payload_state	 state;
	size_t			 limit;
	uint64_t		 total;		/* octets so far */
	uint64_t		 padded;	/* known after END */
	size_t			 head_at;	/* of this record in control */
	uint32_t		 left;		/* of value or MAIL */
	bool			 has_meta;
	uint8_t			 rank;		/* order of 2.19.31 */
	bool			 needs_mail;	/* ROUTE, WITNESS, RELAYED */
	uint8_t			 head[REC_HEAD_BYTES];
	uint8_t			 nhead;
	struct kdf_hash		 hash;
};

/*
 * payload_init(r, limit, on): ${limit} is one of PAYLOAD_*_MAX above; under
 * the third GRANTs may stand among the other control records, in mail they
 * come first.
 *
 * payload_feed(r, p, len, e):
 * Opened octets, any number at a time; MAIL is passed on, never kept.
 * RC_OK; RC_INPUT with EC_RECORD: unknown or malformed record, META not
 * exactly once and first, order of 2.19.31, above the limit, not zeros after
 * END, wrong padding; RC_NOMEM; what an event returned.
 *
 * payload_end(r, e): after the envelope's own end.  RC_OK: END was there and
 * the padding is right; control, meta, has_mail and digest (zeros when not
 * wanted) may be used.
 *
 * payload_skip(r): the whole chunks of MAIL after what the last ${on.mail} was
 * given are not fed: how many, for env_open_skip().  From within it.
 *
 * payload_free(r): wiped.
 *
 * Not judged here: who may say what (authority.h), and numbers and names of
 * ROUTEs.  Iterate with: struct rd rd = rd_of(r->control.p, r->control.len).
 * Source: PROTOCOL 2.5, 2.19.7, 2.19.8, 2.19.31, 2.19.35.
 */
void payload_init(struct payload_reader *r, size_t limit,
    struct payload_events on);
enum rc payload_feed(struct payload_reader *r, const void *p, size_t len,
    struct err *e);
enum rc payload_end(struct payload_reader *r, struct err *e);
uint64_t payload_skip(struct payload_reader *r);
void payload_free(struct payload_reader *r);

/* payload_sink(r): an env_sink that feeds ${r}, for env_open_start(). */
struct env_sink payload_sink(struct payload_reader *r);

#endif
