#include "config.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/lang.h"
#include "base/secret.h"
#include "mail/submit.h"

#define OUT_BYTES 16384
#define NAME_MAX_BYTES 255	/* of a field: receivers refuse longer ones */

enum { F_FROM, F_DATE, F_ID, F_SUBJECT, F_TO, F_CC, F_REPLY, F_BCC, F_N };

static const struct {
	const char	*name;
	bool		 once;	/* PROTOCOL 2.11 step 11 */
	bool		 rcpt;
} fields[F_N] = {
	[F_FROM] = { "From", true, false },
	[F_DATE] = { "Date", true, false },
	[F_ID] = { "Message-ID", true, false },
	[F_SUBJECT] = { "Subject", true, false },
	[F_TO] = { "To", true, true },
	[F_CC] = { "Cc", true, true },
	[F_REPLY] = { "Reply-To", true, false },
	[F_BCC] = { "Bcc", false, true },
};

/* The second look at a header, once it is there whole. */
struct reader {
	struct submit			*s;
	const struct submit_add		*add;
	struct buf			 out;
	unsigned			 seen[F_N];
	unsigned			 line;	/* for complaints, from 1 */
	size_t				 nfrom;
	bool				 from_local;
};

/* One field: from its name to the end of its last folded line. */
struct field {
	const uint8_t	*p;
	size_t		 len;
	size_t		 nname;
	unsigned	 nlines;
};

void
submit_init(struct submit *s, uint64_t max)
{
	memset(s, 0, sizeof(*s));
	s->max = max;
}

static enum rc
no_memory(struct err *e)
{
	return err_set(e, RC_NOMEM, _("no memory for the header"));
}

static enum rc
too_big(const struct submit *s, struct err *e)
{
	return err_class(e, EC_TOOBIG, _("the message has more than %llu "
	    "octets; nothing was sent; raise max_send or send less at once"),
	    (unsigned long long)s->max);
}

static enum rc
head_too_big(struct err *e)
{
	return err_class(e, EC_TOOBIG, _("the header has more than %d octets; "
	    "nothing was sent"), SUBMIT_HEAD_MAX_BYTES);
}

/* Up to and with the empty line; returns how many octets are header. */
static size_t
scan_head(struct submit *s, const uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (p[i] == '\n') {
			s->body = s->line == (s->cr ? 1 : 0);
			s->line = 0;
		} else {
			s->line++;
		}
		s->cr = p[i] == '\r';
		if (s->body)
			return i + 1;
	}
	return len;
}

static void
scan_body(struct submit *s, const uint8_t *p, size_t len)
{
	const uint8_t *at = p, *end = p + len, *nl;

	while ((nl = memchr(at, '\n', (size_t)(end - at))) != NULL) {
		bool cr = nl > p ? nl[-1] == '\r' : s->cr;

		*(cr ? &s->ncrlf : &s->nlf) += 1;
		at = nl + 1;
	}
	s->cr = end[-1] == '\r';
}

enum rc
submit_scan(struct submit *s, const void *p, size_t len, struct err *e)
{
	const uint8_t *at = p;
	size_t n;

	if (!s->body && len > 0) {
		n = scan_head(s, at, len);
		if (n > SUBMIT_HEAD_MAX_BYTES - s->head.len)
			return head_too_big(e);
		if (!buf_add(&s->head, at, n))
			return no_memory(e);
		s->nhead += n;
		at += n;
		len -= n;
	}
	if (len == 0)
		return RC_OK;
	scan_body(s, at, len);
	s->nbody += len;
	return s->nbody > s->max ? too_big(s, e) : RC_OK;
}

/* The line at ${p}: its octets without its end; ${skip}: with it. */
static size_t
line_at(const uint8_t *p, size_t left, size_t *skip)
{
	const uint8_t *nl = memchr(p, '\n', left);
	size_t n = nl != NULL ? (size_t)(nl - p) : left;

	*skip = nl != NULL ? n + 1 : n;
	return nl != NULL && n > 0 && p[n - 1] == '\r' ? n - 1 : n;
}

/* Lines with their ends as MAIL has them. */
static bool
add_lines(struct buf *out, const uint8_t *p, size_t len)
{
	size_t n, skip;

	for (; len > 0; p += skip, len -= skip) {
		n = line_at(p, len, &skip);
		if (!buf_add(out, p, n) || !buf_adds(out, "\r\n"))
			return false;
	}
	return true;
}

static enum rc
complain(const struct reader *r, const char *what, struct err *e)
{
	return err_class(e, EC_INNER, _("header line %u: %s; nothing was "
	    "sent"), r->line, what);
}

static size_t
blanks(const uint8_t *p, size_t len)
{
	size_t n = 0;

	while (n < len && is_wsp(p[n]))
		n++;
	return n;
}

/* RFC 5322 2.2: printable, no blank, then ":". */
static enum rc
check_line(const struct reader *r, const uint8_t *p, size_t len, bool first,
    size_t *nname, struct err *e)
{
	size_t i = 0;

	if (memchr(p, '\0', len) != NULL)
		return complain(r, _("it holds a NUL octet"), e);
	if (memchr(p, '\r', len) != NULL)
		return complain(r, _("it holds a CR that ends no line"), e);
	/* some readers would take it for the empty line */
	if (!first && blanks(p, len) == len)
		return complain(r, _("it holds only blanks; remove it"), e);
	if (!first)
		return RC_OK;
	if (is_wsp(p[0]))
		return complain(r, _("it begins with a blank, but continues "
		    "nothing"), e);
	while (i < len && p[i] > ' ' && p[i] < 0x7f && p[i] != ':')
		i++;
	if (i == 0 || i == len || p[i] != ':' || i > NAME_MAX_BYTES)
		return complain(r, _("it is not \"Name: value\"; a message "
		    "begins with its header lines, then an empty line"), e);
	*nname = i;
	return RC_OK;
}

/* Take the next field; ${left} is not 0. */
static enum rc
field_at(const struct reader *r, const uint8_t *p, size_t left,
    struct field *f, struct err *e)
{
	struct reader at = *r;
	size_t n, skip;
	enum rc rc;

	*f = (struct field){ p, 0, 0, 0 };
	do {
		n = line_at(p, left, &skip);
		rc = check_line(&at, p, n, f->nlines == 0, &f->nname, e);
		if (rc != RC_OK)
			return rc;
		p += skip;
		left -= skip;
		f->len += skip;
		f->nlines++;
		at.line++;
	} while (left > 0 && is_wsp(*p));
	return RC_OK;
}

static bool
is_named(const struct field *f, const char *name)
{
	return strlen(name) == f->nname &&
	    strncasecmp((const char *)f->p, name, f->nname) == 0;
}

static enum rc
add_rcpt(void *arg, const struct addr *a, struct err *e)
{
	struct submit *s = arg;
	struct addr low = *a, *more;

	addr_lower(&low);
	for (size_t i = 0; i < s->nrcpts; i++)
		if (strcmp(s->rcpts[i].s, low.s) == 0)
			return RC_OK;
	if (s->nrcpts == SUBMIT_RCPT_MAX)
		return err_class(e, EC_INNER, _("more than %d recipients"),
		    SUBMIT_RCPT_MAX);
	if ((s->nrcpts & (s->nrcpts - 1)) == 0) {
		more = calloc(2 * s->nrcpts + 1, sizeof(*more));
		if (more == NULL)
			return no_memory(e);
		if (s->nrcpts > 0)
			memcpy(more, s->rcpts, s->nrcpts * sizeof(*more));
		free(s->rcpts);
		s->rcpts = more;
	}
	s->rcpts[s->nrcpts++] = low;
	return RC_OK;
}

/* "root (Cron Daemon)": a user of this machine, no address. */
static bool
is_local_name(const uint8_t *p, size_t len)
{
	bool name = false;

	for (size_t i = 0; i < len; i++) {
		if (strchr("@:;,<>", p[i]) != NULL)
			return false;
		name = name || isalnum(p[i]) != 0;
	}
	return name;
}

static enum rc
add_from(void *arg, const struct addr *a, struct err *e)
{
	struct reader *r = arg;

	(void)e;
	r->s->from = *a;
	r->nfrom++;
	return RC_OK;
}

/* What the addresses of a field say to us. */
static enum rc
read_addresses(struct reader *r, const struct field *f, int which,
    struct err *e)
{
	const uint8_t *value = f->p + f->nname + 1;
	size_t len = f->len - f->nname - 1;
	enum rc rc = RC_OK;

	if (which == F_FROM && is_local_name(value, len)) {
		r->from_local = true;
	} else if (which == F_FROM) {
		rc = addr_list(value, len, add_from, r, e);
		if (rc == RC_OK && r->nfrom != 1)
			rc = err_set(e, RC_INPUT, _("it must name one "
			    "sender"));
	} else if (fields[which].rcpt && r->add->recipients) {
		rc = addr_list(value, len, add_rcpt, r->s, e);
	}
	if (rc == RC_OK)
		return RC_OK;
	rc = err_ctx(e, _("header line %u, %s"), r->line, fields[which].name);
	if (rc == RC_INPUT)
		e->class = EC_INNER;
	return rc;
}

static enum rc
one_field(struct reader *r, const struct field *f, struct err *e)
{
	bool drop = f->nname >= 7 &&
	    strncasecmp((const char *)f->p, "X-Sceau", 7) == 0;
	enum rc rc;

	for (int i = 0; i < F_N; i++) {
		if (!is_named(f, fields[i].name))
			continue;
		if (fields[i].once && r->seen[i]++ > 0)
			return err_class(e, EC_INNER, _("header line %u: a "
			    "second %s; nothing was sent"), r->line,
			    fields[i].name);
		if ((rc = read_addresses(r, f, i, e)) != RC_OK)
			return rc;
		drop = drop || i == F_BCC || (i == F_FROM && r->from_local);
	}
	if (drop) {
		r->s->nremoved++;
		return RC_OK;
	}
	return add_lines(&r->out, f->p, f->len) ? RC_OK : no_memory(e);
}

static enum rc
read_head(struct reader *r, struct err *e)
{
	const uint8_t *p = r->s->head.p;
	size_t left = r->s->head.len, skip;
	struct field f;
	enum rc rc;

	for (r->line = 1; left > 0; r->line += f.nlines) {
		if (line_at(p, left, &skip) == 0)
			break;	/* the empty line, the last one */
		if ((rc = field_at(r, p, left, &f, e)) != RC_OK ||
		    (rc = one_field(r, &f, e)) != RC_OK)
			return rc;
		p += f.len;
		left -= f.len;
	}
	return RC_OK;
}

static enum rc
add_missing(struct reader *r, struct err *e)
{
	struct submit *s = r->s;
	char date[CLOCK_5322_BYTES];
	bool ok = true;

	s->from_added = r->seen[F_FROM] == 0 || r->from_local;
	s->date_added = r->seen[F_DATE] == 0;
	s->message_id_added = r->seen[F_ID] == 0;
	if (s->from_added) {
		BUG_ON(addr_parse(r->add->from, strlen(r->add->from),
		    &s->from, e) != RC_OK);
		ok = ok && buf_addf(&r->out, "From: %s\r\n", s->from.s);
	}
	if (s->date_added) {
		clock_5322(r->add->date, date);
		ok = ok && buf_addf(&r->out, "Date: %s\r\n", date);
	}
	if (s->message_id_added) {
		BUG_ON(strpbrk(r->add->message_id, "\r\n<> ") != NULL);
		ok = ok && buf_addf(&r->out, "Message-ID: <%s>\r\n",
		    r->add->message_id);
	}
	return ok && buf_adds(&r->out, "\r\n") ? RC_OK : no_memory(e);
}

/* CRLF in the header, or bare LF from the first octet to the last. */
static enum rc
check_ends(struct submit *s, struct err *e)
{
	uint64_t crlf = s->ncrlf, lf = 0;

	for (size_t i = 0; i < s->head.len; i++)
		if (s->head.p[i] == '\n') {
			bool cr = i > 0 && s->head.p[i - 1] == '\r';

			*(cr ? &crlf : &lf) += 1;
		}
	s->converted = crlf == 0 && lf > 0;
	if (lf > 0 && !s->converted)
		return err_class(e, EC_INNER, _("some lines end in LF and "
		    "some in CRLF, and the header is not all CRLF; nothing "
		    "was sent; give all lines the same end"));
	return RC_OK;
}

enum rc
submit_scan_end(struct submit *s, const struct submit_add *add, struct err *e)
{
	struct reader r = { .s = s, .add = add, .out = BUF_INIT };
	enum rc rc;

	if (s->nhead == 0)
		return err_class(e, EC_INNER, _("the message is empty; nothing "
		    "was sent"));
	if ((rc = read_head(&r, e)) != RC_OK ||
	    (rc = check_ends(s, e)) != RC_OK ||
	    (rc = add_missing(&r, e)) != RC_OK)
		goto out;
	buf_free(&s->head);
	s->head = r.out;
	r.out = (struct buf)BUF_INIT;
	if (s->head.len > SUBMIT_HEAD_MAX_BYTES)
		rc = head_too_big(e);
	else if (submit_length(s) > s->max)
		rc = too_big(s, e);
out:
	buf_free(&r.out);
	return rc;
}

bool
submit_has_from(const struct submit *s)
{
	const uint8_t *p = s->head.p;
	size_t left = s->head.len, n, skip;

	for (; left > 0; p += n, left -= n) {
		for (n = 0; n == 0 || (n < left && is_wsp(p[n])); n += skip)
			line_at(p + n, left - n, &skip);
		if (n > 5 && strncasecmp((const char *)p, "From:", 5) == 0)
			return !is_local_name(p + 5, n - 5);
	}
	return false;
}

uint64_t
submit_length(const struct submit *s)
{
	return s->head.len + s->nbody + (s->converted ? s->nlf : 0);
}

/* Bare LF throughout: each becomes CRLF. */
static enum rc
copy_lines(const uint8_t *p, size_t len, struct sink sink, struct err *e)
{
	uint8_t out[OUT_BYTES];
	size_t n = 0;
	enum rc rc = RC_OK;

	for (size_t i = 0; i < len && rc == RC_OK; i++) {
		if (p[i] == '\n')
			out[n++] = '\r';
		out[n++] = p[i];
		if (n < sizeof(out) - 1)
			continue;
		rc = sink.put(sink.arg, out, n, e);
		n = 0;
	}
	if (rc == RC_OK && n > 0)
		rc = sink.put(sink.arg, out, n, e);
	wipe(out, sizeof(out));
	return rc;
}

static enum rc
changed(struct err *e)
{
	return err_set(e, RC_TEMP, _("the message changed while it was being "
	    "read; nothing was sent"));
}

enum rc
submit_copy(struct submit *s, const void *p, size_t len, struct sink sink,
    struct err *e)
{
	const uint8_t *at = p;
	uint64_t left = s->copied < s->nhead ? s->nhead - s->copied : 0;
	enum rc rc = RC_OK;

	if (len == 0)
		return RC_OK;
	if (len > s->nhead + s->nbody - s->copied)
		return changed(e);
	if (s->copied == 0)
		rc = sink.put(sink.arg, s->head.p, s->head.len, e);
	s->copied += len;
	if (rc != RC_OK || len <= left)
		return rc;
	at += left;
	len -= (size_t)left;
	if (s->converted)
		return copy_lines(at, len, sink, e);
	return sink.put(sink.arg, at, len, e);
}

enum rc
submit_copy_end(struct submit *s, struct err *e)
{
	bool whole = s->copied == s->nhead + s->nbody;

	s->copied = 0;
	return whole ? RC_OK : changed(e);
}

void
submit_free(struct submit *s)
{
	buf_free(&s->head);
	if (s->rcpts != NULL)
		wipe(s->rcpts, s->nrcpts * sizeof(*s->rcpts));
	free(s->rcpts);
	wipe(s, sizeof(*s));
}
