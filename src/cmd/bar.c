/* sceau bar: at the association's watch desk, a stolen key or a member who
 * has left: noted, and told to everybody. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/lang.h"
#include "base/log.h"
#include "cmd/cmd.h"
#include "cmd/out.h"
#include "flow/barring.h"
#include "flow/starter.h"
#include "store/store_bar.h"

#define EXCLUDED 255

enum { OPT_GENERATION = 1000, OPT_EXCLUDED, OPT_REASON, OPT_LIST };

struct words {
	const char	*who;		/* NULL: --list */
	const char	*reason;
	uint8_t		 min;		/* 0: the next */
	bool		 list;
};

/* ---- what was asked ------------------------------------------------- */

static enum rc
generation(const char *s, uint8_t *min, struct err *e)
{
	int64_t n;
	enum rc rc = app_number(s, &n, e);

	if (rc != RC_OK)
		return rc;
	if (n < 2 || n >= EXCLUDED)
		return err_set(e, RC_CONF, _("a generation is a number from 2 "
		    "to 254: the first one that is still good"));
	*min = (uint8_t)n;
	return RC_OK;
}

/* One line that can be printed and mailed as it is. */
static enum rc
reason(const char *s, const char **out, struct err *e)
{
	for (size_t i = 0; s[i] != '\0'; i++)
		if (i + 1 >= STORE_TEXT_BYTES || (unsigned char)s[i] < 0x20 ||
		    s[i] == 0x7f)
			return err_set(e, RC_CONF, _("the reason is one line "
			    "of %d characters at most"), STORE_TEXT_BYTES - 1);
	*out = s;
	return RC_OK;
}

static enum rc
one(struct words *w, int opt, struct err *e)
{
	switch (opt) {
	case OPT_GENERATION:
		return generation(optarg, &w->min, e);
	case OPT_EXCLUDED:
		w->min = EXCLUDED;
		return RC_OK;
	case OPT_REASON:
		return reason(optarg, &w->reason, e);
	}
	w->list = true;
	return RC_OK;
}

static enum rc
read_words(struct app *app, int argc, char **argv, struct words *w,
    struct err *e)
{
	static const struct option longs[] = {
		{ "generation", required_argument, NULL, OPT_GENERATION },
		{ "excluded", no_argument, NULL, OPT_EXCLUDED },
		{ "reason", required_argument, NULL, OPT_REASON },
		{ "list", no_argument, NULL, OPT_LIST },
		{ NULL, 0, NULL, 0 }
	};
	bool twice = false;
	enum rc rc;
	int opt;

	*w = (struct words){ .reason = "" };
	while ((rc = app_getopt(app, argc, argv, "", longs, &opt, e)) ==
	    RC_OK && opt != -1) {
		twice = twice || (w->min != 0 && (opt == OPT_GENERATION ||
		    opt == OPT_EXCLUDED));
		if ((rc = one(w, opt, e)) != RC_OK) {
			app->exit = EX_USAGE;
			return rc;
		}
	}
	if (rc != RC_OK)
		return rc;
	if (twice || argc - optind != !w->list ||
	    (w->list && (w->min != 0 || w->reason[0] != '\0')))
		return app_usage(app, e);
	w->who = w->list ? NULL : argv[optind];
	return RC_OK;
}

/* ---- what is said --------------------------------------------------- */

static const struct out_col cols[] = {
	{ "name", N_("member"), OUT_TEXT },
	{ "generation", N_("good from generation"), OUT_NUMBER },
	{ "excluded", N_("excluded"), OUT_BOOL },
	{ "noted_at", N_("since"), OUT_TIME },
	{ "by", NULL, OUT_TEXT },
	{ "reason", N_("reason"), OUT_TEXT },
	{ "dry_run", NULL, OUT_BOOL },
	{ NULL, NULL, OUT_TEXT }
};

static void
add_row(struct out *o, const struct store_bar *b, bool dry_run)
{
	out_text(o, "name", b->name);
	if (b->min != EXCLUDED)
		out_number(o, "generation", b->min);
	out_bool(o, "excluded", b->min == EXCLUDED);
	out_time(o, "noted_at", b->at);
	out_text(o, "by", b->at != 0 ? "watch" : "issuer");
	out_text(o, "reason", b->at != 0 ? b->reason :
	    _("by the key file"));
	out_bool(o, "dry_run", dry_run);
	out_row(o);
}

static enum rc
list(struct app *app, struct err *e)
{
	const struct pass p = app_pass(app, PASS_SUBMIT);
	struct store_bar *bars;
	struct out *o;
	size_t n;
	enum rc rc = barring_list(&p, &bars, &n, e);

	if (rc != RC_OK)
		return rc;
	if ((o = out_new(app->json, "bar", cols)) == NULL) {
		free(bars);
		return err_set(e, RC_NOMEM, _("no memory left"));
	}
	for (size_t i = 0; i < n; i++)
		add_row(o, &bars[i], false);
	free(bars);
	return out_end(&o, _("nobody is barred"), e);
}

static void
say(const struct app *app, const struct gate_barring *x)
{
	const char *show = x->show[0] != '\0' ? x->show : "-";

	if (x->min == EXCLUDED)
		printf(_("%s (%s) is excluded: nobody accepts its mail any "
		    "more.\n"), x->name, show);
	else
		printf(_("%s (%s): keys before generation %u are void.\n"),
		    x->name, show, x->min);
	if (x->known == 0)
		printf(_("This desk has no key of that name and finds it in "
		    "no directory: is it spelt as on the member's letter?\n"));
	if (x->min == x->before)
		printf(_("This was so already; the list is sent once "
		    "more.\n"));
	if (app->dry_run)
		printf(_("Nothing was changed and nothing sent "
		    "(--dry-run).\n"));
	else
		printf(_("It is noted. The bulletin with the whole list goes "
		    "to every member now, and again each week.\n"));
}

static enum rc
say_json(const struct app *app, const struct gate_barring *x,
    const char *why, struct err *e)
{
	struct store_bar b = { .min = x->min, .at = clock_now() };
	struct out *o = out_new(true, "bar", cols);

	if (o == NULL)
		return err_set(e, RC_NOMEM, _("no memory left"));
	snprintf(b.name, sizeof(b.name), "%s", x->name);
	snprintf(b.reason, sizeof(b.reason), "%s", why);
	add_row(o, &b, app->dry_run);
	return out_end(&o, NULL, e);
}

/* ---- the bulletin, at once ------------------------------------------ */

/* A pass at work takes it along; what this one cannot do, the next one does:
 * the bar is noted. */
static enum rc
send_it(struct app *app, struct err *e)
{
	const struct pass p = app_pass(app, PASS_POLL);
	int lock = -1, code = 0;
	enum rc rc = starter_lock(&app->conf, &lock, e);

	if (rc == RC_OK && lock < 0)
		return RC_OK;
	if (rc == RC_OK)
		rc = starter_run(&p, NULL, &code, e);
	if (rc != RC_OK)
		LOG(LOG_L_WARN, "pass.failed", LK_S("why", e->text));
	if (rc != RC_OK || code == EX_TEMPFAIL)
		fprintf(stderr, _("sceau: not all of it has left yet: the next "
		    "\"sceau poll\" goes on\n"));
	if (lock >= 0)
		close(lock);
	return RC_OK;
}

enum rc
cmd_bar(struct app *app, int argc, char **argv, struct err *e)
{
	struct gate_barring x;
	struct words w;
	struct pass p;
	enum rc rc = read_words(app, argc, argv, &w, e);

	if (rc != RC_OK)
		return rc;
	if (w.list)
		return list(app, e);
	p = app_pass(app, PASS_SUBMIT);
	if ((rc = file_mkdirs(app->conf.state, 0700, e)) != RC_OK ||
	    (rc = barring_note(&p, w.who, w.min, w.reason, &x, e)) != RC_OK) {
		if (rc == RC_PERM)
			app->exit = EX_NOUSER;
		return rc;
	}
	if (app->json)
		rc = say_json(app, &x, w.reason, e);
	else
		say(app, &x);
	fflush(stdout);
	app->promised = !app->dry_run;
	return rc != RC_OK || app->dry_run ? rc : send_it(app, e);
}
