/* What another association's desk granted, given out to our members. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/lang.h"
#include "issuer/sister.h"
#include "vault/payload.h"
#include "vault/sealed.h"

/* Of so many a key and a line of the directory always fit into an envelope. */
#define PEERS_A_MAIL 1000

/* One of theirs, as their directory says. */
struct peer {
	struct identity	 id;
	enum rec_entry_flag flag;
	bool		 ours;		/* in a domain of ours: passed over */
	bool		 given;		/* to the member at hand */
	char		 route[REC_ROUTE_MAX + 1];
	char		 show[REC_DISPLAY_MAX + 1];
};

struct accepting {
	const struct desk *desk;
	const uint8_t	*code;
	bool		 really;	/* else only look */
	sister_each	*each;		/* NULL: only check */
	void		*ctx;
	struct sister_count *count;
	struct env_head	 h;
	struct peer	*peers;
	size_t		 npeers, cap;
	uint8_t		*keys;		/* of ${cap} peers; secret */
	bool		 writers;	/* the directory is over */
	const struct member *to;	/* at hand; NULL: nobody of ours */
	size_t		 next;		/* of the peers whose key may come */
	size_t		 ngiven;
	/* An envelope. */
	size_t		 from, until;	/* peers */
	int64_t		 at;
	struct buf	 out;
};

/* ---- an envelope for a member of ours ----------------------------------- */

static enum rc
emit(void *ctx, struct sealed_writer *w, struct err *e)
{
	struct accepting *a = ctx;
	struct rec r = { .type = REC_META };
	enum rc rc;

	r.meta = (struct rec_meta){ a->at, 0, a->h.year, ENV_VERSION };
	rc = sealed_rec(w, &r, e);
	for (size_t i = a->from; i < a->until && rc == RC_OK; i++) {
		if (!a->peers[i].given)
			continue;
		r = (struct rec){ .type = REC_GRANT };
		r.grant = (struct rec_grant){ a->h.year,
		    a->keys + i * KDF_KEY_BYTES, a->peers[i].id };
		rc = sealed_rec(w, &r, e);
	}
	for (size_t i = a->from; i < a->until && rc == RC_OK; i++) {
		const struct peer *p = &a->peers[i];

		if (!p->given)
			continue;
		r = (struct rec){ .type = REC_ENTRY };
		r.entry = (struct rec_entry){ p->flag, p->id,
		    { (const uint8_t *)p->route, strlen(p->route) },
		    { (const uint8_t *)p->show, strlen(p->show) } };
		rc = sealed_rec(w, &r, e);
	}
	return rc;
}

static enum rc
into_buf(void *ctx, const uint8_t *p, size_t len, struct err *e)
{
	return buf_add(ctx, p, len) ? RC_OK : err_nomem(e);
}

static enum rc
seal(struct accepting *a, struct err *e)
{
	uint8_t member[KDF_KEY_BYTES], channel[KDF_KEY_BYTES];
	struct sealed_plan s = { .key = channel, .max = PAYLOAD_DESK_MAX,
	    .emit = emit, .ctx = a };
	const uint8_t *root = desk_root(a->desk, a->h.year);
	enum rc rc;

	BUG_ON(root == NULL);
	kdf_member(member, root, a->h.year, &a->to->id);
	kdf_channel(channel, member, &a->desk->issuer);
	s.head.source = ENV_CHANNEL;
	s.head.year = a->h.year;
	s.head.from = a->desk->issuer;
	s.head.to = a->to->id;
	buf_wipe(&a->out);
	rc = sealed_seal(&s, (struct env_sink){ into_buf, &a->out }, e);
	wipe(member, sizeof(member));
	wipe(channel, sizeof(channel));
	return rc;
}

/* From ${a->from} on as many as fit. */
static size_t
take_part(struct accepting *a)
{
	size_t n = 0;

	for (a->until = a->from; a->until < a->npeers && n < PEERS_A_MAIL;
	    a->until++)
		n += a->peers[a->until].given;
	return n;
}

/* The member at hand has all his keys. */
static enum rc
give_out(struct accepting *a, struct err *e)
{
	struct sister_mail m = { .member = a->to, .from = &a->h.from,
	    .year = a->h.year };
	enum rc rc = RC_OK;

	if (a->to != NULL && a->ngiven > 0)
		a->count->writers++;
	for (a->from = 0; a->to != NULL && a->each != NULL && rc == RC_OK &&
	    (m.grants = take_part(a)) > 0; a->from = a->until) {
		m.part++;
		if (a->really && (rc = seal(a, e)) != RC_OK)
			break;
		m.envelope = (struct bytes){ a->out.p, a->out.len };
		rc = a->each(a->ctx, &m, e);
	}
	for (size_t i = 0; i < a->npeers; i++)
		a->peers[i].given = false;
	if (a->npeers > 0)
		wipe(a->keys, a->npeers * KDF_KEY_BYTES);
	a->to = NULL;
	a->next = a->ngiven = 0;
	return rc;
}

/* ---- reading ------------------------------------------------------------ */

static enum rc
wrong(struct err *e)
{
	return err_class(e, EC_AUTHORITY, _("the file says what another "
	    "association may not say: it grants keys of its own members "
	    "alone, and to members of this one alone"));
}

static bool
make_room(struct accepting *a)
{
	size_t cap = a->cap == 0 ? 64 : 2 * a->cap;
	struct peer *v;
	uint8_t *keys;

	if (a->npeers < a->cap)
		return true;
	v = calloc(cap, sizeof(*v));
	keys = secret_alloc(cap * KDF_KEY_BYTES);
	if (v == NULL || keys == NULL) {
		free(v);
		secret_free(&keys);
		return false;
	}
	if (a->npeers > 0)
		memcpy(v, a->peers, a->npeers * sizeof(*v));
	free(a->peers);
	secret_free(&a->keys);
	a->peers = v;
	a->keys = keys;
	a->cap = cap;
	return true;
}

static enum rc
take_peer(struct accepting *a, const struct rec_entry *x, struct err *e)
{
	struct peer *p;

	if (a->npeers == MEMBERS_MAX)
		return err_class(e, EC_TOOBIG, _("too many members"));
	if (!make_room(a))
		return err_nomem(e);
	p = &a->peers[a->npeers++];
	memset(p, 0, sizeof(*p));
	p->id = x->id;
	p->flag = x->flag;
	p->ours = sister_owner(a->desk->members, &x->id) != NULL;
	memcpy(p->route, x->route.p, x->route.len);
	memcpy(p->show, x->display.p, x->display.len);
	a->count->refused += p->ours;
	return RC_OK;
}

/* Whose keys come next: exactly he, not an older key of his. */
static enum rc
take_writer(struct accepting *a, const struct identity *id, struct err *e)
{
	enum rc rc = give_out(a, e);

	a->writers = true;
	a->to = members_find(a->desk->members, id);
	if (a->to != NULL && (a->to->excluded ||
	    !identity_eq(&a->to->id, id) ||
	    !sister_one_of(a->desk->members, a->to, NULL)))
		a->to = NULL;
	a->count->unknown += a->to == NULL;
	return rc;
}

static enum rc
take_entry(struct accepting *a, const struct rec_entry *x, struct err *e)
{
	struct bytes assoc = identity_assoc(&x->id);

	if (bytes_eq(assoc, identity_assoc(&a->desk->issuer)))
		return take_writer(a, &x->id, e);
	if (a->writers || !bytes_eq(assoc, identity_assoc(&a->h.from)))
		return wrong(e);
	return take_peer(a, x, e);
}

/* In the order of the directory, each once. */
static enum rc
take_grant(struct accepting *a, const struct rec_grant *x, struct err *e)
{
	while (a->next < a->npeers &&
	    !identity_eq(&a->peers[a->next].id, &x->peer))
		a->next++;
	if (!a->writers || a->next == a->npeers || x->year != a->h.year)
		return wrong(e);
	memcpy(a->keys + a->next * KDF_KEY_BYTES, x->key, KDF_KEY_BYTES);
	if (!a->peers[a->next].ours && a->to != NULL) {
		a->peers[a->next].given = true;
		a->ngiven++;
		a->count->grants++;
	}
	a->next++;
	return RC_OK;
}

static enum rc
take_record(void *ctx, uint8_t type, struct bytes value, struct err *e)
{
	struct accepting *a = ctx;
	struct rec r;
	enum rc rc = rec_parse(type, value, &r, e);

	if (rc != RC_OK || type == REC_META || rec_skipped(type))
		return rc;
	if (type == REC_ENTRY)
		return take_entry(a, &r.entry, e);
	return type == REC_GRANT ? take_grant(a, &r.grant, e) : wrong(e);
}

static enum rc
check_head(const struct desk *d, const struct env_head *h, struct err *e)
{
	if (h->source != ENV_CODE ||
	    bytes_eqs(identity_assoc(&h->from), d->members->assoc))
		return err_class(e, EC_FORMAT, _("this is no file of keys "
		    "from another association"));
	if (!identity_eq(&h->to, &d->issuer))
		return err_class(e, EC_NOTFORME, _("these keys are for the "
		    "issuer's desk %s, and this is that of %s"), h->to.s,
		    d->issuer.s);
	return RC_OK;
}

static enum rc
give_key(void *ctx, const struct env_head *h, uint8_t key[KDF_KEY_BYTES],
    struct err *e)
{
	struct accepting *a = ctx;
	enum rc rc = check_head(a->desk, h, e);

	if (rc != RC_OK)
		return rc;
	a->h = *h;
	kdf_code(key, h->year, a->code);
	if (env_head_verify(h, key))
		return RC_OK;
	wipe(key, KDF_KEY_BYTES);
	return err_class(e, EC_HEADER, _("wrong code, or a damaged file"));
}

static enum rc
read_all(struct accepting *a, int fd, struct err *e)
{
	const struct sealed_events on = { a, PAYLOAD_KEYFILE_MAX, give_key,
	    take_record };
	enum rc rc;

	memset(a->count, 0, sizeof(*a->count));
	a->npeers = 0;
	a->writers = false;
	a->to = NULL;
	if (lseek(fd, 0, SEEK_SET) != 0)
		return err_sys(e, "%s", _("reading the keys"));
	rc = sealed_read(fd, &on, e);
	if (rc == RC_OK)
		rc = give_out(a, e);
	a->count->peers = a->npeers - a->count->refused;
	return rc;
}

enum rc
sister_head(const struct desk *d, int fd, struct env_head *h, struct err *e)
{
	enum rc rc = sealed_head(fd, h, e);

	return rc == RC_OK ? check_head(d, h, e) : rc;
}

enum rc
sister_accept(const struct desk *d, int fd, const uint8_t code[CODE_BYTES],
    bool really, sister_each *each, void *ctx, struct sister_count *count,
    struct err *e)
{
	struct accepting a = { .desk = d, .code = code, .really = really,
	    .count = count, .at = clock_now() };
	enum rc rc = read_all(&a, fd, e);

	if (rc == RC_OK) {
		a.each = each;
		a.ctx = ctx;
		rc = read_all(&a, fd, e);
	}
	free(a.peers);
	secret_free(&a.keys);
	buf_free(&a.out);
	return rc;
}
