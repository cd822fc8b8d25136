/* What a source tells, kept; and a consumer that fails where it is told to. */
#ifndef SC_TESTS_SEEN_H
#define SC_TESTS_SEEN_H

#include <stdlib.h>
#include <string.h>

#include "unit.h"

#include "base/buf.h"
#include "wire/source.h"

#define LISTED_MAX 32

/* What a listing, or a fetch, has told. */
static struct {
	char		 id[LISTED_MAX][SOURCE_ID_BYTES + 1];
	size_t		 n;
	size_t		 stop_at;	/* that one is refused; 0: none */
	enum source_got	 got[LISTED_MAX];
	size_t		 ends, begun;
	struct buf	 octets;
	enum rc		 at_begin, at_data, at_end;
} seen;

static inline void
forget(void)
{
	buf_free(&seen.octets);
	memset(&seen, 0, sizeof(seen));
}

static inline enum rc
on_list(void *arg, struct bytes id, uint64_t size, struct err *e)
{
	(void)arg;
	(void)size;
	assert_true(seen.n < LISTED_MAX && id.len <= SOURCE_ID_BYTES);
	memcpy(seen.id[seen.n], id.p, id.len);
	seen.id[seen.n++][id.len] = '\0';
	return seen.n == seen.stop_at ? err_set(e, RC_TEMP, "enough") : RC_OK;
}

static inline enum rc
on_begin(void *arg, struct err *e)
{
	(void)arg;
	seen.begun++;
	return seen.at_begin == RC_OK ? RC_OK :
	    err_set(e, seen.at_begin, "at begin");
}

static inline enum rc
on_data(void *arg, const void *p, size_t len, struct err *e)
{
	(void)arg;
	assert_true(buf_add(&seen.octets, p, len));
	return seen.at_data == RC_OK ? RC_OK :
	    err_set(e, seen.at_data, "at data");
}

static inline enum rc
on_end(void *arg, struct bytes id, enum source_got got, struct err *e)
{
	(void)arg;
	(void)id;
	assert_true(seen.ends < LISTED_MAX);
	seen.got[seen.ends++] = got;
	return seen.at_end == RC_OK ? RC_OK :
	    err_set(e, seen.at_end, "at end");
}

static const struct source_sink sink = { NULL, on_begin, on_data, on_end };

static inline struct bytes
bytes(const char *s)
{
	return (struct bytes){ (const uint8_t *)s, strlen(s) };
}

#endif
