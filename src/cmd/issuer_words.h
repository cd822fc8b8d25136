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
	OPT_PASS,
	OPT_OUT,
	OPT_POLICY,
	OPT_DIRECTORY
};

/* What any of them may be told; borrowed from the command line. */
struct issuer_words {
	struct desk_plan plan;
	const char	*pass_file;
	const char	*out;
	const char	*policy;
	const char	*directory;
	struct secret	 pass;		/* issuer_words_wipe() */
};

/*
 * issuer_words_read(app, argc, argv, longs, n, w, e):
 * The options of ${longs}, values of the enum above, and ${n} words, the first
 * of which is the desk's folder.  Wipe ${w} whatever comes of it.  RC_CONF: a
 * wrong option, or a file of a passphrase that cannot be used.
 */
enum rc issuer_words_read(struct app *app, int argc, char **argv,
    const struct option *longs, int n, struct issuer_words *w,
    struct err *e);
void issuer_words_wipe(struct issuer_words *w);

/* issuer_words_open(w, d, e): desk_open() with what was told. */
enum rc issuer_words_open(const struct issuer_words *w, struct desk **d,
    struct err *e);

#endif
