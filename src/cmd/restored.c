/* sceau restored: a backup of the state was put back (PROTOCOL 2.19.12). */
#include "config.h"

#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/lang.h"
#include "cmd/cmd.h"
#include "cmd/out.h"
#include "flow/alone.h"
#include "flow/starter.h"

static enum rc
say_json(int64_t at, const struct store_restored *r, struct err *e)
{
	static const struct out_col cols[] = {
		{ "since_at", NULL, OUT_TIME }, { "seen", NULL, OUT_NUMBER },
		{ "queued", NULL, OUT_NUMBER }, { NULL, NULL, OUT_TEXT }
	};
	struct out *o = out_new(true, "restored", cols);

	if (o == NULL)
		return err_set(e, RC_NOMEM, _("no memory left"));
	out_time(o, "since_at", at);
	out_number(o, "seen", (int64_t)r->seen);
	out_number(o, "queued", (int64_t)r->queued);
	out_row(o);
	return out_end(&o, NULL, e);
}

static void
say(int64_t at, const struct store_restored *r)
{
	char since[CLOCK_SAY_BYTES];

	clock_say(at, since);
	printf(_("Mail sealed before %s that is not known here is shown as a "
	    "possible duplicate.\n"), since);
	printf(_("Of the servers, %zu messages were known: what is still "
	    "there is judged anew.\n"), r->seen);
	printf(_("To be relayed once more: %zu.\n"), r->queued);
}

/* Mail sealed between a wrong moment and the right one would come twice
 * without a word. */
static enum rc
clock_check(int64_t at, struct err *e)
{
	char now[CLOCK_SAY_BYTES];

	if (at == clock_used())
		return RC_OK;
	clock_say(at, now);
	return err_set(e, RC_CONF, _("the clock of this machine says %s, "
	    "which is before this program was made; nothing was changed: set "
	    "the clock, then run it again"), now);
}

enum rc
cmd_restored(struct app *app, int argc, char **argv, struct err *e)
{
	struct store_restored r = { 0, 0 };
	const int64_t at = clock_now();
	struct pass p;
	int lock = -1;
	enum rc rc = app_no_options(app, argc, argv, 0, e);

	if (rc != RC_OK || (rc = clock_check(at, e)) != RC_OK ||
	    (rc = starter_lock(&app->conf, &lock, e)) != RC_OK)
		return rc;
	if (lock < 0)
		return err_set(e, RC_TEMP, _("a pass of sceau is at work on "
		    "this state; nothing was changed: end it, then run it "
		    "again"));
	p = app_pass(app, PASS_SUBMIT);
	rc = alone_restored(&p, at, &r, e);
	close(lock);
	if (rc != RC_OK)
		return rc;
	if (app->json)
		return say_json(at, &r, e);
	say(at, &r);
	return RC_OK;
}
