/* Tables of newcomers. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "base/lang.h"
#include "issuer/csv.h"
#include "issuer/members.h"
#include "vault/record.h"

#define RENAMED_BYTES (2 * REC_DISPLAY_MAX + 128)

enum column { C_ADDRESS, C_ROUTE, C_NAME, C_KIND, C_RING, C_POST, C_N };

static const char *const titles[C_N] = { "address", "route", "name", "kind",
    "ring", "post" };

/* Where each column stands; -1: it does not. */
struct columns {
	int	at[C_N];
	size_t	n;
};

static enum rc
read_title(struct columns *cols, struct bytes f, int at, struct err *e)
{
	for (size_t i = 0; i < C_N; i++) {
		if (!csv_is(f, titles[i]))
			continue;
		if (cols->at[i] >= 0)
			return err_set(e, RC_INPUT, _("the column %s is "
			    "there twice"), titles[i]);
		cols->at[i] = at;
		return RC_OK;
	}
	return err_set(e, RC_INPUT, _("\"%.*s\" is no column; the first line "
	    "names them: address,route,name,kind,ring,post"),
	    f.len > 40 ? 40 : (int)f.len, (const char *)f.p);
}

static enum rc
read_titles(struct csv *c, struct columns *cols, struct err *e)
{
	enum rc rc;
	bool more;

	for (size_t i = 0; i < C_N; i++)
		cols->at[i] = -1;
	if ((rc = csv_next(c, &more, e)) != RC_OK)
		return rc;
	if (!more)
		return err_set(e, RC_INPUT, _("the table is empty"));
	cols->n = c->n;
	for (size_t i = 0; i < c->n && rc == RC_OK; i++)
		rc = read_title(cols, c->field[i], (int)i, e);
	for (size_t i = 0; i < C_RING && rc == RC_OK; i++)
		if (cols->at[i] < 0)
			rc = err_set(e, RC_INPUT, _("the column %s is "
			    "missing; the first line names them: "
			    "address,route,name,kind,ring,post"), titles[i]);
	return rc;
}

static struct bytes
field(const struct csv *c, const struct columns *cols, enum column which)
{
	int at = cols->at[which];

	if (at < 0 || (size_t)at >= c->n)
		return (struct bytes){ (const uint8_t *)"", 0 };
	return c->field[at];
}

static enum rc
read_kind(struct bytes f, enum member_kind *kind, struct err *e)
{
	char word[16];

	if (f.len < sizeof(word)) {
		memcpy(word, f.p, f.len);
		for (size_t i = 0; i < f.len; i++)
			if (word[i] >= 'A' && word[i] <= 'Z')
				word[i] = (char)(word[i] - 'A' + 'a');
		f.p = (const uint8_t *)word;
		if (members_kind(f, kind))
			return RC_OK;
	}
	return err_set(e, RC_INPUT, _("the kind must be practice, "
	    "laboratory, institution, hub or other"));
}

static enum rc
take_line(struct members *m, const struct csv *c, const struct columns *cols,
    enum member_add *how, struct err *e)
{
	struct member_new w = { .address = field(c, cols, C_ADDRESS),
	    .route = field(c, cols, C_ROUTE), .show = field(c, cols, C_NAME),
	    .lists = field(c, cols, C_RING) };
	enum rc rc;

	/* A table without that column leaves postal addresses as they are. */
	if (cols->at[C_POST] >= 0)
		w.post = field(c, cols, C_POST);
	if (c->n > cols->n)
		return err_set(e, RC_INPUT, _("%zu fields, but %zu columns: "
		    "put a field that holds the separator in quotes"), c->n,
		    cols->n);
	if ((rc = read_kind(field(c, cols, C_KIND), &w.kind, e)) != RC_OK)
		return rc;
	return members_add(m, &w, how, e);
}

struct taking {
	struct members		*m;
	struct csv		 c;
	struct columns		 cols;
	members_say		*say;
	void			*ctx;
	struct members_count	*count;
};

static void
count_it(struct members_count *n, enum member_add how)
{
	if (how & MEMBER_ADDED) {
		n->added++;
		return;
	}
	n->there++;
	n->held += how == MEMBER_HELD;
	n->moved += (how & MEMBER_MOVED) != 0;
	n->joined += (how & MEMBER_JOINED) != 0;
	n->rerouted += (how & MEMBER_REROUTED) != 0;
	n->renamed += (how & MEMBER_RENAMED) != 0;
}

static void
warn(struct taking *t, const char *text)
{
	t->count->warnings++;
	t->say(t->ctx, false, t->c.line, text);
}

/* ${renamed} says from what to what. */
static void
judge(struct taking *t, enum rc rc, enum member_add how, const char *renamed,
    const char *why)
{
	if (rc != RC_OK) {
		t->count->wrong++;
		t->say(t->ctx, true, t->c.line > 0 ? t->c.line : 1, why);
		return;
	}
	count_it(t->count, how);
	if (how & MEMBER_RENAMED)
		warn(t, renamed);
	if (how & MEMBER_REROUTED)
		warn(t, _("another route than before"));
	if (how & MEMBER_SHARES)
		warn(t, _("another member has the same route: whoever fetches "
		    "that mailbox must hold both keys"));
}

/* A line whose address was copied wrongly looks just so: a person sees both
 * names. */
static void
say_names(struct taking *t, char text[RENAMED_BYTES])
{
	const struct bytes show = field(&t->c, &t->cols, C_NAME);
	const struct bytes address = field(&t->c, &t->cols, C_ADDRESS);
	char who[IDENTITY_MAX_BYTES];
	struct err ignored = ERR_INIT;
	struct member *held;

	text[0] = '\0';
	if (address.len >= sizeof(who) || show.len > REC_DISPLAY_MAX)
		return;
	memcpy(who, address.p, address.len);
	who[address.len] = '\0';
	if (members_seek(t->m, who, &held, &ignored) == RC_OK)
		snprintf(text, RENAMED_BYTES, _("another name than before: "
		    "\"%s\" becomes \"%.*s\""), held->show, (int)show.len,
		    (const char *)show.p);
}

/* Every line, so that a person hears of all that is wrong at once. */
static enum rc
take_lines(struct taking *t)
{
	struct err why = ERR_INIT;
	enum member_add how = MEMBER_ADDED;
	char names[RENAMED_BYTES];
	enum rc rc;
	bool more;

	for (;;) {
		if ((rc = csv_next(&t->c, &more, &why)) != RC_OK) {
			judge(t, rc, how, "", why.text);
			return rc;
		}
		if (!more)
			return RC_OK;
		say_names(t, names);
		rc = take_line(t->m, &t->c, &t->cols, &how, &why);
		if (rc == RC_NOMEM)
			return rc;
		judge(t, rc, how, names, why.text);
	}
}

enum rc
members_take(struct members *m, uint8_t *p, size_t len, members_say *say,
    void *ctx, struct members_count *count, struct err *e)
{
	struct taking t = { .m = m, .say = say, .ctx = ctx, .count = count };
	struct err why = ERR_INIT;
	enum rc rc;

	memset(count, 0, sizeof(*count));
	csv_init(&t.c, p, len);
	if ((rc = read_titles(&t.c, &t.cols, &why)) != RC_OK)
		judge(&t, rc, MEMBER_ADDED, "", why.text);
	else
		rc = take_lines(&t);
	if (rc == RC_NOMEM)
		return err_set(e, RC_NOMEM, _("no memory left"));
	if (count->wrong == 0)
		return RC_OK;
	return err_set(e, RC_INPUT, P_("%zu line is wrong; nobody was taken "
	    "in", "%zu lines are wrong; nobody was taken in", count->wrong),
	    count->wrong);
}
