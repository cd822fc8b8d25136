/* sceau poll, sceau run: the same pass, once or for good. */
#include "config.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/lang.h"
#include "base/log.h"
#include "cmd/cmd.h"
#include "flow/starter.h"

/* A second pass while one is at work leaves quietly: cron starts the next. */
static enum rc
locked_pass(struct app *app, bool stay, struct err *e)
{
	struct pass p = app_pass(app, PASS_POLL);
	int lock = -1;
	enum rc rc = starter_lock(&app->conf, &lock, e);

	if (rc != RC_OK)
		return rc;
	if (lock < 0) {
		LOG(LOG_L_DEBUG, "pass.busy", LK_S("state",
		    app->conf.state));
		return RC_OK;
	}
	p.stay = stay;
	rc = starter_run(&p, NULL, &app->exit, e);
	close(lock);
	return rc;
}

enum rc
cmd_poll(struct app *app, int argc, char **argv, struct err *e)
{
	enum rc rc = app_no_options(app, argc, argv, 0, e);

	return rc == RC_OK ? locked_pass(app, false, e) : rc;
}

enum rc
cmd_run(struct app *app, int argc, char **argv, struct err *e)
{
	enum rc rc = app_no_options(app, argc, argv, 0, e);

	return rc == RC_OK ? locked_pass(app, true, e) : rc;
}
