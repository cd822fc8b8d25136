/* Who belongs to the association: its register, and tables of newcomers. */
#ifndef SC_ISSUER_MEMBERS_H
#define SC_ISSUER_MEMBERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "vault/identity.h"
#include "vault/index.h"
#include "vault/ring.h"

#define MEMBERS_MAX RING_MAX
#define MEMBERS_FILE_MAX (256UL * 1024 * 1024)
#define MEMBER_LISTS_MAX 16	/* rings by list that one member is in */
#define MEMBER_LIST_BYTES 64	/* of the name of a list */
#define MEMBERS_CALL_BYTES 200
#define MEMBER_MARKS 2		/* years of which keys can live at once */
/* Of a postal address: what a window shows below a name. */
#define MEMBER_POST_LINES 5
#define MEMBER_POST_CHARS 38
#define MEMBER_POST_BYTES (MEMBER_POST_LINES * (4 * MEMBER_POST_CHARS + 1))

enum member_kind {
	MEMBER_OTHER,
	MEMBER_PRACTICE,
	MEMBER_LABORATORY,
	MEMBER_INSTITUTION,
	MEMBER_HUB,		/* at most one of each of these */
	MEMBER_WATCH,
	MEMBER_ISSUER
};

/* Who may write to whom without the hub. */
enum members_policy {
	MEMBERS_FULL,		/* everybody to everybody */
	MEMBERS_LIST,		/* who shares a list */
	MEMBERS_GATEWAY		/* nobody: all goes through the hub */
};

/* He has a key of that year, and knows what changed up to then. */
struct member_mark {
	uint16_t	 year;		/* 0: none */
	int64_t		 told_at;	/* 0: nobody knows */
};

struct member {
	struct identity	 id;
	enum member_kind kind;
	bool		 excluded;	/* has left: no key, barred */
	bool		 listed;	/* in the table just taken; not kept */
	bool		 keyless;	/* in the year at hand; not kept */
	bool		 shared;	/* so may his mailbox be; not kept */
	int64_t		 changed_at;	/* came, got another key, or left */
	struct member_mark marks[MEMBER_MARKS];
	uint8_t		 nlists;
	uint16_t	 lists[MEMBER_LISTS_MAX];	/* of members->lists */
	char		*route;		/* all owned, in one block */
	char		*show;
	char		*post;		/* lines with | between them, or "" */
};

/* Fields may be read. */
struct members {
	char		 assoc[33];
	char		 call[MEMBERS_CALL_BYTES + 1];	/* whom, or "" */
	enum members_policy policy;
	bool		 names_ring;	/* directories name only one's ring */
	int64_t		 changed_at;	/* the latest change of all */
	int64_t		 stamp_at;	/* of what changes now; 0: not yet */
	size_t		 n, cap;
	struct member	*v;		/* in the order of their coming */
	size_t		 nlists, lists_cap;
	char		**lists;	/* names, as first written */
	struct index	 by_fold;
	struct index	 by_route;	/* the first who has it */
	struct index	 by_list;
	struct index	 by_domain;	/* the first of each */
};

/* members_new(assoc): an empty register; owned; NULL: memory. */
struct members *members_new(const char *assoc);
void members_free(struct members **m);

/* What is said of a newcomer; all borrowed. */
struct member_new {
	struct bytes	 address;	/* local@domain, in any case */
	struct bytes	 route;
	struct bytes	 show;
	struct bytes	 lists;		/* separated by | ; or , */
	enum member_kind kind;
	struct bytes	 post;		/* lines, | between; NULL: not said */
};

/* What came of it: several, but for the first two. */
enum member_add {
	MEMBER_HELD = 0,	/* was there with the very same data */
	MEMBER_ADDED = 1,
	MEMBER_SHARES = 2,	/* somebody else has that mailbox already */
	MEMBER_MOVED = 4,	/* was there: with another postal address, */
	MEMBER_JOINED = 8,	/* on more lists, */
	MEMBER_REROUTED = 16,	/* in another mailbox, */
	MEMBER_RENAMED = 32	/* under another name that is shown */
};

/*
 * members_add(m, w, how, e):
 * One more member, generation 1.  RC_OK, ${*how} says what came of it;
 * RC_NOMEM; RC_INPUT: an address outside of the grammar, or taken, or so like
 * another that people would mistake them (A5: dots, dashes and underscores do
 * not count); a route, name, list or postal address that cannot be; a second
 * hub; too many.  A postal address is for letters alone, and may change; so may
 * route or name, attributes of the directory (PROTOCOL 2.2, 2.19.35), which is
 * news to those who write to him; both at once would be somebody else.  Who
 * was there may join more lists: where the policy goes by them, that is news
 * to those who are on them, and their being there is news to him, all of it.
 * Nobody is taken from a list: keys that were given stay good for the year.
 * Source: PROTOCOL 2.2, 2.19.7; ATTACKS A5; NF Z 10-011 (postal address).
 */
enum rc members_add(struct members *m, const struct member_new *w,
    enum member_add *how, struct err *e);

/* members_desk(m, kind): hub, watch desk or issuer that is in office; NULL. */
const struct member *members_desk(const struct members *m,
    enum member_kind kind);
/* members_find(m, name): by the name of an identity; NULL. */
const struct member *members_find(const struct members *m,
    const struct identity *name);
/* members_first(m, domain): in the register, of exactly that domain; NULL. */
const struct member *members_first(const struct members *m,
    struct bytes domain);
/* members_share(a, b): they stand on one list. */
bool members_share(const struct member *a, const struct member *b);

/* Words of the register and of programs, never translated: "practice", ...
 * members_kind() reads only those that a table may hold ("desk:hub" too). */
const char *members_kind_word(enum member_kind kind);
bool members_kind(struct bytes word, enum member_kind *kind);
const char *members_policy_word(enum members_policy policy);
bool members_policy(const char *word, enum members_policy *policy);

/* ---- what becomes of a member ------------------------------------------- */

/* members_touch(m, w): ${w} changes now: the date is later than that of every
 * change before, whatever the clock says, and one for all of this opening. */
void members_touch(struct members *m, struct member *w);

/* members_join(m, w, as): ${w} is on the lists of ${as}, which are more.  Where
 * the policy goes by them he changes, and nobody knows what he was told. */
void members_join(struct members *m, struct member *w,
    const struct member *as);

/* member_told(w, year): the latest change that he was told with his keys of
 * ${year}; 0: one does not know; -1: he has no key of that year. */
int64_t member_told(const struct member *w, uint16_t year);
/* member_tell(w, year, at): he has one, and knows what changed up to ${at};
 * the oldest year gives way. */
void member_tell(struct member *w, uint16_t year, int64_t at);

/*
 * member_expects(w, year): he has a key of that year, or one of a year before,
 * which is renewed.  Else nobody may be given the key for writing to him in
 * that year: what came so could never be opened (PROTOCOL 2.19.26, 2.19.29).
 */
bool member_expects(const struct member *w, uint16_t year);

/*
 * members_seek(m, who, w, e):
 * The member whom a person named: local@domain or the full name, in any case;
 * lent.  RC_INPUT: there is none.
 */
enum rc members_seek(struct members *m, const char *who, struct member **w,
    struct err *e);

/*
 * members_reissue(m, w, e), members_leave(m, w, e):
 * He gets the next generation; he is excluded for good.  RC_OK; RC_INPUT, and
 * nothing changed: he has left, no generation is left, the issuer, which has
 * no key; a desk in office may not leave.
 * Source: PROTOCOL 2.2, 2.8.
 */
enum rc members_reissue(struct members *m, struct member *w, struct err *e);
enum rc members_leave(struct members *m, struct member *w, struct err *e);

/* ---- the register ------------------------------------------------------- */

/* members_parse(p, len, m, e): what members_format() wrote; owned.  RC_OK;
 * RC_CONF "line N: ..."; RC_NOMEM. */
enum rc members_parse(const void *p, size_t len, struct members **m,
    struct err *e);
/* members_format(m, out): false: memory. */
bool members_format(const struct members *m, struct buf *out);

/* ---- tables of newcomers ------------------------------------------------ */

struct members_count {
	size_t	added;
	size_t	there;		/* were there already; of these: */
	size_t	held;		/* the very same */
	size_t	moved;		/* with a new postal address */
	size_t	joined;		/* on more lists */
	size_t	rerouted;	/* in another mailbox than before */
	size_t	renamed;	/* under another name than before */
	size_t	wrong;
	size_t	warnings;
};

/* One line of a table about which there is something to say: ${text} lent. */
typedef void members_say(void *ctx, bool wrong, unsigned line,
    const char *text);

/*
 * members_take(m, p, len, say, ctx, count, e):
 * Add the members of a table: CSV, the first line naming the columns address,
 * route, name, kind and, if wanted, ring and post, in any order.  ${p} is
 * borrowed and changed.  Every wrong line is told by ${say}.
 *
 * RC_OK; RC_INPUT: at least one line is wrong, ${m} is half changed and must
 * be freed unsaved; RC_NOMEM.
 */
enum rc members_take(struct members *m, uint8_t *p, size_t len,
    members_say *say, void *ctx, struct members_count *count, struct err *e);

#endif
