/* sceau status: what waits in the outboxes, and what was refused there. */
#include "config.h"

#include <stdio.h>

#include "base/lang.h"
#include "cmd/cmd.h"
#include "cmd/out.h"
#include "flow/outprobe.h"

static const struct out_col cols[] = {
	{ "name", N_("outbox"), OUT_TEXT },
	{ "waiting", N_("files waiting"), OUT_NUMBER },
	{ "refused", N_("files refused"), OUT_NUMBER },
	{ "refused_folder", N_("with the reasons in"), OUT_TEXT },
	{ NULL, NULL, OUT_TEXT }
};

enum rc
status_outboxes(struct app *app, struct err *e)
{
	const struct conf *c = &app->conf;
	struct out *o;

	if (c->noutboxes == 0)
		return RC_OK;
	if ((o = out_new(app->json, "outbox", cols)) == NULL)
		return err_set(e, RC_NOMEM, _("no memory left"));
	for (size_t i = 0; i < c->noutboxes; i++) {
		struct err ignored = ERR_INIT;
		struct outprobe p;

		(void)outprobe(&c->outboxes[i], &p, &ignored);
		out_text(o, "name", c->outboxes[i].name);
		out_number(o, "waiting", (int64_t)p.waiting);
		out_number(o, "refused", (int64_t)p.refused);
		out_text(o, "refused_folder", c->outboxes[i].refused);
		out_row(o);
	}
	if (!app->json)
		putchar('\n');
	return out_end(&o, NULL, e);
}
