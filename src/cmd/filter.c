/* sceau seal, sceau open: filters on standard input and output. */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/lang.h"
#include "base/log.h"
#include "cmd/cmd.h"
#include "flow/alone.h"
#include "flow/starter.h"

enum { OPT_TO = 1000, OPT_MDA };

enum rc
cmd_seal(struct app *app, int argc, char **argv, struct err *e)
{
	static const struct option longs[] = {
		{ "to", required_argument, NULL, OPT_TO },
		{ NULL, 0, NULL, 0 }
	};
	struct pass p = app_pass(app, PASS_SUBMIT);
	const char *to = NULL;
	enum rc rc;
	int opt;

	while ((rc = app_getopt(app, argc, argv, "", longs, &opt, e)) ==
	    RC_OK && opt != -1)
		to = optarg;
	if (rc != RC_OK)
		return rc;
	if (to == NULL || optind != argc)
		return app_usage(app, e);
	rc = filter_seal(&p, to, STDIN_FILENO, STDOUT_FILENO, app_tmp(app),
	    e);
	if (rc == RC_PERM)
		app->exit = EX_NOUSER;
	return rc;
}

/* What the reader must know and the content cannot say (2.19.14). */
static void
say_opened(const struct gate_head *h, const struct gate_verdict *v)
{
	if (!v->has_mail)
		fprintf(stderr, _("sceau: from %s: no mail in it, only "
		    "notices between programs\n"), h->sender);
	else if (!v->inner_ok)
		fprintf(stderr, _("sceau: from %s: authentic; not a mail as "
		    "the rules want it: %s\n"), v->author, v->inner_why);
	else
		fprintf(stderr, _("sceau: from %s: authentic\n"), v->author);
	if ((v->flags & GATE_F_REPLACED_KEY) != 0)
		fprintf(stderr, _("sceau: sealed with a replaced key\n"));
}

static enum rc
open_filter(struct app *app, struct err *e)
{
	struct pass p = app_pass(app, PASS_TAKE);
	struct gate_verdict v;
	struct gate_head h;
	enum rc rc;

	rc = filter_open(&p, STDIN_FILENO, STDOUT_FILENO, app_tmp(app), &h,
	    &v, e);
	if (rc == RC_OK)
		say_opened(&h, &v);
	verdict_free(&v);
	return rc;
}

/* As a delivery agent: 0 once the mail is durably ours, else 75 (2.19). */
static enum rc
open_mda(struct app *app, struct err *e)
{
	struct conf_account account = { .protocol = CONF_STDIN,
	    .after = CONF_AFTER_KEEP, .batch = 1 };
	struct pass p = app_pass(app, PASS_TAKE);
	struct conf conf = app->conf;
	char name[] = "mda";
	int lock = -1;
	enum rc rc = starter_lock(&app->conf, &lock, e);

	if (rc != RC_OK) {
		app->exit = EX_TEMPFAIL;
		return rc;
	}
	p.store_only = lock < 0;
	account.name = name;
	conf.accounts = &account;
	conf.naccounts = 1;
	p.conf = &conf;
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
cmd_open(struct app *app, int argc, char **argv, struct err *e)
{
	static const struct option longs[] = {
		{ "mda", no_argument, NULL, OPT_MDA },
		{ NULL, 0, NULL, 0 }
	};
	bool mda = false;
	enum rc rc;
	int opt;

	while ((rc = app_getopt(app, argc, argv, "", longs, &opt, e)) ==
	    RC_OK && opt != -1)
		mda = true;
	if (rc != RC_OK)
		return rc;
	if (optind != argc)
		return app_usage(app, e);
	return mda ? open_mda(app, e) : open_filter(app, e);
}
