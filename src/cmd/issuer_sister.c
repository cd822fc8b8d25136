/* sceau issuer list, grant, accept: an agreement with another association. */
#include "config.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/lang.h"
#include "base/secret.h"
#include "cmd/issuer_mail.h"
#include "cmd/issuer_words.h"
#include "cmd/key.h"
#include "cmd/out.h"
#include "issuer/acts.h"
#include "issuer/batch.h"
#include "issuer/names.h"
#include "issuer/sister.h"

static enum rc
too_long(const char *name, struct err *e)
{
	return err_set(e, RC_CONF, _("%s: the name is too long"), name);
}

/* ---- list --------------------------------------------------------------- */

static enum rc
say_list(const struct app *app, const struct issuer_words *w, size_t n,
    struct err *e)
{
	static const struct out_col cols[] = {
		{ "file", NULL, OUT_TEXT }, { "members", NULL, OUT_NUMBER },
		{ NULL, NULL, OUT_TEXT }
	};
	struct out *o;

	if (!app->json) {
		printf(app->dry_run ? P_("%zu member would stand in %s.\n",
		    "%zu members would stand in %s.\n", n) :
		    P_("%zu member stands in %s.\n",
		    "%zu members stand in %s.\n", n), n, w->out);
		if (!app->dry_run)
			printf(_("Nothing in it is secret: send it by mail to "
			    "the other association, whose issuer's desk makes "
			    "the keys of these members with sceau issuer "
			    "grant.\n"));
		return RC_OK;
	}
	if ((o = out_new(true, "list", cols)) == NULL)
		return err_nomem(e);
	out_text(o, "file", w->out);
	out_number(o, "members", (int64_t)n);
	out_row(o);
	return out_end(&o, NULL, e);
}

static enum rc
list(struct app *app, struct desk *d, const struct issuer_words *w,
    struct err *e)
{
	struct buf b = BUF_INIT;
	char what[128];
	size_t n;
	enum rc rc = RC_OK;

	if (!sister_list_format(d->members, w->ring, &n, &b))
		rc = err_nomem(e);
	else if (n == 0)
		rc = err_set(e, RC_INPUT, w->ring != NULL ? _("no member "
		    "stands on that list") : _("there is no member yet"));
	snprintf(what, sizeof(what), "members=%zu%s%.80s", n,
	    w->ring != NULL ? " ring=" : "", w->ring != NULL ? w->ring : "");
	if (rc == RC_OK && !app->dry_run &&
	    (rc = acts_note(d, "list", what, e)) == RC_OK)
		rc = file_write(w->out, b.p, b.len, 0600, e);
	buf_free(&b);
	return rc == RC_OK ? say_list(app, w, n, e) : rc;
}

enum rc
cmd_issuer_list(struct app *app, int argc, char **argv, struct err *e)
{
	static const struct option longs[] = {
		{ "out", required_argument, NULL, OPT_OUT },
		{ "ring", required_argument, NULL, OPT_RING },
		{ NULL, 0, NULL, 0 }
	};
	static const struct issuer_command c = { longs, 1, OPT_OUT, list };

	return issuer_command_run(app, argc, argv, &c, e);
}

/* ---- grant -------------------------------------------------------------- */

struct giving {
	struct app	*app;
	const struct issuer_words *words;
	struct desk	*desk;
	struct sister_list list;
	struct sister_grant_plan plan;
	struct sister_count count;
	char		 name[PATH_MAX];	/* of both, without end */
	char		 file[PATH_MAX];
	char		 letter[PATH_MAX];
};

static void
say_refused(void *ctx, const struct identity *id, const struct member *owner)
{
	(void)ctx;
	fprintf(stderr, _("%s gets no key: its domain is that of %s, who is a "
	    "member here; only this association can vouch for it\n"), id->s,
	    owner->show);
}

/* Of a letter that may be posted, the file is not made anew. */
static enum rc
set_files(struct giving *g, struct err *e)
{
	struct bytes to = identity_assoc(&g->list.issuer);
	int n = snprintf(g->name, PATH_MAX, "%s-for-%.*s.%u",
	    g->desk->members->assoc, (int)to.len, (const char *)to.p,
	    g->plan.year);

	if (n < 0 || snprintf(g->file, PATH_MAX, "%s/%s.grants",
	    g->words->out, g->name) >= PATH_MAX ||
	    snprintf(g->letter, PATH_MAX, "%s/%s.txt", g->words->out,
	    g->name) >= PATH_MAX)
		return too_long(g->words->out, e);
	if (access(g->letter, F_OK) == 0)
		return err_set(e, RC_CONF, _("%s is there: its code opens the "
		    "file beside it alone; name another folder"), g->letter);
	return RC_OK;
}

static enum rc
into_buf(void *arg, const uint8_t *p, size_t len, struct err *e)
{
	return buf_add(arg, p, len) ? RC_OK : err_nomem(e);
}

/* The file first: a letter says that its file is whole. */
static enum rc
write_both(struct giving *g, struct err *e)
{
	const char *slash = strrchr(g->file, '/');
	uint8_t code[CODE_BYTES];
	char text[CODE_TEXT_BYTES];
	const struct sister_letter l = { g->desk, &g->list.issuer,
	    g->plan.year, slash + 1, text, g->words->plan.english };
	struct buf b = BUF_INIT;
	enum rc rc;

	random_bytes(code, sizeof(code));
	code_format(code, text);
	rc = sister_grant(&g->plan, code, (struct env_sink){ into_buf, &b },
	    e);
	if (rc == RC_OK && (rc = file_mkdirs(g->words->out, 0700, e)) == RC_OK)
		rc = file_write(g->file, b.p, b.len, 0600, e);
	buf_wipe(&b);
	if (rc == RC_OK)
		rc = sister_letter(&l, &b) ? file_write(g->letter, b.p, b.len,
		    0600, e) : err_nomem(e);
	buf_free(&b);
	wipe(code, sizeof(code));
	wipe(text, sizeof(text));
	return rc;
}

static void
say_granted(const struct giving *g)
{
	const struct sister_count *c = &g->count;

	printf(g->app->dry_run ? P_("%zu member of the list would get keys "
	    "for writing to ours (ours: %zu; on the list, without a key: "
	    "%zu).\n", "%zu members of the list would get keys for writing "
	    "to ours (ours: %zu; on the list, without a key: %zu).\n",
	    c->writers) : P_("%zu member of the list gets keys for writing to "
	    "ours (ours: %zu; on the list, without a key: %zu).\n", "%zu "
	    "members of the list get keys for writing to ours (ours: %zu; on "
	    "the list, without a key: %zu).\n", c->writers), c->writers,
	    c->peers, c->refused);
	if (!g->app->dry_run)
		printf(_("Send %s by mail to the other association's issuer, "
		    "and by another way, by post or telephone, the code that "
		    "stands in %s; then destroy that letter's file.\n"),
		    g->file, g->letter);
}

static enum rc
say_grant(const struct giving *g, struct err *e)
{
	static const struct out_col cols[] = {
		{ "to", NULL, OUT_TEXT }, { "year", NULL, OUT_NUMBER },
		{ "members", NULL, OUT_NUMBER },
		{ "refused", NULL, OUT_NUMBER },
		{ "peers", NULL, OUT_NUMBER }, { "file", NULL, OUT_TEXT },
		{ "letter", NULL, OUT_TEXT }, { NULL, NULL, OUT_TEXT }
	};
	struct out *o;

	if (!g->app->json) {
		say_granted(g);
		return RC_OK;
	}
	if ((o = out_new(true, "grants", cols)) == NULL)
		return err_nomem(e);
	out_text(o, "to", g->list.issuer.s);
	out_number(o, "year", g->plan.year);
	out_number(o, "members", (int64_t)g->count.writers);
	out_number(o, "refused", (int64_t)g->count.refused);
	out_number(o, "peers", (int64_t)g->count.peers);
	out_text(o, "file", g->file);
	out_text(o, "letter", g->letter);
	out_row(o);
	return out_end(&o, NULL, e);
}

static enum rc
choose_year(struct giving *g, struct err *e)
{
	struct batch_plan years = { .desk = g->desk };

	if (g->words->plan.year != 0)
		years.years[years.nyears++] = g->words->plan.year;
	else if (g->desk->nyears > 0)
		years.years[years.nyears++] =
		    g->desk->years[g->desk->nyears - 1];
	g->plan.year = years.years[0];
	return batch_check(&years, e);
}

static enum rc
grant(struct giving *g, const char *path, struct err *e)
{
	char what[64 + IDENTITY_MAX_BYTES];
	struct buf b = BUF_INIT;
	enum rc rc = file_read(path, MEMBERS_FILE_MAX, &b, e);

	if (rc == RC_OK && (rc = sister_list_parse((struct bytes){ b.p,
	    b.len }, &g->list, e)) != RC_OK)
		rc = err_ctx(e, "%s", path);
	buf_free(&b);
	g->plan = (struct sister_grant_plan){ .desk = g->desk,
	    .list = &g->list, .ring = g->words->ring,
	    .refuse = say_refused };
	if (rc != RC_OK || (rc = choose_year(g, e)) != RC_OK ||
	    (rc = set_files(g, e)) != RC_OK ||
	    (rc = sister_grant_check(&g->plan, &g->count, e)) != RC_OK)
		return rc;
	if (g->app->dry_run)
		return say_grant(g, e);
	snprintf(what, sizeof(what), "year=%u to=%s members=%zu peers=%zu",
	    g->plan.year, g->list.issuer.s, g->count.writers,
	    g->count.peers);
	if ((rc = issuer_words_root(g->words, g->desk, g->plan.year, e)) !=
	    RC_OK || (rc = acts_note(g->desk, "grant", what, e)) != RC_OK ||
	    (rc = write_both(g, e)) != RC_OK)
		return rc;
	return say_grant(g, e);
}

static enum rc
give_keys(struct app *app, struct desk *d, const struct issuer_words *w,
    struct err *e)
{
	struct giving g = { .app = app, .words = w, .desk = d };
	enum rc rc = grant(&g, w->word, e);

	sister_list_wipe(&g.list);
	return rc;
}

enum rc
cmd_issuer_grant(struct app *app, int argc, char **argv, struct err *e)
{
	static const struct option longs[] = {
		{ "out", required_argument, NULL, OPT_OUT },
		{ "ring", required_argument, NULL, OPT_RING },
		{ "year", required_argument, NULL, OPT_YEAR },
		{ "custodian", required_argument, NULL, OPT_CUSTODIAN },
		{ NULL, 0, NULL, 0 }
	};
	static const struct issuer_command c = { longs, 2, OPT_OUT, give_keys };

	return issuer_command_run(app, argc, argv, &c, e);
}

/* ---- accept ------------------------------------------------------------- */

struct taking {
	struct app	*app;
	const struct issuer_words *words;
	struct desk	*desk;
	int		 fd;
	struct env_head	 head;
	struct sister_count count;
	struct names	 names;
	struct out	*o;		/* JSON only */
	char		 folder[PATH_MAX];
	char		 path[PATH_MAX];
	struct buf	 mail;
	size_t		 n;
};

static const struct out_col mail_cols[] = {
	{ "identity", NULL, OUT_TEXT }, { "name", NULL, OUT_TEXT },
	{ "year", NULL, OUT_NUMBER }, { "part", NULL, OUT_NUMBER },
	{ "mail", NULL, OUT_TEXT }, { "peers", NULL, OUT_NUMBER },
	{ NULL, NULL, OUT_TEXT }
};

static enum rc
count_one(void *ctx, const struct sister_mail *m, struct err *e)
{
	struct taking *t = ctx;

	(void)m;
	(void)e;
	t->n++;
	return RC_OK;
}

/* "dr.martin.2027.beta.eml": the same keys each time, so it may be replaced
 * by a later one. */
static enum rc
set_path(struct taking *t, const struct sister_mail *m, struct err *e)
{
	struct bytes assoc = identity_assoc(m->from);
	char name[NAMES_BYTES], part[24] = "";
	int n;

	names_of(&t->names, m->member, m->year, name);
	if (m->part > 1)
		snprintf(part, sizeof(part), ".%zu", m->part);
	n = snprintf(t->path, PATH_MAX, "%s/%s.%.*s%s.eml", t->folder, name,
	    (int)assoc.len, (const char *)assoc.p, part);
	return n >= 0 && n < PATH_MAX - 16 ? RC_OK : too_long(t->folder, e);
}

static enum rc
write_one(void *ctx, const struct sister_mail *m, struct err *e)
{
	struct taking *t = ctx;
	enum rc rc;

	if ((rc = set_path(t, m, e)) != RC_OK ||
	    (!t->app->dry_run && ((rc = issuer_mail_wrap(t->desk, m->member,
	    m->envelope, &t->mail, e)) != RC_OK ||
	    (rc = file_write(t->path, t->mail.p, t->mail.len, 0600, e)) !=
	    RC_OK)) || t->o == NULL)
		return rc;
	out_text(t->o, "identity", m->member->id.s);
	out_text(t->o, "name", m->member->show);
	out_number(t->o, "year", m->year);
	out_number(t->o, "part", (int64_t)m->part);
	out_text(t->o, "mail", t->path);
	out_number(t->o, "peers", (int64_t)m->grants);
	out_row(t->o);
	return RC_OK;
}

/* All of it is looked at before a custodian comes. */
static enum rc
look(struct taking *t, uint8_t code[CODE_BYTES], struct err *e)
{
	struct key_take ask = { .app = t->app,
	    .code_file = t->words->code_file };
	struct batch_plan year = { .desk = t->desk, .nyears = 1 };
	enum rc rc;

	if ((rc = sister_head(t->desk, t->fd, &t->head, e)) != RC_OK)
		return rc;
	year.years[0] = t->head.year;
	if ((rc = batch_check(&year, e)) != RC_OK)
		return rc;
	if (ask.code_file == NULL)
		ask.ask = ask_begin(false);
	if ((rc = key_code(&ask, code, e)) != RC_OK ||
	    (rc = sister_accept(t->desk, t->fd, code, false, count_one, t,
	    &t->count, e)) != RC_OK)
		return rc;
	return t->n > 0 ? RC_OK : err_set(e, RC_INPUT, _("there is no key for "
	    "any member of this desk in it: send the other association a "
	    "new list"));
}

static enum rc
begin(struct taking *t, struct err *e)
{
	char what[64 + IDENTITY_MAX_BYTES];
	enum rc rc;

	snprintf(what, sizeof(what), "year=%u from=%s members=%zu peers=%zu",
	    t->head.year, t->head.from.s, t->count.writers, t->count.peers);
	if ((rc = issuer_words_root(t->words, t->desk, t->head.year, e)) !=
	    RC_OK || (rc = acts_note(t->desk, "accept", what, e)) != RC_OK)
		return rc;
	return file_mkdirs(t->folder, 0700, e);
}

static enum rc
give(struct taking *t, const uint8_t code[CODE_BYTES], struct err *e)
{
	struct err why = ERR_INIT;
	enum rc rc, end = RC_OK;

	if (!t->app->dry_run && (rc = begin(t, e)) != RC_OK)
		return rc;
	if (!names_init(&t->names, t->desk->members) || (t->app->json &&
	    (t->o = out_new(true, "accepted", mail_cols)) == NULL))
		return err_nomem(e);
	rc = sister_accept(t->desk, t->fd, code, !t->app->dry_run, write_one,
	    t, &t->count, e);
	if (t->o != NULL)
		end = out_end(&t->o, NULL, rc == RC_OK ? e : &why);
	return rc == RC_OK ? end : rc;
}

static void
say_accept(const struct taking *t)
{
	const struct sister_count *c = &t->count;

	printf(t->app->dry_run ? P_("%zu mail would be made in %s (for our "
	    "members: %zu; members of the other association to whom they can "
	    "write: %zu).\n", "%zu mails would be made in %s (for our "
	    "members: %zu; members of the other association to whom they can "
	    "write: %zu).\n", t->n) : P_("%zu mail made in %s (for our "
	    "members: %zu; members of the other association to whom they can "
	    "write: %zu).\n", "%zu mails made in %s (for our members: %zu; "
	    "members of the other association to whom they can write: "
	    "%zu).\n", t->n), t->n, t->folder, c->writers, c->peers);
	if (c->unknown > 0)
		printf(P_("%zu of the list has left or has another key since: "
		    "send the other association a new list.\n", "%zu of the "
		    "list have left or have another key since: send the other "
		    "association a new list.\n", c->unknown), c->unknown);
	if (c->refused > 0)
		printf(P_("%zu member of the other association is passed over: "
		    "his domain belongs to a member here, for whom only this "
		    "association can vouch.\n", "%zu members of the other "
		    "association are passed over: their domain belongs to a "
		    "member here, for whom only this association can vouch.\n",
		    c->refused), c->refused);
	if (!t->app->dry_run)
		printf(_("They are sealed: carry the folder to a computer "
		    "that has a mailbox, the watch desk's for instance, and "
		    "type there:\n  sceau queue add mails\nDestroy the file "
		    "of keys and the letter once they are sent.\n"));
}

static enum rc
accept_file(struct taking *t, const char *path, struct err *e)
{
	uint8_t code[CODE_BYTES] = { 0 };
	enum rc rc;

	if (snprintf(t->folder, PATH_MAX, "%s/mails", t->words->out) >=
	    PATH_MAX)
		return too_long(t->words->out, e);
	if ((t->fd = open(path, O_RDONLY | O_CLOEXEC)) < 0)
		return err_sys(e, "%s", path);
	rc = look(t, code, e);
	if (rc == RC_OK)
		rc = give(t, code, e);
	wipe(code, sizeof(code));
	close(t->fd);
	if (rc != RC_OK)
		return err_ctx(e, "%s", path);
	if (!t->app->json)
		say_accept(t);
	return RC_OK;
}

static enum rc
accept(struct app *app, struct desk *d, const struct issuer_words *w,
    struct err *e)
{
	struct taking *t = calloc(1, sizeof(*t));
	enum rc rc;

	if (t == NULL)
		return err_nomem(e);
	t->app = app;
	t->words = w;
	t->desk = d;
	rc = accept_file(t, w->word, e);
	names_wipe(&t->names);
	buf_free(&t->mail);
	free(t);
	return rc;
}

enum rc
cmd_issuer_accept(struct app *app, int argc, char **argv, struct err *e)
{
	static const struct option longs[] = {
		{ "out", required_argument, NULL, OPT_OUT },
		{ "code-file", required_argument, NULL, OPT_CODE_FILE },
		{ "custodian", required_argument, NULL, OPT_CUSTODIAN },
		{ NULL, 0, NULL, 0 }
	};
	static const struct issuer_command c = { longs, 2, OPT_OUT, accept };

	return issuer_command_run(app, argc, argv, &c, e);
}
