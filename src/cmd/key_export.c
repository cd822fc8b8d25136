/* sceau key export, and what key import does with such a file: the keys of a
 * member on their way to another computer. */
#include "config.h"

#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/lang.h"
#include "cmd/key.h"
#include "cmd/out.h"
#include "conf/cred.h"

#define PASS_MIN 12		/* octets; Argon2id does the rest */
#define TRIES 3

/* ---- out ------------------------------------------------------------ */

static enum rc
new_pass(const struct ask *a, const char *file, struct secret *pass,
    struct err *e)
{
	struct secret again = SECRET_INIT;
	enum rc rc;

	if (file != NULL)
		rc = cred_file(file, pass, e);
	else if ((rc = ask_secret(a, _("A new passphrase, of several words:"),
	    pass, e)) == RC_OK &&
	    (rc = ask_secret(a, _("The same once more:"), &again, e)) ==
	    RC_OK && (again.len != pass->len ||
	    !same(again.p, pass->p, pass->len)))
		rc = err_set(e, RC_CONF, _("the two passphrases differ. "
		    "Nothing was written"));
	secret_wipe(&again);
	if (rc == RC_OK && pass->len < PASS_MIN)
		rc = err_set(e, RC_CONF, _("this passphrase is too short: at "
		    "least %d letters, several words are best. Nothing was "
		    "written"), PASS_MIN);
	return rc;
}

static void
say_exported(const struct app *app, const struct keystore *ks,
    const char *path)
{
	printf(app->dry_run ? _("%s would hold the keys of %s:") :
	    _("%s holds the keys of %s:"), path, ks->selves[0].id.s);
	for (size_t i = 0; i < ks->nselves; i++)
		printf(" %u", ks->selves[i].year);
	printf(_("; %zu of correspondents, the directory.\n"),
	    ring_total(ks->ring));
	printf("%s", _("Whoever has it and the passphrase can read all mail of "
	    "those years, and write as you: do not back it up, and delete it "
	    "as soon as the other computer has taken it in (sceau key import "
	    "FILE).\n"));
	printf("%s", _("Not in it: messages, registers, the configuration. "
	    "They lie in the state folder and in sceau.conf, which are backed "
	    "up without the keys.\n"));
}

enum rc
cmd_key_export(struct app *app, int argc, char **argv, struct err *e)
{
	static const struct option longs[] = {
		{ "pass-file", required_argument, NULL, 'p' },
		{ NULL, 0, NULL, 0 }
	};
	const struct keystore_at at = key_at(app);
	struct secret pass = SECRET_INIT;
	struct keystore *ks = NULL;
	const char *pass_file = NULL;
	struct ask ask;
	enum rc rc;
	int opt;

	while ((rc = app_getopt(app, argc, argv, "", longs, &opt, e)) ==
	    RC_OK && opt != -1)
		pass_file = optarg;
	if (rc == RC_OK && argc - optind != 1)
		rc = app_usage(app, e);
	if (rc != RC_OK || (rc = keystore_load(&at, &ks, e)) != RC_OK)
		return rc;
	ask = ask_begin(false);
	if (access(argv[optind], F_OK) == 0)
		rc = err_set(e, RC_CONF, _("%s is there already, and is not "
		    "overwritten: choose another name"), argv[optind]);
	if (rc == RC_OK)
		rc = new_pass(&ask, pass_file, &pass, e);
	if (rc == RC_OK && !app->dry_run)
		rc = keystore_export(ks, &pass, argv[optind], e);
	if (rc == RC_OK)
		say_exported(app, ks, argv[optind]);
	secret_wipe(&pass);
	keystore_free(&ks);
	return rc;
}

/* ---- in ------------------------------------------------------------- */

static enum rc
explain(const struct key_take *t, struct err *e)
{
	if (e->class == EC_HEADER)
		return err_class(e, EC_HEADER, _("the passphrase does not open "
		    "%s. Nothing was changed. Type it again, capitals and "
		    "blanks as they were. Nobody can open it without: then "
		    "the association has to make a new key file"), t->path);
	return e->class == EC_NONE ? e->rc :
	    err_ctx(e, "%s", _("nothing was changed"));
}

/* Argon2id takes a second and 256 MiB; the store is not locked meanwhile. */
static enum rc
open_export(struct key_take *t, struct keystore **from, struct err *e)
{
	bool again = t->pass_file == NULL && t->ask.terminal;
	enum rc rc = RC_OK;

	for (int i = 0; i < TRIES; i++) {
		struct secret pass = SECRET_INIT;
		const struct keystore_at at = { t->path, NULL, &pass };

		rc = t->pass_file != NULL ? cred_file(t->pass_file, &pass, e) :
		    ask_secret(&t->ask, _("Passphrase of the export:"), &pass,
		    e);
		if (rc == RC_OK && (rc = keystore_load(&at, from, e)) != RC_OK)
			rc = explain(t, e);
		secret_wipe(&pass);
		if (rc != RC_INPUT || e->class != EC_HEADER || !again)
			break;
		if (i < TRIES - 1)
			fprintf(stderr, "%s\n", e->text);
	}
	return rc;
}

/* Into an empty store: all of it, but mail from before may have been shown on
 * the other computer (ATTACKS D4). */
static enum rc
adopt(struct key_take *t, struct keystore **from, struct err *e)
{
	enum rc rc;

	if ((rc = key_load_locked(t, e)) != RC_OK)
		return rc;
	t->res.first = t->ks->nselves == 0;
	if (!t->res.first) {
		rc = keystore_merge(t->ks, *from, e);
		return rc == RC_OK ? rc : explain(t, e);
	}
	(*from)->since_at = clock_used();
	keystore_free(&t->ks);
	t->ks = *from;
	*from = NULL;
	return RC_OK;
}

static void
say_taken(const struct key_take *t)
{
	char read[CLOCK_SAY_BYTES];

	for (size_t i = 0; i < t->ks->nselves; i++) {
		const struct keystore_self *s = &t->ks->selves[i];

		clock_say(s->read_until_at, read);
		printf(_("Key of %s for %u: is held, to read until %s.\n"),
		    s->id.s, s->year, read);
	}
	printf(_("Correspondents: %zu keys; directory: %zu.\n"),
	    ring_total(t->ks->ring), ring_entries(t->ks->ring));
	if (t->res.first)
		printf("%s", _("Mail sealed before now may have been shown on "
		    "the other computer: it is marked as a possible "
		    "duplicate.\n"));
	if (t->pending > 0)
		printf(P_("%zu message waited for this key; the next poll "
		    "opens it.\n", "%zu messages waited for this key; the next "
		    "poll opens them.\n", t->pending), t->pending);
	printf("%s", t->app->dry_run ? _("Nothing was changed (--dry-run).\n") :
	    _("Now delete that file, stop sceau on the other computer (one "
	    "mailbox, one gateway), and look whether all is well: sceau "
	    "check\n"));
}

static enum rc
say_programs(const struct key_take *t, struct err *e)
{
	static const struct out_col cols[] = {
		{ "file", NULL, OUT_TEXT },
		{ "identity", NULL, OUT_TEXT }, { "year", NULL, OUT_NUMBER },
		{ "send_until_at", NULL, OUT_TIME },
		{ "read_until_at", NULL, OUT_TIME },
		{ "pending", NULL, OUT_NUMBER }, { NULL, NULL, OUT_TEXT }
	};
	struct out *o = out_new(true, "key_imported", cols);

	if (o == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < t->ks->nselves; i++) {
		const struct keystore_self *s = &t->ks->selves[i];

		out_text(o, "file", t->path);
		out_text(o, "identity", s->id.s);
		out_number(o, "year", s->year);
		out_time(o, "send_until_at", s->send_until_at);
		out_time(o, "read_until_at", s->read_until_at);
		out_number(o, "pending", (int64_t)t->pending);
		out_row(o);
	}
	return out_end(&o, NULL, e);
}

enum rc
key_take_export(struct key_take *t, struct err *e)
{
	struct keystore *from = NULL;
	enum rc rc;

	if ((rc = open_export(t, &from, e)) == RC_OK)
		rc = adopt(t, &from, e);
	keystore_free(&from);
	if (rc == RC_OK)
		rc = key_keep(t, e);
	if (rc == RC_OK && t->app->json)
		return say_programs(t, e);
	if (rc == RC_OK)
		say_taken(t);
	return rc;
}
