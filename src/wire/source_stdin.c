#include "config.h"

#include <unistd.h>

#include "base/lang.h"
#include "wire/source_impl.h"

/* The one mail of `sceau open --mda`; it can be read once. */
static const struct bytes only = { (const uint8_t *)"stdin", 5 };

static enum rc
set_up(struct source *s, struct err *e)
{
	(void)s;
	(void)e;
	return RC_OK;
}

static enum rc
start(struct source *s, const struct secret *secret, struct err *e)
{
	(void)s;
	(void)secret;
	(void)e;
	return RC_OK;
}

static enum rc
list(struct source *s, struct bytes after, source_list_fn *fn, void *arg,
    struct err *e)
{
	(void)after;
	return s->impl == NULL ? fn(arg, only, 0, e) : RC_OK;
}

static enum rc
fetch(struct source *s, const struct bytes *ids, size_t n,
    const struct source_sink *sink, struct err *e)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && i < n; i++) {
		if (s->impl == NULL && bytes_eq(ids[i], only)) {
			s->impl = s;	/* read by now */
			rc = source_feed(s, STDIN_FILENO, only, sink, e);
		} else {
			rc = sink->end(sink->arg, ids[i], SOURCE_GONE, e);
		}
	}
	return rc;
}

static enum rc
release(struct source *s, const struct bytes *ids, size_t n,
    enum conf_after after, const char *folder, enum source_done *done,
    struct err *e)
{
	(void)s;
	(void)ids;
	(void)after;
	(void)folder;
	(void)e;
	/* Our exit code tells the MTA, which keeps or forgets its copy. */
	for (size_t i = 0; i < n; i++)
		done[i] = SOURCE_KEPT;
	return RC_OK;
}

static void
finish(struct source *s)
{
	s->impl = NULL;
}

const struct source_ops source_stdin = {
	.set_up = set_up, .open = start, .list = list, .fetch = fetch,
	.release = release, .close = finish
};
