/* The words of the issuer's commands. */
#include "config.h"

#include <string.h>

#include "base/lang.h"
#include "cmd/issuer_words.h"
#include "conf/cred.h"

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
	case OPT_PASS:
		w->pass_file = optarg;
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
	if (w->pass_file == NULL)
		return RC_OK;
	w->plan.pass = &w->pass;
	return cred_file(w->pass_file, &w->pass, e);
}

void
issuer_words_wipe(struct issuer_words *w)
{
	secret_wipe(&w->pass);
}

enum rc
issuer_words_open(const struct issuer_words *w, struct desk **d,
    struct err *e)
{
	return desk_open(w->plan.dir, w->plan.pass, d, e);
}
