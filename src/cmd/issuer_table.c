/* Tables of members, and what is wrong with them. */
#include "config.h"

#include <stdio.h>

#include "base/file.h"
#include "base/lang.h"
#include "cmd/issuer_table.h"

#define SAY_MAX 50	/* lines: nobody reads more */

struct saying {
	const char	*path;
	size_t		 n;
};

static void
say_line(void *ctx, bool wrong, unsigned line, const char *text)
{
	struct saying *s = ctx;

	if (s->n++ == SAY_MAX)
		fprintf(stderr, "%s\n", _("... and more"));
	if (s->n > SAY_MAX)
		return;
	fprintf(stderr, "%s:%u: %s%s\n", s->path, line,
	    wrong ? "" : _("warning: "), text);
}

void
issuer_table_what(const struct members_count *c, size_t members,
    char what[ISSUER_TABLE_WHAT_BYTES])
{
	char joined[40] = "", rerouted[40] = "", renamed[40] = "";

	if (c->joined > 0)
		snprintf(joined, sizeof(joined), "joined=%zu ", c->joined);
	if (c->rerouted > 0)
		snprintf(rerouted, sizeof(rerouted), "rerouted=%zu ",
		    c->rerouted);
	if (c->renamed > 0)
		snprintf(renamed, sizeof(renamed), "renamed=%zu ",
		    c->renamed);
	snprintf(what, ISSUER_TABLE_WHAT_BYTES, "added=%zu moved=%zu %s%s%s"
	    "held=%zu members=%zu", c->added, c->moved, joined, rerouted,
	    renamed, c->held, members);
}

bool
issuer_table_changes(const struct members_count *c)
{
	return c->added + c->there > c->held;
}

void
issuer_table_say_joined(const struct app *app, const struct desk *d,
    const struct members_count *c)
{
	if (c->rerouted > 0)
		printf(_("With another route than before, of these: %zu. The "
		    "next sceau issuer enrol tells the others; until then "
		    "their mail goes to the former one.\n"), c->rerouted);
	if (c->renamed > 0)
		printf(_("With another name than before, of these: %zu. The "
		    "next sceau issuer enrol tells the others.\n"),
		    c->renamed);
	if (c->joined == 0)
		return;
	printf(_("On more lists than before, of these: %zu.\n"), c->joined);
	if (!app->dry_run && d->members->policy == MEMBERS_LIST)
		printf(_("The next sceau issuer enrol gives them and those "
		    "who are on these lists their keys for each other; until "
		    "then the gateway carries their mail, if there is one.\n"));
}

enum rc
issuer_table_take(struct desk *d, const char *path,
    struct members_count *count, struct err *e)
{
	struct saying s = { path, 0 };
	struct buf in = BUF_INIT;
	enum rc rc = file_read(path, MEMBERS_FILE_MAX, &in, e);

	if (rc == RC_OK)
		rc = members_take(d->members, in.p, in.len, say_line, &s,
		    count, e);
	buf_free(&in);
	return rc;
}
