/* sceau issuer enrol: mails that tell the members what is new. */
#include "config.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/lang.h"
#include "cmd/issuer_mail.h"
#include "cmd/issuer_words.h"
#include "cmd/out.h"
#include "issuer/acts.h"
#include "issuer/enrol.h"
#include "issuer/names.h"
#include "wire/drop.h"

#define GROUP_MAX 256	/* mails: what a death costs */
#define GROUP_BYTES (64UL * 1024 * 1024)

/* A mail that has no name yet. */
struct paper {
	struct enrol_done done;
	struct drop	 drop;
};

struct mails {
	struct app	*app;
	const struct desk *desk;
	struct out	*o;		/* JSON only */
	struct names	 names;
	char		 folder[PATH_MAX];
	char		 stamp[CLOCK_3339_BYTES];	/* see set_name() */
	char		 name[NAMES_BYTES + CLOCK_3339_BYTES + 32];
	struct buf	 mail;
	struct paper	*papers;	/* GROUP_MAX of them */
	size_t		 npapers;
	uint64_t	 bytes;
	bool		 failed;	/* some never got their names */
	size_t		 n, members;
};

static const struct out_col mail_cols[] = {
	{ "identity", NULL, OUT_TEXT }, { "name", NULL, OUT_TEXT },
	{ "year", NULL, OUT_NUMBER }, { "part", NULL, OUT_NUMBER },
	{ "mail", NULL, OUT_TEXT }, { "peers", NULL, OUT_NUMBER },
	{ "entries", NULL, OUT_NUMBER }, { "bars", NULL, OUT_NUMBER },
	{ NULL, NULL, OUT_TEXT }
};

/* "dr.martin.2026.20261127T120000Z.eml": another one each time that there is
 * something new, so that a mail which was not sent yet is not replaced; what
 * is told again, with --since, may be less than in that one. */
static void
set_name(struct mails *m, const struct enrol_done *d)
{
	char name[NAMES_BYTES], part[24] = "";

	names_of(&m->names, d->member, d->year, name);
	if (d->part > 1)
		snprintf(part, sizeof(part), ".%zu", d->part);
	snprintf(m->name, sizeof(m->name), "%s.%s%s.eml", name, m->stamp,
	    part);
}

static void
mail_object(struct mails *m, const struct enrol_done *d)
{
	char path[sizeof(m->folder) + sizeof(m->name)];

	snprintf(path, sizeof(path), "%s/%s", m->folder, m->name);
	out_text(m->o, "identity", d->member->id.s);
	out_text(m->o, "name", d->member->show);
	out_number(m->o, "year", d->year);
	out_number(m->o, "part", (int64_t)d->part);
	out_text(m->o, "mail", path);
	out_number(m->o, "peers", (int64_t)d->grants);
	out_number(m->o, "entries", (int64_t)d->entries);
	out_number(m->o, "bars", (int64_t)d->bars);
	out_row(m->o);
}

/* It is there: for good, unless all is only told. */
static enum rc
tell(struct mails *m, const struct enrol_done *d, struct err *e)
{
	m->n++;
	m->members += d->part == 1;
	if (m->o != NULL) {
		set_name(m, d);
		mail_object(m, d);
	}
	if (ferror(stdout))
		return err_set(e, RC_TEMP, _("standard output failed; the "
		    "mails made so far are good"));
	return RC_OK;
}

/* ---- many at the price of one ------------------------------------------- */

static struct drop_place
place_of(const struct mails *m)
{
	return (struct drop_place){ m->folder, false };
}

static enum rc
name_all(struct mails *m, struct err *e)
{
	const struct drop_place place = place_of(m);
	struct drop *drops[GROUP_MAX];
	enum rc rc;

	for (size_t i = 0; i < m->npapers; i++)
		drops[i] = &m->papers[i].drop;
	rc = drop_sync_many(&place, drops, m->npapers, e);
	for (size_t i = 0; i < m->npapers && rc == RC_OK; i++) {
		set_name(m, &m->papers[i].done);
		rc = drop_replace(&place, drops[i], m->name, e);
	}
	return rc == RC_OK ? drop_settle(&place, e) : rc;
}

/* After a failure never again: the register would say that members were told
 * whose mails are lost. */
static enum rc
settle(struct mails *m, struct err *e)
{
	const size_t n = m->npapers;
	enum rc rc = RC_OK;

	if (m->failed)
		return err_set(e, RC_TEMP, "%s", m->folder);
	if (n > 0 && (rc = name_all(m, e)) != RC_OK)
		m->failed = true;
	for (size_t i = 0; i < n; i++)
		drop_forget(&m->papers[i].drop);
	m->npapers = 0;
	m->bytes = 0;
	for (size_t i = 0; i < n && rc == RC_OK; i++)
		rc = tell(m, &m->papers[i].done, e);
	return rc;
}

static enum rc
put_mail(struct mails *m, const struct enrol_done *d, struct err *e)
{
	const struct drop_place place = place_of(m);
	struct paper *p = &m->papers[m->npapers];
	enum rc rc;

	if ((rc = issuer_mail_wrap(m->desk, d->member, d->envelope, &m->mail,
	    e)) != RC_OK ||
	    (rc = drop_open(&place, &p->drop, e)) != RC_OK)
		return rc;
	if ((rc = drop_write(&p->drop, m->mail.p, m->mail.len, e)) != RC_OK ||
	    (rc = drop_written(&p->drop, e)) != RC_OK) {
		drop_forget(&p->drop);
		return rc;
	}
	p->done = *d;
	m->npapers++;
	m->bytes += m->mail.len;
	return m->npapers < GROUP_MAX && m->bytes < GROUP_BYTES ? RC_OK :
	    settle(m, e);
}

static enum rc
on_envelope(void *ctx, const struct enrol_done *d, struct err *e)
{
	struct mails *m = ctx;

	if (d == NULL)
		return settle(m, e);
	return m->app->dry_run ? tell(m, d, e) : put_mail(m, d, e);
}

/* ---- all of them -------------------------------------------------------- */

static void
say_enrol(const struct mails *m)
{
	if (m->app->dry_run) {
		printf(P_("%zu mail would be made in %s (members: %zu).\n",
		    "%zu mails would be made in %s (members: %zu).\n", m->n),
		    m->n, m->folder, m->members);
		return;
	}
	if (m->n == 0) {
		printf(_("Nobody has anything to learn: no mail was made.\n"));
		return;
	}
	printf(P_("%zu mail made in %s (members: %zu); the others have "
	    "nothing to learn.\n", "%zu mails made in %s (members: %zu); the "
	    "others have nothing to learn.\n", m->n), m->n, m->folder,
	    m->members);
	printf(_("They are sealed: carry the folder to a computer that has a "
	    "mailbox, the watch desk's for instance, and type there:\n"
	    "  sceau queue add mails\n"
	    "A lost one does no harm: give the same command with --since "
	    "once more.\n"));
}

static void
set_stamp(struct mails *m, int64_t at)
{
	char *to = m->stamp;

	clock_3339(at, m->stamp);
	for (const char *c = m->stamp; *c != '\0'; c++)
		if (*c != '-' && *c != ':')
			*to++ = *c;
	*to = '\0';
}

struct planned {
	const struct enrol_plan *plan;
	size_t		 n[BATCH_YEARS_MAX];
};

static enum rc
plan_one(void *ctx, const struct enrol_done *d, struct err *e)
{
	struct planned *p = ctx;

	(void)e;
	for (size_t i = 0; i < p->plan->nyears; i++)
		p->n[i] += d->year == p->plan->years[i];
	return RC_OK;
}

/* Custodians come for a year in which somebody has something to learn. */
static enum rc
roots(const struct enrol_plan *plan, const struct issuer_words *w, bool *any,
    struct err *e)
{
	struct enrol_plan dry = *plan;
	struct planned p = { .plan = &dry };
	enum rc rc;

	dry.really = false;
	rc = enrol_run(&dry, plan_one, &p, e);
	for (size_t i = 0; i < dry.nyears && rc == RC_OK; i++) {
		if (p.n[i] == 0)
			continue;
		*any = true;
		rc = issuer_words_root(w, plan->desk, dry.years[i], e);
	}
	return rc;
}

static enum rc
begin(struct mails *m, const struct enrol_plan *plan,
    const struct issuer_words *w, struct err *e)
{
	char what[64];
	bool any = false;
	enum rc rc = RC_OK;

	if (snprintf(m->folder, PATH_MAX, "%s/mails", w->out) >= PATH_MAX)
		return err_set(e, RC_CONF, _("%s: the name is too long"),
		    w->out);
	set_stamp(m, plan->since_at == ENROL_BY_MARKS ?
	    m->desk->members->changed_at : clock_now());
	if (!names_init(&m->names, m->desk->members) ||
	    (m->papers = calloc(GROUP_MAX, sizeof(*m->papers))) == NULL ||
	    (m->app->json &&
	    (m->o = out_new(true, "enrolment", mail_cols)) == NULL))
		return err_set(e, RC_NOMEM, _("no memory left"));
	if (!plan->really || (rc = roots(plan, w, &any, e)) != RC_OK || !any)
		return rc;
	const struct drop_place place = place_of(m);
	if ((rc = drop_prepare(&place, e)) != RC_OK)
		return rc;
	snprintf(what, sizeof(what), "since=%lld", (long long)plan->since_at);
	return acts_note(m->desk, "enrol", plan->since_at == ENROL_BY_MARKS ?
	    "since=last" : what, e);
}

static enum rc
enrol(struct app *app, struct desk *d, const struct issuer_words *w,
    struct err *e)
{
	struct enrol_plan plan = { .desk = d, .really = !app->dry_run,
	    .since_at = w->since ? w->since_at : ENROL_BY_MARKS };
	struct mails m = { .app = app, .desk = d };
	struct err why = ERR_INIT;
	enum rc rc, end = RC_OK;

	plan.nyears = batch_years(d, plan.years);
	if ((rc = begin(&m, &plan, w, e)) == RC_OK)
		rc = enrol_run(&plan, on_envelope, &m, e);
	if (m.o != NULL)
		end = out_end(&m.o, NULL, rc == RC_OK ? e : &why);
	else if (rc == RC_OK)
		say_enrol(&m);
	names_wipe(&m.names);
	buf_free(&m.mail);
	free(m.papers);
	return rc == RC_OK ? end : rc;
}

enum rc
cmd_issuer_enrol(struct app *app, int argc, char **argv, struct err *e)
{
	static const struct option longs[] = {
		{ "out", required_argument, NULL, OPT_OUT },
		{ "since", required_argument, NULL, OPT_SINCE },
		{ "custodian", required_argument, NULL, OPT_CUSTODIAN },
		{ NULL, 0, NULL, 0 }
	};
	static const struct issuer_command c = { longs, 1, OPT_OUT, enrol };

	return issuer_command_run(app, argc, argv, &c, e);
}
