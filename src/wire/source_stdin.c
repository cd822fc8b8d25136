#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/lang.h"
#include "base/secret.h"
#include "wire/source_impl.h"

/* The one mail of `sceau open --mda`; it can be read once.  Its id is its
 * own: the next mail on somebody's standard input is another one. */
struct only {
	char	id[33];
	bool	read;
};

static enum rc
set_up(struct source *s, struct err *e)
{
	struct only *o = calloc(1, sizeof(*o));
	uint8_t rnd[16];

	if (o == NULL)
		return err_set(e, RC_NOMEM, _("no memory left"));
	random_bytes(rnd, sizeof(rnd));
	hex_format(rnd, sizeof(rnd), o->id);
	s->impl = o;
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

static struct bytes
id_of(const struct only *o)
{
	return (struct bytes){ (const uint8_t *)o->id, strlen(o->id) };
}

static enum rc
list(struct source *s, struct bytes after, source_list_fn *fn, void *arg,
    struct err *e)
{
	const struct only *o = s->impl;

	(void)after;
	return o->read ? RC_OK : fn(arg, id_of(o), 0, e);
}

static enum rc
fetch(struct source *s, const struct bytes *ids, size_t n,
    const struct source_sink *sink, struct err *e)
{
	struct only *o = s->impl;
	enum rc rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && i < n; i++) {
		if (!o->read && bytes_eqs(ids[i], o->id)) {
			o->read = true;
			rc = source_feed(s, STDIN_FILENO, id_of(o), sink, e);
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
	free(s->impl);
	s->impl = NULL;
}

const struct source_ops source_stdin = {
	.set_up = set_up, .open = start, .list = list, .fetch = fetch,
	.release = release, .close = finish
};
