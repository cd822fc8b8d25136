#include "config.h"

#include <string.h>

#include "base/file.h"
#include "base/lang.h"
#include "vault/payload.h"
#include "vault/sealed.h"

/* ---- writing ------------------------------------------------------------ */

struct sealed_writer {
	struct env_sealer *env;		/* NULL in the first pass */
	struct kdf_hash	 hash;
	uint64_t	 total;
	uint64_t	 max;
	const struct sealed_plan *plan;
	size_t		 nkept;		/* octets in ${plan->kept} */
	struct buf	 rec;		/* lies in ${room}: secret memory */
	uint8_t		 room[STREAM_RECORD_MAX];
};

static void
keep(struct sealed_writer *w, const void *p, size_t len)
{
	if (w->total > w->plan->kept_max)
		return;
	memcpy(w->plan->kept + w->nkept, p, len);
	w->nkept += len;
}

static enum rc
write_octets(struct sealed_writer *w, const void *p, size_t len,
    struct err *e)
{
	w->total += len;
	if (w->env != NULL)
		return env_seal_put(w->env, p, len, e);
	if (w->total > w->max)
		return err_class(e, EC_TOOBIG, _("too many records"));
	kdf_hash_add(&w->hash, p, len);
	keep(w, p, len);
	return RC_OK;
}

enum rc
sealed_rec(struct sealed_writer *w, const struct rec *r, struct err *e)
{
	enum rc rc;

	/* Never grows: every record fits, so no key touches the heap. */
	w->rec = (struct buf){ w->room, 0, sizeof(w->room) };
	if ((rc = rec_add(&w->rec, r, e)) != RC_OK)
		return rc;
	BUG_ON(w->rec.p != w->room);
	rc = write_octets(w, w->rec.p, w->rec.len, e);
	wipe(w->rec.p, w->rec.len);
	return rc;
}

enum rc
sealed_raw(struct sealed_writer *w, uint8_t type, struct bytes value,
    struct err *e)
{
	uint8_t head[REC_HEAD_BYTES];
	enum rc rc;

	head[0] = type;
	put_be32(head + 1, (uint32_t)value.len);
	if ((rc = write_octets(w, head, sizeof(head), e)) != RC_OK)
		return rc;
	return write_octets(w, value.p, value.len, e);
}

/* First pass: the salt (PROTOCOL 2.3), and how long it will be. */
static enum rc
make_salt(struct sealed_plan *plan, struct sealed_writer *w, uint64_t *total,
    struct err *e)
{
	static const uint8_t end[1] = { REC_END };
	uint8_t hash[KDF_KEY_BYTES], rnd[KDF_KEY_BYTES], none[KDF_KEY_BYTES];
	enum rc rc;

	kdf_hash_init(&w->hash);
	w->max = plan->max;
	w->plan = plan;
	if ((rc = plan->emit(plan->ctx, w, e)) != RC_OK)
		return rc;
	if ((rc = write_octets(w, end, sizeof(end), e)) != RC_OK)
		return rc;
	*total = w->total;
	kdf_hash_of(NULL, 0, none);
	kdf_hash_add(&w->hash, none, sizeof(none));
	kdf_hash_end(&w->hash, hash);
	if (plan->rnd != NULL)
		memcpy(rnd, plan->rnd, sizeof(rnd));
	else
		random_bytes(rnd, sizeof(rnd));
	kdf_salt(plan->head.salt, plan->key, rnd, hash);
	wipe(rnd, sizeof(rnd));
	return RC_OK;
}

static enum rc
pass_key(const struct env_head *h, const struct secret *pass,
    uint8_t key[KDF_KEY_BYTES], struct err *e)
{
	return kdf_pass(key, (int)h->source - ENV_PASS1 + 1,
	    (struct bytes){ (const uint8_t *)pass->p, pass->len }, h->salt,
	    e);
}

static enum rc
write_zeros(struct sealed_writer *w, uint64_t left, struct err *e)
{
	static const uint8_t zeros[4096];
	enum rc rc = RC_OK;
	size_t n;

	for (; left > 0 && rc == RC_OK; left -= n) {
		n = left < sizeof(zeros) ? (size_t)left : sizeof(zeros);
		rc = write_octets(w, zeros, n, e);
	}
	return rc;
}

/* Second pass: the envelope. */
static enum rc
write_body(struct sealed_plan *plan, struct sealed_writer *w, uint64_t total,
    struct env_sink out, struct err *e)
{
	uint8_t key[KDF_KEY_BYTES];
	enum rc rc;

	w->total = 0;
	if (plan->key != NULL)
		memcpy(key, plan->key, sizeof(key));
	else if ((rc = pass_key(&plan->head, plan->pass, key, e)) != RC_OK)
		return rc;
	rc = env_seal_start(w->env, &plan->head, key, out, e);
	wipe(key, sizeof(key));
	if (rc == RC_OK)
		rc = total <= plan->kept_max ?
		    write_octets(w, plan->kept, (size_t)total - 1, e) :
		    plan->emit(plan->ctx, w, e);
	if (rc != RC_OK)
		return rc;
	BUG_ON(w->total + 1 != total);
	/* END is a zero too. */
	rc = write_zeros(w, payload_padded(total) - w->total, e);
	return rc == RC_OK ? env_seal_end(w->env, e) : rc;
}

enum rc
sealed_seal(struct sealed_plan *plan, struct env_sink out, struct err *e)
{
	struct sealed_writer *w = secret_alloc(sizeof(*w));
	struct env_sealer *env = env_sealer_new();
	uint64_t total;
	enum rc rc = RC_NOMEM;

	if (w == NULL || env == NULL) {
		err_set(e, RC_NOMEM, _("no memory for sealing"));
		goto out;
	}
	if ((rc = make_salt(plan, w, &total, e)) != RC_OK)
		goto out;
	w->env = env;
	rc = write_body(plan, w, total, out, e);
out:
	if (w != NULL && w->nkept > 0)
		wipe(plan->kept, w->nkept);
	env_sealer_free(&env);
	secret_free(&w);
	return rc;
}

/* ---- reading ------------------------------------------------------------ */

/* In secret memory: ${part} holds a record that two chunks share. */
struct reader {
	const struct sealed_events *on;
	uint64_t	total;
	uint64_t	padded;		/* known after END */
	bool		ended;
	size_t		npart;
	uint8_t		part[STREAM_RECORD_MAX];
};

/* How many octets the record needs whose first ${len} are at ${p}. */
static size_t
record_want(const uint8_t *p, size_t len)
{
	uint32_t n;

	if (len == 0 || p[0] == REC_END)
		return 1;
	if (len < REC_HEAD_BYTES)
		return REC_HEAD_BYTES;
	n = get_be32(p + 1);
	return n > STREAM_RECORD_MAX ? 2 * STREAM_RECORD_MAX :
	    REC_HEAD_BYTES + n;
}

/* A whole record, or END. */
static enum rc
take_record(struct reader *r, const uint8_t *p, size_t len, struct err *e)
{
	bool first = r->total == 0;

	r->total += len;
	if (first != (p[0] == REC_META))
		return err_class(e, EC_RECORD,
		    _("META is not the first record, once"));
	if (p[0] == REC_MAIL)
		return err_class(e, EC_RECORD, _("a mail stands among keys"));
	if (p[0] == REC_END) {
		r->ended = true;
		r->padded = payload_padded(r->total);
		return RC_OK;
	}
	return r->on->record(r->on->ctx, p[0], (struct bytes){
	    p + REC_HEAD_BYTES, len - REC_HEAD_BYTES }, e);
}

static enum rc
take_zeros(struct reader *r, const uint8_t *p, size_t len, struct err *e)
{
	if (len > 0 && (len > r->padded - r->total || p[0] != 0 ||
	    memcmp(p, p + 1, len - 1) != 0))
		return err_class(e, EC_RECORD,
		    _("the padding is not as it must be"));
	r->total += len;
	return RC_OK;
}

/* Add to ${part} until it is one whole record; how much, in ${used}. */
static enum rc
take_part(struct reader *r, const uint8_t *p, size_t len, size_t *used,
    struct err *e)
{
	size_t want = record_want(r->part, r->npart), n;
	enum rc rc;

	*used = 0;
	while (r->npart < want) {
		if (want > sizeof(r->part))
			return err_class(e, EC_RECORD,
			    _("a record is too long"));
		n = want - r->npart;
		if (n > len - *used)
			n = len - *used;
		if (n == 0)
			return RC_OK;
		memcpy(r->part + r->npart, p + *used, n);
		r->npart += n;
		*used += n;
		want = record_want(r->part, r->npart);
	}
	n = r->npart;
	r->npart = 0;
	rc = take_record(r, r->part, n, e);
	wipe(r->part, n);
	return rc;
}

static enum rc
read_payload(void *ctx, const uint8_t *p, size_t len, struct err *e)
{
	struct reader *r = ctx;
	size_t used, want;
	enum rc rc = RC_OK;

	while (len > 0 && rc == RC_OK && !r->ended) {
		want = record_want(p, len);
		if (r->npart == 0 && want <= len &&
		    want <= STREAM_RECORD_MAX) {
			used = want;
			rc = take_record(r, p, used, e);
		} else
			rc = take_part(r, p, len, &used, e);
		p += used;
		len -= used;
		if (r->total > r->on->max)
			return err_class(e, EC_TOOBIG, _("too many records"));
	}
	return rc == RC_OK ? take_zeros(r, p, len, e) : rc;
}

/* The header, and what was read beyond it. */
static enum rc
read_head(int fd, uint8_t *buf, size_t size, size_t *len, struct env_head *h,
    struct err *e)
{
	ssize_t n = read_full(fd, buf, size);

	if (n < 0)
		return err_sys(e, _("reading a file of keys"));
	*len = (size_t)n;
	return env_head_parse(buf, *len, h, e);
}

static enum rc
read_body(int fd, struct env_opener *o, uint8_t *buf, size_t size,
    struct err *e)
{
	enum rc rc = RC_OK;
	ssize_t n;

	while (rc == RC_OK && (n = read_full(fd, buf, size)) != 0) {
		if (n < 0)
			return err_sys(e, _("reading a file of keys"));
		rc = env_open_feed(o, buf, (size_t)n, e);
	}
	return rc == RC_OK ? env_open_end(o, e) : rc;
}

static enum rc
open_with_key(struct env_opener *o, const struct env_head *h,
    struct reader *r, struct err *e)
{
	struct env_sink to = { read_payload, r };
	uint8_t key[KDF_KEY_BYTES];
	enum rc rc = r->on->key(r->on->ctx, h, key, e);

	if (rc == RC_OK)
		rc = env_open_start(o, h, key, to, e);
	wipe(key, sizeof(key));
	return rc;
}

static enum rc
read_all(int fd, struct env_opener *o, struct reader *r, struct err *e)
{
	uint8_t buf[16384];
	struct env_head h;
	size_t len = 0;
	enum rc rc;

	if ((rc = read_head(fd, buf, sizeof(buf), &len, &h, e)) != RC_OK ||
	    (rc = open_with_key(o, &h, r, e)) != RC_OK ||
	    (rc = env_open_feed(o, buf + h.len, len - h.len, e)) != RC_OK ||
	    (rc = read_body(fd, o, buf, sizeof(buf), e)) != RC_OK)
		return rc;
	if (!r->ended || r->total != r->padded)
		return err_class(e, EC_RECORD, _("the records have no end, "
		    "or the padding is not as it must be"));
	return RC_OK;
}

enum rc
sealed_read(int fd, const struct sealed_events *on, struct err *e)
{
	struct env_opener *o = env_opener_new();
	struct reader *r = secret_alloc(sizeof(*r));
	enum rc rc;

	if (o == NULL || r == NULL)
		rc = err_set(e, RC_NOMEM, _("no memory for opening keys"));
	else {
		r->on = on;
		rc = read_all(fd, o, r, e);
	}
	env_opener_free(&o);
	secret_free(&r);
	return rc;
}

enum rc
sealed_head(int fd, struct env_head *h, struct err *e)
{
	uint8_t buf[ENV_HEAD_MAX];
	size_t len;

	return read_head(fd, buf, sizeof(buf), &len, h, e);
}
