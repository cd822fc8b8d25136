#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/lang.h"
#include "flow/clerk_report.h"
#include "flow/clerk_route.h"
#include "flow/patients.h"

struct report_line {
	unsigned	report;		/* from 0 */
	unsigned	line;		/* of the document */
	size_t		delivery;
	size_t		name;		/* of the document, in ${names} */
};

void
reports_free(struct reports **r)
{
	if (*r == NULL)
		return;
	buf_free(&(*r)->forms);
	buf_free(&(*r)->lines);
	buf_free(&(*r)->names);
	for (size_t i = 0; i < CLERK_DELIVERIES_MAX; i++)
		buf_free(&(*r)->text[i]);
	free(*r);
	*r = NULL;
}

/* ---- whose they are ---------------------------------------------------- */

static bool
add_form(const struct clerk *c, struct reports *r,
    const struct hprim_patient *p)
{
	if (c->p->conf->keep_patients_s == 0)
		return true;
	if (r->nforms == STORE_REPORTS_MAX) {
		r->flags |= STORE_INBOX_NOT_COMPARED;
		return true;
	}
	return patients_form(p, &r->forms, &r->nforms);
}

bool
reports_read(const struct clerk *c, struct reports *r, size_t n,
    const struct hprim *h)
{
	bool ok = true;

	if (n >= EXTRACT_PARTS_MAX || r->first[n] != 0)
		return true;
	r->first[n] = r->n + 1;
	for (unsigned i = 0; ok && h->kind == HPRIM_MEDECIN && i < h->n; i++) {
		const struct hprim_patient *p = &h->patient[i];

		ok = add_form(c, r, p);
		r->n++;
		if (filing_corrects(p))
			r->flags |= STORE_INBOX_CORRECTED;
		if (route_strange(c, r->field.address, &p->recipient))
			r->flags |= STORE_INBOX_RECIPIENT;
	}
	return ok;
}

void
reports_unread(struct reports *r, int fd)
{
	if (lseek(fd, 0, SEEK_END) > 0)
		r->flags |= STORE_INBOX_NOT_COMPARED;
}

bool
reports_pack(const struct reports *r, struct buf *b)
{
	return r == NULL ? buf_add32(b, 0) : buf_add32(b, r->nforms) &&
	    buf_add(b, r->forms.p, r->forms.len);
}

/* ---- where they are ---------------------------------------------------- */

static bool
name_at(struct reports *r, const char *name, size_t *at)
{
	const struct report_line *all = (const void *)r->lines.p;
	size_t n = r->lines.len / sizeof(*all);

	*at = n > 0 ? all[n - 1].name : 0;
	if (n > 0 && strcmp((const char *)r->names.p + *at, name) == 0)
		return true;
	*at = r->names.len;
	return buf_add(&r->names, name, strlen(name) + 1);
}

bool
reports_stand(struct reports *r, size_t delivery, size_t n, unsigned i,
    const struct filing *f, const char *name)
{
	struct report_line l = { .line = f->h.patient[i].line,
	    .delivery = delivery };

	if (n >= EXTRACT_PARTS_MAX || r->first[n] == 0)
		return true;
	l.report = r->first[n] - 1 + i;
	return l.report >= r->nforms || (name_at(r, name, &l.name) &&
	    buf_add(&r->lines, &l, sizeof(l)));
}

static bool
is_odd(struct bytes odd, unsigned i)
{
	return i / 8 < odd.len && (odd.p[i / 8] >> i % 8 & 1) != 0;
}

bool
reports_say(const struct reports *r, size_t delivery, struct bytes odd,
    struct buf *out)
{
	const struct report_line *all = (const void *)r->lines.p;
	size_t n = r->lines.len / sizeof(*all);
	bool ok = true;

	for (size_t i = 0; ok && i < n; i++)
		if (all[i].delivery == delivery && is_odd(odd, all[i].report))
			ok = buf_addf(out, _("%s: line %u: the same name has "
			    "come with another date of birth before: make "
			    "sure whose report this is\n"),
			    (const char *)r->names.p + all[i].name,
			    all[i].line);
	return ok;
}
