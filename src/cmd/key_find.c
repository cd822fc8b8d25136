/* Where the next year's key file was put. */
#include "config.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/lang.h"
#include "cmd/key.h"

#define SUFFIX ".cle"

struct finding {
	const struct keystore	*ks;
	uint16_t		 year;
	char			*path;		/* the first */
	char			 digits[KEYFILE_DIGITS + 1];
	bool			 several;	/* that differ */
};

static char *
join(const char *a, const char *b)
{
	size_t len = strlen(a) + strlen(b) + 2;
	char *s = malloc(len);

	if (s != NULL)
		snprintf(s, len, "%s/%s", a, b);
	return s;
}

/* The same file twice (downloaded again) is one. */
static void
consider(struct finding *f, char *path)
{
	struct err ignored = ERR_INIT;
	struct keyfile_head h;

	if (keyfile_peek(path, &h, &ignored) != RC_OK || h.exported ||
	    h.year != f->year || keystore_top(f->ks, &h.member) == 0)
		free(path);
	else if (f->path != NULL) {
		f->several |= strcmp(f->digits, h.digits) != 0;
		free(path);
	} else {
		f->path = path;
		memcpy(f->digits, h.digits, sizeof(h.digits));
	}
}

static void
look_into(struct finding *f, const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *x;
	char *path;

	while (d != NULL && (x = readdir(d)) != NULL) {
		size_t len = strlen(x->d_name);

		if (len > strlen(SUFFIX) && strcasecmp(x->d_name + len -
		    strlen(SUFFIX), SUFFIX) == 0 &&
		    (path = join(dir, x->d_name)) != NULL)
			consider(f, path);
	}
	if (d != NULL)
		closedir(d);
}

enum rc
key_find(const struct keystore *ks, uint16_t year, char **path,
    struct err *e)
{
	static const char *const folders[] = { "Downloads",
	    "T\xc3\xa9l\xc3\xa9" "chargements" };
	struct finding f = { .ks = ks, .year = year };
	const char *home = getenv("HOME");
	char *dir;

	look_into(&f, ".");
	for (size_t i = 0; home != NULL && i < 2; i++) {
		if ((dir = join(home, folders[i])) != NULL)
			look_into(&f, dir);
		free(dir);
	}
	*path = f.path;
	if (f.path != NULL && !f.several)
		return RC_OK;
	free(f.path);
	*path = NULL;
	if (f.several)
		return err_set(e, RC_CONF, _("there are several key files of "
		    "yours for %u, and they differ: compare their fingerprint "
		    "(b2sum -l 256) with the letter, and name the right one: "
		    "sceau key renew FILE"), year);
	return err_set(e, RC_CONF, _("no key file of yours for %u in this "
	    "folder nor among the downloads. Has it come, by mail, on a "
	    "stick? Then: sceau key renew FILE. If not, call the "
	    "association"), year);
}
