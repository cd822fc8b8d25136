/* sceau issuer renew: the keys of the next year. */
#include "config.h"

#include <limits.h>
#include <stdio.h>

#include "base/lang.h"
#include "cmd/issuer_pairs.h"
#include "issuer/acts.h"

static void
say_renew(const struct app *app, const struct desk *d,
    const struct batch_plan *plan, const struct pairs *n)
{
	const unsigned year = plan->years[0];

	pairs_say_count(app, n);
	if (n->made > 0)
		printf(_("To be opened with the key of %u and the code of the "
		    "letter, where that key is held: %zu; with the code "
		    "alone, as first ones: %zu.\n"), year - 1, n->renewals,
		    n->made + n->passed - n->renewals);
	if (app->dry_run || n->made == 0)
		return;
	pairs_say_where(d, plan);
	printf(_("Hand the files of keys/ and the letters of letters/ out by "
	    "different ways before the year ends, and destroy the letters' "
	    "files once they are printed.  The keys serve from 1 January %u; "
	    "one can write with those of %u until 31 January, and read with "
	    "them until 31 March.  Who cannot open his file because his old "
	    "key is lost gets another by sceau issuer reissue.\n"), year,
	    year - 1);
}

/* The old root first: a new one is made only if it can be used. */
static enum rc
old_root(const struct issuer_words *w, struct desk *d, uint16_t year,
    struct err *e)
{
	const struct members *m = d->members;

	for (size_t i = 0; i < m->n && desk_knows(d, year); i++)
		if (!m->v[i].excluded && member_told(&m->v[i], year) >= 0)
			return issuer_words_root(w, d, year, e);
	return RC_OK;
}

/* People hear of the sheets at once: the pairs that follow may be cut off. */
static enum rc
new_root(const struct app *app, const struct issuer_words *w,
    struct desk *d, struct err *e)
{
	const uint16_t year = w->plan.year;
	char what[32], sheets[PATH_MAX];
	enum rc rc;

	snprintf(what, sizeof(what), "year=%u root=new", year);
	if ((rc = old_root(w, d, (uint16_t)(year - 1), e)) != RC_OK ||
	    (rc = desk_path(d->dir, "custodians", sheets, e)) != RC_OK ||
	    (rc = acts_note(d, "renew", what, e)) != RC_OK ||
	    (rc = desk_year_make(d, year, w->plan.sheets != NULL ?
	    w->plan.sheets : sheets, w->plan.english, e)) != RC_OK)
		return rc;
	if (!app->json)
		issuer_say_sheets(&w->plan);
	fflush(stdout);
	return RC_OK;
}

static enum rc
renew(struct app *app, struct desk *d, const struct issuer_words *w,
    struct err *e)
{
	const bool fresh = !desk_knows(d, w->plan.year);
	struct batch_plan plan;
	struct pairs n = { .words = w, .act = "renew", .what = "" };
	enum rc rc = RC_OK;

	pairs_plan(app, d, w, &plan);
	plan.whom = BATCH_RENEW;
	if (fresh && (rc = desk_year_check(d, w->plan.year, e)) == RC_OK) {
		if (plan.really)
			rc = new_root(app, w, d, e);
		else
			desk_year_assume(d, w->plan.year);
	}
	if (rc != RC_OK || (rc = pairs_run(app, &plan, &n, e)) != RC_OK)
		return rc;
	if (app->json)
		return RC_OK;
	say_renew(app, d, &plan, &n);
	return RC_OK;
}

enum rc
cmd_issuer_renew(struct app *app, int argc, char **argv, struct err *e)
{
	static const struct option longs[] = {
		{ "year", required_argument, NULL, OPT_YEAR },
		{ "out", required_argument, NULL, OPT_OUT },
		{ "sheets", required_argument, NULL, OPT_SHEETS },
		{ "custodian", required_argument, NULL, OPT_CUSTODIAN },
		{ NULL, 0, NULL, 0 }
	};
	static const struct issuer_command c = { longs, 1, OPT_YEAR, renew };

	return issuer_command_run(app, argc, argv, &c, e);
}
