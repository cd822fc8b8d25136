/* Three typed codes: a part that is accepted prints as what was typed means,
 * and parts make up the root from which they were made, or none. */
/* links: vault base */
#include "config.h"

#include "fuzz.h"
#include "vault/root.h"

/* Any three lines as a part. */
static void
typed(struct fuzz *f)
{
	char line[ROOT_PART_CODES][64], out[ROOT_PART_CODES][CODE_TEXT_BYTES];
	const char *text[ROOT_PART_CODES];
	struct root_part a, b;
	struct err e = ERR_INIT;

	for (size_t i = 0; i < ROOT_PART_CODES; i++) {
		fuzz_text(f, line[i], sizeof(line[i]));
		text[i] = line[i];
	}
	if (root_part_parse(text, &a, &e) != RC_OK) {
		BUG_ON(e.text[0] == '\0');
		return;
	}
	BUG_ON(a.number < 1 || a.number > ROOT_PARTS);
	root_part_format(&a, out);
	for (size_t i = 0; i < ROOT_PART_CODES; i++)
		text[i] = out[i];
	BUG_ON(root_part_parse(text, &b, &e) != RC_OK ||
	    memcmp(&a, &b, sizeof(a)) != 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	uint8_t root[KDF_KEY_BYTES], back[KDF_KEY_BYTES];
	struct root_part parts[ROOT_PARTS], some[4];
	struct fuzz f = { p, len };
	struct err e = ERR_INIT;
	unsigned seen = 0;
	size_t n;

	fuzz_start();
	for (size_t i = 0; i < sizeof(root); i++)
		root[i] = fuzz_8(&f);
	root_split(root, parts);
	n = fuzz_8(&f) % 5;
	for (size_t i = 0; i < n; i++) {
		uint8_t v = fuzz_8(&f), bit = fuzz_8(&f);

		some[i] = parts[v % ROOT_PARTS];
		seen |= 1U << v % ROOT_PARTS;
		if (v & 0x80) {		/* misread */
			some[i].share[bit / 8] ^= (uint8_t)(1U << bit % 8);
			seen |= 8;
		}
	}
	if (root_join(some, n, back, &e) == RC_OK)
		BUG_ON((seen & 7) != 7 ||
		    memcmp(root, back, sizeof(root)) != 0);
	else
		BUG_ON(seen == 7);
	typed(&f);
	return 0;
}
