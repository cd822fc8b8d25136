#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/lang.h"
#include "base/secret.h"
#include "flow/outmail.h"
#include "mail/b64.h"

#define READ_BYTES (B64_LINE_OCTETS * 512)
#define WORD_OCTETS 15	/* an encoded word is at most 75 (RFC 2047 2) */

struct writing {
	struct sink	sink;
	uint8_t		in[READ_BYTES];
	uint8_t		out[B64_ENC_BYTES(READ_BYTES)];
	struct b64_enc	enc;
};

static enum rc
put(struct writing *w, const struct buf *b, bool ok, struct err *e)
{
	return !ok ? err_set(e, RC_NOMEM, _("no memory left")) :
	    w->sink.put(w->sink.arg, b->p, b->len, e);
}

static bool
is_plain(const char *s, const char *more)
{
	for (; *s != '\0'; s++)
		if (!((*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') ||
		    (*s >= '0' && *s <= '9') || strchr(more, *s) != NULL))
			return false;
	return true;
}

/* In words of whole characters, each on a line. */
static bool
add_subject(struct buf *b, const char *s)
{
	size_t len = strlen(s), n;

	if (is_plain(s, " .,:;-'/") && len < 60)
		return buf_addf(b, "Subject: %s\r\n", s);
	if (!buf_adds(b, "Subject:"))
		return false;
	for (; len > 0; s += n, len -= n) {
		n = len < WORD_OCTETS ? len : WORD_OCTETS;
		while (n > 1 && n < len && ((uint8_t)s[n] & 0xc0) == 0x80)
			n--;
		if (!buf_adds(b, " =?utf-8?Q?"))
			return false;
		for (size_t i = 0; i < n; i++)
			if (!buf_addf(b, "=%02X", (uint8_t)s[i]))
				return false;
		if (!buf_adds(b, "?=\r\n"))
			return false;
	}
	return true;
}

/* RFC 2231 4 where the name is not of the plainest. */
static bool
add_name(struct buf *b, const char *name)
{
	if (is_plain(name, "._-"))
		return buf_addf(b, " filename=\"%s\"\r\n", name);
	if (!buf_adds(b, " filename*=utf-8''"))
		return false;
	for (; *name != '\0'; name++)
		if (!buf_addf(b, "%%%02X", (uint8_t)*name))
			return false;
	return buf_adds(b, "\r\n");
}

static enum rc
write_head(struct writing *w, const struct outmail *m, struct err *e)
{
	struct buf b = BUF_INIT;
	bool ok = buf_addf(&b, "From: %s\r\nTo: %s\r\nDate: %s\r\n"
	    "Message-ID: <%s>\r\n", m->from, m->to, m->date,
	    m->message_id) && add_subject(&b, m->subject) &&
	    buf_addf(&b, "MIME-Version: 1.0\r\nContent-Type: "
	    "multipart/mixed; boundary=\"%s\"\r\n\r\n", m->boundary);
	enum rc rc = put(w, &b, ok, e);

	buf_free(&b);
	return rc;
}

static enum rc
write_part_head(struct writing *w, const struct outmail *m,
    const struct outmail_part *p, struct err *e)
{
	struct buf b = BUF_INIT;
	bool ok = buf_addf(&b, "--%s\r\nContent-Type: %s", m->boundary,
	    p->type) && (p->charset == NULL ||
	    buf_addf(&b, "; charset=%s", p->charset)) &&
	    buf_adds(&b, "\r\nContent-Transfer-Encoding: base64\r\n"
	    "Content-Disposition: attachment;\r\n") &&
	    add_name(&b, p->name) && buf_adds(&b, "\r\n");
	enum rc rc = put(w, &b, ok, e);

	buf_free(&b);
	return rc;
}

static enum rc
encode(struct writing *w, const uint8_t *p, size_t len, struct err *e)
{
	enum rc rc = RC_OK;

	while (rc == RC_OK && len > 0) {
		size_t n = len < READ_BYTES ? len : READ_BYTES;
		size_t got = b64_enc_add(&w->enc, p, n, w->out);

		if (got > 0)
			rc = w->sink.put(w->sink.arg, w->out, got, e);
		p += n;
		len -= n;
	}
	return rc;
}

/* Not one octet more or less than it had when it was looked at. */
static enum rc
encode_file(struct writing *w, const struct outmail_part *p, struct err *e)
{
	uint64_t at = 0;
	enum rc rc = RC_OK;
	ssize_t n = 1;

	while (rc == RC_OK && n != 0) {
		if ((n = pread(p->fd, w->in, READ_BYTES, (off_t)at)) < 0)
			return err_sys(e, "read");
		at += (uint64_t)n;
		if (at > p->size)
			break;
		rc = encode(w, w->in, (size_t)n, e);
	}
	return rc == RC_OK && at != p->size ? err_set(e, RC_TEMP,
	    _("the file changes while it is read")) : rc;
}

static enum rc
write_part(struct writing *w, const struct outmail *m,
    const struct outmail_part *p, struct err *e)
{
	enum rc rc = write_part_head(w, m, p, e);
	size_t got;

	b64_enc_init(&w->enc);
	if (rc == RC_OK)
		rc = p->fd >= 0 ? encode_file(w, p, e) :
		    encode(w, p->octets.p, p->octets.len, e);
	got = b64_enc_end(&w->enc, w->out);
	return rc == RC_OK && got > 0 ?
	    w->sink.put(w->sink.arg, w->out, got, e) : rc;
}

enum rc
outmail_write(const struct outmail *m, struct sink sink, struct err *e)
{
	struct writing *w = calloc(1, sizeof(*w));
	struct buf end = BUF_INIT;
	enum rc rc;

	if (w == NULL)
		return err_set(e, RC_NOMEM, _("no memory left"));
	w->sink = sink;
	rc = write_head(w, m, e);
	for (size_t i = 0; rc == RC_OK && i < m->nparts; i++)
		rc = write_part(w, m, &m->parts[i], e);
	if (rc == RC_OK)
		rc = put(w, &end, buf_addf(&end, "--%s--\r\n", m->boundary),
		    e);
	buf_free(&end);
	wipe(w, sizeof(*w));
	free(w);
	return rc;
}
