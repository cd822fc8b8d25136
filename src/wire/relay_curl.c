#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/lang.h"
#include "wire/relay_curl.h"

/*
 * One transfer of libcurl per mail, over one connection while the relay
 * allows it.  It goes on to MAIL when no login is offered, and on Debian it
 * reads its authorities at each handshake, in the sandbox: see below.
 */

#define SLOW_OCTETS 100		/* a second, over timeout_s: no connection */

static void
fail(struct curl_relay *x, enum rc rc)
{
	x->rc = rc;
	if (x->fd != CURL_SOCKET_BAD)
		shutdown(x->fd, SHUT_RDWR);
}

static int
step_s(const struct curl_relay *x)
{
	return x->r->conf->server.timeout_s;
}

static void
forget_connection(struct curl_relay *x, curl_socket_t fd)
{
	x->fd = fd;
	x->reply = (struct reply)REPLY_INIT;
	x->phase = REPLY_AT_GREETING;
	x->logged_in = x->dated = false;
	x->tls_on = x->r->conf->server.tls == CONF_TLS_IMPLICIT;
	x->awaited = true;
	x->size_limit = 0;
}

static int
on_socket(void *arg, curl_socket_t fd, curlsocktype purpose)
{
	(void)purpose;
	forget_connection(arg, fd);
	return CURL_SOCKOPT_OK;
}

static int
on_close(void *arg, curl_socket_t fd)
{
	struct curl_relay *x = arg;

	if (x->fd == fd)
		x->fd = CURL_SOCKET_BAD;
	return close(fd);
}

static size_t
on_read(char *p, size_t size, size_t n, void *arg)
{
	struct curl_relay *x = arg;
	int got;

	x->too_big = x->size_limit > 0 &&
	    x->r->item.mail.size > x->size_limit;
	if (x->rc != RC_OK || x->too_big ||
	    (relay_needs_login(x->r) && !x->logged_in))
		return CURL_READFUNC_ABORT;
	if ((got = relay_read(x->r, p, size * n)) < 0)
		return CURL_READFUNC_ABORT;
	if (got == 0) {
		x->phase = REPLY_AT_CONTENT;
		x->awaited = true;
		curl_easy_setopt(x->easy, CURLOPT_LOW_SPEED_LIMIT, 0L);
		curl_easy_setopt(x->easy, CURLOPT_SERVER_RESPONSE_TIMEOUT,
		    (long)step_s(x) * RELAY_END_STEPS);
	}
	return (size_t)got;
}

static size_t
on_nothing(char *p, size_t size, size_t n, void *arg)
{
	(void)p;
	(void)arg;
	return size * n;
}

/* GnuTLS has "2026-12-31 23:59:59 GMT", OpenSSL the dates of mail. */
static int64_t
parse_date(const char *s)
{
	int y, mon, d, h, min, sec;

	if (sscanf(s, "%4d-%2d-%2d %2d:%2d:%2d GMT", &y, &mon, &d, &h, &min,
	    &sec) == 6)
		return clock_utc(y, mon, d) + h * 3600 + min * 60 + sec;
	return (int64_t)curl_getdate(s, NULL);
}

/* A date of the server's own certificate; -1: none. */
static int64_t
date_of(const struct curl_certinfo *info, const char *label)
{
	size_t n = strlen(label);

	for (struct curl_slist *s = info->num_of_certs > 0 ?
	    info->certinfo[0] : NULL; s != NULL; s = s->next)
		if (strncasecmp(s->data, label, n) == 0)
			return parse_date(s->data + n);
	return -1;
}

/* With a pin curl verifies no authority and no dates: the dates are ours. */
static void
check_dates(struct curl_relay *x)
{
	struct curl_certinfo *info = NULL;
	int64_t from = -1, until = -1;

	x->dated = true;
	if (curl_easy_getinfo(x->easy, CURLINFO_CERTINFO, &info) ==
	    CURLE_OK && info != NULL) {
		from = date_of(info, "Start date:");
		until = date_of(info, "Expire date:");
	}
	if (from < 0 || until < 0 || clock_now() < from ||
	    clock_now() > until)
		fail(x, relay_trouble(x->r, WHY_TLS, x->e, _("its certificate "
		    "is not valid today; nothing was sent. Its keeper must "
		    "renew it (or is the clock of this machine wrong?)")));
}

static void
on_command(struct curl_relay *x, const char *p, size_t len)
{
	if (x->phase != REPLY_AT_AUTH || x->reply.result.code != 334)
		x->phase = reply_phase_of(p, len);
	x->awaited = true;
	if (x->phase == REPLY_AT_MAIL && relay_needs_login(x->r) &&
	    !x->logged_in && x->rc == RC_OK)
		fail(x, relay_trouble(x->r, WHY_LOGIN, x->e, _("offers no "
		    "login that works for us; nothing was sent")));
}

static void
on_answer(struct curl_relay *x)
{
	x->awaited = false;
	if (x->phase == REPLY_AT_OTHER)
		return;		/* curl says QUIT before it returns */
	x->last = x->reply.result;
	x->last_at = x->phase;
	if (x->phase == REPLY_AT_AUTH && x->last.code == 235)
		x->logged_in = true;
	if (x->phase == REPLY_AT_HELLO && x->tls_on && !x->dated &&
	    x->proof == BY_PIN)
		check_dates(x);
	if (x->phase == REPLY_AT_STARTTLS && x->last.code == 220) {
		x->tls_on = true;
		x->size_limit = 0;
	}
}

/* A line of the server: each command is answered by just one reply. */
static void
on_words(struct curl_relay *x, const char *p, size_t len)
{
	size_t used;

	if (x->phase == REPLY_AT_HELLO && len > 9 &&
	    strncmp(p + 3, "-SIZE ", 6) == 0)
		x->size_limit = strtoull(p + 9, NULL, 10);
	if (x->phase == REPLY_AT_HELLO && len > 9 &&
	    strncmp(p + 3, " SIZE ", 6) == 0)
		x->size_limit = strtoull(p + 9, NULL, 10);
	while (len > 0 && x->rc == RC_OK) {
		enum reply_state state = reply_read(&x->reply, p, len, &used);

		p += used;
		len -= used;
		if (!x->awaited || state == REPLY_BAD)
			fail(x, relay_trouble(x->r, x->tls_on ? WHY_SERVER :
			    WHY_TLS, x->e, _("its words make no sense; the "
			    "mails wait")));
		else if (state == REPLY_DONE)
			on_answer(x);
	}
}

/* The only place where curl tells commands and replies in their order. */
static int
on_debug(CURL *easy, curl_infotype type, char *p, size_t len, void *arg)
{
	struct curl_relay *x = arg;

	(void)easy;
	if (type == CURLINFO_HEADER_OUT)
		on_command(x, p, len);
	else if (type == CURLINFO_HEADER_IN && x->rc == RC_OK)
		on_words(x, p, len);
	return 0;
}

static CURLcode
set_callbacks(struct curl_relay *x)
{
	CURL *c = x->easy;

	curl_easy_setopt(c, CURLOPT_ERRORBUFFER, x->why);
	curl_easy_setopt(c, CURLOPT_SOCKOPTFUNCTION, on_socket);
	curl_easy_setopt(c, CURLOPT_SOCKOPTDATA, x);
	curl_easy_setopt(c, CURLOPT_CLOSESOCKETFUNCTION, on_close);
	curl_easy_setopt(c, CURLOPT_CLOSESOCKETDATA, x);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_nothing);
	curl_easy_setopt(c, CURLOPT_READFUNCTION, on_read);
	curl_easy_setopt(c, CURLOPT_READDATA, x);
	curl_easy_setopt(c, CURLOPT_DEBUGFUNCTION, on_debug);
	curl_easy_setopt(c, CURLOPT_DEBUGDATA, x);
	return curl_easy_setopt(c, CURLOPT_VERBOSE, 1L);
}

static enum rc
begin(struct curl_relay *x, struct err *e)
{
	CURLcode code;

	x->e = e;
	forget_connection(x, CURL_SOCKET_BAD);
	if ((x->easy = curl_easy_init()) == NULL || !curl_set_addresses(x))
		return err_nomem(e);
	if ((code = curl_set_all(x)) != CURLE_OK ||
	    (code = set_callbacks(x)) != CURLE_OK)
		return err_set(e, RC_CONF, _("relay %s: libcurl cannot do it "
		    "(%s)"), x->r->conf->name, curl_easy_strerror(code));
	return RC_OK;
}

static void
end(struct curl_relay *x)
{
	curl_easy_cleanup(x->easy);
	curl_slist_free_all(x->resolve);
	x->easy = NULL;
	x->resolve = NULL;
	x->e = NULL;
}

/* What libcurl's own failures are about. */
static enum rc
explain(struct curl_relay *x, CURLcode code)
{
	const char *why = x->why[0] != '\0' ? x->why :
	    curl_easy_strerror(code);

	switch ((int)code) {
	case CURLE_OUT_OF_MEMORY:
		return err_nomem(x->e);
	case CURLE_LOGIN_DENIED:
		if (x->last_at == REPLY_AT_AUTH && x->last.code >= 400)
			return relay_said(x->r, REPLY_AT_AUTH, &x->last,
			    x->e);
		return relay_trouble(x->r, WHY_LOGIN, x->e, _("offers no "
		    "login that works for us; nothing was sent"));
	case CURLE_USE_SSL_FAILED:
		return relay_trouble(x->r, WHY_TLS, x->e, _("does not offer "
		    "STARTTLS, or somebody on the way took it out; nothing "
		    "was sent"));
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
		/* What follows would name our memory as a file. */
		x->why[strcspn(x->why, ".")] = '\0';
		return relay_trouble(x->r, WHY_TLS, x->e, _("its certificate "
		    "is refused: unknown authority, past its date or of "
		    "another name (%s); nothing was sent"), why);
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_SSL_ISSUER_ERROR:
	case CURLE_SSL_CIPHER:
		return relay_trouble(x->r, WHY_TLS, x->e, _("TLS failed (%s); "
		    "nothing was sent"), why);
	case CURLE_SSL_CACERT_BADFILE:
		return err_set(x->e, RC_CONF, _("relay %s: no certificate in "
		    "PEM form in its ca_file"), x->r->conf->name);
	default:
		break;
	}
	if (x->last.code >= 400)
		return relay_said(x->r, x->last_at, &x->last, x->e);
	return relay_trouble(x->r, WHY_NETWORK, x->e, _("the connection "
	    "failed (%s); the mails wait"), why);
}

/* Did the last reply speak about this mail? */
static bool
about_mail(const struct curl_relay *x)
{
	return x->last.code >= 400 && x->last_at >= REPLY_AT_MAIL &&
	    x->last_at <= REPLY_AT_CONTENT;
}

static bool
proved(const struct curl_relay *x, CURLcode code)
{
	return code == CURLE_OK && x->last_at == REPLY_AT_CONTENT &&
	    x->last.code / 100 == 2 && x->r->item.given &&
	    (x->tls_on || x->r->conf->server.tls == CONF_TLS_NONE) &&
	    (x->logged_in || !relay_needs_login(x->r));
}

static enum rc
settle(struct curl_relay *x, CURLcode code)
{
	struct relay_result res = x->last;

	if (x->rc != RC_OK)
		return x->rc;
	if (x->r->feed_rc != RC_OK)
		return RC_OK;	/* relay_run() reports it */
	if (x->r->item.bad != NULL) {
		relay_refuse(x->r);
		return RC_OK;
	}
	if (x->too_big) {
		reply_set(&res, 552, "5.3.4 larger than the relay takes "
		    "(by its own word)");
		reply_judge(REPLY_AT_MAIL, &res);
		relay_done(x->r, &res);
		return RC_OK;
	}
	if (!proved(x, code) && !about_mail(x))
		return explain(x, code);
	if (reply_judge(x->last_at, &res) == REPLY_ON_ROUTE) {
		relay_done(x->r, &res);
		return relay_said(x->r, x->last_at, &res, x->e);
	}
	relay_done(x->r, &res);
	return RC_OK;
}

static CURLcode
perform(struct curl_relay *x)
{
	memset(&x->last, 0, sizeof(x->last));
	x->last_at = REPLY_AT_GREETING;
	x->too_big = false;
	x->rc = RC_OK;
	x->why[0] = '\0';
	curl_easy_setopt(x->easy, CURLOPT_SERVER_RESPONSE_TIMEOUT,
	    (long)step_s(x));
	curl_easy_setopt(x->easy, CURLOPT_LOW_SPEED_LIMIT, (long)SLOW_OCTETS);
	return curl_easy_perform(x->easy);
}

/* The pin first; a certificate with another key may come from an authority. */
static CURLcode
perform_proved(struct curl_relay *x)
{
	CURLcode code = perform(x);

	if (code != CURLE_SSL_PINNEDPUBKEYNOTMATCH || x->ca.len == 0)
		return code;
	x->proof = BY_AUTHORITY;
	if ((code = curl_set_tls(x)) != CURLE_OK)
		return code;
	return perform(x);
}

static enum rc
send_one(struct curl_relay *x)
{
	const struct relay_mail *m = &x->r->item.mail;
	struct curl_slist *to = curl_slist_append(NULL, m->to);
	CURLcode code;
	enum rc rc;

	if (to == NULL || curl_easy_setopt(x->easy, CURLOPT_MAIL_FROM,
	    m->from[0] != '\0' ? m->from : NULL) != CURLE_OK ||
	    curl_easy_setopt(x->easy, CURLOPT_MAIL_RCPT, to) != CURLE_OK ||
	    curl_easy_setopt(x->easy, CURLOPT_UPLOAD, 1L) != CURLE_OK ||
	    /* Never its true size: curl counts the dots that it adds, and
	     * stops when the count fits by chance, before the last octets. */
	    curl_easy_setopt(x->easy, CURLOPT_INFILESIZE_LARGE,
	    (curl_off_t)-1) != CURLE_OK) {
		rc = err_nomem(x->e);
	} else {
		code = perform_proved(x);
		x->r->item.begun = x->last_at >= REPLY_AT_MAIL;
		rc = settle(x, code);
	}
	curl_easy_setopt(x->easy, CURLOPT_MAIL_RCPT, NULL);
	curl_slist_free_all(to);
	return rc;
}

static enum rc
curl_run(struct relay *r, struct err *e)
{
	struct curl_relay *x = r->engine;
	enum rc rc = begin(x, e);

	while (rc == RC_OK && relay_take(r)) {
		rc = send_one(x);
		if (r->feed_rc != RC_OK)
			break;
	}
	end(x);
	return rc;
}

static enum rc
curl_check(struct relay *r, struct err *e)
{
	struct curl_relay *x = r->engine;
	enum rc rc = begin(x, e);
	CURLcode code;

	if (rc == RC_OK && (curl_easy_setopt(x->easy, CURLOPT_CUSTOMREQUEST,
	    "NOOP") != CURLE_OK ||
	    curl_easy_setopt(x->easy, CURLOPT_NOBODY, 1L) != CURLE_OK))
		rc = err_nomem(e);
	if (rc == RC_OK) {
		code = perform_proved(x);
		rc = x->rc != RC_OK ? x->rc : RC_OK;
		if (rc == RC_OK && code != CURLE_OK)
			rc = explain(x, code);
		if (rc == RC_OK && relay_needs_login(r) && !x->logged_in)
			rc = relay_trouble(r, WHY_LOGIN, e, _("offers no login "
			    "that works for us; nothing was sent"));
	}
	end(x);
	return rc;
}

static enum rc
curl_set_up(struct relay *r, struct err *e)
{
	struct curl_relay *x;
	enum rc rc;

	if ((rc = late_curl_load(e)) != RC_OK)
		return rc;
	if ((r->engine = x = calloc(1, sizeof(*x))) == NULL)
		return err_nomem(e);
	x->r = r;
	x->fd = CURL_SOCKET_BAD;
	x->ca_fd = -1;
	if (curl_global_init(CURL_GLOBAL_ALL) != CURLE_OK)
		return err_nomem(e);
	if (!curl_set_url(x))
		return err_set(e, RC_CONF, _("relay %s: its host name is too "
		    "long"), r->conf->name);
	return r->conf->server.tls == CONF_TLS_NONE ? RC_OK :
	    curl_load(x, e);
}

static void
curl_close(struct relay *r)
{
	struct curl_relay *x = r->engine;

	if (x == NULL)
		return;
	if (x->ca_fd >= 0)
		close(x->ca_fd);
	buf_free(&x->ca);
	free(x);
	r->engine = NULL;
	curl_global_cleanup();
}

const struct relay_engine relay_curl = { "libcurl", curl_set_up, curl_run,
    curl_check, curl_close };
