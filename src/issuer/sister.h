/* Another association: who may write to whom, agreed by file. */
#ifndef SC_ISSUER_SISTER_H
#define SC_ISSUER_SISTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "issuer/desk.h"
#include "issuer/members.h"
#include "vault/code.h"
#include "vault/envelope.h"

/*
 * A sends B its list; B gives back the keys C_B(A/i -> B/j), sealed for A's
 * issuer under a code that goes another way; A gives each of its members his
 * own, in a mail.  Neither keeps any of them (PROTOCOL 2.8; ATTACKS A6, A7).
 */

/* sister_one_of(m, w, ring): ${w} may be told to others: a member in office,
 * no desk, and on the list ${ring} unless that is NULL. */
bool sister_one_of(const struct members *m, const struct member *w,
    const char *ring);

/* sister_owner(m, id): the member of ${m} in whose domain, or below it, the
 * address of ${id} lies (A7: nobody else may vouch for it); lent; NULL. */
const struct member *sister_owner(const struct members *m,
    const struct identity *id);

/* ---- the list ----------------------------------------------------------- */

/* Whose identities, and to which desk their keys go. */
struct sister_list {
	struct identity	 issuer;
	size_t		 n, cap;
	struct identity	*ids;		/* owned */
};

/*
 * sister_list_format(m, ring, n, out):
 * Text, one line a member: "identity<tab>name", after one line with the
 * issuer's.  No secret.  ${*n}: how many members.  False: memory.
 */
bool sister_list_format(const struct members *m, const char *ring, size_t *n,
    struct buf *out);

/* sister_list_parse(text, l, e): borrowed; sister_list_wipe() in any case.
 * RC_OK; RC_INPUT: no such list, which line is wrong, somebody of another
 * association than its issuer, the same twice; RC_NOMEM. */
enum rc sister_list_parse(struct bytes text, struct sister_list *l,
    struct err *e);
void sister_list_wipe(struct sister_list *l);

/* ---- the grants --------------------------------------------------------- */

/* An identity that gets nothing, as its domain is that of our ${owner}. */
typedef void sister_refuse(void *ctx, const struct identity *id,
    const struct member *owner);

struct sister_grant_plan {
	const struct desk *desk;	/* with the root of ${year} */
	const struct sister_list *list;
	const char	*ring;		/* of whose keys; NULL: everybody's */
	uint16_t	 year;
	sister_refuse	*refuse;
	void		*ctx;
};

struct sister_count {
	size_t	writers;	/* who get keys */
	size_t	peers;		/* whose keys they are */
	size_t	grants;
	size_t	refused;	/* of the other's, by A7 */
	size_t	unknown;	/* accepting: no members here, or other keys */
};

/*
 * sister_grant_check(p, count, e):
 * Who would get keys.  RC_OK; RC_INPUT: a list of our own association, or
 * nobody on either side.
 *
 * sister_grant(p, code, out, e):
 * The keys with which those of the list may write to ours, with our directory,
 * in an envelope from our issuer to theirs under ${code}.  As sealed_seal().
 */
enum rc sister_grant_check(const struct sister_grant_plan *p,
    struct sister_count *count, struct err *e);
enum rc sister_grant(const struct sister_grant_plan *p,
    const uint8_t code[CODE_BYTES], struct env_sink out, struct err *e);

/* sister_letter(): what brings the code to the other desk, by another way than
 * the file; in no catalogue's words; a secret.  False: memory. */
struct sister_letter {
	const struct desk *desk;
	const struct identity *to;
	uint16_t	 year;
	const char	*file;		/* its name */
	const char	*code;		/* as on paper */
	bool		 english;	/* else French */
};
bool sister_letter(const struct sister_letter *l, struct buf *out);

/* ---- what they are for -------------------------------------------------- */

/* One envelope for one member of ours.  All lent. */
struct sister_mail {
	const struct member *member;
	const struct identity *from;	/* the other issuer */
	uint16_t	 year;
	size_t		 part;		/* from 1 */
	size_t		 grants;
	struct bytes	 envelope;	/* empty unless really */
};

typedef enum rc sister_each(void *ctx, const struct sister_mail *m,
    struct err *e);

/* sister_head(d, fd, h, e): from whom the grants in ${fd} are, and of which
 * year.  RC_OK; RC_INPUT: none, ours, or not for this desk. */
enum rc sister_head(const struct desk *d, int fd, struct env_head *h,
    struct err *e);

/*
 * sister_accept(d, fd, code, really, each, ctx, count, e):
 * Open what sister_grant() made elsewhere, from the beginning of ${fd}; once
 * all of it has proved good, give each member of ours his keys and the lines
 * of the directory in envelopes from our issuer, under his channel.
 * ${really} false: nothing is sealed, and no root is needed.
 *
 * RC_OK; RC_INPUT, and nothing was given out: the code does not fit, damaged,
 * a key for anybody but a member of the association that sent it; RC_NOMEM;
 * what ${each} returned.
 */
enum rc sister_accept(const struct desk *d, int fd,
    const uint8_t code[CODE_BYTES], bool really, sister_each *each, void *ctx,
    struct sister_count *count, struct err *e);

#endif
