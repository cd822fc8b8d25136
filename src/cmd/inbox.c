/* sceau inbox: what was filed lately, and what a person should look at. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/lang.h"
#include "cmd/cmd.h"
#include "cmd/out.h"
#include "flow/alarm_text.h"
#include "store/store_inbox.h"
#include "wire/drop.h"

#define AT_ONCE 128
#define DAYS 7

enum { OPT_DAYS = 1000, OPT_FLAGGED };

static const struct out_col cols[] = {
	{ "filed_at", N_("filed"), OUT_TIME },
	{ "received_at", NULL, OUT_TIME },
	{ "from", N_("from"), OUT_TEXT },
	{ "reports", N_("reports"), OUT_NUMBER },
	{ "places", N_("delivery"), OUT_TEXT },
	{ "token", N_("message"), OUT_TEXT },
	{ "t", NULL, OUT_TEXT },
	{ "look", N_("to be looked at"), OUT_TEXT },
	{ "other_birth", NULL, OUT_BOOL },
	{ "corrected", NULL, OUT_BOOL },
	{ "recipient", NULL, OUT_BOOL },
	{ "remarks", NULL, OUT_BOOL },
	{ "not_compared", NULL, OUT_BOOL },
	{ "possible_duplicate", NULL, OUT_BOOL },
	{ "filed_again", NULL, OUT_BOOL },
	{ "late", NULL, OUT_BOOL },
	{ "dated_ahead", NULL, OUT_BOOL },
	{ "replaced_key", NULL, OUT_BOOL },
	{ "relayed_though_direct", NULL, OUT_BOOL },
	{ NULL, NULL, OUT_TEXT }
};

static const struct {
	unsigned	 flag;
	const char	*key;		/* of its column */
	const char	*say;
} flags[] = {
	{ STORE_INBOX_OTHER_BIRTH, "other_birth",
	    N_("another date of birth") },
	{ STORE_INBOX_CORRECTED, "corrected", N_("corrected result") },
	{ STORE_INBOX_RECIPIENT, "recipient", N_("line 12: somebody else") },
	{ STORE_INBOX_REMARK, "remarks", N_("see the folder sceau") },
	{ STORE_INBOX_NOT_COMPARED, "not_compared",
	    N_("names not compared") },
	{ STORE_INBOX_DUPLICATE, "possible_duplicate",
	    N_("perhaps filed before") },
	{ STORE_INBOX_AGAIN, "filed_again", N_("filed once more") },
	{ STORE_INBOX_LATE, "late", N_("sealed long ago") },
	{ STORE_INBOX_AHEAD, "dated_ahead", N_("dated in the future") },
	{ STORE_INBOX_REPLACED_KEY, "replaced_key", N_("replaced key") },
	{ STORE_INBOX_RELAYED, "relayed_though_direct",
	    N_("by way of the gateway") }
};
#define FLAGS_N (sizeof(flags) / sizeof(flags[0]))

static void
add_flags(struct out *o, unsigned set)
{
	char look[512] = "";
	size_t len = 0;

	for (size_t i = 0; i < FLAGS_N; i++) {
		bool yes = (set & flags[i].flag) != 0;

		out_bool(o, flags[i].key, yes);
		if (yes && len < sizeof(look))
			len += (size_t)snprintf(look + len,
			    sizeof(look) - len, "%s%s", len > 0 ? ", " : "",
			    _(flags[i].say));
	}
	out_text(o, "look", look);
}

static void
add(const struct app *app, struct out *o, const struct store_inbox *x)
{
	char t[2 * STORE_T_BYTES + 1], token[DROP_TOKEN_BYTES];
	char who[ALARM_WHO_BYTES];

	alarm_who(x->sender, who);
	hex_format(x->t, sizeof(x->t), t);
	drop_token(x->t, x->filing, token);
	out_time(o, "filed_at", x->filed_at);
	out_time(o, "received_at", x->received_at);
	out_text(o, "from", app->json ? x->sender : who);
	out_number(o, "reports", x->reports);
	out_text(o, "places", x->places);
	out_text(o, "token", token);
	out_text(o, "t", t);
	add_flags(o, x->flags);
	out_row(o);
}

struct wish {
	int64_t	 since;
	bool	 flagged;
};

static enum rc
list_all(const struct app *app, struct store *st, const struct wish *w,
    struct out *o, struct err *e)
{
	struct store_inbox *x = calloc(AT_ONCE, sizeof(*x));
	int64_t after = 0;
	size_t n = 1;
	enum rc rc = x == NULL ? err_set(e, RC_NOMEM,
	    _("no memory left")) : RC_OK;

	while (rc == RC_OK && n > 0) {
		rc = store_inbox_list(st, after, w->since, w->flagged ?
		    ~0U : 0, x, AT_ONCE, &n, e);
		for (size_t i = 0; rc == RC_OK && i < n; i++) {
			add(app, o, &x[i]);
			after = x[i].id;
		}
	}
	free(x);
	return rc;
}

static enum rc
show(const struct app *app, const struct wish *w, struct err *e)
{
	struct err ignored = ERR_INIT;
	struct store *st = NULL;
	struct out *o = out_new(app->json, "filed", cols);
	enum rc rc = o == NULL ? err_set(e, RC_NOMEM,
	    _("no memory left")) : RC_OK;

	if (rc == RC_OK)
		rc = store_open(app->conf.state, STORE_READ, &st, e);
	if (rc == RC_OK)
		rc = list_all(app, st, w, o, e);
	store_close(&st);
	if (rc == RC_OK)
		return out_end(&o, w->flagged ? _("nothing to be looked at in "
		    "these days") : _("nothing was filed in these days"), e);
	if (o != NULL)
		(void)out_end(&o, NULL, &ignored);
	return rc;
}

enum rc
cmd_inbox(struct app *app, int argc, char **argv, struct err *e)
{
	static const struct option longs[] = {
		{ "days", required_argument, NULL, OPT_DAYS },
		{ "flagged", no_argument, NULL, OPT_FLAGGED },
		{ NULL, 0, NULL, 0 }
	};
	struct wish w = { .since = clock_now() - DAYS * INT64_C(86400) };
	enum rc rc;
	int opt;

	while ((rc = app_getopt(app, argc, argv, "", longs, &opt, e)) ==
	    RC_OK && opt != -1) {
		if (opt == OPT_FLAGGED)
			w.flagged = true;
		else if ((rc = app_ago(optarg, &w.since, e)) != RC_OK)
			return rc;
	}
	if (rc != RC_OK)
		return rc;
	return optind == argc ? show(app, &w, e) : app_usage(app, e);
}
