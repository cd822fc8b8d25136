/* sceau issuer audit: what was done at the desk. */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>

#include "base/lang.h"
#include "cmd/cmd.h"
#include "cmd/out.h"
#include "issuer/acts.h"

enum { OPT_NOTED = 1000 };

/* Of a hash that a person noted: fewer digits, and another journal could be
 * made up that has them. */
#define NOTED_MIN 16
#define NOTED_MAX (2 * CHAIN_HASH_BYTES)

struct listing {
	struct out	*o;
	const char	*noted;		/* NULL: nothing to compare with */
	unsigned	 found;		/* the line that has it; 0: none */
};

static const struct out_col cols[] = {
	{ "line", N_("no."), OUT_NUMBER },
	{ "at", N_("when"), OUT_TIME },
	{ "act", NULL, OUT_TEXT },
	{ "say", N_("act"), OUT_TEXT },
	{ "what", N_("what"), OUT_TEXT },
	{ "whole", N_("whole"), OUT_BOOL },
	{ "hash", NULL, OUT_TEXT },
	{ NULL, NULL, OUT_TEXT }
};

/* For people; an act that is not in it is shown as it stands. */
static const char *
act_say(const char *act)
{
	static const struct {
		const char	*act, *say;
	} words[] = {
		{ "init", N_("desk made") },
		{ "add", N_("members entered") },
		{ "batch", N_("key files made") },
		{ "newcomer", N_("key files of newcomers made") },
		{ "reissue", N_("new key for a member") },
		{ "enrol", N_("members told what is new") },
		{ "renew", N_("keys of the next year made") },
		{ "leave", N_("member left") },
		{ "list", N_("list for another association") },
		{ "grant", N_("keys for another association") },
		{ "accept", N_("keys of another association") },
		{ "sheets", N_("new sheets for the custodians") },
		{ "destroy", N_("root destroyed") },
		{ "witness", N_("witness judged") },
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(words[i].act, act) == 0)
			return _(words[i].say);
	return act;
}

static enum rc
list_one(void *ctx, const struct act *a, struct err *e)
{
	struct listing *l = ctx;
	struct out *o = l->o;

	(void)e;
	if (l->noted != NULL && a->whole && l->found == 0 &&
	    strncasecmp(a->hash, l->noted, strlen(l->noted)) == 0)
		l->found = a->line;
	out_number(o, "line", a->line);
	out_time(o, "at", a->at);
	out_text(o, "act", a->act);
	out_text(o, "say", act_say(a->act));
	out_text(o, "what", a->what);
	out_bool(o, "whole", a->whole);
	out_text(o, "hash", a->hash);
	out_row(o);
	return RC_OK;
}

static void
say_journal(const struct acts_sum *s)
{
	if (s->broken != 0)
		printf(_("The journal is broken at line %u: it was changed, or "
		    "one before it taken out, after it was written. What "
		    "stands before it is whole. Keep this file as it is, and "
		    "compare with a backup.\n"), s->broken);
	else if (s->n > 0)
		printf(P_("The journal is whole: %u line. Its last hash is "
		    "%s;\nwhoever noted it can tell later that nothing before "
		    "it was changed.\n", "The journal is whole: %u lines. Its "
		    "last hash is %s;\nwhoever noted it can tell later that "
		    "nothing before it was changed.\n", s->n), s->n, s->last);
}

static void
say_noted(const struct listing *l)
{
	if (l->found != 0)
		printf(_("The noted hash is that of line %u: since it was "
		    "noted, nothing up to there was changed or taken out.\n"),
		    l->found);
	else
		printf(_("No line has the noted hash: since it was noted, what "
		    "stood before it was changed or taken out; or this is "
		    "another journal, or an older copy of it. Compare the "
		    "digits once more, then compare with a backup.\n"));
}

/* What follows a broken line has its right hash and another past. */
static void
say_sum(struct app *app, const struct acts_sum *s, struct listing *l)
{
	if (s->broken != 0 && l->found >= s->broken)
		l->found = 0;
	app->exit = s->broken != 0 || (l->noted != NULL && l->found == 0) ?
	    EX_DATAERR : EX_OK;
	if (app->json) {
		printf("{\"schema\":1,\"type\":\"acts\",\"lines\":%u,"
		    "\"broken\":%u,\"hash\":\"%s\"", s->n, s->broken,
		    s->last);
		if (l->noted != NULL)
			printf(",\"noted\":%u", l->found);
		puts("}");
		return;
	}
	say_journal(s);
	if (l->noted != NULL)
		say_noted(l);
}

static enum rc
read_words(struct app *app, int argc, char **argv, struct listing *l,
    struct err *e)
{
	static const struct option longs[] = {
		{ "noted", required_argument, NULL, OPT_NOTED },
		{ NULL, 0, NULL, 0 }
	};
	enum rc rc;
	size_t n;
	int opt;

	while ((rc = app_getopt(app, argc, argv, "", longs, &opt, e)) ==
	    RC_OK && opt != -1)
		l->noted = optarg;
	if (rc != RC_OK)
		return rc;
	if (argc - optind != 1)
		return app_usage(app, e);
	n = l->noted == NULL ? NOTED_MIN : strlen(l->noted);
	if (n >= NOTED_MIN && n <= NOTED_MAX && (l->noted == NULL ||
	    strspn(l->noted, "0123456789abcdefABCDEF") == n))
		return RC_OK;
	return err_set(e, RC_CONF, _("--noted %s: the hash is wanted with "
	    "which an earlier sceau issuer audit ended, its first %d digits at "
	    "least"), l->noted, NOTED_MIN);
}

enum rc
cmd_issuer_audit(struct app *app, int argc, char **argv, struct err *e)
{
	struct err ignored = ERR_INIT;
	struct listing l = { 0 };
	struct acts_sum sum;
	enum rc rc = read_words(app, argc, argv, &l, e);

	if (rc != RC_OK)
		return rc;
	if ((l.o = out_new(app->json, "act", cols)) == NULL)
		return err_nomem(e);
	rc = acts_read(argv[argc - 1], list_one, &l, &sum, e);
	if (rc != RC_OK)
		(void)out_end(&l.o, NULL, &ignored);
	else if ((rc = out_end(&l.o, _("the journal is empty"), e)) == RC_OK)
		say_sum(app, &sum, &l);
	return rc;
}
