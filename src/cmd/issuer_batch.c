/* sceau issuer batch: the year's key files and letters. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "base/lang.h"
#include "cmd/issuer_pairs.h"

static void
say_batch(const struct app *app, const struct desk *d,
    const struct batch_plan *plan, const struct pairs *n)
{
	pairs_say_count(app, n);
	pairs_say_where(d, plan);
	if (!app->dry_run && n->made > 0)
		printf(_("Print letters/print-*.html, one letter a page, and "
		    "keep counterfoil.html.  Hand the files of keys/ and the "
		    "letters out by different ways; destroy the folder "
		    "letters/ once all is printed, and then run no batch into "
		    "this folder again.\n"));
}

/* Kept, so that a batch which goes on goes on alike. */
static enum rc
choose_policy(struct app *app, struct members *m,
    const struct issuer_words *w, bool *changed, struct err *e)
{
	enum members_policy policy = m->policy;
	bool ring = m->names_ring;

	if (w->policy != NULL && !members_policy(w->policy, &policy))
		return app_usage(app, e);
	if (w->directory != NULL) {
		ring = strcmp(w->directory, "ring") == 0;
		if (!ring && strcmp(w->directory, "all") != 0)
			return app_usage(app, e);
	}
	*changed = policy != m->policy || ring != m->names_ring;
	m->policy = policy;
	m->names_ring = ring;
	return RC_OK;
}

static enum rc
batch(struct app *app, struct desk *d, const struct issuer_words *w,
    struct err *e)
{
	struct batch_plan plan;
	char what[64];
	struct pairs n = { .words = w, .act = "batch", .what = what };
	enum rc rc;

	pairs_plan(app, d, w, &plan);
	if (w->plan.year == 0 && d->nyears == 0)
		return err_set(e, RC_CONF, _("this desk has no root of any "
		    "year"));
	if (w->plan.year == 0) {
		plan.nyears = 1;
		plan.years[0] = d->years[d->nyears - 1];
	}
	if ((rc = choose_policy(app, d->members, w, &n.changed, e)) != RC_OK)
		return rc;
	snprintf(what, sizeof(what), "policy=%s directory=%s",
	    members_policy_word(d->members->policy),
	    d->members->names_ring ? "ring" : "all");
	if ((rc = pairs_run(app, &plan, &n, e)) != RC_OK)
		return rc;
	if (!app->json)
		say_batch(app, d, &plan, &n);
	return RC_OK;
}

enum rc
cmd_issuer_batch(struct app *app, int argc, char **argv, struct err *e)
{
	static const struct option longs[] = {
		{ "out", required_argument, NULL, OPT_OUT },
		{ "policy", required_argument, NULL, OPT_POLICY },
		{ "directory", required_argument, NULL, OPT_DIRECTORY },
		{ "year", required_argument, NULL, OPT_YEAR },
		{ "custodian", required_argument, NULL, OPT_CUSTODIAN },
		{ NULL, 0, NULL, 0 }
	};
	static const struct issuer_command c = { longs, 1, 0, batch };

	return issuer_command_run(app, argc, argv, &c, e);
}
