/* The commands: one table, one function each. */
#ifndef SC_CMD_CMD_H
#define SC_CMD_CMD_H

#include <getopt.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"
#include "conf/conf.h"
#include "flow/pass.h"
#include "store/store.h"

/* What the command line said, and what every command may use. */
struct app {
	const char	*conf_path;	/* -c, or NULL: the usual places */
	const char	*store;		/* --store, or NULL */
	const char	*store_key;	/* --store-key, or NULL: FILE.key */
	const char	*lang;		/* --lang, or NULL */
	bool		 json;
	bool		 dry_run;
	bool		 debug;
	struct conf	 conf;		/* loaded for CMD_CONF */
	const struct cmd *cmd;
	int		 exit;		/* more exact than rc_exit(), or 0 */
	bool		 promised;	/* mail is queued: exit 0 */
};

#define CMD_CONF 1U		/* reads the configuration first */
#define CMD_CONF_MAYBE 2U	/* unless --store is given */
#define CMD_DRY 4U		/* knows --dry-run */
#define CMD_JSON 8U		/* knows --json */

struct cmd {
	const char	*name;		/* one or two words */
	const char	*args;		/* usage is printed from it */
	const char	*help;		/* one line, N_() */
	unsigned	 needs;
	enum rc		(*run)(struct app *app, int argc, char **argv,
			    struct err *e);
};

/* The table, ended by a NULL name; in the order in which help shows it. */
extern const struct cmd cmds[];
/* "open", when --mda is among its options. */
extern const struct cmd cmd_mda;

/* cmd_self(path): the file of the program that runs now; false: this system
 * does not tell. */
bool cmd_self(char path[PATH_MAX]);

/* app_main(argc, argv): the whole program; its exit code. */
int app_main(int argc, char **argv);

/*
 * app_getopt(app, argc, argv, shorts, longs, opt, e):
 * getopt_long() for a command (argv[0] is its name), which takes the options
 * that every command knows by itself (-c --store --store-key --json --dry-run
 * --lang --debug --help).  ${*opt}: a letter of ${shorts} or value of
 * ${longs}; -1 at the end.  RC_CONF with app->exit 64: a wrong option.
 */
enum rc app_getopt(struct app *app, int argc, char **argv,
    const char *shorts, const struct option *longs, int *opt, struct err *e);

/* app_no_options(app, argc, argv, n, e): only the common options and exactly
 * ${n} words, which then are the last of ${argv}. */
enum rc app_no_options(struct app *app, int argc, char **argv, int n,
    struct err *e);

/* app_number(s, n, e): a number from 1 on that a person typed; RC_CONF. */
enum rc app_number(const char *s, int64_t *n, struct err *e);

/* app_date(s, at, e): "2026-11-23" or "23/11/2026": the midnight with which
 * that day began, here.  RC_CONF: it is not a date. */
enum rc app_date(const char *s, int64_t *at, struct err *e);

/* app_ago(s, at, e): a number of days, as app_number(): that long ago. */
enum rc app_ago(const char *s, int64_t *at, struct err *e);

/* app_t(s, t, t_len, e): the first digits, 8 or more and even in number, of a
 * message's T; ${t_len} octets of it.  RC_CONF: they are not. */
enum rc app_t(const char *s, uint8_t t[STORE_T_BYTES], size_t *t_len,
    struct err *e);

/* app_days(app, argc, argv, since, e): only the common options and --days N,
 * no words; ${since}: N days ago, 7 when it is not there. */
enum rc app_days(struct app *app, int argc, char **argv, int64_t *since,
    struct err *e);

/* app_usage(app, e): RC_CONF and exit 64, the usage in the text. */
enum rc app_usage(struct app *app, struct err *e);

/* app_pass(app, kind): what a pass is told, from the options. */
struct pass app_pass(const struct app *app, enum pass_kind kind);

/* app_tmp(app): where a filter's nameless files may lie; lent. */
const char *app_tmp(const struct app *app);

/* The commands themselves: see their manual in sceau(1) and the head of each
 * file. They parse their own options with app_getopt(). */
enum rc cmd_bar(struct app *, int, char **, struct err *);
enum rc cmd_poll(struct app *, int, char **, struct err *);
enum rc cmd_run(struct app *, int, char **, struct err *);
enum rc cmd_send(struct app *, int, char **, struct err *);
enum rc cmd_seal(struct app *, int, char **, struct err *);
enum rc cmd_open(struct app *, int, char **, struct err *);
enum rc cmd_open_mda(struct app *, int, char **, struct err *);
enum rc cmd_sent(struct app *, int, char **, struct err *);
enum rc cmd_status(struct app *, int, char **, struct err *);
/* its part of the outboxes */
enum rc status_outboxes(struct app *app, struct err *e);
enum rc cmd_queue_list(struct app *, int, char **, struct err *);
enum rc cmd_queue_show(struct app *, int, char **, struct err *);
enum rc cmd_queue_add(struct app *, int, char **, struct err *);
enum rc cmd_queue_retry(struct app *, int, char **, struct err *);
enum rc cmd_queue_drop(struct app *, int, char **, struct err *);
enum rc cmd_held_list(struct app *, int, char **, struct err *);
enum rc cmd_held_show(struct app *, int, char **, struct err *);
enum rc cmd_held_release(struct app *, int, char **, struct err *);
enum rc cmd_held_drop(struct app *, int, char **, struct err *);
enum rc cmd_hprim_check(struct app *, int, char **, struct err *);
enum rc cmd_inbox(struct app *, int, char **, struct err *);
enum rc cmd_log(struct app *, int, char **, struct err *);
enum rc cmd_setup(struct app *, int, char **, struct err *);
enum rc cmd_schedule(struct app *, int, char **, struct err *);
enum rc cmd_register_list(struct app *, int, char **, struct err *);
enum rc cmd_register_verify(struct app *, int, char **, struct err *);
enum rc cmd_register_prove(struct app *, int, char **, struct err *);
enum rc cmd_refile(struct app *, int, char **, struct err *);
enum rc cmd_restored(struct app *, int, char **, struct err *);
enum rc cmd_check(struct app *, int, char **, struct err *);
enum rc cmd_key_import(struct app *, int, char **, struct err *);
enum rc cmd_key_renew(struct app *, int, char **, struct err *);
enum rc cmd_key_export(struct app *, int, char **, struct err *);
enum rc cmd_key_list(struct app *, int, char **, struct err *);
enum rc cmd_issuer_init(struct app *, int, char **, struct err *);
enum rc cmd_issuer_add(struct app *, int, char **, struct err *);
enum rc cmd_issuer_audit(struct app *, int, char **, struct err *);
enum rc cmd_issuer_sheets(struct app *, int, char **, struct err *);
enum rc cmd_issuer_destroy(struct app *, int, char **, struct err *);
enum rc cmd_issuer_witness(struct app *, int, char **, struct err *);
enum rc cmd_issuer_batch(struct app *, int, char **, struct err *);
enum rc cmd_issuer_newcomer(struct app *, int, char **, struct err *);
enum rc cmd_issuer_reissue(struct app *, int, char **, struct err *);
enum rc cmd_issuer_enrol(struct app *, int, char **, struct err *);
enum rc cmd_issuer_renew(struct app *, int, char **, struct err *);
enum rc cmd_issuer_list(struct app *, int, char **, struct err *);
enum rc cmd_issuer_grant(struct app *, int, char **, struct err *);
enum rc cmd_issuer_accept(struct app *, int, char **, struct err *);
enum rc cmd_issuer_leave(struct app *, int, char **, struct err *);

#endif
