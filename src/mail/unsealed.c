#include "config.h"

#include <string.h>
#include <strings.h>

#include "base/lang.h"
#include "mail/b64.h"
#include "mail/unsealed.h"

#define SENDER "<not-sealed@sceau.invalid>"	/* RFC 2606: nobody's */
#define WORD_OCTETS 45	/* RFC 2047 2: an encoded word has 75 characters */

/* A field as it came: its name, and the value with its folded lines. */
struct field {
	struct bytes	name, value;
};

void
unsealed_init(struct unsealed *u, struct sink sink)
{
	memset(u, 0, sizeof(*u));
	u->sink = sink;
}

void
unsealed_free(struct unsealed *u)
{
	buf_free(&u->head);
}

/* ---- reading ------------------------------------------------------------ */

/* The next line without its end. */
static struct bytes
line_of(struct rd *r)
{
	const uint8_t *from = rd_at(r);
	const uint8_t *lf = r->left > 0 ? memchr(from, '\n', r->left) : NULL;
	struct bytes s = rd_take(r, lf != NULL ? (size_t)(lf - from) : r->left);

	if (lf != NULL)
		(void)rd_8(r);
	if (s.len > 0 && s.p[s.len - 1] == '\r')
		s.len--;
	return s;
}

/* RFC 5322 2.2, and 4.5 with blanks before the colon. */
static bool
split(struct bytes line, struct field *f)
{
	const uint8_t *colon = line.len > 0 ? memchr(line.p, ':', line.len) :
	    NULL;

	if (colon == NULL)
		return false;
	f->name = (struct bytes){ line.p, (size_t)(colon - line.p) };
	f->value = (struct bytes){ colon + 1, line.len - f->name.len - 1 };
	while (f->name.len > 0 && is_wsp(f->name.p[f->name.len - 1]))
		f->name.len--;
	for (size_t i = 0; i < f->name.len; i++)
		if (f->name.p[i] <= ' ' || f->name.p[i] >= 127)
			return false;
	return f->name.len > 0;
}

/* The next field; what is none has no name. */
static bool
field_next(struct rd *r, struct field *f)
{
	struct bytes line;

	if (r->left == 0)
		return false;
	line = line_of(r);
	if (line.len == 0 || is_wsp(*line.p) || !split(line, f))
		*f = (struct field){ { NULL, 0 }, line };
	while (r->left > 0 && is_wsp(*rd_at(r))) {
		line = line_of(r);
		f->value.len = (size_t)(line.p + line.len - f->value.p);
	}
	return true;
}

static bool
named(const struct field *f, const char *name)
{
	return f->name.len == strlen(name) &&
	    strncasecmp((const char *)f->name.p, name, f->name.len) == 0;
}

/* Says nothing of who wrote it, to any reader of mail. */
static bool
is_harmless(const struct field *f)
{
	static const char *const names[] = { "Date", "To", "Cc", "Message-ID",
	    "In-Reply-To", "References", "MIME-Version", "Received" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (named(f, names[i]))
			return true;
	return f->name.len > 8 &&
	    strncasecmp((const char *)f->name.p, "Content-", 8) == 0;
}

static enum rc
take_address(void *arg, const struct addr *a, struct err *e)
{
	struct unsealed *u = arg;

	if (u->claimed[0] != '\0')
		return err_class(e, EC_INNER, _("two addresses"));
	memcpy(u->claimed, a->s, a->len + 1);
	return RC_OK;
}

/* Whom it says it is from, if it says that of one. */
static void
claim(struct unsealed *u)
{
	struct rd r = rd_of(u->head.p, u->head.len);
	struct err ignored = ERR_INIT;
	struct field f;
	size_t n = 0;

	while (field_next(&r, &f)) {
		if (!named(&f, "From"))
			continue;
		if (++n > 1 || addr_list(f.value.p, f.value.len, take_address,
		    u, &ignored) != RC_OK)
			n = 2;
	}
	if (n != 1)
		u->claimed[0] = '\0';
}

/* ---- writing ------------------------------------------------------------ */

/* ${text}, at most WORD_OCTETS, as one encoded word (RFC 2047). */
static bool
put_word(struct buf *b, const char *text)
{
	uint8_t out[B64_LINE_BYTES];
	struct b64_enc enc;
	size_t n = strlen(text);

	BUG_ON(n > WORD_OCTETS);
	b64_enc_init(&enc);
	(void)b64_enc_add(&enc, (const uint8_t *)text, n, out);
	n = b64_enc_end(&enc, out);
	return buf_adds(b, "=?utf-8?B?") && buf_add(b, out, n - 2) &&
	    buf_adds(b, "?=");
}

/* CR and NUL end a line for some readers. */
static bool
put_plain(struct buf *b, struct bytes s, const char *eol)
{
	bool ok = true;

	for (size_t i = 0; ok && i < s.len; i++) {
		uint8_t c = s.p[i];

		if (c == '\n')
			ok = buf_adds(b, eol);
		else if (c == '\r' && i + 1 < s.len && s.p[i + 1] == '\n')
			continue;
		else
			ok = buf_add8(b, c == '\r' || c == '\0' ? ' ' : c);
	}
	return ok && buf_adds(b, eol);
}

static bool
put_from(const struct unsealed *u, struct buf *b, const char *eol)
{
	bool ok = buf_adds(b, "From: ") && put_word(b, u->claimed[0] != '\0' ?
	    _("NOT SEALED, claims to be") : _("NOT SEALED, sender unknown"));

	if (ok && u->claimed[0] != '\0')
		ok = buf_addf(b, " \"%s\"", u->claimed);
	return ok && buf_adds(b, eol) && buf_addf(b, " " SENDER "%s", eol);
}

static bool
put_subject(struct buf *b, const struct field *f, const char *eol)
{
	return buf_adds(b, "Subject: ") && put_word(b, _("[NOT SEALED] ")) &&
	    (f == NULL ? buf_adds(b, eol) :
	    ((f->value.len > 0 && is_wsp(*f->value.p)) || buf_adds(b, " ")) &&
	    put_plain(b, f->value, eol));
}

static bool
put_field(struct buf *b, const struct field *f, const char *eol)
{
	bool ok = is_harmless(f) || buf_adds(b, "X-Claimed-");

	return ok && (f->name.len > 0 ? buf_add(b, f->name.p, f->name.len) :
	    buf_adds(b, "Line")) && buf_adds(b, f->name.len > 0 ? ":" :
	    ": ") && put_plain(b, f->value, eol);
}

static bool
put_head(struct unsealed *u, struct buf *b, const char *eol)
{
	struct rd r = rd_of(u->head.p, u->head.len);
	bool ok = put_from(u, b, eol), subject = false;
	struct field f;

	while (ok && field_next(&r, &f)) {
		if (!subject && named(&f, "Subject")) {
			ok = put_subject(b, &f, eol);
			subject = true;
		} else {
			ok = put_field(b, &f, eol);
		}
	}
	if (ok && !subject)
		ok = put_subject(b, NULL, eol);
	return ok && buf_adds(b, eol);
}

static enum rc
head_over(struct unsealed *u, struct err *e)
{
	const uint8_t *lf = u->head.len > 0 ?
	    memchr(u->head.p, '\n', u->head.len) : NULL;
	bool crlf = lf == NULL || (lf > u->head.p && lf[-1] == '\r');
	struct buf b = BUF_INIT;
	enum rc rc;

	u->body = true;
	claim(u);
	rc = put_head(u, &b, crlf ? "\r\n" : "\n") ? u->sink.put(u->sink.arg,
	    b.p, b.len, e) : err_nomem(e);
	buf_free(&b);
	buf_free(&u->head);
	return rc;
}

/* ---- the stream --------------------------------------------------------- */

/* Where the empty line behind the header begins, and how long it is; none
 * begins before ${from}. */
static bool
head_end(const struct buf *h, size_t from, size_t *at, size_t *len)
{
	for (size_t i = from; i < h->len; i++) {
		if (i > 0 && h->p[i - 1] != '\n')
			continue;
		*at = i;
		*len = h->p[i] == '\n' ? 1 : 2;
		if (h->p[i] == '\n' || (h->p[i] == '\r' && i + 1 < h->len &&
		    h->p[i + 1] == '\n'))
			return true;
	}
	return false;
}

enum rc
unsealed_add(struct unsealed *u, const void *p, size_t len, struct err *e)
{
	const uint8_t *s = p;
	size_t take = UNSEALED_HEAD_MAX_BYTES + 2 - u->head.len, before, at, n;
	enum rc rc;

	if (len == 0)
		return RC_OK;
	if (u->body)
		return u->sink.put(u->sink.arg, s, len, e);
	if (take > len)
		take = len;
	before = u->head.len;
	if (!buf_add(&u->head, s, take))
		return err_nomem(e);
	if (!head_end(&u->head, before > 0 ? before - 1 : 0, &at, &n))
		return u->head.len <= UNSEALED_HEAD_MAX_BYTES ? RC_OK :
		    err_class(e, EC_TOOBIG, _("its header is longer than %d "
		    "octets"), UNSEALED_HEAD_MAX_BYTES);
	u->head.len = at;
	rc = head_over(u, e);
	n += at - before;
	return rc != RC_OK || n == len ? rc : u->sink.put(u->sink.arg, s + n,
	    len - n, e);
}

enum rc
unsealed_end(struct unsealed *u, struct err *e)
{
	return u->body ? RC_OK : head_over(u, e);
}
