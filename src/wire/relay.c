#include "config.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/lang.h"
#include "mail/addr.h"
#include "wire/net.h"
#include "wire/relay_engine.h"

enum rc
relay_trouble(struct relay *r, enum wire_why why, struct err *e,
    const char *fmt, ...)
{
	char text[ERR_TEXT_BYTES];
	va_list ap;

	va_start(ap, fmt);
	if (vsnprintf(text, sizeof(text), fmt, ap) < 0)
		text[0] = '\0';
	va_end(ap);
	r->why = why;
	return err_set(e, RC_TEMP, _("%s: %s"), r->conf->server.host, text);
}

bool
relay_needs_login(const struct relay *r)
{
	return r->conf->server.auth != CONF_AUTH_NONE;
}

enum rc
relay_said(struct relay *r, enum reply_phase phase,
    const struct relay_result *res, struct err *e)
{
	bool login = phase == REPLY_AT_AUTH && res->code >= 500;

	if (res->code == 0)
		return relay_trouble(r, WHY_NETWORK, e, _("the connection was "
		    "lost; the mails wait"));
	if (login)
		return relay_trouble(r, WHY_LOGIN, e, _("refuses the user %s "
		    "or its password (%d %s); the mails wait. Check user and "
		    "password"), r->conf->server.user, res->code, res->text);
	return relay_trouble(r, phase == REPLY_AT_STARTTLS ? WHY_TLS :
	    WHY_SERVER, e, _("takes no mail now (%d %s); the mails wait"),
	    res->code, res->text);
}

/* Nothing but what may stand in a command: no CR, LF, blank, bracket. */
static const char *
bad_address(const struct relay_mail *m)
{
	struct addr a;
	struct err e = ERR_INIT;

	if (m->from[0] != '\0' &&
	    addr_parse(m->from, strlen(m->from), &a, &e) != RC_OK)
		return N_("not an address: the sender");
	if (addr_parse(m->to, strlen(m->to), &a, &e) != RC_OK)
		return N_("not an address: the recipient");
	return NULL;
}

void
relay_refuse(struct relay *r)
{
	struct relay_result res = { RELAY_REFUSED, 0, "", "" };

	reply_set(&res, 0, r->item.bad);
	relay_done(r, &res);
}

bool
relay_take(struct relay *r)
{
	bool more = false;

	while (!r->item.open && r->feed_rc == RC_OK) {
		memset(&r->item, 0, sizeof(r->item));
		r->feed_rc = r->feed->next(r->feed->arg, &r->item.mail, &more,
		    &r->feed_err);
		if (r->feed_rc != RC_OK || !more)
			return false;
		r->item.open = true;
		r->item.bad = bad_address(&r->item.mail);
		if (r->item.bad != NULL && !r->given.open)
			relay_refuse(r);
	}
	return r->item.open;
}

/* RFC 5321 2.3.8: CR and LF only together; a bare one smuggles mails. */
static const char *
bad_octets(struct relay_item *it, const char *p, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if ((p[i] == '\n') != (it->last == '\r'))
			return N_("a bare CR or LF in the mail");
		if (p[i] == '\0')
			return N_("a NUL in the mail");
		if (p[i] == '\n')
			it->column = 0;
		else if (p[i] != '\r' && ++it->column > RELAY_LINE_MAX)
			return N_("a line of the mail is longer than 998 "
			    "octets");
		it->last = p[i];
	}
	it->octets += len;
	if (it->octets > it->mail.size)
		return N_("the mail is longer than announced");
	return NULL;
}

static int
read_end(struct relay_item *it)
{
	if (it->octets != it->mail.size)
		it->bad = N_("the mail is shorter than announced");
	else if (it->last != '\n')
		it->bad = N_("the mail does not end in CRLF");
	it->given = it->bad == NULL;
	return it->given ? 0 : -1;
}

int
relay_read(struct relay *r, char *p, size_t cap)
{
	struct relay_item *it = &r->item;
	size_t len = 0;

	if (!it->open || it->bad != NULL || r->feed_rc != RC_OK)
		return -1;
	if (it->given)
		return 0;
	r->feed_rc = r->feed->read(r->feed->arg, p, cap, &len, &r->feed_err);
	if (r->feed_rc != RC_OK)
		return -1;
	BUG_ON(len > cap);
	if (len == 0)
		return read_end(it);
	if ((it->bad = bad_octets(it, p, len)) != NULL)
		return -1;
	return (int)len;
}

void
relay_done(struct relay *r, const struct relay_result *result)
{
	enum rc rc;

	BUG_ON(!r->item.open || r->given.open);
	r->item.open = false;
	rc = r->feed->done(r->feed->arg, result, &r->feed_err);
	if (r->feed_rc == RC_OK)
		r->feed_rc = rc;
}

bool
relay_ready(const struct relay *r)
{
	return r->feed->ready != NULL && r->feed->ready(r->feed->arg);
}

void
relay_given(struct relay *r)
{
	BUG_ON(r->given.open || !r->item.open || !r->item.given);
	r->given = r->item;
	r->item.open = false;
}

void
relay_answered(struct relay *r, const struct relay_result *result)
{
	struct relay_item next = r->item;

	BUG_ON(!r->given.open);
	r->item = r->given;
	r->given.open = false;
	relay_done(r, result);
	r->item = next;
}

/* The session ended under a mail, or under two. */
static void
lose(struct relay *r)
{
	struct relay_result res = { RELAY_DEFERRED, 0, "", "" };

	if (r->given.open) {
		res.verdict = RELAY_UNCERTAIN;
		reply_set(&res, 0, N_("no answer to the end of the mail"));
		relay_answered(r, &res);
		res.verdict = RELAY_DEFERRED;
	}
	if (!r->item.open)
		return;

	if (r->item.bad != NULL) {
		relay_refuse(r);
		return;
	}
	if (r->item.given && r->item.begun)
		res.verdict = RELAY_UNCERTAIN;
	reply_set(&res, 0, res.verdict == RELAY_UNCERTAIN ?
	    N_("no answer to the end of the mail") :
	    N_("not sent: the session ended first"));
	relay_done(r, &res);
}

enum rc
relay_run(struct relay *r, const struct secret *secret,
    const struct relay_feed *feed, struct err *e)
{
	enum rc rc;

	BUG_ON(relay_needs_login(r) && (secret == NULL || secret->p == NULL));
	r->secret = secret;
	r->feed = feed;
	r->why = WHY_NONE;
	r->feed_rc = RC_OK;
	r->item.open = r->given.open = false;
	rc = r->ops->run(r, e);
	lose(r);
	if (r->feed_rc != RC_OK) {
		*e = r->feed_err;
		r->why = WHY_LOCAL;
		rc = r->feed_rc;
	}
	r->secret = NULL;
	r->feed = NULL;
	return rc;
}

enum rc
relay_check(struct relay *r, const struct secret *secret, struct err *e)
{
	enum rc rc;

	BUG_ON(relay_needs_login(r) && (secret == NULL || secret->p == NULL));
	r->secret = secret;
	r->why = WHY_NONE;
	rc = r->ops->check(r, e);
	r->secret = NULL;
	return rc;
}

/* RFC 5321 4.1.3: who has no name of its own gives its address. */
static void
name_ourselves(struct relay *r, const struct addrinfo *ai)
{
	struct sockaddr_storage us;
	socklen_t len = sizeof(us);
	char host[RELAY_ADDRESS_BYTES] = "127.0.0.1";
	int fd;

	if (r->conf->helo != NULL) {
		snprintf(r->helo, sizeof(r->helo), "%s", r->conf->helo);
		return;
	}
	/* Nothing is sent by connecting a datagram socket. */
	fd = socket(ai->ai_family, SOCK_DGRAM, 0);
	if (fd < 0 || connect(fd, ai->ai_addr, ai->ai_addrlen) != 0 ||
	    getsockname(fd, (struct sockaddr *)&us, &len) != 0 ||
	    getnameinfo((struct sockaddr *)&us, len, host, sizeof(host), NULL,
	    0, NI_NUMERICHOST) != 0)
		us.ss_family = AF_INET;
	if (fd >= 0)
		close(fd);
	host[strcspn(host, "%")] = '\0';
	snprintf(r->helo, sizeof(r->helo), us.ss_family == AF_INET6 ?
	    "[IPv6:%s]" : "[%s]", host);
}

static enum rc
take_address(struct relay *r, const struct addrinfo *ai, struct err *e)
{
	char *to = r->address[r->naddresses];

	if (r->conf->server.tls == CONF_TLS_NONE &&
	    !net_is_loopback(ai->ai_addr))
		return err_set(e, RC_CONF, _("%s is another machine: mail and "
		    "password go there only over TLS. Set tls = starttls or "
		    "implicit"), r->conf->server.host);
	if (getnameinfo(ai->ai_addr, ai->ai_addrlen, to, RELAY_ADDRESS_BYTES,
	    NULL, 0, NI_NUMERICHOST) == 0)
		r->naddresses++;
	return RC_OK;
}

static enum rc
resolve(struct relay *r, struct err *e)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *list = NULL;
	char port[8];
	enum rc rc = RC_OK;
	int err;

	snprintf(port, sizeof(port), "%u", (unsigned)r->conf->server.port);
	if ((err = getaddrinfo(r->conf->server.host, port, &hints,
	    &list)) != 0)
		return err_set(e, RC_TEMP, _("%s: its address cannot be found "
		    "(%s); the mails wait"), r->conf->server.host,
		    lang_resolver(err));
	for (struct addrinfo *ai = list; ai != NULL && rc == RC_OK &&
	    r->naddresses < RELAY_ADDRESSES; ai = ai->ai_next)
		rc = take_address(r, ai, e);
	if (rc == RC_OK && r->naddresses == 0)
		rc = err_set(e, RC_TEMP, _("%s: its address cannot be found "
		    "(%s); the mails wait"), r->conf->server.host, "-");
	if (rc == RC_OK)
		name_ourselves(r, list);
	freeaddrinfo(list);
	return rc;
}

/* What libesmtp can do: no TLS from the first octet, no tokens, no IPv6. */
static bool
esmtp_can(const struct relay *r)
{
	const struct conf_server *s = &r->conf->server;
	bool v4 = false;

	for (size_t i = 0; i < r->naddresses; i++)
		v4 = v4 || strchr(r->address[i], ':') == NULL;
	return v4 && s->tls != CONF_TLS_IMPLICIT &&
	    s->auth != CONF_AUTH_XOAUTH2;
}

static const struct relay_engine *
engine_of(enum conf_engine wanted, bool esmtp_ok)
{
	if (wanted == CONF_ENGINE_SCEAU)
		return &relay_smtp;
#ifdef HAVE_LIBESMTP
	if (wanted != CONF_ENGINE_CURL && esmtp_ok)
		return &relay_esmtp;
#endif
#ifdef HAVE_LIBCURL
	if (wanted != CONF_ENGINE_ESMTP)
		return &relay_curl;
#endif
	(void)wanted;
	(void)esmtp_ok;
	return NULL;
}

static enum rc
choose(struct relay *r, struct err *e)
{
	bool ok = esmtp_can(r);

	r->ops = engine_of(r->conf->engine, ok);
	if (r->ops != NULL)
		return RC_OK;
	if (r->conf->engine == CONF_ENGINE_ESMTP && !ok)
		return err_set(e, RC_CONF, _("relay %s: libesmtp speaks "
		    "neither TLS from the first octet nor XOAUTH2 nor IPv6; "
		    "write engine = auto"), r->conf->name);
	return err_set(e, RC_CONF, _("relay %s: this sceau was built without "
	    "the engine that it needs"), r->conf->name);
}

static enum rc
set_up(struct relay *r, struct err *e)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	enum rc rc;

	/* Both libraries write to sockets without MSG_NOSIGNAL. */
	if (sigaction(SIGPIPE, &ignore, NULL) != 0)
		return err_sys(e, "sigaction");
	if (r->conf->helo != NULL && (r->conf->helo[0] == '\0' ||
	    strlen(r->conf->helo) >= sizeof(r->helo) ||
	    strpbrk(r->conf->helo, " \t\r\n/?#%") != NULL))
		return err_set(e, RC_CONF, _("relay %s: helo must be a host "
		    "name or an [address]"), r->conf->name);
	if ((rc = resolve(r, e)) != RC_OK || (rc = choose(r, e)) != RC_OK)
		return rc;
	return r->ops->set_up(r, e);
}

enum rc
relay_new(const struct conf_relay *conf, struct relay **r, struct err *e)
{
	enum rc rc;

	if ((*r = calloc(1, sizeof(**r))) == NULL)
		return err_nomem(e);
	(*r)->conf = conf;
	if ((rc = set_up(*r, e)) != RC_OK)
		relay_close(r);
	return rc;
}

enum wire_why
relay_why(const struct relay *r)
{
	return r == NULL ? WHY_NETWORK : r->why;
}

const char *
relay_engine(const struct relay *r)
{
	return r->ops->name;
}

void
relay_close(struct relay **r)
{
	if (*r == NULL)
		return;
	if ((*r)->ops != NULL)
		(*r)->ops->close(*r);
	free(*r);
	*r = NULL;
}
