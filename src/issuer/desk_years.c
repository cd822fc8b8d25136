/* The years of a desk: which roots there are, and holding one for a while. */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/lang.h"
#include "base/secret.h"
#include "issuer/desk.h"

#define YEARS_FIRST "sceau years 1\n"
#define YEARS_MAX_BYTES 4096

static enum rc
write_years(const struct desk *d, struct err *e)
{
	char path[PATH_MAX], hex[2 * KDF_ROOTCK_BYTES + 1];
	struct buf out = BUF_INIT;
	bool ok = buf_adds(&out, YEARS_FIRST);
	enum rc rc = desk_path(d->dir, "years", path, e);

	for (size_t i = 0; i < d->nyears && ok; i++) {
		hex_format(d->checks[i], KDF_ROOTCK_BYTES, hex);
		ok = buf_addf(&out, "%u\t%s\n", d->years[i], hex);
	}
	if (rc == RC_OK)
		rc = ok ? file_write(path, out.p, out.len, 0600, e) :
		    err_nomem(e);
	buf_free(&out);
	return rc;
}

/* "2027<tab>24 digits", rising. */
static bool
parse_year(struct desk *d, const char *line)
{
	unsigned n;

	if (d->nyears == DESK_YEARS_MAX || strspn(line, "0123456789") != 4 ||
	    line[4] != '\t' || sscanf(line, "%4u", &n) != 1 ||
	    !hex_parse(line + 5, d->checks[d->nyears], KDF_ROOTCK_BYTES) ||
	    (d->nyears > 0 && n <= d->years[d->nyears - 1]))
		return false;
	d->years[d->nyears++] = (uint16_t)n;
	return true;
}

static bool
parse_years(struct desk *d, char *line)
{
	const size_t first = strlen(YEARS_FIRST);
	char *nl;

	if (strncmp(line, YEARS_FIRST, first) != 0)
		return false;
	for (line += first; *line != '\0'; line = nl + 1) {
		if ((nl = strchr(line, '\n')) == NULL)
			return false;
		*nl = '\0';
		if (!parse_year(d, line))
			return false;
	}
	return true;
}

enum rc
desk_years_read(struct desk *d, struct err *e)
{
	struct buf in = BUF_INIT;
	char path[PATH_MAX];
	enum rc rc = desk_path(d->dir, "years", path, e);

	if (rc == RC_OK)
		rc = file_read(path, YEARS_MAX_BYTES, &in, e);
	if (rc == RC_OK && !buf_add8(&in, 0))
		rc = err_nomem(e);
	/* A NUL is no end: what stands behind one is damage too. */
	if (rc == RC_OK && (strlen((char *)in.p) != in.len - 1 ||
	    !parse_years(d, (char *)in.p)))
		rc = err_set(e, RC_CONF, _("%s is damaged, or of another "
		    "version of sceau"), path);
	buf_free(&in);
	return rc;
}

/* ---- roots in memory ---------------------------------------------------- */

static size_t
year_at(const struct desk *d, uint16_t year)
{
	size_t i = 0;

	while (i < d->nyears && d->years[i] != year)
		i++;
	return i;
}

bool
desk_knows(const struct desk *d, uint16_t year)
{
	return year_at(d, year) < d->nyears;
}

const uint8_t *
desk_root(const struct desk *d, uint16_t year)
{
	size_t i = year_at(d, year);

	return i < d->nyears && d->joined[i] ?
	    d->roots + i * KDF_KEY_BYTES : NULL;
}

/* The year whose root has this check; nyears: none that is known here. */
static size_t
year_of(const struct desk *d, const struct custody *c)
{
	size_t i = 0;

	while (i < d->nyears &&
	    !same(d->checks[i], c->parts[0].check, KDF_ROOTCK_BYTES))
		i++;
	return i;
}

/* Those of the year, at most two custodians' of them. */
static enum rc
choose(const struct desk *d, size_t at, const struct custody *c, size_t n,
    const struct custody *of[2], struct err *e)
{
	size_t have = 0, other = at;

	for (size_t i = 0; i < n; i++) {
		size_t y = year_of(d, &c[i]);

		if (y == d->nyears)
			return err_set(e, RC_INPUT, _("the sheet of custodian "
			    "%u is of no root that this desk knows: it is of "
			    "another association, or of a year whose root was "
			    "destroyed"), custody_number(&c[i]));
		if (y != at)
			other = y;
		else if (have == 0 || (have == 1 &&
		    custody_number(of[0]) != custody_number(&c[i])))
			of[have++] = &c[i];
	}
	if (have == 2)
		return RC_OK;
	if (other != at)
		return err_set(e, RC_INPUT, _("a sheet is of %u; those of two "
		    "custodians of %u are wanted"), d->years[other],
		    d->years[at]);
	return have == 0 ? err_set(e, RC_INPUT, _("the sheets of two "
	    "custodians are wanted")) :
	    err_set(e, RC_INPUT, _("only custodian %u is here: part %u is "
	    "missing; bring the sheet of another custodian"),
	    custody_number(of[0]), custody_number(of[0]));
}

enum rc
desk_join(struct desk *d, uint16_t year, const struct custody *c, size_t n,
    struct err *e)
{
	const size_t at = year_at(d, year);
	const struct custody *of[2] = { NULL, NULL };
	struct root_part *parts;
	enum rc rc;

	if (at == d->nyears)
		return err_set(e, RC_CONF, _("there is no root for %u here"),
		    year);
	if ((rc = choose(d, at, c, n, of, e)) != RC_OK)
		return rc;
	if ((parts = secret_alloc(4 * sizeof(*parts))) == NULL)
		return err_nomem(e);
	memcpy(parts, of[0]->parts, sizeof(of[0]->parts));
	memcpy(parts + CUSTODY_PARTS, of[1]->parts, sizeof(of[1]->parts));
	rc = root_join(parts, 2 * CUSTODY_PARTS,
	    d->roots + at * KDF_KEY_BYTES, e);
	secret_free(&parts);
	d->joined[at] = rc == RC_OK;
	if (rc == RC_INPUT)
		rc = err_set(e, RC_INPUT, _("both sheets are of %u and yet do "
		    "not fit together: one is older than the new sheets that "
		    "were made since, and bears another set than theirs, or "
		    "a code of one is not as it was printed; compare each"),
		    year);
	return rc;
}

/* ---- a new root --------------------------------------------------------- */

static enum rc
sheet_path(const char *dir, unsigned number, uint16_t year,
    char out[PATH_MAX], struct err *e)
{
	char name[40];

	snprintf(name, sizeof(name), "custodian-%u.%u.txt", number, year);
	return desk_path(dir, name, out, e);
}

static enum rc
write_sheet(const char *path, const struct custody_sheet *s,
    const struct custody *c, struct err *e)
{
	struct buf out = BUF_INIT;
	enum rc rc;

	if (access(path, F_OK) == 0)
		return err_set(e, RC_CONF, _("%s is there already.  Left by a "
		    "run that was cut off, it is of no use: delete the sheets "
		    "of %u and give the same command again; of another desk, "
		    "keep it, and name another folder by --sheets"), path,
		    s->year);
	rc = custody_format(s, c, &out) ?
	    file_create(path, out.p, out.len, 0600, e) : err_nomem(e);
	buf_free(&out);
	return rc;
}

static void
remove_sheets(const char *dir, unsigned n, uint16_t year)
{
	struct err ignored = ERR_INIT;
	char path[PATH_MAX];

	for (; n > 0; n--)
		if (sheet_path(dir, n, year, path, &ignored) == RC_OK)
			(void)unlink(path);
}

/* All three, or none. */
static enum rc
write_sheets(const char *dir, const struct custody_sheet *s,
    const struct root_part *parts, struct custody *c, struct err *e)
{
	char path[PATH_MAX];
	unsigned n = 0;
	enum rc rc = RC_OK;

	while (rc == RC_OK && n < ROOT_PARTS) {
		custody_of(parts, n + 1, c);
		if ((rc = sheet_path(dir, n + 1, s->year, path, e)) == RC_OK &&
		    (rc = write_sheet(path, s, c, e)) == RC_OK)
			n++;
	}
	if (rc != RC_OK)
		remove_sheets(dir, n, s->year);
	return rc;
}

/* Three sheets of a root that is in memory. */
static enum rc
share(const struct desk *d, size_t at, const char *sheets, bool english,
    struct err *e)
{
	struct bytes by = identity_address(&d->issuer);
	char address[IDENTITY_MAX_BYTES + 1];
	struct custody_sheet s = { .assoc = d->members->assoc,
	    .call = d->members->call[0] != '\0' ? d->members->call : address,
	    .year = d->years[at], .english = english, .at = clock_now() };
	struct root_part *parts = secret_alloc(ROOT_PARTS * sizeof(*parts));
	struct custody *c = secret_alloc(sizeof(*c));
	enum rc rc = RC_OK;

	snprintf(address, sizeof(address), "%.*s", (int)by.len,
	    (const char *)by.p);
	custody_mark(s.mark);
	if (parts == NULL || c == NULL)
		rc = err_nomem(e);
	if (rc == RC_OK) {
		root_split(d->roots + at * KDF_KEY_BYTES, parts);
		rc = write_sheets(sheets, &s, parts, c, e);
	}
	secret_free(&parts);
	secret_free(&c);
	return rc;
}

static enum rc
open_sheets(const char *sheets, struct err *e)
{
	enum rc rc = file_mkdirs(sheets, 0700, e);

	return rc == RC_OK ? file_private(sheets, e) : rc;
}

enum rc
desk_sheets_free(uint16_t year, const char *sheets, struct err *e)
{
	char path[PATH_MAX];
	enum rc rc = RC_OK;

	for (unsigned n = 1; n <= ROOT_PARTS && rc == RC_OK; n++)
		if ((rc = sheet_path(sheets, n, year, path, e)) == RC_OK &&
		    access(path, F_OK) == 0)
			rc = err_set(e, RC_CONF, _("%s is there, and is kept: "
			    "name another folder by --sheets"), path);
	return rc;
}

enum rc
desk_sheets_make(const struct desk *d, uint16_t year, const char *sheets,
    bool english, struct err *e)
{
	enum rc rc;

	BUG_ON(desk_root(d, year) == NULL);
	if ((rc = open_sheets(sheets, e)) != RC_OK)
		return rc;
	return share(d, year_at(d, year), sheets, english, e);
}

/* On disk, whatever writing it said: also when that cannot be read. */
static bool
is_written(const struct desk *d, uint16_t year)
{
	struct err ignored = ERR_INIT;
	struct desk *now = NULL;
	char path[PATH_MAX];
	bool yes = true;

	if (desk_path(d->dir, "years", path, &ignored) == RC_OK &&
	    access(path, F_OK) != 0)
		return errno != ENOENT;
	if (desk_new(d->dir, &now, &ignored) == RC_OK &&
	    desk_years_read(now, &ignored) == RC_OK)
		yes = desk_knows(now, year);
	desk_close(&now);
	return yes;
}

enum rc
desk_year_make(struct desk *d, uint16_t year, const char *sheets,
    bool english, struct err *e)
{
	uint8_t *root = d->roots + d->nyears * KDF_KEY_BYTES;
	enum rc rc;

	BUG_ON(d->nyears > 0 && year <= d->years[d->nyears - 1]);
	if (d->nyears == DESK_YEARS_MAX)
		return err_set(e, RC_CONF, _("this desk has roots of %d years: "
		    "destroy the oldest"), DESK_YEARS_MAX);
	if ((rc = open_sheets(sheets, e)) != RC_OK)
		return rc;
	d->years[d->nyears] = year;
	random_bytes(root, KDF_KEY_BYTES);
	kdf_rootck(d->checks[d->nyears], root);
	if ((rc = share(d, d->nyears, sheets, english, e)) != RC_OK)
		return rc;
	d->joined[d->nyears++] = true;
	/* No sheet is left of a root that no run will know. */
	if ((rc = write_years(d, e)) != RC_OK && !is_written(d, year))
		remove_sheets(sheets, ROOT_PARTS, year);
	return rc;
}

enum rc
desk_year_forget(struct desk *d, uint16_t year, struct err *e)
{
	const size_t at = year_at(d, year);
	uint8_t *root = d->roots + at * KDF_KEY_BYTES;
	size_t after;

	if (at == d->nyears)
		return err_set(e, RC_CONF, _("there is no root for %u here"),
		    year);
	after = d->nyears - at - 1;
	memmove(&d->years[at], &d->years[at + 1], after * sizeof(d->years[0]));
	memmove(d->checks[at], d->checks[at + 1], after * KDF_ROOTCK_BYTES);
	memmove(&d->joined[at], &d->joined[at + 1],
	    after * sizeof(d->joined[0]));
	memmove(root, root + KDF_KEY_BYTES, after * KDF_KEY_BYTES);
	d->nyears--;
	wipe(d->roots + d->nyears * KDF_KEY_BYTES, KDF_KEY_BYTES);
	return write_years(d, e);
}
