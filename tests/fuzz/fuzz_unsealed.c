/* Mail in clear: the same at each cut, one From, and that is ours. */
/* links: mail base */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "mail/unsealed.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

static enum rc
take(void *arg, const uint8_t *p, size_t len, struct err *e)
{
	(void)e;
	return buf_add(arg, p, len) ? RC_OK : RC_NOMEM;
}

static enum rc
mark(const uint8_t *p, size_t len, size_t step, struct buf *out)
{
	struct err e = ERR_INIT;
	struct unsealed u;

	unsealed_init(&u, (struct sink){ take, out });
	for (size_t i = 0; i < len && e.rc == RC_OK; i += step)
		(void)unsealed_add(&u, p + i, len - i < step ? len - i : step,
		    &e);
	if (e.rc == RC_OK)
		(void)unsealed_end(&u, &e);
	unsealed_free(&u);
	return e.rc;
}

static bool
begins(const char *line, const char *name)
{
	return strncasecmp(line, name, strlen(name)) == 0;
}

/* No line of the header but the first names a sender; none has an end of line
 * of its own. */
static void
look(struct buf *b)
{
	const char *s = buf_str(b), *line;
	size_t n = 0;

	if (s == NULL || strlen(s) < strcspn(s, "\n"))
		abort();
	for (line = s; *line != '\0' && *line != '\n' && *line != '\r';
	    line += strcspn(line, "\n") + 1, n++) {
		size_t end = strcspn(line, "\n"), cr = strcspn(line, "\r");

		if (line[end] == '\0' || cr + 1 < end ||
		    (n > 0 && (begins(line, "From") || begins(line, "Sender") ||
		    begins(line, "Reply-To") || begins(line, "X-Sceau"))) ||
		    (n == 0 && !begins(line, "From: =?utf-8?B?")))
			abort();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	struct buf a = BUF_INIT, b = BUF_INIT;
	enum rc rc = mark(p, len, len + 1, &a);

	if (rc != mark(p, len, 1, &b) || a.len != b.len ||
	    (a.len > 0 && memcmp(a.p, b.p, a.len) != 0))
		abort();
	if (rc == RC_OK)
		look(&a);
	buf_free(&a);
	buf_free(&b);
	return 0;
}
