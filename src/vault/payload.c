#include "config.h"

#include <string.h>

#include "base/lang.h"
#include "base/secret.h"
#include "vault/payload.h"

#define PAD_MIN 4096u
#define PAD_POWER_MAX 65536u
#define ZEROS_BYTES 4096

/* Lengths. */

static unsigned
floor_log2(uint64_t n)
{
	unsigned e = 0;

	while (n >>= 1)
		e++;
	return e;
}

uint64_t
payload_padded(uint64_t n)
{
	uint64_t pow = PAD_MIN, step;
	unsigned e;

	if (n <= PAD_POWER_MAX) {
		while (pow < n)
			pow *= 2;
		return pow;
	}
	e = floor_log2(n);
	step = (uint64_t)1 << (e - (floor_log2(e) + 1));
	return (n + step - 1) / step * step;
}

/* P0 ends with this: the head of MAIL, or END when there is none. */
static size_t
plan_last(const struct payload_plan *plan, uint8_t out[REC_HEAD_BYTES])
{
	out[0] = REC_END;
	if (!plan->has_mail)
		return 1;
	out[0] = REC_MAIL;
	put_be32(out + 1, plan->mail_len);
	return REC_HEAD_BYTES;
}

/* Octets through END. */
static uint64_t
plan_len(const struct payload_plan *plan)
{
	uint64_t n = plan->control.len + 1;

	if (plan->has_mail)
		n += REC_HEAD_BYTES + (uint64_t)plan->mail_len;
	return n;
}

uint64_t
payload_size(const struct payload_plan *plan)
{
	return payload_padded(plan_len(plan));
}

/* Sealing. */

void
payload_salt(const struct payload_plan *plan, const uint8_t *hedge,
    uint8_t salt[ENV_SALT_BYTES])
{
	uint8_t last[REC_HEAD_BYTES], none[KDF_KEY_BYTES];
	uint8_t rnd[KDF_KEY_BYTES], hash[KDF_KEY_BYTES];
	struct kdf_hash h;

	kdf_hash_of(NULL, 0, none);
	kdf_hash_init(&h);
	kdf_hash_add(&h, plan->control.p, plan->control.len);
	kdf_hash_add(&h, last, plan_last(plan, last));
	kdf_hash_add(&h, plan->has_mail ? plan->digest : none, KDF_KEY_BYTES);
	kdf_hash_end(&h, hash);
	random_bytes(rnd, sizeof(rnd));
	kdf_salt(salt, hedge, rnd, hash);
	wipe(rnd, sizeof(rnd));
	wipe(hash, sizeof(hash));
}

enum rc
payload_seal_start(struct payload_sealer *s, struct env_sealer *env,
    const struct payload_plan *plan, struct env_head *h,
    const uint8_t key[KDF_KEY_BYTES], struct env_sink out, struct err *e)
{
	uint8_t last[REC_HEAD_BYTES];
	enum rc rc;

	s->env = env;
	s->plan = plan;
	s->mail_left = plan->has_mail ? plan->mail_len : 0;
	kdf_hash_init(&s->hash);
	if ((rc = env_seal_start(env, h, key, out, e)) != RC_OK)
		return rc;
	rc = env_seal_put(env, plan->control.p, plan->control.len, e);
	if (rc == RC_OK && plan->has_mail)
		rc = env_seal_put(env, last, plan_last(plan, last), e);
	return rc;
}

enum rc
payload_seal_mail(struct payload_sealer *s, const void *p, size_t len,
    struct err *e)
{
	if (len > s->mail_left)
		return err_set(e, RC_INPUT, _("the mail is longer than it was "
		    "when it was first read; nothing was sent"));
	s->mail_left -= len;
	if (s->plan->check_digest)
		kdf_hash_add(&s->hash, p, len);
	return env_seal_put(s->env, p, len, e);
}

static bool
digest_fits(struct payload_sealer *s)
{
	uint8_t got[KDF_KEY_BYTES];

	kdf_hash_end(&s->hash, got);
	return !s->plan->has_mail || !s->plan->check_digest ||
	    same(got, s->plan->digest, sizeof(got));
}

enum rc
payload_seal_end(struct payload_sealer *s, struct err *e)
{
	static const uint8_t zeros[ZEROS_BYTES];
	uint64_t left = payload_size(s->plan) - plan_len(s->plan) + 1;
	enum rc rc = RC_OK;
	size_t n;

	if (!digest_fits(s) || s->mail_left > 0)
		return err_set(e, RC_INPUT, _("the mail has changed since it "
		    "was first read; nothing was sent"));
	/* END is a zero too. */
	for (; left > 0 && rc == RC_OK; left -= n) {
		n = left < sizeof(zeros) ? (size_t)left : sizeof(zeros);
		rc = env_seal_put(s->env, zeros, n, e);
	}
	return rc == RC_OK ? env_seal_end(s->env, e) : rc;
}

/* Reading. */

void
payload_init(struct payload_reader *r, size_t limit, struct payload_events on)
{
	memset(r, 0, sizeof(*r));
	r->limit = limit;
	r->on = on;
	kdf_hash_init(&r->hash);
}

void
payload_free(struct payload_reader *r)
{
	buf_free(&r->control);
	wipe(r, sizeof(*r));
}

enum rank { RANK_META, RANK_GRANT, RANK_CONTROL, RANK_WAY, RANK_RELAYED,
	RANK_MAIL };

/* Where a record may stand (PROTOCOL 2.19.31): it never goes down.  Key files
 * are not mail: their control records have an order of their own. */
static enum rank
rank_of(const struct payload_reader *r, uint8_t type)
{
	switch (type) {
	case REC_META:
		return RANK_META;
	case REC_GRANT:
		return r->limit > PAYLOAD_DESK_MAX ? RANK_CONTROL :
		    RANK_GRANT;
	case REC_ROUTE:
	case REC_WITNESS:
		return RANK_WAY;
	case REC_RELAYED:
		return RANK_RELAYED;
	case REC_MAIL:
		return RANK_MAIL;
	default:
		return RANK_CONTROL;
	}
}

static enum rc
check_order(struct payload_reader *r, uint8_t type, struct err *e)
{
	enum rank rank = rank_of(r, type);

	if (r->has_meta == (type == REC_META))
		return err_class(e, EC_RECORD,
		    _("META is not the first record, once"));
	if (type == REC_END)
		return r->needs_mail && !r->has_mail ? err_class(e, EC_RECORD,
		    _("a record speaks of a mail and there is none")) : RC_OK;
	if (rec_skipped(type))
		return RC_OK;
	if (!rec_known(type))
		return err_class(e, EC_RECORD,
		    _("record type 0x%02x is not understood"), type);
	if (rank < r->rank || (rank == r->rank && rank == RANK_RELAYED))
		return err_class(e, EC_RECORD, _("record %s stands in the "
		    "wrong place or twice"), rec_name(type));
	r->has_meta = true;
	r->rank = (uint8_t)rank;
	r->needs_mail |= rank == RANK_WAY || rank == RANK_RELAYED;
	return RC_OK;
}

static enum rc
begin_mail(struct payload_reader *r, struct err *e)
{
	r->has_mail = true;
	r->mail_len = r->left;
	r->state = r->left > 0 ? PAYLOAD_MAIL : PAYLOAD_AFTER_MAIL;
	return r->on.mail_begin == NULL ? RC_OK :
	    r->on.mail_begin(r->on.ctx, r, r->mail_len, e);
}

/* A whole control record lies at the end of r->control. */
static enum rc
end_record(struct payload_reader *r, struct err *e)
{
	struct rd rd = rd_of(r->control.p + r->head_at,
	    r->control.len - r->head_at);
	struct rec rec;
	enum rc rc;

	r->state = PAYLOAD_HEAD;
	r->nhead = 0;
	if ((rc = rec_next(&rd, &rec, e)) != RC_OK)
		return rc;
	if (rec.type == REC_META)
		r->meta = rec.meta;
	return RC_OK;
}

/* Type and length are in r->head. */
static enum rc
begin_record(struct payload_reader *r, struct err *e)
{
	enum rc rc = check_order(r, r->head[0], e);

	if (rc != RC_OK)
		return rc;
	r->left = get_be32(r->head + 1);
	if (r->head[0] == REC_MAIL)
		return begin_mail(r, e);
	if (r->left > r->limit ||
	    r->control.len + REC_HEAD_BYTES > r->limit - r->left)
		return err_class(e, EC_RECORD, _("more control records than "
		    "the %zu octets that this sender may write"), r->limit);
	r->head_at = r->control.len;
	if (!buf_add(&r->control, r->head, REC_HEAD_BYTES))
		return err_set(e, RC_NOMEM, _("no memory for records"));
	r->state = PAYLOAD_VALUE;
	return r->left > 0 ? RC_OK : end_record(r, e);
}

static enum rc
see_end(struct payload_reader *r, struct err *e)
{
	enum rc rc = check_order(r, REC_END, e);

	r->state = PAYLOAD_ZEROS;
	r->padded = payload_padded(r->total + 1);
	return rc;
}

/* The next octet of a head; END has only its type. */
static enum rc
feed_head(struct payload_reader *r, uint8_t c, struct err *e)
{
	r->head[r->nhead++] = c;
	if (r->nhead == 1 && c == REC_END)
		return see_end(r, e);
	return r->nhead < REC_HEAD_BYTES ? RC_OK : begin_record(r, e);
}

static enum rc
feed_value(struct payload_reader *r, const uint8_t *p, size_t len,
    struct err *e)
{
	if (!buf_add(&r->control, p, len))
		return err_set(e, RC_NOMEM, _("no memory for records"));
	r->left -= (uint32_t)len;
	return r->left > 0 ? RC_OK : end_record(r, e);
}

static enum rc
feed_mail(struct payload_reader *r, const uint8_t *p, size_t len,
    struct err *e)
{
	if (!r->no_digest)
		kdf_hash_add(&r->hash, p, len);
	r->left -= (uint32_t)len;
	if (r->left == 0)
		r->state = PAYLOAD_AFTER_MAIL;
	return r->on.mail == NULL ? RC_OK : r->on.mail(r->on.ctx, p, len, e);
}

uint64_t
payload_skip(struct payload_reader *r)
{
	uint32_t n = r->left / ENV_CHUNK_BYTES;

	BUG_ON(!r->no_digest);
	r->total += (uint64_t)n * ENV_CHUNK_BYTES;
	r->left -= n * ENV_CHUNK_BYTES;
	if (r->left == 0)
		r->state = PAYLOAD_AFTER_MAIL;
	return n;
}

static bool
all_zero(const uint8_t *p, size_t len)
{
	return p[0] == 0 && memcmp(p, p + 1, len - 1) == 0;
}

/* Takes what belongs together of ${p}; how much, in ${used}. */
static enum rc
feed_some(struct payload_reader *r, const uint8_t *p, size_t len,
    size_t *used, struct err *e)
{
	enum rc rc = RC_OK;

	*used = len;
	switch (r->state) {
	case PAYLOAD_HEAD:
		*used = 1;
		rc = feed_head(r, p[0], e);
		break;
	case PAYLOAD_VALUE:
	case PAYLOAD_MAIL:
		if (*used > r->left)
			*used = r->left;
		rc = r->state == PAYLOAD_MAIL ? feed_mail(r, p, *used, e) :
		    feed_value(r, p, *used, e);
		break;
	case PAYLOAD_AFTER_MAIL:
		*used = 1;
		rc = p[0] == REC_END ? see_end(r, e) : err_class(e, EC_RECORD,
		    _("something stands between the mail and the end"));
		break;
	case PAYLOAD_ZEROS:
		if (len > r->padded - r->total || !all_zero(p, len))
			rc = err_class(e, EC_RECORD,
			    _("the padding is not as it must be"));
		break;
	case PAYLOAD_BAD:
		return err_class(e, EC_RECORD, _("reading had failed before"));
	}
	r->total += *used;
	return rc;
}

enum rc
payload_feed(struct payload_reader *r, const void *p, size_t len,
    struct err *e)
{
	const uint8_t *at = p;
	enum rc rc = RC_OK;
	size_t used;

	while (len > 0 && rc == RC_OK) {
		rc = feed_some(r, at, len, &used, e);
		at += used;
		len -= used;
	}
	if (rc != RC_OK)
		r->state = PAYLOAD_BAD;
	return rc;
}

enum rc
payload_end(struct payload_reader *r, struct err *e)
{
	if (r->state == PAYLOAD_BAD)
		return err_class(e, EC_RECORD, _("reading had failed before"));
	if (r->state != PAYLOAD_ZEROS || r->total != r->padded) {
		r->state = PAYLOAD_BAD;
		return err_class(e, EC_RECORD, _("the records have no end, "
		    "or the padding is not as it must be"));
	}
	if (!r->no_digest)
		kdf_hash_end(&r->hash, r->digest);
	r->state = PAYLOAD_BAD;	/* nothing may follow */
	return RC_OK;
}

static enum rc
sink_put(void *ctx, const uint8_t *p, size_t len, struct err *e)
{
	return payload_feed(ctx, p, len, e);
}

struct env_sink
payload_sink(struct payload_reader *r)
{
	return (struct env_sink){ sink_put, r };
}
