#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <auth-client.h>
#include <libesmtp.h>

#include "base/lang.h"
#include "wire/relay_engine.h"
#include "wire/tls.h"
#include "wire/watch.h"

/*
 * libesmtp runs a whole session in one call.  Mails are added while it runs,
 * from the event that brings the verdict on the one before, so that any
 * number of them goes over one connection.
 *
 * It has no deadline for connect(2), loses octets after a write that timed
 * out, goes on to MAIL when the login failed, and takes words from before TLS
 * for words from after it.  The cure of all four is to find its socket and to
 * shut it down (watch.h); its own timeouts are set so long that they never
 * come first.
 */

#define CHUNK_BYTES (32 * 1024)
#define SESSION_MAILS 200	/* each stays in its memory to the end */
#define FD_MAX 1024
#define LOGIN_BYTES 255		/* its PLAIN copies both to fixed arrays */

struct esmtp {
	struct relay	*r;
	struct tls	*tls;		/* NULL: none */
	bool		 tainted;	/* no word of it proves anything */
	/* of one session */
	smtp_session_t	 session;
	smtp_message_t	 msg;		/* the item's; NULL: none */
	smtp_recipient_t rcpt;
	struct reply	 reply;
	enum reply_phase phase;
	struct relay_result no;		/* the last 4xx or 5xx before MAIL */
	enum reply_phase no_at;
	bool		 connected, tls_on, logged_in;
	bool		 mailing;	/* the first MAIL was written */
	bool		 awaited;	/* a reply is due */
	bool		 checking, checked;
	unsigned	 settled;	/* verdicts */
	enum rc		 rc;
	struct err	*e;
	char		 chunk[CHUNK_BYTES];
};

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

static bool
add_message(struct esmtp *x, const char *from, const char *to, uint64_t size)
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
	if (relay_take(x->r) && !add_message(x, m->from, m->to, m->size))
		fail(x, err_set(x->e, RC_NOMEM, "libesmtp"));
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

	if (msg != x->msg || x->rc != RC_OK)
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

static void
on_event(smtp_session_t session, int event, void *arg, ...)
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
		if (x->phase == REPLY_AT_AUTH && x->reply.result.code == 235)
			x->logged_in = true;
		if (x->phase != REPLY_AT_OTHER && x->reply.result.code >= 400) {
			x->no = x->reply.result;
			x->no_at = x->phase;
		}
	}
}

static void
on_monitor(const char *p, int len, int writing, void *arg)
{
	struct esmtp *x = arg;

	if (x->mailing || len <= 0) {
		watch_arm(step_s(x));
		return;
	}
	if (writing == SMTP_CB_WRITING)
		on_written(x, p, (size_t)len);
	else if (writing == SMTP_CB_READING)
		on_words(x, p, (size_t)len);
}

static int
on_login(auth_client_request_t request, char **result, int fields, void *arg)
{
	struct esmtp *x = arg;

	for (int i = 0; i < fields; i++) {
		if ((request[i].flags & AUTH_USER) != 0)
			result[i] = x->r->conf->server.user;
		else if ((request[i].flags & AUTH_PASS) != 0)
			result[i] = x->r->secret->p;
		else
			return 0;
	}
	return 1;
}

/* SNI can only be set on the SSL, which the library makes by itself. */
static void
on_info(const SSL *ssl, int where, int ret)
{
	struct tls *t = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
	SSL *s = (SSL *)(uintptr_t)ssl;

	(void)ret;
	if ((where & SSL_CB_HANDSHAKE_START) != 0 && tls_sni(t) != NULL)
		SSL_set_tlsext_host_name(s, tls_sni(t));
}

static void
set_timeouts(struct esmtp *x)
{
	static const int which[] = { Timeout_GREETING, Timeout_ENVELOPE,
	    Timeout_DATA, Timeout_TRANSFER, Timeout_DATA2 };
	long ms = 1000L * (step_s(x) * (RELAY_END_STEPS + 1) + 60);

	for (size_t i = 0; i < sizeof(which) / sizeof(which[0]); i++)
		smtp_set_timeout(x->session,
		    which[i] | Timeout_OVERRIDE_RFC2822_MINIMUM, ms);
}

static bool
set_session(struct esmtp *x, const char *address, auth_context_t auth)
{
	char server[RELAY_ADDRESS_BYTES + 8];

	snprintf(server, sizeof(server), "%s:%u", address,
	    (unsigned)x->r->conf->server.port);
	if (smtp_set_server(x->session, server) == 0 ||
	    smtp_set_hostname(x->session, x->r->helo) == 0)
		return false;
	smtp_set_eventcb(x->session, on_event, x);
	smtp_set_monitorcb(x->session, on_monitor, x, 0);
	set_timeouts(x);
	if (x->tls != NULL) {
		smtp_starttls_set_ctx(x->session, tls_ctx(x->tls));
		smtp_starttls_enable(x->session, Starttls_REQUIRED);
	}
	if (auth != NULL) {
		auth_set_mechanism_flags(auth, AUTH_PLUGIN_PLAIN, 0);
		auth_set_interact_cb(auth, on_login, x);
		smtp_auth_set_context(x->session, auth);
	}
	return true;
}

/* Why a session ended that left its mail without an answer. */
static enum rc
explain(struct esmtp *x, int err)
{
	char text[128];

	if (watch_fired())
		return relay_trouble(x->r, WHY_NETWORK, x->e, _("no answer "
		    "within %d seconds; the mails wait"), step_s(x));
	if (!x->connected)
		return relay_trouble(x->r, WHY_NETWORK, x->e, _("cannot be "
		    "reached (%s); the mails wait"),
		    smtp_strerror(err, text, sizeof(text)));
	if (x->tls != NULL && !x->tls_on && x->reply.done &&
	    x->phase == REPLY_AT_STARTTLS && x->reply.result.code == 220) {
		x->r->why = WHY_TLS;
		return tls_why(x->tls, x->e);
	}
	if (!x->mailing && x->no.code != 0)
		return relay_said(x->r, x->no_at, &x->no, x->e);
	return relay_trouble(x->r, WHY_NETWORK, x->e, _("the connection was "
	    "lost; the mails wait"));
}

static void
clear(struct esmtp *x)
{
	x->msg = NULL;
	x->rcpt = NULL;
	x->reply = (struct reply)REPLY_INIT;
	x->phase = REPLY_AT_GREETING;
	x->connected = x->tls_on = x->logged_in = x->mailing = false;
	x->tainted = x->checked = false;
	x->awaited = true;
	x->no.code = 0;
	x->settled = 0;
	x->rc = RC_OK;
	watch_reset();
}

/* One session with one address, for the open item and those after it. */
static enum rc
converse(struct esmtp *x, const char *address)
{
	const struct relay_mail *m = &x->r->item.mail;
	auth_context_t auth = NULL;
	enum rc rc = RC_OK;

	clear(x);
	x->session = smtp_create_session();
	if (relay_needs_login(x->r))
		auth = auth_create_context();
	if (x->session == NULL || (relay_needs_login(x->r) && auth == NULL) ||
	    !set_session(x, address, auth) || !(x->checking ?
	    add_message(x, "", "postmaster", 0) :
	    add_message(x, m->from, m->to, m->size))) {
		rc = err_set(x->e, RC_NOMEM, "libesmtp");
	} else {
		watch_arm(step_s(x));
		smtp_start_session(x->session);
		rc = x->rc;
		if (rc == RC_OK && x->settled == 0 && !x->checked)
			rc = explain(x, smtp_errno());
		else if (rc == RC_OK && x->r->item.begun && x->r->item.open)
			rc = explain(x, smtp_errno());
	}
	watch_arm(0);
	watch_fd(-1);
	if (x->session != NULL)
		smtp_destroy_session(x->session);
	if (auth != NULL)
		auth_destroy_context(auth);
	x->session = NULL;
	x->msg = NULL;
	return rc;
}

static enum rc
login_fits(struct esmtp *x, struct err *e)
{
	if (!relay_needs_login(x->r) || (x->r->secret->len <= LOGIN_BYTES &&
	    strlen(x->r->conf->server.user) <= LOGIN_BYTES))
		return RC_OK;
	return err_set(e, RC_CONF, _("relay %s: libesmtp takes user and "
	    "password of at most 255 octets; write engine = curl"),
	    x->r->conf->name);
}

/* The addresses in turn until one accepts the connection. */
static enum rc
reach(struct esmtp *x)
{
	enum rc rc = RC_TEMP;
	bool tried = false;

	for (size_t i = 0; i < x->r->naddresses && !(tried && x->connected);
	    i++) {
		if (strchr(x->r->address[i], ':') != NULL)
			continue;
		rc = converse(x, x->r->address[i]);
		tried = true;
	}
	return rc;
}

static enum rc
esmtp_run(struct relay *r, struct err *e)
{
	struct esmtp *x = r->engine;
	enum rc rc = login_fits(x, e);

	x->e = e;
	while (rc == RC_OK && relay_take(r)) {
		rc = reach(x);
		/* Refused by us half way: the next needs a new session. */
		if (rc == RC_TEMP && r->item.bad != NULL && r->item.open) {
			relay_refuse(r);
			rc = RC_OK;
		}
	}
	x->e = NULL;
	return rc;
}

static enum rc
esmtp_check(struct relay *r, struct err *e)
{
	struct esmtp *x = r->engine;
	enum rc rc = login_fits(x, e);

	x->e = e;
	x->checking = true;
	if (rc == RC_OK)
		rc = reach(x);
	x->checking = false;
	x->e = NULL;
	return rc;
}

/* Its plugins are loaded now: later the sandbox is closed. */
static void
load_plugins(void)
{
	auth_context_t auth = auth_create_context();

	if (auth == NULL)
		return;
	auth_set_mechanism_flags(auth, AUTH_PLUGIN_PLAIN, 0);
	auth_set_mechanism(auth, "PLAIN");
	auth_set_mechanism(auth, "LOGIN");
	auth_destroy_context(auth);
}

static enum rc
esmtp_set_up(struct relay *r, struct err *e)
{
	struct esmtp *x = calloc(1, sizeof(*x));
	enum rc rc;

	if ((r->engine = x) == NULL)
		return err_set(e, RC_NOMEM, "libesmtp");
	x->r = r;
	/* It looks for client certificates in the home folder, and gives up
	 * when it may not look. */
	if (setenv("HOME", "/nonexistent", 1) != 0 ||
	    unsetenv("XDG_CONFIG_DIR") != 0)
		return err_sys(e, "setenv");
	if ((rc = watch_new(e)) != RC_OK)
		return rc;
	if (relay_needs_login(r))
		load_plugins();
	if (r->conf->server.tls == CONF_TLS_NONE)
		return RC_OK;
	/* With 1.3 it reads while its EHLO is unsent when the server's tickets
	 * come early, and waits for ever. */
	if ((rc = tls_new(&r->conf->server, TLS1_2_VERSION, &x->tls,
	    e)) != RC_OK)
		return rc;
	tls_refuse_if(x->tls, &x->tainted);
	SSL_CTX_set_info_callback(tls_ctx(x->tls), on_info);
	return RC_OK;
}

static void
esmtp_close(struct relay *r)
{
	struct esmtp *x = r->engine;

	if (x == NULL)
		return;
	tls_free(&x->tls);
	wipe(x->chunk, sizeof(x->chunk));
	free(x);
	r->engine = NULL;
}

const struct relay_engine relay_esmtp = { "libesmtp", esmtp_set_up,
    esmtp_run, esmtp_check, esmtp_close };
