/* sceau issuer reissue: a new key for one member. */
#include "config.h"

#include <stdio.h>

#include "base/lang.h"
#include "cmd/issuer_pairs.h"
#include "issuer/begun.h"

/* Live years for which he has a key that is to be replaced. */
static enum rc
choose_years(struct batch_plan *plan, const struct member *w, struct err *e)
{
	size_t n = 0;

	for (size_t i = 0; i < plan->nyears; i++)
		if (member_told(w, plan->years[i]) >= 0)
			plan->years[n++] = plan->years[i];
	plan->nyears = n;
	if (n > 0)
		return RC_OK;
	return err_set(e, RC_INPUT, _("%s has no key of this year yet, so "
	    "there is none to replace; nothing was changed: make the first by "
	    "sceau issuer batch or sceau issuer newcomer"), w->show);
}

/* The watch desk may bar no desk but itself (PROTOCOL 2.19.23). */
static void
say_bar(const struct member *w)
{
	struct bytes name = identity_name(&w->id);

	if (w->kind == MEMBER_HUB)
		printf(_("1. At once: run sceau issuer enrol, and send its "
		    "mails: they bar the old key of the gateway, which the "
		    "watch desk cannot do.\n"));
	else if (w->kind == MEMBER_WATCH)
		printf(_("1. At once: bring the key file and the letter to "
		    "the watch desk, and import them there; then sceau bar "
		    "%.*s at that desk: bulletins of the new key replace what "
		    "a thief of the old one may announce.\n"), (int)name.len,
		    (const char *)name.p);
	else
		printf(_("1. At once, at the watch desk, unless you have just "
		    "done it: sceau bar %.*s --generation %u. Until a member "
		    "has that bulletin, or a message of the new key, whoever "
		    "holds the old key can pass for %s with him.\n"),
		    (int)name.len, (const char *)name.p, w->id.gen, w->show);
}

/* The watch desk writes to a key that it was told of. */
static void
say_enrol(const struct member *w)
{
	if (w->kind == MEMBER_HUB || w->kind == MEMBER_WATCH)
		printf(_("3. The next sceau issuer enrol tells the others the "
		    "new key; until then his own messages bring it.\n"));
	else
		printf(_("3. If you can today: sceau issuer enrol, which tells "
		    "the others the new key. Until the watch desk has it, no "
		    "bulletin reaches him, and he does not know who else is "
		    "barred; to those to whom he writes, his own messages "
		    "bring it.\n"));
}

static void
say_reissue(const struct app *app, const struct desk *d,
    const struct batch_plan *plan)
{
	const struct member *w = plan->one;

	printf(app->dry_run ? _("%s would have a new key: %s.\n") :
	    _("%s has a new key: %s.\n"), w->show, w->id.s);
	if (app->dry_run)
		return;
	pairs_say_where(d, plan);
	say_bar(w);
	printf(_("2. Hand the key file and the letter out by different ways, "
	    "and tell the member by telephone which of his files is the new "
	    "one; destroy the letter's file once it is printed.\n"));
	say_enrol(w);
}

/* The next generation; or the one that a run which failed behind the register
 * had given him. */
static enum rc
raise_once(struct desk *d, struct member *w, struct err *e)
{
	bool done;
	enum rc rc = begun_is(d, &w->id, &done, e);

	return rc == RC_OK && (!done || w->excluded) ?
	    members_reissue(d->members, w, e) : rc;
}

static enum rc
reissue(struct app *app, struct desk *d, const struct issuer_words *w,
    struct err *e)
{
	struct batch_plan plan;
	char what[16 + IDENTITY_MAX_BYTES];
	struct pairs n = { .words = w, .act = "reissue", .what = what };
	char out[PATH_MAX];
	struct member *one;
	enum rc rc;

	pairs_plan(app, d, w, &plan);
	plan.whom = BATCH_ONE;
	if ((rc = pairs_apart(d, &plan, out, e)) != RC_OK ||
	    (rc = batch_check(&plan, e)) != RC_OK ||
	    (rc = members_seek(d->members, w->word, &one, e)) != RC_OK)
		return rc;
	plan.one = one;
	if ((rc = raise_once(d, one, e)) != RC_OK ||
	    (rc = choose_years(&plan, one, e)) != RC_OK)
		return rc;
	snprintf(what, sizeof(what), "identity=%s", one->id.s);
	n.begun = &one->id;
	if ((rc = pairs_run(app, &plan, &n, e)) != RC_OK)
		return rc;
	/* Pairs that a run which was cut off had made. */
	if (n.made == 0 && !app->dry_run && (rc = desk_save(d, e)) != RC_OK)
		return rc;
	if (!app->dry_run && (rc = begun_end(d, &one->id, e)) != RC_OK)
		return rc;
	if (!app->json)
		say_reissue(app, d, &plan);
	return RC_OK;
}

enum rc
cmd_issuer_reissue(struct app *app, int argc, char **argv, struct err *e)
{
	static const struct option longs[] = {
		{ "out", required_argument, NULL, OPT_OUT },
		{ "custodian", required_argument, NULL, OPT_CUSTODIAN },
		{ NULL, 0, NULL, 0 }
	};
	static const struct issuer_command c = { longs, 2, 0, reissue };

	return issuer_command_run(app, argc, argv, &c, e);
}
