#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/lang.h"
#include "vault/keystore.h"
#include "vault/keystore_priv.h"
#include "vault/payload.h"
#include "vault/sealed.h"

/*
 * The content is local (PROTOCOL 2.19.12): META, LOCAL, DIGEST, then for each
 * self SELF, its ROLEs and its GRANTs, then ENTRYs, each run of one time behind
 * an ENTRY_AT, then BARs.
 */
#define REC_LOCAL 0x70		/* since(8) nkeys(4) local(32) [previous(32)] */
#define REC_ENTRY_AT 0x71	/* META time(8) of the ENTRYs that follow */
#define REC_DIGEST 0x72	/* key(32) of digests */
#define STORE_MAX_BYTES ((uint64_t)1 << 30)
#define TRIES 3		/* key and store are two files: rolled in between */

/* ---- writing ----------------------------------------------------------- */

static enum rc
emit_local(const struct keystore *ks, struct sealed_writer *w, struct err *e)
{
	uint8_t v[12 + 2 * KDF_KEY_BYTES];
	size_t len = 12 + KDF_KEY_BYTES;
	enum rc rc;

	put_be64(v, (uint64_t)ks->since_at);
	put_be32(v + 8, (uint32_t)ring_total(ks->ring));
	memcpy(v + 12, ks->secret->local, KDF_KEY_BYTES);
	if (ks->has_previous) {
		memcpy(v + len, ks->secret->previous, KDF_KEY_BYTES);
		len += KDF_KEY_BYTES;
	}
	rc = sealed_raw(w, REC_LOCAL, (struct bytes){ v, len }, e);
	wipe(v, sizeof(v));
	return rc != RC_OK ? rc : sealed_raw(w, REC_DIGEST, (struct bytes){
	    ks->secret->digest, KDF_KEY_BYTES }, e);
}

static enum rc
emit_grants(const struct keystore *ks, size_t self, struct sealed_writer *w,
    struct err *e)
{
	struct rec r = { .type = REC_GRANT };
	enum rc rc = RC_OK;

	r.grant.year = ks->selves[self].year;
	for (size_t i = 0; i < ring_total(ks->ring) && rc == RC_OK; i++) {
		uint16_t of;
		const char *s = ring_at(ks->ring, i, &of, &r.grant.key);

		if (of != self)
			continue;
		BUG_ON(!identity_parse(s, strlen(s), &r.grant.peer));
		rc = sealed_rec(w, &r, e);
	}
	return rc;
}

static enum rc
emit_self(const struct keystore *ks, size_t i, struct sealed_writer *w,
    struct err *e)
{
	const struct keystore_self *s = &ks->selves[i];
	struct rec r = { .type = REC_SELF };
	enum rc rc;

	r.self = (struct rec_self){ s->year, s->from_at, s->send_until_at,
	    s->read_until_at, ks->secret->selves[i], s->id };
	rc = sealed_rec(w, &r, e);
	for (size_t n = 0; n < s->nroles && rc == RC_OK; n++) {
		r = (struct rec){ .type = REC_ROLE };
		r.role = (struct rec_role){ s->roles[n].kind, s->roles[n].id };
		rc = sealed_rec(w, &r, e);
	}
	return rc == RC_OK ? emit_grants(ks, i, w, e) : rc;
}

static struct bytes
text_bytes(const char *s)
{
	return (struct bytes){ (const uint8_t *)s, strlen(s) };
}

static enum rc
emit_entries(const struct keystore *ks, struct sealed_writer *w,
    struct err *e)
{
	struct rec r = { .type = REC_ENTRY };
	struct ring_entry x;
	int64_t at = -1;
	uint8_t v[8];
	enum rc rc = RC_OK;

	for (size_t i = 0; i < ring_entries(ks->ring) && rc == RC_OK; i++) {
		ring_entry_at(ks->ring, i, &x);
		if (x.at != at) {
			at = x.at;
			put_be64(v, (uint64_t)at);
			rc = sealed_raw(w, REC_ENTRY_AT,
			    (struct bytes){ v, sizeof(v) }, e);
		}
		r.entry.flag = (enum rec_entry_flag)x.flags;
		BUG_ON(!identity_parse(x.identity, strlen(x.identity),
		    &r.entry.id));
		r.entry.route = text_bytes(x.route);
		r.entry.display = text_bytes(x.show);
		if (rc == RC_OK)
			rc = sealed_rec(w, &r, e);
	}
	return rc;
}

static enum rc
emit_bars(const struct keystore *ks, struct sealed_writer *w, struct err *e)
{
	struct rec r = { .type = REC_BAR };
	enum rc rc = RC_OK;

	for (size_t i = 0; i < ring_bars(ks->ring) && rc == RC_OK; i++) {
		const char *s = ring_bar_at(ks->ring, i, &r.bar.minimum);

		BUG_ON(!identity_parse_name(s, strlen(s), &r.bar.name));
		rc = sealed_rec(w, &r, e);
	}
	return rc;
}

static enum rc
emit(void *ctx, struct sealed_writer *w, struct err *e)
{
	const struct keystore *ks = *(const struct keystore **)ctx;
	struct rec r = { .type = REC_META };
	enum rc rc;

	r.meta = (struct rec_meta){ ks->since_at, 0, ks->selves[0].year,
	    ENV_VERSION };
	rc = sealed_rec(w, &r, e);
	if (rc == RC_OK)
		rc = emit_local(ks, w, e);
	for (size_t i = 0; i < ks->nselves && rc == RC_OK; i++)
		rc = emit_self(ks, i, w, e);
	if (rc == RC_OK)
		rc = emit_entries(ks, w, e);
	return rc == RC_OK ? emit_bars(ks, w, e) : rc;
}

static enum rc
to_buf(void *ctx, const uint8_t *p, size_t len, struct err *e)
{
	if (!buf_add(ctx, p, len))
		return err_set(e, RC_NOMEM, _("no memory for the key store"));
	return RC_OK;
}

/* The whole sealed store into ${out}: it is no secret any more. */
static enum rc
seal_store(const struct keystore *ks, const uint8_t *key,
    const struct secret *pass, const uint8_t *rnd, struct buf *out,
    struct err *e)
{
	struct env_sink to = { to_buf, out };
	struct sealed_plan plan = { .key = key, .pass = pass, .rnd = rnd,
	    .max = STORE_MAX_BYTES, .emit = emit, .ctx = &ks };

	BUG_ON(ks->nselves == 0);
	plan.head.source = key != NULL ? ENV_CHANNEL : ENV_PASS2;
	plan.head.year = ks->selves[0].year;
	plan.head.from = plan.head.to = ks->selves[0].id;
	return sealed_seal(&plan, to, e);
}

static enum rc
unreadable(const char *path, struct err *e)
{
	if (errno == ENOENT)
		return err_set(e, RC_CONF, _("there is no key store %s: mail "
		    "is safe on its server until the association's key file "
		    "is taken in (sceau key import FILE)"), path);
	return err_set(e, RC_CONF, _("the key store %s cannot be read: %s"),
	    path, lang_errno(errno));
}

/* Its files are damaged, or no pair: only a person can know which to keep. */
static enum rc
damaged(const struct keystore_at *at, const char *why, struct err *e)
{
	return err_set(e, RC_CONF, _("the key store %s is damaged (%s); it was "
	    "left as it is, and mail not yet fetched is safe on its server. "
	    "Move it and its machine key elsewhere, then take in this year's "
	    "key file again, or an export: sceau key import FILE"),
	    at->store, why);
}

/* A file system that has lost them gives zeros; a disk that cannot be read may
 * be read later. */
static enum rc
read_octets(const struct keystore_at *at, int fd, uint8_t key[KDF_KEY_BYTES],
    struct err *e)
{
	static const uint8_t zeros[KDF_KEY_BYTES];
	uint8_t more;
	ssize_t n = read_full(fd, key, KDF_KEY_BYTES), rest = 0;

	if (n < 0 || (rest = read_full(fd, &more, 1)) < 0)
		return err_sys(e, "%s", at->key);
	if (n != KDF_KEY_BYTES || rest != 0 ||
	    same(key, zeros, KDF_KEY_BYTES))
		return damaged(at, _("its machine key is not the 32 octets it "
		    "was"), e);
	return RC_OK;
}

/* 32 raw octets, in secret memory; owned. */
static enum rc
read_key(const struct keystore_at *at, bool strict, uint8_t **key,
    struct err *e)
{
	int fd = open(at->key, O_RDONLY | O_CLOEXEC);
	enum rc rc = RC_OK;

	*key = NULL;
	if (fd < 0 && errno == ENOENT)
		return damaged(at, _("its machine key is not there: is its "
		    "medium?"), e);
	if (fd < 0)
		return err_set(e, RC_CONF, _("the machine key %s cannot be "
		    "read: %s"), at->key, lang_errno(errno));
	if (strict)
		rc = file_private(at->key, e);
	if (rc == RC_OK && (*key = secret_alloc(KDF_KEY_BYTES)) == NULL)
		rc = err_set(e, RC_NOMEM, _("no memory for keys"));
	if (rc == RC_OK)
		rc = read_octets(at, fd, *key, e);
	close(fd);
	if (rc != RC_OK)
		secret_free(key);
	return rc;
}

static enum rc
new_key(const char *path, uint8_t **key, struct err *e)
{
	enum rc rc;

	if ((*key = secret_alloc(KDF_KEY_BYTES)) == NULL)
		return err_set(e, RC_NOMEM, _("no memory for keys"));
	random_bytes(*key, KDF_KEY_BYTES);
	if ((rc = file_create(path, *key, KDF_KEY_BYTES, 0400, e)) != RC_OK)
		secret_free(key);
	return rc;
}

enum rc
keystore_save(const struct keystore *ks, const struct keystore_at *at,
    struct err *e)
{
	struct buf out = BUF_INIT;
	uint8_t *key = NULL;
	char *rolled = keystore_path_new(at->store);
	enum rc rc = RC_OK;

	if (rolled == NULL)
		return err_set(e, RC_NOMEM, _("no memory for a path"));
	if (at->key != NULL && access(at->key, F_OK) != 0)
		rc = new_key(at->key, &key, e);
	else if (at->key != NULL)
		rc = read_key(at, !ks->demo, &key, e);
	if (rc == RC_OK)
		rc = seal_store(ks, key, at->pass, NULL, &out, e);
	if (rc == RC_OK)
		rc = file_write(at->store, out.p, out.len, 0600, e);
	/* What a roll left that was cut off is worth nothing any more. */
	if (rc == RC_OK)
		(void)unlink(rolled);
	free(rolled);
	secret_free(&key);
	buf_free(&out);
	return rc;
}

enum rc
keystore_export(const struct keystore *ks, const struct secret *pass,
    const char *path, struct err *e)
{
	struct buf out = BUF_INIT;
	enum rc rc = seal_store(ks, NULL, pass, NULL, &out, e);

	if (rc == RC_OK)
		rc = file_create(path, out.p, out.len, 0600, e);
	buf_free(&out);
	return rc;
}

enum rc
keystore_save_fixed(const struct keystore *ks, const struct keystore_at *at,
    const uint8_t key[KDF_KEY_BYTES], const uint8_t rnd[KDF_KEY_BYTES],
    struct err *e)
{
	struct buf out = BUF_INIT;
	enum rc rc = seal_store(ks, key, NULL, rnd, &out, e);

	if (rc == RC_OK)
		rc = file_write(at->key, key, KDF_KEY_BYTES, 0400, e);
	if (rc == RC_OK)
		rc = file_write(at->store, out.p, out.len, 0600, e);
	buf_free(&out);
	return rc;
}

/* ---- reading ----------------------------------------------------------- */

struct loader {
	struct keystore	*ks;
	const struct keystore_at *at;
	const uint8_t	*key;
	struct identity	 owner;		/* whom its header names */
	size_t		 self;		/* that GRANTs and ROLEs belong to */
	int64_t		 entry_at;
};

static enum rc
load_key(void *ctx, const struct env_head *h, uint8_t key[KDF_KEY_BYTES],
    struct err *e)
{
	struct loader *l = ctx;
	const struct secret *pass = l->at->pass;

	if (!identity_eq(&h->from, &h->to))
		return err_class(e, EC_FORMAT, _("not a key store"));
	l->owner = h->to;
	if (h->source == ENV_CHANNEL && l->key != NULL) {
		memcpy(key, l->key, KDF_KEY_BYTES);
		return RC_OK;
	}
	if (h->source < ENV_PASS1 || pass == NULL)
		return err_set(e, RC_CONF, h->source == ENV_CHANNEL ?
		    _("this key store is sealed with a machine key: "
		    "name its file") :
		    _("this key store is sealed with a passphrase"));
	return kdf_pass(key, (int)h->source - ENV_PASS1 + 1, (struct bytes){
	    (const uint8_t *)pass->p, pass->len }, h->salt, e);
}

static enum rc
load_local(struct loader *l, struct bytes value, struct err *e)
{
	struct rd rd = rd_of(value.p, value.len);
	struct keystore *ks = l->ks;
	size_t nkeys;

	ks->since_at = (int64_t)rd_64(&rd);
	nkeys = rd_32(&rd);
	rd_copy(&rd, ks->secret->local, KDF_KEY_BYTES);
	/* Of a store that has no key of digests yet: each load makes the same
	 * one, until a save writes it down. */
	kdf(ks->secret->digest, KDF_KEY_BYTES, ks->secret->local, KDF_DIGEST,
	    (struct bytes){ NULL, 0 });
	ks->has_previous = rd.left > 0;
	if (ks->has_previous)
		rd_copy(&rd, ks->secret->previous, KDF_KEY_BYTES);
	if (!rd_done(&rd) || ks->since_at < 0 || nkeys > RING_KEYS_MAX ||
	    ring_total(ks->ring) > 0)
		return err_class(e, EC_RECORD, _("the key store is damaged"));
	ring_free(&ks->ring);
	if ((ks->ring = ring_new(nkeys)) == NULL)
		return err_set(e, RC_NOMEM, _("no memory for keys"));
	return RC_OK;
}

static enum rc
load_grant(struct loader *l, const struct rec_grant *g, struct err *e)
{
	enum ring_add how;
	enum rc rc;

	if (g->year != l->ks->selves[l->self].year)
		return err_class(e, EC_RECORD, _("the key store is damaged"));
	rc = ring_add(l->ks->ring, (uint16_t)l->self, &g->peer, g->key, &how,
	    e);
	if (rc == RC_OK && how != RING_ADDED)
		return err_class(e, EC_RECORD, _("the key store is damaged"));
	return rc;
}

static enum rc
load_rec(struct loader *l, const struct rec *r, struct err *e)
{
	struct keystore *ks = l->ks;

	if ((r->type == REC_ROLE || r->type == REC_GRANT) && ks->nselves == 0)
		return err_class(e, EC_RECORD, _("the key store is damaged"));
	switch (r->type) {
	case REC_META:
		return RC_OK;
	case REC_SELF:
		return keystore_add_self(ks, &r->self, &l->self, e);
	case REC_ROLE:
		return keystore_add_role(ks, l->self, &r->role, e);
	case REC_GRANT:
		return load_grant(l, &r->grant, e);
	case REC_ENTRY:
		return ring_enter(ks->ring, (uint8_t)r->entry.flag,
		    l->entry_at, &r->entry.id, r->entry.route,
		    r->entry.display, e);
	case REC_BAR:
		return ring_bar(ks->ring, &r->bar.name, r->bar.minimum, e);
	default:
		return err_class(e, EC_RECORD, _("the key store is damaged"));
	}
}

static enum rc
load_record(void *ctx, uint8_t type, struct bytes value, struct err *e)
{
	struct loader *l = ctx;
	struct rec r;
	enum rc rc;

	if (type == REC_LOCAL)
		return load_local(l, value, e);
	if (type == REC_DIGEST && value.len == KDF_KEY_BYTES) {
		memcpy(l->ks->secret->digest, value.p, KDF_KEY_BYTES);
		return RC_OK;
	}
	if (type == REC_ENTRY_AT && value.len == 8) {
		l->entry_at = (int64_t)get_be64(value.p);
		return RC_OK;
	}
	if ((rc = rec_parse(type, value, &r, e)) != RC_OK)
		return rc;
	return load_rec(l, &r, e);
}

/* What went wrong, as the operator must hear it; of an export, which travels,
 * as a file is told of. */
static enum rc
load_failed(const struct keystore_at *at, const char *path, struct err *e)
{
	struct err why = *e;

	if (why.rc == RC_INPUT && at->pass != NULL && why.class == EC_HEADER)
		return err_class(e, EC_HEADER, _("%s: the passphrase is not "
		    "that with which it was sealed"), path);
	if (why.rc != RC_INPUT || at->pass != NULL)
		return err_ctx(e, "%s", path);
	if (why.class == EC_VERSION)
		return err_set(e, RC_CONF, "%s: %s", path, why.text);
	return damaged(at, why.class == EC_HEADER ?
	    _("its machine key does not open it, or is another's") :
	    why.text, e);
}

/* One try at the file ${path}. */
static enum rc
load_path(struct loader *l, const char *path, struct err *e)
{
	const struct sealed_events on = { l, STORE_MAX_BYTES, load_key,
	    load_record };
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	enum rc rc;

	if (fd < 0)
		return unreadable(path, e);
	if ((rc = keystore_new(0, &l->ks, e)) == RC_OK)
		rc = sealed_read(fd, &on, e);
	if (rc == RC_OK && l->ks->nselves == 0)
		rc = err_class(e, EC_RECORD, _("there is no key in it"));
	/* By its header it was asked, or not, for its rights. */
	if (rc == RC_OK && !identity_eq(&l->owner, &l->ks->selves[0].id))
		rc = err_class(e, EC_RECORD, _("the key store is damaged"));
	close(fd);
	if (rc != RC_OK) {
		keystore_free(&l->ks);
		return load_failed(l->at, path, e);
	}
	return RC_OK;
}

/* Between the two renames of keystore_roll(), which may be at work still: so
 * nothing is renamed here. */
static enum rc
load_rolled(struct loader *l, struct err *e)
{
	char *next = keystore_path_new(l->at->store);
	struct err e2 = ERR_INIT;
	enum rc rc = e->rc;

	if (next != NULL && access(next, F_OK) == 0 &&
	    (rc = load_path(l, next, &e2)) == RC_OK)
		l->ks->half_rolled = true;
	free(next);
	if (rc != RC_OK)
		return e->rc;
	*e = (struct err)ERR_INIT;
	return RC_OK;
}

/* Whose store it says to be: the demonstration's may be read by anybody, as
 * git keeps no modes (DESIGN, ruling 9). */
static enum rc
says_demo(const char *path, bool *demo, struct err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct err why = ERR_INIT;
	struct env_head h;

	if (fd < 0)
		return unreadable(path, e);
	*demo = sealed_head(fd, &h, &why) == RC_OK &&
	    bytes_eqs(identity_assoc(&h.to), KEYSTORE_DEMO);
	close(fd);
	return RC_OK;
}

static enum rc
load_once(struct loader *l, bool strict, struct err *e)
{
	uint8_t *key = NULL;
	enum rc rc = RC_OK;

	if (l->at->key != NULL &&
	    (rc = read_key(l->at, strict, &key, e)) != RC_OK)
		return rc;
	l->key = key;
	rc = load_path(l, l->at->store, e);
	if (rc == RC_CONF && l->at->key != NULL)
		rc = load_rolled(l, e);
	secret_free(&key);
	return rc;
}

enum rc
keystore_load(const struct keystore_at *at, struct keystore **ks,
    struct err *e)
{
	struct loader l;
	bool demo = false;
	enum rc rc;

	*ks = NULL;
	if ((rc = says_demo(at->store, &demo, e)) != RC_OK)
		return rc;
	if (!demo && at->pass == NULL &&
	    (rc = file_private(at->store, e)) != RC_OK)
		return rc;
	for (int i = 0; i < TRIES; i++) {
		l = (struct loader){ .at = at };
		*e = (struct err)ERR_INIT;
		if ((rc = load_once(&l, !demo, e)) != RC_CONF ||
		    at->key == NULL)
			break;
	}
	if (rc == RC_OK)
		*ks = l.ks;
	return rc;
}
