#include "config.h"

#include <sodium.h>
#include <string.h>
#include <unistd.h>

#include "base/lang.h"
#include "wire/link.h"

static enum rc
check(const struct conf_server *s, struct err *e)
{
	if (s->host == NULL || s->host[0] == '\0')
		return err_set(e, RC_CONF, _("no host is named"));
	if (s->user == NULL && s->auth != CONF_AUTH_NONE)
		return err_set(e, RC_CONF, _("%s: no user is named"), s->host);
	return net_word(_("user"), s->user, e);
}

enum rc
link_new(const struct conf_server *server, struct link *l, struct err *e)
{
	struct err why = ERR_INIT;
	enum rc rc, begun;

	memset(l, 0, sizeof(*l));
	l->server = server;
	if ((rc = check(server, e)) != RC_OK)
		return rc;
	begun = net_begin(server->host, server->port, &l->race, &why);
	/* What is wrong here is said first, wherever the server is. */
	if (server->tls != CONF_TLS_NONE &&
	    (rc = tls_new(server, 0, &l->tls, e)) != RC_OK)
		return rc;
	if (begun != RC_OK)
		*e = why;
	return begun;
}

enum rc
link_join(struct link *l, int64_t until_ms, struct err *e)
{
	const struct conf_server *server = l->server;
	enum rc rc;
	int fd;

	if ((rc = net_end(&l->race, server->timeout_s, &fd, &l->peer, e)) !=
	    RC_OK)
		return rc;
	if (server->tls == CONF_TLS_NONE && !l->peer.loopback) {
		close(fd);
		return err_set(e, RC_CONF, _("%s: without TLS only this "
		    "machine itself may be asked; write tls = starttls or "
		    "tls = implicit"), server->host);
	}
	l->stream = stream_new(fd, server->host, server->timeout_s, e);
	if (l->stream == NULL)
		return RC_NOMEM;
	stream_until(l->stream, until_ms);
	if (server->tls == CONF_TLS_IMPLICIT)
		stream_hello(l->stream, l->tls);
	return RC_OK;
}

void
link_free(struct link *l)
{
	net_drop(&l->race);
	stream_free(&l->stream);
	tls_free(&l->tls);
}

enum rc
link_begin(struct link *l, struct err *e)
{
	if (l->server->tls != CONF_TLS_IMPLICIT)
		return RC_OK;
	return stream_tls(l->stream, l->tls, e);
}

bool
link_safe(const struct link *l)
{
	return stream_verified(l->stream) ||
	    (l->server->tls == CONF_TLS_NONE && l->peer.loopback &&
	    !stream_dead(l->stream));
}

enum rc
link_secret(const struct link *l, const struct secret *secret, struct err *e)
{
	if (secret == NULL || secret->p == NULL || secret->len == 0)
		return err_set(e, RC_CONF, _("%s: no password was given"),
		    l->server->host);
	if (strlen(secret->p) != secret->len)
		return err_set(e, RC_CONF, _("%s: the password holds a NUL"),
		    l->server->host);
	return net_word(_("password"), secret->p, e);
}

static bool
holds(const uint8_t *p, size_t len, const struct secret *secret)
{
	if (secret == NULL || secret->len == 0)
		return false;
	for (size_t i = 0; i + secret->len <= len; i++)
		if (memcmp(p + i, secret->p, secret->len) == 0)
			return true;
	return false;
}

void
link_said(const struct secret *secret, const void *p, size_t len,
    char out[LINK_SAID_CHARS])
{
	const uint8_t *from = p;
	size_t n = 0;

	out[0] = '\0';
	if (holds(from, len, secret))
		return;
	for (; n < len && n < LINK_SAID_CHARS - 1; n++)
		out[n] = from[n] >= 0x20 && from[n] < 0x7f ?
		    (char)from[n] : '?';
	out[n] = '\0';
}

bool
link_base64(const void *p, size_t n, struct buf *out)
{
	size_t len = sodium_base64_ENCODED_LEN(n,
	    sodium_base64_VARIANT_ORIGINAL);

	buf_wipe(out);
	if (!buf_reserve(out, len))
		return false;
	sodium_bin2base64((char *)out->p, len, p, n,
	    sodium_base64_VARIANT_ORIGINAL);
	out->len = len - 1;
	return true;
}

bool
link_plain(const struct link *l, const struct secret *secret, struct buf *out)
{
	struct buf b = BUF_INIT;
	bool ok = buf_add(&b, "", 1) && buf_adds(&b, l->server->user) &&
	    buf_add(&b, "", 1) && buf_add(&b, secret->p, secret->len) &&
	    link_base64(b.p, b.len, out);

	buf_free(&b);
	return ok;
}

bool
link_xoauth2(const struct link *l, const struct secret *secret,
    struct buf *out)
{
	struct buf b = BUF_INIT;
	bool ok = buf_adds(&b, "user=") && buf_adds(&b, l->server->user) &&
	    buf_adds(&b, "\001auth=Bearer ") &&
	    buf_add(&b, secret->p, secret->len) &&
	    buf_adds(&b, "\001\001") && link_base64(b.p, b.len, out);

	buf_free(&b);
	return ok;
}
