/* Submission: same MAIL at each cut, and submitting that again is no-op. */
/* links: mail base */
#include <stdlib.h>
#include <string.h>

#include "mail/submit.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

static enum rc
take(void *arg, const uint8_t *p, size_t len, struct err *e)
{
	(void)e;
	return buf_add(arg, p, len) ? RC_OK : RC_NOMEM;
}

static enum rc
submit(const uint8_t *p, size_t len, size_t step, struct buf *out)
{
	static const struct submit_add add = { "a@b", 0, "x@y", true };
	struct err e = ERR_INIT;
	struct submit s;

	submit_init(&s, 1 << 20);
	for (size_t i = 0; i < len && e.rc == RC_OK; i += step)
		(void)submit_scan(&s, p + i, len - i < step ? len - i : step,
		    &e);
	if (e.rc == RC_OK && submit_scan_end(&s, &add, &e) == RC_OK) {
		for (size_t i = 0; i < len; i += step)
			(void)submit_copy(&s, p + i, len - i < step ?
			    len - i : step, (struct sink){ take, out }, &e);
		if (submit_copy_end(&s, &e) != RC_OK ||
		    out->len != submit_length(&s))
			abort();
	}
	submit_free(&s);
	return e.rc;
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	struct buf a = BUF_INIT, b = BUF_INIT, c = BUF_INIT;
	enum rc rc = submit(p, len, len + 1, &a);

	if (rc != submit(p, len, 1, &b) || a.len != b.len ||
	    (a.len > 0 && memcmp(a.p, b.p, a.len) != 0) ||
	    (rc == RC_OK && (submit(a.p, a.len, 9, &c) != RC_OK ||
	    c.len != a.len || memcmp(a.p, c.p, a.len) != 0)))
		abort();
	buf_free(&a);
	buf_free(&b);
	buf_free(&c);
	return 0;
}
