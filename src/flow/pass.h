/* A pass: what is to be done, by which processes. */
#ifndef SC_FLOW_PASS_H
#define SC_FLOW_PASS_H

#include <stdbool.h>

#include "base/chan.h"
#include "base/clock.h"
#include "base/secret.h"
#include "conf/conf.h"

#define OUTBOXES_MAX 16

enum pass_kind {
	PASS_POLL,	/* fetch, open, deliver, acknowledge, relay */
	PASS_SUBMIT,	/* seal one mail from the composer and queue it */
	PASS_TAKE	/* sceau open --mda: one mail from standard input */
};

/* Who may be started; also which main runs in the child. */
enum part {
	PART_KEEPER,
	PART_FETCH,	/* index: account */
	PART_RELAY,	/* index: relay and session, see RELAY_OF() */
	PART_VAULT,
	PART_CLERK,	/* comes with the vault */
	PART_N
};

/* RELAY_OF(conf, index): whose session it is; the first ones of all relays
 * come before the second ones. */
#define RELAY_OF(conf, index) ((index) % (conf)->nrelays)

/* What every process of a pass is told; all borrowed. */
struct pass {
	const struct conf	*conf;
	const struct conf_account *input;	/* PASS_TAKE: asked instead of
						 * the accounts of conf */
	enum pass_kind		 kind;
	bool			 stay;		/* `run` */
	bool			 dry_run;
	bool			 store_only;	/* PASS_TAKE while a poll is at
					 * work: it will open it */
	bool			 lent;		/* --store: its file is never
						 * written to */
	const struct secret	*passphrase;	/* of the key store, or NULL */
};

/* pass_naccounts(), pass_account(): whose mail this pass asks for. */
static inline size_t
pass_naccounts(const struct pass *p)
{
	return p->input != NULL ? 1 : p->conf->naccounts;
}

static inline const struct conf_account *
pass_account(const struct pass *p, size_t i)
{
	return p->input != NULL ? p->input : &p->conf->accounts[i];
}

/* pass_ahead(): the only account of `poll` is fetched before anybody asks: the
 * starter begins with it, and the keeper counts on that. */
static inline bool
pass_ahead(const struct pass *p)
{
	const struct conf *c = p->conf;

	return p->kind == PASS_POLL && !p->stay && c->naccounts == 1 &&
	    (c->route != NULL || !c->hub);
}

/* The ends that a child was given; -1 where it has none. */
struct pass_ends {
	struct chan	keeper;
	struct chan	clerk;		/* vault: opened mail goes out here */
	struct chan	vault;		/* clerk: and comes in here */
	struct chan	rows;		/* vault: its rows, of the keeper */
	struct chan	composer;	/* vault: mail to be sealed; of the
					 * outboxes: the clerk's end of it */
	struct chan	starter;	/* keeper, clerk */
};

/* pass_until_ms(): the clock_ms() at which a session with that server, begun
 * now, has taken too long; 0 in `run`, where nobody waits for its end. */
static inline int64_t
pass_until_ms(const struct pass *p, const struct conf_server *server)
{
	return p->stay ? 0 : clock_ms() + (int64_t)server->session_s * 1000;
}

/* The mains: run in the child after fork, return what to exit with. */
enum rc keeper_main(const struct pass *p, struct pass_ends *x, struct err *e);
enum rc fetch_main(const struct pass *p, unsigned account,
    struct pass_ends *x, struct err *e);
enum rc relay_main(const struct pass *p, unsigned relay,
    struct pass_ends *x, struct err *e);
enum rc vault_main(const struct pass *p, struct pass_ends *x, struct err *e);
enum rc clerk_main(const struct pass *p, struct pass_ends *x, struct err *e);

/* vault_enter(p, g, e): load the keys, then drop the rights of whoever holds
 * them; ${*g} is owned, after a failure of the latter too.  Results as
 * gate_new(). */
struct gate;
enum rc vault_enter(const struct pass *p, struct gate **g, struct err *e);

/* part_main(p, part, index, x, e): the main of that part. */
enum rc part_main(const struct pass *p, enum part part, unsigned index,
    struct pass_ends *x, struct err *e);

/*
 * part_load(p, part, index, e):
 * What all of that kind will load, loaded before the first of them is forked:
 * fifty accounts need it once, and so does one whose turn comes again and
 * again.  One that is alone loads it itself, while its server gets ready.
 * What is missing they will say.  RC_OK; RC_NOMEM: this process is of no use
 * any more.
 */
enum rc part_load(const struct pass *p, enum part part, unsigned index,
    struct err *e);

#endif
