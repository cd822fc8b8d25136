#include "config.h"

#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/lang.h"
#include "wire/late_ssl.h"
#include "wire/stream.h"

struct stream {
	int		 fd;
	SSL		*ssl;	/* NULL: plain */
	bool		 verified;
	bool		 dead;
	bool		 heard;	/* read, and nothing written since */
	const char	*host;
	int		 timeout_s;
	int64_t		 until_ms;	/* clock_ms() of the end; 0: none */
	int64_t		 waited_ms;	/* in this step */
	uint64_t	 moved;		/* octets in this step */
	uint64_t	 budget;	/* octets that may still be read */
	uint64_t	 in, out;
	enum wire_why	 why;
	struct err	 err;
};

struct stream *
stream_new(int fd, const char *host, int timeout_s, struct err *e)
{
	struct stream *s = calloc(1, sizeof(*s));

	if (s == NULL) {
		close(fd);
		err_nomem(e);
		return NULL;
	}
	s->fd = fd;
	s->host = host;
	s->timeout_s = timeout_s;
	stream_step(s, 65536);
	return s;
}

void
stream_free(struct stream **s)
{
	if (*s == NULL)
		return;
	/* One attempt, without waiting: the other side may be gone. */
	if ((*s)->ssl != NULL && !(*s)->dead)
		(void)SSL_shutdown((*s)->ssl);
	if ((*s)->ssl != NULL) {
		SSL_free((*s)->ssl);
		ERR_clear_error();
	}
	close((*s)->fd);
	free(*s);
	*s = NULL;
}


void
stream_more(struct stream *s, uint64_t octets)
{
	s->budget += octets;
}

void
stream_until(struct stream *s, int64_t until_ms)
{
	s->until_ms = until_ms;
}

void
stream_patience(struct stream *s, int timeout_s)
{
	s->timeout_s = timeout_s;
}

void
stream_hurry(struct stream *s, int timeout_s)
{
	if (s->timeout_s > timeout_s)
		s->timeout_s = timeout_s;
}

void
stream_kill(struct stream *s, enum wire_why why, const struct err *e)
{
	if (s->dead)
		return;
	s->dead = true;
	s->why = why;
	s->err = *e;
}

static ssize_t
lost(struct stream *s, int error)
{
	struct err e = ERR_INIT;

	if (error == 0)
		err_set(&e, RC_TEMP, _("%s: it closed the connection"),
		    s->host);
	else
		err_set(&e, RC_TEMP, _("%s: the connection was lost (%s)"),
		    s->host, lang_errno(error));
	stream_kill(s, WHY_NETWORK, &e);
	return -1;
}

static ssize_t
too_slow(struct stream *s)
{
	struct err e = ERR_INIT;

	err_set(&e, RC_TEMP, _("%s: no answer within %d seconds"), s->host,
	    s->timeout_s);
	stream_kill(s, WHY_NETWORK, &e);
	return -1;
}

/* A server that answers just in time, for ever, keeps all others waiting for
 * the next pass. */
static bool
too_long(struct stream *s)
{
	struct err e = ERR_INIT;

	if (s->until_ms == 0 || clock_ms() < s->until_ms)
		return false;
	err_set(&e, RC_TEMP, _("%s: the session has taken longer than "
	    "\"session\" allows; what came whole is kept, and the next "
	    "pass goes on"), s->host);
	stream_kill(s, WHY_NETWORK, &e);
	return true;
}

static int64_t
time_left(const struct stream *s)
{
	int64_t all = (int64_t)s->timeout_s * 1000 +
	    (int64_t)(s->moved * 1000 / STREAM_SLOW_BYTES_S);
	int64_t left = all - s->waited_ms;
	/* However much moved before, silence has its own limit. */
	int64_t quiet = (int64_t)s->timeout_s * 1000;

	return left < quiet ? left : quiet;
}

void
stream_step(struct stream *s, uint64_t budget)
{
	(void)too_long(s);
	s->waited_ms = 0;
	s->moved = 0;
	s->budget = budget;
}

/* Whoever waits for more says nothing meanwhile that could carry the
 * acknowledgement.  Left to the kernel it comes 40 ms later, and until then the
 * server's own (RFC 1122 4.2.3.4) may hold back what we wait for. */
static void
acknowledge(struct stream *s)
{
#ifdef TCP_QUICKACK
	const int on = 1;

	if (s->heard)
		(void)setsockopt(s->fd, IPPROTO_TCP, TCP_QUICKACK, &on,
		    sizeof(on));
#endif
	s->heard = false;
}

/* Wait for the socket; 0, or -1 and dead. */
static int
await(struct stream *s, short events)
{
	struct pollfd p = { s->fd, events, 0 };
	int64_t left = time_left(s), began = clock_ms();
	int r;

	if (too_long(s))
		return -1;
	if (left <= 0)
		return (int)too_slow(s);
	if (s->until_ms != 0 && left > s->until_ms - began)
		left = s->until_ms - began;
	if (events == POLLIN)
		acknowledge(s);
	do {
		r = poll(&p, 1, left > INT_MAX ? INT_MAX : (int)left);
	} while (r < 0 && errno == EINTR && clock_ms() - began < left);
	s->waited_ms += clock_ms() - began;
	if (r == 0)
		return too_long(s) ? -1 : (int)too_slow(s);
	return r < 0 ? (int)lost(s, errno) : 0;
}

/* After an SSL call: 0 to try again, -1 when dead. */
static int
tls_again(struct stream *s, int r)
{
	int error = errno;

	switch (SSL_get_error(s->ssl, r)) {
	case SSL_ERROR_WANT_READ:
		return await(s, POLLIN);
	case SSL_ERROR_WANT_WRITE:
		return await(s, POLLOUT);
	case SSL_ERROR_ZERO_RETURN:
		return (int)lost(s, 0);
	case SSL_ERROR_SYSCALL:
		return (int)lost(s, error);
	default:
		/* An end without close_notify: somebody cut the line. */
		ERR_clear_error();
		return (int)lost(s, ECONNRESET);
	}
}

static ssize_t
read_some(struct stream *s, void *p, size_t len)
{
	int n = len > INT_MAX ? INT_MAX : (int)len;
	ssize_t got;

	for (;;) {
		if (s->ssl != NULL) {
			ERR_clear_error();
			errno = 0;
			if ((got = SSL_read(s->ssl, p, n)) > 0)
				return got;
			if (tls_again(s, (int)got) != 0)
				return -1;
			continue;
		}
		if ((got = recv(s->fd, p, (size_t)n, 0)) > 0)
			return got;
		if (got == 0)
			return lost(s, 0);
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN)
			return lost(s, errno);
		if (await(s, POLLIN) != 0)
			return -1;
	}
}

ssize_t
stream_read(struct stream *s, void *p, size_t len)
{
	struct err e = ERR_INIT;
	ssize_t n;

	if (s->dead)
		return -1;
	if (s->budget == 0) {
		err_set(&e, RC_TEMP, _("%s: it answers with far more than was "
		    "asked for"), s->host);
		stream_kill(s, WHY_SERVER, &e);
		return -1;
	}
	if (len > s->budget)
		len = (size_t)s->budget;
	if ((n = read_some(s, p, len)) <= 0)
		return -1;
	s->heard = true;
	s->in += (uint64_t)n;
	s->moved += (uint64_t)n;
	s->budget -= (uint64_t)n;
	return n;
}

static ssize_t
write_some(struct stream *s, const void *p, size_t len)
{
	int n = len > INT_MAX ? INT_MAX : (int)len;
	ssize_t put;

	for (;;) {
		if (s->ssl != NULL) {
			ERR_clear_error();
			errno = 0;
			if ((put = SSL_write(s->ssl, p, n)) > 0)
				return put;
			if (tls_again(s, (int)put) != 0)
				return -1;
			continue;
		}
#ifdef MSG_NOSIGNAL
		put = send(s->fd, p, (size_t)n, MSG_NOSIGNAL);
#else
		put = send(s->fd, p, (size_t)n, 0);
#endif
		if (put > 0)
			return put;
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN)
			return lost(s, errno);
		if (await(s, POLLOUT) != 0)
			return -1;
	}
}

ssize_t
stream_write(struct stream *s, const void *p, size_t len)
{
	const uint8_t *at = p;
	size_t left = len;

	if (s->dead)
		return -1;
	while (left > 0) {
		ssize_t n = write_some(s, at, left);

		if (n <= 0)
			return -1;
		at += n;
		left -= (size_t)n;
		s->heard = false;
		s->out += (uint64_t)n;
		s->moved += (uint64_t)n;
	}
	return (ssize_t)len;
}

void
stream_hello(struct stream *s, struct tls *t)
{
	struct err ignored = ERR_INIT;
	int said;

	if (s->dead || (s->ssl = tls_start(t, s->fd, &ignored)) == NULL)
		return;
	/* In place of the socket: where there is nothing to be read. */
	SSL_set0_rbio(s->ssl, BIO_new(BIO_s_mem()));
	said = SSL_get_error(s->ssl, SSL_do_handshake(s->ssl));
	if (said != SSL_ERROR_WANT_READ || SSL_set_rfd(s->ssl, s->fd) != 1) {
		SSL_free(s->ssl);
		s->ssl = NULL;
	}
	ERR_clear_error();
}

enum rc
stream_tls(struct stream *s, struct tls *t, struct err *e)
{
	enum wire_why why;
	int r;

	if (s->dead)
		return stream_error(s, &why, e);
	stream_step(s, s->budget);
	if (s->ssl == NULL && (s->ssl = tls_start(t, s->fd, e)) == NULL) {
		stream_kill(s, WHY_LOCAL, e);
		return e->rc;
	}
	while ((r = SSL_do_handshake(s->ssl)) != 1) {
		if (SSL_get_error(s->ssl, r) == SSL_ERROR_SSL) {
			tls_why(t, e);
			stream_kill(s, WHY_TLS, e);
			return e->rc;
		}
		if (tls_again(s, r) != 0)
			return stream_error(s, &why, e);
	}
	if (!tls_right(t, s->ssl)) {
		tls_why(t, e);
		stream_kill(s, WHY_TLS, e);
		return e->rc;
	}
	s->verified = true;
	return RC_OK;
}

bool
stream_verified(const struct stream *s)
{
	return s->verified && !s->dead;
}

const char *
stream_version(const struct stream *s)
{
	return s->ssl == NULL ? NULL : SSL_get_version(s->ssl);
}

/* Something to be read without the socket: what was read ahead need not be for
 * us, and is looked into. */
static bool
has_read(struct stream *s)
{
	uint8_t octet;

	if (s->ssl == NULL || SSL_has_pending(s->ssl) == 0)
		return false;
	ERR_clear_error();
	return SSL_peek(s->ssl, &octet, 1) > 0;
}

bool
stream_wait(struct stream *s, int timeout_ms, int wake_fd)
{
	struct pollfd p[2] = { { s->fd, POLLIN, 0 }, { wake_fd, POLLIN, 0 } };

	if (s->dead || has_read(s))
		return true;
	if (poll(p, wake_fd < 0 ? 1 : 2, timeout_ms) <= 0)
		return false;
	return p[0].revents != 0;
}

bool
stream_dead(const struct stream *s)
{
	return s->dead;
}

enum rc
stream_error(const struct stream *s, enum wire_why *why, struct err *e)
{
	BUG_ON(!s->dead);
	*why = s->why;
	*e = s->err;
	return e->rc;
}

uint64_t
stream_in(const struct stream *s)
{
	return s->in;
}

uint64_t
stream_out(const struct stream *s)
{
	return s->out;
}
