/* The n-th allocation of our own code fails, once, or what is appended to a
 * buffer as if it had to grow; linked with --wrap of what does that.  What
 * libraries ask for themselves is left alone. */
#ifndef SC_TESTS_NO_MEMORY_H
#define SC_TESTS_NO_MEMORY_H

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit.h"

#include "base/buf.h"

static struct {
	long	left;		/* allocations before the one; -1: none */
	bool	fired;
	bool	*told;		/* the same for all processes; or NULL */
	/* What was reserved is there: that cannot fail, and nobody asks. */
	const struct buf *of;
	size_t	to;
} memory = { .left = -1 };

static inline bool
memory_ends(void)
{
	if (memory.left < 0 || (memory.told != NULL && *memory.told) ||
	    memory.left-- > 0)
		return false;
	memory.fired = true;
	if (memory.told != NULL)
		*memory.told = true;
	errno = ENOMEM;
	return true;
}

static inline bool
buf_ends(const struct buf *b, size_t more)
{
	return !(memory.of == b && b->len + more <= memory.to) &&
	    memory_ends();
}

void *__real_malloc(size_t len);
void *__wrap_malloc(size_t len);
void *__real_calloc(size_t n, size_t len);
void *__wrap_calloc(size_t n, size_t len);
char *__real_strdup(const char *s);
char *__wrap_strdup(const char *s);
void *__real_sodium_malloc(size_t len);
void *__wrap_sodium_malloc(size_t len);

void *
__wrap_malloc(size_t len)
{
	return memory_ends() ? NULL : __real_malloc(len);
}

void *
__wrap_calloc(size_t n, size_t len)
{
	return memory_ends() ? NULL : __real_calloc(n, len);
}

char *
__wrap_strdup(const char *s)
{
	return memory_ends() ? NULL : __real_strdup(s);
}

void *
__wrap_sodium_malloc(size_t len)
{
	return memory_ends() ? NULL : __real_sodium_malloc(len);
}

/* Of buf.h; what they call in their own file is not counted twice. */
bool __real_buf_add(struct buf *b, const void *p, size_t len);
bool __wrap_buf_add(struct buf *b, const void *p, size_t len);
bool __real_buf_adds(struct buf *b, const char *s);
bool __wrap_buf_adds(struct buf *b, const char *s);
bool __wrap_buf_addf(struct buf *b, const char *fmt, ...) SC_PRINTF(2, 3);
const char *__real_buf_str(struct buf *b);
const char *__wrap_buf_str(struct buf *b);
bool __real_buf_reserve(struct buf *b, size_t more);
bool __wrap_buf_reserve(struct buf *b, size_t more);

bool
__wrap_buf_add(struct buf *b, const void *p, size_t len)
{
	return !buf_ends(b, len) && __real_buf_add(b, p, len);
}

bool
__wrap_buf_adds(struct buf *b, const char *s)
{
	return !buf_ends(b, strlen(s)) && __real_buf_adds(b, s);
}

bool
__wrap_buf_addf(struct buf *b, const char *fmt, ...)
{
	char text[4096];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return !buf_ends(b, strlen(text)) && __real_buf_adds(b, text);
}

const char *
__wrap_buf_str(struct buf *b)
{
	return buf_ends(b, 1) ? NULL : __real_buf_str(b);
}

bool
__wrap_buf_reserve(struct buf *b, size_t more)
{
	if (memory_ends() || !__real_buf_reserve(b, more))
		return false;
	memory.of = b;
	memory.to = b->len + more;
	return true;
}

#define WRAP_NUMBER(bits)					\
bool __real_buf_add##bits(struct buf *b, uint##bits##_t v);	\
bool __wrap_buf_add##bits(struct buf *b, uint##bits##_t v);	\
bool								\
__wrap_buf_add##bits(struct buf *b, uint##bits##_t v)		\
{								\
	return !buf_ends(b, bits / 8) && __real_buf_add##bits(b, v);	\
}

WRAP_NUMBER(8)
WRAP_NUMBER(16)
WRAP_NUMBER(32)
WRAP_NUMBER(64)

/*
 * Run ${act} with each of its allocations failing: it says RC_NOMEM and what is
 * lacking, and then, with nothing failing, RC_OK; how often it failed.
 */
static inline long
each_allocation(const char *name, enum rc (*act)(struct err *e))
{
	struct err e;
	long n = 0;
	enum rc rc;

	for (;; n++) {
		e = (struct err)ERR_INIT;
		memory.left = n;
		memory.fired = false;
		rc = act(&e);
		memory.left = -1;
		if (!memory.fired)
			break;
		if (rc != RC_NOMEM || e.rc != RC_NOMEM ||
		    strstr(e.text, "memory") == NULL)
			fail_msg("%s, allocation %ld: %d, %d \"%s\"", name, n,
			    (int)rc, (int)e.rc, e.text);
	}
	if (rc != RC_OK)
		fail_msg("%s, undisturbed: %s", name, e.text);
	return n;
}

#endif
