#include "config.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/lang.h"
#include "base/log.h"
#include "cmd/out.h"

#define COLS_MAX 24

struct out {
	bool			 json;
	const char		*type;
	const struct out_col	*cols;
	size_t			 ncols;
	json_t			*object;	/* JSON: the row at hand */
	char			**cells;	/* text: rows, one after the
						 * other; NULL: empty */
	size_t			 nrows, cap;	/* cap: rows that fit */
	bool			 nomem, failed;
};

struct out *
out_new(bool json, const char *type, const struct out_col *cols)
{
	struct out *o = calloc(1, sizeof(*o));

	if (o == NULL)
		return NULL;
	o->json = json;
	o->type = type;
	o->cols = cols;
	while (cols[o->ncols].key != NULL)
		o->ncols++;
	BUG_ON(o->ncols > COLS_MAX);
	return o;
}

static size_t
col_of(const struct out *o, const char *key)
{
	size_t i = 0;

	while (i < o->ncols && strcmp(o->cols[i].key, key) != 0)
		i++;
	BUG_ON(i == o->ncols);
	return i;
}

/* Room for the row at hand behind those that are done. */
static char **
text_row(struct out *o)
{
	if (o->nrows >= o->cap) {
		size_t cap = o->cap == 0 ? 32 : 2 * o->cap;
		char **more = calloc(cap * o->ncols, sizeof(*more));

		if (more == NULL) {
			o->nomem = true;
			return NULL;
		}
		if (o->cap > 0)
			memcpy(more, o->cells,
			    o->cap * o->ncols * sizeof(*more));
		free(o->cells);
		o->cells = more;
		o->cap = cap;
	}
	return o->cells + o->nrows * o->ncols;
}

static void
set_text(struct out *o, const char *key, const char *s)
{
	size_t i = col_of(o, key);
	char **row;

	if (o->cols[i].title == NULL || (row = text_row(o)) == NULL)
		return;
	free(row[i]);
	if ((row[i] = strdup(s)) == NULL)
		o->nomem = true;
	else
		log_plain(row[i]);
}

static void
set_json(struct out *o, const char *key, json_t *value)
{
	(void)col_of(o, key);
	if (o->object == NULL)
		o->object = json_pack("{s:i,s:s}", "schema", 1, "type",
		    o->type);
	if (json_object_set_new(o->object, key, value) != 0)
		o->nomem = true;
}

void
out_text(struct out *o, const char *key, const char *s)
{
	char *plain;

	if (!o->json) {
		set_text(o, key, s);
		return;
	}
	/* What strangers wrote need not be UTF-8. */
	if ((plain = strdup(s)) == NULL) {
		o->nomem = true;
		return;
	}
	log_plain(plain);
	set_json(o, key, json_string(plain));
	free(plain);
}

void
out_number(struct out *o, const char *key, int64_t n)
{
	char s[24];

	if (o->json) {
		set_json(o, key, json_integer(n));
		return;
	}
	snprintf(s, sizeof(s), "%lld", (long long)n);
	set_text(o, key, s);
}

void
out_time(struct out *o, const char *key, int64_t at)
{
	char exact[CLOCK_3339_BYTES], say[CLOCK_SAY_BYTES];

	if (o->json) {
		clock_3339(at, exact);
		set_json(o, key, at == 0 ? json_null() : json_string(exact));
		return;
	}
	clock_say(at, say);
	set_text(o, key, at == 0 ? "" : say);
}

void
out_bool(struct out *o, const char *key, bool yes)
{
	if (o->json)
		set_json(o, key, json_boolean(yes));
	else
		set_text(o, key, yes ? _("yes") : _("no"));
}

static void
print_object(struct out *o)
{
	for (size_t i = 0; i < o->ncols; i++)
		if (json_object_get(o->object, o->cols[i].key) == NULL)
			set_json(o, o->cols[i].key, json_null());
	if (json_dumpf(o->object, stdout, JSON_COMPACT |
	    JSON_PRESERVE_ORDER) != 0 || putchar('\n') == EOF)
		o->failed = true;
	json_decref(o->object);
	o->object = NULL;
}

void
out_row(struct out *o)
{
	if (o->json)
		print_object(o);
	else if (text_row(o) != NULL)
		o->nrows++;
}

/* Characters, not octets: accents must not move the columns. */
static size_t
width(const char *s)
{
	size_t n = 0;

	for (; *s != '\0'; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

static void
print_cells(struct out *o, const size_t *widths, char *const *cells,
    bool titles)
{
	size_t last = 0;

	for (size_t i = 0; i < o->ncols; i++)
		if (o->cols[i].title != NULL)
			last = i;
	for (size_t i = 0; i <= last; i++) {
		const char *s = titles ? _(o->cols[i].title) :
		    cells[i] != NULL ? cells[i] : "";
		size_t pad;

		if (o->cols[i].title == NULL)
			continue;
		pad = widths[i] - width(s);
		if (o->cols[i].kind == OUT_NUMBER)
			printf("%*s%s", (int)pad, "", s);
		else
			printf("%s%*s", s, i == last ? 0 : (int)pad, "");
		if (i != last)
			printf("  ");
	}
	if (putchar('\n') == EOF)
		o->failed = true;
}

static void
print_table(struct out *o)
{
	size_t widths[COLS_MAX] = { 0 };

	for (size_t i = 0; i < o->ncols; i++) {
		if (o->cols[i].title == NULL)
			continue;
		widths[i] = width(_(o->cols[i].title));
		for (size_t r = 0; r < o->nrows; r++) {
			const char *s = o->cells[r * o->ncols + i];

			if (s != NULL && width(s) > widths[i])
				widths[i] = width(s);
		}
	}
	print_cells(o, widths, NULL, true);
	for (size_t r = 0; r < o->nrows; r++)
		print_cells(o, widths, o->cells + r * o->ncols, false);
}

enum rc
out_end(struct out **op, const char *none, struct err *e)
{
	struct out *o = *op;
	enum rc rc = RC_OK;

	if (o == NULL)
		return RC_OK;
	if (!o->json && o->nrows > 0)
		print_table(o);
	else if (!o->json && none != NULL && puts(none) == EOF)
		o->failed = true;
	if (o->nomem)
		rc = err_set(e, RC_NOMEM, _("no memory left"));
	else if (o->failed || fflush(stdout) != 0)
		rc = err_sys(e, _("standard output"));
	for (size_t i = 0; o->cells != NULL && i < o->cap * o->ncols; i++)
		free(o->cells[i]);
	free(o->cells);
	json_decref(o->object);
	free(o);
	*op = NULL;
	return rc;
}
