#include "config.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/lang.h"
#include "wire/late_etpan.h"
#include "wire/source_impl.h"
#include "wire/tls.h"

#define LIST_DEFAULT 1000000
#define FEED_BYTES (64 * 1024)

static const struct source_ops *const kinds[] = {
	[CONF_IMAP] = &source_imap,
	[CONF_POP3] = &source_pop3,
	[CONF_MAILDIR] = &source_maildir,
	[CONF_FOLDER] = &source_folder,
	[CONF_STDIN] = &source_stdin,
};

/* Whatever a kind did not explain is the world's fault or our own. */
static enum rc
outcome(struct source *s, enum rc rc)
{
	if (rc == RC_OK)
		return rc;
	if (s->why == WHY_NONE)
		s->why = rc == RC_TEMP ? WHY_NETWORK : WHY_LOCAL;
	return rc;
}

static enum rc
alive(struct source *s, struct err *e)
{
	s->why = WHY_NONE;
	if (!s->dead)
		return RC_OK;
	s->why = WHY_NETWORK;
	return err_set(e, RC_TEMP, _("the connection has ended already"));
}

enum rc
source_new(const struct conf_account *account,
    const struct source_limits *limits, struct source **out, struct err *e)
{
	struct source *s = calloc(1, sizeof(*s));
	enum rc rc;

	*out = NULL;
	if (s == NULL)
		return err_nomem(e);
	s->ops = kinds[account->protocol];
	s->account = account;
	s->limits = *limits;
	if (s->limits.max_list == 0)
		s->limits.max_list = LIST_DEFAULT;
	if ((rc = s->ops->set_up(s, e)) != RC_OK) {
		s->ops->close(s);
		free(s);
		return rc;
	}
	*out = s;
	return RC_OK;
}

enum rc
source_load(const struct conf_account *account, struct err *e)
{
	bool imap = account->protocol == CONF_IMAP;
	enum rc rc = RC_OK;

	if ((imap && account->server.tls != CONF_TLS_NONE) ||
	    account->protocol == CONF_POP3)
		rc = tls_load(e);
	return rc == RC_OK && imap ? late_etpan_load(e) : rc;
}

enum rc
source_open(struct source *s, const struct secret *secret, struct err *e)
{
	enum rc rc = alive(s, e);

	if (rc == RC_OK && (rc = s->ops->open(s, secret, e)) != RC_OK)
		s->dead = true;
	return outcome(s, rc);
}

enum rc
source_list(struct source *s, struct bytes after, source_list_fn *fn,
    void *arg, struct err *e)
{
	enum rc rc = alive(s, e);

	if (rc == RC_OK)
		rc = s->ops->list(s, after, fn, arg, e);
	return outcome(s, rc);
}

enum rc
source_fetch(struct source *s, const struct bytes *ids, size_t n,
    const struct source_sink *sink, struct err *e)
{
	enum rc rc = alive(s, e);

	if (rc == RC_OK && n > 0 &&
	    (rc = s->ops->fetch(s, ids, n, sink, e)) != RC_OK)
		s->dead = true;
	return outcome(s, rc);
}

enum rc
source_release(struct source *s, const struct bytes *ids, size_t n,
    enum conf_after after, const char *folder, enum source_done *done,
    struct err *e)
{
	enum rc rc;

	for (size_t i = 0; i < n; i++)
		done[i] = after == CONF_AFTER_KEEP ? SOURCE_KEPT :
		    SOURCE_PENDING;
	if (after == CONF_AFTER_KEEP || n == 0)
		return RC_OK;
	if ((rc = alive(s, e)) == RC_OK)
		rc = s->ops->release(s, ids, n, after, folder, done, e);
	return outcome(s, rc);
}

enum rc
source_wait(struct source *s, int timeout_s, int wake_fd, bool *news,
    struct err *e)
{
	struct pollfd p = { wake_fd, POLLIN, 0 };
	enum rc rc = alive(s, e);

	*news = false;
	if (rc != RC_OK)
		return outcome(s, rc);
	if (s->ops->wait != NULL)
		return outcome(s, s->ops->wait(s, timeout_s, wake_fd, news,
		    e));
	(void)poll(&p, wake_fd < 0 ? 0 : 1, timeout_s * 1000);
	return RC_OK;
}

const struct source_info *
source_info(struct source *s)
{
	if (s->ops->info != NULL)
		s->ops->info(s);
	return &s->info;
}

enum wire_why
source_why(const struct source *s)
{
	return s == NULL ? WHY_NETWORK : s->why;
}

void
source_close(struct source **s)
{
	if (*s == NULL)
		return;
	(*s)->ops->close(*s);
	free(*s);
	*s = NULL;
}

static enum rc
feed_all(struct source *s, int fd, const struct source_sink *sink,
    uint8_t *room, struct err *e)
{
	uint64_t left = s->limits.max_message;

	for (;;) {
		ssize_t n = read(fd, room, FEED_BYTES);
		enum rc rc;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, "read");
		if (n == 0)
			return RC_OK;
		if ((uint64_t)n > left)
			return err_class(e, EC_TOOBIG,
			    _("the message is larger than configured"));
		left -= (uint64_t)n;
		if ((rc = sink->data(sink->arg, room, (size_t)n, e)) != RC_OK)
			return rc;
	}
}

enum rc
source_feed(struct source *s, int fd, struct bytes id,
    const struct source_sink *sink, struct err *e)
{
	struct stat st;
	uint8_t *room;
	enum rc rc;

	if (fstat(fd, &st) != 0)
		return err_sys(e, "fstat");
	if (S_ISREG(st.st_mode) &&
	    (uint64_t)st.st_size > s->limits.max_message)
		return sink->end(sink->arg, id, SOURCE_TOO_BIG, e);
	if ((room = malloc(FEED_BYTES)) == NULL)
		return err_nomem(e);
	if ((rc = sink->begin(sink->arg, e)) == RC_OK &&
	    (rc = feed_all(s, fd, sink, room, e)) == RC_OK)
		rc = sink->end(sink->arg, id, SOURCE_GOT, e);
	free(room);
	return rc;
}
