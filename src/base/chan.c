#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/chan.h"
#include "base/lang.h"

enum rc
chan_pair(int fds[2], struct err *e)
{
	const int room = 256 * 1024;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) != 0)
		return err_sys(e, "socketpair");
	for (int i = 0; i < 2; i++) {
		if (fcntl(fds[i], F_SETFD, FD_CLOEXEC) != 0)
			return err_sys(e, "fcntl");
		/* Larger buffers save switches; a smaller grant is fine. */
		(void)setsockopt(fds[i], SOL_SOCKET, SO_SNDBUF, &room,
		    sizeof(room));
	}
	return RC_OK;
}

void
chan_init(struct chan *c, int fd)
{
	*c = (struct chan)CHAN_INIT;
	c->fd = fd;
}

void
chan_close(struct chan *c)
{
	if (c->fd >= 0)
		close(c->fd);
	if (c->got_fd >= 0)
		close(c->got_fd);
	buf_free(&c->in);
	buf_free(&c->out);
	*c = (struct chan)CHAN_INIT;
}

static void
head_put(uint8_t head[CHAN_HEAD_BYTES], uint8_t type, uint32_t job,
    size_t len)
{
	put_be32(head, (uint32_t)len);
	head[4] = type;
	put_be32(head + 5, job);
}

static enum rc
gone(struct err *e)
{
	return err_set(e, RC_TEMP, _("a process of sceau has ended early"));
}

static ssize_t
send_some(int fd, struct iovec *iov, int n, int pass_fd, int flags)
{
	union {
		struct cmsghdr	h;
		char		room[CMSG_SPACE(sizeof(int))];
	} control;
	struct msghdr m = { .msg_iov = iov };

	m.msg_iovlen = (__typeof__(m.msg_iovlen))n;
	if (pass_fd >= 0) {
		memset(&control, 0, sizeof(control));
		m.msg_control = control.room;
		m.msg_controllen = sizeof(control.room);
		control.h.cmsg_level = SOL_SOCKET;
		control.h.cmsg_type = SCM_RIGHTS;
		control.h.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&control.h), &pass_fd, sizeof(int));
	}
#ifdef MSG_NOSIGNAL
	flags |= MSG_NOSIGNAL;
#endif
	return sendmsg(fd, &m, flags);
}

static void
out_wipe(struct chan *c)
{
	buf_wipe(&c->out);
	c->out_at = 0;
}

/* All of it, however long that takes. */
static enum rc
send_all(int to, struct iovec *iov, int n, int fd, struct err *e)
{
	while (n > 0) {
		ssize_t done = send_some(to, iov, n, fd, 0);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
			struct pollfd full = { to, POLLOUT, 0 };

			(void)poll(&full, 1, -1);
			continue;
		}
		if (done <= 0)
			return gone(e);
		fd = -1;
		for (; n > 0 && (size_t)done >= iov->iov_len; iov++, n--)
			done -= (ssize_t)iov->iov_len;
		if (n > 0) {
			iov->iov_base = (uint8_t *)iov->iov_base + done;
			iov->iov_len -= (size_t)done;
		}
	}
	return RC_OK;
}

enum rc
chan_send_fd(struct chan *c, uint8_t type, uint32_t job, const void *p,
    size_t len, int fd, struct err *e)
{
	uint8_t head[CHAN_HEAD_BYTES];
	struct iovec iov[3];
	enum rc rc = RC_OK;
	int n = 0;

	BUG_ON(len > c->max);
	/* A descriptor goes with the first octet that is sent. */
	if (fd >= 0 && (rc = chan_unhold(c, e)) != RC_OK)
		return rc;
	if (chan_pending(c) > 0)
		iov[n++] = (struct iovec){ c->out.p + c->out_at,
		    chan_pending(c) };
	head_put(head, type, job, len);
	iov[n++] = (struct iovec){ head, sizeof(head) };
	if (len > 0)
		iov[n++] = (struct iovec){ (void *)(uintptr_t)p, len };
	rc = send_all(c->fd, iov, n, fd, e);
	out_wipe(c);
	return rc;
}

enum rc
chan_unhold(struct chan *c, struct err *e)
{
	struct iovec iov;
	enum rc rc;

	if (chan_pending(c) == 0)
		return RC_OK;
	iov = (struct iovec){ c->out.p + c->out_at, chan_pending(c) };
	rc = send_all(c->fd, &iov, 1, -1, e);
	out_wipe(c);
	return rc;
}

enum rc
chan_hold(struct chan *c, uint8_t type, uint32_t job, const void *p,
    size_t len, struct err *e)
{
	return chan_pending(c) + CHAN_HEAD_BYTES + len > CHAN_DATA_BYTES ?
	    chan_send(c, type, job, p, len, e) :
	    chan_put(c, type, job, p, len, e);
}

enum rc
chan_send(struct chan *c, uint8_t type, uint32_t job, const void *p,
    size_t len, struct err *e)
{
	return chan_send_fd(c, type, job, p, len, -1, e);
}

/* Keep a descriptor that came along; a second one is not ours to ask for. */
static void
take_fd(struct chan *c, struct msghdr *m)
{
	for (struct cmsghdr *h = CMSG_FIRSTHDR(m); h != NULL;
	    h = CMSG_NXTHDR(m, h)) {
		if (h->cmsg_level != SOL_SOCKET || h->cmsg_type != SCM_RIGHTS)
			continue;
		if (c->got_fd >= 0)
			close(c->got_fd);
		memcpy(&c->got_fd, CMSG_DATA(h), sizeof(int));
		(void)fcntl(c->got_fd, F_SETFD, FD_CLOEXEC);
	}
}

/* One read into the buffer; 0: the end. */
static ssize_t
fill_once(struct chan *c)
{
	union {
		struct cmsghdr	h;
		char		room[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec iov = { c->in.p + c->in.len, c->in.cap - c->in.len };
	struct msghdr m = { .msg_iov = &iov, .msg_control = control.room,
	    .msg_controllen = sizeof(control.room) };
	ssize_t n;

	m.msg_iovlen = 1;
	do {
		n = recvmsg(c->fd, &m, 0);
	} while (n < 0 && errno == EINTR);
	if (n > 0) {
		c->in.len += (size_t)n;
		take_fd(c, &m);
	}
	return n;
}

bool
chan_ready(const struct chan *c)
{
	size_t at = c->in_at;

	return c->in.len - at >= CHAN_HEAD_BYTES &&
	    c->in.len - at - CHAN_HEAD_BYTES >= get_be32(c->in.p + at);
}

bool
chan_waiting(const struct chan *c)
{
	struct pollfd p = { c->fd, POLLIN, 0 };

	return chan_ready(c) || (c->fd >= 0 && poll(&p, 1, 0) == 1);
}

/* Make room for the rest of the frame at hand. */
static enum rc
make_room(struct chan *c, struct err *e)
{
	size_t want = CHAN_HEAD_BYTES + CHAN_DATA_BYTES;

	if (c->in_at > 0) {
		buf_drop(&c->in, c->in_at);
		c->in_at = 0;
	}
	if (c->in.len >= CHAN_HEAD_BYTES) {
		if (get_be32(c->in.p) > c->max)
			return err_set(e, RC_TEMP,
			    _("a process of sceau sent too long a message"));
		if (CHAN_HEAD_BYTES + get_be32(c->in.p) > want)
			want = CHAN_HEAD_BYTES + get_be32(c->in.p);
	}
	if (want < c->in.len + 4096)
		want = c->in.len + 4096;
	if (!buf_reserve(&c->in, want - c->in.len))
		return err_nomem(e);
	return RC_OK;
}

static void
hand_out(struct chan *c, struct frame *f)
{
	const uint8_t *p = c->in.p + c->in_at;

	f->body.len = get_be32(p);
	f->type = p[4];
	f->job = get_be32(p + 5);
	f->body.p = p + CHAN_HEAD_BYTES;
	c->in_at += CHAN_HEAD_BYTES + f->body.len;
}

enum rc
chan_recv(struct chan *c, struct frame *f, struct err *e)
{
	while (!chan_ready(c)) {
		enum rc rc = make_room(c, e);

		if (rc != RC_OK)
			return rc;
		if (fill_once(c) <= 0)
			return gone(e);
	}
	hand_out(c, f);
	return RC_OK;
}

enum rc
chan_nonblock(struct chan *c, struct err *e)
{
	int flags = fcntl(c->fd, F_GETFL);

	if (flags < 0 || fcntl(c->fd, F_SETFL, flags | O_NONBLOCK) != 0)
		return err_sys(e, "fcntl");
	return RC_OK;
}

enum rc
chan_put(struct chan *c, uint8_t type, uint32_t job, const void *p,
    size_t len, struct err *e)
{
	uint8_t head[CHAN_HEAD_BYTES];

	BUG_ON(len > c->max);
	head_put(head, type, job, len);
	/* A reader slower than us must not make the buffer grow. */
	if (c->out_at > 0 && c->out_at >= c->out.len / 2) {
		buf_drop(&c->out, c->out_at);
		c->out_at = 0;
	}
	if (!buf_reserve(&c->out, sizeof(head) + len))
		return err_nomem(e);
	buf_add(&c->out, head, sizeof(head));
	buf_add(&c->out, p, len);
	return RC_OK;
}

size_t
chan_pending(const struct chan *c)
{
	return c->out.len - c->out_at;
}

enum rc
chan_flush(struct chan *c, struct err *e)
{
	while (c->out_at < c->out.len) {
		struct iovec iov = { c->out.p + c->out_at,
		    c->out.len - c->out_at };
		ssize_t n = send_some(c->fd, &iov, 1, -1, MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return RC_OK;
		if (n <= 0)
			return gone(e);
		c->out_at += (size_t)n;
	}
	out_wipe(c);
	return RC_OK;
}

enum rc
chan_fill(struct chan *c, struct err *e)
{
	enum rc rc = make_room(c, e);
	ssize_t n;

	if (rc != RC_OK)
		return rc;
	n = fill_once(c);
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return RC_OK;
	return n <= 0 ? gone(e) : RC_OK;
}

bool
chan_next(struct chan *c, struct frame *f, enum rc *rc, struct err *e)
{
	size_t left = c->in.len - c->in_at;

	*rc = RC_OK;
	if (left >= CHAN_HEAD_BYTES &&
	    get_be32(c->in.p + c->in_at) > c->max) {
		*rc = err_set(e, RC_TEMP,
		    _("a process of sceau sent too long a message"));
		return false;
	}
	if (!chan_ready(c))
		return false;
	hand_out(c, f);
	return true;
}
