/* What the issuer's commands are told: options that several of them share. */
#ifndef SC_CMD_ISSUER_WORDS_H
#define SC_CMD_ISSUER_WORDS_H

#include "cmd/cmd.h"
#include "issuer/desk.h"

enum {
	OPT_ASSOC = 1000,
	OPT_YEAR,
	OPT_DOMAIN,
	OPT_ISSUER,
	OPT_WATCH,
	OPT_HUB,
	OPT_CALL,
	OPT_SHEETS,
	OPT_CUSTODIAN,
	OPT_EARLY,
	OPT_LOST,
	OPT_REALLY,
	OPT_MAIL,
	OPT_OUT,
	OPT_POLICY,
	OPT_DIRECTORY,
	OPT_SINCE,
	OPT_RING,
	OPT_CODE_FILE
};

/* Of two years at once, when one follows the other. */
#define ISSUER_CUSTODIANS_MAX 4

/* What any of them may be told; borrowed from the command line. */
struct issuer_words {
	struct desk_plan plan;
	const char	*word;		/* behind the folder; NULL: none */
	const char	*out;
	const char	*policy;
	const char	*directory;
	const char	*mail;
	const char	*ring;
	const char	*code_file;
	bool		 early;
	bool		 lost;
	bool		 really;
	bool		 since;
	int64_t		 since_at;
	size_t		 ncustodians;
	const char	*custodians[ISSUER_CUSTODIANS_MAX];	/* files */
};

/*
 * issuer_words_read(app, argc, argv, longs, n, w, e):
 * The options of ${longs}, values of the enum above, and ${n} words, the first
 * of which is the desk's folder.  RC_CONF: a wrong option.
 */
enum rc issuer_words_read(struct app *app, int argc, char **argv,
    const struct option *longs, int n, struct issuer_words *w,
    struct err *e);

/* A command at a desk that is there: its options, how many words, the folder
 * among them, and what it does once the desk is open. */
struct issuer_command {
	const struct option *longs;
	int		 nwords;
	int		 must;		/* OPT_OUT or OPT_YEAR be told; 0 */
	enum rc		(*act)(struct app *app, struct desk *d,
			    const struct issuer_words *w, struct err *e);
};

/* issuer_command_run(app, argc, argv, c, e): the whole of it.  RC_CONF: wrong
 * words, or as desk_open(); what the act returned. */
enum rc issuer_command_run(struct app *app, int argc, char **argv,
    const struct issuer_command *c, struct err *e);

/*
 * issuer_words_root(w, d, year, e):
 * Put the root of the year together, as desk_join() does, from the custodians'
 * files that were told; custodians of whom there is no file are asked for
 * their codes.  Nothing when it is in memory already.
 */
enum rc issuer_words_root(const struct issuer_words *w, struct desk *d,
    uint16_t year, struct err *e);

/* issuer_say_sheets(p): what is to be done with the custodians' sheets of a
 * root that was just made, on standard output. */
void issuer_say_sheets(const struct desk_plan *p);

#endif
