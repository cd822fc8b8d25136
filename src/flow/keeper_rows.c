/* The vault's rows: lent on request, with the version they were lent as. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/lang.h"
#include "flow/keeper.h"
#include "vault/grow.h"
#include "vault/index.h"

struct version {
	char		key[GATE_ID_BYTES];
	uint32_t	version;
	uint32_t	order;		/* of the opening last written */
};

struct versions {
	struct version	*v;
	size_t		 n, cap;
	struct index	 ix;	/* by key */
};

static struct version *
version_find(struct keeper *k, const char *key)
{
	struct versions *s = k->versions;
	int64_t pos;
	struct index_at at;

	if (s == NULL)
		return NULL;
	for (pos = index_first(&s->ix, index_hash(key, strlen(key)), &at);
	    pos >= 0; pos = index_next(&s->ix, &at))
		if (strcmp(s->v[pos].key, key) == 0)
			return &s->v[pos];
	return NULL;
}

/* The first lending of a batch counts: the vault keeps what it changes and
 * asks no second time for it. */
static enum rc
version_note(struct keeper *k, const char *key, uint32_t version,
    struct err *e)
{
	struct versions *s;
	void *p;

	if (version_find(k, key) != NULL)
		return RC_OK;
	if (k->versions == NULL)
		k->versions = calloc(1, sizeof(*k->versions));
	if ((s = k->versions) == NULL)
		return err_set(e, RC_NOMEM, _("no memory left"));
	p = s->v;
	if (!grow(&p, &s->cap, s->n + 1, sizeof(*s->v)))
		return err_set(e, RC_NOMEM, _("no memory left"));
	s->v = p;
	snprintf(s->v[s->n].key, sizeof(s->v[s->n].key), "%s", key);
	s->v[s->n].version = version;
	s->v[s->n].order = 0;
	if (!index_add(&s->ix, (uint32_t)s->n,
	    index_hash(key, strlen(key))))
		return err_set(e, RC_NOMEM, _("no memory left"));
	s->n++;
	return RC_OK;
}

enum rc
rows_serve(struct keeper *k, const struct frame *f, struct err *e)
{
	char key[GATE_ID_BYTES];
	struct buf row = BUF_INIT;
	uint32_t version = 0;
	enum rc rc;

	if (f->type != IPC_ROW_GET || f->body.len == 0 ||
	    f->body.len >= sizeof(key))
		return ipc_bad(e);
	memcpy(key, f->body.p, f->body.len);
	key[f->body.len] = '\0';
	rc = store_row_get(k->st, f->body, &row, &version, e);
	if (rc == RC_OK)
		rc = version_note(k, key, version, e);
	if (rc == RC_OK)
		rc = chan_put(&k->rows.c, IPC_ROW, 0, row.p, row.len, e);
	buf_free(&row);
	return rc;
}

/* Each write adds one: a second of the same row in a batch counts on it.  What
 * the vault knew later holds what it knew before; never back to that. */
bool
rows_next_version(struct keeper *k, const char *key, uint32_t order,
    uint32_t *version)
{
	struct version *v = version_find(k, key);

	*version = 0;
	if (v == NULL)
		return true;
	if (order < v->order)
		return false;
	v->order = order;
	*version = v->version++;
	return true;
}

size_t
rows_lent(const struct keeper *k)
{
	return k->versions == NULL ? 0 : k->versions->n;
}

void
rows_forget(struct keeper *k)
{
	if (k->versions == NULL)
		return;
	index_free(&k->versions->ix);
	free(k->versions->v);
	free(k->versions);
	k->versions = NULL;
}
