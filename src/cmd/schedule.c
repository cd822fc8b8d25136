/* sceau schedule: poll runs by itself, by what this system offers. */
#include "config.h"

#include <fcntl.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/lang.h"
#include "cmd/cmd.h"
#include "cmd/schedule_text.h"
#include "wire/pipe.h"

enum { OPT_KIND = 1000, OPT_EVERY, OPT_HOURS, OPT_DAYS, OPT_PRINT,
    OPT_REMOVE };

enum kind { CRON, SYSTEMD, LAUNCHD };

struct plan {
	struct schedule	 s;
	enum kind	 kind;
	bool		 print, remove;
	char		 program[PATH_MAX], conf[PATH_MAX];
};

/*
 * The crontab is read, our line taken out, the new one (standard input)
 * added.  One that cannot be read is not one that is not there: then nothing
 * is written.
 */
static const char crontab[] =
    "set -eu; umask 077; LC_ALL=C; export LC_ALL\n"
    "d=$(mktemp -d); trap 'rm -rf \"$d\"' EXIT\n"
    "if ! crontab -l >\"$d/old\" 2>\"$d/why\"; then\n"
    "grep -qi 'no crontab' \"$d/why\" || { cat \"$d/why\" >&2; exit 75; }\n"
    "fi\n"
    "{ grep -v '" SCHEDULE_MARK "$' \"$d/old\" || :; cat; } >\"$d/new\"\n"
    "crontab \"$d/new\"";

static enum kind
kind_here(void)
{
#ifdef __APPLE__
	return LAUNCHD;
#else
	return access("/run/systemd/system", F_OK) == 0 &&
	    getenv("XDG_RUNTIME_DIR") != NULL ? SYSTEMD : CRON;
#endif
}

static enum rc
kind_parse(const char *s, enum kind *out, struct err *e)
{
	static const char *const kinds[] = { "cron", "systemd", "launchd" };

	for (size_t i = 0; i < 3; i++)
		if (strcmp(kinds[i], s) == 0) {
			*out = (enum kind)i;
			return RC_OK;
		}
	return err_set(e, RC_CONF, _("--kind %s: cron, systemd or launchd"),
	    s);
}

static enum rc
option(struct plan *p, int opt, struct err *e)
{
	switch (opt) {
	case OPT_KIND:
		return kind_parse(optarg, &p->kind, e);
	case OPT_EVERY:
		return schedule_every(optarg, &p->s, e);
	case OPT_HOURS:
		return hours_span(optarg, &p->s.when, e) == RC_OK ? RC_OK :
		    err_ctx(e, "--hours %s", optarg);
	case OPT_DAYS:
		return hours_days(optarg, &p->s.when, e) == RC_OK ? RC_OK :
		    err_ctx(e, "--days %s", optarg);
	case OPT_PRINT:
		p->print = true;
		break;
	default:
		p->remove = true;
	}
	return RC_OK;
}

/* The program that runs now, by a name that does not depend on a PATH. */
static enum rc
program_find(char out[PATH_MAX], struct err *e)
{
	static const char installed[] = SCEAU_BINDIR "/sceau";
	char self[PATH_MAX];
	const char *program = cmd_self(self) ? self : installed;

	return realpath(program, out) != NULL ? RC_OK :
	    err_sys(e, "%s", program);
}

/* All members at the same second would be a wave for their servers. */
static enum rc
plan_fill(struct app *app, struct plan *p, struct err *e)
{
	enum rc rc = program_find(p->program, e);

	p->s.program = p->program;
	p->s.minute = (int)randombytes_uniform((uint32_t)p->s.every);
	p->s.second = (int)randombytes_uniform(60);
	if (rc != RC_OK || app->conf_path == NULL)
		return rc;
	if (realpath(app->conf_path, p->conf) == NULL)
		return err_sys(e, "%s", app->conf_path);
	p->s.conf = p->conf;
	return strpbrk(p->conf, "\r\n") == NULL ? RC_OK :
	    err_set(e, RC_CONF, _("%s: a schedule cannot hold this name"),
	    p->conf);
}

/* ${dir}/${name}, below $HOME; or, for systemd, $XDG_CONFIG_HOME. */
static enum rc
place(const char *dir, const char *name, char out[PATH_MAX], struct err *e)
{
	const char *xdg = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	bool config = strncmp(dir, ".config/", 8) == 0;
	int n;

	if (config && xdg != NULL && xdg[0] == '/')
		n = snprintf(out, PATH_MAX, "%s/%s/%s", xdg, dir + 8, name);
	else if (home != NULL && home[0] == '/')
		n = snprintf(out, PATH_MAX, "%s/%s/%s", home, dir, name);
	else
		return err_set(e, RC_CONF, _("HOME is not set"));
	return n < PATH_MAX ? RC_OK :
	    err_set(e, RC_CONF, _("%s: the name is too long"), home);
}

static enum rc
put(const struct plan *p, const char *dir, const char *name,
    bool (*text)(const struct schedule *, struct buf *), struct err *e)
{
	struct buf b = BUF_INIT;
	char path[PATH_MAX];
	enum rc rc = place(dir, name, path, e);
	char *slash;

	if (rc == RC_OK && p->remove) {
		if (unlink(path) == 0)
			printf(_("removed: %s\n"), path);
		return RC_OK;
	}
	if (rc == RC_OK && !text(&p->s, &b))
		rc = err_set(e, RC_NOMEM, _("no memory left"));
	if (rc == RC_OK && p->print) {
		printf("# %s\n%s", path, buf_str(&b));
	} else if (rc == RC_OK) {
		slash = strrchr(path, '/');
		*slash = '\0';
		rc = file_mkdirs(path, 0755, e);
		*slash = '/';
		if (rc == RC_OK)
			rc = file_write(path, b.p, b.len, 0644, e);
		if (rc == RC_OK)
			printf(_("written: %s\n"), path);
	}
	buf_free(&b);
	return rc;
}

static enum rc
by_cron(const struct plan *p, struct err *e)
{
	struct buf b = BUF_INIT;
	FILE *f = NULL;
	enum rc rc = RC_OK;

	if (!p->remove && !schedule_cron(&p->s, &b))
		rc = err_set(e, RC_NOMEM, _("no memory left"));
	else if (p->print)
		printf("%s", p->remove ? "" : buf_str(&b));
	else if ((f = tmpfile()) == NULL ||
	    !write_all(fileno(f), b.p, b.len) ||
	    lseek(fileno(f), 0, SEEK_SET) != 0)
		rc = err_sys(e, "crontab");
	else if ((rc = pipe_run(crontab, fileno(f), e)) != RC_OK)
		err_ctx(e, "%s", _("the crontab stays as it was"));
	else
		printf("%s", p->remove ? _("taken out of the crontab\n") :
		    _("put into the crontab\n"));
	if (f != NULL)
		(void)fclose(f);
	buf_free(&b);
	return rc;
}

static enum rc
by_systemd(const struct plan *p, struct err *e)
{
	static const char dir[] = ".config/systemd/user";
	enum rc rc = put(p, dir, "sceau.service", schedule_service, e);

	if (rc == RC_OK)
		rc = put(p, dir, "sceau.timer", schedule_timer, e);
	if (rc != RC_OK || p->print)
		return rc;
	printf(_("Now type: %s\n"), p->remove ?
	    "systemctl --user disable --now sceau.timer" :
	    "systemctl --user daemon-reload && "
	    "systemctl --user enable --now sceau.timer");
	if (!p->remove)
		printf(_("To go on while nobody is logged in: %s\n"),
		    "loginctl enable-linger");
	return RC_OK;
}

static enum rc
by_launchd(const struct plan *p, struct err *e)
{
	static const char dir[] = "Library/LaunchAgents";
	enum rc rc = put(p, dir, SCHEDULE_LABEL ".plist", schedule_agent, e);

	if (rc != RC_OK || p->print)
		return rc;
	if (p->remove)
		printf(_("Now type: %s\n"), "launchctl bootout gui/$(id -u)/"
		    SCHEDULE_LABEL);
	else
		printf(_("Now type: %s\n"), "launchctl bootstrap "
		    "gui/$(id -u) ~/Library/LaunchAgents/" SCHEDULE_LABEL
		    ".plist");
	return RC_OK;
}

enum rc
cmd_schedule(struct app *app, int argc, char **argv, struct err *e)
{
	static const struct option longs[] = {
		{ "kind", required_argument, NULL, OPT_KIND },
		{ "every", required_argument, NULL, OPT_EVERY },
		{ "hours", required_argument, NULL, OPT_HOURS },
		{ "days", required_argument, NULL, OPT_DAYS },
		{ "print", no_argument, NULL, OPT_PRINT },
		{ "remove", no_argument, NULL, OPT_REMOVE },
		{ NULL, 0, NULL, 0 }
	};
	struct plan p = { .kind = kind_here(), .s = { .every = 5 } };
	enum rc rc = hours_parse(HOURS_USUAL, &p.s.when, e);
	int opt;

	BUG_ON(rc != RC_OK);
	while ((rc = app_getopt(app, argc, argv, "", longs, &opt, e)) ==
	    RC_OK && opt != -1)
		if ((rc = option(&p, opt, e)) != RC_OK)
			return rc;
	if (rc == RC_OK && optind != argc)
		return app_usage(app, e);
	if (rc == RC_OK)
		rc = plan_fill(app, &p, e);
	if (rc != RC_OK)
		return rc;
	return p.kind == CRON ? by_cron(&p, e) :
	    p.kind == SYSTEMD ? by_systemd(&p, e) : by_launchd(&p, e);
}
