/* sceau issuer init, add: the association's desk and its register. */
#include "config.h"

#include <stdio.h>

#include "base/lang.h"
#include "cmd/issuer_table.h"
#include "cmd/issuer_words.h"
#include "cmd/out.h"
#include "issuer/acts.h"

/* ---- init --------------------------------------------------------------- */

static enum rc
say_init(const struct app *app, const struct desk_plan *p, struct err *e)
{
	static const struct out_col cols[] = {
		{ "folder", NULL, OUT_TEXT },
		{ "association", NULL, OUT_TEXT },
		{ "year", NULL, OUT_NUMBER }, { NULL, NULL, OUT_TEXT }
	};
	struct out *o;

	if (!app->json) {
		printf(app->dry_run ? _("%s would be the desk of the "
		    "association %s, with a root for %u.\n") :
		    _("%s is the desk of the association %s, with a root for "
		    "%u.\n"), p->dir, p->assoc, p->year);
		if (!app->dry_run)
			issuer_say_sheets(p);
		return RC_OK;
	}
	if ((o = out_new(true, "desk", cols)) == NULL)
		return err_set(e, RC_NOMEM, _("no memory left"));
	out_text(o, "folder", p->dir);
	out_text(o, "association", p->assoc);
	out_number(o, "year", p->year);
	out_row(o);
	return out_end(&o, NULL, e);
}

enum rc
cmd_issuer_init(struct app *app, int argc, char **argv, struct err *e)
{
	static const struct option longs[] = {
		{ "assoc", required_argument, NULL, OPT_ASSOC },
		{ "year", required_argument, NULL, OPT_YEAR },
		{ "domain", required_argument, NULL, OPT_DOMAIN },
		{ "issuer", required_argument, NULL, OPT_ISSUER },
		{ "watch", required_argument, NULL, OPT_WATCH },
		{ "hub", required_argument, NULL, OPT_HUB },
		{ "call", required_argument, NULL, OPT_CALL },
		{ "sheets", required_argument, NULL, OPT_SHEETS },
		{ NULL, 0, NULL, 0 }
	};
	struct issuer_words w;
	enum rc rc = issuer_words_read(app, argc, argv, longs, 1, &w, e);

	if (rc == RC_OK && (w.plan.assoc == NULL || w.plan.year == 0 ||
	    w.plan.domain == NULL))
		rc = app_usage(app, e);
	if (rc == RC_OK)
		rc = desk_init(&w.plan, !app->dry_run, e);
	return rc == RC_OK ? say_init(app, &w.plan, e) : rc;
}

/* ---- add ---------------------------------------------------------------- */

static enum rc
say_added(const struct app *app, const struct desk *d,
    const struct members_count *c, struct err *e)
{
	static const struct out_col cols[] = {
		{ "added", NULL, OUT_NUMBER }, { "held", NULL, OUT_NUMBER },
		{ "moved", NULL, OUT_NUMBER },
		{ "joined", NULL, OUT_NUMBER },
		{ "rerouted", NULL, OUT_NUMBER },
		{ "renamed", NULL, OUT_NUMBER },
		{ "warnings", NULL, OUT_NUMBER },
		{ "members", NULL, OUT_NUMBER }, { NULL, NULL, OUT_TEXT }
	};
	const size_t total = d->members->n;
	struct out *o;

	if (!app->json) {
		printf(app->dry_run ? P_("%zu member would be added (there "
		    "already: %zu; in all, desks included: %zu).\n",
		    "%zu members would be added (there already: %zu; in all, "
		    "desks included: %zu).\n", c->added) :
		    P_("%zu member added (there already: %zu; in all, desks "
		    "included: %zu).\n", "%zu members added (there already: "
		    "%zu; in all, desks included: %zu).\n", c->added),
		    c->added, c->there, total);
		if (c->moved > 0)
			printf(app->dry_run ? _("With another postal address "
			    "than before, of these: %zu.\n") : _("Now with "
			    "another postal address, of these: %zu.\n"),
			    c->moved);
		issuer_table_say_joined(app, d, c);
		return RC_OK;
	}
	if ((o = out_new(true, "members", cols)) == NULL)
		return err_set(e, RC_NOMEM, _("no memory left"));
	out_number(o, "added", (int64_t)c->added);
	out_number(o, "held", (int64_t)c->held);
	out_number(o, "moved", (int64_t)c->moved);
	out_number(o, "joined", (int64_t)c->joined);
	out_number(o, "rerouted", (int64_t)c->rerouted);
	out_number(o, "renamed", (int64_t)c->renamed);
	out_number(o, "warnings", (int64_t)c->warnings);
	out_number(o, "members", (int64_t)total);
	out_row(o);
	return out_end(&o, NULL, e);
}

static enum rc
keep(struct desk *d, const struct members_count *c, struct err *e)
{
	char what[ISSUER_TABLE_WHAT_BYTES];
	enum rc rc;

	issuer_table_what(c, d->members->n, what);
	rc = acts_note(d, "add", what, e);
	return rc == RC_OK ? desk_save(d, e) : rc;
}

static enum rc
add_table(struct app *app, struct desk *d, const struct issuer_words *w,
    struct err *e)
{
	struct members_count count;
	enum rc rc = issuer_table_take(d, w->word, &count, e);

	if (rc == RC_OK && !app->dry_run && issuer_table_changes(&count))
		rc = keep(d, &count, e);
	if (rc == RC_OK)
		rc = say_added(app, d, &count, e);
	return rc;
}

enum rc
cmd_issuer_add(struct app *app, int argc, char **argv, struct err *e)
{
	static const struct issuer_command c = { NULL, 2, 0, add_table };

	return issuer_command_run(app, argc, argv, &c, e);
}
