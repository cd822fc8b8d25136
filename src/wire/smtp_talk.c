#include "config.h"

#include <string.h>
#include <strings.h>

#include "base/lang.h"
#include "wire/smtp_talk.h"

#define REPLY_BUDGET_BYTES (64 * 1024)	/* more than REPLY_LINES hold */

static enum rc
lost(struct smtp_talk *t, struct err *e)
{
	return stream_error(t->link.stream, &t->why, e);
}

enum rc
smtp_talk_odd(struct smtp_talk *t, struct err *e)
{
	bool before = t->link.server->tls == CONF_TLS_STARTTLS &&
	    !stream_verified(t->link.stream);

	err_set(e, RC_TEMP, _("%s: %s"), t->link.server->host, before ?
	    _("somebody on the way added words before TLS began; nothing was "
	    "sent") : _("its words make no sense; the mails wait"));
	stream_kill(t->link.stream, before ? WHY_TLS : WHY_SERVER, e);
	return lost(t, e);
}

bool
smtp_talk_say(struct smtp_talk *t, const void *p, size_t len)
{
	return buf_add(&t->out, p, len);
}

enum rc
smtp_talk_send(struct smtp_talk *t, struct err *e)
{
	ssize_t n;

	stream_step(t->link.stream, REPLY_BUDGET_BYTES);
	n = stream_write(t->link.stream, t->out.p, t->out.len);
	buf_wipe(&t->out);
	return n < 0 ? lost(t, e) : RC_OK;
}

/* ---- replies -------------------------------------------------------- */

static bool
word_is(const char *line, const char *word)
{
	size_t n = strlen(word);

	return strncasecmp(line, word, n) == 0 &&
	    (line[n] == ' ' || line[n] == '\0');
}

static void
take_mechanisms(struct smtp_offers *o, const char *words)
{
	while (*words != '\0') {
		words += strspn(words, " ");
		o->plain = o->plain || word_is(words, "PLAIN");
		o->login = o->login || word_is(words, "LOGIN");
		o->xoauth2 = o->xoauth2 || word_is(words, "XOAUTH2");
		words += strcspn(words, " ");
	}
}

/* A line of the reply to EHLO, behind its code; the first names the host. */
static void
take_offer(struct smtp_talk *t, const char *line)
{
	struct smtp_offers *o = &t->offers;

	if (t->reply.lines < 2)
		return;
	o->pipelining = o->pipelining || word_is(line, "PIPELINING");
	o->starttls = o->starttls || word_is(line, "STARTTLS");
	o->size = o->size || word_is(line, "SIZE");
	if (word_is(line, "AUTH"))
		take_mechanisms(o, line + 4);
}

static enum rc
fill(struct smtp_talk *t, struct err *e)
{
	ssize_t n = stream_read(t->link.stream, t->room, sizeof(t->room));

	t->at = t->len = 0;
	if (n < 0)
		return lost(t, e);
	t->len = (size_t)n;
	return RC_OK;
}

/* Up to the end of a line: what it says is not kept. */
static enum reply_state
read_line(struct smtp_talk *t)
{
	const char *from = t->room + t->at;
	const char *lf = memchr(from, '\n', t->len - t->at);
	size_t n = lf == NULL ? t->len - t->at : (size_t)(lf - from) + 1;
	size_t used;
	enum reply_state state = reply_read(&t->reply, from, n, &used);

	t->at += used;
	if (t->hello && state != REPLY_BAD && lf != NULL &&
	    strlen(t->reply.line) > 4)
		take_offer(t, t->reply.line + 4);
	return state;
}

enum rc
smtp_talk_reply(struct smtp_talk *t, int timeout_s, struct err *e)
{
	enum reply_state state = REPLY_MORE;
	enum rc rc;

	stream_patience(t->link.stream, timeout_s);
	stream_step(t->link.stream, REPLY_BUDGET_BYTES);
	while (state == REPLY_MORE) {
		if (t->at == t->len && (rc = fill(t, e)) != RC_OK)
			return rc;
		state = read_line(t);
	}
	stream_patience(t->link.stream, t->link.server->timeout_s);
	return state == REPLY_DONE ? RC_OK : smtp_talk_odd(t, e);
}

enum rc
smtp_talk_quiet(struct smtp_talk *t, struct err *e)
{
	return t->at == t->len ? RC_OK : smtp_talk_odd(t, e);
}

enum rc
smtp_talk_ask(struct smtp_talk *t, const char *command, struct err *e)
{
	enum rc rc;

	if ((rc = smtp_talk_quiet(t, e)) != RC_OK)
		return rc;
	if (!buf_adds(&t->out, command) || !buf_adds(&t->out, "\r\n"))
		return err_nomem(e);
	t->hello = strncmp(command, "EHLO ", 5) == 0;
	if (t->hello)
		memset(&t->offers, 0, sizeof(t->offers));
	if ((rc = smtp_talk_send(t, e)) == RC_OK)
		rc = smtp_talk_reply(t, t->link.server->timeout_s, e);
	t->hello = false;
	return rc;
}

void
smtp_talk_close(struct smtp_talk *t)
{
	stream_free(&t->link.stream);
	buf_free(&t->out);
	t->reply = (struct reply)REPLY_INIT;
	memset(&t->offers, 0, sizeof(t->offers));
	wipe(t->room, sizeof(t->room));
	t->at = t->len = 0;
}
