/* sceau key import, key renew: the member's side of the key files. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/lang.h"
#include "cmd/key.h"
#include "store/store_alarm.h"
#include "store/store_in.h"

#define OPT_CODE_FILE 1000
#define OPT_DIGITS 1001
#define OPT_PASS_FILE 1002
#define TRIES 3

static const struct option longs[] = {
	{ "code-file", required_argument, NULL, OPT_CODE_FILE },
	{ "digits", required_argument, NULL, OPT_DIGITS },
	{ "pass-file", required_argument, NULL, OPT_PASS_FILE },
	{ NULL, 0, NULL, 0 }
};

struct keystore_at
key_at(const struct app *app)
{
	return (struct keystore_at){ app->conf.keystore,
	    app->conf.keystore_key, NULL };
}

enum rc
key_load(const struct app *app, struct keystore **ks, struct err *e)
{
	const struct keystore_at at = key_at(app);

	if (access(at.store, F_OK) != 0)
		return keystore_new(clock_used(), ks, e);
	return keystore_load(&at, ks, e);
}

static enum rc
wake(const struct app *app, size_t *n, struct err *e)
{
	struct store *st = NULL;
	enum rc rc = store_open(app->conf.state, STORE_MEND, &st, e);

	*n = 0;
	if (rc == RC_OK)
		rc = store_held_retry(st, 0, EC_NOKEY, n, e);
	if (rc == RC_OK)
		rc = store_keys_put(st, clock_now(), NULL, 0, e);
	store_close(&st);
	return rc;
}

/*
 * Before the key is there and again behind it: one that is killed between the
 * two has the key, and nobody would ask for the mail again.
 */
enum rc
key_keep(struct key_take *t, struct err *e)
{
	const struct keystore_at at = key_at(t->app);
	size_t before = 0;
	enum rc rc;

	if (t->app->dry_run)
		return RC_OK;
	if ((rc = wake(t->app, &before, e)) == RC_OK &&
	    (rc = keystore_save(t->ks, &at, e)) == RC_OK &&
	    (rc = wake(t->app, &t->pending, e)) == RC_OK)
		t->pending += before;
	return rc;
}

/* ---- one file ------------------------------------------------------- */

enum rc
key_load_locked(struct key_take *t, struct err *e)
{
	const struct keystore_at at = key_at(t->app);
	enum rc rc = RC_OK;

	if (t->app->dry_run)
		return RC_OK;
	if ((rc = file_mkdirs(t->app->conf.state, 0700, e)) == RC_OK &&
	    (rc = keystore_lock(&at, &t->lock, e)) == RC_OK) {
		keystore_free(&t->ks);
		rc = key_load(t->app, &t->ks, e);
	}
	return rc;
}

static void
unlock(struct key_take *t)
{
	if (t->lock >= 0)
		close(t->lock);
	t->lock = -1;
}

/* One try; after a failure the store is loaded anew, for it may be half
 * changed. */
static enum rc
try_code(struct key_take *t, struct err *e)
{
	uint8_t *code = secret_alloc(KDF_CODE_BYTES);
	enum rc rc = code != NULL ? key_code(t, code, e) : err_nomem(e);

	if (rc == RC_OK && (rc = key_load_locked(t, e)) == RC_OK &&
	    (rc = keyfile_import(t->ks, t->path, code, &t->res, e)) != RC_OK)
		rc = key_explain(t, e);
	FAULT("key.opened");
	secret_free(&code);
	if (rc == RC_OK)
		return RC_OK;
	unlock(t);
	keystore_free(&t->ks);
	return rc;
}

/* At a terminal a code may be typed again; with one that does not open the
 * file the letter's fingerprint says whether that is of any use. */
static enum rc
open_it(struct key_take *t, struct err *e)
{
	bool again = t->code_file == NULL && t->ask.terminal;
	struct err why = ERR_INIT;
	enum rc rc = RC_OK;

	for (int i = 0; i < TRIES; i++) {
		if ((rc = try_code(t, e)) != RC_INPUT || !again ||
		    (e->class != EC_NONE && e->class != EC_HEADER))
			return rc;
		why = *e;
		if (i == TRIES - 1)
			break;
		fprintf(stderr, "%s\n", e->text);
		if ((e->class == EC_HEADER &&
		    (rc = key_ask_digits(t, e)) != RC_OK) ||
		    (rc = key_load(t->app, &t->ks, e)) != RC_OK)
			return rc;
	}
	*e = why;
	return rc;
}

static enum rc
take_in(struct key_take *t, struct err *e)
{
	enum rc rc;

	if ((rc = key_fits(t, e)) != RC_OK)
		return rc;
	if (t->head.exported)
		return key_take_export(t, e);
	if (t->code_file == NULL)
		key_say_head(t);
	if ((rc = key_ask_owner(t, e)) == RC_OK &&
	    (rc = open_it(t, e)) == RC_OK)
		rc = key_keep(t, e);
	return rc == RC_OK ? key_say(t, e) : rc;
}

/* The file of the year after the last that is held, wherever it lies. */
static enum rc
find_next(struct key_take *t, char **found, struct err *e)
{
	uint16_t low = 0, high = 0;
	enum rc rc;

	if (t->ks->nselves == 0)
		return err_set(e, RC_CONF, _("no key is held, so none can be "
		    "renewed: sceau key import FILE"));
	(void)keystore_years(t->ks, &t->ks->selves[0].id, &low, &high);
	if ((rc = key_find(t->ks, (uint16_t)(high + 1), found, e)) != RC_OK)
		return rc;
	t->path = *found;
	if (!t->app->json)
		printf(_("Found: %s\n"), t->path);
	fflush(stdout);
	return RC_OK;
}

static enum rc
take(struct key_take *t, struct err *e)
{
	char *found = NULL;
	enum rc rc = key_load(t->app, &t->ks, e);

	if (rc == RC_OK && t->path == NULL)
		rc = find_next(t, &found, e);
	if (rc == RC_OK)
		rc = keyfile_peek(t->path, &t->head, e);
	if (rc == RC_OK)
		rc = take_in(t, e);
	unlock(t);
	keystore_free(&t->ks);
	free(found);
	return rc;
}

static enum rc
words(struct key_take *t, int argc, char **argv, struct err *e)
{
	enum rc rc;
	int opt;

	while ((rc = app_getopt(t->app, argc, argv, "", longs, &opt, e)) ==
	    RC_OK && opt != -1) {
		if (opt == OPT_CODE_FILE)
			t->code_file = optarg;
		else if (opt == OPT_PASS_FILE)
			t->pass_file = optarg;
		else if ((rc = key_digits(optarg, t->digits, e)) != RC_OK)
			return rc;
	}
	if (rc == RC_OK && argc - optind != 1 &&
	    !(t->renew && argc == optind))
		return app_usage(t->app, e);
	t->path = argv[optind];
	t->ask = ask_begin(false);
	return rc;
}

enum rc
cmd_key_import(struct app *app, int argc, char **argv, struct err *e)
{
	struct key_take t = { .app = app, .lock = -1 };
	enum rc rc = words(&t, argc, argv, e);

	return rc == RC_OK ? take(&t, e) : rc;
}

enum rc
cmd_key_renew(struct app *app, int argc, char **argv, struct err *e)
{
	struct key_take t = { .app = app, .renew = true, .lock = -1 };
	enum rc rc = words(&t, argc, argv, e);

	return rc == RC_OK ? take(&t, e) : rc;
}
