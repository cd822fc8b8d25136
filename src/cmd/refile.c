/* sceau refile: file once more what was filed, or show what was relayed, from
 * what is kept sealed. */
#include "config.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/lang.h"
#include "cmd/cmd.h"
#include "store/store_kept.h"

enum { OPT_SINCE = 1000, OPT_DAYS };

/* What is asked for: ${words}, or all since ${ask}.since. */
struct wish {
	struct store_kept_ask	 ask;
	bool			 since;
	char			*const *words;	/* NULL at the end */
};

static enum rc
option(struct wish *w, int opt, struct err *e)
{
	w->since = true;
	return opt == OPT_SINCE ? app_date(optarg, &w->ask.since, e) :
	    app_ago(optarg, &w->ask.since, e);
}

/* RC_INPUT: there is none. */
static enum rc
refile(const struct app *app, struct store *st,
    const struct store_kept_ask *ask, const char *word, size_t *all,
    struct err *e)
{
	size_t n = 0;
	enum rc rc = store_refile(st, ask, clock_now(), &n, e);

	*all += n;
	if (rc != RC_OK || n > 0)
		return rc;
	if (app->conf.hub && app->conf.hub_archive_s == 0)
		return err_set(e, RC_INPUT, _("nothing of that is kept, and "
		    "this gateway has no archive: hub_archive is 0 in the "
		    "configuration"));
	if (app->conf.keep_filed_s == 0)
		return err_set(e, RC_INPUT, _("nothing that was filed is "
		    "kept: keep_filed is 0 in the configuration"));
	return word == NULL ? err_set(e, RC_INPUT, _("nothing that was filed "
	    "in these days is kept")) :
	    err_set(e, RC_INPUT, _("%s: no message of that number was filed "
	    "here, or it was filed too long ago to be kept; ask the sender "
	    "to send it again"), word);
}

/* A word that is no number refuses all of them. */
static enum rc
words_check(const struct wish *w, struct err *e)
{
	uint8_t t[STORE_T_BYTES];
	enum rc rc = RC_OK;
	size_t len;

	for (char *const *word = w->words; rc == RC_OK && *word != NULL;
	    word++)
		rc = app_t(*word, t, &len, e);
	return rc;
}

static void
say(const struct app *app, size_t n)
{
	if (n > 0 && app->dry_run)
		printf(P_("%zu message would be filed once more.\n",
		    "%zu messages would be filed once more.\n", n), n);
	else if (n > 0)
		printf(P_("%zu message is filed once more by the next "
		    "poll.\n", "%zu messages are filed once more by the next "
		    "poll.\n", n), n);
}

static enum rc
refile_all(const struct app *app, struct wish *w, struct err *e)
{
	struct store *st = NULL;
	size_t n = 0;
	enum rc rc = words_check(w, e);

	if (rc == RC_OK)
		rc = store_open(app->conf.state, app->dry_run ? STORE_READ :
		    STORE_WRITE, &st, e);
	if (rc == RC_OK && w->since)
		rc = refile(app, st, &w->ask, NULL, &n, e);
	for (char *const *word = w->words; rc == RC_OK && *word != NULL;
	    word++)
		if ((rc = app_t(*word, w->ask.t, &w->ask.t_len, e)) == RC_OK)
			rc = refile(app, st, &w->ask, *word, &n, e);
	store_close(&st);
	say(app, n);
	return rc;
}

enum rc
cmd_refile(struct app *app, int argc, char **argv, struct err *e)
{
	static const struct option longs[] = {
		{ "since", required_argument, NULL, OPT_SINCE },
		{ "days", required_argument, NULL, OPT_DAYS },
		{ NULL, 0, NULL, 0 }
	};
	struct wish w = { .since = false };
	enum rc rc;
	int opt;

	while ((rc = app_getopt(app, argc, argv, "", longs, &opt, e)) ==
	    RC_OK && opt != -1)
		if ((rc = option(&w, opt, e)) != RC_OK)
			return rc;
	if (rc != RC_OK)
		return rc;
	/* All that is kept is more than anybody means. */
	if ((optind == argc) != w.since)
		return app_usage(app, e);
	w.words = argv + optind;
	return refile_all(app, &w, e);
}
