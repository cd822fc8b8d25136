#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/lang.h"
#include "document/filing.h"
#include "flow/clerk_report.h"
#include "flow/clerk_route.h"

/* The next one of a list with commas; false: no more. */
static bool
next_item(const char **list, struct bytes *item)
{
	size_t n = strcspn(*list, ",");

	if (**list == '\0')
		return false;
	*item = bytes_trim((struct bytes){ (const uint8_t *)*list, n });
	*list += n + ((*list)[n] == ',');
	return true;
}

/* An address, or "@domain". */
static bool
from_is(const char *list, const char *from)
{
	struct bytes item;

	while (next_item(&list, &item)) {
		const char *tail = from;

		if (item.len > 0 && *item.p == '@')
			tail = strrchr(from, '@');
		if (tail != NULL && strlen(tail) == item.len &&
		    strncasecmp(tail, (const char *)item.p, item.len) == 0)
			return true;
	}
	return false;
}

static bool
to_is(const char *list, const struct hprim_party *to)
{
	struct bytes item;

	while (to != NULL && next_item(&list, &item))
		if (hprim_party_is(to, item))
			return true;
	return false;
}

uint32_t
route_mask(const struct clerk *c, const char *from,
    const struct hprim_party *to, bool *known)
{
	uint32_t all = 0, plain = 0, met = 0, left = 0;

	for (size_t i = 0; i < c->ndeliveries; i++) {
		const struct conf_deliver *d = clerk_deliver(c, i);
		uint32_t bit = (uint32_t)1 << i;

		all |= bit;
		if (d->otherwise)
			left |= bit;
		else if (d->from == NULL && d->to == NULL)
			plain |= bit;
		else if ((d->from == NULL || from_is(d->from, from)) &&
		    (d->to == NULL || to_is(d->to, to)))
			met |= bit;
	}
	*known = met != 0;
	if (met != 0)
		return plain | met;
	return (plain | left) != 0 ? plain | left : all;
}

/* ---- a mail looked through beforehand --------------------------------- */

struct looking {
	struct clerk		*c;
	const struct job	*j;
	struct reports		*all;
	struct route		*r;
	struct drop		 drop;
	struct date		 today;
	uint32_t		 reports;	/* of all */
};

static bool
has_rules(const struct clerk *c)
{
	for (size_t i = 0; i < c->ndeliveries; i++) {
		const struct conf_deliver *d = clerk_deliver(c, i);

		if (d->otherwise || d->from != NULL || d->to != NULL)
			return true;
	}
	return false;
}

static bool
has_folder(const struct clerk *c)
{
	for (size_t i = 0; i < c->ndeliveries; i++)
		if (clerk_deliver(c, i)->kind == CONF_DELIVER_FOLDER)
			return true;
	return false;
}

bool
route_strange(const struct clerk *c, const char *from,
    const struct hprim_party *to)
{
	bool known, named = false;

	for (size_t i = 0; i < c->ndeliveries; i++)
		named = named || clerk_deliver(c, i)->to != NULL;
	(void)route_mask(c, from, to, &known);
	return named && !known;
}

static enum rc
look_begin(void *arg, const struct extract_doc *d, int *fd, struct err *e)
{
	struct looking *l = arg;
	enum rc rc;

	if (!d->text || d->n >= EXTRACT_PARTS_MAX)
		return RC_OK;
	if (d->least > FILING_TEXT_MAX_BYTES) {
		l->all->flags |= STORE_INBOX_NOT_COMPARED;
		return RC_OK;
	}
	if (!l->j->begun) {
		*fd = EXTRACT_HERE;
		return RC_OK;
	}
	l->drop = (struct drop)DROP_INIT;
	if ((rc = drop_open(&l->c->places[0], &l->drop, e)) == RC_OK)
		*fd = l->drop.fd;
	drop_hide(&l->drop);
	return rc;
}

static void
look_at(struct looking *l, size_t n, const struct hprim *h)
{
	bool known;

	for (unsigned i = 0; h->kind == HPRIM_MEDECIN && i < h->n; i++)
		l->r->doc[n] |= route_mask(l->c, l->all->field.address,
		    &h->patient[i].recipient, &known);
	l->reports |= l->r->doc[n];
}

static enum rc
look_text(struct looking *l, const struct extract_doc *d, struct bytes text,
    struct err *e)
{
	struct hprim h;
	enum rc rc = hprim_read_as(d->charset, text.p, text.len, &l->today,
	    &h, e);

	if (rc == RC_OK)
		look_at(l, d->n, &h);
	if (rc == RC_OK && !reports_read(l->c, l->all, d->n, &h))
		rc = err_nomem(e);
	hprim_free(&h);
	return rc;
}

static enum rc
look_end(void *arg, const struct extract_doc *d, struct err *e)
{
	struct looking *l = arg;
	uint8_t *p = NULL;
	size_t len = 0;
	enum rc rc;

	if (!l->j->begun)
		return d->octets.len > 0 ? look_text(l, d, d->octets, e) :
		    RC_OK;
	rc = filing_load(l->drop.fd, &p, &len, e);
	if (rc == RC_OK && p != NULL)
		rc = look_text(l, d, (struct bytes){ p, len }, e);
	else if (rc == RC_OK)
		reports_unread(l->all, l->drop.fd);
	wipe(p, len);
	free(p);
	drop_forget(&l->drop);
	return rc;
}

enum rc
route_read(struct clerk *c, const struct job *j, struct route *r,
    struct err *e)
{
	struct reports *all = j->reports;
	struct looking l = { .c = c, .j = j, .all = all, .r = r,
	    .drop = DROP_INIT };
	const struct extract_sink sink = { &l, look_begin, look_end };
	bool known;
	enum rc rc = RC_OK;

	memset(r, 0, sizeof(*r));
	date_of(clock_now(), &l.today);
	if (has_rules(c) || !has_folder(c))
		rc = job_read(j, 0, &sink, e);
	drop_forget(&l.drop);
	/* It goes whole to where nobody takes it apart. */
	if (rc == RC_INPUT && !has_rules(c)) {
		*e = (struct err)ERR_INIT;
		all->flags |= STORE_INBOX_NOT_COMPARED;
		rc = RC_OK;
	}
	if (l.reports == 0)
		l.reports = route_mask(c, all->field.address, NULL,
		    &known);
	r->all = l.reports;
	for (size_t i = 0; i < EXTRACT_PARTS_MAX; i++)
		if (r->doc[i] == 0)
			r->doc[i] = l.reports;
	return rc;
}
