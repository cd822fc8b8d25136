/*
 * The desk's own files: a journal is read to its end whatever stands in it,
 * and one more line is whole or refused; the list of years is what was written,
 * or damaged.
 */
/* links: issuer vault document conf mail base */
#include "config.h"

#include "fuzz.h"
#include "issuer/acts.h"

/* "sceau years 1", and a line of 4 + 1 + 24 + 1 octets for each. */
#define FIRST_BYTES 14
#define LINE_BYTES (6 + 2 * KDF_ROOTCK_BYTES)

struct seen {
	unsigned	n;
	bool		last_whole;
	bool		last_ours;
};

static enum rc
look(void *ctx, const struct act *a, struct err *e)
{
	struct seen *s = ctx;

	(void)e;
	BUG_ON(a->line != s->n + 1);
	s->n++;
	s->last_whole = a->whole;
	s->last_ours = strcmp(a->act, "add") == 0 &&
	    strcmp(a->what, "added=1") == 0;
	return RC_OK;
}

static void
read_all(struct seen *s)
{
	struct acts_sum sum;
	struct err e = ERR_INIT;

	memset(s, 0, sizeof(*s));
	BUG_ON(acts_read(fuzz_dir_path, look, s, &sum, &e) != RC_OK);
	BUG_ON(sum.n != s->n || sum.broken > sum.n);
}

static void
any_journal(const struct desk *d, const uint8_t *p, size_t len)
{
	struct seen before, after;
	struct err e = ERR_INIT;

	fuzz_file(fuzz_path("acts"), p, len);
	read_all(&before);
	if (acts_note(d, "add", "added=1", &e) != RC_OK) {
		BUG_ON(e.rc != RC_CONF || e.text[0] == '\0');
		return;
	}
	read_all(&after);
	BUG_ON(after.n != before.n + 1 || !after.last_whole ||
	    !after.last_ours);
}

static void
any_years(struct desk *d, const uint8_t *p, size_t len)
{
	struct err e = ERR_INIT;

	fuzz_file(fuzz_path("years"), p, len);
	if (desk_years_read(d, &e) != RC_OK) {
		BUG_ON(e.text[0] == '\0');
		return;
	}
	BUG_ON(d->nyears > DESK_YEARS_MAX ||
	    len != FIRST_BYTES + d->nyears * LINE_BYTES);
	for (size_t i = 1; i < d->nyears; i++)
		BUG_ON(d->years[i] <= d->years[i - 1]);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	struct fuzz f = { p, len };
	struct err e = ERR_INIT;
	struct desk *d;

	fuzz_start();
	(void)fuzz_path("");		/* makes the folder */
	BUG_ON(desk_new(fuzz_dir_path, &d, &e) != RC_OK);
	if (fuzz_8(&f) % 2 == 0)
		any_journal(d, f.p, f.left);
	else
		any_years(d, f.p, f.left);
	desk_close(&d);
	return 0;
}
