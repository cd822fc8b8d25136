/* sceau issuer sheets: new sheets for a year's custodians. */
#include "config.h"

#include <limits.h>
#include <stdio.h>

#include "base/lang.h"
#include "cmd/issuer_words.h"
#include "cmd/out.h"
#include "issuer/acts.h"

static enum rc
object(uint16_t year, const char *folder, struct err *e)
{
	static const struct out_col cols[] = {
		{ "year", NULL, OUT_NUMBER }, { "folder", NULL, OUT_TEXT },
		{ NULL, NULL, OUT_TEXT }
	};
	struct out *o = out_new(true, "sheets", cols);

	if (o == NULL)
		return err_nomem(e);
	out_number(o, "year", year);
	out_text(o, "folder", folder);
	out_row(o);
	return out_end(&o, NULL, e);
}

static void
say_sheets(const struct desk_plan *p)
{
	issuer_say_sheets(p);
	printf(_("These sheets take the place of those before, whose root of "
	    "%u is the same: key files and letters stay good. An old sheet "
	    "and a new one together are nothing, but two old ones are still "
	    "the root: each custodian burns his old sheet today, and whoever "
	    "finds the lost one later has nothing.\n"), p->year);
}

/* Noted first: who reads the journal knows that older sheets were about. */
static enum rc
make(struct desk *d, const struct issuer_words *w, const char *folder,
    struct err *e)
{
	const uint16_t year = w->plan.year;
	char what[16];
	enum rc rc;

	snprintf(what, sizeof(what), "year=%u", year);
	if ((rc = issuer_words_root(w, d, year, e)) != RC_OK ||
	    (rc = acts_note(d, "sheets", what, e)) != RC_OK)
		return rc;
	return desk_sheets_make(d, year, folder, w->plan.english, e);
}

static enum rc
sheets(struct app *app, struct desk *d, const struct issuer_words *w,
    struct err *e)
{
	const char *folder = w->plan.sheets;
	char path[PATH_MAX];
	enum rc rc = desk_path(d->dir, "custodians", path, e);

	if (folder == NULL)
		folder = path;
	if (rc == RC_OK && !desk_knows(d, w->plan.year))
		rc = err_set(e, RC_CONF, _("there is no root for %u here"),
		    w->plan.year);
	if (rc == RC_OK)
		rc = desk_sheets_free(w->plan.year, folder, e);
	if (rc == RC_OK && !app->dry_run)
		rc = make(d, w, folder, e);
	if (rc != RC_OK || app->json)
		return rc == RC_OK ? object(w->plan.year, folder, e) : rc;
	if (app->dry_run)
		printf(_("Three new sheets of the root of %u would be made in "
		    "%s.\n"), w->plan.year, folder);
	else
		say_sheets(&w->plan);
	return RC_OK;
}

enum rc
cmd_issuer_sheets(struct app *app, int argc, char **argv, struct err *e)
{
	static const struct option longs[] = {
		{ "year", required_argument, NULL, OPT_YEAR },
		{ "sheets", required_argument, NULL, OPT_SHEETS },
		{ "custodian", required_argument, NULL, OPT_CUSTODIAN },
		{ NULL, 0, NULL, 0 }
	};
	static const struct issuer_command c = { longs, 1, OPT_YEAR, sheets };

	return issuer_command_run(app, argc, argv, &c, e);
}
