/* What source_pop3.c and pop3_apart.c share. */
#ifndef SC_WIRE_POP3_SOURCE_H
#define SC_WIRE_POP3_SOURCE_H

#include "wire/idtable.h"
#include "wire/pop3_talk.h"
#include "wire/source_impl.h"

struct pop3 {
	struct pop3_talk	talk;
	struct idtable		table;	/* without an id: not to be had */
	size_t			max_list;
	size_t			odd;	/* rows of UIDL that name nothing */
	size_t			bare;	/* messages of LIST not named at all */
	size_t			aside;	/* see pop3_tell_apart() */
	bool			listed;
	bool			in;	/* logged in: QUIT is owed */
};

/* What to ask for, in order. */
struct pop3_plan {
	const struct bytes	**ids;	/* borrowed; for who is told */
	uint32_t		*numbers;
	size_t			 n;
};

/* pop3_plan_new(n, plan, e): empty, with room for ${n}; pop3_plan_free() also
 * after a failure. */
enum rc pop3_plan_new(size_t n, struct pop3_plan *plan, struct err *e);
void pop3_plan_free(struct pop3_plan *plan);

/* pop3_get(s, plan, sink, e): RETR for each, to ${sink}. */
enum rc pop3_get(struct source *s, const struct pop3_plan *plan,
    const struct source_sink *sink, struct err *e);

/*
 * pop3_tell_apart(s, e):
 * After a listing: each message whose id another one has too is read, and
 * named by that id and by what it is.  Those with one name are identical.  Of
 * more than is reasonable, and of what the server does not give, the id is
 * taken away, and they are counted (${aside}).
 */
enum rc pop3_tell_apart(struct source *s, struct err *e);

#endif
