#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/lang.h"
#include "document/alias.h"
#include "document/charset.h"

#define FILE_MAX_BYTES (4U << 20)

static bool
is_address(struct bytes s)
{
	const uint8_t *at = s.len == 0 ? NULL : memchr(s.p, '@', s.len);

	for (size_t i = 0; i < s.len; i++)
		if (s.p[i] <= ' ' || s.p[i] >= 0x7f)
			return false;
	return at != NULL && at > s.p && at + 1 < s.p + s.len &&
	    s.len <= 254;
}

static enum rc
read_line(struct bytes s, unsigned no, struct alias_table *t, struct err *e)
{
	struct alias a = { NULL, t->text.len, 0, no };
	struct bytes to;
	size_t at = s.len;

	s = bytes_trim(s);
	if (s.len == 0 || s.p[0] == '#')
		return RC_OK;
	for (at = s.len; at > 0 && s.p[at - 1] != '='; at--)
		;
	to = bytes_trim((struct bytes){ s.p + at, s.len - at });
	if (at == 0 || !is_address(to))
		return err_set(e, RC_CONF, _("line %u: write code or name = "
		    "address"), no);
	if (!charset_words(s.p, at - 1, &t->text) ||
	    !buf_add8(&t->text, '\0'))
		return err_set(e, RC_NOMEM, _("no memory left"));
	if (t->text.p[a.name] == '\0')
		return err_set(e, RC_CONF, _("line %u: write code or name = "
		    "address"), no);
	a.address = t->text.len;
	if (!buf_add(&t->text, to.p, to.len) || !buf_add8(&t->text, '\0') ||
	    !buf_add(&t->rows, &a, sizeof(a)))
		return err_set(e, RC_NOMEM, _("no memory left"));
	t->n++;
	return RC_OK;
}

static struct alias *
rows_of(const struct alias_table *t)
{
	return (struct alias *)(void *)t->rows.p;
}

static int
by_name(const void *a, const void *b)
{
	const struct alias *x = a, *y = b;
	int d = strcmp(x->text + x->name, y->text + y->name);

	return d != 0 ? d : x->line < y->line ? -1 : 1;
}

static void
sort(const struct alias_table *t)
{
	struct alias *r = rows_of(t);

	for (size_t i = 0; i < t->n; i++)
		r[i].text = (const char *)t->text.p;
	if (t->n > 0)
		qsort(r, t->n, sizeof(*r), by_name);
}

/* The same name with two addresses would send to whichever. */
static enum rc
check_twice(const struct alias_table *t, struct err *e)
{
	const struct alias *r = rows_of(t);

	for (size_t i = 1; i < t->n; i++)
		if (strcmp(r[i - 1].text + r[i - 1].name,
		    r[i].text + r[i].name) == 0 &&
		    strcmp(r[i - 1].text + r[i - 1].address,
		    r[i].text + r[i].address) != 0)
			return err_set(e, RC_CONF, _("lines %u and %u: the "
			    "same name with two addresses"), r[i - 1].line,
			    r[i].line);
	return RC_OK;
}

enum rc
alias_read(const uint8_t *p, size_t len, struct alias_table *t,
    struct err *e)
{
	struct charset_loss loss = { .lost = 0 };
	struct charset_guess g;
	struct buf utf8 = BUF_INIT;
	unsigned no = 0;
	enum rc rc;

	memset(t, 0, sizeof(*t));
	charset_guess(p, len, &g);
	rc = charset_read(&g, p, len, &utf8, &loss, e);
	for (size_t at = 0; rc == RC_OK && at < utf8.len;) {
		const uint8_t *end = memchr(utf8.p + at, '\n', utf8.len - at);
		size_t n = end == NULL ? utf8.len - at :
		    (size_t)(end - utf8.p) - at;

		rc = read_line((struct bytes){ utf8.p + at, n }, ++no, t, e);
		at += n + 1;
	}
	buf_free(&utf8);
	if (rc != RC_OK)
		return rc;
	sort(t);
	return check_twice(t, e);
}

enum rc
alias_load(const char *path, struct alias_table *t, struct err *e)
{
	struct buf b = BUF_INIT;
	enum rc rc;

	memset(t, 0, sizeof(*t));
	rc = file_read(path, FILE_MAX_BYTES, &b, e);
	if (rc == RC_OK && (rc = alias_read(b.p, b.len, t, e)) != RC_OK)
		err_ctx(e, "%s", path);
	buf_free(&b);
	return rc;
}

void
alias_free(struct alias_table *t)
{
	buf_free(&t->text);
	buf_free(&t->rows);
	t->n = 0;
}

enum rc
alias_find(const struct alias_table *t, struct bytes name,
    const char **address, struct err *e)
{
	struct buf want = BUF_INIT;
	size_t low = 0, high = t->n;

	*address = NULL;
	if (name.len == 0)
		return RC_OK;
	if (!charset_words(name.p, name.len, &want) ||
	    !buf_add8(&want, '\0')) {
		buf_free(&want);
		return err_set(e, RC_NOMEM, _("no memory left"));
	}
	while (low < high && want.p[0] != '\0') {
		size_t mid = low + (high - low) / 2;
		const struct alias *a = &rows_of(t)[mid];
		int d = strcmp((const char *)want.p, a->text + a->name);

		if (d == 0)
			*address = a->text + a->address;
		if (d == 0)
			break;
		if (d < 0)
			high = mid;
		else
			low = mid + 1;
	}
	buf_free(&want);
	return RC_OK;
}
