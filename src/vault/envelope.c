#include "config.h"

#include <sodium.h>
#include <string.h>

#include "base/lang.h"
#include "base/secret.h"
#include "vault/envelope.h"

#define SEALED_BYTES (ENV_CHUNK_BYTES + ENV_MAC_BYTES)
#define CHUNKS_MAX ((uint64_t)1 << 32)	/* PROTOCOL 2.15 */
#define AT_SOURCE 7
#define AT_LF 10			/* offset of the first length */

_Static_assert(crypto_aead_chacha20poly1305_ietf_ABYTES == ENV_MAC_BYTES &&
    crypto_aead_chacha20poly1305_ietf_KEYBYTES == KDF_KEY_BYTES,
    "the suite of PROTOCOL 2.4");

static const uint8_t magic[5] = { 'S', 'C', 'E', 'A', 'U' };

struct env_sealer {
	struct env_sink	out;
	uint64_t	n;	/* of the chunk being filled */
	size_t		len;
	bool		live;
	uint8_t		key[KDF_KEY_BYTES];
	uint8_t		chunk[SEALED_BYTES];
};

struct env_opener {
	struct env_sink	out;
	uint64_t	n;
	size_t		len;
	size_t		used;	/* of the chunk, at most so far */
	uint64_t	skip;	/* whole chunks that nobody wants */
	bool		live;
	uint8_t		key[KDF_KEY_BYTES];
	uint8_t		chunk[SEALED_BYTES];
};

/* The header. */

static bool
is_id_len(uint8_t n)
{
	return n >= IDENTITY_MIN_BYTES && n <= IDENTITY_MAX_BYTES;
}

size_t
env_head_want(const void *p, size_t len)
{
	const uint8_t *s = p;
	size_t lf, lt;

	if (len <= AT_LF || !is_id_len(s[AT_LF]))
		return AT_LF + 1;
	lf = s[AT_LF];
	if (len <= AT_LF + 1 + lf || !is_id_len(s[AT_LF + 1 + lf]))
		return AT_LF + 2 + lf;
	lt = s[AT_LF + 1 + lf];
	return ENV_FIXED_BYTES + lf + lt;
}

static bool
is_source(uint8_t v)
{
	return v == ENV_CHANNEL || v == ENV_CODE || v == ENV_OLD_CODE ||
	    v == ENV_PASS1 || v == ENV_PASS2 || v == ENV_PASS3;
}

static bool
read_identity(struct rd *r, struct identity *id)
{
	struct bytes s = rd_take(r, rd_8(r));

	return !r->bad && identity_parse(s.p, s.len, id);
}

/* What follows version and suite. */
static bool
read_fields(struct rd *r, struct env_head *h)
{
	size_t len = r->left;
	uint8_t source = rd_8(r);

	h->source = (enum env_source)source;
	h->year = rd_16(r);
	if (!is_source(source) || !read_identity(r, &h->from) ||
	    !read_identity(r, &h->to))
		return false;
	rd_copy(r, h->salt, sizeof(h->salt));
	rd_copy(r, h->tag, sizeof(h->tag));
	h->len = AT_SOURCE + len - r->left;
	h->hash_len = h->len - sizeof(h->tag);
	return !r->bad;
}

enum rc
env_head_parse(const void *p, size_t len, struct env_head *h, struct err *e)
{
	struct rd r = rd_of(p, len);
	struct bytes m = rd_take(&r, sizeof(magic));
	uint8_t version = rd_8(&r), suite;

	memset(h, 0, sizeof(*h));
	if (r.bad || memcmp(m.p, magic, sizeof(magic)) != 0)
		return err_class(e, EC_FORMAT, _("not a sealed message"));
	suite = rd_8(&r);
	if (version != ENV_VERSION || (!r.bad && suite != ENV_SUITE))
		return err_class(e, EC_VERSION, _("sealed in version %u, "
		    "suite %u; this sceau reads version 1, suite 1"),
		    version, suite);
	if (read_fields(&r, h))
		return RC_OK;
	memset(h, 0, sizeof(*h));
	return err_class(e, EC_FORMAT,
	    _("the header of the sealed message is damaged or cut short"));
}

static size_t
put_identity(uint8_t *out, const struct identity *id)
{
	out[0] = id->len;
	memcpy(out + 1, id->s, id->len);
	return 1 + (size_t)id->len;
}

void
env_head_format(struct env_head *h, uint8_t out[ENV_HEAD_MAX])
{
	size_t at = sizeof(magic);

	BUG_ON(h->from.gen == 0 || h->to.gen == 0);
	memcpy(out, magic, sizeof(magic));
	out[at++] = ENV_VERSION;
	out[at++] = ENV_SUITE;
	out[at++] = (uint8_t)h->source;
	put_be16(out + at, h->year);
	at += 2;
	at += put_identity(out + at, &h->from);
	at += put_identity(out + at, &h->to);
	memcpy(out + at, h->salt, sizeof(h->salt));
	h->hash_len = at += sizeof(h->salt);
	memcpy(out + at, h->tag, sizeof(h->tag));
	h->len = at + sizeof(h->tag);
}

/* T and P that belong to ${h} under C = ${key}. */
static void
head_keys(const struct env_head *h, const uint8_t key[KDF_KEY_BYTES],
    uint8_t tag[ENV_TAG_BYTES], uint8_t body[KDF_KEY_BYTES])
{
	struct env_head copy = *h;
	uint8_t raw[ENV_HEAD_MAX];

	env_head_format(&copy, raw);
	kdf_message(tag, body, key, (struct bytes){ raw, copy.hash_len });
}

bool
env_head_verify(const struct env_head *h, const uint8_t key[KDF_KEY_BYTES])
{
	uint8_t tag[ENV_TAG_BYTES], body[KDF_KEY_BYTES];
	bool ok;

	head_keys(h, key, tag, body);
	wipe(body, sizeof(body));
	ok = same(tag, h->tag, sizeof(tag));
	wipe(tag, sizeof(tag));
	return ok;
}

uint64_t
env_size(size_t head_len, uint64_t payload)
{
	return head_len + payload +
	    (payload / ENV_CHUNK_BYTES + 1) * ENV_MAC_BYTES;
}

/* Sealing. */

/* A fresh key for each salt, so a counter is nonce enough. */
static void
chunk_nonce(uint8_t nonce[crypto_aead_chacha20poly1305_ietf_NPUBBYTES],
    uint64_t n)
{
	memset(nonce, 0, 4);
	put_be64(nonce + 4, n);
}

struct env_sealer *
env_sealer_new(void)
{
	return secret_alloc(sizeof(struct env_sealer));
}

void
env_sealer_free(struct env_sealer **s)
{
	secret_free(s);
}

static enum rc
seal_stop(struct env_sealer *s, enum rc rc)
{
	s->live = false;
	wipe(s->key, sizeof(s->key));
	wipe(s->chunk, sizeof(s->chunk));
	s->len = 0;
	return rc;
}

enum rc
env_seal_start(struct env_sealer *s, struct env_head *h,
    const uint8_t key[KDF_KEY_BYTES], struct env_sink out, struct err *e)
{
	uint8_t raw[ENV_HEAD_MAX];
	enum rc rc;

	head_keys(h, key, h->tag, s->key);
	env_head_format(h, raw);
	s->out = out;
	s->n = 0;
	s->len = 0;
	s->live = true;
	if ((rc = out.put(out.ctx, raw, h->len, e)) != RC_OK)
		return seal_stop(s, rc);
	return RC_OK;
}

/* Seal ${len} octets at ${p}, which may be the buffer itself. */
static enum rc
seal_chunk(struct env_sealer *s, const uint8_t *p, size_t len, struct err *e)
{
	uint8_t nonce[crypto_aead_chacha20poly1305_ietf_NPUBBYTES];
	enum rc rc;

	if (s->n >= CHUNKS_MAX)
		return seal_stop(s, err_class(e, EC_TOOBIG,
		    _("too large to be sealed")));
	chunk_nonce(nonce, s->n++);
	BUG_ON(crypto_aead_chacha20poly1305_ietf_encrypt(s->chunk, NULL, p,
	    len, NULL, 0, NULL, nonce, s->key) != 0);
	s->len = 0;
	rc = s->out.put(s->out.ctx, s->chunk, len + ENV_MAC_BYTES, e);
	return rc == RC_OK ? RC_OK : seal_stop(s, rc);
}

static enum rc
seal_dead(struct err *e)
{
	return err_set(e, RC_INPUT,
	    _("sealing had failed before; nothing of it may be sent"));
}

enum rc
env_seal_put(struct env_sealer *s, const void *p, size_t len, struct err *e)
{
	const uint8_t *from = p;
	enum rc rc = RC_OK;
	size_t n;

	if (!s->live)
		return seal_dead(e);
	while (len > 0 && rc == RC_OK) {
		if (s->len == 0 && len >= ENV_CHUNK_BYTES) {
			n = ENV_CHUNK_BYTES;
			rc = seal_chunk(s, from, n, e);
		} else {
			n = ENV_CHUNK_BYTES - s->len;
			n = len < n ? len : n;
			memcpy(s->chunk + s->len, from, n);
			s->len += n;
			if (s->len == ENV_CHUNK_BYTES)
				rc = seal_chunk(s, s->chunk, s->len, e);
		}
		from += n;
		len -= n;
	}
	return rc;
}

size_t
env_seal_room(const struct env_sealer *s)
{
	return ENV_CHUNK_BYTES - s->len;
}

enum rc
env_seal_end(struct env_sealer *s, struct err *e)
{
	enum rc rc;

	if (!s->live)
		return seal_dead(e);
	/* Always shorter than a full one, possibly empty. */
	rc = seal_chunk(s, s->chunk, s->len, e);
	return seal_stop(s, rc);
}

/* Opening. */

struct env_opener *
env_opener_new(void)
{
	return secret_alloc(sizeof(struct env_opener));
}

void
env_opener_free(struct env_opener **o)
{
	secret_free(o);
}

static enum rc
open_stop(struct env_opener *o, enum rc rc)
{
	o->live = false;
	wipe(o->key, sizeof(o->key));
	wipe(o->chunk, o->used);
	o->used = 0;
	o->len = 0;
	return rc;
}

static enum rc
open_dead(struct err *e)
{
	return err_class(e, EC_BODY, _("opening had failed before"));
}

enum rc
env_open_start(struct env_opener *o, const struct env_head *h,
    const uint8_t key[KDF_KEY_BYTES], struct env_sink out, struct err *e)
{
	uint8_t tag[ENV_TAG_BYTES];
	bool ok;

	head_keys(h, key, tag, o->key);
	ok = same(tag, h->tag, sizeof(tag));
	wipe(tag, sizeof(tag));
	o->out = out;
	o->n = 0;
	o->len = 0;
	o->used = 0;
	o->skip = 0;
	o->live = true;
	if (!ok)
		return open_stop(o, err_class(e, EC_HEADER, _("the header "
		    "was not sealed with this key: forged or damaged")));
	return RC_OK;
}

/* Open ${len} octets at ${p}, which may be the buffer itself. */
static enum rc
open_chunk(struct env_opener *o, const uint8_t *p, size_t len, struct err *e)
{
	uint8_t nonce[crypto_aead_chacha20poly1305_ietf_NPUBBYTES];
	bool unread = o->skip > 0 && len == SEALED_BYTES;
	enum rc rc;

	if (o->n >= CHUNKS_MAX)
		return open_stop(o, err_class(e, EC_TOOBIG,
		    _("too large to be opened")));
	chunk_nonce(nonce, o->n++);
	if (len > o->used)
		o->used = len;
	/* Without a place for the octets libsodium only verifies them. */
	if (crypto_aead_chacha20poly1305_ietf_decrypt(
	    unread ? NULL : o->chunk, NULL, NULL, p, len, NULL, 0, nonce,
	    o->key) != 0)
		return open_stop(o, err_class(e, EC_BODY, _("part %llu of "
		    "the sealed message is damaged"),
		    (unsigned long long)o->n));
	o->len = 0;
	if (unread)
		o->skip--;
	if (unread || len == ENV_MAC_BYTES)
		return RC_OK;
	rc = o->out.put(o->out.ctx, o->chunk, len - ENV_MAC_BYTES, e);
	return rc == RC_OK ? RC_OK : open_stop(o, rc);
}

enum rc
env_open_feed(struct env_opener *o, const void *p, size_t len, struct err *e)
{
	const uint8_t *from = p;
	enum rc rc = RC_OK;
	size_t n;

	if (!o->live)
		return open_dead(e);
	while (len > 0 && rc == RC_OK) {
		if (o->len == 0 && len >= SEALED_BYTES) {
			n = SEALED_BYTES;
			rc = open_chunk(o, from, n, e);
		} else {
			n = SEALED_BYTES - o->len;
			n = len < n ? len : n;
			memcpy(o->chunk + o->len, from, n);
			o->len += n;
			if (o->len > o->used)
				o->used = o->len;
			if (o->len == SEALED_BYTES)
				rc = open_chunk(o, o->chunk, o->len, e);
		}
		from += n;
		len -= n;
	}
	return rc;
}

void
env_open_skip(struct env_opener *o, uint64_t n)
{
	o->skip = n;
}

enum rc
env_open_end(struct env_opener *o, struct err *e)
{
	if (!o->live)
		return open_dead(e);
	if (o->len < ENV_MAC_BYTES)
		return open_stop(o, err_class(e, EC_TRUNCATED,
		    _("the end of the sealed message is missing")));
	return open_stop(o, open_chunk(o, o->chunk, o->len, e));
}
