#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/file.h"
#include "base/lang.h"
#include "issuer/letter.h"
#include "issuer/sheets.h"

#define LETTER_MAX_BYTES 65536UL
#define BYTE_ORDER_MARK "\xef\xbb\xbf"
#define LINE_WORDS 6		/* of a line of the counterfoil */

/* A file that is being written under another name. */
struct paper {
	int	 fd;
	char	 path[PATH_MAX];
	char	 tmp[PATH_MAX];
};

enum { SHEET, FOIL, LIST, NPAPERS };

/* A line of the former counterfoil, lent by s->former. */
struct former {
	const char	*line;
	struct bytes	 identity, digits;
	bool		 written;	/* its letter is there: in its place */
};

struct sheets {
	struct sheets_plan plan;
	struct paper	 papers[NPAPERS];
	unsigned	 nsheets;
	size_t		 n;		/* letters */
	struct buf	 former;	/* the counterfoil that was there */
	struct former	*lines;		/* its, in order; owned */
	size_t		 nlines;
	struct buf	 text;		/* a letter: a secret */
	struct buf	 page;		/* the same */
};

/* ---- files -------------------------------------------------------------- */

static enum rc
paper_open(struct paper *p, const char *dir, const char *name, struct err *e)
{
	int n = snprintf(p->path, PATH_MAX, "%s/%s", dir, name);

	if (n < 0 || n >= PATH_MAX - 16)
		return err_set(e, RC_CONF, _("%s: the name is too long"),
		    dir);
	snprintf(p->tmp, PATH_MAX, "%.*s.tmp", PATH_MAX - 12, p->path);
	(void)unlink(p->tmp);	/* what a crash left */
	p->fd = open(p->tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (p->fd < 0)
		return err_sys(e, "%s", p->path);
	return RC_OK;
}

/* What is in ${b}, which is empty then. */
static enum rc
paper_put(const struct paper *p, struct buf *b, struct err *e)
{
	bool ok = write_all(p->fd, b->p, b->len);

	buf_wipe(b);
	return ok ? RC_OK : err_sys(e, "%s", p->path);
}

static enum rc
paper_end(struct paper *p, struct err *e)
{
	if (!file_sync(p->fd))
		return err_sys(e, "%s", p->path);
	FAULT("sheets.rename.before");
	if (rename(p->tmp, p->path) != 0)
		return err_sys(e, "%s", p->path);
	FAULT("sheets.rename.after");
	close(p->fd);
	p->fd = -1;
	return RC_OK;
}

static void
paper_drop(struct paper *p)
{
	if (p->fd < 0)
		return;
	close(p->fd);
	unlink(p->tmp);
	p->fd = -1;
}

/* ---- documents ---------------------------------------------------------- */

/* The policy lets nothing be fetched and nothing run, whatever a name is. */
static bool
add_head(const struct sheets *s, const char *title, const char *style,
    struct buf *out)
{
	return buf_addf(out, "<!DOCTYPE html>\n<html lang=\"%s\">\n<head>\n"
	    "<meta charset=\"utf-8\"/>\n"
	    "<meta http-equiv=\"Content-Security-Policy\" "
	    "content=\"default-src 'none'; style-src 'unsafe-inline'\"/>\n"
	    "<title>%s %s %u</title>\n<style>\n", s->plan.english ? "en" :
	    "fr", title, s->plan.assoc, s->plan.year) &&
	    buf_adds(out, style) &&
	    buf_adds(out, "</style>\n</head>\n<body>\n");
}

static const char tail[] = "</body>\n</html>\n";

static const char foil_style[] =
"@page { size: A4; margin: 12mm 12mm 15mm }\n"
"body { margin: 0; color: #000; background: #fff;\n"
"  font: 9.5pt/1.3 'Liberation Sans', Arial, Helvetica, sans-serif }\n"
"h1 { font-size: 14pt; margin: 0 0 2mm }\n"
"p { margin: 0 0 4mm }\n"
"table { width: 100%; border-collapse: collapse; table-layout: fixed }\n"
"thead { display: table-header-group }\n"
"tr { break-inside: avoid }\n"
"th { text-align: left; font-weight: 700; border-bottom: 0.4mm solid #000 }\n"
"td { border-bottom: 0.2mm solid #777; height: 11mm }\n"
"th, td { padding: 1mm 2mm 1mm 0; vertical-align: middle;\n"
"  overflow-wrap: anywhere }\n"
"td.digits { font: 700 10pt 'Liberation Mono', 'Courier New', monospace }\n"
"@media screen { body { margin: 6mm auto; width: 186mm } }\n";

static const char *const foil_words[2][2] = { {
"<h1>Association {assoc} : clés de {year}</h1>\n"
"<p>Souche à conserver. Une ligne par lettre ; aucun code n'y figure.</p>\n"
"<table>\n"
"<colgroup><col style=\"width: 8mm\"/><col style=\"width: 66mm\"/>\n"
"<col style=\"width: 24mm\"/><col style=\"width: 34mm\"/><col/></colgroup>\n"
"<thead><tr><th></th><th>Membre</th><th>Empreinte</th><th>Lettre du</th>\n"
"<th>Remis le, signature</th></tr></thead>\n<tbody>\n",
"empreinte\tlettre du\tidentité\tnom\tremis le\n" }, {
"<h1>Association {assoc}: keys of {year}</h1>\n"
"<p>Counterfoil, to be kept. One line a letter; no code stands here.</p>\n"
"<table>\n"
"<colgroup><col style=\"width: 8mm\"/><col style=\"width: 66mm\"/>\n"
"<col style=\"width: 24mm\"/><col style=\"width: 34mm\"/><col/></colgroup>\n"
"<thead><tr><th></th><th>Member</th><th>Fingerprint</th><th>Letter of</th>\n"
"<th>Handed over on, signature</th></tr></thead>\n<tbody>\n",
"fingerprint\tletter of\tidentity\tname\thanded over on\n" } };

static const char foil_line[] =
"<tr><td>{n}</td><td><b>{name}</b><br/>{identity}</td>"
"<td class=\"digits\">{digits}</td><td>{today}</td><td></td></tr>\n";
static const char list_line[] =
"{digits}\t{today}\t{identity}\t{mark}{name}\t\n";

static struct bytes
text(const char *s)
{
	return (struct bytes){ (const uint8_t *)s, strlen(s) };
}

static enum rc
open_foils(struct sheets *s, struct err *e)
{
	const char *const *words = foil_words[s->plan.english];
	char year[8];
	const struct word w[] = { { "assoc", text(s->plan.assoc) },
	    { "year", { (const uint8_t *)year, 4 } } };
	struct paper *foil = &s->papers[FOIL], *list = &s->papers[LIST];
	enum rc rc;

	snprintf(year, sizeof(year), "%04u", s->plan.year);
	if ((rc = paper_open(foil, s->plan.out, "counterfoil.html", e)) !=
	    RC_OK ||
	    (rc = paper_open(list, s->plan.out, "counterfoil.txt", e)) !=
	    RC_OK)
		return rc;
	if (!add_head(s, s->plan.english ? "Counterfoil" : "Souche",
	    foil_style, &s->page) ||
	    !words_fill(words[0], w, 2, WORDS_HTML, &s->page))
		return err_nomem(e);
	if ((rc = paper_put(foil, &s->page, e)) != RC_OK)
		return rc;
	if (!buf_adds(&s->page, words[1]))
		return err_nomem(e);
	return paper_put(list, &s->page, e);
}

/* ---- the former counterfoil --------------------------------------------- */

enum { DIGITS, TODAY, IDENTITY, NAME };

/* The ${n}-th field of a line. */
static struct bytes
field(const char *line, unsigned n)
{
	while (n > 0 && *line != '\0')
		n -= *line++ == '\t';
	return (struct bytes){ (const uint8_t *)line, strcspn(line, "\t") };
}

static int
by_octets(struct bytes x, struct bytes y)
{
	int order = memcmp(x.p, y.p, x.len < y.len ? x.len : y.len);

	return order != 0 ? order : (x.len > y.len) - (x.len < y.len);
}

/* One identity has a letter of each year, told apart by its digits. */
static int
by_letter(const void *a, const void *b)
{
	const struct former *x = a, *y = b;
	int order = by_octets(x->identity, y->identity);

	return order != 0 ? order : by_octets(x->digits, y->digits);
}

/* The line at ${p} ends with a NUL then; returns the next. */
static char *
cut_line(char *p)
{
	char *end = p + strcspn(p, "\n"), *next = end + (*end != '\0');

	if (end > p && end[-1] == '\r')
		end--;
	*end = '\0';
	return next;
}

/* People edit it, and spreadsheets write what they like: CRLF, a byte order
 * mark, no heading, no end of the last line.  False: it is no lines of text. */
static bool
cut_lines(struct sheets *s)
{
	const size_t mark = strlen(BYTE_ORDER_MARK);
	char *p = (char *)s->former.p, *next;
	struct identity id;

	if (strlen(p) != s->former.len - 1)
		return false;
	if (strncmp(p, BYTE_ORDER_MARK, mark) == 0)
		p += mark;
	for (bool first = true; *p != '\0'; p = next, first = false) {
		next = cut_line(p);
		if (strchr(p, '\r') != NULL)
			return false;
		const struct former f = { p, field(p, IDENTITY),
		    field(p, DIGITS), false };

		/* The first line says what is what. */
		if (*p != '\0' && (!first || identity_parse(
		    (const char *)f.identity.p, f.identity.len, &id)))
			s->lines[s->nlines++] = f;
	}
	qsort(s->lines, s->nlines, sizeof(*s->lines), by_letter);
	return true;
}

/* It is all that an association knows of letters destroyed since. */
static enum rc
read_former(struct sheets *s, struct err *e)
{
	const char *path = s->papers[LIST].path;
	size_t n = 1;
	enum rc rc;

	if (access(path, F_OK) != 0 && errno == ENOENT)
		return RC_OK;
	if ((rc = file_read(path, MEMBERS_FILE_MAX, &s->former, e)) != RC_OK)
		return rc == RC_INPUT ? (e->rc = RC_CONF) : rc;
	for (size_t i = 0; i < s->former.len; i++)
		n += s->former.p[i] == '\n';
	if (!buf_add8(&s->former, 0) ||
	    (s->lines = calloc(n, sizeof(*s->lines))) == NULL)
		return err_nomem(e);
	return cut_lines(s) ? RC_OK : err_set(e, RC_CONF, _("%s is no lines of "
	    "text any more, and was left as it is: save it as plain text, or "
	    "give it another name, and give the same command again"), path);
}

static struct former *
find_former(const struct sheets *s, const struct identity *id,
    struct bytes digits)
{
	const struct former want = { .identity = identity_bytes(id),
	    .digits = digits };

	return s->nlines == 0 ? NULL : bsearch(&want, s->lines, s->nlines,
	    sizeof(*s->lines), by_letter);
}

enum rc
sheets_open(const struct sheets_plan *plan, struct sheets **s, struct err *e)
{
	struct sheets *n = calloc(1, sizeof(*n));
	enum rc rc;

	*s = NULL;
	if (n == NULL)
		return err_nomem(e);
	n->plan = *plan;
	for (size_t i = 0; i < NPAPERS; i++)
		n->papers[i].fd = -1;
	if ((rc = open_foils(n, e)) == RC_OK &&
	    (rc = read_former(n, e)) == RC_OK)
		*s = n;
	else
		(void)sheets_close(&n, rc, e);
	return rc;
}

/* ---- a letter ----------------------------------------------------------- */

static enum rc
open_sheet(struct sheets *s, struct err *e)
{
	char name[40];
	enum rc rc;

	snprintf(name, sizeof(name), "print-%03u.html", ++s->nsheets);
	rc = paper_open(&s->papers[SHEET], s->plan.letters, name, e);
	if (rc != RC_OK)
		return rc;
	return add_head(s, s->plan.english ? "Letters" : "Lettres",
	    letter_style(), &s->page) ?
	    paper_put(&s->papers[SHEET], &s->page, e) : err_nomem(e);
}

static enum rc
end_sheet(struct sheets *s, struct err *e)
{
	enum rc rc;

	if (!buf_adds(&s->page, tail))
		return err_nomem(e);
	if ((rc = paper_put(&s->papers[SHEET], &s->page, e)) != RC_OK)
		return rc;
	return paper_end(&s->papers[SHEET], e);
}

static enum rc
add_page(struct sheets *s, const struct letter_words *w, struct err *e)
{
	enum rc rc = RC_OK;

	if (s->papers[SHEET].fd < 0)
		rc = open_sheet(s, e);
	if (rc != RC_OK)
		return rc;
	if (!letter_page(w, &s->page))
		return err_nomem(e);
	rc = paper_put(&s->papers[SHEET], &s->page, e);
	return rc == RC_OK && ++s->n % SHEETS_LETTERS == 0 ?
	    end_sheet(s, e) : rc;
}

/* One line on each of both. */
static enum rc
add_line(struct sheets *s, const struct word v[LINE_WORDS], const char *line,
    struct err *e)
{
	enum rc rc;

	if (!words_fill(foil_line, v, LINE_WORDS, WORDS_HTML, &s->page))
		return err_nomem(e);
	if ((rc = paper_put(&s->papers[FOIL], &s->page, e)) != RC_OK)
		return rc;
	if (!words_fill(line, v, LINE_WORDS, WORDS_PLAIN, &s->page))
		return err_nomem(e);
	return paper_put(&s->papers[LIST], &s->page, e);
}

/* A spreadsheet must not take a name for a formula. */
static bool
is_formula(const char *name)
{
	return *name != '\0' && strchr("=+-@", *name) != NULL;
}

/* A line as it stood, with what was written into it. */
static enum rc
keep_line(struct sheets *s, const struct former *f, size_t at, struct err *e)
{
	struct bytes name = field(f->line, NAME);
	char number[24];

	snprintf(number, sizeof(number), "%zu", at);
	if (name.len > 1 && *name.p == '\'' &&
	    is_formula((const char *)name.p + 1)) {
		name.p++;
		name.len--;
	}
	const struct word v[LINE_WORDS] = { { "n", text(number) },
	    { "name", name }, { "identity", f->identity },
	    { "digits", f->digits },
	    { "today", field(f->line, TODAY) }, { "line", text(f->line) } };

	return add_line(s, v, "{line}\n", e);
}

static enum rc
add_lines(struct sheets *s, const struct letter_words *w,
    const struct member *m, struct err *e)
{
	const struct bytes digits = words_find(w->v, LETTER_NWORDS, "digits");
	struct former *f = find_former(s, &m->id, digits);
	char number[24];

	if (f != NULL) {
		f->written = true;
		return keep_line(s, f, s->n, e);
	}
	snprintf(number, sizeof(number), "%zu", s->n);
	const struct word v[LINE_WORDS] = { { "n", text(number) },
	    { "name", text(m->show) }, { "identity", text(m->id.s) },
	    { "mark", text(is_formula(m->show) ? "'" : "") },
	    { "digits", digits },
	    { "today", words_find(w->v, LETTER_NWORDS, "today") } };

	return add_line(s, v, list_line, e);
}

enum rc
sheets_add(struct sheets *s, const struct member *w, const char *letter,
    struct err *e)
{
	struct letter_words words;
	enum rc rc;

	rc = file_read(letter, LETTER_MAX_BYTES, &s->text, e);
	if (rc != RC_OK)
		return rc == RC_INPUT ? (e->rc = RC_CONF) : rc;
	if (!letter_read((struct bytes){ s->text.p, s->text.len }, &words))
		return err_set(e, RC_CONF, _("%s is not the letter that was "
		    "written there: delete it and run the batch again, which "
		    "makes another key file and another letter"), letter);
	if ((rc = add_page(s, &words, e)) == RC_OK)
		rc = add_lines(s, &words, w, e);
	buf_wipe(&s->text);
	return rc;
}

/* ---- the end ------------------------------------------------------------ */

/* Of a time when there were more letters; they hold codes. */
static void
drop_former(const struct sheets *s)
{
	char path[PATH_MAX];
	unsigned i = s->nsheets;

	do {
		snprintf(path, sizeof(path), "%.*s/print-%03u.html",
		    PATH_MAX - 40, s->plan.letters, ++i);
	} while (unlink(path) == 0);
}

static enum rc
end_foils(struct sheets *s, struct err *e)
{
	size_t n = s->n;
	enum rc rc = RC_OK;

	for (size_t i = 0; i < s->nlines && rc == RC_OK; i++)
		if (!s->lines[i].written)
			rc = keep_line(s, &s->lines[i], ++n, e);
	if (rc != RC_OK)
		return rc;
	if (!buf_adds(&s->page, "</tbody>\n</table>\n") ||
	    !buf_adds(&s->page, tail))
		return err_nomem(e);
	if ((rc = paper_put(&s->papers[FOIL], &s->page, e)) != RC_OK ||
	    (rc = paper_end(&s->papers[FOIL], e)) != RC_OK)
		return rc;
	return paper_end(&s->papers[LIST], e);
}

static enum rc
end_all(struct sheets *s, struct err *e)
{
	enum rc rc = RC_OK;

	if (s->papers[SHEET].fd >= 0)
		rc = end_sheet(s, e);
	if (rc == RC_OK)
		rc = end_foils(s, e);
	if (rc != RC_OK)
		return rc;
	drop_former(s);
	if (!dir_sync(s->plan.letters))
		return err_sys(e, "%s", s->plan.letters);
	if (!dir_sync(s->plan.out))
		return err_sys(e, "%s", s->plan.out);
	return RC_OK;
}

enum rc
sheets_close(struct sheets **s, enum rc rc, struct err *e)
{
	if (*s == NULL)
		return rc;
	if (rc == RC_OK && !((*s)->plan.nothing_new &&
	    (*s)->nlines > (*s)->n))
		rc = end_all(*s, e);
	for (size_t i = 0; i < NPAPERS; i++)
		paper_drop(&(*s)->papers[i]);
	buf_free(&(*s)->text);
	buf_free(&(*s)->page);
	buf_free(&(*s)->former);
	free((*s)->lines);
	free(*s);
	*s = NULL;
	return rc;
}
