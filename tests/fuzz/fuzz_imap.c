/*
 * IMAP: what a server says from its greeting to the bodies, through our
 * stream and libetpan's parser into our handlers, and while they are moved,
 * deleted, waited for.  libetpan 1.9 itself has known faults here (its process
 * holds no key): what this looks for is ours: octets without a beginning, two
 * beginnings, an end that nobody asked for.
 *
 * libFuzzer cannot live in the sandbox of the fetch process: it writes what it
 * has learnt and found to files, reads the clock of others and forks.  So a
 * second process enters it, once, and is given one input in four, as an open
 * socket: in there the same words end the same, or the sandbox forbids
 * something that libetpan needs.
 *
 * The last octet of the input says how what was fetched leaves, and whether
 * more is waited for.
 */
/* links: wire conf mail base */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/sandbox.h"
#include "wire/imap_source.h"

enum { HOW_WAIT = 1, HOW_DELETE = 2 };

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);
const char *__lsan_default_suppressions(void);

const char *
__lsan_default_suppressions(void)
{
	return "leak:libetpan\n";
}

struct eater {
	bool	open;
	size_t	ends;
	size_t	octets;
};

/* How a session ended: the same words, the same end. */
struct outcome {
	enum rc		rc[5];
	size_t		listed, ends, octets;
	enum source_done done[3];
	bool		news;
	enum wire_why	why;
};

static enum rc
begin(void *arg, struct err *e)
{
	struct eater *eater = arg;

	(void)e;
	if (eater->open)
		abort();
	eater->open = true;
	return RC_OK;
}

static enum rc
data(void *arg, const void *p, size_t len, struct err *e)
{
	struct eater *eater = arg;

	(void)e;
	if (!eater->open || p == NULL || len == 0)
		abort();
	eater->octets += len;
	return RC_OK;
}

static enum rc
end(void *arg, struct bytes id, enum source_got got, struct err *e)
{
	struct eater *eater = arg;
	uint32_t validity, uid;

	(void)e;
	if (!imap_id_parse(id, &validity, &uid) || uid > 3 ||
	    (got == SOURCE_GOT && !eater->open) || ++eater->ends > 3)
		abort();
	eater->open = false;
	return RC_OK;
}

static enum rc
listed(void *arg, struct bytes id, uint64_t size, struct err *e)
{
	uint32_t validity, uid;

	(void)size;
	(void)e;
	if (!imap_id_parse(id, &validity, &uid))
		abort();
	++*(size_t *)arg;
	return RC_OK;
}

static void
use(struct source *s, const struct secret *secret, unsigned how,
    struct outcome *out)
{
	static const char *const names[3] = { "7.1", "7.2", "7.3" };
	struct eater eater = { false, 0, 0 };
	const struct source_sink sink = { &eater, begin, data, end };
	struct imap_source *i = s->impl;
	enum source_done done[3] = { SOURCE_PENDING };
	struct err e = ERR_INIT;
	struct bytes ids[3];

	for (int k = 0; k < 3; k++)
		ids[k] = (struct bytes){ (const uint8_t *)names[k], 3 };
	if ((out->rc[0] = source_open(s, secret, &e)) != RC_OK)
		return;
	i->talk.validity = 7;
	out->rc[1] = source_list(s, (struct bytes){ NULL, 0 }, listed,
	    &out->listed, &e);
	out->rc[2] = source_fetch(s, ids, 3, &sink, &e);
	if (out->rc[2] == RC_OK && eater.ends != 3)
		abort();
	out->rc[3] = source_release(s, ids, 3, (how & HOW_DELETE) != 0 ?
	    CONF_AFTER_DELETE : CONF_AFTER_MOVE, "Re\xc3\xa7us", done, &e);
	if ((how & HOW_WAIT) != 0)
		out->rc[4] = source_wait(s, 1, -1, &out->news, &e);
	out->ends = eater.ends;
	out->octets = eater.octets;
	for (int k = 0; k < 3; k++)
		out->done[k] = done[k];
}

/* ${fd} is taken: a server that has said all it will. */
static void
session(int fd, unsigned how, struct outcome *out)
{
	char host[] = "host", user[] = "user";
	struct conf_account account = { .protocol = CONF_IMAP, .batch = 100,
	    .idle = (how & HOW_WAIT) != 0, .server = { .host = host,
	    .user = user, .tls = CONF_TLS_NONE, .timeout_s = 1 } };
	struct source *s = calloc(1, sizeof(*s));
	struct imap_source *i = calloc(1, sizeof(*i));
	struct secret secret = SECRET_INIT;
	struct err e = ERR_INIT;

	memset(out, 0, sizeof(*out));
	if (s == NULL || i == NULL)
		abort();
	*s = (struct source){ .ops = &source_imap, .account = &account,
	    .limits = { 10000, 1000, 0 }, .impl = i };
	i->talk.link.server = &account.server;
	i->talk.link.peer.loopback = true;
	i->talk.link.stream = stream_new(fd, host, 1, &e);
	secret_set(&secret, "secret", 6);
	use(s, &secret, how, out);
	out->why = source_why(s);
	secret_wipe(&secret);
	source_close(&s);
}

/* The client's end of a connection; the server's, which has said all, is
 * ${server}. */
static int
server_says(const uint8_t *p, size_t len, int *server)
{
	struct err e = ERR_INIT;
	int fd[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fd) != 0 ||
	    net_adopt(fd[0], &e) != RC_OK || net_adopt(fd[1], &e) != RC_OK)
		abort();
	(void)!write(fd[1], p, len);
	shutdown(fd[1], SHUT_WR);
	*server = fd[1];
	return fd[0];
}

/* ---- in the sandbox of the fetch process ---------------------------- */

/* A letter with a descriptor: ${*fd} is sent, or received when it is -1. */
static bool
hand_over(int to, uint8_t *how, int *fd)
{
	union {
		struct cmsghdr	head;
		char		room[CMSG_SPACE(sizeof(int))];
	} c;
	struct iovec iov = { how, 1 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1,
	    .msg_control = c.room, .msg_controllen = sizeof(c.room) };

	memset(&c, 0, sizeof(c));
	if (*fd >= 0) {
		c.head.cmsg_level = SOL_SOCKET;
		c.head.cmsg_type = SCM_RIGHTS;
		c.head.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&c.head), fd, sizeof(*fd));
		return sendmsg(to, &m, MSG_NOSIGNAL) == 1;
	}
	if (recvmsg(to, &m, MSG_CMSG_CLOEXEC) != 1 ||
	    c.head.cmsg_type != SCM_RIGHTS)
		return false;
	memcpy(fd, CMSG_DATA(&c.head), sizeof(*fd));
	return true;
}

static void
confined(int to)
{
	struct outcome out;
	struct err e = ERR_INIT;
	uint8_t how;

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 ||
	    sandbox_enter(SB_FETCH, NULL, &e) != RC_OK) {
		fprintf(stderr, "the sandbox: %s\n", e.text);
		_exit(1);
	}
	for (int fd = -1; hand_over(to, &how, &fd); fd = -1) {
		session(fd, how, &out);
		if (write(to, &out, sizeof(out)) != (ssize_t)sizeof(out))
			_exit(1);
	}
	_exit(0);
}

/* The other process, begun when it is first asked for. */
static int
room(pid_t *pid)
{
	static pid_t child;
	static int fd = -1;
	int pair[2];

	if (fd < 0) {
		if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0 ||
		    (child = fork()) < 0)
			abort();
		if (child == 0) {
			close(pair[0]);
			confined(pair[1]);
		}
		close(pair[1]);
		fd = pair[0];
	}
	*pid = child;
	return fd;
}

/* libFuzzer's clock interrupts. */
static bool
hear(int from, struct outcome *out)
{
	ssize_t n;

	do {
		n = recv(from, out, sizeof(*out), 0);
	} while (n < 0 && errno == EINTR);
	return n == (ssize_t)sizeof(*out);
}

static void
session_confined(int fd, uint8_t how, struct outcome *out)
{
	pid_t pid;
	int to = room(&pid), status = 0;

	if (hand_over(to, &how, &fd) && hear(to, out)) {
		close(fd);
		return;
	}
	(void)waitpid(pid, &status, 0);
	fprintf(stderr, "in the sandbox it ended: status %#x\n",
	    (unsigned)status);
	abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	unsigned how = len > 0 ? p[len - 1] & 3 : HOW_DELETE, sum = 0;
	struct outcome outside, inside;
	struct err e = ERR_INIT;
	int server;

	signal(SIGPIPE, SIG_IGN);
	if (secret_init(&e) != RC_OK)
		abort();
	session(server_says(p, len, &server), how, &outside);
	close(server);
	for (size_t i = 0; i < len; i++)
		sum = sum * 31 + p[i];
	if (sum % 4 != 0)
		return 0;
	session_confined(server_says(p, len, &server), (uint8_t)how, &inside);
	close(server);
	if (memcmp(&outside, &inside, sizeof(inside)) != 0)
		abort();
	return 0;
}
