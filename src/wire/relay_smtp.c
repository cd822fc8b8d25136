/*
 * The engine of our own: one round trip for each mail where the relay offers
 * PIPELINING.  MAIL, RCPT and DATA of the next stand behind the final dot of
 * the one before (RFC 2920 3.1: a content may be the first of a group), so two
 * mails are open: one that was given whole and has no answer, and one of which
 * the relay has heard no octet before that answer was read.
 *
 * What is out of step cannot be taken for an answer: each mail must be given
 * 354 at its place, and nothing may lie unread before a content begins.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/lang.h"
#include "wire/relay_engine.h"
#include "wire/smtp_talk.h"

#define OUT_BYTES (32 * 1024)	/* of a content, in one write */
#define QUIT_S 5

struct smtp {
	struct relay	*r;
	struct smtp_talk t;
	bool		 reset;		/* the last was refused half way */
	bool		 line_begins;	/* where a dot is doubled */
	struct err	*e;
	char		 chunk[OUT_BYTES];
};

static bool
is_connected(const struct smtp *x)
{
	return x->t.link.stream != NULL && !stream_dead(x->t.link.stream);
}

static int
step_s(const struct smtp *x)
{
	return x->r->conf->server.timeout_s;
}

/* ---- the way to the first MAIL -------------------------------------- */

static enum rc
ask(struct smtp *x, enum reply_phase phase, const char *command, int wanted)
{
	enum rc rc = phase == REPLY_AT_GREETING ?
	    smtp_talk_reply(&x->t, step_s(x), x->e) :
	    smtp_talk_ask(&x->t, command, x->e);

	if (rc != RC_OK)
		return rc;
	if (x->t.reply.result.code == wanted)
		return RC_OK;
	return relay_said(x->r, phase, &x->t.reply.result, x->e);
}

static enum rc
hello(struct smtp *x)
{
	char line[RELAY_HELO_BYTES + 8] = "EHLO ";

	memcpy(line + 5, x->r->helo, strlen(x->r->helo) + 1);
	return ask(x, REPLY_AT_HELLO, line, 250);
}

static enum rc
no_starttls(struct smtp *x)
{
	return relay_trouble(x->r, WHY_TLS, x->e, _("does not offer "
	    "STARTTLS, or somebody on the way took it out; nothing was sent"));
}

static enum rc
starttls(struct smtp *x)
{
	enum rc rc;

	if (!x->t.offers.starttls)
		return no_starttls(x);
	if ((rc = ask(x, REPLY_AT_STARTTLS, "STARTTLS", 220)) != RC_OK)
		return rc;
	if ((rc = smtp_talk_quiet(&x->t, x->e)) != RC_OK)
		return rc;
	if ((rc = stream_tls(x->t.link.stream, x->t.link.tls, x->e)) != RC_OK)
		return stream_error(x->t.link.stream, &x->t.why, x->e);
	return hello(x);
}

/* One line of a login, in base64 and never in an error text. */
static enum rc
login_say(struct smtp *x, const char *command, const struct buf *words)
{
	struct buf b = BUF_INIT;
	const char *line;
	enum rc rc;

	if (!buf_adds(&b, command) || !buf_add(&b, words->p, words->len) ||
	    (line = buf_str(&b)) == NULL)
		rc = err_nomem(x->e);
	else
		rc = smtp_talk_ask(&x->t, line, x->e);
	buf_free(&b);
	return rc;
}

static enum rc
login_word(struct smtp *x, const char *word)
{
	struct buf b = BUF_INIT;
	enum rc rc;

	if (x->t.reply.result.code != 334)
		return RC_OK;
	rc = link_base64(word, strlen(word), &b) ? login_say(x, "", &b) :
	    err_nomem(x->e);
	buf_free(&b);
	return rc;
}

static enum rc
login_by_name(struct smtp *x)
{
	enum rc rc = smtp_talk_ask(&x->t, "AUTH LOGIN", x->e);

	if (rc == RC_OK)
		rc = login_word(x, x->r->conf->server.user);
	return rc != RC_OK ? rc : login_word(x, x->r->secret->p);
}

static enum rc
login_at_once(struct smtp *x, const char *command,
    bool (*words)(const struct link *, const struct secret *, struct buf *))
{
	struct buf b = BUF_INIT;
	enum rc rc = words(&x->t.link, x->r->secret, &b) ?
	    login_say(x, command, &b) : err_nomem(x->e);

	buf_free(&b);
	/* Why a token is not taken; an empty line asks for the end. */
	if (rc == RC_OK && x->t.reply.result.code == 334)
		rc = smtp_talk_ask(&x->t, "", x->e);
	return rc;
}

static enum rc
login(struct smtp *x)
{
	const struct smtp_offers *o = &x->t.offers;
	bool token = x->r->conf->server.auth == CONF_AUTH_XOAUTH2;
	enum rc rc;

	if (!relay_needs_login(x->r))
		return RC_OK;
	BUG_ON(!link_safe(&x->t.link));
	if (token ? !o->xoauth2 : !o->plain && !o->login)
		return relay_trouble(x->r, WHY_LOGIN, x->e, token ?
		    _("offers no login that works with a token; nothing was "
		    "sent") : _("offers no login that works with a password; "
		    "nothing was sent"));
	if ((rc = link_secret(&x->t.link, x->r->secret, x->e)) != RC_OK)
		return rc;
	rc = token ? login_at_once(x, "AUTH XOAUTH2 ", link_xoauth2) :
	    o->plain ? login_at_once(x, "AUTH PLAIN ", link_plain) :
	    login_by_name(x);
	if (rc != RC_OK || x->t.reply.result.code == 235)
		return rc;
	return relay_said(x->r, REPLY_AT_AUTH, &x->t.reply.result, x->e);
}

static enum rc
open_session(struct smtp *x)
{
	const struct conf_server *s = &x->r->conf->server;
	enum rc rc = RC_OK;

	if (s->tls == CONF_TLS_IMPLICIT &&
	    (rc = stream_tls(x->t.link.stream, x->t.link.tls, x->e)) != RC_OK)
		return stream_error(x->t.link.stream, &x->t.why, x->e);
	if ((rc = ask(x, REPLY_AT_GREETING, NULL, 220)) != RC_OK ||
	    (rc = hello(x)) != RC_OK)
		return rc;
	if (s->tls == CONF_TLS_STARTTLS && (rc = starttls(x)) != RC_OK)
		return rc;
	return login(x);
}

static enum rc
connect_to(struct smtp *x, const char *address)
{
	const struct conf_server *s = &x->r->conf->server;
	struct err why = ERR_INIT;
	int fd;

	if (net_connect(address, s->port, s->timeout_s, &fd, &x->t.link.peer,
	    &why) != RC_OK)
		return relay_trouble(x->r, WHY_NETWORK, x->e, _("cannot be "
		    "reached (%s); the mails wait"), why.text);
	x->t.link.stream = stream_new(fd, s->host, s->timeout_s, x->e);
	return x->t.link.stream != NULL ? RC_OK : RC_NOMEM;
}

/* The addresses in turn until one accepts the connection. */
static enum rc
reach(struct smtp *x)
{
	enum rc rc = RC_TEMP;

	smtp_talk_close(&x->t);
	x->t.why = WHY_NONE;
	x->reset = false;
	for (size_t i = 0; i < x->r->naddresses &&
	    x->t.link.stream == NULL; i++)
		rc = connect_to(x, x->r->address[i]);
	if (rc == RC_OK)
		x->r->why = WHY_NONE;
	return rc != RC_OK ? rc : open_session(x);
}

/* ---- mails ---------------------------------------------------------- */

static bool
say_mail(struct smtp *x)
{
	const struct relay_mail *m = &x->r->item.mail;
	struct buf *b = &x->t.out;

	x->r->item.begun = true;
	return (!x->reset || buf_adds(b, "RSET\r\n")) &&
	    buf_addf(b, "MAIL FROM:<%s>", m->from) &&
	    (!x->t.offers.size || buf_addf(b, " SIZE=%llu",
	    (unsigned long long)m->size)) && buf_adds(b, "\r\n");
}

/* The first commands for the open item; with PIPELINING all of them. */
static bool
say_envelope(struct smtp *x)
{
	return say_mail(x) && (!x->t.offers.pipelining ||
	    buf_addf(&x->t.out, "RCPT TO:<%s>\r\nDATA\r\n",
	    x->r->item.mail.to));
}

/* Without PIPELINING: the next command. */
static enum rc
send_step(struct smtp *x, enum reply_phase phase)
{
	bool ok = phase == REPLY_AT_RCPT ? buf_addf(&x->t.out,
	    "RCPT TO:<%s>\r\n", x->r->item.mail.to) :
	    buf_adds(&x->t.out, "DATA\r\n");

	return ok ? smtp_talk_send(&x->t, x->e) : err_nomem(x->e);
}

/* What the last reply means for a mail; ${done} tells it. */
static enum rc
settle(struct smtp *x, enum reply_phase phase,
    void (*done)(struct relay *, const struct relay_result *))
{
	struct relay_result res = x->t.reply.result;
	enum rc rc = RC_OK;

	if (reply_judge(phase, &res) == REPLY_ON_ROUTE)
		rc = relay_said(x->r, phase, &res, x->e);
	done(x->r, &res);
	return rc;
}

/* The answer to the final dot of the one before. */
static enum rc
take_answer(struct smtp *x)
{
	enum rc rc = smtp_talk_reply(&x->t, step_s(x) * RELAY_END_STEPS,
	    x->e);

	return rc != RC_OK ? rc : settle(x, REPLY_AT_CONTENT, relay_answered);
}

static enum rc
take_reset(struct smtp *x)
{
	enum rc rc;

	if (!x->reset)
		return RC_OK;
	if ((rc = smtp_talk_reply(&x->t, step_s(x), x->e)) != RC_OK)
		return rc;
	x->reset = x->t.reply.result.code != 250;
	return !x->reset ? RC_OK : relay_said(x->r, REPLY_AT_OTHER,
	    &x->t.reply.result, x->e);
}

/* The reply to one command of an envelope; ${go}: the item is still open. */
static enum rc
take_step(struct smtp *x, enum reply_phase phase, bool *go)
{
	bool piped = x->t.offers.pipelining;
	int code;
	enum rc rc = RC_OK;

	if (!piped && !*go)
		return RC_OK;
	if (!piped && phase != REPLY_AT_MAIL)
		rc = send_step(x, phase);
	if (rc != RC_OK ||
	    (rc = smtp_talk_reply(&x->t, step_s(x), x->e)) != RC_OK)
		return rc;
	code = x->t.reply.result.code;
	if (*go && (phase == REPLY_AT_DATA ? code == 354 : code / 100 == 2))
		return RC_OK;
	if (*go) {
		*go = false;
		x->reset = true;
		return settle(x, phase, relay_done);
	}
	/* RFC 2920 3.1: it wants a content, though for nobody. */
	if (code == 354)
		smtp_talk_close(&x->t);
	return RC_OK;
}

static enum rc
take_envelope(struct smtp *x, bool *go)
{
	static const enum reply_phase phases[] = { REPLY_AT_MAIL,
	    REPLY_AT_RCPT, REPLY_AT_DATA };
	enum rc rc = take_reset(x);

	*go = true;
	for (size_t i = 0; rc == RC_OK && i < 3; i++)
		rc = take_step(x, phases[i], go);
	return rc != RC_OK ? rc : smtp_talk_quiet(&x->t, x->e);
}

/* RFC 5321 4.5.2: a dot that begins a line is doubled. */
static bool
say_content(struct smtp *x, const char *p, size_t len)
{
	while (len > 0) {
		const char *lf = memchr(p, '\n', len);
		size_t n = lf == NULL ? len : (size_t)(lf - p) + 1;

		if ((x->line_begins && *p == '.' &&
		    !smtp_talk_say(&x->t, ".", 1)) ||
		    !smtp_talk_say(&x->t, p, n))
			return false;
		x->line_begins = lf != NULL;
		p += n;
		len -= n;
	}
	return true;
}

/* All but the dot; ${n} -1: it must not be completed. */
static enum rc
send_content(struct smtp *x, int *n)
{
	enum rc rc = RC_OK;

	x->line_begins = true;
	while (rc == RC_OK && (*n = relay_read(x->r, x->chunk,
	    sizeof(x->chunk))) > 0) {
		if (!say_content(x, x->chunk, (size_t)*n))
			return err_nomem(x->e);
		if (x->t.out.len >= OUT_BYTES)
			rc = smtp_talk_send(&x->t, x->e);
	}
	return rc;
}

/* The next is asked for only when it is there: the answer to this one does not
 * wait for others. */
static bool
next_follows(struct smtp *x)
{
	return x->t.offers.pipelining && relay_ready(x->r) &&
	    relay_take(x->r) && x->r->item.bad == NULL;
}

/*
 * The dot and what stands behind it.  Under TLS they are a record of their own,
 * which a server reads in one piece: Postfix, which reads 4 KB at once, would
 * find the commands cut in two, answer in two writes, and Nagle's algorithm
 * there would keep the second until we have acknowledged the first.
 */
static enum rc
give_end(struct smtp *x)
{
	bool more = next_follows(x);
	enum rc rc;

	if (more && stream_version(x->t.link.stream) != NULL &&
	    (rc = smtp_talk_send(&x->t, x->e)) != RC_OK)
		return rc;
	if (!smtp_talk_say(&x->t, ".\r\n", 3) || (more && !say_envelope(x)))
		return err_nomem(x->e);
	return smtp_talk_send(&x->t, x->e);
}

/* The content of the open item, and what can go out behind it. */
static enum rc
give_content(struct smtp *x)
{
	enum rc rc;
	int n = 0;

	if ((rc = send_content(x, &n)) != RC_OK)
		return rc;
	if (n < 0) {
		smtp_talk_close(&x->t);
		return RC_OK;	/* why is with the item, or the feed */
	}
	relay_given(x->r);
	if ((rc = give_end(x)) != RC_OK)
		return rc;
	return take_answer(x);
}

/* The open item, which may have been begun already. */
static enum rc
one_mail(struct smtp *x)
{
	bool go = false;
	enum rc rc;

	if (!x->r->item.begun) {
		if ((rc = smtp_talk_quiet(&x->t, x->e)) != RC_OK)
			return rc;
		if (!say_envelope(x))
			return err_nomem(x->e);
		if ((rc = smtp_talk_send(&x->t, x->e)) != RC_OK)
			return rc;
	}
	if ((rc = take_envelope(x, &go)) != RC_OK || !go)
		return rc;
	return give_content(x);
}

static void
quit(struct smtp *x)
{
	struct err ignored = ERR_INIT;

	int s = step_s(x) < QUIT_S ? step_s(x) : QUIT_S;

	if (!is_connected(x) || !smtp_talk_say(&x->t, "QUIT\r\n", 6))
		return;
	stream_hurry(x->t.link.stream, s);
	if (smtp_talk_send(&x->t, &ignored) == RC_OK)
		(void)smtp_talk_reply(&x->t, s, &ignored);
}

static enum rc
run(struct relay *r, struct err *e)
{
	struct smtp *x = r->engine;
	enum rc rc = RC_OK;

	x->e = e;
	while (rc == RC_OK && r->feed_rc == RC_OK && relay_take(r)) {
		if (r->item.bad != NULL)
			relay_refuse(r);
		else if (!is_connected(x))
			rc = reach(x);
		else
			rc = one_mail(x);
	}
	if (rc == RC_TEMP && r->why == WHY_NONE)
		r->why = x->t.why;
	if (rc == RC_OK && r->feed_rc == RC_OK)
		quit(x);
	smtp_talk_close(&x->t);
	x->e = NULL;
	return rc;
}

static enum rc
check(struct relay *r, struct err *e)
{
	struct smtp *x = r->engine;
	enum rc rc;

	x->e = e;
	rc = reach(x);
	if (rc == RC_TEMP && r->why == WHY_NONE)
		r->why = x->t.why;
	if (rc == RC_OK)
		quit(x);
	smtp_talk_close(&x->t);
	x->e = NULL;
	return rc;
}

static enum rc
set_up(struct relay *r, struct err *e)
{
	struct smtp *x = calloc(1, sizeof(*x));

	if ((r->engine = x) == NULL)
		return err_nomem(e);
	x->r = r;
	x->t.link.server = &r->conf->server;
	x->t.reply = (struct reply)REPLY_INIT;
	return r->conf->server.tls == CONF_TLS_NONE ? RC_OK :
	    tls_new(&r->conf->server, 0, &x->t.link.tls, e);
}

static void
finish(struct relay *r)
{
	struct smtp *x = r->engine;

	if (x == NULL)
		return;
	smtp_talk_close(&x->t);
	tls_free(&x->t.link.tls);
	wipe(x->chunk, sizeof(x->chunk));
	free(x);
	r->engine = NULL;
}

const struct relay_engine relay_smtp = { "sceau", set_up, run, check,
    finish };
