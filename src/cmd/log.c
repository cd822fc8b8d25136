/* sceau log: what happened, without content. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/lang.h"
#include "cmd/cmd.h"
#include "cmd/out.h"
#include "store/store.h"

#define AT_ONCE 256

static const struct out_col cols[] = {
	{ "at", N_("when"), OUT_TIME },
	{ "event", N_("what"), OUT_TEXT },
	{ "text", N_("about"), OUT_TEXT },
	{ NULL, NULL, OUT_TEXT }
};

static enum rc
list_all(struct store *st, int64_t since, struct out *o, struct err *e)
{
	struct store_event *ev = calloc(AT_ONCE, sizeof(*ev));
	int64_t after = 0;
	size_t n = 0;
	enum rc rc = ev == NULL ? err_set(e, RC_NOMEM,
	    _("no memory left")) : RC_OK;

	do {
		if (rc == RC_OK)
			rc = store_event_list(st, after, since, ev, AT_ONCE,
			    &n, e);
		for (size_t i = 0; rc == RC_OK && i < n; i++) {
			out_time(o, "at", ev[i].at);
			out_text(o, "event", ev[i].name);
			out_text(o, "text", ev[i].text);
			out_row(o);
			after = ev[i].id;
		}
	} while (rc == RC_OK && n > 0);
	free(ev);
	return rc;
}

enum rc
cmd_log(struct app *app, int argc, char **argv, struct err *e)
{
	struct err ignored = ERR_INIT;
	struct store *st = NULL;
	struct out *o = NULL;
	int64_t since;
	enum rc rc = app_days(app, argc, argv, &since, e);

	if (rc == RC_OK && (o = out_new(app->json, "event", cols)) == NULL)
		rc = err_set(e, RC_NOMEM, _("no memory left"));
	if (rc == RC_OK)
		rc = store_open(app->conf.state, STORE_READ, &st, e);
	if (rc == RC_OK)
		rc = list_all(st, since, o, e);
	store_close(&st);
	if (rc == RC_OK)
		return out_end(&o, _("nothing happened in these days"), e);
	(void)out_end(&o, NULL, &ignored);
	return rc;
}
