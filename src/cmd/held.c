/* sceau held: what could not be opened or delivered, kept sealed. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/lang.h"
#include "cmd/cmd.h"
#include "cmd/out.h"
#include "store/store_in.h"

#define AT_ONCE 128

static const struct out_col cols[] = {
	{ "id", N_("no."), OUT_NUMBER },
	{ "class", N_("class"), OUT_TEXT },
	{ "from", N_("said to be from"), OUT_TEXT },
	{ "account", N_("account"), OUT_TEXT },
	{ "held_at", N_("held since"), OUT_TIME },
	{ "size", NULL, OUT_NUMBER },
	{ "t", NULL, OUT_TEXT },
	{ "why", N_("what it means"), OUT_TEXT },
	{ NULL, NULL, OUT_TEXT }
};

static void
add(struct out *o, const struct store_in *m)
{
	char t[2 * STORE_T_BYTES + 1] = "";

	if (m->has_t)
		hex_format(m->t, sizeof(m->t), t);
	out_number(o, "id", m->id);
	out_text(o, "class", err_class_name(m->class));
	out_text(o, "from", m->sender);
	out_text(o, "account", m->account);
	out_time(o, "held_at", m->held_at);
	out_number(o, "size", (int64_t)m->size);
	out_text(o, "t", t);
	out_text(o, "why", err_class_say(m->class));
	out_row(o);
}

static enum rc
list_all(struct store *st, struct out *o, struct err *e)
{
	struct store_in *m = calloc(AT_ONCE, sizeof(*m));
	int64_t after = 0;
	size_t n = 0;
	enum rc rc = m == NULL ? err_set(e, RC_NOMEM,
	    _("no memory left")) : RC_OK;

	do {
		if (rc == RC_OK)
			rc = store_held_list(st, after, m, AT_ONCE, &n, e);
		for (size_t i = 0; rc == RC_OK && i < n; i++) {
			add(o, &m[i]);
			after = m[i].id;
		}
	} while (rc == RC_OK && n > 0);
	free(m);
	return rc;
}

enum rc
cmd_held_list(struct app *app, int argc, char **argv, struct err *e)
{
	struct err ignored = ERR_INIT;
	struct store *st = NULL;
	struct out *o = NULL;
	enum rc rc = app_no_options(app, argc, argv, 0, e);

	if (rc == RC_OK && (o = out_new(app->json, "held", cols)) == NULL)
		rc = err_set(e, RC_NOMEM, _("no memory left"));
	if (rc == RC_OK)
		rc = store_open(app->conf.state, STORE_READ, &st, e);
	if (rc == RC_OK)
		rc = list_all(st, o, e);
	store_close(&st);
	if (rc == RC_OK)
		return out_end(&o, _("nothing is held"), e);
	(void)out_end(&o, NULL, &ignored);
	return rc;
}

static enum rc
get(struct store *st, const char *word, struct store_in *m, struct err *e)
{
	int64_t id;
	enum rc rc = app_number(word, &id, e);

	if (rc == RC_OK)
		rc = store_in_get(st, id, m, e);
	if (rc == RC_OK && (m->id == 0 || m->state != STORE_HELD))
		rc = err_set(e, RC_INPUT, _("no %s is not held"), word);
	return rc;
}

enum rc
cmd_held_show(struct app *app, int argc, char **argv, struct err *e)
{
	struct store *st = NULL;
	struct out *o = NULL;
	struct store_in m;
	enum rc rc = app_no_options(app, argc, argv, 1, e);

	if (rc == RC_OK)
		rc = store_open(app->conf.state, STORE_READ, &st, e);
	if (rc == RC_OK)
		rc = get(st, argv[argc - 1], &m, e);
	store_close(&st);
	if (rc == RC_OK && (o = out_new(app->json, "held", cols)) == NULL)
		rc = err_set(e, RC_NOMEM, _("no memory left"));
	if (rc != RC_OK)
		return rc;
	add(o, &m);
	return out_end(&o, NULL, e);
}

/* Released: the next poll opens it once more. */
enum rc
cmd_held_release(struct app *app, int argc, char **argv, struct err *e)
{
	struct store *st = NULL;
	struct store_in m;
	size_t n = 0;
	enum rc rc = app_no_options(app, argc, argv, 1, e);

	if (rc == RC_OK)
		rc = store_open(app->conf.state, app->dry_run ? STORE_READ :
		    STORE_WRITE, &st, e);
	if (rc == RC_OK)
		rc = get(st, argv[argc - 1], &m, e);
	if (rc == RC_OK && !app->dry_run)
		rc = store_held_retry(st, m.id, EC_NONE, &n, e);
	store_close(&st);
	if (rc == RC_OK && !app->json)
		puts(_("The next poll opens it once more."));
	return rc;
}

enum rc
cmd_held_drop(struct app *app, int argc, char **argv, struct err *e)
{
	enum store_result result = STORE_NOT;
	struct store *st = NULL;
	struct store_in m;
	enum rc rc = app_no_options(app, argc, argv, 1, e);

	if (rc == RC_OK)
		rc = store_open(app->conf.state, app->dry_run ? STORE_READ :
		    STORE_WRITE, &st, e);
	if (rc == RC_OK)
		rc = get(st, argv[argc - 1], &m, e);
	if (rc == RC_OK && !app->dry_run)
		rc = store_held_drop(st, m.id, STORE_ACTION_RELEASE,
		    clock_now(), &result, e);
	store_close(&st);
	return rc;
}
