/*
 * The files of one mail, as each delivery wants them: whole, or its documents
 * with their characters, lines, headers and names made to fit, and beside
 * them what a person must know.
 */
#include "config.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/lang.h"
#include "document/filing.h"
#include "flow/clerk_report.h"
#include "flow/clerk_route.h"

#define STEM_BYTES 100

/* What is being made of one mail for one delivery. */
struct taking {
	struct clerk			*c;
	struct job			*j;
	size_t				 delivery;
	const struct conf_deliver	*d;
	const struct field		*field;		/* X-Sceau */
	const struct route		*route;
	struct filing_form		 form;
	struct date			 today;
	size_t				 before;	/* papers that were
							 * there */
	size_t				 merged;	/* its paper, from 1;
							 * 0: none yet */
	enum charset			 merged_set;
	enum eol			 merged_eol;
};

static struct bytes
of_buf(const struct buf *b)
{
	return (struct bytes){ b->p, b->len };
}

/* ---- one file ------------------------------------------------------ */

/* Room for one more; NULL: memory. */
static struct paper *
paper_room(struct job *j, size_t place)
{
	size_t n = j->npapers;
	struct paper *more;

	if ((n & (n - 1)) == 0) {
		more = calloc(n == 0 ? 1 : n * 2, sizeof(*more));
		if (more == NULL)
			return NULL;
		if (n > 0)
			memcpy(more, j->papers, n * sizeof(*more));
		free(j->papers);
		j->papers = more;
	}
	j->papers[n] = (struct paper){ .place = place, .drop = DROP_INIT };
	return &j->papers[n];
}

/* One more, open at ${place}. */
static enum rc
paper_add(struct clerk *c, struct job *j, size_t place, struct paper **out,
    struct err *e)
{
	enum rc rc;

	/* Remarks are one at each delivery, and never too many. */
	if (j->npapers >= CLERK_FILES_MAX &&
	    place < clerk_place(0, CLERK_REMARKS))
		return err_class(e, EC_POLICY, _("too many documents"));
	if ((*out = paper_room(j, place)) == NULL)
		return err_nomem(e);
	rc = drop_open(&c->places[place], &(*out)->drop, e);
	j->npapers += rc == RC_OK;
	return rc;
}

static void
paper_remove(struct job *j)
{
	drop_forget(&j->papers[--j->npapers].drop);
}

/* ---- names ------------------------------------------------------ */

/* What of the patient stands behind a "%": in ASCII, without blanks. */
static bool
put_field(struct buf *b, const struct hprim_patient *p, char what)
{
	struct bytes s = { NULL, 0 };

	if (p == NULL)
		return true;
	if (what == 'b')
		return buf_adds(b, p->birth);
	if (what == 'e')
		return buf_adds(b, p->exam);
	s = what == 'f' ? p->field[HPRIM_FAMILY] :
	    what == 'g' ? p->field[HPRIM_GIVEN] :
	    what == 'c' ? p->field[HPRIM_CODE] : p->field[HPRIM_FILE_NO];
	return charset_plain(s.p, s.len < 40 ? s.len : 40, b);
}

static bool
put_pattern(const struct taking *t, const char *given,
    const struct hprim_patient *p, struct buf *b)
{
	bool ok = true;

	for (const char *s = t->d->names; ok && *s != '\0'; s++) {
		if (*s != '%' || *++s == '%')
			ok = buf_add8(b, (uint8_t)*s);
		else if (*s == 'n')
			ok = buf_adds(b, given);
		else if (*s == 's')
			ok = buf_add(b, t->field->address,
			    strcspn(t->field->address, "@"));
		else
			ok = put_field(b, p, *s);
	}
	return ok;
}

static bool
says_something(const struct buf *b)
{
	for (size_t i = 0; i < b->len; i++)
		if (isalnum(b->p[i]))
			return true;
	return false;
}

/* The beginning that the operator wants; what has no patient, and would have
 * none, keeps the name it was given. */
static bool
put_stem(const struct taking *t, const struct extract_doc *d,
    const struct hprim_patient *p, struct buf *b)
{
	const char *given = d->name[0] != '\0' ? d->name :
	    d->attachment ? "document" : "texte";

	if (!put_pattern(t, given, p, b))
		return false;
	if (says_something(b))
		return true;
	buf_wipe(b);
	return buf_adds(b, given);
}

/* ${k}: of the patient in it, from 1; 0: all of it. */
static enum rc
name_paper(const struct taking *t, const struct extract_doc *d,
    const struct hprim_patient *p, unsigned k, char name[CLERK_NAME_BYTES],
    struct err *e)
{
	char stem[EXTRACT_NAME_BYTES], none[16], part[16] = "";
	struct buf b = BUF_INIT;
	const char *s;
	bool ok = put_stem(t, d, p, &b);

	/* A "/" in a number is not a folder's. */
	for (size_t i = 0; i < b.len; i++)
		if (b.p[i] == '/' || b.p[i] == '\\')
			b.p[i] = '-';
	s = ok ? buf_str(&b) : NULL;
	if (s != NULL)
		extract_safe_name(s, stem, none);
	buf_free(&b);
	if (s == NULL)
		return err_nomem(e);
	if (k > 0)
		snprintf(part, sizeof(part), ".%u", k);
	for (size_t n = strlen(stem); n > 0 && none[0] == '\0' &&
	    (stem[n - 1] == '-' || stem[n - 1] == '_'); n--)
		stem[n - 1] = '\0';
	/* A point in a stem is no extension. */
	snprintf(name, CLERK_NAME_BYTES, "%s%.*s%.*s%s%zu%s-%s%s",
	    t->j->raw != NULL ? _("not-sealed-") : "", STEM_BYTES, stem, 16,
	    none, stem[0] != '\0' ? "-" : "", d->n + 1, part, t->j->token,
	    d->ext);
	return RC_OK;
}

/* ---- a text made to fit ------------------------------------------------ */

/* In a document of several, a report may be for another delivery alone. */
static bool
is_ours(const struct taking *t, const struct hprim_patient *p)
{
	bool known;

	return t->j->raw != NULL || (route_mask(t->c, t->field->address,
	    &p->recipient, &known) >> t->delivery & 1) != 0;
}

/* Taken out one by one, a report lies where it is for somebody. */
static bool
stands_here(const struct taking *t, const struct filing *f,
    const struct hprim_patient *p)
{
	return !f->apart || f->form->files == FILING_BY_DOCUMENT ||
	    is_ours(t, p);
}

static bool
say(struct taking *t, size_t n, const struct filing *f, const char *name)
{
	struct reports *r = t->j->reports;
	struct buf *text = &r->text[t->delivery];
	size_t before = text->len;
	bool ok = filing_say(f, name, text);

	if (text->len > before)
		r->flags |= STORE_INBOX_REMARK;
	for (unsigned i = 0; ok && i < f->h.n; i++) {
		const struct hprim_patient *p = &f->h.patient[i];

		if (filing_corrects(p))
			ok = buf_addf(text, _("%s: line %u: this report "
			    "corrects one that was sent before\n"), name,
			    p->line);
		if (ok && t->j->raw == NULL && route_strange(t->c,
		    t->field->address, &p->recipient))
			ok = buf_addf(text, _("%s: line %u: line 12 of "
			    "this report names nobody of this practice\n"),
			    name, p->line);
		if (ok && stands_here(t, f, p))
			ok = reports_stand(r, t->delivery, n, i, f, name);
	}
	return ok;
}

static enum rc
write_paper(struct taking *t, const struct extract_doc *d,
    const struct hprim_patient *p, unsigned k, struct bytes b,
    struct err *e)
{
	struct paper *out = NULL;
	enum rc rc = paper_add(t->c, t->j, clerk_place(t->delivery,
	    CLERK_MAIN), &out, e);

	if (rc == RC_OK)
		rc = name_paper(t, d, p, k, out->name, e);
	if (rc == RC_OK)
		rc = drop_write(&out->drop, b.p, b.len, e);
	return rc == RC_OK ? drop_written(&out->drop, e) : rc;
}

/* One more report in the file of the whole message. */
static enum rc
merge(struct taking *t, const struct extract_doc *d, const struct filing *f,
    const struct buf *b, struct err *e)
{
	struct paper *p = NULL;
	enum rc rc = RC_OK;

	if (t->merged == 0) {
		if ((rc = paper_add(t->c, t->j, clerk_place(t->delivery,
		    CLERK_MAIN), &p, e)) != RC_OK)
			return rc;
		t->merged = t->j->npapers;
		t->merged_set = f->charset;
		t->merged_eol = f->eol;
		rc = name_paper(t, d, NULL, 0, p->name, e);
	}
	return rc == RC_OK ? drop_write(&t->j->papers[t->merged - 1].drop,
	    b->p, b->len, e) : rc;
}

static enum rc
merged_end(struct taking *t, struct err *e)
{
	struct drop *d;
	struct buf b = BUF_INIT;
	enum rc rc = RC_OK;

	if (t->merged == 0)
		return RC_OK;
	d = &t->j->papers[t->merged - 1].drop;
	if (!hprim_add_end(t->merged_eol, &b))
		rc = err_nomem(e);
	if (rc == RC_OK)
		rc = drop_write(d, b.p, b.len, e);
	buf_free(&b);
	return rc == RC_OK ? drop_written(d, e) : rc;
}

static enum rc
each_patient(struct taking *t, const struct extract_doc *d, struct filing *f,
    struct err *e)
{
	enum rc rc = RC_OK;

	/* All of one file are in one set. */
	if (t->merged > 0) {
		f->charset = t->merged_set;
		f->eol = t->merged_eol;
	}
	for (unsigned i = 0; rc == RC_OK && i < f->h.n; i++) {
		struct buf b = BUF_INIT;

		if (!is_ours(t, &f->h.patient[i]))
			continue;
		rc = filing_patient(f, i, &b, e);
		if (rc == RC_OK && f->form->files == FILING_BY_MESSAGE)
			rc = merge(t, d, f, &b, e);
		else if (rc == RC_OK)
			rc = write_paper(t, d, &f->h.patient[i],
			    f->h.n > 1 ? i + 1 : 0, of_buf(&b), e);
		buf_free(&b);
	}
	return rc;
}

/* As it came: it lies in the last paper, or is at hand. */
static enum rc
file_as_it_came(struct taking *t, const struct extract_doc *d,
    const struct hprim_patient *one, struct paper *came, struct err *e)
{
	enum rc rc;

	if (came == NULL)
		return write_paper(t, d, one, 0, d->octets, e);
	rc = name_paper(t, d, one, 0, came->name, e);
	return rc == RC_OK ? drop_written(&came->drop, e) : rc;
}

/* The file that holds it as it came stays, or what is made of it takes its
 * place. */
static enum rc
file_text(struct taking *t, const struct extract_doc *d, struct filing *f,
    struct paper *came, struct err *e)
{
	const struct hprim_patient *one = f->h.n == 1 ? f->h.patient : NULL;
	char name[CLERK_NAME_BYTES];
	struct buf b = BUF_INIT;
	enum rc rc = name_paper(t, d, one, 0, name, e);

	if (rc == RC_OK && filing_as_it_came(f)) {
		rc = file_as_it_came(t, d, one, came, e);
	} else if (rc == RC_OK) {
		if (came != NULL)
			paper_remove(t->j);
		if (filing_in_pieces(f))
			rc = each_patient(t, d, f, e);
		else if ((rc = filing_whole(f, &b, e)) == RC_OK)
			rc = write_paper(t, d, one, 0, of_buf(&b), e);
		buf_free(&b);
	}
	return rc == RC_OK && !say(t, d->n, f, name) ? err_nomem(e) : rc;
}

/* ---- documents ------------------------------------------------------ */

static enum rc
paper_begin(void *arg, const struct extract_doc *d, int *fd, struct err *e)
{
	struct taking *t = arg;
	enum clerk_use use = d->text || t->d->attachments == NULL ?
	    CLERK_MAIN : CLERK_ATTACHMENTS;
	struct paper *p = NULL;
	enum rc rc;

	if (d->n < EXTRACT_PARTS_MAX &&
	    (t->route->doc[d->n] >> t->delivery & 1) == 0)
		return RC_OK;
	if (d->text && !t->j->begun) {
		*fd = EXTRACT_HERE;
		return RC_OK;
	}
	rc = paper_add(t->c, t->j, clerk_place(t->delivery, use), &p, e);
	if (rc == RC_OK)
		*fd = p->drop.fd;
	return rc;
}

/* A text of a readable size. */
static enum rc
text_end(struct taking *t, const struct extract_doc *d, struct bytes text,
    struct paper *came, struct err *e)
{
	struct filing f;
	enum rc rc = filing_read(&t->form, d->charset, text.p, text.len,
	    &t->today, &f, e);

	if (rc == RC_OK && !reports_read(t->c, t->j->reports, d->n, &f.h))
		rc = err_nomem(e);
	if (rc == RC_OK)
		rc = file_text(t, d, &f, came, e);
	filing_free(&f);
	return rc;
}

static enum rc
paper_end(void *arg, const struct extract_doc *d, struct err *e)
{
	struct taking *t = arg;
	struct paper *came;
	uint8_t *p = NULL;
	size_t len = 0;
	enum rc rc;

	if (d->text && !t->j->begun)
		return d->octets.len > 0 ? text_end(t, d, d->octets, NULL, e) :
		    write_paper(t, d, NULL, 0, d->octets, e);
	came = &t->j->papers[t->j->npapers - 1];
	rc = d->text ? filing_load(came->drop.fd, &p, &len, e) : RC_OK;
	if (rc == RC_OK && p == NULL) {
		if (d->text)
			reports_unread(t->j->reports, came->drop.fd);
		if ((rc = name_paper(t, d, NULL, 0, came->name, e)) == RC_OK)
			rc = drop_written(&came->drop, e);
	} else if (rc == RC_OK)
		rc = text_end(t, d, (struct bytes){ p, len }, came, e);
	wipe(p, len);
	free(p);
	return rc;
}

static void
taking_init(struct taking *t, struct clerk *c, struct job *j, size_t delivery)
{
	const struct conf_deliver *d = clerk_deliver(c, delivery);

	t->c = c;
	t->j = j;
	t->delivery = delivery;
	t->d = d;
	t->form = (struct filing_form){ .charset = (int)d->charset - 1,
	    .eol = (int)d->line_ends - 1,
	    .files = (enum filing_files)d->file_per,
	    .whole = d->header == CONF_HEADER_WHOLE,
	    .sender = j->raw == NULL ? t->field->address : NULL,
	    .recipient = c->p->conf->route };
	date_of(clock_now(), &t->today);
	t->merged = 0;
}

static enum rc
take_documents(struct taking *t, struct err *e)
{
	const struct extract_sink sink = { t, paper_begin, paper_end };
	enum rc rc = job_read(t->j, t->delivery, &sink, e);

	if (rc == RC_OK)
		rc = merged_end(t, e);
	if (rc == RC_OK && t->j->npapers > t->before) {
		t->j->reports->some[t->delivery] = true;
		if (!field_say(t->field, &t->j->reports->text[t->delivery]))
			rc = err_nomem(e);
	}
	job_leave(t->j, t->delivery);
	return rc;
}

/* The mail as it is: into a Maildir, or for a command's standard input. */
static enum rc
take_whole(struct clerk *c, struct job *j, size_t delivery, struct err *e)
{
	const struct conf_deliver *d = clerk_deliver(c, delivery);
	struct paper *p = paper_room(j, delivery);
	enum rc rc;

	if (p == NULL)
		return err_nomem(e);
	j->npapers++;
	if ((rc = job_take(c, j, delivery, &p->drop, e)) != RC_OK)
		return rc;
	if (d->kind == CONF_DELIVER_PIPE)
		return RC_OK;
	snprintf(p->name, sizeof(p->name), "%lld.sceau.%s",
	    (long long)clock_now(), j->token);
	return drop_written(&p->drop, e);
}

static enum rc
take_one(struct clerk *c, struct job *j, size_t i, const struct field *field,
    const struct route *route, struct err *e)
{
	const struct conf_deliver *d = clerk_deliver(c, i);
	struct taking t = { .field = field, .route = route,
	    .before = j->npapers };

	if ((route->all >> i & 1) == 0) {
		job_leave(j, i);
		return RC_OK;
	}
	if (d->kind != CONF_DELIVER_FOLDER)
		return take_whole(c, j, i, e);
	taking_init(&t, c, j, i);
	return take_documents(&t, e);
}

enum rc
papers_take(struct clerk *c, struct job *j, struct err *e)
{
	struct route route;
	enum rc rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && j->notice && i < c->ndeliveries; i++)
		if (clerk_deliver(c, i)->kind != CONF_DELIVER_FOLDER)
			rc = take_whole(c, j, i, e);
	if (j->notice)
		return rc;
	if ((j->reports = calloc(1, sizeof(*j->reports))) == NULL)
		return err_nomem(e);
	if (j->raw != NULL)
		memset(&route, 0xff, sizeof(route));	/* all of it to all */
	else if ((rc = job_field(j, &j->reports->field, e)) == RC_OK)
		rc = route_read(c, j, &route, e);
	for (size_t i = job_first(c, j); rc == RC_OK && i < job_end(c, j); i++)
		rc = take_one(c, j, i, &j->reports->field, &route, e);
	return rc;
}

/* ---- what is to be known of them --------------------------------------- */

static enum rc
write_remarks(struct clerk *c, struct job *j, size_t delivery,
    const struct buf *b, struct err *e)
{
	struct paper *p = NULL;
	enum rc rc = paper_add(c, j, clerk_place(delivery, CLERK_REMARKS), &p,
	    e);

	if (rc != RC_OK)
		return rc;
	snprintf(p->name, sizeof(p->name), "sceau-%s.txt", j->token);
	p->remarks = true;
	if ((rc = drop_write(&p->drop, b->p, b->len, e)) == RC_OK)
		rc = drop_written(&p->drop, e);
	if (rc != RC_OK)
		paper_remove(j);
	return rc;
}

static bool
say_from(const struct job *j, struct buf *b)
{
	const char *claimed;

	if (j->raw == NULL)
		return buf_addf(b, _("From %s. Sceau has filed the documents "
		    "of this message all the same; please read:\n\n"),
		    j->reports->field.address);
	claimed = raw_claimed(j);
	return buf_adds(b, _("This message was not sealed: anybody can have "
	    "written it, in anybody's name.\n")) &&
	    (claimed[0] == '\0' || buf_addf(b, _("It claims to be from %s.\n"),
	    claimed)) && buf_adds(b, _("Ask whoever it is said to be from, by "
	    "telephone, before you use its documents.\n\n"));
}

static enum rc
remarks_at(struct clerk *c, struct job *j, size_t i, struct bytes odd,
    struct err *e)
{
	const struct reports *r = j->reports;
	struct buf b = BUF_INIT;
	enum rc rc = RC_OK;
	size_t head;
	bool ok = say_from(j, &b);

	head = b.len;
	ok = ok && reports_say(r, i, odd, &b) &&
	    buf_add(&b, r->text[i].p, r->text[i].len);
	if (!ok)
		rc = err_nomem(e);
	else if (b.len > head || j->raw != NULL)
		rc = write_remarks(c, j, i, &b, e);
	buf_free(&b);
	return rc;
}

enum rc
papers_remarks(struct clerk *c, struct job *j, struct bytes odd,
    struct err *e)
{
	enum rc rc = RC_OK;

	for (size_t i = job_first(c, j); rc == RC_OK && j->reports != NULL &&
	    i < job_end(c, j); i++)
		if (j->reports->some[i])
			rc = remarks_at(c, j, i, odd, e);
	return rc;
}
