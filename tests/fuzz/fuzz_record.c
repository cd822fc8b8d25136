/* Any payload: the same verdict, records and D whole or octet by octet. */
/* links: vault base */
#include <string.h>

#include "vault/payload.h"

static enum rc
read_all(struct payload_reader *r, const uint8_t *p, size_t len, size_t step)
{
	struct err e = ERR_INIT;
	enum rc rc = RC_OK;

	payload_init(r, PAYLOAD_MEMBER_MAX, (struct payload_events){ 0 });
	for (size_t i = 0; rc == RC_OK && i < len; i += step)
		rc = payload_feed(r, p + i, len - i < step ? len - i : step,
		    &e);
	return rc == RC_OK ? payload_end(r, &e) : rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	struct payload_reader a, b;
	struct buf again = BUF_INIT;
	struct err e = ERR_INIT;
	struct rec r;
	struct rd rd;
	enum rc rc = read_all(&a, p, len, len + 1);

	BUG_ON(read_all(&b, p, len, 1) != rc);
	BUG_ON(rc == RC_OK && memcmp(a.digest, b.digest, 32) != 0);
	rd = rd_of(a.control.p, rc == RC_OK ? a.control.len : 0);
	while (rd.left > 0) {
		buf_wipe(&again);
		BUG_ON(rec_next(&rd, &r, &e) != RC_OK);
		BUG_ON(!rec_skipped(r.type) &&
		    (rec_add(&again, &r, &e) != RC_OK || memcmp(again.p,
		    rd_at(&rd) - again.len, again.len) != 0));
	}
	payload_free(&a);
	payload_free(&b);
	buf_free(&again);
	return 0;
}
