/* POP3: a body in pieces is the body at once; a whole session survives. */
/* links: wire conf mail base */
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "wire/pop3.h"
#include "wire/pop3_talk.h"
#include "wire/source_impl.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

static enum rc
collect(void *arg, const void *p, size_t len, struct err *e)
{
	(void)e;
	return buf_add(arg, p, len) ? RC_OK : RC_NOMEM;
}

static void
bodies(const uint8_t *p, size_t len)
{
	struct pop3_body a = { 0, false }, b = { 0, false };
	struct buf one = BUF_INIT, all = BUF_INIT;
	struct err e = ERR_INIT;
	size_t at = 0, used;
	enum rc rc;

	while (at < len && !a.done)
		at += pop3_body_feed(&a, p + at, 1, collect, &one, &rc, &e);
	used = pop3_body_feed(&b, p, len, collect, &all, &rc, &e);
	if (a.done != b.done || at != used || one.len != all.len ||
	    (one.len > 0 && memcmp(one.p, all.p, one.len) != 0))
		abort();
	buf_free(&one);
	buf_free(&all);
}

static enum rc
row(void *arg, struct bytes line, struct err *e)
{
	struct pop3_capa c = { false, false, false, false, false, false };
	struct bytes id;
	uint32_t n;
	uint64_t size;

	(void)arg;
	(void)e;
	pop3_capa(line, &c);
	if (pop3_list(line, &n, &size) && n == 0)
		abort();
	if (pop3_uidl(line, &n, &id) &&
	    (n == 0 || id.len == 0 || id.len > POP3_UIDL_BYTES))
		abort();
	(void)pop3_code(line, "AUTH");
	return RC_OK;
}

/* What a server says, from its greeting to its listing. */
static void
session(const uint8_t *p, size_t len)
{
	char host[] = "host", user[] = "user";
	struct conf_server server = { .host = host, .user = user,
	    .tls = CONF_TLS_NONE, .timeout_s = 1 };
	struct pop3_talk t;
	struct secret secret = SECRET_INIT;
	struct err e = ERR_INIT;
	int fd[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fd) != 0 ||
	    net_adopt(fd[0], &e) != RC_OK || net_adopt(fd[1], &e) != RC_OK)
		abort();
	(void)!write(fd[1], p, len);
	shutdown(fd[1], SHUT_WR);
	memset(&t, 0, sizeof(t));
	t.link.server = &server;
	t.link.peer.loopback = true;
	t.link.stream = stream_new(fd[0], host, 1, &e);
	t.room = malloc(POP3_ROOM_BYTES);
	secret_set(&secret, "secret", 6);
	if (pop3_talk_open(&t, &secret, &e) == RC_OK)
		(void)pop3_talk_rows(&t, row, NULL, &e);
	secret_wipe(&secret);
	link_free(&t.link);
	free(t.room);
	close(fd[1]);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	struct err e = ERR_INIT;

	signal(SIGPIPE, SIG_IGN);
	if (secret_init(&e) != RC_OK)
		abort();
	bodies(p, len);
	row(NULL, (struct bytes){ p, len }, &e);
	session(p, len);
	return 0;
}
