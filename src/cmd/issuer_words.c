/* The words of the issuer's commands. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/lang.h"
#include "base/secret.h"
#include "cmd/ask.h"
#include "cmd/issuer_words.h"

static enum rc
year_of(const char *s, uint16_t *year, struct err *e)
{
	int64_t n;

	if (app_number(s, &n, e) != RC_OK || n < 2000 || n > 9998)
		return err_set(e, RC_CONF, _("--year %s: four digits are "
		    "wanted"), s);
	*year = (uint16_t)n;
	return RC_OK;
}

/* --hub is followed by two words. */
static enum rc
hub_of(struct app *app, int argc, char **argv, struct issuer_words *w,
    struct err *e)
{
	w->plan.hub = optarg;
	if (optind >= argc || argv[optind][0] == '-')
		return app_usage(app, e);
	w->plan.hub_route = argv[optind++];
	return RC_OK;
}

static enum rc
custodian_of(struct app *app, struct issuer_words *w, struct err *e)
{
	if (w->ncustodians == ISSUER_CUSTODIANS_MAX)
		return app_usage(app, e);
	w->custodians[w->ncustodians++] = optarg;
	return RC_OK;
}

static enum rc
option(struct app *app, int argc, char **argv, int opt,
    struct issuer_words *w, struct err *e)
{
	switch (opt) {
	case OPT_ASSOC:
		w->plan.assoc = optarg;
		return RC_OK;
	case OPT_YEAR:
		return year_of(optarg, &w->plan.year, e);
	case OPT_DOMAIN:
		w->plan.domain = optarg;
		return RC_OK;
	case OPT_ISSUER:
		w->plan.issuer = optarg;
		return RC_OK;
	case OPT_WATCH:
		w->plan.watch = optarg;
		return RC_OK;
	case OPT_HUB:
		return hub_of(app, argc, argv, w, e);
	case OPT_CALL:
		w->plan.call = optarg;
		return RC_OK;
	case OPT_SHEETS:
		w->plan.sheets = optarg;
		return RC_OK;
	case OPT_CUSTODIAN:
		return custodian_of(app, w, e);
	case OPT_EARLY:
	case OPT_LOST:
	case OPT_REALLY:
		*(opt == OPT_EARLY ? &w->early : opt == OPT_LOST ? &w->lost :
		    &w->really) = true;
		return RC_OK;
	case OPT_MAIL:
		w->mail = optarg;
		return RC_OK;
	case OPT_OUT:
		w->out = optarg;
		return RC_OK;
	case OPT_POLICY:
		w->policy = optarg;
		return RC_OK;
	case OPT_DIRECTORY:
		w->directory = optarg;
		return RC_OK;
	case OPT_RING:
		w->ring = optarg;
		return RC_OK;
	case OPT_CODE_FILE:
		w->code_file = optarg;
		return RC_OK;
	case OPT_SINCE:
		w->since = true;
		return app_date(optarg, &w->since_at, e);
	}
	return app_usage(app, e);
}

enum rc
issuer_words_read(struct app *app, int argc, char **argv,
    const struct option *longs, int n, struct issuer_words *w,
    struct err *e)
{
	enum rc rc;
	int opt;

	memset(w, 0, sizeof(*w));
	while ((rc = app_getopt(app, argc, argv, "", longs, &opt, e)) ==
	    RC_OK && opt != -1)
		if ((rc = option(app, argc, argv, opt, w, e)) != RC_OK)
			return rc;
	if (rc != RC_OK)
		return rc;
	if (argc - optind != n)
		return app_usage(app, e);
	w->plan.dir = argv[optind];
	w->word = n > 1 ? argv[optind + 1] : NULL;
	/* What is printed is French unless another language is asked for by
	 * name: the machine's own says nothing about the people's. */
	w->plan.english = app->lang != NULL && strcmp(lang_code(), "en") == 0;
	return RC_OK;
}

enum rc
issuer_command_run(struct app *app, int argc, char **argv,
    const struct issuer_command *c, struct err *e)
{
	struct desk *d = NULL;
	struct issuer_words w;
	enum rc rc = issuer_words_read(app, argc, argv, c->longs, c->nwords,
	    &w, e);

	if (rc == RC_OK && ((c->must == OPT_OUT && w.out == NULL) ||
	    (c->must == OPT_YEAR && w.plan.year == 0)))
		rc = app_usage(app, e);
	if (rc == RC_OK && (rc = desk_open(w.plan.dir, &d, e)) == RC_OK)
		rc = c->act(app, d, &w, e);
	desk_close(&d);
	return rc;
}

/* ---- custodians --------------------------------------------------------- */

static enum rc
read_sheet(const char *path, struct custody *c, struct err *e)
{
	struct buf b = BUF_INIT;
	enum rc rc = file_read(path, CUSTODY_FILE_MAX, &b, e);

	if (rc == RC_OK &&
	    custody_parse((const char *)b.p, b.len, c, e) != RC_OK)
		rc = err_ctx(e, "%s", path);
	buf_free(&b);
	return rc;
}

static enum rc
good_code(const char *s, struct err *e)
{
	uint8_t code[CODE_BYTES];
	enum rc rc = code_parse(s, strlen(s), code, e);

	wipe(code, sizeof(code));
	return rc;
}

static enum rc
ask_sheet(const struct ask *a, unsigned number, struct custody *c,
    struct err *e)
{
	char (*lines)[ASK_BYTES] = secret_alloc(CUSTODY_CODES * ASK_BYTES);
	const char *codes[CUSTODY_CODES];
	char question[80];
	enum rc rc = lines != NULL ? RC_OK : err_nomem(e);

	for (size_t i = 0; i < CUSTODY_CODES && rc == RC_OK; i++) {
		codes[i] = lines[i];
		snprintf(question, sizeof(question), number == 1 ?
		    _("First custodian, code %zu of 6:") :
		    _("Second custodian, code %zu of 6:"), i + 1);
		rc = ask_text(a, question, NULL, good_code, lines[i], e);
	}
	if (rc == RC_OK)
		rc = custody_codes(codes, c, e);
	secret_free(&lines);
	return rc;
}

/* Of those of whom there is no file. */
static enum rc
ask_sheets(uint16_t year, struct custody *c, size_t *n, struct err *e)
{
	struct ask a;
	enum rc rc = RC_OK;

	if (*n >= 2)
		return RC_OK;
	a = ask_begin(false);
	fprintf(stderr, _("The root of %u is put together from what two "
	    "custodians hold: the six codes of each one's sheet, or its file "
	    "by --custodian.\n"), year);
	for (; *n < 2 && rc == RC_OK; (*n)++)
		rc = ask_sheet(&a, (unsigned)*n + 1, &c[*n], e);
	return rc;
}

enum rc
issuer_words_root(const struct issuer_words *w, struct desk *d,
    uint16_t year, struct err *e)
{
	struct custody *c;
	size_t n = 0;
	enum rc rc = RC_OK;

	if (desk_root(d, year) != NULL)
		return RC_OK;
	if (!desk_knows(d, year))
		return err_set(e, RC_CONF, _("there is no root for %u here"),
		    year);
	if ((c = secret_alloc(ISSUER_CUSTODIANS_MAX * sizeof(*c))) == NULL)
		return err_nomem(e);
	for (; n < w->ncustodians && rc == RC_OK; n++)
		rc = read_sheet(w->custodians[n], &c[n], e);
	if (rc == RC_OK)
		rc = ask_sheets(year, c, &n, e);
	if (rc == RC_OK)
		rc = desk_join(d, year, c, n, e);
	secret_free(&c);
	return rc;
}

void
issuer_say_sheets(const struct desk_plan *p)
{
	printf(_("The root is written nowhere: any two of three custodians "
	    "hold it. Their sheets are in %s%s, custodian-1.%u.txt to "
	    "custodian-3.%u.txt: print each, hand it to its custodian alone, "
	    "and destroy the three files. Without two sheets no more keys of "
	    "%u can be made.\n"), p->sheets != NULL ? p->sheets : p->dir,
	    p->sheets != NULL ? "" : "/custodians", p->year, p->year,
	    p->year);
}
