/* sceau setup: a few questions, a test, and a configuration. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/file.h"
#include "base/lang.h"
#include "cmd/setup.h"
#include "conf/value.h"
#include "flow/probe.h"

/* ---- what is written, and where -------------------------------------- */

/* NAME.conf has its password in NAME.password, beside it. */
static enum rc
places(struct setup *s, struct err *e)
{
	const char *home = value_home();
	char usual[PATH_MAX];
	size_t len;
	int n;

	if (s->app->conf_path == NULL && home == NULL)
		return err_set(e, RC_CONF, _("HOME is not set"));
	snprintf(usual, sizeof(usual), "%s/.config/sceau/sceau.conf",
	    home != NULL ? home : "");
	if (setup_absolute(s->app->conf_path != NULL ? s->app->conf_path :
	    usual, s->conf, e) != RC_OK)
		return e->rc;
	len = strlen(s->conf);
	if (len > 5 && strcmp(s->conf + len - 5, ".conf") == 0)
		len -= 5;
	n = snprintf(s->file, sizeof(s->file), "%.*s.password", (int)len,
	    s->conf);
	return n < PATH_MAX - 4 ? RC_OK :
	    err_set(e, RC_CONF, _("%s: the name is too long"), s->conf);
}

static enum rc
may_replace(const struct setup *s, struct err *e)
{
	char question[PATH_MAX + 100];
	bool yes = false;

	if (setup_given(s, OPT_PRINT) != NULL ||
	    setup_given(s, OPT_FORCE) != NULL || access(s->conf,
	    F_OK) != 0)
		return RC_OK;
	snprintf(question, sizeof(question), _("%s is there already. Keep it "
	    "under a dated name, and make a new one?"), s->conf);
	if (ask_yes(&s->ask, question, false, &yes, e) != RC_OK)
		return e->rc;
	return yes ? RC_OK : err_set(e, RC_CONF, _("%s stays as it was; "
	    "--force makes a new one and keeps it under a dated name"),
	    s->conf);
}

/* ---- the test ---------------------------------------------------------- */

static enum rc
test_one(struct setup *s, const struct conf *c, enum part part,
    const struct place *at, struct err *e)
{
	struct pass p = { .conf = c, .kind = PASS_POLL };
	enum wire_why why = WHY_NONE;
	enum rc rc;

	fprintf(stderr, "%s: ", at->host);
	rc = probe(&p, part, 0, &why, e);
	fprintf(stderr, "%s\n", rc == RC_OK ?
	    _("reached, proved, logged in") : e->text);
	if (rc == RC_TEMP && why == WHY_LOGIN)
		s->app->exit = EX_NOPERM;
	return rc;
}

/* The text as it will be, but for the file of the password, which is not in
 * its place before all is well. */
static enum rc
test_servers(struct setup *s, struct err *e)
{
	struct setup_plan trial = s->plan;
	struct buf text = BUF_INIT;
	char file[PATH_MAX];
	struct conf c = { .path = NULL };
	enum rc rc = RC_OK;

	snprintf(file, sizeof(file), "%.*s.new", PATH_MAX - 8, s->file);
	if (s->password.p != NULL) {
		rc = file_write(file, s->password.p, s->password.len, 0600, e);
		snprintf(trial.secret, sizeof(trial.secret), "%s", file);
	}
	if (rc == RC_OK && !setup_text(&trial, &text))
		rc = err_set(e, RC_NOMEM, _("no memory left"));
	if (rc == RC_OK)
		rc = conf_read(s->conf, text.p, text.len, &c, e);
	if (rc == RC_OK)
		rc = test_one(s, &c, PART_FETCH, &s->plan.fetch, e);
	if (rc == RC_OK)
		rc = test_one(s, &c, PART_RELAY, &s->plan.relay, e);
	conf_free(&c);
	buf_free(&text);
	(void)unlink(file);
	return rc;
}

/* A mistyped password is the usual case: a person may type it again. */
static enum rc
test_until_well(struct setup *s, struct err *e)
{
	bool again = true;
	enum rc rc;

	while ((rc = test_servers(s, e)) != RC_OK && s->ask.terminal &&
	    s->password.p != NULL && s->app->exit == EX_NOPERM) {
		struct err asked = ERR_INIT;

		if (ask_yes(&s->ask, _("Type name and password again?"), true,
		    &again, &asked) != RC_OK || !again ||
		    setup_ask_login(s, &asked) != RC_OK)
			break;
		s->app->exit = 0;
	}
	return rc == RC_OK ? rc : err_ctx(e, "%s", _("nothing was written; "
	    "--no-test writes without a test"));
}

/* ---- the end ----------------------------------------------------------- */

static enum rc
check_text(struct setup *s, struct err *e)
{
	struct conf c = { .path = NULL };
	enum rc rc;

	if (!setup_text(&s->plan, &s->text))
		return err_set(e, RC_NOMEM, _("no memory left"));
	rc = conf_read(s->conf, s->text.p, s->text.len, &c, e);
	conf_free(&c);
	return rc;
}

/* The laboratory's system drops its files there, and may not make it. */
static enum rc
make_outbox(const struct setup *s, struct err *e)
{
	char *path = NULL;
	enum rc rc = RC_OK;

	if (s->plan.outbox[0] != '\0' &&
	    (rc = value_path(s->plan.outbox, &path, e)) == RC_OK)
		rc = file_mkdirs(path, 0700, e);
	free(path);
	return rc;
}

static enum rc
write_all_of_it(struct setup *s, struct err *e)
{
	enum rc rc = setup_aside(s->conf, e);

	if (rc == RC_OK && s->password.p != NULL &&
	    (rc = setup_aside(s->file, e)) == RC_OK)
		rc = file_write(s->file, s->password.p, s->password.len, 0600,
		    e);
	if (rc == RC_OK)
		rc = make_outbox(s, e);
	if (rc == RC_OK)
		rc = file_write(s->conf, s->text.p, s->text.len, 0600, e);
	if (rc == RC_OK)
		printf(_("written: %s\n"), s->conf);
	return rc;
}

static void
say_next(const struct setup *s)
{
	const char *c = s->app->conf_path;
	char with[PATH_MAX + 8] = "";

	if (c != NULL)
		snprintf(with, sizeof(with), "-c %s ", c);
	printf(_("Now type:\n"
	    "  sceau %skey import FILE   the association's key file; it asks "
	    "for the letter's code\n"
	    "  sceau %scheck             is everything in order?\n"
	    "  sceau %sschedule          and from now on it works by "
	    "itself\n"), with, with, with);
}

static enum rc
finish(struct setup *s, struct err *e)
{
	char question[PATH_MAX + 32];
	bool yes = false;

	fprintf(stderr, "\n%s\n", buf_str(&s->text));
	snprintf(question, sizeof(question), _("Write this to %s?"), s->conf);
	if (ask_yes(&s->ask, question, true, &yes, e) != RC_OK)
		return e->rc;
	if (!yes)
		return err_set(e, RC_CONF, _("nothing was written"));
	if (write_all_of_it(s, e) != RC_OK)
		return e->rc;
	say_next(s);
	return RC_OK;
}

static enum rc
run(struct setup *s, const char *address, struct err *e)
{
	char folder[PATH_MAX];
	enum rc rc;

	if ((rc = places(s, e)) != RC_OK || (rc = may_replace(s, e)) != RC_OK ||
	    (rc = setup_ask(s, address, e)) != RC_OK ||
	    (rc = check_text(s, e)) != RC_OK)
		return rc;
	if (setup_given(s, OPT_PRINT) != NULL) {
		fputs(buf_str(&s->text), stdout);
		return RC_OK;
	}
	snprintf(folder, sizeof(folder), "%.*s",
	    (int)(strrchr(s->conf, '/') - s->conf), s->conf);
	if ((rc = file_mkdirs(folder, 0700, e)) != RC_OK ||
	    (setup_given(s, OPT_NO_TEST) == NULL &&
	    (rc = test_until_well(s, e)) != RC_OK))
		return rc;
	return finish(s, e);
}

enum rc
cmd_setup(struct app *app, int argc, char **argv, struct err *e)
{
	static const struct option longs[] = {
		{ "role", required_argument, NULL, OPT_ROLE },
		{ "imap", required_argument, NULL, OPT_IMAP },
		{ "pop3", required_argument, NULL, OPT_POP3 },
		{ "smtp", required_argument, NULL, OPT_SMTP },
		{ "user", required_argument, NULL, OPT_USER },
		{ "keep", required_argument, NULL, OPT_KEEP },
		{ "password-command", required_argument, NULL, OPT_PASSWORD },
		{ "token-command", required_argument, NULL, OPT_TOKEN },
		{ "folder", required_argument, NULL, OPT_FOLDER },
		{ "outbox", required_argument, NULL, OPT_OUTBOX },
		{ "ca-file", required_argument, NULL, OPT_CA },
		{ "providers", required_argument, NULL, OPT_TABLE },
		{ "no-test", no_argument, NULL, OPT_NO_TEST },
		{ "yes", no_argument, NULL, OPT_YES },
		{ "force", no_argument, NULL, OPT_FORCE },
		{ "print", no_argument, NULL, OPT_PRINT },
		{ NULL, 0, NULL, 0 }
	};
	struct setup s = { .app = app };
	enum rc rc;
	int opt;

	while ((rc = app_getopt(app, argc, argv, "", longs, &opt, e)) ==
	    RC_OK && opt != -1)
		s.given[opt - OPT_ROLE] = optarg != NULL ? optarg : "";
	if (rc != RC_OK)
		return rc;
	if (argc - optind > 1)
		return app_usage(app, e);
	s.ask = ask_begin(setup_given(&s, OPT_YES) != NULL);
	rc = run(&s, optind < argc ? argv[optind] : NULL, e);
	secret_wipe(&s.password);
	buf_free(&s.text);
	return rc;
}
