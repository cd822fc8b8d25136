/* sceau issuer batch: the year's key files and letters. */
#include "config.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/lang.h"
#include "cmd/issuer_words.h"
#include "cmd/out.h"
#include "issuer/acts.h"
#include "issuer/batch.h"

struct progress {
	struct app	*app;
	struct out	*o;		/* JSON only */
	bool		 terminal;
	int64_t		 began_ms;
	int64_t		 told_ms;
	size_t		 made, passed;
	uint64_t	 bytes;
};

static const struct out_col batch_cols[] = {
	{ "identity", NULL, OUT_TEXT }, { "name", NULL, OUT_TEXT },
	{ "kind", NULL, OUT_TEXT }, { "made", NULL, OUT_BOOL },
	{ "key_file", NULL, OUT_TEXT }, { "letter", NULL, OUT_TEXT },
	{ "digits", NULL, OUT_TEXT }, { "size", NULL, OUT_NUMBER },
	{ "peers", NULL, OUT_NUMBER }, { "entries", NULL, OUT_NUMBER },
	{ "from_at", NULL, OUT_TIME }, { "send_until_at", NULL, OUT_TIME },
	{ "read_until_at", NULL, OUT_TIME }, { NULL, NULL, OUT_TEXT }
};

static void
batch_object(struct out *o, const struct batch_done *d, bool written)
{
	out_text(o, "identity", d->member->id.s);
	out_text(o, "name", d->member->show);
	out_text(o, "kind", members_kind_word(d->member->kind));
	out_bool(o, "made", d->made);
	out_text(o, "key_file", d->key_path);
	out_text(o, "letter", d->letter_path);
	if (d->made && written) {
		out_text(o, "digits", d->digits);
		out_number(o, "size", (int64_t)d->bytes);
		out_number(o, "peers", (int64_t)d->grants);
		out_number(o, "entries", (int64_t)d->entries);
	}
	if (d->made) {
		out_time(o, "from_at", d->dates.from_at);
		out_time(o, "send_until_at", d->dates.send_until_at);
		out_time(o, "read_until_at", d->dates.read_until_at);
	}
	out_row(o);
}

/* By what was made so far: what is passed over takes no time. */
static void
tell_time(struct progress *p, const struct batch_done *d)
{
	int64_t now = clock_ms(), left_s;

	if (d->at != d->of && now - p->told_ms < 500)
		return;
	p->told_ms = now;
	left_s = p->made == 0 ? 0 : (now - p->began_ms) *
	    (int64_t)(d->of - d->at) / (int64_t)p->made / 1000;
	fprintf(stderr, _("\r%zu of %zu, %lld min %02lld s left "), d->at,
	    d->of, (long long)(left_s / 60), (long long)(left_s % 60));
	if (d->at == d->of)
		fputc('\n', stderr);
}

static enum rc
on_done(void *ctx, const struct batch_done *d, struct err *e)
{
	struct progress *p = ctx;

	p->made += d->made;
	p->passed += !d->made;
	p->bytes += d->bytes;
	if (p->o != NULL)
		batch_object(p->o, d, !p->app->dry_run);
	if (p->terminal)
		tell_time(p, d);
	if (ferror(stdout))
		return err_set(e, RC_TEMP, _("standard output failed; the "
		    "key files made so far are good"));
	return RC_OK;
}

static void
say_batch(const struct progress *p, const struct batch_plan *plan)
{
	if (p->app->dry_run) {
		printf(_("%zu pairs of key file and letter would be made in "
		    "%s, %zu are there.\n"), p->made, plan->out, p->passed);
		return;
	}
	printf(_("%zu pairs of key file and letter made in %s, %zu were there "
	    "already.\n"), p->made, plan->out, p->passed);
	if (p->made > 0)
		printf(_("Print letters/print-*.html, one letter a page, and "
		    "keep counterfoil.html.  Hand the files of keys/ and the "
		    "letters out by different ways; destroy the folder "
		    "letters/ once all is printed, and then run no batch into "
		    "this folder again.\n"));
}

static enum rc
run_batch(struct app *app, const struct batch_plan *plan, struct err *e)
{
	struct progress p = { .app = app, .began_ms = clock_ms(),
	    .terminal = isatty(STDERR_FILENO) == 1 };
	enum rc rc, end = RC_OK;

	if (app->json &&
	    (p.o = out_new(true, "issued", batch_cols)) == NULL)
		return err_set(e, RC_NOMEM, _("no memory left"));
	rc = batch_run(plan, on_done, &p, e);
	if (p.o != NULL) {
		struct err why = ERR_INIT;

		end = out_end(&p.o, NULL, rc == RC_OK ? e : &why);
	} else if (rc == RC_OK)
		say_batch(&p, plan);
	return rc == RC_OK ? end : rc;
}

static enum rc
count_one(void *ctx, const struct batch_done *d, struct err *e)
{
	(void)e;
	*(size_t *)ctx += d->made;
	return RC_OK;
}

static enum rc
count_pairs(const struct batch_plan *plan, size_t *n, struct err *e)
{
	struct batch_plan dry = *plan;

	dry.really = false;
	*n = 0;
	return batch_run(&dry, count_one, n, e);
}

/* In the journal, with what will be made: it may be cut off. */
static enum rc
note_batch(const struct batch_plan *plan, size_t n, struct err *e)
{
	const struct members *m = plan->desk->members;
	char what[160];

	snprintf(what, sizeof(what), "year=%u make=%zu policy=%s "
	    "directory=%s", plan->year, n, members_policy_word(m->policy),
	    m->names_ring ? "ring" : "all");
	return acts_note(plan->desk, "batch", what, e);
}

/* Kept, so that a batch which goes on goes on alike. */
static enum rc
choose_policy(struct app *app, struct members *m,
    const struct issuer_words *w, bool *changed, struct err *e)
{
	enum members_policy policy = m->policy;
	bool ring = m->names_ring;

	if (w->policy != NULL && !members_policy(w->policy, &policy))
		return app_usage(app, e);
	if (w->directory != NULL) {
		ring = strcmp(w->directory, "ring") == 0;
		if (!ring && strcmp(w->directory, "all") != 0)
			return app_usage(app, e);
	}
	*changed = policy != m->policy || ring != m->names_ring;
	m->policy = policy;
	m->names_ring = ring;
	return RC_OK;
}

/* When nothing is to be made, no custodian need come. */
static enum rc
begin(const struct issuer_words *w, struct desk *d, struct batch_plan *plan,
    bool changed, struct err *e)
{
	size_t n;
	enum rc rc = count_pairs(plan, &n, e);

	plan->really = n > 0;
	if (rc == RC_OK && n > 0)
		rc = issuer_words_root(w, d, plan->year, e);
	if (rc == RC_OK && (n > 0 || changed))
		rc = note_batch(plan, n, e);
	return rc == RC_OK && changed ? desk_save(d, e) : rc;
}

static enum rc
batch(struct app *app, struct desk *d, const struct issuer_words *w,
    struct err *e)
{
	char out[PATH_MAX];
	struct batch_plan plan = { .desk = d, .out = w->out,
	    .english = w->plan.english, .really = !app->dry_run,
	    .year = w->plan.year };
	bool changed = false;
	enum rc rc;

	if (plan.year == 0 && d->nyears == 0)
		return err_set(e, RC_CONF, _("this desk has no root of any "
		    "year"));
	if (plan.year == 0)
		plan.year = d->years[d->nyears - 1];
	if (plan.out == NULL) {
		if (snprintf(out, sizeof(out), "%s/%u", w->plan.dir,
		    plan.year) >= (int)sizeof(out))
			return err_set(e, RC_CONF,
			    _("%s: the name is too long"), w->plan.dir);
		plan.out = out;
	}
	if ((rc = choose_policy(app, d->members, w, &changed, e)) != RC_OK)
		return rc;
	if (plan.really && (rc = begin(w, d, &plan, changed, e)) != RC_OK)
		return rc;
	return run_batch(app, &plan, e);
}

enum rc
cmd_issuer_batch(struct app *app, int argc, char **argv, struct err *e)
{
	static const struct option longs[] = {
		{ "out", required_argument, NULL, OPT_OUT },
		{ "policy", required_argument, NULL, OPT_POLICY },
		{ "directory", required_argument, NULL, OPT_DIRECTORY },
		{ "year", required_argument, NULL, OPT_YEAR },
		{ "custodian", required_argument, NULL, OPT_CUSTODIAN },
		{ NULL, 0, NULL, 0 }
	};
	struct desk *d = NULL;
	struct issuer_words w;
	enum rc rc = issuer_words_read(app, argc, argv, longs, 1, &w, e);

	if (rc == RC_OK &&
	    (rc = issuer_words_open(&w, &d, e)) == RC_OK)
		rc = batch(app, d, &w, e);
	desk_close(&d);
	return rc;
}
