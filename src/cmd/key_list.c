/* sceau key list: the keys held, and who may write to whom. */
#include "config.h"

#include <stdlib.h>

#include "base/lang.h"
#include "cmd/cmd.h"
#include "cmd/out.h"
#include "flow/alone.h"

static const struct out_col cols[] = {
	{ "identity", N_("identity"), OUT_TEXT },
	{ "year", N_("year"), OUT_NUMBER },
	{ "from_at", N_("from"), OUT_TIME },
	{ "send_until_at", N_("to write until"), OUT_TIME },
	{ "read_until_at", N_("to read until"), OUT_TIME },
	{ "peers", N_("correspondents"), OUT_NUMBER },
	{ "hub", NULL, OUT_TEXT },
	{ "issuer", NULL, OUT_TEXT },
	{ "watch", NULL, OUT_TEXT },
	{ "replaced", NULL, OUT_BOOL },
	{ NULL, NULL, OUT_TEXT }
};

enum rc
cmd_key_list(struct app *app, int argc, char **argv, struct err *e)
{
	struct pass p = app_pass(app, PASS_SUBMIT);
	struct gate_self *s = NULL;
	struct out *o;
	size_t n = 0;
	enum rc rc = app_no_options(app, argc, argv, 0, e);

	if (rc != RC_OK || (rc = alone_selves(&p, &s, &n, e)) != RC_OK)
		return rc;
	if ((o = out_new(app->json, "key", cols)) == NULL) {
		free(s);
		return err_set(e, RC_NOMEM, _("no memory left"));
	}
	for (size_t i = 0; i < n; i++) {
		out_text(o, "identity", s[i].identity);
		out_number(o, "year", s[i].year);
		out_time(o, "from_at", s[i].from_at);
		out_time(o, "send_until_at", s[i].send_until_at);
		out_time(o, "read_until_at", s[i].read_until_at);
		out_number(o, "peers", (int64_t)s[i].npeers);
		out_text(o, "hub", s[i].hub);
		out_text(o, "issuer", s[i].issuer);
		out_text(o, "watch", s[i].watch);
		out_bool(o, "replaced", s[i].replaced);
		out_row(o);
	}
	free(s);
	return out_end(&o, _("no key is held"), e);
}
