/* sceau issuer init, add, batch: the association's desk. */
#include "config.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/lang.h"
#include "cmd/cmd.h"
#include "cmd/out.h"
#include "conf/cred.h"
#include "issuer/batch.h"
#include "issuer/desk.h"

enum { OPT_ASSOC = 1000, OPT_YEAR, OPT_DOMAIN, OPT_ISSUER, OPT_WATCH, OPT_HUB,
    OPT_CALL, OPT_PASS, OPT_OUT, OPT_POLICY, OPT_DIRECTORY };

/* What any of the three may be told. */
struct words {
	struct desk_plan plan;
	const char	*pass_file;
	const char	*out;
	const char	*policy;
	const char	*directory;
	struct secret	 pass;
};

static enum rc
year_of(const char *s, uint16_t *year, struct err *e)
{
	int64_t n;

	if (app_number(s, &n, e) != RC_OK || n < 2000 || n > 9998)
		return err_set(e, RC_CONF, _("--year %s: four digits are "
		    "wanted"), s);
	*year = (uint16_t)n;
	return RC_OK;
}

/* --hub is followed by two words. */
static enum rc
hub_of(struct app *app, int argc, char **argv, struct words *w,
    struct err *e)
{
	w->plan.hub = optarg;
	if (optind >= argc || argv[optind][0] == '-')
		return app_usage(app, e);
	w->plan.hub_route = argv[optind++];
	return RC_OK;
}

static enum rc
option(struct app *app, int argc, char **argv, int opt, struct words *w,
    struct err *e)
{
	switch (opt) {
	case OPT_ASSOC:
		w->plan.assoc = optarg;
		return RC_OK;
	case OPT_YEAR:
		return year_of(optarg, &w->plan.year, e);
	case OPT_DOMAIN:
		w->plan.domain = optarg;
		return RC_OK;
	case OPT_ISSUER:
		w->plan.issuer = optarg;
		return RC_OK;
	case OPT_WATCH:
		w->plan.watch = optarg;
		return RC_OK;
	case OPT_HUB:
		return hub_of(app, argc, argv, w, e);
	case OPT_CALL:
		w->plan.call = optarg;
		return RC_OK;
	case OPT_PASS:
		w->pass_file = optarg;
		return RC_OK;
	case OPT_OUT:
		w->out = optarg;
		return RC_OK;
	case OPT_POLICY:
		w->policy = optarg;
		return RC_OK;
	case OPT_DIRECTORY:
		w->directory = optarg;
		return RC_OK;
	}
	return app_usage(app, e);
}

/* The options in ${longs} and ${n} words, the first of which is DIR. */
static enum rc
read_words(struct app *app, int argc, char **argv,
    const struct option *longs, int n, struct words *w, struct err *e)
{
	enum rc rc;
	int opt;

	memset(w, 0, sizeof(*w));
	while ((rc = app_getopt(app, argc, argv, "", longs, &opt, e)) ==
	    RC_OK && opt != -1)
		if ((rc = option(app, argc, argv, opt, w, e)) != RC_OK)
			return rc;
	if (rc != RC_OK)
		return rc;
	if (argc - optind != n)
		return app_usage(app, e);
	w->plan.dir = argv[optind];
	if (w->pass_file == NULL)
		return RC_OK;
	w->plan.pass = &w->pass;
	return cred_file(w->pass_file, &w->pass, e);
}

/* ---- init --------------------------------------------------------------- */

static enum rc
say_init(const struct app *app, const struct desk_plan *p, struct err *e)
{
	static const struct out_col cols[] = {
		{ "folder", NULL, OUT_TEXT },
		{ "association", NULL, OUT_TEXT },
		{ "year", NULL, OUT_NUMBER }, { NULL, NULL, OUT_TEXT }
	};
	struct out *o;

	if (!app->json) {
		printf(app->dry_run ? _("%s would be the desk of the "
		    "association %s, with a root for %u.\n") :
		    _("%s is the desk of the association %s, with a root for "
		    "%u.\n"), p->dir, p->assoc, p->year);
		if (!app->dry_run)
			printf("%s", p->pass != NULL ? _("Without its "
			    "passphrase nobody, you included, can make keys "
			    "with it.\n") :
			    _("Whoever has this folder can read all mail of "
			    "that year: keep the machine off every network, "
			    "and under lock.\n"));
		return RC_OK;
	}
	if ((o = out_new(true, "desk", cols)) == NULL)
		return err_set(e, RC_NOMEM, _("no memory left"));
	out_text(o, "folder", p->dir);
	out_text(o, "association", p->assoc);
	out_number(o, "year", p->year);
	out_row(o);
	return out_end(&o, NULL, e);
}

enum rc
cmd_issuer_init(struct app *app, int argc, char **argv, struct err *e)
{
	static const struct option longs[] = {
		{ "assoc", required_argument, NULL, OPT_ASSOC },
		{ "year", required_argument, NULL, OPT_YEAR },
		{ "domain", required_argument, NULL, OPT_DOMAIN },
		{ "issuer", required_argument, NULL, OPT_ISSUER },
		{ "watch", required_argument, NULL, OPT_WATCH },
		{ "hub", required_argument, NULL, OPT_HUB },
		{ "call", required_argument, NULL, OPT_CALL },
		{ "pass-file", required_argument, NULL, OPT_PASS },
		{ NULL, 0, NULL, 0 }
	};
	struct words w;
	enum rc rc = read_words(app, argc, argv, longs, 1, &w, e);

	if (rc == RC_OK && (w.plan.assoc == NULL || w.plan.year == 0 ||
	    w.plan.domain == NULL))
		rc = app_usage(app, e);
	if (rc == RC_OK)
		rc = desk_init(&w.plan, !app->dry_run, e);
	secret_wipe(&w.pass);
	return rc == RC_OK ? say_init(app, &w.plan, e) : rc;
}

/* ---- add ---------------------------------------------------------------- */

#define SAY_MAX 50	/* lines: nobody reads more */

struct saying {
	const char	*path;
	size_t		 n;
};

static void
say_line(void *ctx, bool wrong, unsigned line, const char *text)
{
	struct saying *s = ctx;

	if (s->n++ == SAY_MAX)
		fprintf(stderr, "%s\n", _("... and more"));
	if (s->n > SAY_MAX)
		return;
	fprintf(stderr, "%s:%u: %s%s\n", s->path, line,
	    wrong ? "" : _("warning: "), text);
}

static enum rc
say_added(const struct app *app, const struct members_count *c, size_t total,
    struct err *e)
{
	static const struct out_col cols[] = {
		{ "added", NULL, OUT_NUMBER }, { "held", NULL, OUT_NUMBER },
		{ "warnings", NULL, OUT_NUMBER },
		{ "members", NULL, OUT_NUMBER }, { NULL, NULL, OUT_TEXT }
	};
	struct out *o;

	if (!app->json) {
		printf(app->dry_run ? _("%zu members would be added, %zu are "
		    "there already; %zu in all, desks included.\n") :
		    _("%zu members added, %zu were there already; %zu in all, "
		    "desks included.\n"), c->added, c->held, total);
		return RC_OK;
	}
	if ((o = out_new(true, "members", cols)) == NULL)
		return err_set(e, RC_NOMEM, _("no memory left"));
	out_number(o, "added", (int64_t)c->added);
	out_number(o, "held", (int64_t)c->held);
	out_number(o, "warnings", (int64_t)c->warnings);
	out_number(o, "members", (int64_t)total);
	out_row(o);
	return out_end(&o, NULL, e);
}

static enum rc
add_table(struct app *app, struct desk *d, const char *path, struct err *e)
{
	struct saying s = { path, 0 };
	struct members_count count;
	struct buf in = BUF_INIT;
	enum rc rc;

	if ((rc = file_read(path, MEMBERS_FILE_MAX, &in, e)) == RC_OK)
		rc = members_take(d->members, in.p, in.len, say_line, &s,
		    &count, e);
	if (rc == RC_OK && !app->dry_run && count.added > 0)
		rc = desk_save(d, e);
	if (rc == RC_OK)
		rc = say_added(app, &count, d->members->n, e);
	buf_free(&in);
	return rc;
}

enum rc
cmd_issuer_add(struct app *app, int argc, char **argv, struct err *e)
{
	static const struct option longs[] = {
		{ "pass-file", required_argument, NULL, OPT_PASS },
		{ NULL, 0, NULL, 0 }
	};
	struct desk *d = NULL;
	struct words w;
	enum rc rc = read_words(app, argc, argv, longs, 2, &w, e);

	if (rc == RC_OK &&
	    (rc = desk_open(w.plan.dir, w.plan.pass, &d, e)) == RC_OK)
		rc = add_table(app, d, argv[optind + 1], e);
	desk_close(&d);
	secret_wipe(&w.pass);
	return rc;
}

/* ---- batch -------------------------------------------------------------- */

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
		printf(_("Hand the files of keys/ and the letters of letters/ "
		    "out by different ways; destroy the letters' files once "
		    "they are printed, and then run no batch into this folder "
		    "again.\n"));
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

/* Kept, so that a batch which goes on goes on alike. */
static enum rc
choose_policy(struct app *app, struct desk *d, const struct words *w,
    struct err *e)
{
	struct members *m = d->members;
	enum members_policy policy = m->policy;
	bool ring = m->names_ring;

	if (w->policy != NULL && !members_policy(w->policy, &policy))
		return app_usage(app, e);
	if (w->directory != NULL) {
		ring = strcmp(w->directory, "ring") == 0;
		if (!ring && strcmp(w->directory, "all") != 0)
			return app_usage(app, e);
	}
	if (policy == m->policy && ring == m->names_ring)
		return RC_OK;
	m->policy = policy;
	m->names_ring = ring;
	return app->dry_run ? RC_OK : desk_save(d, e);
}

static enum rc
batch(struct app *app, struct desk *d, const struct words *w, struct err *e)
{
	char out[PATH_MAX];
	struct batch_plan plan = { .desk = d, .out = w->out,
	    .really = !app->dry_run, .year = w->plan.year };
	enum rc rc;

	/* Letters are French unless another language is asked for by name:
	 * the machine's own says nothing about the members'. */
	plan.english = app->lang != NULL && strcmp(lang_code(), "en") == 0;
	if (plan.year == 0)
		plan.year = d->years[d->nyears - 1];
	if (plan.out == NULL) {
		if (snprintf(out, sizeof(out), "%s/%u", w->plan.dir,
		    plan.year) >= (int)sizeof(out))
			return err_set(e, RC_CONF,
			    _("%s: the name is too long"), w->plan.dir);
		plan.out = out;
	}
	if ((rc = choose_policy(app, d, w, e)) != RC_OK)
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
		{ "pass-file", required_argument, NULL, OPT_PASS },
		{ NULL, 0, NULL, 0 }
	};
	struct desk *d = NULL;
	struct words w;
	enum rc rc = read_words(app, argc, argv, longs, 1, &w, e);

	if (rc == RC_OK &&
	    (rc = desk_open(w.plan.dir, w.plan.pass, &d, e)) == RC_OK)
		rc = batch(app, d, &w, e);
	desk_close(&d);
	secret_wipe(&w.pass);
	return rc;
}
