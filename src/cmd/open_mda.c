/* sceau open --mda: a whole mail on standard input, as a mail server gives it
 * to a delivery agent. */
#include "config.h"

#include <sysexits.h>
#include <unistd.h>

#include "base/log.h"
#include "cmd/cmd.h"
#include "flow/starter.h"

#define OPT_MDA 1000

/* 0 once the mail is durably ours, else 75 (2.19). */
static enum rc
open_mda(struct app *app, struct err *e)
{
	char name[] = "(mda)";	/* none that a configuration can give */
	const struct conf_account account = { .name = name,
	    .protocol = CONF_STDIN, .after = CONF_AFTER_KEEP, .batch = 1 };
	struct pass p = app_pass(app, PASS_TAKE);
	int lock = -1;
	enum rc rc = starter_lock(&app->conf, &lock, e);

	if (rc != RC_OK) {
		app->exit = EX_TEMPFAIL;
		return rc;
	}
	p.store_only = lock < 0;
	p.input = &account;
	rc = starter_run(&p, NULL, &app->exit, e);
	if (lock >= 0)
		close(lock);
	if (app->exit != EX_OK) {
		app->exit = EX_TEMPFAIL;
		return rc;
	}
	/* It is in the store: what failed after that is the next pass's. */
	if (rc != RC_OK)
		LOG(LOG_L_WARN, "pass.failed", LK_S("why", e->text));
	return RC_OK;
}

enum rc
cmd_open_mda(struct app *app, int argc, char **argv, struct err *e)
{
	static const struct option longs[] = {
		{ "mda", no_argument, NULL, OPT_MDA },
		{ NULL, 0, NULL, 0 }
	};
	enum rc rc;
	int opt;

	while ((rc = app_getopt(app, argc, argv, "", longs, &opt, e)) ==
	    RC_OK && opt != -1)
		;
	if (rc != RC_OK)
		return rc;
	return optind == argc ? open_mda(app, e) : app_usage(app, e);
}
