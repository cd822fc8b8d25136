/* sceau refile: file once more what was filed, from what is kept sealed. */
#include "config.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/lang.h"
#include "cmd/cmd.h"
#include "store/store_kept.h"

#define DAY_S 86400

enum { OPT_SINCE = 1000, OPT_DAYS };

static enum rc
option(struct store_kept_ask *ask, int opt, struct err *e)
{
	int64_t days = 0;
	enum rc rc;

	if (opt == OPT_SINCE)
		return app_date(optarg, &ask->since, e);
	if ((rc = app_number(optarg, &days, e)) == RC_OK)
		ask->since = clock_now() - days * DAY_S;
	return rc;
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
	if (app->conf.keep_filed_s == 0)
		return err_set(e, RC_INPUT, _("nothing that was filed is "
		    "kept: keep_filed is 0 in the configuration"));
	return word == NULL ? err_set(e, RC_INPUT, _("nothing that was filed "
	    "in these days is kept")) :
	    err_set(e, RC_INPUT, _("%s: no message of that number was filed "
	    "here, or it was filed too long ago to be kept; ask the sender "
	    "to send it again"), word);
}

static enum rc
refile_all(const struct app *app, char *const *word,
    struct store_kept_ask *ask, struct err *e)
{
	struct store *st = NULL;
	size_t n = 0;
	enum rc rc = store_open(app->conf.state, app->dry_run ? STORE_READ :
	    STORE_WRITE, &st, e);

	if (rc == RC_OK && *word == NULL)
		rc = refile(app, st, ask, NULL, &n, e);
	for (; rc == RC_OK && *word != NULL; word++)
		if ((rc = app_t(*word, ask->t, &ask->t_len, e)) == RC_OK)
			rc = refile(app, st, ask, *word, &n, e);
	store_close(&st);
	if (n > 0)
		printf(P_("%zu message is filed once more by the next "
		    "poll.\n", "%zu messages are filed once more by the next "
		    "poll.\n", n), n);
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
	struct store_kept_ask ask = { .since = -1 };
	enum rc rc;
	int opt;

	while ((rc = app_getopt(app, argc, argv, "", longs, &opt, e)) ==
	    RC_OK && opt != -1)
		if ((rc = option(&ask, opt, e)) != RC_OK)
			return rc;
	if (rc != RC_OK)
		return rc;
	/* All that is kept is more than anybody means. */
	if ((optind == argc) == (ask.since < 0))
		return app_usage(app, e);
	return refile_all(app, argv + optind, &ask, e);
}
