/* The only object: a header that commits, and a body in short chunks. */
#ifndef SC_VAULT_ENVELOPE_H
#define SC_VAULT_ENVELOPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "vault/identity.h"
#include "vault/kdf.h"

#define ENV_VERSION 1
#define ENV_SUITE 1
#define ENV_SALT_BYTES 32
#define ENV_TAG_BYTES 32	/* T */
#define ENV_FIXED_BYTES 76	/* the header without its identities */
#define ENV_HEAD_MIN (ENV_FIXED_BYTES + 2 * IDENTITY_MIN_BYTES)
#define ENV_HEAD_MAX (ENV_FIXED_BYTES + 2 * IDENTITY_MAX_BYTES)
#define ENV_CHUNK_BYTES 65536
#define ENV_MAC_BYTES 16

/* Where the key C of an envelope comes from. */
enum env_source {
	ENV_CHANNEL = 0x00,	/* a channel, or the raw local key */
	ENV_CODE = 0x01,
	ENV_OLD_CODE = 0x02,	/* old key and code: renewal */
	ENV_PASS1 = 0x11,	/* passphrase, Argon2id level 1..3 */
	ENV_PASS2 = 0x12,
	ENV_PASS3 = 0x13
};

/* A header.  Before its T was compared every field is only a hint. */
struct env_head {
	enum env_source	 source;
	uint16_t	 year;
	struct identity	 from;
	struct identity	 to;
	uint8_t		 salt[ENV_SALT_BYTES];
	uint8_t		 tag[ENV_TAG_BYTES];
	size_t		 hash_len;	/* |H|, the octets that T covers */
	size_t		 len;		/* hash_len + 32; the body follows */
};

/*
 * env_head_want(p, len):
 * How many octets of an envelope are needed to go on, judged by the first
 * ${len}: 11, then 12 + lf, then the whole header; env_head_parse() can be
 * called once that is not more than ${len}.  Never above ENV_HEAD_MAX, so
 * nonsense is collected no further than that.
 */
size_t env_head_want(const void *p, size_t len);

/*
 * env_head_parse(p, len, h, e):
 * Read the header at the start of ${p} (borrowed; the body may follow).
 *
 * RC_OK; RC_INPUT with EC_FORMAT (cut short, not SCEAU, unknown source, bad
 * identity) or EC_VERSION (version or suite is not 1).
 * Source: PROTOCOL 2.4, 2.11 step 2.
 */
enum rc env_head_parse(const void *p, size_t len, struct env_head *h,
    struct err *e);

/* env_head_format(h, out): H then h->tag, h->len octets; hash_len and len
 * are set from the identities. */
void env_head_format(struct env_head *h, uint8_t out[ENV_HEAD_MAX]);

/* env_head_verify(h, key): T is the one that C = ${key} gives; constant time.
 * Pure: for trying several keys (renewal) before a body is read. */
bool env_head_verify(const struct env_head *h,
    const uint8_t key[KDF_KEY_BYTES]);

/* Where octets go.  ${p} is borrowed during the call; what it returns other
 * than RC_OK ends the work and is handed on. */
struct env_sink {
	enum rc	(*put)(void *ctx, const uint8_t *p, size_t len,
		    struct err *e);
	void	*ctx;
};

/*
 * env_sealer_new(): secret memory for one envelope at a time; NULL: memory.
 * Owned, and to be used again and again; _free() wipes, accepts NULL, and
 * clears the caller's pointer.
 */
struct env_sealer *env_sealer_new(void);
void env_sealer_free(struct env_sealer **s);

/*
 * env_seal_start(s, h, key, out, e):
 * Begin an envelope with the header ${h}: source, year, from, to and salt
 * are the caller's; tag, hash_len and len are filled.  ${key} is C
 * (borrowed).  The header goes to ${out} at once.
 * env_seal_put(): payload octets, any number at a time.
 * env_seal_room(): octets that fill the chunk which is being filled; a whole
 * one given after them is sealed where it lies.
 * env_seal_end(): the last, shorter chunk; the key is wiped.
 * Each: RC_OK, or what ${out} returned.
 */
enum rc env_seal_start(struct env_sealer *s, struct env_head *h,
    const uint8_t key[KDF_KEY_BYTES], struct env_sink out, struct err *e);
enum rc env_seal_put(struct env_sealer *s, const void *p, size_t len,
    struct err *e);
size_t env_seal_room(const struct env_sealer *s);
enum rc env_seal_end(struct env_sealer *s, struct err *e);

/* As env_sealer_new(). */
struct env_opener *env_opener_new(void);
void env_opener_free(struct env_opener **o);

/*
 * env_open_start(o, h, key, out, e):
 * Compare T of ${h} (as env_head_parse() gave it) under C = ${key}, then be
 * ready for the body.  RC_OK; RC_INPUT with EC_HEADER.
 *
 * env_open_feed(o, p, len, e):
 * Octets after the header, any number at a time.  Each opened chunk goes to
 * ${out}: authentic, and in its place, but only env_open_end() says that the
 * whole is there, so nothing may be released before.
 * RC_OK; RC_INPUT with EC_BODY; EC_TOOBIG after 2^32 chunks; what ${out} said.
 *
 * env_open_end(o, e):
 * No more octets.  RC_OK: the payload was complete; RC_INPUT with
 * EC_TRUNCATED or EC_BODY.  The key is wiped.
 *
 * After a failure every further call fails with EC_BODY and puts nothing out.
 * Source: PROTOCOL 2.4, 2.13.
 */
enum rc env_open_start(struct env_opener *o, const struct env_head *h,
    const uint8_t key[KDF_KEY_BYTES], struct env_sink out, struct err *e);
enum rc env_open_feed(struct env_opener *o, const void *p, size_t len,
    struct err *e);
enum rc env_open_end(struct env_opener *o, struct err *e);

/* env_open_skip(o, n): ${n} whole chunks, after what has come, are verified
 * and not deciphered; nothing of them goes to ${out}.  From within it. */
void env_open_skip(struct env_opener *o, uint64_t n);

/* env_size(h_len, payload): octets of an envelope with that much payload. */
uint64_t env_size(size_t head_len, uint64_t payload);

#endif
