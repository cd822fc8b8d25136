#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/lang.h"
#include "wire/pop3_talk.h"

#define STEP_BYTES (64 * 1024)	/* more than any answer of one line */

enum rc
pop3_talk_lost(struct pop3_talk *t, struct err *e)
{
	return stream_error(t->link.stream, &t->why, e);
}

static enum rc
refuse(struct pop3_talk *t, enum wire_why why, struct err *e)
{
	stream_kill(t->link.stream, why, e);
	t->why = why;
	return e->rc;
}

enum rc
pop3_talk_odd(struct pop3_talk *t, struct err *e)
{
	err_set(e, RC_TEMP, _("%s: it does not answer as a POP3 server"),
	    t->link.server->host);
	return refuse(t, WHY_SERVER, e);
}

enum rc
pop3_talk_fill(struct pop3_talk *t, struct err *e)
{
	ssize_t n;

	if (t->at == t->len)
		t->at = t->len = 0;
	if (t->len == POP3_ROOM_BYTES) {
		memmove(t->room, t->room + t->at, t->len - t->at);
		t->len -= t->at;
		t->at = 0;
	}
	BUG_ON(t->len == POP3_ROOM_BYTES);
	n = stream_read(t->link.stream, t->room + t->len,
	    POP3_ROOM_BYTES - t->len);
	if (n < 0)
		return pop3_talk_lost(t, e);
	t->len += (size_t)n;
	return RC_OK;
}

enum rc
pop3_talk_line(struct pop3_talk *t, struct bytes *line, struct err *e)
{
	size_t seen = 0;

	for (;;) {
		const uint8_t *from = t->room + t->at;
		const uint8_t *lf = memchr(from + seen, '\n',
		    t->len - t->at - seen);

		if (lf != NULL && (size_t)(lf - from) <= POP3_LINE_BYTES) {
			*line = (struct bytes){ from, (size_t)(lf - from) };
			if (line->len > 0 && from[line->len - 1] == '\r')
				line->len--;
			t->at += (size_t)(lf - from) + 1;
			return RC_OK;
		}
		seen = t->len - t->at;
		if (seen > POP3_LINE_BYTES)
			return pop3_talk_odd(t, e);
		if (pop3_talk_fill(t, e) != RC_OK)
			return e->rc;
	}
}

enum rc
pop3_talk_status(struct pop3_talk *t, enum pop3_status *st,
    struct bytes *line, struct err *e)
{
	enum rc rc = pop3_talk_line(t, line, e);

	if (rc != RC_OK)
		return rc;
	*st = pop3_status(*line);
	return *st == POP3_NONSENSE ? pop3_talk_odd(t, e) : RC_OK;
}

enum rc
pop3_talk_rows(struct pop3_talk *t, pop3_row_fn *fn, void *arg,
    struct err *e)
{
	for (;;) {
		struct bytes line;
		enum rc rc = pop3_talk_line(t, &line, e);

		if (rc != RC_OK)
			return rc;
		if (line.len == 1 && line.p[0] == '.')
			return RC_OK;
		if (line.len > 0 && line.p[0] == '.') {
			line.p++;
			line.len--;
		}
		if ((rc = fn(arg, line, e)) != RC_OK)
			return rc;
	}
}

enum rc
pop3_talk_send(struct pop3_talk *t, const struct buf *cmd, struct err *e)
{
	stream_step(t->link.stream, STEP_BYTES);
	if (stream_write(t->link.stream, cmd->p, cmd->len) < 0)
		return pop3_talk_lost(t, e);
	return RC_OK;
}

enum rc
pop3_talk_cmd(struct pop3_talk *t, const char *cmd, struct err *e)
{
	struct buf b = BUF_INIT;
	enum rc rc;

	if (!buf_adds(&b, cmd) || !buf_adds(&b, "\r\n"))
		rc = err_nomem(e);
	else
		rc = pop3_talk_send(t, &b, e);
	buf_free(&b);
	return rc;
}

/* The server says no: whose trouble is it? */
static enum rc
said_no(struct pop3_talk *t, const struct secret *secret, struct bytes line,
    struct err *e)
{
	char said[LINK_SAID_CHARS];
	bool busy = pop3_code(line, "SYS") || pop3_code(line, "IN-USE") ||
	    pop3_code(line, "LOGIN-DELAY");

	link_said(secret, line.p, line.len, said);
	err_set(e, RC_TEMP, busy ?
	    _("%s: not available just now (\"%s\")") :
	    _("%s: refuses the name or password of %s (\"%s\")"),
	    t->link.server->host, busy ? said : t->link.server->user, said);
	return refuse(t, busy ? WHY_SERVER : WHY_LOGIN, e);
}

static enum rc
greeting(struct pop3_talk *t, struct err *e)
{
	enum pop3_status st;
	struct bytes line;

	stream_step(t->link.stream, STEP_BYTES);
	if (pop3_talk_status(t, &st, &line, e) != RC_OK)
		return e->rc;
	if (st == POP3_OK)
		return RC_OK;
	if (st == POP3_MORE)
		return pop3_talk_odd(t, e);
	err_set(e, RC_TEMP, _("%s: not available just now"),
	    t->link.server->host);
	return refuse(t, WHY_SERVER, e);
}

static enum rc
meddled(struct pop3_talk *t, struct err *e)
{
	err_set(e, RC_TEMP, _("%s: somebody on the way added words before TLS "
	    "began; nothing was sent"), t->link.server->host);
	return refuse(t, WHY_TLS, e);
}

static enum rc
stls(struct pop3_talk *t, struct err *e)
{
	enum pop3_status st;
	struct bytes line;

	if (t->at != t->len)
		return meddled(t, e);
	if (pop3_talk_cmd(t, "STLS", e) != RC_OK ||
	    pop3_talk_status(t, &st, &line, e) != RC_OK)
		return e->rc;
	if (st != POP3_OK) {
		err_set(e, RC_TEMP, _("%s: no STARTTLS is offered, or somebody "
		    "on the way took it out; nothing was sent"),
		    t->link.server->host);
		return refuse(t, WHY_TLS, e);
	}
	/* RFC 2595 4: whatever came before TLS is not the server's. */
	if (t->at != t->len)
		return meddled(t, e);
	if (stream_tls(t->link.stream, t->link.tls, e) != RC_OK)
		return pop3_talk_lost(t, e);
	return RC_OK;
}

static enum rc
capa_row(void *arg, struct bytes line, struct err *e)
{
	(void)e;
	pop3_capa(line, arg);
	return RC_OK;
}

static enum rc
capabilities(struct pop3_talk *t, struct err *e)
{
	enum pop3_status st;
	struct bytes line;

	if (pop3_talk_cmd(t, "CAPA", e) != RC_OK ||
	    pop3_talk_status(t, &st, &line, e) != RC_OK)
		return e->rc;
	if (st == POP3_OK)
		return pop3_talk_rows(t, capa_row, &t->capa, e);
	/* A server of before 1998: what it knows will be seen. */
	t->capa.user = true;
	return RC_OK;
}

/* The one answer that decides; XOAUTH2 gives its reasons as a challenge. */
static enum rc
verdict(struct pop3_talk *t, const struct secret *secret, struct err *e)
{
	enum pop3_status st;
	struct bytes line;
	enum rc rc = pop3_talk_status(t, &st, &line, e);

	if (rc == RC_OK && st == POP3_MORE &&
	    (rc = pop3_talk_cmd(t, "", e)) == RC_OK)
		rc = pop3_talk_status(t, &st, &line, e);
	if (rc != RC_OK)
		return rc;
	return st == POP3_OK ? RC_OK : said_no(t, secret, line, e);
}

static enum rc
user_pass(struct pop3_talk *t, const struct secret *secret, struct err *e)
{
	enum pop3_status st;
	struct bytes line;
	struct buf b = BUF_INIT;
	enum rc rc = RC_OK;

	if (!buf_addf(&b, "USER %s\r\n", t->link.server->user))
		rc = err_nomem(e);
	if (rc == RC_OK && (rc = pop3_talk_send(t, &b, e)) == RC_OK &&
	    (rc = pop3_talk_status(t, &st, &line, e)) == RC_OK &&
	    st != POP3_OK)
		rc = said_no(t, secret, line, e);
	buf_wipe(&b);
	if (rc == RC_OK && (!buf_adds(&b, "PASS ") ||
	    !buf_add(&b, secret->p, secret->len) || !buf_adds(&b, "\r\n")))
		rc = err_nomem(e);
	if (rc == RC_OK && (rc = pop3_talk_send(t, &b, e)) == RC_OK)
		rc = verdict(t, secret, e);
	buf_free(&b);
	return rc;
}

/* RFC 5034 4: with its answer in the same line only up to 255 octets. */
static enum rc
sasl(struct pop3_talk *t, const char *mechanism, const struct buf *answer,
    const struct secret *secret, struct err *e)
{
	struct buf b = BUF_INIT;
	enum pop3_status st;
	struct bytes line;
	bool one = answer->len < 220, ok;
	enum rc rc = RC_OK;

	ok = buf_addf(&b, "AUTH %s%s", mechanism, one ? " " : "\r\n");
	if (ok && !one && (rc = pop3_talk_send(t, &b, e)) == RC_OK &&
	    (rc = pop3_talk_status(t, &st, &line, e)) == RC_OK &&
	    st != POP3_MORE)
		rc = said_no(t, secret, line, e);
	if (!one)
		buf_wipe(&b);
	ok = ok && buf_add(&b, answer->p, answer->len) && buf_adds(&b, "\r\n");
	if (!ok)
		rc = err_nomem(e);
	if (rc == RC_OK && (rc = pop3_talk_send(t, &b, e)) == RC_OK)
		rc = verdict(t, secret, e);
	buf_free(&b);
	return rc;
}

static enum rc
login(struct pop3_talk *t, const struct secret *secret, struct err *e)
{
	struct buf answer = BUF_INIT;
	bool token = t->link.server->auth == CONF_AUTH_XOAUTH2;
	enum rc rc;

	BUG_ON(!link_safe(&t->link));
	if ((rc = link_secret(&t->link, secret, e)) != RC_OK)
		return rc;
	if (!token && !t->capa.sasl_plain)
		return user_pass(t, secret, e);
	if (token ? !link_xoauth2(&t->link, secret, &answer) :
	    !link_plain(&t->link, secret, &answer))
		rc = err_nomem(e);
	else
		rc = sasl(t, token ? "XOAUTH2" : "PLAIN", &answer, secret, e);
	buf_free(&answer);
	return rc;
}

enum rc
pop3_talk_open(struct pop3_talk *t, const struct secret *secret,
    struct err *e)
{
	enum rc rc;

	if ((rc = link_begin(&t->link, e)) != RC_OK)
		return pop3_talk_lost(t, e);
	if ((rc = greeting(t, e)) != RC_OK)
		return rc;
	if (t->link.server->tls == CONF_TLS_STARTTLS &&
	    (rc = stls(t, e)) != RC_OK)
		return rc;
	if ((rc = capabilities(t, e)) != RC_OK)
		return rc;
	return login(t, secret, e);
}
