#include "config.h"

#include <string.h>

#include "base/lang.h"
#include "conf/pairs.h"

static bool
outbox_no_path(const void *p, const struct written *w)
{
	(void)p;
	return !written_has(w, "path");
}

static bool
to_and_route(const void *p, const struct written *w)
{
	(void)p;
	return written_has(w, "to") && written_has(w, "route");
}

static bool
to_and_aliases(const void *p, const struct written *w)
{
	(void)p;
	return written_has(w, "to") && written_has(w, "aliases");
}

static bool
quiet_not_ready(const void *p, const struct written *w)
{
	const struct conf_outbox *o = p;

	return written_has(w, "quiet") && o->ready != CONF_READY_QUIET;
}

static bool
sent_not_moved(const void *p, const struct written *w)
{
	const struct conf_outbox *o = p;

	return written_has(w, "sent") && o->after != CONF_OUTBOX_MOVE;
}

static bool
same(const char *a, const char *b)
{
	return a != NULL && b != NULL && strcmp(a, b) == 0;
}

static bool
outbox_in_place(const void *p, const struct written *w)
{
	const struct conf_outbox *o = p;

	(void)w;
	return same(o->refused, o->path) || same(o->sent, o->path) ||
	    (o->after == CONF_OUTBOX_MOVE && same(o->sent, o->refused));
}

static const struct pair outbox_pairs[] = {
	{ outbox_no_path, NULL, N_("path is missing; write the path of the "
	    "folder where the laboratory's system drops its files") },
	{ to_and_route, "route", N_("to and route are both there; write to "
	    "for one recipient, route for several") },
	{ to_and_aliases, "aliases", N_("aliases is for several recipients; "
	    "remove it, or to") },
	{ quiet_not_ready, "quiet", N_("quiet is for ready = quiet; write "
	    "that, or remove quiet") },
	{ sent_not_moved, "sent", N_("sent is for after = move; write that, "
	    "or remove sent") },
	{ outbox_in_place, "path", N_("path, sent and refused must be three "
	    "folders; write others") },
	{ NULL, NULL, NULL }
};

enum rc
pairs_outbox(const struct conf_outbox *o, const struct written *w,
    const char **blame, struct err *e)
{
	return pairs_check(outbox_pairs, o, w, blame, e);
}

/* The folder itself, or below it. */
static bool
is_in(const char *path, const char *folder)
{
	size_t len = strlen(folder);

	return path != NULL && strncmp(path, folder, len) == 0 &&
	    (path[len] == '/' || path[len] == '\0');
}

/* What is below an outbox is taken for a recipient's. */
bool
pairs_outboxes_overlap(const void *conf, const struct written *w)
{
	const struct conf *c = conf;

	(void)w;
	for (size_t i = 0; i < c->noutboxes; i++)
		for (size_t j = 0; j < c->noutboxes; j++) {
			const struct conf_outbox *o = &c->outboxes[j];
			const char *path = c->outboxes[i].path;

			if (i != j && (is_in(o->path, path) ||
			    is_in(o->refused, path) || is_in(o->sent, path)))
				return true;
		}
	return false;
}
