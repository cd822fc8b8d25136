#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/lang.h"
#include "base/log.h"
#include "base/secret.h"
#include "cmd/cmd.h"

enum { OPT_STORE = 256, OPT_STORE_KEY, OPT_JSON, OPT_DRY, OPT_LANG, OPT_DEBUG,
    OPT_HELP, OPT_VERSION, OPT_DAYS };

static const struct option common[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "store", required_argument, NULL, OPT_STORE },
	{ "store-key", required_argument, NULL, OPT_STORE_KEY },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "dry-run", no_argument, NULL, OPT_DRY },
	{ "lang", required_argument, NULL, OPT_LANG },
	{ "debug", no_argument, NULL, OPT_DEBUG },
	{ "help", no_argument, NULL, OPT_HELP },
	{ "version", no_argument, NULL, OPT_VERSION },
	{ NULL, 0, NULL, 0 }
};

#define DAY_S 86400
#define T_DIGITS_MIN 8
#define NUMBER_MAX INT64_C(1000000000000)
#define NCOMMON (sizeof(common) / sizeof(common[0]) - 1)
#define LONGS_MAX 32

static _Noreturn void
print_help(const struct cmd *only)
{
	printf(_("usage: sceau [-c FILE] [--store FILE] COMMAND ...\n"));
	for (const struct cmd *c = cmds; c->name != NULL; c++)
		if (only == NULL || only == c)
			printf("  sceau %s%s%s\n\t%s\n", c->name,
			    c->args[0] != '\0' ? " " : "", c->args,
			    _(c->help));
	printf(_("See sceau(1), sceau.conf(5), sceau-keys(5), "
	    "sceau-security(7), sceau-protocol(7).\n"));
	exit(EX_OK);
}

/* The configured language, where nothing else of a configuration is needed,
 * and it may be wrong or not be there: cron's environment names none. */
static void
speak(const struct app *app)
{
	struct err e = ERR_INIT;
	struct conf conf;

	if (app->lang != NULL || app->conf.path != NULL)
		return;
	(void)conf_load(app->conf_path, &conf, &e);
	if (conf.language != NULL)
		lang_set(conf.language);
	conf_free(&conf);
}

/* True: it was one of the common options. */
static bool
common_option(struct app *app, int opt)
{
	switch (opt) {
	case 'c':
		app->conf_path = optarg;
		return true;
	case OPT_STORE:
		app->store = optarg;
		return true;
	case OPT_STORE_KEY:
		app->store_key = optarg;
		return true;
	case OPT_JSON:
		app->json = true;
		return true;
	case OPT_DRY:
		app->dry_run = true;
		return true;
	case OPT_LANG:
		app->lang = optarg;
		lang_set(optarg);
		return true;
	case OPT_DEBUG:
		app->debug = true;
		return true;
	case OPT_HELP:
		speak(app);
		print_help(app->cmd);
	case OPT_VERSION:
		printf("%s\n", PACKAGE_STRING);
		exit(EX_OK);
	}
	return false;
}

enum rc
app_usage(struct app *app, struct err *e)
{
	app->exit = EX_USAGE;
	speak(app);
	if (app->cmd == NULL)
		return err_set(e, RC_CONF,
		    _("usage: sceau COMMAND ...; sceau --help lists them"));
	return err_set(e, RC_CONF, _("usage: sceau %s %s"), app->cmd->name,
	    app->cmd->args);
}

enum rc
app_getopt(struct app *app, int argc, char **argv, const char *shorts,
    const struct option *longs, int *opt, struct err *e)
{
	struct option all[LONGS_MAX];
	char letters[64];
	size_t n = NCOMMON;

	memcpy(all, common, NCOMMON * sizeof(all[0]));
	for (; longs != NULL && longs->name != NULL; longs++) {
		BUG_ON(n == LONGS_MAX - 1);
		all[n++] = *longs;
	}
	memset(&all[n], 0, sizeof(all[n]));
	snprintf(letters, sizeof(letters), "%sc:", shorts);
	opterr = 0;
	do {
		*opt = getopt_long(argc, argv, letters, all, NULL);
	} while (*opt != -1 && common_option(app, *opt));
	return *opt == '?' ? app_usage(app, e) : RC_OK;
}

enum rc
app_no_options(struct app *app, int argc, char **argv, int n, struct err *e)
{
	enum rc rc;
	int opt;

	while ((rc = app_getopt(app, argc, argv, "", NULL, &opt, e)) ==
	    RC_OK && opt != -1)
		;
	return rc != RC_OK || argc - optind == n ? rc : app_usage(app, e);
}

enum rc
app_number(const char *s, int64_t *n, struct err *e)
{
	char *end;

	errno = 0;
	*n = strtoll(s, &end, 10);
	return errno == 0 && *n > 0 && *n <= NUMBER_MAX && *end == '\0' ?
	    RC_OK :
	    err_set(e, RC_CONF, _("%s: not a number of the list"), s);
}

enum rc
app_date(const char *s, int64_t *at, struct err *e)
{
	int y = 0, m = 0, d = 0, n = 0;

	if ((sscanf(s, "%4d-%2d-%2d%n", &y, &m, &d, &n) != 3 ||
	    s[n] != '\0') &&
	    (sscanf(s, "%2d/%2d/%4d%n", &d, &m, &y, &n) != 3 ||
	    s[n] != '\0'))
		y = 0;
	if (y < 1970 || y > 9999 || m < 1 || m > 12 || d < 1 || d > 31)
		return err_set(e, RC_CONF, _("%s: not a date; write it as in "
		    "2026-11-23"), s);
	*at = clock_of_local(clock_utc(y, m, d));
	/* 31/02 is the 3rd of March. */
	return d <= 28 || clock_utc(y, m, d) < clock_utc(m == 12 ? y + 1 : y,
	    m == 12 ? 1 : m + 1, 1) ? RC_OK :
	    err_set(e, RC_CONF, _("%s: there is no such day"), s);
}

enum rc
app_ago(const char *s, int64_t *at, struct err *e)
{
	int64_t days = 0;
	enum rc rc = app_number(s, &days, e);

	if (rc == RC_OK)
		*at = clock_now() - days * DAY_S;
	return rc;
}

enum rc
app_t(const char *s, uint8_t t[STORE_T_BYTES], size_t *t_len, struct err *e)
{
	size_t len = strlen(s);

	if (len < T_DIGITS_MIN || len % 2 != 0 || len > 2 * STORE_T_BYTES ||
	    !hex_parse(s, t, len / 2))
		return err_set(e, RC_CONF, _("%s: write the first 8 to "
		    "64 digits of a message: the 20 at the end of a "
		    "document's name, or those of \"sceau register list\""),
		    s);
	*t_len = len / 2;
	return RC_OK;
}

enum rc
app_days(struct app *app, int argc, char **argv, int64_t *since,
    struct err *e)
{
	static const struct option longs[] = {
		{ "days", required_argument, NULL, OPT_DAYS },
		{ NULL, 0, NULL, 0 }
	};
	enum rc rc;
	int opt;

	*since = clock_now() - 7 * DAY_S;
	while ((rc = app_getopt(app, argc, argv, "", longs, &opt, e)) ==
	    RC_OK && opt != -1)
		if ((rc = app_ago(optarg, since, e)) != RC_OK)
			return rc;
	return rc == RC_OK && optind != argc ? app_usage(app, e) : rc;
}

/* One word or two; ${used}: how many. */
static const struct cmd *
find_cmd(int argc, char **argv, int *used)
{
	char two[64];

	if (argc < 1)
		return NULL;
	snprintf(two, sizeof(two), "%s %s", argv[0], argc > 1 ? argv[1] : "");
	for (const struct cmd *c = cmds; c->name != NULL; c++) {
		bool is_two = strchr(c->name, ' ') != NULL;

		if (strcmp(c->name, is_two ? two : argv[0]) == 0) {
			*used = is_two ? 2 : 1;
			return c;
		}
	}
	return NULL;
}

/* The options may stand behind the command: look before anything is done. */
static void
look_ahead(struct app *app, int argc, char **argv)
{
	bool help = false;

	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
		if ((strcmp(argv[i], "-c") == 0 ||
		    strcmp(argv[i], "--config") == 0) && i + 1 < argc)
			app->conf_path = argv[i + 1];
		else if (strcmp(argv[i], "--store") == 0 && i + 1 < argc)
			app->store = argv[i + 1];
		else if (strcmp(argv[i], "--help") == 0)
			help = true;
	}
	if (help) {
		speak(app);
		print_help(app->cmd);
	}
}

/* A key store named on the command line needs no configuration; without one
 * it replaces the configured one. */
static enum rc
store_option(struct app *app, struct err *e)
{
	size_t len;

	if (app->store == NULL)
		return RC_OK;
	free(app->conf.keystore);
	free(app->conf.keystore_key);
	len = strlen(app->store) + sizeof(".key");
	app->conf.keystore = strdup(app->store);
	app->conf.keystore_key = app->store_key != NULL ?
	    strdup(app->store_key) : malloc(len);
	if (app->conf.keystore == NULL || app->conf.keystore_key == NULL)
		return err_set(e, RC_NOMEM, _("no memory left"));
	if (app->store_key == NULL)
		snprintf(app->conf.keystore_key, len, "%s.key", app->store);
	return RC_OK;
}

/* A complaint is read once more in the language that is configured: cron's
 * environment has none. */
static enum rc
read_conf(struct app *app, struct err *e)
{
	enum rc rc = conf_load(app->conf_path, &app->conf, e);

	if (app->conf.language == NULL || app->lang != NULL)
		return rc;
	lang_set(app->conf.language);
	if (rc == RC_OK)
		return RC_OK;
	conf_free(&app->conf);
	return conf_load(app->conf_path, &app->conf, e);
}

static enum rc
load_conf(struct app *app, struct err *e)
{
	enum rc rc = RC_OK;

	if ((app->cmd->needs & CMD_CONF) != 0 ||
	    ((app->cmd->needs & CMD_CONF_MAYBE) != 0 && app->store == NULL)) {
		if ((rc = read_conf(app, e)) != RC_OK)
			return rc;
		log_open(app->conf.syslog ? LOG_TO_SYSLOG : LOG_TO_STDERR,
		    (enum log_level)app->conf.log_level);
	} else {
		speak(app);
	}
	if (app->debug)
		log_open(LOG_TO_STDERR, LOG_L_DEBUG);
	return store_option(app, e);
}

struct pass
app_pass(const struct app *app, enum pass_kind kind)
{
	return (struct pass){ .conf = &app->conf, .kind = kind,
	    .dry_run = app->dry_run, .lent = app->store != NULL };
}

const char *
app_tmp(const struct app *app)
{
	const char *tmp = getenv("TMPDIR");

	if (app->conf.state != NULL)
		return app->conf.state;
	return tmp != NULL && tmp[0] == '/' ? tmp : "/tmp";
}

/* It may stand anywhere among the options, shortened as getopt_long() takes
 * it. */
static bool
is_mda(const struct app *app, int argc, char **argv)
{
	if (app->cmd->run != cmd_open)
		return false;
	for (int i = 1; i < argc; i++) {
		size_t len = strlen(argv[i]);

		if (len > 2 && strncmp(argv[i], "--mda", len) == 0)
			return true;
	}
	return false;
}

/* libConfuse ends a process that finds no memory while it reads, with 2: for
 * which a mail server returns the mail. */
static bool reading_for_mda;

static void
at_exit(void)
{
	if (reading_for_mda)
		_exit(EX_TEMPFAIL);
}

static enum rc
run_cmd(struct app *app, int argc, char **argv, struct err *e)
{
	enum rc rc;

	if (is_mda(app, argc, argv)) {
		app->cmd = &cmd_mda;
		if (atexit(at_exit) != 0)
			return err_nomem(e);
	}
	/* The first of all opens their log, before any sandbox. */
	FAULT("main");
	look_ahead(app, argc, argv);
	reading_for_mda = app->cmd == &cmd_mda;
	rc = load_conf(app, e);
	reading_for_mda = false;
	if (rc != RC_OK)
		return rc;
	/* 0, not 1: begin anew, and let options stand behind words (glibc
	 * keeps the "+" of main_cmd() otherwise; BSD understands it too). */
	optind = 0;
	return app->cmd->run(app, argc, argv, e);
}

static enum rc
main_cmd(struct app *app, int argc, char **argv, struct err *e)
{
	const char *name = strrchr(argv[0], '/');
	int opt, used = 0;
	enum rc rc;

	name = name != NULL ? name + 1 : argv[0];
	if (strcmp(name, "sendmail") == 0) {
		static char send[] = "send";
		char *word = send;

		app->cmd = find_cmd(1, &word, &used);
		return run_cmd(app, argc, argv, e);
	}
	/* "+": the command's own options are its own. */
	if ((rc = app_getopt(app, argc, argv, "+", NULL, &opt, e)) != RC_OK)
		return rc;
	argc -= optind;
	argv += optind;
	if ((app->cmd = find_cmd(argc, argv, &used)) == NULL)
		return app_usage(app, e);
	return run_cmd(app, argc - used + 1, argv + used - 1, e);
}

/* A file that is opened in the place of a closed one of the three would be
 * taken for the input, or get what is printed: a document, or the sealed copy
 * of a mail.  To read the input then fails, and so does to write. */
static bool
hold_places(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null",
		    fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
			return false;
	return true;
}

int
app_main(int argc, char **argv)
{
	struct app app = { 0 };
	struct err e = ERR_INIT;
	enum rc rc;
	int code;

	if (!hold_places())
		return EX_TEMPFAIL;
	lang_set(NULL);
	log_open(LOG_TO_STDERR, LOG_L_INFO);
	if ((rc = secret_init(&e)) == RC_OK)
		rc = main_cmd(&app, argc, argv, &e);
	if (rc != RC_OK) {
		log_plain(e.text);
		fprintf(stderr, "sceau: %s\n", e.text);
	}
	/* What was promised must not be sent a second time for a pipe that
	 * nobody reads. */
	if (fflush(stdout) != 0 && rc == RC_OK && !app.promised)
		app.exit = EX_IOERR;
	code = app.exit != 0 ? app.exit : rc_exit(rc);
	/* A delivery agent that fails otherwise makes the mail server bounce:
	 * it is always "try again", whatever was wrong (2.19). */
	if (code != EX_OK && app.cmd == &cmd_mda)
		code = EX_TEMPFAIL;
	conf_free(&app.conf);
	return code;
}
