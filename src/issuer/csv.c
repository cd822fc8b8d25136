#include "config.h"

#include <string.h>

#include "base/lang.h"
#include "issuer/csv.h"
#include "base/utf8.h"

static char
separator(const uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len && p[i] != '\n' && p[i] != '\r'; i++)
		if (p[i] == ',' || p[i] == ';')
			return (char)p[i];
	return ',';
}

void
csv_init(struct csv *c, uint8_t *p, size_t len)
{
	memset(c, 0, sizeof(*c));
	/* Spreadsheets on Windows begin their files so. */
	if (len >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0) {
		p += 3;
		len -= 3;
	}
	c->p = p;
	c->left = len;
	c->next_line = 1;
	c->sep = separator(p, len);
}

static void
skip(struct csv *c, size_t n)
{
	c->p += n;
	c->left -= n;
}

static bool
at_end_of_line(const struct csv *c)
{
	return c->left == 0 || c->p[0] == '\n' || c->p[0] == '\r';
}

static bool
at_end_of_field(const struct csv *c)
{
	return at_end_of_line(c) || c->p[0] == (uint8_t)c->sep;
}

static void
skip_blanks(struct csv *c)
{
	while (c->left > 0 && is_wsp(c->p[0]))
		skip(c, 1);
}

/* Over LF, CRLF or CR. */
static void
end_line(struct csv *c)
{
	if (c->left == 0)
		return;
	c->next_line++;
	if (c->left > 1 && c->p[0] == '\r' && c->p[1] == '\n')
		skip(c, 1);
	skip(c, 1);
}

static enum rc
plain_field(struct csv *c, struct bytes *f, struct err *e)
{
	const uint8_t *p = c->p;
	size_t len;

	while (!at_end_of_field(c)) {
		if (c->p[0] == '"')
			return err_set(e, RC_INPUT, _("a quote inside of a "
			    "field: put the whole field in quotes and write "
			    "each quote twice"));
		skip(c, 1);
	}
	len = (size_t)(c->p - p);
	while (len > 0 && is_wsp(p[len - 1]))
		len--;
	*f = (struct bytes){ p, len };
	return RC_OK;
}

/* Lines inside of a quoted field count too. */
static void
count_line(struct csv *c)
{
	if (c->p[0] == '\n' || (c->p[0] == '\r' &&
	    (c->left < 2 || c->p[1] != '\n')))
		c->next_line++;
}

static enum rc
quoted_field(struct csv *c, struct bytes *f, struct err *e)
{
	uint8_t *to = c->p + 1;

	f->p = to;
	for (skip(c, 1); c->left > 0; skip(c, 1)) {
		if (c->p[0] == '"') {
			if (c->left < 2 || c->p[1] != '"')
				break;
			skip(c, 1);
		}
		count_line(c);
		*to++ = c->p[0];
	}
	if (c->left == 0)
		return err_set(e, RC_INPUT,
		    _("a quote is opened and never closed"));
	f->len = (size_t)(to - f->p);
	skip(c, 1);
	skip_blanks(c);
	if (!at_end_of_field(c))
		return err_set(e, RC_INPUT, _("text stands behind a closing "
		    "quote; write each quote inside of a field twice"));
	return RC_OK;
}

static enum rc
check_field(struct bytes f, struct err *e)
{
	uint32_t ch;

	if (f.len > CSV_FIELD_MAX_BYTES)
		return err_set(e, RC_INPUT, _("a field is longer than %d "
		    "octets"), CSV_FIELD_MAX_BYTES);
	for (size_t at = 0; at < f.len; ) {
		if (!utf8_next(f.p, f.len, &at, &ch))
			return err_set(e, RC_INPUT, _("not UTF-8: save the "
			    "table again as CSV UTF-8"));
		if (ch == 0)
			return err_set(e, RC_INPUT, _("there is a NUL: this "
			    "is not a text file"));
	}
	return RC_OK;
}

static enum rc
next_field(struct csv *c, struct err *e)
{
	struct bytes *f;
	enum rc rc;

	if (c->n == CSV_FIELDS_MAX)
		return err_set(e, RC_INPUT, _("more than %d fields"),
		    CSV_FIELDS_MAX);
	f = &c->field[c->n++];
	skip_blanks(c);
	if (c->left > 0 && c->p[0] == '"')
		rc = quoted_field(c, f, e);
	else
		rc = plain_field(c, f, e);
	return rc == RC_OK ? check_field(*f, e) : rc;
}

static bool
is_empty(const struct csv *c)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->field[i].len > 0)
			return false;
	return true;
}

static enum rc
next_record(struct csv *c, struct err *e)
{
	enum rc rc;

	c->n = 0;
	c->line = c->next_line;
	while ((rc = next_field(c, e)) == RC_OK && !at_end_of_line(c))
		skip(c, 1);
	if (rc == RC_OK)
		end_line(c);
	return rc;
}

enum rc
csv_next(struct csv *c, bool *more, struct err *e)
{
	enum rc rc;

	*more = false;
	while (c->left > 0) {
		if ((rc = next_record(c, e)) != RC_OK)
			return rc;
		if (!is_empty(c)) {
			*more = true;
			return RC_OK;
		}
	}
	c->n = 0;
	return RC_OK;
}

bool
csv_is(struct bytes f, const char *word)
{
	if (f.len != strlen(word))
		return false;
	for (size_t i = 0; i < f.len; i++) {
		uint8_t c = f.p[i];

		if (c >= 'A' && c <= 'Z')
			c = (uint8_t)(c - 'A' + 'a');
		if (c != (uint8_t)word[i])
			return false;
	}
	return true;
}
