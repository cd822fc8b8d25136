#include "config.h"

#include <string.h>
#include <strings.h>

#include "document/plain.h"

#define HEADER_MAX 16384
#define LINE_MAX_OCTETS 998	/* RFC 5322 2.1.1 */

/* What was said once is not said again. */
enum said { SAID_TYPE = 1, SAID_HOW = 2, SAID_VERSION = 4 };

/* The next line of a header, without its end; false: there is none, or one
 * that a parser should look at. */
static bool
line_next(struct bytes *in, struct bytes *line)
{
	const uint8_t *end = in->len == 0 ? NULL :
	    memchr(in->p, '\n', in->len);
	size_t len;

	if (end == NULL)
		return false;
	len = (size_t)(end - in->p);
	*line = (struct bytes){ in->p, len };
	in->p += len + 1;
	in->len -= len + 1;
	if (line->len > 0 && line->p[line->len - 1] == '\r')
		line->len--;
	for (size_t i = 0; i < line->len; i++)
		if ((line->p[i] < ' ' && line->p[i] != '\t') ||
		    line->p[i] > '~')
			return false;
	return line->len <= LINE_MAX_OCTETS;
}

static bool
is_token(uint8_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
	    (c >= 'a' && c <= 'z') || c == '-' || c == '_';
}

/* The octets of a field's name; 0: it has none that is plain. */
static size_t
name_len(struct bytes line)
{
	size_t n = 0;

	while (n < line.len && is_token(line.p[n]))
		n++;
	return n < line.len && line.p[n] == ':' ? n : 0;
}

static void
skip_spaces(struct bytes *s)
{
	while (s->len > 0 && (s->p[0] == ' ' || s->p[0] == '\t')) {
		s->p++;
		s->len--;
	}
}

/* ${word} stands there, in any case of letters, and is taken. */
static bool
take(struct bytes *s, const char *word)
{
	size_t n = strlen(word);

	if (s->len < n || strncasecmp((const char *)s->p, word, n) != 0)
		return false;
	s->p += n;
	s->len -= n;
	return true;
}

static bool
is(struct bytes name, const char *word)
{
	return take(&name, word) && name.len == 0;
}

static bool
take_end(struct bytes *s)
{
	skip_spaces(s);
	return s->len == 0;
}

/* "text/plain", with a character set or without. */
static bool
take_type(struct bytes *s, struct plain *out)
{
	bool quoted;
	size_t n = 0;

	if (!take(s, "text/plain"))
		return false;
	if (take_end(s))
		return true;
	if (!take(s, ";"))
		return false;
	skip_spaces(s);
	if (!take(s, "charset="))
		return false;
	quoted = take(s, "\"");
	while (n < s->len && is_token(s->p[n]))
		n++;
	if (n == 0 || n >= sizeof(out->charset))
		return false;
	memcpy(out->charset, s->p, n);
	out->charset[n] = '\0';
	s->p += n;
	s->len -= n;
	return (!quoted || take(s, "\"")) && take_end(s);
}

/* A field of MIME: one of those that leave the text as it is. */
static bool
take_mime(struct bytes name, struct bytes value, unsigned *said,
    struct plain *out)
{
	unsigned now;

	skip_spaces(&value);
	if (is(name, "MIME-Version")) {
		now = SAID_VERSION;
		if (!take(&value, "1.0") || !take_end(&value))
			return false;
	} else if (is(name, "Content-Type")) {
		now = SAID_TYPE;
		if (!take_type(&value, out))
			return false;
	} else if (is(name, "Content-Transfer-Encoding")) {
		now = SAID_HOW;
		if (!(take(&value, "7bit") || take(&value, "8bit")) ||
		    !take_end(&value))
			return false;
	} else
		return false;
	if ((*said & now) != 0)
		return false;
	*said |= now;
	return true;
}

bool
plain_read(struct bytes mail, struct plain *out)
{
	const uint8_t *start = mail.p;
	bool mime = false, some = false;
	struct bytes line;
	unsigned said = 0;
	size_t n;

	out->charset[0] = '\0';
	while (line_next(&mail, &line)) {
		struct bytes name = line, peek = line;

		if (line.len == 0) {
			out->text = mail;
			return some && mail.len > 0;
		}
		if ((size_t)(mail.p - start) > HEADER_MAX)
			return false;
		/* Folded; a field of MIME is not, or not for us. */
		if (line.p[0] == ' ' || line.p[0] == '\t') {
			skip_spaces(&peek);
			if (!some || mime || peek.len == 0)
				return false;
			continue;
		}
		if ((n = name_len(line)) == 0)
			return false;
		some = true;
		name.len = n;
		mime = take(&peek, "Content-") || take(&peek, "MIME-");
		line.p += n + 1;
		line.len -= n + 1;
		if (mime && !take_mime(name, line, &said, out))
			return false;
	}
	return false;
}
