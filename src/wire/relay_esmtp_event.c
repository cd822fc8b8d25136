#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "base/lang.h"
#include "wire/relay_esmtp.h"
#include "wire/watch.h"

#define SESSION_MAILS 200	/* each stays in its memory to the end */
#define FD_MAX 1024
#define CHALLENGES_MAX 8	/* LOGIN has two, PLAIN one at most */

/* The message that a callback was set for: an old one gets nothing. */
struct ticket {
	struct esmtp	*x;
	smtp_message_t	 msg;
};

static int
step_s(const struct esmtp *x)
{
	return x->r->conf->server.timeout_s;
}

/* End it: nothing more is read from or written to this connection. */
static void
fail(struct esmtp *x, enum rc rc)
{
	x->rc = rc;
	watch_cut();
}

static void
taint(struct esmtp *x)
{
	if (x->tainted)
		return;
	x->tainted = true;
	fail(x, relay_trouble(x->r, x->tls_on ? WHY_SERVER : WHY_TLS, x->e,
	    x->tls_on ? _("its words make no sense; the mails wait") :
	    _("somebody on the way added words before TLS began; nothing was "
	    "sent")));
}

static const char *
on_read(void **ctx, int *len, void *arg)
{
	struct ticket *t = arg;
	struct esmtp *x = t->x;
	int n;

	(void)ctx;
	if (len == NULL)
		return NULL;	/* rewind: each mail is sent once */
	errno = *len = 0;
	/* Its only recipient was refused: what is read leads nowhere. */
	if (t->msg != x->msg)
		return NULL;
	watch_arm(0);
	n = relay_read(x->r, x->chunk, sizeof(x->chunk));
	watch_arm(n == 0 ? step_s(x) * RELAY_END_STEPS : step_s(x));
	errno = 0;
	if (n > 0) {
		*len = n;
		return x->chunk;
	}
	if (n < 0) {
		watch_cut();
		errno = ECANCELED;
	}
	return NULL;
}

bool
esmtp_add(struct esmtp *x, const char *from, const char *to, uint64_t size)
{
	struct ticket *t = calloc(1, sizeof(*t));

	if (t == NULL || (x->msg = smtp_add_message(x->session)) == NULL) {
		free(t);
		return false;
	}
	t->x = x;
	t->msg = x->msg;
	smtp_message_set_application_data_release(x->msg, t, free);
	smtp_set_messagecb(x->msg, on_read, t);
	smtp_size_set_estimate(x->msg, (unsigned long)size);
	x->rcpt = smtp_add_recipient(x->msg, to);
	return x->rcpt != NULL && (from[0] == '\0' ||
	    smtp_set_reverse_path(x->msg, from) != 0);
}

static void
add_next(struct esmtp *x)
{
	const struct relay_mail *m = &x->r->item.mail;

	watch_arm(0);
	x->msg = NULL;
	x->rcpt = NULL;
	if (relay_take(x->r) && !esmtp_add(x, m->from, m->to, m->size))
		fail(x, err_nomem(x->e));
	watch_arm(step_s(x));
}

/* The reply about the mail on its way, at ${phase}. */
static void
settle(struct esmtp *x, enum reply_phase phase, const smtp_status_t *st)
{
	struct relay_result res = { RELAY_DEFERRED, 0, "", "" };
	char text[1024];

	/* It cuts the enhanced code off the text where the server offers it. */
	snprintf(text, sizeof(text), "%d.%d.%d %s", st->enh_class,
	    st->enh_subject, st->enh_detail, st->text != NULL ? st->text : "");
	reply_set(&res, st->code, st->enh_class != 0 ? text :
	    st->text != NULL ? st->text : "");
	x->settled++;
	x->msg = NULL;
	if (reply_judge(phase, &res) == REPLY_ON_ROUTE) {
		x->rc = relay_said(x->r, phase, &res, x->e);
		relay_done(x->r, &res);
		return;
	}
	relay_done(x->r, &res);
	if (x->settled < SESSION_MAILS)
		add_next(x);
}

/*
 * Sent means all of: this event, the recipient accepted and complete, 2xx to
 * the end, every octet given, and a connection that can be believed.
 */
static bool
proved(const struct esmtp *x)
{
	const smtp_status_t *to = smtp_recipient_status(x->rcpt);

	return to->code / 100 == 2 && x->r->item.given && !x->tainted &&
	    smtp_recipient_check_complete(x->rcpt) != 0 &&
	    (x->tls == NULL || x->tls_on) &&
	    (x->logged_in || !relay_needs_login(x->r));
}

static void
on_sent(struct esmtp *x, smtp_message_t msg)
{
	const smtp_status_t *st;

	/* Cut in the middle of its line, "250" may have become "2500" or
	 * nothing at all: libesmtp takes it for an answer. */
	if (msg != x->msg || x->rc != RC_OK || !x->whole)
		return;
	st = smtp_message_transfer_status(msg);
	if (st->code < 400 && (st->code / 100 != 2 || !proved(x)))
		return;
	settle(x, x->r->item.given ? REPLY_AT_CONTENT : REPLY_AT_DATA, st);
}

static void
on_mail_status(struct esmtp *x, smtp_message_t msg)
{
	const smtp_status_t *st = smtp_reverse_path_status(msg);

	if (msg != x->msg)
		return;
	x->r->item.begun = true;
	if (st->code / 100 != 2)
		settle(x, REPLY_AT_MAIL, st);
}

static void
on_rcpt_status(struct esmtp *x, smtp_recipient_t rcpt)
{
	const smtp_status_t *st = smtp_recipient_status(rcpt);

	if (rcpt == x->rcpt && x->msg != NULL && st->code / 100 != 2)
		settle(x, REPLY_AT_RCPT, st);
}

/* The library's own socket: the one whose other end is the relay. */
static int
find_socket(const struct esmtp *x, const char *address)
{
	struct sockaddr_in sa;
	struct in_addr want;

	if (inet_pton(AF_INET, address, &want) != 1)
		return -1;
	for (int fd = 0; fd < FD_MAX; fd++) {
		socklen_t len = sizeof(sa);

		memset(&sa, 0, sizeof(sa));
		if (getpeername(fd, (struct sockaddr *)&sa, &len) == 0 &&
		    sa.sin_family == AF_INET &&
		    sa.sin_addr.s_addr == want.s_addr &&
		    ntohs(sa.sin_port) == x->r->conf->server.port)
			return fd;
	}
	return -1;
}

static void
on_connect(struct esmtp *x)
{
	const char *host = smtp_get_server_name(x->session);
	int fd = find_socket(x, host), on = 1;

	x->connected = true;
	watch_fd(fd);
	if (fd < 0) {
		taint(x);	/* cannot be cut later: not used at all */
		return;
	}
	/* 40 ms a mail are lost without (Nagle and delayed ACK). */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
#ifdef SO_NOSIGPIPE
	setsockopt(fd, SOL_SOCKET, SO_NOSIGPIPE, &on, sizeof(on));
#endif
	watch_arm(step_s(x));
}

static void
on_tls(struct esmtp *x, SSL *ssl)
{
	if (!tls_right(x->tls, ssl) || x->awaited || x->tainted)
		taint(x);
	x->tls_on = !x->tainted;
}

void
esmtp_event(smtp_session_t session, int event, void *arg, ...)
{
	struct esmtp *x = arg;
	va_list ap;
	int *ok;

	(void)session;
	va_start(ap, arg);
	switch (event) {
	case SMTP_EV_CONNECT:
		on_connect(x);
		break;
	case SMTP_EV_MAILSTATUS:
		(void)va_arg(ap, const char *);
		on_mail_status(x, va_arg(ap, smtp_message_t));
		break;
	case SMTP_EV_RCPTSTATUS:
		(void)va_arg(ap, const char *);
		on_rcpt_status(x, va_arg(ap, smtp_recipient_t));
		break;
	case SMTP_EV_MESSAGESENT:
		on_sent(x, va_arg(ap, smtp_message_t));
		break;
	case SMTP_EV_DISCONNECT:
		watch_fd(-1);
		watch_arm(0);
		break;
	case SMTP_EV_EXTNA_STARTTLS:
		fail(x, relay_trouble(x->r, WHY_TLS, x->e, _("does not offer "
		    "STARTTLS, or somebody on the way took it out; nothing "
		    "was sent")));
		break;
	case SMTP_EV_WRONG_PEER_CERTIFICATE:
		/* It compared with the address; the handshake has compared
		 * with the configured name. */
		ok = va_arg(ap, int *);
		(void)va_arg(ap, const char *);
		*ok = tls_right(x->tls, va_arg(ap, SSL *));
		break;
	case SMTP_EV_STARTTLS_OK:
		on_tls(x, va_arg(ap, SSL *));
		break;
	default:
		break;
	}
	va_end(ap);
}

static void
on_written(struct esmtp *x, const char *p, size_t len)
{
	/* The next line of a login is no command. */
	if (x->phase != REPLY_AT_AUTH || x->reply.result.code != 334)
		x->phase = reply_phase_of(p, len);
	x->awaited = true;
	watch_arm(step_s(x));
	if (x->phase != REPLY_AT_MAIL || x->rc != RC_OK)
		return;
	x->mailing = true;
	if (relay_needs_login(x->r) && !x->logged_in) {
		fail(x, x->no.code != 0 && x->no_at == REPLY_AT_AUTH ?
		    relay_said(x->r, REPLY_AT_AUTH, &x->no, x->e) :
		    relay_trouble(x->r, WHY_LOGIN, x->e, _("offers no login "
		    "that works with a password; nothing was sent")));
	} else if (x->checking) {
		x->checked = true;
		watch_cut();
	}
}

/*
 * BDAT is what the library prefers, and its replies come one by one, each
 * 40 ms late (Nagle there, delayed ACK here); a hung last one reads as 250.
 * The only place to turn it off is the line that offers it, before the
 * library reads it: its own buffer, not constant.
 */
static void
hide_chunking(const char *p, size_t len)
{
	static const char word[] = "CHUNKING\r\n";
	const size_t n = sizeof(word) - 1;

	for (size_t i = 4; i + n <= len; i++)
		if (strncasecmp(p + i, word, n) == 0)
			memcpy((char *)(uintptr_t)p + i, "X-", 2);
}

/* Until the first MAIL each command is answered by just one reply. */
static void
on_words(struct esmtp *x, const char *p, size_t len)
{
	size_t used;

	while (len > 0) {
		enum reply_state state = reply_read(&x->reply, p, len, &used);

		p += used;
		len -= used;
		if (!x->awaited || state == REPLY_BAD) {
			taint(x);
			return;
		}
		if (state == REPLY_MORE)
			continue;
		x->awaited = false;
		if (x->phase == REPLY_AT_AUTH && x->reply.result.code ==
		    334 && ++x->challenges > CHALLENGES_MAX) {
			taint(x);	/* the library would go on for ever */
			return;
		}
		if (x->phase == REPLY_AT_AUTH && x->reply.result.code == 235)
			x->logged_in = true;
		if (x->phase != REPLY_AT_OTHER && x->reply.result.code >= 400) {
			x->no = x->reply.result;
			x->no_at = x->phase;
		}
	}
}

void
esmtp_monitor(const char *p, int len, int writing, void *arg)
{
	struct esmtp *x = arg;

	if (len <= 0)
		return;
	if (writing == SMTP_CB_READING)
		x->whole = p[len - 1] == '\n';
	/* Not at a read: an octet a minute is no answer. */
	if (writing == SMTP_CB_WRITING && x->mailing)
		watch_arm(step_s(x));
	else if (writing == SMTP_CB_WRITING)
		on_written(x, p, (size_t)len);
	else if (writing == SMTP_CB_READING && !x->mailing) {
		on_words(x, p, (size_t)len);
		if (x->phase == REPLY_AT_HELLO)
			hide_chunking(p, (size_t)len);
	}
}
