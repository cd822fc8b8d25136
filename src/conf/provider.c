#include "config.h"

#include <string.h>
#include <strings.h>

#include "base/lang.h"
#include "conf/provider.h"

enum { NAMES, IMAP, POP3, SMTP, LOGIN, COLUMNS };

#define LINE_BYTES 512

static bool
place_is(const char *word, enum place_kind kind, struct place *out,
    struct err *e)
{
	*out = (struct place){ .port = 0 };
	return strcmp(word, "-") == 0 ||
	    place_parse(word, kind, out, e) == RC_OK;
}

/* "address,app": each word sets one thing, "address" none. */
static enum rc
login_parse(char *words, struct provider *p, struct err *e)
{
	char *rest = NULL;

	for (char *w = strtok_r(words, ",", &rest); w != NULL;
	    w = strtok_r(NULL, ",", &rest)) {
		if (strcmp(w, "name") == 0)
			p->name_only = true;
		else if (strcmp(w, "app") == 0)
			p->app = true;
		else if (strcmp(w, "token") == 0)
			p->token = true;
		else if (strcmp(w, "address") != 0)
			return err_set(e, RC_CONF, _("%s: address, name, app "
			    "or token"), w);
	}
	return RC_OK;
}

static bool
is_named(char *names, const char *name)
{
	char *rest = NULL;

	for (char *n = strtok_r(names, ",", &rest); n != NULL;
	    n = strtok_r(NULL, ",", &rest)) {
		size_t len = strlen(n), all = strlen(name);

		if (strcasecmp(n, name) == 0 || (n[0] == '.' && all > len &&
		    strcasecmp(n, name + all - len) == 0))
			return true;
	}
	return false;
}

static enum rc
row_take(char *line, const char *name, struct provider *out, bool *mine,
    struct err *e)
{
	char *words[COLUMNS + 1], *rest = NULL;
	size_t n = 0;

	*mine = false;
	*out = (struct provider){ .app = false };
	for (char *w = strtok_r(line, " \t", &rest); w != NULL && n <= COLUMNS;
	    w = strtok_r(NULL, " \t", &rest))
		words[n++] = w;
	if (n == 0)
		return RC_OK;
	if (n != COLUMNS)
		return err_set(e, RC_CONF, _("a provider has five columns: "
		    "names, IMAP, POP3, SMTP, login"));
	if (!place_is(words[IMAP], PLACE_IMAP, &out->fetch[PLACE_IMAP], e) ||
	    !place_is(words[POP3], PLACE_POP3, &out->fetch[PLACE_POP3], e) ||
	    !place_is(words[SMTP], PLACE_SMTP, &out->relay, e) ||
	    login_parse(words[LOGIN], out, e) != RC_OK)
		return e->rc;
	*mine = is_named(words[NAMES], name);
	return RC_OK;
}

enum rc
provider_find(const char *path, const void *text, size_t len,
    const char *name, struct provider *out, bool *found, struct err *e)
{
	const char *p = text, *end = p + len;
	struct provider row;
	char line[LINE_BYTES];
	bool mine;

	*found = false;
	for (int number = 1; p < end; number++) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));
		size_t n = (size_t)((nl != NULL ? nl : end) - p);

		snprintf(line, sizeof(line), "%.*s", (int)n, p);
		line[strcspn(line, "#\r")] = '\0';
		if (row_take(line, name, &row, &mine, e) != RC_OK)
			return err_line(e, path, number);
		if (mine && !*found)
			*out = row;
		*found = *found || mine;
		p += n + 1;
	}
	return RC_OK;
}
