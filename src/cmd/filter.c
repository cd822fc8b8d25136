/* sceau seal, sceau open: filters on standard input and output. */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/lang.h"
#include "cmd/cmd.h"
#include "flow/filter.h"

#define OPT_TO 1000

enum rc
cmd_seal(struct app *app, int argc, char **argv, struct err *e)
{
	static const struct option longs[] = {
		{ "to", required_argument, NULL, OPT_TO },
		{ NULL, 0, NULL, 0 }
	};
	struct pass p = app_pass(app, PASS_SUBMIT);
	const char *to = NULL;
	enum rc rc;
	int opt;

	while ((rc = app_getopt(app, argc, argv, "", longs, &opt, e)) ==
	    RC_OK && opt != -1)
		to = optarg;
	if (rc != RC_OK)
		return rc;
	if (to == NULL || optind != argc)
		return app_usage(app, e);
	rc = filter_seal(&p, to, STDIN_FILENO, STDOUT_FILENO, app_tmp(app),
	    e);
	if (rc == RC_PERM)
		app->exit = EX_NOUSER;
	return rc;
}

/* What the reader must know and the content cannot say (2.19.14). */
static void
say_opened(const struct gate_head *h, const struct gate_verdict *v)
{
	if (!v->has_mail)
		fprintf(stderr, _("sceau: from %s: no mail in it, only "
		    "notices between programs\n"), h->sender);
	else if (!v->inner_ok)
		fprintf(stderr, _("sceau: from %s: authentic; not a mail as "
		    "the rules want it: %s\n"), v->author, v->inner_why);
	else
		fprintf(stderr, _("sceau: from %s: authentic\n"), v->author);
	if ((v->flags & GATE_F_REPLACED_KEY) != 0)
		fprintf(stderr, _("sceau: sealed with a replaced key\n"));
}

static enum rc
open_filter(struct app *app, struct err *e)
{
	struct pass p = app_pass(app, PASS_TAKE);
	struct gate_verdict v;
	struct gate_head h;
	enum rc rc;

	rc = filter_open(&p, STDIN_FILENO, STDOUT_FILENO, app_tmp(app), &h,
	    &v, e);
	if (rc == RC_OK)
		say_opened(&h, &v);
	return rc;
}

enum rc
cmd_open(struct app *app, int argc, char **argv, struct err *e)
{
	enum rc rc = app_no_options(app, argc, argv, 0, e);

	return rc == RC_OK ? open_filter(app, e) : rc;
}
