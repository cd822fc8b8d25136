/* The vault's rows: lent on request, with the version they were lent as. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/lang.h"
#include "flow/keeper.h"

struct version {
	char		key[GATE_ID_BYTES];
	uint32_t	version;
};

struct versions {
	size_t		n, cap;
	struct version	v[];
};

static struct version *
version_find(struct keeper *k, const char *key)
{
	for (size_t i = 0; k->versions != NULL && i < k->versions->n; i++)
		if (strcmp(k->versions->v[i].key, key) == 0)
			return &k->versions->v[i];
	return NULL;
}

static bool
version_note(struct keeper *k, const char *key, uint32_t version)
{
	struct versions *v = k->versions;
	size_t cap = v == NULL ? 64 : v->cap;

	/* The first lending of a batch counts: the vault keeps what it
	 * changes and asks no second time for it. */
	if (version_find(k, key) != NULL)
		return true;
	if (v == NULL || v->n == v->cap) {
		cap = v == NULL ? cap : 2 * cap;
		v = realloc(v, sizeof(*v) + cap * sizeof(v->v[0]));
		if (v == NULL)
			return false;
		if (k->versions == NULL)
			v->n = 0;
		v->cap = cap;
		k->versions = v;
	}
	snprintf(v->v[v->n].key, sizeof(v->v[v->n].key), "%s", key);
	v->v[v->n++].version = version;
	return true;
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
	if (rc == RC_OK && !version_note(k, key, version))
		rc = err_set(e, RC_NOMEM, _("no memory left"));
	if (rc == RC_OK)
		rc = chan_put(&k->rows.c, IPC_ROW, 0, row.p, row.len, e);
	buf_free(&row);
	return rc;
}

/* Each write adds one: a second of the same row in a batch counts on it. */
uint32_t
rows_next_version(struct keeper *k, const char *key)
{
	struct version *v = version_find(k, key);

	return v == NULL ? 0 : v->version++;
}

void
rows_forget(struct keeper *k)
{
	free(k->versions);
	k->versions = NULL;
}
