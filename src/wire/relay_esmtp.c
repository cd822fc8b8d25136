#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/lang.h"
#include "wire/relay_esmtp.h"
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

#define LOGIN_BYTES 255		/* its PLAIN copies both to fixed arrays */

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
	long ms = 1000L * (x->r->conf->server.timeout_s *
	    (RELAY_END_STEPS + 1) + 60);

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
	smtp_set_eventcb(x->session, esmtp_event, x);
	smtp_set_monitorcb(x->session, esmtp_monitor, x, 0);
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
		    "within %d seconds; the mails wait"),
		    x->r->conf->server.timeout_s);
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
	x->whole = false;
	x->no.code = 0;
	x->settled = x->challenges = 0;
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
	    esmtp_add(x, "", "postmaster", 0) :
	    esmtp_add(x, m->from, m->to, m->size))) {
		rc = err_nomem(x->e);
	} else {
		watch_arm(x->r->conf->server.timeout_s);
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
	struct esmtp *x;
	enum rc rc = late_esmtp_load(e);

	if (rc != RC_OK)
		return rc;
	if ((r->engine = x = calloc(1, sizeof(*x))) == NULL)
		return err_nomem(e);
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
