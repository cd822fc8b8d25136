/*
 * Rows of any octets: read within bounds, written and read the same; what two
 * say together does not depend on which came first (P20).
 */
/* links: vault base */
#include "config.h"

#include "fuzz.h"
#include "vault/row.h"

static size_t
together(const struct row_peer *a, const struct row_peer *b, uint8_t *out)
{
	static struct row_peer all;

	memset(&all, 0, sizeof(all));
	row_merge(&all, a);
	row_merge(&all, b);
	return row_peer_format(&all, out);
}

static void
check_self(struct bytes p)
{
	struct row_self a, b;
	static uint8_t out[ROW_MAX_BYTES];
	size_t len;

	if (!row_self_parse(p, &a))
		return;
	len = row_self_format(&a, out);
	BUG_ON(len != p.len || memcmp(out, p.p, len) != 0);
	b = a;
	row_self_merge(&b, &a);
	BUG_ON(memcmp(&a, &b, sizeof(a)) != 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	static struct row_peer a, b;
	static uint8_t one[ROW_MAX_BYTES], two[ROW_MAX_BYTES];
	struct fuzz f = { p, len };
	size_t cut = (size_t)fuzz_8(&f) << 4 | fuzz_8(&f) >> 4, n;

	fuzz_start();
	cut = cut < f.left ? cut : f.left;
	check_self((struct bytes){ f.p, f.left });
	if (!row_peer_parse((struct bytes){ f.p, cut }, &a))
		return 0;
	n = row_peer_format(&a, one);
	BUG_ON(n > cut || !row_peer_parse((struct bytes){ one, n }, &b) ||
	    row_peer_format(&b, two) != n || memcmp(one, two, n) != 0);
	n = together(&a, &a, one);
	BUG_ON(!row_peer_parse((struct bytes){ one, n }, &a) ||
	    together(&a, &a, two) != n || memcmp(one, two, n) != 0);
	if (!row_peer_parse((struct bytes){ f.p + cut, f.left - cut }, &b))
		return 0;
	n = together(&a, &b, one);
	BUG_ON(n > ROW_MAX_BYTES - ROW_NONCE_BYTES - ROW_MAC_BYTES);
	BUG_ON(!row_peer_parse((struct bytes){ one, n }, &a) ||
	    together(&a, &b, two) != n || memcmp(one, two, n) != 0);
	return 0;
}
