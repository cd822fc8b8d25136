/*
 * A custodian's sheet as he brings it, typed or scanned: what is accepted is
 * of one custodian, prints, and is read the same from what was printed; a
 * sheet that was misread gives other parts never, or is refused.
 */
/* links: issuer vault document conf mail base */
#include "config.h"

#include "fuzz.h"
#include "issuer/custody.h"

static void
print(const struct custody *c, struct buf *out)
{
	const struct custody_sheet s = { "demo", "02 31 00 00 00", 2027,
	    c->parts[0].share[0] % 2 == 0, 1795856400, "K7QD" };

	BUG_ON(!custody_format(&s, c, out));
}

/* What was accepted, printed and read. */
static void
check_accepted(const struct custody *c)
{
	struct buf out = BUF_INIT;
	struct custody again;
	struct err e = ERR_INIT;
	unsigned n = custody_number(c);

	BUG_ON(n < 1 || n > 3);
	print(c, &out);
	BUG_ON(custody_parse((const char *)out.p, out.len, &again, &e) !=
	    RC_OK || memcmp(&again, c, sizeof(again)) != 0);
	buf_free(&out);
}

/* Any octets, as the file of a sheet. */
static void
any_text(const uint8_t *p, size_t len)
{
	char *copy = malloc(len + 1);
	struct custody c;
	struct err e = ERR_INIT;

	BUG_ON(copy == NULL);
	if (len > 0)
		memcpy(copy, p, len);
	if (custody_parse(copy, len, &c, &e) == RC_OK)
		check_accepted(&c);
	else
		BUG_ON(e.rc != RC_INPUT || e.text[0] == '\0');
	free(copy);
}

/* Six lines, as they are typed. */
static void
any_codes(struct fuzz *f)
{
	char line[CUSTODY_CODES][64];
	const char *codes[CUSTODY_CODES];
	struct custody c;
	struct err e = ERR_INIT;

	for (size_t i = 0; i < CUSTODY_CODES; i++) {
		fuzz_text(f, line[i], sizeof(line[i]));
		codes[i] = line[i];
	}
	if (custody_codes(codes, &c, &e) == RC_OK)
		check_accepted(&c);
	else
		BUG_ON(e.text[0] == '\0');
}

/* A true sheet, some octets of it changed, or lines of two sheets mixed. */
static void
misread(struct fuzz *f)
{
	struct root_part parts[ROOT_PARTS];
	uint8_t root[KDF_KEY_BYTES] = { 0 };
	struct buf out = BUF_INIT;
	struct custody c, got;
	struct err e = ERR_INIT;

	root[0] = fuzz_8(f);
	root_split(root, parts);
	custody_of(parts, 1 + fuzz_8(f) % 3, &c);
	print(&c, &out);
	for (size_t n = fuzz_8(f) % 4; n > 0; n--) {
		size_t at = (size_t)(fuzz_8(f) << 8 | fuzz_8(f)) % out.len;

		out.p[at] = fuzz_8(f);
	}
	/* The check symbol lets one misreading of 32 pass, the check of the
	 * whole root is seen when it is put together. */
	if (custody_parse((const char *)out.p, out.len, &got, &e) == RC_OK)
		check_accepted(&got);
	buf_free(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	struct fuzz f = { p, len };

	fuzz_start();
	switch (fuzz_8(&f) % 3) {
	case 0:
		any_text(f.p, f.left);
		break;
	case 1:
		any_codes(&f);
		break;
	default:
		misread(&f);
	}
	return 0;
}
