/* Pairs of key file and letter, made for people who watch. */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/lang.h"
#include "cmd/issuer_pairs.h"
#include "cmd/out.h"
#include "issuer/acts.h"
#include "issuer/begun.h"

struct progress {
	struct app	*app;
	struct out	*o;		/* JSON only */
	bool		 terminal;
	int64_t		 began_ms;
	int64_t		 told_ms;
	struct pairs	*count;
};

static const struct out_col pair_cols[] = {
	{ "identity", NULL, OUT_TEXT }, { "name", NULL, OUT_TEXT },
	{ "kind", NULL, OUT_TEXT }, { "year", NULL, OUT_NUMBER },
	{ "made", NULL, OUT_BOOL }, { "renewal", NULL, OUT_BOOL },
	{ "key_file", NULL, OUT_TEXT }, { "letter", NULL, OUT_TEXT },
	{ "digits", NULL, OUT_TEXT }, { "size", NULL, OUT_NUMBER },
	{ "peers", NULL, OUT_NUMBER }, { "entries", NULL, OUT_NUMBER },
	{ "from_at", NULL, OUT_TIME }, { "send_until_at", NULL, OUT_TIME },
	{ "read_until_at", NULL, OUT_TIME }, { NULL, NULL, OUT_TEXT }
};

static void
pair_object(struct out *o, const struct batch_done *d, bool written)
{
	out_text(o, "identity", d->member->id.s);
	out_text(o, "name", d->member->show);
	out_text(o, "kind", members_kind_word(d->member->kind));
	out_number(o, "year", d->year);
	out_bool(o, "made", d->made);
	out_bool(o, "renewal", d->renewal);
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

/* By what was made so far: what is passed over takes no time, and what is told
 * of a group before its last took the time of them all. */
static void
tell_time(struct progress *p, const struct batch_done *d)
{
	int64_t now = clock_ms(), left_s;

	if (d->more || (d->at != d->of && now - p->told_ms < 500))
		return;
	p->told_ms = now;
	left_s = p->count->made == 0 ? 0 : (now - p->began_ms) *
	    (int64_t)(d->of - d->at) / (int64_t)p->count->made / 1000;
	fprintf(stderr, _("\r%zu of %zu, %lld min %02lld s left "), d->at,
	    d->of, (long long)(left_s / 60), (long long)(left_s % 60));
	if (d->at == d->of)
		fputc('\n', stderr);
}

static enum rc
on_done(void *ctx, const struct batch_done *d, struct err *e)
{
	struct progress *p = ctx;

	p->count->made += d->made;
	p->count->passed += !d->made;
	p->count->renewals += d->renewal;
	if (p->o != NULL)
		pair_object(p->o, d, !p->app->dry_run);
	if (p->terminal)
		tell_time(p, d);
	if (ferror(stdout))
		return err_set(e, RC_TEMP, _("standard output failed: hand "
		    "nothing out before the same command has ended well"));
	return RC_OK;
}

/* ---- the journal -------------------------------------------------------- */

struct planned {
	const struct batch_plan *plan;
	size_t		 make[BATCH_YEARS_MAX];
	size_t		 renew[BATCH_YEARS_MAX];
};

static enum rc
plan_one(void *ctx, const struct batch_done *d, struct err *e)
{
	struct planned *p = ctx;

	(void)e;
	for (size_t i = 0; i < p->plan->nyears; i++) {
		bool so = d->made && d->year == p->plan->years[i];

		p->make[i] += so;
		p->renew[i] += so && d->renewal;
	}
	return RC_OK;
}

static enum rc
note_one(const struct desk *d, const struct pairs *p, uint16_t year,
    size_t make, struct err *e)
{
	char line[64 + IDENTITY_MAX_BYTES];

	snprintf(line, sizeof(line), "year=%u make=%zu%s%s", year, make,
	    *p->what != '\0' ? " " : "", p->what);
	return acts_note(d, p->act, line, e);
}

/* The custodians first: what they cannot do is not noted.  Then a line a year
 * with what will be made, since it may be cut off. */
static enum rc
begin(const struct batch_plan *plan, const struct pairs *p, struct err *e)
{
	struct batch_plan dry = *plan;
	struct planned n = { .plan = &dry };
	enum rc rc;

	dry.really = false;
	rc = batch_run(&dry, plan_one, &n, e);
	for (size_t i = 0; i < dry.nyears && rc == RC_OK; i++) {
		if (n.make[i] > 0)
			rc = issuer_words_root(p->words, plan->desk,
			    dry.years[i], e);
		if (rc == RC_OK && n.renew[i] > 0)
			rc = issuer_words_root(p->words, plan->desk,
			    (uint16_t)(dry.years[i] - 1), e);
	}
	if (rc == RC_OK && p->begun != NULL)
		rc = begun_note(plan->desk, p->begun, e);
	for (size_t i = 0; i < dry.nyears && rc == RC_OK; i++)
		if (n.make[i] > 0 || p->changed)
			rc = note_one(plan->desk, p, dry.years[i], n.make[i],
			    e);
	return rc == RC_OK && p->changed ? desk_save(plan->desk, e) : rc;
}

/* ---- all of it ---------------------------------------------------------- */

enum rc
pairs_run(struct app *app, const struct batch_plan *plan, struct pairs *p,
    struct err *e)
{
	struct progress g = { .app = app, .began_ms = clock_ms(),
	    .terminal = isatty(STDERR_FILENO) == 1, .count = p };
	struct err why = ERR_INIT;
	enum rc rc, end = RC_OK;

	if (plan->really && (rc = begin(plan, p, e)) != RC_OK)
		return rc;
	if (app->json && (g.o = out_new(true, "issued", pair_cols)) == NULL)
		return err_set(e, RC_NOMEM, _("no memory left"));
	rc = batch_run(plan, on_done, &g, e);
	if (g.o != NULL)
		end = out_end(&g.o, NULL, rc == RC_OK ? e : &why);
	return rc == RC_OK ? end : rc;
}

void
pairs_plan(const struct app *app, struct desk *d,
    const struct issuer_words *w, struct batch_plan *plan)
{
	*plan = (struct batch_plan){ .desk = d, .out = w->out,
	    .english = w->plan.english, .really = !app->dry_run };
	if (w->plan.year == 0)
		plan->nyears = batch_years(d, plan->years);
	else
		plan->years[plan->nyears++] = w->plan.year;
}

enum rc
pairs_apart(const struct desk *d, struct batch_plan *plan,
    char out[PATH_MAX], struct err *e)
{
	char now[CLOCK_3339_BYTES];

	if (plan->out != NULL)
		return RC_OK;
	clock_3339(clock_now(), now);
	if (snprintf(out, PATH_MAX, "%s/%.10s", d->dir, now) >= PATH_MAX)
		return err_set(e, RC_CONF, _("%s: the name is too long"),
		    d->dir);
	plan->out = out;
	return RC_OK;
}

void
pairs_say_count(const struct app *app, const struct pairs *p)
{
	printf(app->dry_run ? P_("%zu pair of key file and letter would be "
	    "made (there already: %zu).\n", "%zu pairs of key file and letter "
	    "would be made (there already: %zu).\n", p->made) :
	    P_("%zu pair of key file and letter made (there already: %zu).\n",
	    "%zu pairs of key file and letter made (there already: %zu).\n",
	    p->made), p->made, p->passed);
}

void
pairs_say_where(const struct desk *d, const struct batch_plan *plan)
{
	if (plan->out != NULL)
		printf(_("Folder: %s\n"), plan->out);
	else
		for (size_t i = 0; i < plan->nyears; i++)
			printf(_("Folder of %u: %s/%u\n"),
			    plan->years[i], d->dir, plan->years[i]);
}
