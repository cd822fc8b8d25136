/* What `sceau setup` is told and finds out, and its steps. */
#ifndef SC_CMD_SETUP_H
#define SC_CMD_SETUP_H

#include <limits.h>

#include "base/buf.h"
#include "cmd/ask.h"
#include "cmd/cmd.h"
#include "conf/place.h"

enum setup_proof { PROOF_FILE, PROOF_COMMAND, PROOF_TOKEN };

/* What the configuration will say. */
struct setup_plan {
	char			 address[ASK_BYTES];	/* our mailbox */
	bool			 lab;
	enum place_kind		 kind;		/* of ${fetch} */
	struct place		 fetch, relay;
	char			 user[ASK_BYTES];
	enum setup_proof	 proof;
	char			 secret[PATH_MAX];	/* file or command */
	char			 folder[ASK_BYTES];	/* opened results */
	char			 outbox[ASK_BYTES];	/* or "": none */
	char			 ca_file[PATH_MAX];	/* or "" */
};

/*
 * setup_text(p, out):
 * Append the whole configuration, commented in the language of lang_set(), as
 * conf_read() takes it.  False: memory.
 */
bool setup_text(const struct setup_plan *p, struct buf *out);

/* Where servers were found, and what is known of them. */
enum setup_source { FROM_NOWHERE, FROM_TABLE, FROM_DNS };

struct setup_found {
	enum setup_source	 source;
	enum place_kind		 kind;
	struct place		 fetch, relay;	/* host "": not found */
	bool			 foreign;	/* DNS: a host outside of it */
	bool			 name_only, app, token;
};

/*
 * setup_find(table, domain, out, e):
 * The servers of a domain: by the table of providers (the file ${table}) for
 * its name or that of its mail exchangers, else as the domain itself says.
 *
 * RC_OK, also when nothing is found; RC_TEMP: the network says nothing.
 * Source: RFC 6186, RFC 8314 5.1.
 */
enum rc setup_find(const char *table, const char *domain,
    struct setup_found *out, struct err *e);

/* Where passwords may be kept; the words are those of --keep. */
struct setup_keep {
	const char	*word, *say;
	const char	*tool;		/* that must be there; or NULL */
	const char	*put, *get;	/* commands, for a user %s */
};
extern const struct setup_keep setup_keeps[];	/* the file first; a NULL */

/* setup_keep_here(k): this machine has what ${k} needs. */
bool setup_keep_here(const struct setup_keep *k);

/* setup_keep_put(k, user, get, e): have ${k}'s own tool ask for the password
 * and keep it; ${get}, of PATH_MAX, is then the password_command. */
enum rc setup_keep_put(const struct setup_keep *k, const char *user,
    char *get, struct err *e);

/*
 * setup_aside(path, e):
 * Keep what is at ${path}, if anything, under a dated name as well; says so.
 */
enum rc setup_aside(const char *path, struct err *e);

/* Its options, as getopt_long() returns them. */
enum { OPT_ROLE = 1000, OPT_IMAP, OPT_POP3, OPT_SMTP, OPT_USER, OPT_KEEP,
    OPT_PASSWORD, OPT_TOKEN, OPT_FOLDER, OPT_OUTBOX, OPT_CA, OPT_TABLE,
    OPT_NO_TEST, OPT_YES, OPT_FORCE, OPT_PRINT, OPT_END };

struct setup {
	struct app		*app;
	struct ask		 ask;
	const char		*given[OPT_END - OPT_ROLE];	/* or NULL */
	struct setup_plan	 plan;
	struct setup_found	 found;
	const struct setup_keep	*keep;		/* NULL: a command is given */
	struct secret		 password;	/* for the file */
	char			 conf[PATH_MAX];	/* what is written */
	char			 file[PATH_MAX];	/* of the password */
	struct buf		 text;
};

/* setup_given(s, opt): what that option said, "" for one that says nothing;
 * NULL: it was not given. */
static inline const char *
setup_given(const struct setup *s, int opt)
{
	return s->given[opt - OPT_ROLE];
}

/* setup_absolute(path, out, e): ${path}, in the folder we are in unless it is
 * absolute. */
enum rc setup_absolute(const char *path, char out[PATH_MAX], struct err *e);

/*
 * setup_ask(s, address, e):
 * Every question that no option answers, in turn; fills s->plan, and
 * s->password when it is to be kept in our own file.  RC_CONF: no answer.
 * setup_ask_login(): name and password alone, once more.
 */
enum rc setup_ask(struct setup *s, const char *address, struct err *e);
enum rc setup_ask_login(struct setup *s, struct err *e);

#endif
