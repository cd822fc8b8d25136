#include "config.h"

#include <string.h>
#include <strings.h>

#include "base/lang.h"
#include "document/hprim_priv.h"

bool
hprim_line(struct hprim_lines *l, struct bytes *line)
{
	const uint8_t *end;

	if (l->left == 0)
		return false;
	end = memchr(l->p, '\n', l->left);
	*line = (struct bytes){ l->p, end == NULL ? l->left :
	    (size_t)(end - l->p) };
	l->p += line->len + (end != NULL);
	l->left -= line->len + (end != NULL);
	l->no++;
	return true;
}

struct bytes
hprim_trim(struct bytes s)
{
	while (s.len > 0 && is_wsp(*s.p)) {
		s.p++;
		s.len--;
	}
	while (s.len > 0 && strchr(" \t\f\x1a", s.p[s.len - 1]) != NULL &&
	    s.p[s.len - 1] != '\0')
		s.len--;
	return s;
}

enum hprim_tag
hprim_tag(struct bytes line, bool *exact)
{
	static const struct {
		const char	*word;
		enum hprim_tag	 tag;
	} tags[] = {
		{ "LAB", HPRIM_TAG_LAB }, { "FIN", HPRIM_TAG_FIN },
		{ "FINFICHIER", HPRIM_TAG_FINFICHIER },
		{ "FIN FICHIER", HPRIM_TAG_FINFICHIER }
	};
	struct bytes s = hprim_trim(line);
	size_t before = 0, behind = 0;
	bool word = true;

	while (before < s.len && s.p[before] == '*')
		before++;
	while (behind < s.len - before && s.p[s.len - 1 - behind] == '*')
		behind++;
	if (before < 2 || behind < 2)
		return HPRIM_TAG_NONE;
	*exact = before == 4 && behind == 4 && s.p == line.p;
	s = hprim_trim((struct bytes){ s.p + before,
	    s.len - before - behind });
	for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++) {
		size_t len = strlen(tags[i].word);

		if (s.len != len || strncasecmp((const char *)s.p,
		    tags[i].word, len) != 0)
			continue;
		*exact = *exact && memcmp(s.p, tags[i].word, len) == 0 &&
		    i < 3 && s.p[-1] == '*' && s.p[len] == '*';
		return tags[i].tag;
	}
	for (size_t i = 0; i < s.len; i++)
		word = word && s.p[i] >= 'A' && s.p[i] <= 'Z';
	return *exact && word && s.len > 0 ? HPRIM_TAG_OTHER : HPRIM_TAG_NONE;
}

void
hprim_note(struct hprim_reading *r, enum hprim_what what, unsigned line)
{
	bool error = hprim_is_error(what);
	struct hprim *h = r->h;

	if (h->nremarks < HPRIM_REMARKS_MAX)
		h->remark[h->nremarks++] = (struct hprim_remark){ what, line,
		    r->patient == NULL ? 0 : h->n };
	h->errors += error;
	h->oddities += !error;
	if (r->patient != NULL) {
		r->patient->errors += error;
		r->patient->oddities += !error;
	}
}

static bool
starts(const uint8_t *p, size_t len, const char *with, size_t n)
{
	return len >= n && memcmp(p, with, n) == 0;
}

static bool
is_binary(const uint8_t *p, size_t len)
{
	static const char *const magic[] = { "%PDF-", "\xff\xd8\xff",
	    "\x89PNG", "PK\x03\x04", "GIF8", "II*" };

	if (starts(p, len, "MM\0*", 4))
		return true;
	for (size_t i = 0; i < sizeof(magic) / sizeof(magic[0]); i++)
		if (starts(p, len, magic[i], strlen(magic[i])))
			return true;
	return memchr(p, '\0', len) != NULL;
}

/* "H|~^\&|": the delimiters that it declares, then the first of them again
 * and again. */
static bool
is_sante(const uint8_t *p, size_t len)
{
	size_t n = 0;

	if (len < 6 || p[0] != 'H')
		return false;
	for (size_t i = 1; i < 5; i++)
		if (p[i] < 0x21 || p[i] > 0x7e ||
		    strchr(".*-'0123456789", p[i]) != NULL ||
		    ((p[i] | 0x20) >= 'a' && (p[i] | 0x20) <= 'z'))
			return false;
	for (size_t i = 1; i < len && p[i] != '\n' && p[i] != '\r'; i++)
		n += p[i] == p[1];
	return n >= 4;
}

static bool
is_hl7(const uint8_t *p, size_t len)
{
	size_t at = len > 0 && p[0] == 0x0b;	/* MLLP's start block */

	return starts(p + at, len - at, "MSH|", 4) ||
	    starts(p + at, len - at, "FHS|", 4) ||
	    starts(p + at, len - at, "BHS|", 4);
}

/* What no line needs to be read for; TEXT: look closer. */
static enum hprim_kind
kind_of(const uint8_t *p, size_t len, const struct charset_guess *g)
{
	size_t at = g->bom;

	if (g->set >= CHARSET_WRITTEN)
		return HPRIM_TEXT;
	while (at < len && (p[at] == ' ' || p[at] == '\n' || p[at] == '\r'))
		at++;
	if (is_binary(p, len))
		return HPRIM_BINARY;
	if (starts(p + at, len - at, "<?xml", 5) ||
	    starts(p + at, len - at, "<ClinicalDocument", 17))
		return HPRIM_CDA;
	if (is_sante(p + g->bom, len - g->bom))
		return HPRIM_SANTE;
	return is_hl7(p + at, len - at) ? HPRIM_HL7 : HPRIM_TEXT;
}

static bool
is_blank(struct bytes s)
{
	for (size_t i = 0; i < s.len; i++)
		if (strchr(" \t\n\f\x1a", s.p[i]) == NULL || s.p[i] == '\0')
			return false;
	return true;
}

/* Room for one patient more; NULL: memory. */
static struct hprim_patient *
add_patient(struct hprim *h)
{
	static const struct hprim_patient none = { .line = 0 };

	if (!buf_add(&h->room, &none, sizeof(none)))
		return NULL;
	h->patient = (struct hprim_patient *)(void *)h->room.p;
	return &h->patient[h->n++];
}

static void
check_end(struct hprim_reading *r, enum hprim_tag tag)
{
	struct hprim_patient *p = r->patient;

	p->ended = tag == HPRIM_TAG_FIN;
	if (tag == HPRIM_TAG_NONE)
		hprim_note(r, HPRIM_NO_END, r->lines.no - 1);
	else if (tag == HPRIM_TAG_FINFICHIER)
		hprim_note(r, HPRIM_NO_FIN, r->lines.no - 1);
	if (p->header >= HPRIM_HEADER_LINES && is_blank(p->text) &&
	    is_blank(p->coded) && is_blank(p->more))
		hprim_note(r, HPRIM_EMPTY, p->line);
}

/* One record; ${*tag}: what ended it. */
static enum rc
read_patient(struct hprim_reading *r, enum hprim_tag *tag, struct err *e)
{
	unsigned blank = hprim_start(r->lines, r->today);
	struct bytes line;
	const uint8_t *from;

	if ((r->patient = add_patient(r->h)) == NULL)
		return err_set(e, RC_NOMEM, _("no memory left"));
	if (blank > 0)
		hprim_note(r, HPRIM_BLANK_ABOVE, r->lines.no);
	while (blank-- > 0)
		(void)hprim_line(&r->lines, &line);
	from = r->lines.p;
	r->patient->line = r->lines.no;
	if (!hprim_header(r))
		hprim_note(r, HPRIM_HEADER_SHORT, r->lines.no);
	*tag = hprim_body(r);
	r->patient->whole = (struct bytes){ from, (size_t)(r->lines.p -
	    from) };
	check_end(r, *tag);
	r->patient = NULL;
	return RC_OK;
}

/* Is there a record, or only the end of the file? */
static bool
at_end(struct hprim_reading *r, enum hprim_tag *tag)
{
	struct hprim_lines l = r->lines;
	struct bytes line = { NULL, 0 };
	bool exact = true, more;

	while ((more = hprim_line(&l, &line)) && is_blank(line))
		;
	if (more && hprim_tag(line, &exact) != HPRIM_TAG_FINFICHIER)
		return false;
	*tag = more ? HPRIM_TAG_FINFICHIER : HPRIM_TAG_NONE;
	if (!exact)
		hprim_note(r, HPRIM_TAG_FORM, l.no - 1);
	r->lines = l;
	return true;
}

static enum rc
read_all(struct hprim_reading *r, struct err *e)
{
	enum hprim_tag tag = HPRIM_TAG_NONE;
	enum rc rc = RC_OK;
	bool last = false;

	while (rc == RC_OK && !last && !at_end(r, &tag)) {
		if (r->h->n == HPRIM_PATIENTS_MAX) {
			hprim_note(r, HPRIM_TOO_MANY, r->lines.no);
			return RC_OK;
		}
		rc = read_patient(r, &tag, e);
		last = tag != HPRIM_TAG_FIN;
	}
	if (rc != RC_OK)
		return rc;
	if (tag != HPRIM_TAG_FINFICHIER && !last)
		hprim_note(r, HPRIM_NO_FINFICHIER, r->lines.no - 1);
	if (r->h->n == 0)
		hprim_note(r, HPRIM_EMPTY, 1);
	if (!is_blank((struct bytes){ r->lines.p, r->lines.left }))
		hprim_note(r, HPRIM_BEHIND_END, r->lines.no);
	return RC_OK;
}

static enum rc
read_text(struct hprim_reading *r, const uint8_t *p, size_t len,
    struct err *e)
{
	struct charset_loss loss = { .lost = 0 };
	struct hprim *h = r->h;
	enum rc rc = charset_read(&h->guess, p, len, &h->utf8, &loss, e);
	struct bytes text = { h->utf8.p, h->utf8.len };

	if (rc != RC_OK)
		return rc;
	r->lines = (struct hprim_lines){ text.p, text.len, 1 };
	if (!hprim_looks(text, r->today)) {
		hprim_note(r, HPRIM_NOT_HPRIM, 0);
		return RC_OK;
	}
	h->kind = HPRIM_MEDECIN;
	if (loss.lost > 0)
		hprim_note(r, HPRIM_OCTETS, loss.lost_line);
	hprim_octets(r);
	return read_all(r, e);
}

enum rc
hprim_read(const uint8_t *p, size_t len, const struct date *today,
    struct hprim *h, struct err *e)
{
	return hprim_read_as(NULL, p, len, today, h, e);
}

enum rc
hprim_read_as(const char *declared, const uint8_t *p, size_t len,
    const struct date *today, struct hprim *h, struct err *e)
{
	struct hprim_reading r = { .h = h, .today = today };

	memset(h, 0, sizeof(*h));
	if (len > HPRIM_FILE_MAX_BYTES)
		return err_class(e, EC_TOOBIG, _("larger than %u MB, which no "
		    "HPRIM file is"), HPRIM_FILE_MAX_BYTES >> 20);
	charset_declared(declared, p, len, &h->guess);
	if ((h->kind = kind_of(p, len, &h->guess)) != HPRIM_TEXT)
		return RC_OK;
	return read_text(&r, p, len, e);
}

void
hprim_free(struct hprim *h)
{
	buf_free(&h->utf8);
	buf_free(&h->room);
	h->patient = NULL;
	h->n = 0;
}

static bool
put_lines(struct buf *b, struct bytes s)
{
	return buf_add(b, s.p, s.len) &&
	    (s.len == 0 || s.p[s.len - 1] == '\n' || buf_adds(b, "\n"));
}

/* .HPM stays .HPM, with both of its lines: another line 1 would have to be
 * made up. */
static bool
put_more(struct buf *b, struct bytes more)
{
	unsigned lines = 0;
	bool ok = put_lines(b, more);

	for (size_t i = 0; i < more.len; i++)
		lines += more.p[i] == '\n' || i + 1 == more.len;
	for (; ok && lines < 2; lines++)
		ok = buf_adds(b, "\n");
	return ok;
}

static bool
put_header(struct buf *b, const struct hprim_patient *p)
{
	bool ok = true;

	if (p->head.len > 0)
		return put_lines(b, p->head);
	for (size_t i = 0; i < HPRIM_HEADER_LINES; i++)
		ok = ok && buf_add(b, p->field[i].p, p->field[i].len) &&
		    buf_adds(b, "\n");
	return ok && (!p->wide || put_more(b, p->more)) && buf_adds(b, "\n");
}

static bool
put_body(struct buf *b, const struct hprim_patient *p)
{
	return put_lines(b, p->text) && (p->coded.len == 0 ||
	    (buf_adds(b, "****LAB****\n") && put_lines(b, p->coded))) &&
	    buf_adds(b, "****FIN****\n");
}

enum rc
hprim_add(const struct hprim_patient *p, enum charset to, enum eol eol,
    struct buf *out, struct charset_loss *loss, struct err *e)
{
	struct buf b = BUF_INIT;
	unsigned above = loss->above;
	enum rc rc = RC_NOMEM;
	bool ok = put_header(&b, p);
	size_t len = b.len;

	/* What is told of it has the lines of the file that came: its header
	 * may have had some more, or less. */
	if (ok && put_body(&b, p)) {
		loss->above = above + p->line - 1;
		rc = charset_write(to, eol, b.p, len, out, loss, e);
		loss->above += p->header;
		if (rc == RC_OK)
			rc = charset_write(to, eol, b.p + len, b.len - len,
			    out, loss, e);
		loss->above = above;
	} else {
		err_set(e, RC_NOMEM, _("no memory left"));
	}
	buf_free(&b);
	return rc;
}

bool
hprim_add_end(enum eol eol, struct buf *out)
{
	return buf_adds(out, "****FINFICHIER****") &&
	    buf_adds(out, eol == EOL_CRLF ? "\r\n" :
	    eol == EOL_CR ? "\r" : "\n");
}

enum rc
hprim_write(const struct hprim_patient *p, enum charset to, enum eol eol,
    struct buf *out, struct charset_loss *loss, struct err *e)
{
	enum rc rc = hprim_add(p, to, eol, out, loss, e);

	return rc != RC_OK || hprim_add_end(eol, out) ? rc :
	    err_set(e, RC_NOMEM, _("no memory left"));
}
