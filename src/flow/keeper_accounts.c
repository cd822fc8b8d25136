/* The keeper's accounts: whose turn it is, and which may come later. */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/lang.h"
#include "base/log.h"
#include "flow/keeper.h"

#define PUT_BYTES (16U << 20)	/* whole, before a commit, of all */
#define PUT_SHARES 4	/* and of one, when there are no more than so many */
#define CROWD_BYTES (8U << 20)	/* on their way in, of all */
#define CROWD_PART_BYTES (64U << 10)
#define SESSIONS_MAX 128	/* each is a process; see KIDS_MAX */

enum rc
accounts_new(struct keeper *k, struct err *e)
{
	size_t n = pass_naccounts(k->p);

	if (n == 0)
		return RC_OK;
	if ((k->accounts = calloc(n, sizeof(*k->accounts))) == NULL)
		return err_set(e, RC_NOMEM, _("no memory left"));
	for (size_t i = 0; i < n; i++) {
		k->accounts[i].conf = pass_account(k->p, i);
		k->accounts[i].index = (unsigned)i;
		k->accounts[i].line.c.fd = -1;
		k->accounts[i].line.c.got_fd = -1;
	}
	if (pass_ahead(k->p))
		k->accounts[0].state = AC_ASKED;
	return RC_OK;
}

void
accounts_free(struct keeper *k)
{
	for (size_t i = 0; k->accounts != NULL &&
	    i < pass_naccounts(k->p); i++) {
		struct account *a = &k->accounts[i];

		account_forget(a);
		gather_drop(k, &a->mail);
		free(a->raw);
		store_list_free(&a->list);
		chan_close(&a->line.c);
	}
	free(k->accounts);
	k->accounts = NULL;
}

/* ---- turns ---------------------------------------------------------- */

/* Those that wait for news are in nobody's way, or the others would never have
 * their turn. */
static bool
is_running(const struct account *a)
{
	return a->state != AC_OFF && a->state != AC_WAITING &&
	    a->state != AC_DONE;
}

static size_t
accounts_running(const struct keeper *k)
{
	size_t n = 0;

	for (size_t i = 0; i < pass_naccounts(k->p); i++)
		n += is_running(&k->accounts[i]);
	return n;
}

/* ---- servers that admit few at once --------------------------------- */

static bool
same_server(const struct account *a, const struct account *b)
{
	const struct conf_server *x = &a->conf->server, *y = &b->conf->server;

	return x->host != NULL && y->host != NULL && x->port == y->port &&
	    strcasecmp(x->host, y->host) == 0;
}

static bool
others_there(const struct keeper *k, const struct account *a)
{
	for (size_t i = 0; i < pass_naccounts(k->p); i++)
		if (&k->accounts[i] != a && is_running(&k->accounts[i]) &&
		    same_server(&k->accounts[i], a))
			return true;
	return false;
}

static bool
let_in_there(const struct keeper *k, const struct account *a)
{
	for (size_t i = 0; i < pass_naccounts(k->p); i++)
		if (k->accounts[i].let_in && same_server(&k->accounts[i], a))
			return true;
	return false;
}

/* Who was not let in while others of ours were there comes once more, when
 * they have left. */
bool
account_turned_away(const struct keeper *k, struct account *a)
{
	const struct line *l = &a->line;

	a->turned_away = !a->turned_away && a->state == AC_ASKED &&
	    l->rc == RC_TEMP && l->why != WHY_LOGIN && l->why != WHY_LOCAL &&
	    !k->stop && others_there(k, a);
	if (a->turned_away)
		LOG(LOG_L_INFO, "in.later", LK_S("account", a->conf->name),
		    LK_S("why", l->err.text));
	return a->turned_away;
}

/* Where nobody was let in, it was not because of the others. */
static enum rc
start_one(struct keeper *k, struct account *a, struct err *e)
{
	if (a->turned_away && others_there(k, a))
		return RC_OK;
	if (a->turned_away && !let_in_there(k, a))
		return account_over(k, a, e);
	a->state = AC_ASKED;
	a->refused = a->refused_said = 0;
	return keeper_start(k, PART_FETCH, a->index, e);
}

/* ---- the start ------------------------------------------------------ */

bool
accounts_may_wait(const struct keeper *k)
{
	size_t n = (size_t)k->p->conf->parallel;

	for (size_t i = 0; i < pass_naccounts(k->p); i++)
		n += k->accounts[i].state == AC_WAITING;
	return n < SESSIONS_MAX;
}

/* At most `parallel` at once; `run` starts one again when its time comes. */
enum rc
accounts_start(struct keeper *k, struct err *e)
{
	enum rc rc = RC_OK;

	if (k->p->kind == PASS_SUBMIT || k->stop)
		return RC_OK;
	for (size_t i = 0; rc == RC_OK && i < pass_naccounts(k->p); i++) {
		struct account *a = &k->accounts[i];

		if (a->state == AC_DONE && k->p->stay &&
		    clock_now() >= a->again_at) {
			a->state = AC_OFF;
			a->let_in = false;
			memset(&a->suspect, 0, sizeof(a->suspect));
		}
		if (a->until_ms == 0)
			a->until_ms = pass_until_ms(k->p, &a->conf->server);
		if (a->state != AC_OFF || accounts_running(k) >=
		    (size_t)k->p->conf->parallel)
			continue;
		rc = start_one(k, a, e);
	}
	return rc;
}

/* ---- memory --------------------------------------------------------- */

size_t
accounts_share(const struct keeper *k)
{
	size_t n = accounts_running(k);

	return PUT_BYTES / (n > PUT_SHARES ? n : PUT_SHARES);
}

bool
accounts_crowd(const struct keeper *k, const struct gather *g)
{
	size_t n = 0;

	if (g->buf.len < CROWD_PART_BYTES || k->accounts == NULL)
		return false;
	for (size_t i = 0; i < pass_naccounts(k->p); i++)
		n += k->accounts[i].mail.buf.cap;
	return n > CROWD_BYTES;
}

/* ---- the end -------------------------------------------------------- */

bool
accounts_waiting(const struct keeper *k)
{
	for (size_t i = 0; i < pass_naccounts(k->p); i++)
		if (k->accounts[i].state == AC_OFF)
			return true;
	return k->p->stay;
}

bool
accounts_done(const struct keeper *k)
{
	for (size_t i = 0; i < pass_naccounts(k->p); i++)
		if (k->accounts[i].state != AC_DONE &&
		    !(k->stop && k->accounts[i].state == AC_OFF))
			return false;
	return true;
}

int64_t
accounts_next_at(const struct keeper *k)
{
	int64_t at = CLOCK_FOREVER;

	for (size_t i = 0; i < pass_naccounts(k->p); i++)
		if (k->accounts[i].state == AC_DONE &&
		    k->accounts[i].again_at >= clock_now() &&
		    k->accounts[i].again_at < at)
			at = k->accounts[i].again_at;
	return at;
}
