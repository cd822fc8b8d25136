#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/lang.h"
#include "document/filing.h"
#include "document/hprim_priv.h"

/* After these nobody knows where a report begins or ends. */
static bool
breaks_structure(enum hprim_what what)
{
	return what == HPRIM_TOO_MANY || what == HPRIM_HEADER_SHORT ||
	    what == HPRIM_HEADER_SHIFTED || what == HPRIM_NO_END ||
	    what == HPRIM_BEHIND_END || what == HPRIM_EMPTY;
}

static bool
can_be_apart(const struct hprim *h)
{
	/* Remarks that were not kept may be of that kind. */
	if (h->kind != HPRIM_MEDECIN || h->n == 0 ||
	    h->errors + h->oddities > h->nremarks)
		return false;
	for (unsigned i = 0; i < h->nremarks; i++)
		if (breaks_structure(h->remark[i].what))
			return false;
	return true;
}

enum rc
filing_read(const struct filing_form *form, const char *declared,
    const uint8_t *p, size_t len, const struct date *today, struct filing *f,
    struct err *e)
{
	enum rc rc;

	memset(f, 0, sizeof(*f));
	f->form = form;
	f->came = (struct bytes){ p, len };
	rc = hprim_read_as(declared, p, len, today, &f->h, e);
	f->apart = rc == RC_OK && can_be_apart(&f->h);
	/* What is read only is written as what holds all of it. */
	f->charset = form->charset >= 0 ? (enum charset)form->charset :
	    f->h.guess.set < CHARSET_WRITTEN ? f->h.guess.set : CHARSET_UTF8;
	f->eol = form->eol >= 0 ? (enum eol)form->eol : f->h.guess.eol;
	return rc;
}

enum rc
filing_load(int fd, uint8_t **p, size_t *len, struct err *e)
{
	struct stat st;

	*p = NULL;
	*len = 0;
	if (fstat(fd, &st) != 0 || lseek(fd, 0, SEEK_SET) != 0)
		return err_sys(e, _("a document"));
	if (st.st_size == 0 || st.st_size > (off_t)FILING_TEXT_MAX_BYTES)
		return RC_OK;
	if ((*p = malloc((size_t)st.st_size)) == NULL)
		return err_set(e, RC_NOMEM, _("no memory left"));
	*len = (size_t)st.st_size;
	if (read_full(fd, *p, *len) != (ssize_t)*len)
		return err_sys(e, _("a document"));
	return RC_OK;
}

void
filing_free(struct filing *f)
{
	hprim_free(&f->h);
}

static bool
is_text(const struct filing *f)
{
	return f->h.kind == HPRIM_MEDECIN || f->h.kind == HPRIM_TEXT;
}

static bool
as_wanted(const struct filing *f)
{
	const struct charset_guess *g = &f->h.guess;

	if (f->form->charset >= 0 && (g->bom > 0 || (!g->ascii &&
	    g->set != f->charset)))
		return false;
	return f->form->eol < 0 || (g->eol == f->eol && !g->mixed);
}

bool
filing_in_pieces(const struct filing *f)
{
	return f->apart && (f->form->files == FILING_BY_MESSAGE ||
	    (f->form->files == FILING_BY_PATIENT && f->h.n > 1));
}

bool
filing_as_it_came(const struct filing *f)
{
	if (!is_text(f))
		return true;
	return as_wanted(f) && !filing_in_pieces(f) &&
	    !(f->apart && f->form->whole);
}

/* ---- a header made whole ---------------------------------------------- */

/* What a completed header is made of, beside the patient's own lines. */
struct completed {
	struct hprim_patient	p;
	char			birth[DATE_BYTES], exam[DATE_BYTES];
	struct buf		sender, recipient;
};

/* "yyyy-mm-dd" as dd/mm/yyyy; a date whose century is a guess stays. */
static void
complete_date(struct bytes *field, const char iso[DATE_BYTES],
    const struct date *today, char out[DATE_BYTES])
{
	struct date d;

	if (iso[0] == '\0' || date_parse(*field, today, &d) != DATE_OTHER)
		return;
	memcpy(out, iso + 8, 2);
	out[2] = out[5] = '/';
	memcpy(out + 3, iso + 5, 2);
	memcpy(out + 6, iso, 4);
	out[10] = '\0';
	*field = (struct bytes){ (const uint8_t *)out, 10 };
}

static bool
complete_party(struct bytes *field, const char *who, struct buf *out)
{
	if (field->len > 0 || who == NULL)
		return true;
	if (!buf_addf(out, ".          %s", who))
		return false;
	*field = (struct bytes){ out->p, out->len };
	return true;
}

static bool
complete(const struct filing *f, const struct hprim_patient *from,
    struct completed *c)
{
	static const struct date never = { 9999, 12, 31 };

	memset(c, 0, sizeof(*c));
	c->sender = c->recipient = (struct buf)BUF_INIT;
	c->p = *from;
	if (!f->form->whole) {
		c->p.head = (struct bytes){ from->whole.p,
		    (size_t)(from->text.p - from->whole.p) };
		return true;
	}
	complete_date(&c->p.field[HPRIM_BIRTH], from->birth, &never, c->birth);
	complete_date(&c->p.field[HPRIM_EXAM], from->exam, &never, c->exam);
	return complete_party(&c->p.field[HPRIM_SENDER], f->form->sender,
	    &c->sender) && complete_party(&c->p.field[HPRIM_RECIPIENT],
	    f->form->recipient, &c->recipient);
}

enum rc
filing_patient(struct filing *f, unsigned i, struct buf *out, struct err *e)
{
	struct completed c;
	enum rc rc = RC_OK;
	bool ok;

	ok = complete(f, &f->h.patient[i], &c);
	if (ok)
		rc = f->form->files == FILING_BY_MESSAGE ?
		    hprim_add(&c.p, f->charset, f->eol, out, &f->loss, e) :
		    hprim_write(&c.p, f->charset, f->eol, out, &f->loss, e);
	buf_free(&c.sender);
	buf_free(&c.recipient);
	return ok ? rc : err_set(e, RC_NOMEM, _("no memory left"));
}

/* ---- the whole of it -------------------------------------------------- */

static enum rc
whole_anew(struct filing *f, struct buf *out, struct err *e)
{
	struct completed c;
	enum rc rc = RC_OK;

	for (unsigned i = 0; rc == RC_OK && i < f->h.n; i++) {
		rc = complete(f, &f->h.patient[i], &c) ? hprim_add(&c.p,
		    f->charset, f->eol, out, &f->loss, e) :
		    err_set(e, RC_NOMEM, _("no memory left"));
		buf_free(&c.sender);
		buf_free(&c.recipient);
	}
	return rc != RC_OK || hprim_add_end(f->eol, out) ? rc :
	    err_set(e, RC_NOMEM, _("no memory left"));
}

enum rc
filing_whole(struct filing *f, struct buf *out, struct err *e)
{
	if (filing_as_it_came(f))
		return buf_add(out, f->came.p, f->came.len) ? RC_OK :
		    err_set(e, RC_NOMEM, _("no memory left"));
	if (f->apart && f->form->whole)
		return whole_anew(f, out, e);
	return charset_write(f->charset, f->eol, f->h.utf8.p, f->h.utf8.len,
	    out, &f->loss, e);
}

/* ---- what a person must know ------------------------------------------- */

/* RES|label|code|type|value|unit|low|high|flag|status: C, corrected. */
bool
filing_corrects(const struct hprim_patient *p)
{
	struct hprim_lines l = { p->coded.p, p->coded.len, 1 };
	struct bytes line;

	while (hprim_line(&l, &line)) {
		unsigned bars = 0;
		size_t i = 0;

		if (line.len < 4 || memcmp(line.p, "RES|", 4) != 0)
			continue;
		while (i < line.len && bars < 9)
			bars += line.p[i++] == '|';
		if (bars == 9 && i < line.len && line.p[i] == 'C' &&
		    (i + 1 == line.len || line.p[i + 1] == '|'))
			return true;
	}
	return false;
}

static bool
say_loss(const struct filing *f, const char *name, struct buf *out)
{
	const struct charset_loss *l = &f->loss;
	bool ok = true;

	if (l->lost > 0)
		ok = buf_addf(out, P_("%s: line %u: %zu character that %s "
		    "does not have stands as \"?\"\n", "%s: line %u: %zu "
		    "characters that %s does not have stand as \"?\"\n",
		    l->lost), name, l->lost_line, l->lost,
		    charset_name(f->charset));
	if (ok && l->stood > 0)
		ok = buf_addf(out, P_("%s: line %u: %zu character that %s "
		    "does not have was written otherwise\n", "%s: line %u: "
		    "%zu characters that %s does not have were written "
		    "otherwise\n", l->stood), name, l->stood_line, l->stood,
		    charset_name(f->charset));
	return ok;
}

bool
filing_say(const struct filing *f, const char *name, struct buf *out)
{
	const struct hprim *h = &f->h;
	bool ok = say_loss(f, name, out);

	for (unsigned i = 0; ok && h->kind == HPRIM_MEDECIN &&
	    i < h->nremarks; i++)
		if (hprim_is_error(h->remark[i].what))
			ok = buf_addf(out, _("%s: line %u: %s\n"), name,
			    h->remark[i].line, hprim_say(h->remark[i].what));
	if (ok && h->kind == HPRIM_MEDECIN && !f->apart &&
	    f->form->files != FILING_BY_DOCUMENT)
		ok = buf_addf(out, _("%s: the reports in it cannot be told "
		    "apart: filed in one piece\n"), name);
	return ok;
}
