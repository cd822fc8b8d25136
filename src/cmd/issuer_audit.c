/* sceau issuer audit: what was done at the desk. */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "base/lang.h"
#include "cmd/cmd.h"
#include "cmd/out.h"
#include "issuer/acts.h"

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
	struct out *o = ctx;

	(void)e;
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
say_sum(struct app *app, const struct acts_sum *s)
{
	app->exit = s->broken != 0 ? EX_DATAERR : EX_OK;
	if (app->json)
		printf("{\"schema\":1,\"type\":\"acts\",\"lines\":%u,"
		    "\"broken\":%u,\"hash\":\"%s\"}\n", s->n, s->broken,
		    s->last);
	else if (s->broken != 0)
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

enum rc
cmd_issuer_audit(struct app *app, int argc, char **argv, struct err *e)
{
	struct err ignored = ERR_INIT;
	struct acts_sum sum;
	struct out *o;
	enum rc rc = app_no_options(app, argc, argv, 1, e);

	if (rc != RC_OK)
		return rc;
	if ((o = out_new(app->json, "act", cols)) == NULL)
		return err_nomem(e);
	rc = acts_read(argv[argc - 1], list_one, o, &sum, e);
	if (rc != RC_OK)
		(void)out_end(&o, NULL, &ignored);
	else if ((rc = out_end(&o, _("the journal is empty"), e)) == RC_OK)
		say_sum(app, &sum);
	return rc;
}
