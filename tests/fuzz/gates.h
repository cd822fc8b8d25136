/* Gates of the small association of tests/unit, rows in memory. */
#ifndef SC_TESTS_FUZZ_GATES_H
#define SC_TESTS_FUZZ_GATES_H

#include "assoc.h"
#include "sealed.h"
#include "vault/gate.h"

#define NOW 1767250800	/* 1 January 2026, as in PROTOCOL 2.18 */

static inline struct gate *
fuzz_gate(const char *me)
{
	struct keystore *ks = assoc_store(me, A_YEAR);
	struct keystore_at at = { fuzz_path("store"), fuzz_path("key"), NULL };
	struct err e = ERR_INIT;
	struct gate *g;

	unlink(at.key);
	BUG_ON(keystore_save(ks, &at, &e) != RC_OK ||
	    gate_new(at.store, at.key, NULL, &g, &e) != RC_OK);
	keystore_free(&ks);
	return g;
}

/* ---- rows --------------------------------------------------------------- */

#define ROWS_MAX 64

struct fuzz_rows {
	struct gate_row	r[ROWS_MAX];
	size_t		n;
};

static inline enum rc
fuzz_rows_get(void *arg, const char *key, struct buf *out, struct err *e)
{
	const struct fuzz_rows *rows = arg;

	(void)e;
	for (size_t i = 0; i < rows->n; i++)
		if (strcmp(rows->r[i].key, key) == 0)
			BUG_ON(!buf_add(out, rows->r[i].sealed.p,
			    rows->r[i].sealed.len));
	return RC_OK;
}

/* What a verdict says is committed, as far as there is room. */
static inline void
fuzz_rows_commit(struct fuzz_rows *rows, const struct gate_verdict *v)
{
	for (size_t i = 0; i < v->nrows; i++) {
		struct gate_row *to = rows->r;

		while (to < rows->r + rows->n &&
		    strcmp(to->key, v->rows[i].key) != 0)
			to++;
		if (to == rows->r + ROWS_MAX)
			continue;
		if (to == rows->r + rows->n) {
			*to = (struct gate_row){ .sealed = BUF_INIT };
			memcpy(to->key, v->rows[i].key, sizeof(to->key));
			rows->n++;
		}
		buf_wipe(&to->sealed);
		BUG_ON(!buf_add(&to->sealed, v->rows[i].sealed.p,
		    v->rows[i].sealed.len));
	}
}

static inline void
fuzz_rows_free(struct fuzz_rows *rows)
{
	for (size_t i = 0; i < rows->n; i++)
		gate_row_free(&rows->r[i]);
	rows->n = 0;
}

/* ---- opening ------------------------------------------------------------ */

struct fuzz_opened {
	struct gate_head	 head;
	struct gate_open	*o;
	struct gate_verdict	 v;
	struct buf		 mail;
	enum rc			 rc;
};

static inline void
fuzz_open(struct gate *g, struct fuzz_rows *rows, enum gate_mode mode,
    const struct buf *env, size_t step, struct fuzz_opened *x)
{
	const struct gate_open_args args = { mode,
	    { fuzz_rows_get, rows, true },
	    NOW };
	const struct gate_sink sink = { fuzz_sink, &x->mail };
	struct err e = ERR_INIT;
	size_t n;

	*x = (struct fuzz_opened){ .mail = BUF_INIT };
	x->rc = gate_open_begin(g, &args, env->p, env->len < GATE_HEADER_MAX ?
	    env->len : GATE_HEADER_MAX, &x->head, &x->o, &e);
	x->v.class = e.class;
	if (x->rc != RC_OK) {
		BUG_ON(x->o != NULL);
		return;
	}
	for (size_t at = x->head.len; at < env->len && x->rc == RC_OK;
	    at += n) {
		n = env->len - at < step ? env->len - at : step;
		x->rc = gate_open_body(x->o, env->p + at, n, &sink, &e);
	}
	x->rc = gate_open_end(x->o, &sink, &x->v, &e);
	BUG_ON((x->rc == RC_OK) != (x->v.class == EC_NONE));
	BUG_ON(x->rc != RC_OK && (x->v.nrows > 0 || x->v.nacks > 0 ||
	    x->v.nrelayed_acks > 0 || x->v.nroutes > 0));
}

static inline void
fuzz_opened_free(struct fuzz_opened *x)
{
	gate_open_free(&x->o);
	buf_free(&x->mail);
}

#endif
