/*
 * What a fetch or relay process in a stranger's hands may say to the keeper:
 * the same frames whole or octet by octet, each understood or refused; the
 * store is never the worse for it.
 */
/* links: flow wire store vault document conf mail base */
#include "config.h"

#include "fuzz.h"
#include "flow/keeper.h"

#define INPUTS_PER_STORE 5000	/* what they left behind slows it down */

/* Frames cut into ${step} octets; how many, and a sum over them. */
static size_t
walk(const uint8_t *p, size_t len, size_t step, enum rc *rc)
{
	struct chan c = CHAN_INIT;
	struct err e = ERR_INIT;
	struct frame f;
	size_t sum = 0;

	*rc = RC_OK;
	for (size_t at = 0; at < len && *rc == RC_OK; at += step) {
		BUG_ON(!buf_add(&c.in, p + at,
		    len - at < step ? len - at : step));
		while (chan_next(&c, &f, rc, &e)) {
			BUG_ON(f.body.len > CHAN_MAX_BYTES);
			sum = sum * 31 + f.type + f.job + f.body.len;
			for (size_t i = 0; i < f.body.len; i++)
				sum = sum * 31 + f.body.p[i];
		}
	}
	chan_close(&c);
	return sum;
}

static void
keeper_open(struct keeper *k, const struct pass *p)
{
	struct err e = ERR_INIT;

	memset(k, 0, sizeof(*k));
	k->p = p;
	fuzz_path("");
	BUG_ON(store_open(fuzz_dir_path, STORE_WRITE, &k->st, &e) != RC_OK ||
	    accounts_new(k, &e) != RC_OK || relays_new(k, &e) != RC_OK);
}

static void
keeper_close(struct keeper *k)
{
	accounts_free(k);
	relays_free(k);
	store_close(&k->st);
	fuzz_dir_remove();
	fuzz_dir_path[0] = '\0';
}

/* One session: frames until one is refused, then its end. */
static void
session(struct keeper *k, bool relay, const uint8_t *p, size_t len)
{
	struct account *a = &k->accounts[0];
	struct line *l = relay ? relays_line(k, 0) : &a->line;
	struct err e = ERR_INIT;
	struct frame f;
	enum rc rc = RC_OK;

	BUG_ON(!buf_add(&l->c.in, p, len));
	l->open = l->asked = true;
	l->done = l->bad = false;
	l->rc = RC_OK;
	a->state = AC_ASKED;
	while (rc == RC_OK && chan_next(&l->c, &f, &rc, &e)) {
		if (line_done_frame(l, &f))
			continue;
		rc = relay ? relay_frame(k, 0, &f, &e) :
		    account_frame(k, a, &f, &e);
		if (rc == RC_OK && a->state == AC_FETCHED)
			rc = accounts_release(k, &e);
	}
	BUG_ON(rc != RC_OK && e.text[0] == '\0');
	chan_close(&l->c);
	e = (struct err)ERR_INIT;
	rc = relay ? relay_gone(k, 0, &e) : account_gone(k, a, &e);
	BUG_ON(rc != RC_OK);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	static char name[] = "a";
	static struct conf_account account = { .name = name, .batch = 100,
	    .protocol = CONF_POP3, .every_s = 300 };
	static struct conf_relay relay = { .name = name };
	static struct conf conf = { .accounts = &account, .naccounts = 1,
	    .relays = &relay, .nrelays = 1, .parallel = 1 };
	static const struct pass pass = { .conf = &conf };
	static struct keeper k;
	static unsigned inputs;
	struct fuzz f = { p, len };
	enum rc one, all;
	uint8_t how = fuzz_8(&f);

	if (inputs++ % INPUTS_PER_STORE == 0) {
		fuzz_start();
		if (k.st != NULL)
			keeper_close(&k);
		keeper_open(&k, &pass);
	}
	BUG_ON(walk(f.p, f.left, f.left + 1, &all) !=
	    walk(f.p, f.left, 1, &one) || all != one);
	session(&k, how & 1, f.p, f.left);
	return 0;
}
