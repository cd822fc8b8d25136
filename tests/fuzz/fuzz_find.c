/* The finder: one octet at a time it finds what it finds at once. */
/* links: mail base */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "mail/find.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

static enum rc
take(void *arg, const uint8_t *p, size_t len, struct err *e)
{
	(void)e;
	return buf_add(arg, p, len) ? RC_OK : RC_NOMEM;
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	static struct find a, b;
	struct buf one = BUF_INIT, all = BUF_INIT;
	struct err ea = ERR_INIT, eb = ERR_INIT;
	enum find_result ra = FIND_NONE, rb = FIND_NONE;

	find_init(&a, (struct sink){ take, &one }, 3000);
	find_init(&b, (struct sink){ take, &all }, 3000);
	for (size_t i = 0; i < len; i++)
		(void)find_add(&a, p + i, 1, &ea);
	(void)find_add(&b, p, len, &eb);
	if (find_end(&a, &ra, &ea) != find_end(&b, &rb, &eb) || ra != rb ||
	    ea.class != eb.class || all.len > 3000 ||
	    (ea.rc == RC_OK && strcmp(find_from(&a), find_from(&b)) != 0) ||
	    (ea.rc == RC_OK && (one.len != all.len || (one.len > 0 &&
	    memcmp(one.p, all.p, one.len) != 0))))
		abort();
	buf_free(&one);
	buf_free(&all);
	return 0;
}
