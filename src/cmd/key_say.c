/* What people and programs are told of a key file that was taken in. */
#include "config.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/lang.h"
#include "cmd/key.h"
#include "cmd/out.h"

void
key_say_head(const struct key_take *t)
{
	const struct keyfile_head *h = &t->head;

	fprintf(stderr, h->renewal ? _("Renewal of the key of %s, for %u.\n") :
	    _("Key file of %s, for %u.\n"), h->member.s, h->year);
	fprintf(stderr, _("Its fingerprint is %s: the letter must show the "
	    "same.\n"), h->digits);
}

/* After a theft there are several keys of one year. */
static bool
newer_of_year(const struct keystore *ks, const struct keystore_self *s)
{
	for (size_t i = 0; i < ks->nselves; i++)
		if (ks->selves[i].year == s->year &&
		    ks->selves[i].id.gen > s->id.gen &&
		    identity_same_name(&ks->selves[i].id, &s->id))
			return true;
	return false;
}

/* The years beside the new one, as PROTOCOL 2.8 has them overlap. */
static void
say_other_years(const struct key_take *t)
{
	const struct keyfile_result *r = &t->res;
	char until[CLOCK_SAY_BYTES], read[CLOCK_SAY_BYTES];

	for (size_t i = 0; i < t->ks->nselves; i++) {
		const struct keystore_self *s = &t->ks->selves[i];

		if (s->year >= r->year || clock_now() >= s->read_until_at ||
		    !identity_same_name(&s->id, &r->self) ||
		    newer_of_year(t->ks, s))
			continue;
		clock_say(s->send_until_at, until);
		clock_say(s->read_until_at, read);
		printf(_("The key of %u is kept: mail sealed with it can be "
		    "read until %s.\n"), s->year, read);
		if (s->send_until_at > r->from_at)
			printf(_("Both years overlap: each correspondent is "
			    "written to with the key of %u until he has shown "
			    "that of %u, at the latest until %s.\n"), s->year,
			    r->year, until);
	}
}

/* A clock that is wrong refuses nothing (D11), but is told. */
static void
say_clock(const struct keyfile_result *r)
{
	char now[CLOCK_SAY_BYTES], from[CLOCK_SAY_BYTES];

	clock_say(clock_now(), now);
	clock_say(r->from_at, from);
	if (clock_now() < clock_used())
		printf(_("The clock of this machine says %s, earlier than "
		    "this program was made: it is wrong. The key is kept; set "
		    "the clock before anything is sent.\n"), now);
	else if (clock_now() >= r->read_until_at)
		printf(_("The clock of this machine says %s, and by it the "
		    "time of this key is over. The key is kept. If that date "
		    "is wrong, set the clock; if it is right, ask the "
		    "association for the file of the year.\n"), now);
	else if (clock_now() < r->from_at)
		printf(_("It begins on %s; it is %s.\n"), from, now);
}

static void
say_people(const struct key_take *t)
{
	const struct keyfile_result *r = &t->res;
	char until[CLOCK_SAY_BYTES], read[CLOCK_SAY_BYTES];

	clock_say(r->send_until_at, until);
	clock_say(r->read_until_at, read);
	if (r->again && r->nkeys == 0)
		printf(_("This file was taken in already: the key of %s for "
		    "%u is held, and nothing in it is new.\n"), r->self.s,
		    r->year);
	else
		printf(r->again ?
		    _("The key of %s for %u was held already.\n") :
		    _("The key of %s for %u is held now.\n"), r->self.s,
		    r->year);
	printf(_("To write until %s,"), until);
	printf(_(" to read until %s.\n"), read);
	say_other_years(t);
	say_clock(r);
	printf(_("Correspondents: new %zu, known %zu; directory: %zu.\n"),
	    r->nkeys, r->nheld, r->nentries);
	if (r->nconflicts > 0)
		printf(_("%zu keys differ from those held (the first: %.*s); "
		    "the held ones were kept. Call the association.\n"),
		    r->nconflicts, (int)r->conflict.len,
		    r->conflict.s);
	if (t->pending > 0)
		printf(P_("%zu message waited for this key; the next poll "
		    "opens it.\n", "%zu messages waited for this key; the next "
		    "poll opens them.\n", t->pending), t->pending);
	printf("%s", t->app->dry_run ? _("Nothing was changed (--dry-run).\n") :
	    _("Now destroy the file and the letter, and look whether all is "
	    "well: sceau check\n"));
}

static enum rc
say_programs(const struct key_take *t, struct err *e)
{
	static const struct out_col cols[] = {
		{ "file", NULL, OUT_TEXT },
		{ "identity", NULL, OUT_TEXT }, { "year", NULL, OUT_NUMBER },
		{ "again", NULL, OUT_BOOL },
		{ "renewal", NULL, OUT_BOOL },
		{ "from_at", NULL, OUT_TIME },
		{ "send_until_at", NULL, OUT_TIME },
		{ "read_until_at", NULL, OUT_TIME },
		{ "new_keys", NULL, OUT_NUMBER },
		{ "held_keys", NULL, OUT_NUMBER },
		{ "conflicts", NULL, OUT_NUMBER },
		{ "entries", NULL, OUT_NUMBER },
		{ "pending", NULL, OUT_NUMBER }, { NULL, NULL, OUT_TEXT }
	};
	const struct keyfile_result *r = &t->res;
	struct out *o = out_new(true, "key_imported", cols);

	if (o == NULL)
		return err_set(e, RC_NOMEM, _("no memory left"));
	out_text(o, "file", t->path);
	out_text(o, "identity", r->self.s);
	out_number(o, "year", r->year);
	out_bool(o, "again", r->again);
	out_bool(o, "renewal", r->renewal);
	out_time(o, "from_at", r->from_at);
	out_time(o, "send_until_at", r->send_until_at);
	out_time(o, "read_until_at", r->read_until_at);
	out_number(o, "new_keys", (int64_t)r->nkeys);
	out_number(o, "held_keys", (int64_t)r->nheld);
	out_number(o, "conflicts", (int64_t)r->nconflicts);
	out_number(o, "entries", (int64_t)r->nentries);
	out_number(o, "pending", (int64_t)t->pending);
	out_row(o);
	return out_end(&o, NULL, e);
}

enum rc
key_say(const struct key_take *t, struct err *e)
{
	if (t->app->json)
		return say_programs(t, e);
	say_people(t);
	return RC_OK;
}
