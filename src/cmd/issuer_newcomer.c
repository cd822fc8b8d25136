/* sceau issuer newcomer: members who come in the course of the year. */
#include "config.h"

#include <stdio.h>

#include "base/lang.h"
#include "cmd/issuer_pairs.h"
#include "cmd/issuer_table.h"

static void
say_newcomers(const struct app *app, const struct desk *d,
    const struct batch_plan *plan, const struct members_count *c,
    const struct pairs *n)
{
	printf(app->dry_run ? P_("%zu newcomer would be entered (in the "
	    "register already: %zu).\n", "%zu newcomers would be entered (in "
	    "the register already: %zu).\n", c->added) :
	    P_("%zu newcomer entered (in the register already: %zu).\n",
	    "%zu newcomers entered (in the register already: %zu).\n",
	    c->added), c->added, c->there);
	issuer_table_say_joined(app, d, c);
	pairs_say_count(app, n);
	if (app->dry_run || n->made == 0)
		return;
	pairs_say_where(d, plan);
	printf(_("Hand the key file and the letter out by different ways, and "
	    "destroy the letters' files once they are printed. Before he "
	    "writes, today if you can: sceau issuer enrol. Until then "
	    "answers go to his address, not to his mailbox, when these are "
	    "two; nobody writes to him first; and the watch desk cannot tell "
	    "him who is barred.\n"));
}

/* Entered and saved first: a run that was cut off finds them there. */
static enum rc
newcomer(struct app *app, struct desk *d, const struct issuer_words *w,
    struct err *e)
{
	struct members_count count;
	struct batch_plan plan;
	char what[ISSUER_TABLE_WHAT_BYTES], out[PATH_MAX];
	struct pairs n = { .words = w, .act = "newcomer", .what = what };
	enum rc rc;

	pairs_plan(app, d, w, &plan);
	plan.whom = BATCH_TABLE;
	if ((rc = pairs_apart(d, &plan, out, e)) != RC_OK ||
	    (rc = batch_check(&plan, e)) != RC_OK ||
	    (rc = issuer_table_take(d, w->word, &count, e)) != RC_OK)
		return rc;
	n.changed = issuer_table_changes(&count);
	issuer_table_what(&count, d->members->n, what);
	if ((rc = pairs_run(app, &plan, &n, e)) != RC_OK)
		return rc;
	if (!app->json)
		say_newcomers(app, d, &plan, &count, &n);
	return RC_OK;
}

enum rc
cmd_issuer_newcomer(struct app *app, int argc, char **argv, struct err *e)
{
	static const struct option longs[] = {
		{ "out", required_argument, NULL, OPT_OUT },
		{ "year", required_argument, NULL, OPT_YEAR },
		{ "custodian", required_argument, NULL, OPT_CUSTODIAN },
		{ NULL, 0, NULL, 0 }
	};
	static const struct issuer_command c = { longs, 2, 0, newcomer };

	return issuer_command_run(app, argc, argv, &c, e);
}
