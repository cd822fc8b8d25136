/* sceau key import, sceau key list: the member's side of the key files. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/lang.h"
#include "cmd/cmd.h"
#include "cmd/out.h"
#include "flow/alone.h"
#include "store/store_alarm.h"
#include "store/store_in.h"
#include "vault/code.h"
#include "vault/keyfile.h"

#define OPT_CODE_FILE 1000
#define CODE_FILE_MAX 4096

/* ---- the code ------------------------------------------------------- */

static enum rc
code_from_file(const char *path, uint8_t code[KDF_CODE_BYTES], struct err *e)
{
	struct buf b = BUF_INIT;
	enum rc rc = file_read(path, CODE_FILE_MAX, &b, e);
	size_t len = 0;

	while (rc == RC_OK && len < b.len && b.p[len] != '\n' &&
	    b.p[len] != '\r')
		len++;
	if (rc == RC_OK)
		rc = code_parse((const char *)b.p, len, code, e);
	buf_free(&b);
	return rc;
}

/* Three tries: a code of 25 symbols is easily mistyped. */
static enum rc
code_from_terminal(const struct keyfile_head *h, uint8_t code[KDF_CODE_BYTES],
    struct err *e)
{
	char line[256];
	enum rc rc = RC_OK;

	fprintf(stderr, _("Key file of %.*s for %u.\n"), (int)h->member.len,
	    h->member.s, h->year);
	for (int i = 0; i < 3; i++) {
		fprintf(stderr, "%s", _("Code on the letter: "));
		if (fgets(line, sizeof(line), stdin) == NULL)
			return err_set(e, RC_CONF, _("no code was given; "
			    "nothing was changed"));
		line[strcspn(line, "\r\n")] = '\0';
		rc = code_parse(line, strlen(line), code, e);
		wipe(line, sizeof(line));
		if (rc == RC_OK)
			return rc;
		fprintf(stderr, "%s\n", e->text);
	}
	return rc;
}

/* ---- import --------------------------------------------------------- */

static enum rc
load_or_new(const struct keystore_at *at, struct keystore **ks,
    struct err *e)
{
	if (access(at->store, F_OK) != 0)
		return keystore_new(clock_used(), ks, e);
	return keystore_load(at, ks, e);
}

/*
 * What waited for this key is opened by the next poll.  Before the key is
 * there and again behind it: one that is killed between the two has the key,
 * and nobody would ask for the mail again.
 */
static enum rc
wake_pending(struct app *app, size_t *n, struct err *e)
{
	struct store *st = NULL;
	enum rc rc = store_open(app->conf.state, STORE_WRITE, &st, e);

	*n = 0;
	if (rc == RC_OK)
		rc = store_held_retry(st, 0, EC_NOKEY, n, e);
	/* The alarm of the key that ends is looked at anew. */
	if (rc == RC_OK)
		rc = store_keys_put(st, clock_now(), NULL, 0, e);
	store_close(&st);
	return rc;
}

static void
say_result(const struct keyfile_result *r, size_t pending)
{
	char until[CLOCK_SAY_BYTES];

	printf(_("Key of %.*s for %u: %s.\n"), (int)r->self.len,
	    r->self.s, r->year, r->again ?
	    _("was held already") : _("is held now"));
	clock_say(r->send_until_at, until);
	printf(_("To write until %s,"), until);
	clock_say(r->read_until_at, until);
	printf(_(" to read until %s.\n"), until);
	printf(_("Correspondents: %zu new, %zu known; directory: %zu.\n"),
	    r->nkeys, r->nheld, r->nentries);
	if (r->nconflicts > 0)
		printf(_("%zu keys differ from those held (the first: %.*s); "
		    "the held ones were kept. Call the association.\n"),
		    r->nconflicts, (int)r->conflict.len,
		    r->conflict.s);
	if (pending > 0)
		printf(_("%zu messages waited for this key; the next poll "
		    "opens them.\n"), pending);
}

static enum rc
say_json(const struct keyfile_result *r, size_t pending, struct err *e)
{
	static const struct out_col cols[] = {
		{ "identity", NULL, OUT_TEXT }, { "year", NULL, OUT_NUMBER },
		{ "again", NULL, OUT_BOOL },
		{ "send_until_at", NULL, OUT_TIME },
		{ "read_until_at", NULL, OUT_TIME },
		{ "new_keys", NULL, OUT_NUMBER },
		{ "held_keys", NULL, OUT_NUMBER },
		{ "conflicts", NULL, OUT_NUMBER },
		{ "entries", NULL, OUT_NUMBER },
		{ "pending", NULL, OUT_NUMBER }, { NULL, NULL, OUT_TEXT }
	};
	struct out *o = out_new(true, "key_imported", cols);
	char id[GATE_ID_BYTES];

	if (o == NULL)
		return err_set(e, RC_NOMEM, _("no memory left"));
	snprintf(id, sizeof(id), "%.*s", (int)r->self.len,
	    r->self.s);
	out_text(o, "identity", id);
	out_number(o, "year", r->year);
	out_bool(o, "again", r->again);
	out_time(o, "send_until_at", r->send_until_at);
	out_time(o, "read_until_at", r->read_until_at);
	out_number(o, "new_keys", (int64_t)r->nkeys);
	out_number(o, "held_keys", (int64_t)r->nheld);
	out_number(o, "conflicts", (int64_t)r->nconflicts);
	out_number(o, "entries", (int64_t)r->nentries);
	out_number(o, "pending", (int64_t)pending);
	out_row(o);
	return out_end(&o, NULL, e);
}

static enum rc
import(struct app *app, const char *path, const uint8_t code[KDF_CODE_BYTES],
    struct err *e)
{
	const struct keystore_at at = { app->conf.keystore,
	    app->conf.keystore_key, NULL };
	struct keyfile_result r;
	struct keystore *ks = NULL;
	size_t before = 0, pending = 0;
	enum rc rc;

	if ((rc = file_mkdirs(app->conf.state, 0700, e)) == RC_OK &&
	    (rc = load_or_new(&at, &ks, e)) == RC_OK &&
	    (rc = keyfile_import(ks, path, code, &r, e)) == RC_OK &&
	    !app->dry_run &&
	    (rc = wake_pending(app, &before, e)) == RC_OK &&
	    (rc = keystore_save(ks, &at, e)) == RC_OK &&
	    (rc = wake_pending(app, &pending, e)) == RC_OK)
		pending += before;
	keystore_free(&ks);
	if (rc != RC_OK)
		return rc;
	if (app->json)
		return say_json(&r, pending, e);
	say_result(&r, pending);
	return RC_OK;
}

enum rc
cmd_key_import(struct app *app, int argc, char **argv, struct err *e)
{
	static const struct option longs[] = {
		{ "code-file", required_argument, NULL, OPT_CODE_FILE },
		{ NULL, 0, NULL, 0 }
	};
	uint8_t code[KDF_CODE_BYTES];
	const char *code_file = NULL;
	struct keyfile_head h;
	enum rc rc;
	int opt;

	while ((rc = app_getopt(app, argc, argv, "", longs, &opt, e)) ==
	    RC_OK && opt != -1)
		code_file = optarg;
	if (rc != RC_OK)
		return rc;
	if (argc - optind != 1)
		return app_usage(app, e);
	if ((rc = keyfile_peek(argv[optind], &h, e)) != RC_OK)
		return rc;
	rc = code_file != NULL ? code_from_file(code_file, code, e) :
	    code_from_terminal(&h, code, e);
	if (rc == RC_OK)
		rc = import(app, argv[optind], code, e);
	wipe(code, sizeof(code));
	return rc;
}

/* ---- list ----------------------------------------------------------- */

static const struct out_col cols[] = {
	{ "identity", N_("identity"), OUT_TEXT },
	{ "year", N_("year"), OUT_NUMBER },
	{ "from_at", N_("from"), OUT_TIME },
	{ "send_until_at", N_("to write until"), OUT_TIME },
	{ "read_until_at", N_("to read until"), OUT_TIME },
	{ "peers", N_("correspondents"), OUT_NUMBER },
	{ "hub", NULL, OUT_TEXT },
	{ "issuer", NULL, OUT_TEXT },
	{ "watch", NULL, OUT_TEXT },
	{ "replaced", NULL, OUT_BOOL },
	{ NULL, NULL, OUT_TEXT }
};

enum rc
cmd_key_list(struct app *app, int argc, char **argv, struct err *e)
{
	struct pass p = app_pass(app, PASS_SUBMIT);
	struct gate_self *s = NULL;
	struct out *o;
	size_t n = 0;
	enum rc rc = app_no_options(app, argc, argv, 0, e);

	if (rc != RC_OK || (rc = alone_selves(&p, &s, &n, e)) != RC_OK)
		return rc;
	if ((o = out_new(app->json, "key", cols)) == NULL) {
		free(s);
		return err_set(e, RC_NOMEM, _("no memory left"));
	}
	for (size_t i = 0; i < n; i++) {
		out_text(o, "identity", s[i].identity);
		out_number(o, "year", s[i].year);
		out_time(o, "from_at", s[i].from_at);
		out_time(o, "send_until_at", s[i].send_until_at);
		out_time(o, "read_until_at", s[i].read_until_at);
		out_number(o, "peers", (int64_t)s[i].npeers);
		out_text(o, "hub", s[i].hub);
		out_text(o, "issuer", s[i].issuer);
		out_text(o, "watch", s[i].watch);
		out_bool(o, "replaced", s[i].replaced);
		out_row(o);
	}
	free(s);
	return out_end(&o, _("no key is held"), e);
}
