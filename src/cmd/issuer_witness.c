/* sceau issuer destroy, witness: the end of a root, and what is left of it. */
#include "config.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/lang.h"
#include "cmd/issuer_words.h"
#include "cmd/out.h"
#include "issuer/acts.h"
#include "issuer/witness.h"

#define MAIL_MAX (256UL * 1024 * 1024)

/* ---- destroy ------------------------------------------------------------ */

static enum rc
check_time(uint16_t year, bool early, struct err *e)
{
	const int64_t until = desk_dates(year, 0).read_until_at;

	if (early || clock_now() >= until)
		return RC_OK;
	return err_set(e, RC_CONF, _("members read mail of %u until 31 March "
	    "%u, and after a theft they need new keys of it; nothing was "
	    "destroyed: do it then, or now with --early"), year, year + 1);
}

/* A folder of a day, see pairs_apart(), holds files of that year. */
static bool
has_pairs(const char *dir, const char *day, const char *kind, uint16_t year)
{
	char path[PATH_MAX], first[16], later[16];
	const struct dirent *entry;
	bool found = false;
	DIR *d;

	snprintf(first, sizeof(first), ".%u.", year);
	snprintf(later, sizeof(later), ".%u-", year);
	if (snprintf(path, PATH_MAX, "%s/%s/%s", dir, day, kind) >= PATH_MAX ||
	    (d = opendir(path)) == NULL)
		return false;
	while (!found && (entry = readdir(d)) != NULL)
		found = strstr(entry->d_name, first) != NULL ||
		    strstr(entry->d_name, later) != NULL;
	closedir(d);
	return found;
}

static void
say_left_days(const char *dir, uint16_t year)
{
	const struct dirent *entry;
	DIR *d = opendir(dir);

	while (d != NULL && (entry = readdir(d)) != NULL)
		if (strspn(entry->d_name, "0123456789-") >= 10 &&
		    (has_pairs(dir, entry->d_name, "keys", year) ||
		    has_pairs(dir, entry->d_name, "letters", year)))
			printf(_("Still there, to be destroyed too: the files "
			    "of %u in %s/%s\n"), year, dir, entry->d_name);
	if (d != NULL)
		closedir(d);
}

/* What lies about that could be used instead of the root. */
static void
say_left(const struct desk *d, uint16_t year)
{
	struct err ignored = ERR_INIT;
	char path[PATH_MAX], name[48];

	for (unsigned i = 0; i < 4; i++) {
		if (i == 0)
			snprintf(name, sizeof(name), "%u", year);
		else
			snprintf(name, sizeof(name),
			    "custodians/custodian-%u.%u.txt", i, year);
		if (desk_path(d->dir, name, path, &ignored) == RC_OK &&
		    access(path, F_OK) == 0)
			printf(_("Still there, to be destroyed too: %s\n"),
			    path);
	}
	say_left_days(d->dir, year);
}

static enum rc
object(uint16_t year, const size_t *n, struct err *e)
{
	static const struct out_col cols[] = {
		{ "year", NULL, OUT_NUMBER }, { "witnesses", NULL, OUT_NUMBER },
		{ NULL, NULL, OUT_TEXT }
	};
	struct out *o = out_new(true, "destroyed", cols);

	if (o == NULL)
		return err_nomem(e);
	out_number(o, "year", year);
	if (n != NULL)
		out_number(o, "witnesses", (int64_t)*n);
	out_row(o);
	return out_end(&o, NULL, e);
}

static void
say_destroyed(const struct desk *d, uint16_t year, size_t n)
{
	printf(_("Destroyed at this desk: the check of the root of %u, "
	    "without which it takes no root of that year any more.\n"
	    "Kept: %zu witness keys in %s/witness.%u; they open "
	    "nothing, and whoever has them can make false witnesses: "
	    "keep them under lock.\n"), year, n, d->dir, year);
	printf(_("From now on nobody can make keys of %u here, not "
	    "after a theft either, and nothing at this desk opens mail "
	    "of %u. Whether a mail is its author's can still be told: "
	    "sceau issuer witness.\n"), year, year);
	printf(_("To be done by hand, today: each of the three "
	    "custodians burns his sheet of %u. Two that are left, or "
	    "copies of them, are still the root.\n"), year);
	say_left(d, year);
}

static void
say_lost(const struct desk *d, uint16_t year)
{
	printf(_("Destroyed at this desk: the check of the root of %u. Whoever "
	    "finds two of its sheets has its root all the same: members who "
	    "write with keys of %u can be forged.\n"), year, year);
	printf(_("From now on nobody can make keys of %u here, not after a "
	    "theft either: bar at the watch desk. Whether a mail of %u is its "
	    "author's can be told no more.\n"), year, year);
	printf(_("From 15 November on, sceau issuer renew --year %u makes new "
	    "keys for everybody, which open with their letters alone.\n"),
	    year + 1U);
	say_left(d, year);
}

/* With the root, or without: then of two sheets nobody knows. */
static enum rc
end_root(const struct issuer_words *w, struct desk *d, size_t *n,
    struct err *e)
{
	const uint16_t year = w->plan.year;
	char what[32];
	enum rc rc;

	if (w->lost) {
		snprintf(what, sizeof(what), "year=%u sheets=lost", year);
		rc = acts_note(d, "destroy", what, e);
		return rc == RC_OK ? desk_year_forget(d, year, e) : rc;
	}
	rc = issuer_words_root(w, d, year, e);
	return rc == RC_OK ? witness_destroy(d, year, n, e) : rc;
}

static void
say_would(const struct issuer_words *w)
{
	printf(w->lost ? _("The root of %u would be destroyed, and no "
	    "witness key kept.\n") : _("The root of %u would be "
	    "destroyed, its witness keys kept.\n"), w->plan.year);
}

/* Two custodians who come with their sheets mean it; without them one word
 * would end a year that nobody can bring back. */
static enum rc
check_meant(const struct app *app, const struct issuer_words *w,
    struct err *e)
{
	if (!w->lost || w->really || app->dry_run)
		return RC_OK;
	if (!app->json)
		say_would(w);
	return err_set(e, RC_CONF, _("nothing was destroyed: a root of %u "
	    "there will never be again, so it is done with --lost --really"),
	    w->plan.year);
}

static enum rc
destroy(struct app *app, struct desk *d, const struct issuer_words *w,
    struct err *e)
{
	const uint16_t year = w->plan.year;
	size_t n = 0;
	enum rc rc;

	if (w->really && !w->lost)
		return app_usage(app, e);
	if (!desk_knows(d, year))
		return err_set(e, RC_CONF, witness_archived(d, year) ?
		    _("the root of %u is destroyed already") :
		    _("there is no root for %u here"), year);
	if (w->lost && w->ncustodians > 0)
		return err_set(e, RC_CONF, _("with the sheets of two "
		    "custodians leave --lost out: then the witness keys are "
		    "kept; nothing was destroyed"));
	if ((rc = check_time(year, w->early || w->lost, e)) != RC_OK ||
	    (rc = check_meant(app, w, e)) != RC_OK)
		return rc;
	if (!app->dry_run && (rc = end_root(w, d, &n, e)) != RC_OK)
		return rc;
	if (app->json)
		return object(year, app->dry_run ? NULL : &n, e);
	if (app->dry_run)
		say_would(w);
	else if (w->lost)
		say_lost(d, year);
	else
		say_destroyed(d, year, n);
	return RC_OK;
}

enum rc
cmd_issuer_destroy(struct app *app, int argc, char **argv, struct err *e)
{
	static const struct option longs[] = {
		{ "year", required_argument, NULL, OPT_YEAR },
		{ "early", no_argument, NULL, OPT_EARLY },
		{ "lost", no_argument, NULL, OPT_LOST },
		{ "really", no_argument, NULL, OPT_REALLY },
		{ "custodian", required_argument, NULL, OPT_CUSTODIAN },
		{ NULL, 0, NULL, 0 }
	};
	static const struct issuer_command c = { longs, 1, OPT_YEAR, destroy };

	return issuer_command_run(app, argc, argv, &c, e);
}

/* ---- witness ------------------------------------------------------------ */

static enum rc
read_claim(const char *path, struct witness_claim *c, struct err *e)
{
	struct buf b = BUF_INIT;
	enum rc rc = file_read(path, WITNESS_CLAIM_MAX, &b, e);

	if (rc == RC_OK && witness_claim_parse(b.p, b.len, c, e) != RC_OK)
		rc = err_ctx(e, "%s", path);
	buf_free(&b);
	return rc;
}

static enum rc
check_mail(const char *path, const struct witness_claim *c, struct err *e)
{
	struct buf b = BUF_INIT;
	enum rc rc = file_read(path, MAIL_MAX, &b, e);

	if (rc == RC_OK && !witness_is_of(c, b.p, b.len))
		rc = err_set(e, RC_INPUT, _("%s is not the mail that this "
		    "witness is about: one octet of it differs at least"),
		    path);
	buf_free(&b);
	return rc;
}

static enum rc
say_verdict(struct app *app, const struct witness_claim *c, bool yes,
    struct err *e)
{
	static const struct out_col cols[] = {
		{ "author", NULL, OUT_TEXT }, { "recipient", NULL, OUT_TEXT },
		{ "year", NULL, OUT_NUMBER }, { "at", NULL, OUT_TIME },
		{ "digest", NULL, OUT_TEXT }, { "true", NULL, OUT_BOOL },
		{ NULL, NULL, OUT_TEXT }
	};
	char d[2 * KDF_KEY_BYTES + 1], at[CLOCK_SAY_BYTES];
	struct out *o;

	app->exit = yes ? EX_OK : EX_DATAERR;
	hex_format(c->d, sizeof(c->d), d);
	clock_say(c->at, at);
	if (!app->json) {
		if (yes)
			printf(_("True: %s wrote the mail with the digest %s "
			    "to %s, sealed at %s. Nobody but he and this "
			    "association could make that witness.\n"),
			    c->author.s, d, c->recipient.s, at);
		else
			printf(_("Not proven: that witness was not made with "
			    "the key of %s for this recipient, time and mail. "
			    "It tells neither that he wrote the mail nor that "
			    "he did not.\n"), c->author.s);
		return RC_OK;
	}
	if ((o = out_new(true, "witness", cols)) == NULL)
		return err_nomem(e);
	out_text(o, "author", c->author.s);
	out_text(o, "recipient", c->recipient.s);
	out_number(o, "year", c->year);
	out_time(o, "at", c->at);
	out_text(o, "digest", d);
	out_bool(o, "true", yes);
	out_row(o);
	return out_end(&o, NULL, e);
}

static enum rc
note_witness(const struct desk *d, const struct witness_claim *c,
    struct err *e)
{
	char what[2 * IDENTITY_MAX_BYTES + 80];

	snprintf(what, sizeof(what), "year=%u author=%s recipient=%s", c->year,
	    c->author.s, c->recipient.s);
	return acts_note(d, "witness", what, e);
}

static enum rc
judge(struct app *app, struct desk *d, const struct issuer_words *w,
    struct err *e)
{
	struct witness_claim c;
	bool yes;
	enum rc rc;

	if ((rc = read_claim(w->word, &c, e)) != RC_OK ||
	    (w->mail != NULL && (rc = check_mail(w->mail, &c, e)) != RC_OK))
		return rc;
	if ((desk_knows(d, c.year) || !witness_archived(d, c.year)) &&
	    (rc = issuer_words_root(w, d, c.year, e)) != RC_OK)
		return rc;
	if ((rc = note_witness(d, &c, e)) != RC_OK ||
	    (rc = witness_judge(d, &c, &yes, e)) != RC_OK)
		return rc;
	return say_verdict(app, &c, yes, e);
}

enum rc
cmd_issuer_witness(struct app *app, int argc, char **argv, struct err *e)
{
	static const struct option longs[] = {
		{ "mail", required_argument, NULL, OPT_MAIL },
		{ "custodian", required_argument, NULL, OPT_CUSTODIAN },
		{ NULL, 0, NULL, 0 }
	};
	static const struct issuer_command c = { longs, 2, 0, judge };

	return issuer_command_run(app, argc, argv, &c, e);
}
