/* Large libraries that most runs never need: each is loaded when it is first
 * wanted, for that takes longer than all that a pass without mail does. */
#ifndef SC_BASE_LATE_H
#define SC_BASE_LATE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/*
 * A header late_NAME.h lists the functions of one library that we call, twice:
 * LATE_NAME(F) makes the pointers to them, and a macro for each has what
 * stands in our code call through its pointer.  One that is called and not
 * listed is missing when the program is linked.  Where configure has learnt
 * no names to load them by, SC_LATE is not defined, and the program is linked
 * with all of them.
 */
#define LATE_MEMBER(name) __typeof__(name) *name;
#define LATE_NAME(name) #name,

struct late {
	const char		*library;	/* as dlopen(3) finds it */
	const char *const	*names;		/* of functions, then NULL */
	void			*calls;		/* a pointer for each */
	size_t			 size;		/* of all pointers */
	bool			 here;
};

/* LATE_LIBRARY(name, LIST, library): the whole of late_NAME.c, what its header
 * declares. */
#ifdef SC_LATE
#define LATE_LIBRARY(name, LIST, library) \
static const char *const names[] = { LIST(LATE_NAME) NULL }; \
static struct name calls; \
static struct late late = { library, names, &calls, sizeof(calls), false }; \
\
enum rc \
name##_load(struct err *e) \
{ \
	return late_load(&late, e); \
} \
\
const struct name * \
name(void) \
{ \
	return late_calls(&late); \
}
#else
#define LATE_LIBRARY(name, LIST, library) \
enum rc \
name##_load(struct err *e) \
{ \
	(void)e; \
	return RC_OK; \
}
#endif

/*
 * late_load(l, e):
 * Load it, once in a process: before its sandbox, and in the parent of those
 * that are to share it.  RC_OK; RC_TEMP: it is missing or of another version,
 * or there is no memory for it; nothing is lost by waiting for it.
 */
enum rc late_load(struct late *l, struct err *e);

/* late_calls(l): its pointers, lent for good; what nobody has loaded before
 * is loaded, and that it can be is then our own promise. */
const void *late_calls(struct late *l);

#endif
