/* sceau hprim check: are these files fit to be sent? */
#include "config.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/lang.h"
#include "cmd/cmd.h"
#include "cmd/out.h"
#include "document/hprim.h"

static const struct out_col file_cols[] = {
	{ "file", N_("file"), OUT_TEXT },
	{ "kind", NULL, OUT_TEXT },
	{ "what", N_("what it is"), OUT_TEXT },
	{ "charset", N_("character set"), OUT_TEXT },
	{ "eol", N_("line ends"), OUT_TEXT },
	{ "patients", N_("patients"), OUT_NUMBER },
	{ "errors", N_("errors"), OUT_NUMBER },
	{ "oddities", N_("oddities"), OUT_NUMBER },
	{ NULL, NULL, OUT_TEXT }
};

static const struct out_col remark_cols[] = {
	{ "file", N_("file"), OUT_TEXT },
	{ "line", N_("line"), OUT_NUMBER },
	{ "patient", NULL, OUT_NUMBER },
	{ "severity", N_("severity"), OUT_TEXT },
	{ "code", NULL, OUT_TEXT },
	{ "text", N_("what is wrong"), OUT_TEXT },
	{ NULL, NULL, OUT_TEXT }
};

struct check {
	const struct app	*app;
	struct date		 today;
	struct out		*files, *remarks;
	unsigned		 bad;
	enum rc			 rc;	/* the worst of all files */
};

static void
add_remark(struct check *c, const char *path, const struct hprim_remark *m,
    bool error, const char *code, const char *text)
{
	out_text(c->remarks, "file", path);
	if (m != NULL && m->line > 0)
		out_number(c->remarks, "line", m->line);
	if (m != NULL && m->patient > 0)
		out_number(c->remarks, "patient", m->patient);
	if (c->app->json)
		out_text(c->remarks, "severity", error ? "error" : "oddity");
	else
		out_text(c->remarks, "severity", error ? _("error") :
		    _("oddity"));
	out_text(c->remarks, "code", code);
	out_text(c->remarks, "text", text);
	out_row(c->remarks);
}

static void
add_file(struct check *c, const char *path, const struct hprim *h)
{
	out_text(c->files, "file", path);
	out_text(c->files, "kind", hprim_kind_name(h->kind));
	out_text(c->files, "what", hprim_kind_say(h->kind));
	if (h->kind == HPRIM_MEDECIN || h->kind == HPRIM_TEXT) {
		out_text(c->files, "charset", h->guess.ascii ? "US-ASCII" :
		    charset_name(h->guess.set));
		out_text(c->files, "eol", eol_name(h->guess.eol));
		out_number(c->files, "patients", h->n);
	}
	out_number(c->files, "errors", h->errors);
	out_number(c->files, "oddities", h->oddities);
	out_row(c->files);
	for (unsigned i = 0; i < h->nremarks; i++) {
		const struct hprim_remark *m = &h->remark[i];

		add_remark(c, path, m, hprim_is_error(m->what),
		    hprim_code(m->what), hprim_say(m->what));
	}
}

/* One file; what is wrong with it does not stop the others. */
static void
check_file(struct check *c, const char *path)
{
	struct buf b = BUF_INIT;
	struct hprim h = { .n = 0 };
	struct err e = ERR_INIT;
	enum rc rc = file_read(path, HPRIM_FILE_MAX_BYTES, &b, &e);

	if (rc == RC_OK)
		rc = hprim_read(b.p, b.len, &c->today, &h, &e);
	if (rc == RC_OK) {
		add_file(c, path, &h);
		rc = h.errors > 0 ? RC_INPUT : RC_OK;
	} else {
		add_remark(c, path, NULL, true, "file.unread", e.text);
	}
	c->bad += rc != RC_OK;
	c->rc = rc_worse(c->rc, rc);
	hprim_free(&h);
	buf_free(&b);
}

/* People read of the files first, then of what is wrong with them. */
static enum rc
check_end(struct check *c, int n, struct err *e)
{
	enum rc rc = out_end(&c->files, NULL, e);

	if (rc == RC_OK && !c->app->json)
		putchar('\n');
	if (rc == RC_OK)
		rc = out_end(&c->remarks, _("Nothing to remark."), e);
	if (rc != RC_OK || c->rc == RC_OK)
		return rc;
	return err_set(e, c->rc, _("files with errors, not to be sent as they "
	    "are: %u of %d"), c->bad, n);
}

enum rc
cmd_hprim_check(struct app *app, int argc, char **argv, struct err *e)
{
	struct check c = { .app = app };
	struct err ignored = ERR_INIT;
	enum rc rc;
	int opt;

	while ((rc = app_getopt(app, argc, argv, "", NULL, &opt, e)) ==
	    RC_OK && opt != -1)
		;
	if (rc != RC_OK)
		return rc;
	if (optind == argc)
		return app_usage(app, e);
	date_of(clock_now(), &c.today);
	c.files = out_new(app->json, "hprim-file", file_cols);
	c.remarks = out_new(app->json, "hprim-remark", remark_cols);
	if (c.files == NULL || c.remarks == NULL) {
		rc = err_set(e, RC_NOMEM, _("no memory left"));
	} else {
		for (int i = optind; i < argc; i++)
			check_file(&c, argv[i]);
		rc = check_end(&c, argc - optind, e);
	}
	(void)out_end(&c.files, NULL, &ignored);
	(void)out_end(&c.remarks, NULL, &ignored);
	return rc;
}
