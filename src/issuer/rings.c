#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "issuer/rings.h"

static bool
is_desk(const struct member *w)
{
	return w->kind == MEMBER_HUB || w->kind == MEMBER_WATCH;
}

static bool
is_barred(const struct member *w)
{
	return w->excluded || w->id.gen != 1;
}

/* How many come before each list, by counting; the whole is what is given. */
static size_t
count(struct rings *r, const struct members *m)
{
	size_t total = 0;

	for (size_t i = 0; i < m->n; i++)
		for (size_t k = 0; k < m->v[i].nlists; k++)
			r->start[m->v[i].lists[k] + 1]++;
	for (size_t i = 1; i <= r->nlists; i++)
		r->start[i] += r->start[i - 1];
	total = r->start[r->nlists];
	for (size_t i = 0; i < m->n; i++)
		total += (size_t)is_desk(&m->v[i]) + is_barred(&m->v[i]);
	return total;
}

/* ${start} of each list is where its next one goes; then it is that of the
 * list behind it, and all are moved back by one. */
static void
fill(struct rings *r, const struct members *m)
{
	uint32_t *desk = r->all + r->start[r->nlists], *barred;

	r->desks.p = desk;
	for (uint32_t i = 0; i < m->n; i++) {
		for (size_t k = 0; k < m->v[i].nlists; k++)
			r->all[r->start[m->v[i].lists[k]]++] = i;
		if (is_desk(&m->v[i]))
			*desk++ = i;
	}
	r->desks.n = (size_t)(desk - r->desks.p);
	for (size_t i = r->nlists; i > 0; i--)
		r->start[i] = r->start[i - 1];
	r->start[0] = 0;
	r->barred.p = barred = desk;
	for (uint32_t i = 0; i < m->n; i++)
		if (is_barred(&m->v[i]))
			*barred++ = i;
	r->barred.n = (size_t)(barred - r->barred.p);
}

bool
rings_init(struct rings *r, const struct members *m)
{
	memset(r, 0, sizeof(*r));
	r->nlists = m->nlists;
	r->start = calloc(m->nlists + 1, sizeof(*r->start));
	if (r->start == NULL)
		return false;
	r->all = calloc(count(r, m) + 1, sizeof(*r->all));
	if (r->all == NULL)
		return false;
	fill(r, m);
	return true;
}

void
rings_wipe(struct rings *r)
{
	free(r->all);
	free(r->start);
	memset(r, 0, sizeof(*r));
}

struct run
rings_list(const struct rings *r, uint16_t number)
{
	return (struct run){ r->all + r->start[number],
	    r->start[number + 1U] - r->start[number] };
}
