/* Gates of a small association, rows in memory, envelopes made by hand. */
#ifndef SC_TESTS_GATE_UNIT_H
#define SC_TESTS_GATE_UNIT_H

#include <stdlib.h>
#include <unistd.h>

#include "unit.h"
#include "assoc.h"
#include "vault/envelope.h"
#include "vault/gate.h"
#include "vault/payload.h"

#define MAIL_LABO \
	"From: labo.central@labo.example\r\n" \
	"To: dr.martin@cabinet.example\r\nSubject: INR\r\n\r\nINR 2,1\r\n"
#define NOW 1767250800	/* 1 January 2026, as in PROTOCOL 2.18 */

/* ---- rows in memory ---------------------------------------------------- */

struct rows {
	struct gate_row	r[64];
	size_t		n;
	size_t		asked;
};

static inline struct gate_row *
rows_find(struct rows *rows, const char *key)
{
	for (size_t i = 0; i < rows->n; i++)
		if (strcmp(rows->r[i].key, key) == 0)
			return &rows->r[i];
	return NULL;
}

static inline enum rc
rows_get(void *arg, const char *key, struct buf *out, struct err *e)
{
	struct rows *rows = arg;
	struct gate_row *r = rows_find(rows, key);

	(void)e;
	rows->asked++;
	if (r != NULL)
		T_CHECK(buf_add(out, r->sealed.p, r->sealed.len));
	return RC_OK;
}

static inline struct gate_rows
rows_of(struct rows *rows)
{
	return (struct gate_rows){ .get = rows_get, .arg = rows };
}

static inline void
rows_put(struct rows *rows, const struct gate_row *from)
{
	struct gate_row *to = rows_find(rows, from->key);

	if (to == NULL) {
		T_CHECK(rows->n < 64);
		to = &rows->r[rows->n++];
		*to = (struct gate_row){ .sealed = BUF_INIT };
		snprintf(to->key, sizeof(to->key), "%s", from->key);
	}
	buf_wipe(&to->sealed);
	T_CHECK(buf_add(&to->sealed, from->sealed.p, from->sealed.len));
}

static inline void
rows_commit(struct rows *rows, const struct gate_verdict *v)
{
	for (size_t i = 0; i < v->nrows; i++)
		rows_put(rows, &v->rows[i]);
}

static inline void
rows_free(struct rows *rows)
{
	for (size_t i = 0; i < rows->n; i++)
		gate_row_free(&rows->r[i]);
	rows->n = 0;
}

/* ---- gates ------------------------------------------------------------- */

/* A gate over ${ks}, which is freed. */
static inline struct gate *
gate_over(struct keystore *ks)
{
	char dir[] = "/tmp/sceau-test-XXXXXX", store[64], key[64];
	const struct keystore_at at = { store, key, NULL };
	struct err e = ERR_INIT;
	struct gate *g;

	T_CHECK(mkdtemp(dir) != NULL);
	snprintf(store, sizeof(store), "%s/s", dir);
	snprintf(key, sizeof(key), "%s/k", dir);
	if (keystore_save(ks, &at, &e) != RC_OK)
		fail_msg("%s", e.text);
	keystore_free(&ks);
	if (gate_new(store, key, NULL, &g, &e) != RC_OK)
		fail_msg("%s", e.text);
	unlink(store);
	unlink(key);
	rmdir(dir);
	return g;
}

static inline struct gate *
gate_for(const char *me)
{
	return gate_over(assoc_store(me, A_YEAR));
}

/* ---- envelopes by hand ------------------------------------------------- */

static inline enum rc
into(void *ctx, const uint8_t *p, size_t len, struct err *e)
{
	(void)e;
	T_CHECK(buf_add(ctx, p, len));
	return RC_OK;
}

static inline enum rc
sink_into(void *arg, const void *p, size_t len, struct err *e)
{
	(void)e;
	T_CHECK(buf_add(arg, p, len));
	return RC_OK;
}

static inline void
rec_to(struct buf *b, const struct rec *r)
{
	struct err e = ERR_INIT;

	if (rec_add(b, r, &e) != RC_OK)
		fail_msg("%s", e.text);
}

static inline void
rec_meta(struct buf *b, int64_t at, uint32_t bulletin, uint16_t year)
{
	struct rec r = { .type = REC_META };

	r.meta = (struct rec_meta){ at, bulletin, year, 1 };
	rec_to(b, &r);
}

/* Seal ${control} and ${mail} (NULL: none) as ${from} would, with whatever it
 * says; ${control} is emptied. */
static inline void
forge(const char *from, const char *to, uint16_t year, struct buf *control,
    const char *mail, struct buf *out)
{
	struct env_sealer *env = env_sealer_new();
	struct env_head h = { .source = ENV_CHANNEL, .year = year };
	uint8_t key[KDF_KEY_BYTES], d[KDF_KEY_BYTES];
	struct payload_plan plan = { .digest = d };
	struct payload_sealer s;
	struct err e = ERR_INIT;

	h.from = assoc_id(from);
	h.to = assoc_id(to);
	assoc_channel(from, to, year, key);
	plan.control = (struct bytes){ control->p, control->len };
	plan.has_mail = mail != NULL;
	plan.mail_len = mail != NULL ? (uint32_t)strlen(mail) : 0;
	kdf_hash_of(mail, plan.mail_len, d);
	payload_salt(&plan, key, h.salt);
	buf_wipe(out);
	T_RC(payload_seal_start(&s, env, &plan, &h, key,
	    (struct env_sink){ into, out }, &e), RC_OK);
	if (plan.mail_len > 0)
		T_RC(payload_seal_mail(&s, mail, plan.mail_len, &e), RC_OK);
	T_RC(payload_seal_end(&s, &e), RC_OK);
	env_sealer_free(&env);
	buf_wipe(control);
}

/* META and nothing else, then ${mail}. */
static inline void
forge_plain(const char *from, const char *to, const char *mail,
    struct buf *out)
{
	struct buf control = BUF_INIT;

	rec_meta(&control, NOW, 0, A_YEAR);
	forge(from, to, A_YEAR, &control, mail, out);
	buf_free(&control);
}

/* ---- opening ----------------------------------------------------------- */

/* What came of opening one envelope; opened_free() it. */
struct opened {
	struct gate_head	 head;
	struct gate_open	*o;
	struct gate_verdict	 v;
	struct buf		 mail;
	struct err		 e;
	enum rc			 rc;
	bool			 begun;
};

static inline void
opened_free(struct opened *x)
{
	gate_open_free(&x->o);
	buf_free(&x->mail);
}

/* Feed ${step} octets at a time (0: all at once). */
static inline void
open_steps(struct gate *g, const struct gate_open_args *args,
    const struct buf *env, size_t step, struct opened *x)
{
	const struct gate_sink sink = { sink_into, &x->mail };
	size_t at, n;

	*x = (struct opened){ .mail = BUF_INIT, .e = ERR_INIT };
	x->rc = gate_open_begin(g, args, env->p,
	    env->len < GATE_HEADER_MAX ? env->len : GATE_HEADER_MAX, &x->head,
	    &x->o, &x->e);
	if (x->rc != RC_OK) {
		x->v.class = x->e.class;
		return;
	}
	x->begun = true;
	for (at = x->head.len; at < env->len && x->rc == RC_OK; at += n) {
		n = env->len - at;
		n = step != 0 && step < n ? step : n;
		x->rc = gate_open_body(x->o, env->p + at, n, &sink, &x->e);
	}
	x->rc = gate_open_end(x->o, &sink, &x->v, &x->e);
}

static inline void
open_env(struct gate *g, struct rows *rows, const struct buf *env,
    struct opened *x)
{
	const struct gate_open_args args = { GATE_DELIVER, rows_of(rows),
	    NOW };

	open_steps(g, &args, env, 0, x);
	if (x->rc == RC_OK)
		rows_commit(rows, &x->v);
}

/* Open, and expect that class (EC_NONE: good). */
static inline void
expect_class(struct gate *g, struct rows *rows, const struct buf *env,
    enum err_class class)
{
	struct opened x;

	open_env(g, rows, env, &x);
	if (x.v.class != class)
		fail_msg("class %s instead of %s: %s",
		    err_class_name(x.v.class), err_class_name(class),
		    x.e.text);
	T_CHECK((x.rc == RC_OK) == (class == EC_NONE));
	if (class != EC_NONE && x.begun && x.v.class != EC_NONE)
		T_CHECK(x.v.nrows == 0 && x.v.nacks == 0);
	opened_free(&x);
}

static inline bool
has_alarm(const struct gate_verdict *v, enum gate_alarm_kind kind)
{
	for (size_t i = 0; i < v->nalarms; i++)
		if (v->alarms[i].kind == kind)
			return true;
	return false;
}

/* ---- sealing ----------------------------------------------------------- */

static inline enum rc
dest_of(struct gate *g, struct rows *rows, const char *who,
    struct gate_dest *out, struct err *e)
{
	const struct gate_resolve_args args = { .who = who,
	    .rows = rows_of(rows), .now = NOW };

	return gate_resolve(g, &args, out, e);
}

/* Seal ${mail} for ${who}; ${args} NULL or with more to say. */
static inline void
seal_to(struct gate *g, struct rows *rows, const char *who, const char *mail,
    struct gate_seal_args *args, struct buf *out)
{
	struct gate_seal_args none = { .at = NOW };
	const struct gate_sink sink = { sink_into, out };
	struct gate_dest dest;
	struct gate_seal *s;
	struct err e = ERR_INIT;
	uint8_t t[GATE_T_BYTES];

	args = args != NULL ? args : &none;
	if (dest_of(g, rows, who, &dest, &e) != RC_OK)
		fail_msg("%s", e.text);
	args->dest = &dest;
	args->rows = rows_of(rows);
	args->has_mail = mail != NULL;
	args->mail_len = mail != NULL ? strlen(mail) : 0;
	kdf_hash_of(mail, (size_t)args->mail_len, args->d);
	if (gate_seal_begin(g, args, out, t, &s, &e) != RC_OK)
		fail_msg("%s", e.text);
	if (mail != NULL)
		T_RC(gate_seal_mail(s, mail, (size_t)args->mail_len, &sink,
		    &e), RC_OK);
	T_RC(gate_seal_end(s, &sink, &e), RC_OK);
	gate_seal_free(&s);
}

static inline int
gate_setup(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	return secret_init(&e) == RC_OK ? 0 : -1;
}

#endif
