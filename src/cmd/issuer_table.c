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
