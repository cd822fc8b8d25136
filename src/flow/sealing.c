#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "flow/ipc.h"
#include "flow/sealing.h"

#define MANY 100000	/* of anything in one verdict: more is nonsense */

bool
head_pack(struct buf *b, const struct gate_head *h)
{
	return buf_add(b, h, sizeof(*h));
}

void
head_unpack(struct rd *r, struct gate_head *h)
{
	rd_copy(r, h, sizeof(*h));
}

bool
dest_pack(struct buf *b, const struct gate_dest *d)
{
	return buf_add(b, d, sizeof(*d));
}

/* Whoever sent it may be in a stranger's hands: every text ends in it. */
#define END(text) ((text)[sizeof(text) - 1] = '\0')

static void
dest_end(struct gate_dest *d)
{
	END(d->name);
	END(d->to);
	END(d->own);
	END(d->route);
	END(d->to_address);
	END(d->show);
}

void
dest_unpack(struct rd *r, struct gate_dest *d)
{
	rd_copy(r, d, sizeof(*d));
	dest_end(d);
}

static bool
array_pack(struct buf *b, const void *p, size_t n, size_t size)
{
	return buf_add32(b, (uint32_t)n) && buf_add(b, p, n * size);
}

/* NULL and ${*n} 0 when empty; false: memory or nonsense. */
static bool
array_unpack(struct rd *r, void *out, size_t *n, size_t size)
{
	uint32_t count = rd_32(r);
	void *p = NULL;

	*n = 0;
	if (r->bad || count > MANY || r->left < (size_t)count * size) {
		r->bad = true;
		return false;
	}
	if (count > 0) {
		if ((p = malloc((size_t)count * size)) == NULL)
			return false;
		rd_copy(r, p, (size_t)count * size);
	}
	memcpy(out, &p, sizeof(p));
	*n = count;
	return true;
}

static bool
rows_pack(struct buf *b, const struct gate_verdict *v)
{
	if (!buf_add32(b, (uint32_t)v->nrows))
		return false;
	for (size_t i = 0; i < v->nrows; i++)
		if (!pack_str(b, v->rows[i].key) ||
		    !pack_run(b, v->rows[i].sealed.p, v->rows[i].sealed.len))
			return false;
	return true;
}

static bool
rows_unpack(struct rd *r, struct gate_verdict *v)
{
	uint32_t n = rd_32(r);

	if (r->bad || n > MANY)
		return false;
	if (n > 0 && (v->rows = calloc(n, sizeof(*v->rows))) == NULL)
		return false;
	for (; v->nrows < n && !r->bad; v->nrows++) {
		struct gate_row *row = &v->rows[v->nrows];
		struct bytes run;

		unpack_str(r, row->key, sizeof(row->key));
		run = unpack_run(r);
		if (!buf_add(&row->sealed, run.p, run.len))
			return false;
	}
	return !r->bad;
}

/* The plain part goes with its pointers, which mean nothing on the other
 * side and are replaced there. */
bool
verdict_pack(struct buf *b, const struct gate_verdict *v)
{
	return buf_add(b, v, sizeof(*v)) &&
	    array_pack(b, v->acks, v->nacks, sizeof(*v->acks)) &&
	    array_pack(b, v->relayed_acks, v->nrelayed_acks,
	    sizeof(*v->relayed_acks)) &&
	    array_pack(b, v->routes, v->nroutes, sizeof(*v->routes)) &&
	    array_pack(b, v->alarms, v->nalarms, sizeof(*v->alarms)) &&
	    rows_pack(b, v);
}

bool
verdict_unpack(struct rd *r, struct gate_verdict *v)
{
	rd_copy(r, v, sizeof(*v));
	v->acks = v->relayed_acks = NULL;
	v->routes = NULL;
	v->alarms = NULL;
	v->rows = NULL;
	v->nacks = v->nrelayed_acks = v->nroutes = v->nalarms = v->nrows = 0;
	return array_unpack(r, &v->acks, &v->nacks, sizeof(*v->acks)) &&
	    array_unpack(r, &v->relayed_acks, &v->nrelayed_acks,
	    sizeof(*v->relayed_acks)) &&
	    array_unpack(r, &v->routes, &v->nroutes, sizeof(*v->routes)) &&
	    array_unpack(r, &v->alarms, &v->nalarms, sizeof(*v->alarms)) &&
	    rows_unpack(r, v);
}

void
verdict_free(struct gate_verdict *v)
{
	free(v->acks);
	free(v->relayed_acks);
	free(v->routes);
	free(v->alarms);
	for (size_t i = 0; v->rows != NULL && i < v->nrows; i++)
		buf_free(&v->rows[i].sealed);
	free(v->rows);
	memset(v, 0, sizeof(*v));
}

bool
seal_pack(struct buf *b, const struct flow_seal *s)
{
	return buf_add(b, s, sizeof(*s)) &&
	    array_pack(b, s->acks, s->nacks, sizeof(*s->acks)) &&
	    array_pack(b, s->relayed_acks, s->nrelayed_acks,
	    sizeof(*s->relayed_acks)) &&
	    array_pack(b, s->routes, s->nroutes, sizeof(*s->routes));
}

static void
texts_end(struct flow_seal *s)
{
	dest_end(&s->dest);
	for (size_t i = 0; i < s->nacks; i++)
		END(s->acks[i].name);
	for (size_t i = 0; i < s->nrelayed_acks; i++)
		END(s->relayed_acks[i].name);
	for (size_t i = 0; i < s->nroutes; i++)
		END(s->routes[i]);
}

bool
seal_unpack(struct rd *r, struct flow_seal *s)
{
	bool ok;

	rd_copy(r, s, sizeof(*s));
	s->acks = s->relayed_acks = NULL;
	s->routes = NULL;
	s->nacks = s->nrelayed_acks = s->nroutes = 0;
	ok = array_unpack(r, &s->acks, &s->nacks, sizeof(*s->acks)) &&
	    array_unpack(r, &s->relayed_acks, &s->nrelayed_acks,
	    sizeof(*s->relayed_acks)) &&
	    array_unpack(r, &s->routes, &s->nroutes, sizeof(*s->routes));
	texts_end(s);
	return ok;
}

void
seal_free(struct flow_seal *s)
{
	free(s->acks);
	free(s->relayed_acks);
	free(s->routes);
	memset(s, 0, sizeof(*s));
}
