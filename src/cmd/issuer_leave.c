/* sceau issuer leave: a member is excluded. */
#include "config.h"

#include <stdio.h>

#include "base/lang.h"
#include "cmd/issuer_words.h"
#include "cmd/out.h"
#include "issuer/acts.h"

static enum rc
object(const struct member *w, struct err *e)
{
	static const struct out_col cols[] = {
		{ "identity", NULL, OUT_TEXT }, { "name", NULL, OUT_TEXT },
		{ NULL, NULL, OUT_TEXT }
	};
	struct out *o = out_new(true, "left", cols);

	if (o == NULL)
		return err_set(e, RC_NOMEM, _("no memory left"));
	out_text(o, "identity", w->id.s);
	out_text(o, "name", w->show);
	out_row(o);
	return out_end(&o, NULL, e);
}

static void
say_leave(const struct app *app, const struct member *w)
{
	struct bytes name = identity_name(&w->id);

	if (app->dry_run) {
		printf(_("%s (%s) would leave the association.\n"), w->show,
		    w->id.s);
		return;
	}
	printf(_("%s (%s) has left: no key file names him from now on, and "
	    "his address is given to nobody else.\n"), w->show, w->id.s);
	printf(_("1. At once, at the watch desk: sceau bar %.*s --excluded. "
	    "Until a member has that bulletin, he takes what %s writes.\n"
	    "2. The next sceau issuer enrol tells it to everybody once "
	    "more.\n"), (int)name.len, (const char *)name.p, w->show);
}

static enum rc
keep(const struct desk *d, const struct member *w, struct err *e)
{
	char what[16 + IDENTITY_MAX_BYTES];
	enum rc rc;

	snprintf(what, sizeof(what), "identity=%s", w->id.s);
	rc = acts_note(d, "leave", what, e);
	return rc == RC_OK ? desk_save(d, e) : rc;
}

static enum rc
leave(struct app *app, struct desk *d, const struct issuer_words *words,
    struct err *e)
{
	struct member *w;
	enum rc rc;

	if ((rc = members_seek(d->members, words->word, &w, e)) != RC_OK ||
	    (rc = members_leave(d->members, w, e)) != RC_OK ||
	    (!app->dry_run && (rc = keep(d, w, e)) != RC_OK))
		return rc;
	if (app->json)
		return object(w, e);
	say_leave(app, w);
	return RC_OK;
}

enum rc
cmd_issuer_leave(struct app *app, int argc, char **argv, struct err *e)
{
	static const struct issuer_command c = { NULL, 2, 0, leave };

	return issuer_command_run(app, argc, argv, &c, e);
}
