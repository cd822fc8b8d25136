#include "config.h"

#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/lang.h"
#include "mail/addr.h"
#include "mail/wrap.h"

/* Encoded at a time: fits a stack and a TLS record. */
#define SLICE_OCTETS (B64_LINE_OCTETS * 128)
/* RFC 2046 5.1.1: a boundary has at most 70 characters. */
#define BOUNDARY_MAX 70

/* Quoted-printable, so that no relay has a reason to touch it. */
static const char text_part[] =
    "Content-Type: text/plain; charset=utf-8\r\n"
    "Content-Transfer-Encoding: quoted-printable\r\n"
    "\r\n"
    "Ce message est scell=C3=A9=C2=A0: il s'ouvre avec le logiciel sceau.\r\n"
    "This message is sealed: open it with the program sceau.\r\n";

static const char sealed_part[] =
    "Content-Type: application/vnd.sceau; name=\"message.sceau\"\r\n"
    "Content-Transfer-Encoding: base64\r\n"
    "Content-Disposition: attachment; filename=\"message.sceau\"\r\n"
    "\r\n";

void
wrap_message_id(const char *route, const uint8_t rnd[WRAP_RANDOM_BYTES],
    char out[WRAP_ID_BYTES])
{
	const char *at = strrchr(route, '@');
	char hex[2 * WRAP_RANDOM_BYTES + 1];

	hex_format(rnd, WRAP_RANDOM_BYTES, hex);
	snprintf(out, WRAP_ID_BYTES, "%s@%s", hex,
	    at != NULL ? at + 1 : "localhost");
}

static bool
plain(const char *s, size_t max, const char *refused)
{
	size_t len = strlen(s);

	if (len == 0 || len > max)
		return false;
	for (size_t i = 0; i < len; i++)
		if (s[i] <= ' ' || s[i] > '~' || strchr(refused, s[i]))
			return false;
	return true;
}

/* The letters and digits of the Message-ID's left side, as they stand. */
static void
make_boundary(struct wrap *w, const char *message_id)
{
	size_t n = (size_t)snprintf(w->boundary, sizeof(w->boundary),
	    "=_sceau_");

	for (const char *p = message_id; *p != '\0' && *p != '@' &&
	    n < BOUNDARY_MAX; p++)
		if ((*p >= '0' && *p <= '9') || (*p >= 'a' && *p <= 'z') ||
		    (*p >= 'A' && *p <= 'Z'))
			w->boundary[n++] = *p;
	w->boundary[n] = '\0';
}

static enum rc
check(struct wrap *w, const struct wrap_head *h, struct err *e)
{
	struct addr a;

	if (addr_parse(h->from, strlen(h->from), &a, e) != RC_OK)
		return err_ctx(e, _("route of the sender"));
	if (addr_parse(h->to, strlen(h->to), &a, e) != RC_OK)
		return err_ctx(e, _("route of the recipient"));
	if (!plain(h->message_id, WRAP_ID_BYTES - 1, "<>\"\\()"))
		return err_set(e, RC_INPUT, _("not a Message-ID"));
	if (h->boundary == NULL) {
		make_boundary(w, h->message_id);
		return RC_OK;
	}
	if (!plain(h->boundary, BOUNDARY_MAX, "\"\\<>@[];"))
		return err_set(e, RC_INPUT, _("not a MIME boundary"));
	snprintf(w->boundary, sizeof(w->boundary), "%s", h->boundary);
	return RC_OK;
}

static enum rc
put(struct wrap *w, const void *p, size_t len, struct err *e)
{
	return len == 0 ? RC_OK : w->sink.put(w->sink.arg, p, len, e);
}

static bool
format_head(struct wrap *w, struct buf *b)
{
	const struct wrap_head *h = &w->head;
	char date[CLOCK_5322_BYTES];

	clock_5322(h->date, date);
	return buf_addf(b, "From: <%s>\r\nTo: <%s>\r\n", h->from, h->to) &&
	    buf_addf(b, "Subject: Message scelle\r\nDate: %s\r\n", date) &&
	    buf_addf(b, "Message-ID: <%s>\r\n", h->message_id) &&
	    buf_addf(b, "MIME-Version: 1.0\r\nContent-Type: multipart/mixed;"
	    "\r\n boundary=\"%s\"\r\n\r\n", w->boundary) &&
	    buf_addf(b, "--%s\r\n%s", w->boundary, text_part) &&
	    buf_addf(b, "--%s\r\n%s", w->boundary, sealed_part);
}

static bool
format_tail(struct wrap *w, struct buf *b)
{
	return buf_addf(b, "\r\n--%s--\r\n", w->boundary);
}

enum rc
wrap_begin(struct wrap *w, const struct wrap_head *head, struct sink sink,
    struct err *e)
{
	struct buf b = BUF_INIT;
	enum rc rc;

	memset(w, 0, sizeof(*w));
	w->head = *head;
	w->sink = sink;
	b64_enc_init(&w->enc);
	if ((rc = check(w, head, e)) != RC_OK)
		return rc;
	rc = format_head(w, &b) ? put(w, b.p, b.len, e) :
	    err_set(e, RC_NOMEM, _("no memory for the outer mail"));
	buf_free(&b);
	return rc;
}

enum rc
wrap_add(struct wrap *w, const void *p, size_t len, struct err *e)
{
	uint8_t out[B64_ENC_BYTES(SLICE_OCTETS)];
	const uint8_t *at = p;
	enum rc rc = RC_OK;

	while (rc == RC_OK && len > 0) {
		size_t n = len < SLICE_OCTETS ? len : SLICE_OCTETS;

		rc = put(w, out, b64_enc_add(&w->enc, at, n, out), e);
		at += n;
		len -= n;
	}
	return rc;
}

enum rc
wrap_end(struct wrap *w, struct err *e)
{
	uint8_t line[B64_LINE_BYTES];
	struct buf b = BUF_INIT;
	enum rc rc;

	rc = put(w, line, b64_enc_end(&w->enc, line), e);
	if (rc == RC_OK)
		rc = format_tail(w, &b) ? put(w, b.p, b.len, e) :
		    err_set(e, RC_NOMEM, _("no memory for the outer mail"));
	buf_free(&b);
	return rc;
}

enum rc
wrap_length(const struct wrap_head *head, uint64_t len, uint64_t *out,
    struct err *e)
{
	struct wrap w = { .head = *head };
	struct buf b = BUF_INIT;
	enum rc rc;

	if ((rc = check(&w, head, e)) != RC_OK)
		return rc;
	if (format_head(&w, &b) && format_tail(&w, &b))
		*out = b.len + b64_enc_length(len);
	else
		rc = err_set(e, RC_NOMEM, _("no memory for the outer mail"));
	buf_free(&b);
	return rc;
}
