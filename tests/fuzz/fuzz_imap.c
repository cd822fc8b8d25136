/*
 * IMAP: what a server says from its greeting to the bodies, through our
 * stream and libetpan's parser into our handlers.  libetpan 1.9 itself has
 * known faults here (its process holds no key): what this looks for is ours:
 * octets without a beginning, two beginnings, an end that nobody asked for.
 */
/* links: wire conf mail base */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "wire/imap_source.h"

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
	const struct eater *eater = arg;

	(void)e;
	if (!eater->open || p == NULL || len == 0)
		abort();
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

	(void)arg;
	(void)size;
	(void)e;
	if (!imap_id_parse(id, &validity, &uid))
		abort();
	return RC_OK;
}

static void
use(struct source *s, const struct secret *secret)
{
	static const char *const names[3] = { "7.1", "7.2", "7.3" };
	struct eater eater = { false, 0 };
	const struct source_sink sink = { &eater, begin, data, end };
	struct imap_source *i = s->impl;
	enum source_done done[3];
	struct err e = ERR_INIT;
	struct bytes ids[3];

	for (int k = 0; k < 3; k++)
		ids[k] = (struct bytes){ (const uint8_t *)names[k], 3 };
	if (source_open(s, secret, &e) != RC_OK)
		return;
	i->talk.validity = 7;
	(void)source_list(s, (struct bytes){ NULL, 0 }, listed, NULL, &e);
	if (source_fetch(s, ids, 3, &sink, &e) == RC_OK && eater.ends != 3)
		abort();
	(void)source_release(s, ids, 3, CONF_AFTER_DELETE, NULL, done, &e);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	char host[] = "host", user[] = "user";
	struct conf_account account = { .protocol = CONF_IMAP, .batch = 100,
	    .server = { .host = host, .user = user, .tls = CONF_TLS_NONE,
	    .timeout_s = 1 } };
	struct source *s = calloc(1, sizeof(*s));
	struct imap_source *i = calloc(1, sizeof(*i));
	struct secret secret = SECRET_INIT;
	struct err e = ERR_INIT;
	int fd[2];

	signal(SIGPIPE, SIG_IGN);
	if (s == NULL || i == NULL || secret_init(&e) != RC_OK ||
	    socketpair(AF_UNIX, SOCK_STREAM, 0, fd) != 0 ||
	    net_adopt(fd[0], &e) != RC_OK || net_adopt(fd[1], &e) != RC_OK)
		abort();
	(void)!write(fd[1], p, len);
	shutdown(fd[1], SHUT_WR);
	*s = (struct source){ .ops = &source_imap, .account = &account,
	    .limits = { 10000, 1000, 0 }, .impl = i };
	i->talk.link.server = &account.server;
	i->talk.link.peer.loopback = true;
	i->talk.link.stream = stream_new(fd[0], host, 1, &e);
	secret_set(&secret, "secret", 6);
	use(s, &secret);
	secret_wipe(&secret);
	source_close(&s);
	close(fd[1]);
	return 0;
}
