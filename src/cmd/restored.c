/* sceau restored: a backup of the state was put back (PROTOCOL 2.19.12), or
 * the store is damaged and what can be read of it is put back. */
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
say_json(int64_t at, const struct store_restored *r,
    const struct store_mended *m, struct err *e)
{
	static const struct out_col cols[] = {
		{ "since_at", NULL, OUT_TIME }, { "seen", NULL, OUT_NUMBER },
		{ "queued", NULL, OUT_NUMBER }, { "damaged", NULL, OUT_TEXT },
		{ "rows", NULL, OUT_NUMBER }, { "lost", NULL, OUT_NUMBER },
		{ "aside", NULL, OUT_TEXT }, { NULL, NULL, OUT_TEXT }
	};
	struct out *o = out_new(true, "restored", cols);

	if (o == NULL)
		return err_set(e, RC_NOMEM, _("no memory left"));
	out_time(o, "since_at", at);
	out_number(o, "seen", (int64_t)r->seen);
	out_number(o, "queued", (int64_t)r->queued);
	out_text(o, "damaged", m->hurt || r->gone > 0 ? "lost" :
	    m->damaged ? "whole" : "no");
	out_number(o, "rows", (int64_t)m->rows);
	out_number(o, "lost", (int64_t)m->lost);
	out_text(o, "aside", m->aside);
	out_row(o);
	return out_end(&o, NULL, e);
}

static void
say_aside(const struct store_mended *m)
{
	printf(_("The store was damaged. A new one holds what could be read "
	    "of it, %zu rows; the damaged one is kept as %s.\n"), m->rows,
	    m->aside);
	if (m->lost > 0)
		printf(_("Messages to be sent whose octets are lost: %zu. "
		    "\"sceau log\" names them: send them again.\n"),
		    m->lost);
}

static void
say_mended(const struct store_mended *m, const struct store_restored *r,
    bool dry_run)
{
	if (r->gone > 0)
		printf("%s", _("The store has lost what was written to it "
		    "last.\n"));
	if (m->damaged && dry_run) {
		printf(_("The store is damaged: what can be read of it would "
		    "go into a new one.\n"));
		return;
	}
	if (m->damaged)
		say_aside(m);
	if (m->hurt || r->gone > 0)
		printf(_("Not all could be read: compare \"sceau status\" "
		    "with what you have sent, and send again what is "
		    "missing.\n"));
}

static void
say(int64_t at, const struct store_restored *r)
{
	char since[CLOCK_SAY_BYTES];

	clock_say(at, since);
	printf(_("Mail sealed before %s that is not known here is shown as a "
	    "possible duplicate.\n"), since);
	printf(_("Messages seen on the servers: %zu; what is still there "
	    "is judged anew.\n"), r->seen);
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

/* A new store takes the damaged one's place when it knows of the moment. */
static enum rc
restore(const struct pass *p, int64_t at, struct store_restored *r,
    struct store_mended *m, struct err *e)
{
	const char *state = p->conf->state;
	enum rc rc = store_mend_begin(state, p->dry_run, at, m, e);

	/* The import that must come first does the rest. */
	if (rc == RC_OK && m->damaged && access(p->conf->keystore, F_OK) != 0)
		rc = store_mend_end(state, at, m, rc, e);
	if (rc == RC_OK && !(m->damaged && p->dry_run))
		rc = alone_restored(p, m->lock_fd >= 0 ? m->fresh : state,
		    at, r, e);
	return store_mend_end(state, at, m, rc, e);
}

enum rc
cmd_restored(struct app *app, int argc, char **argv, struct err *e)
{
	struct store_restored r = { 0, 0, 0 };
	struct store_mended m;
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
	rc = restore(&p, at, &r, &m, e);
	close(lock);
	if (rc != RC_OK)
		return rc;
	if (app->json)
		return say_json(at, &r, &m, e);
	say_mended(&m, &r, app->dry_run);
	if (!(m.damaged && app->dry_run))
		say(at, &r);
	return RC_OK;
}
