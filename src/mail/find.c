#include "config.h"

#include <string.h>
#include <strings.h>

#include "base/lang.h"
#include "mail/addr.h"
#include "mail/find.h"

/* PROTOCOL 2.15: nobody needs more than 64 KiB of header. */
#define HEAD_MAX_BYTES 65536
/* Decoded at a time: FIND_OUT_BYTES must hold a slice more than once. */
#define SLICE_BYTES 4096

/* Where the next octet of the mail stands. */
enum {
	ST_MATCH,	/* outside, all of the line so far is FIND_MAGIC */
	ST_SKIP,	/* outside, in a line that does not begin so */
	ST_START,	/* inside, at the start of a line */
	ST_DASH,	/* inside, after a "-" that begins a line */
	ST_BLANK,	/* inside, nothing but blanks so far in this line */
	ST_DATA		/* inside, in a line with something in it */
};

static bool
is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* "Message-ID: <x>": what stands in < >, if it is plain. */
static void
head_message_id(struct find_head *h, const uint8_t *p, size_t len)
{
	const uint8_t *open = memchr(p, '<', len), *shut;
	size_t n;

	if (open == NULL || (shut = memchr(open, '>',
	    len - (size_t)(open - p))) == NULL)
		return;
	n = (size_t)(shut - open) - 1;
	if (n >= sizeof(h->message_id))
		return;
	for (size_t i = 1; i <= n; i++)
		if (open[i] <= ' ' || open[i] > '~')
			return;
	memcpy(h->message_id, open + 1, n);
	h->message_id[n] = '\0';
}

static enum rc
head_first(void *arg, const struct addr *a, struct err *e)
{
	struct find_head *h = arg;

	memcpy(h->from, a->s, a->len + 1);
	return err_set(e, RC_PERM, "enough");
}

static bool
head_is(const struct find_head *h, const char *name)
{
	size_t n = strlen(name);

	return h->len > n && strncasecmp((const char *)h->line, name, n) == 0;
}

/* A field is whole: keep what the log wants of it, the first time. */
static void
head_field(struct find_head *h)
{
	struct err ignored = ERR_INIT;

	if (!h->over && head_is(h, "message-id:") &&
	    h->message_id[0] == '\0')
		head_message_id(h, h->line + 11, h->len - 11);
	if (!h->over && head_is(h, "from:") && h->from[0] == '\0')
		(void)addr_list(h->line + 5, h->len - 5, head_first, h,
		    &ignored);
	h->len = 0;
	h->over = false;
}

static void
head_octet(struct find_head *h, uint8_t c)
{
	if (++h->seen > HEAD_MAX_BYTES || (h->start && c == '\n')) {
		head_field(h);
		h->done = true;
		return;
	}
	if (c == '\n') {
		h->start = true;
		return;
	}
	if (h->start && c == '\r')
		return;
	if (h->start && c != ' ' && c != '\t')
		head_field(h);
	h->start = false;
	if (c == '\r')
		return;
	if (h->len < sizeof(h->line))
		h->line[h->len++] = c;
	else
		h->over = true;
}

static enum rc
fail(struct find *f, enum rc rc, const struct err *e)
{
	f->failed = *e;
	f->failed.rc = rc;
	return rc;
}

static enum rc
fail_format(struct find *f, const char *why, struct err *e)
{
	return fail(f, err_class(e, EC_FORMAT, "%s", why), e);
}

static enum rc
flush(struct find *f, struct err *e)
{
	size_t n = f->nout;
	enum rc rc;

	f->nout = 0;
	if (n == 0)
		return RC_OK;
	rc = f->sink.put(f->sink.arg, f->out, n, e);
	return rc == RC_OK ? RC_OK : fail(f, rc, e);
}

/* The size first: the verdict must not depend on how the mail was cut. */
static enum rc
account(struct find *f, size_t n, struct err *e)
{
	f->nout += n;
	f->length += n;
	if (f->length > f->max)
		return fail(f, err_class(e, EC_TOOBIG, _("an envelope of "
		    "more than %llu octets"), (unsigned long long)f->max), e);
	if (f->dec.bad != B64_GOOD)
		return fail_format(f, b64_bad_say(f->dec.bad), e);
	return RC_OK;
}

static enum rc
decode(struct find *f, const uint8_t *p, size_t len, struct err *e)
{
	enum rc rc = RC_OK;

	while (rc == RC_OK && len > 0) {
		size_t n = len < SLICE_BYTES ? len : SLICE_BYTES, got;

		if (sizeof(f->out) - f->nout < B64_DEC_BYTES(n) &&
		    (rc = flush(f, e)) != RC_OK)
			return rc;
		b64_dec_add(&f->dec, p, n, f->out + f->nout, &got);
		rc = account(f, got, e);
		p += n;
		len -= n;
	}
	return rc;
}

static enum rc
envelope_begin(struct find *f, struct err *e)
{
	if (++f->count > 1)
		return fail_format(f, _("more than one envelope in one mail"),
		    e);
	f->state = ST_DATA;
	return decode(f, (const uint8_t *)FIND_MAGIC, FIND_MAGIC_LEN, e);
}

static enum rc
envelope_end(struct find *f, struct err *e)
{
	size_t got;
	enum rc rc;

	if (sizeof(f->out) - f->nout < B64_DEC_BYTES(0) &&
	    (rc = flush(f, e)) != RC_OK)
		return rc;
	b64_dec_end(&f->dec, f->out + f->nout, &got);
	if ((rc = account(f, got, e)) != RC_OK)
		return rc;
	return flush(f, e);
}

/* Outside: the rest of the line, or of what is there, at once. */
static const uint8_t *
skip_line(struct find *f, const uint8_t *p, const uint8_t *end)
{
	const uint8_t *nl = memchr(p, '\n', (size_t)(end - p));

	if (nl == NULL)
		return end;
	f->state = ST_MATCH;
	f->matched = 0;
	return nl + 1;
}

static enum rc
match(struct find *f, uint8_t c, struct err *e)
{
	if (c == (uint8_t)FIND_MAGIC[f->matched]) {
		if (++f->matched == FIND_MAGIC_LEN)
			return envelope_begin(f, e);
		return RC_OK;
	}
	f->matched = 0;
	f->state = c == '\n' ? ST_MATCH : ST_SKIP;
	return RC_OK;
}

/* Inside, before anything but blanks has been seen in this line. */
static enum rc
line_start(struct find *f, uint8_t c, struct err *e)
{
	if (c == '\n') {
		f->state = ST_MATCH;
		f->matched = 0;
		return envelope_end(f, e);
	}
	if (is_blank(c)) {
		f->state = ST_BLANK;
		return RC_OK;
	}
	if (c == '-' && f->state == ST_START) {
		f->state = ST_DASH;
		return RC_OK;
	}
	f->state = ST_DATA;
	return decode(f, &c, 1, e);
}

static enum rc
dash(struct find *f, uint8_t c, struct err *e)
{
	if (c != '-')
		return fail_format(f, b64_bad_say(B64_FOREIGN), e);
	f->state = ST_SKIP;
	return envelope_end(f, e);
}

static enum rc
data(struct find *f, const uint8_t **p, const uint8_t *end, struct err *e)
{
	const uint8_t *nl = memchr(*p, '\n', (size_t)(end - *p));
	const uint8_t *stop = nl != NULL ? nl : end, *from = *p;

	*p = stop;
	if (nl != NULL) {
		*p = nl + 1;
		f->state = ST_START;
	}
	return decode(f, from, (size_t)(stop - from), e);
}

static enum rc
step(struct find *f, const uint8_t **p, const uint8_t *end, struct err *e)
{
	switch (f->state) {
	case ST_MATCH:
		return match(f, *(*p)++, e);
	case ST_SKIP:
		*p = skip_line(f, *p, end);
		return RC_OK;
	case ST_START:
	case ST_BLANK:
		return line_start(f, *(*p)++, e);
	case ST_DASH:
		return dash(f, *(*p)++, e);
	default:
		return data(f, p, end, e);
	}
}

void
find_init(struct find *f, struct sink sink, uint64_t max)
{
	memset(f, 0, sizeof(*f));
	f->sink = sink;
	f->max = max;
	f->state = ST_MATCH;
	f->head.start = true;
	b64_dec_init(&f->dec);
}

enum rc
find_add(struct find *f, const void *p, size_t len, struct err *e)
{
	const uint8_t *at = p, *end = at + len;
	enum rc rc = RC_OK;

	if (f->failed.rc != RC_OK) {
		*e = f->failed;
		return e->rc;
	}
	for (size_t i = 0; i < len && !f->head.done; i++)
		head_octet(&f->head, at[i]);
	while (rc == RC_OK && at < end)
		rc = step(f, &at, end, e);
	return rc;
}

enum rc
find_end(struct find *f, enum find_result *result, struct err *e)
{
	enum rc rc = RC_OK;

	if (f->failed.rc != RC_OK) {
		*e = f->failed;
		return e->rc;
	}
	if (!f->head.done)
		head_field(&f->head);
	f->head.done = true;
	switch (f->state) {
	case ST_MATCH:
	case ST_SKIP:
		break;
	case ST_DASH:
		rc = fail_format(f, b64_bad_say(B64_FOREIGN), e);
		break;
	default:
		f->state = ST_SKIP;
		rc = envelope_end(f, e);
		break;
	}
	if (rc == RC_OK)
		*result = f->count == 0 ? FIND_NONE : FIND_ONE;
	return rc;
}

uint64_t
find_length(const struct find *f)
{
	return f->length;
}

const char *
find_message_id(const struct find *f)
{
	return f->head.message_id;
}

const char *
find_from(const struct find *f)
{
	return f->head.from;
}
