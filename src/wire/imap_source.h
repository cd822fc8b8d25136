/* What source_imap.c and imap_release.c share. */
#ifndef SC_WIRE_IMAP_SOURCE_H
#define SC_WIRE_IMAP_SOURCE_H

#include "wire/imap_talk.h"
#include "wire/source_impl.h"

#define IMAP_BATCH_MAX 1000	/* bodies asked for in a command */
#define IMAP_ROW_BYTES 256	/* of a listing, on the wire */

struct imap_source {
	struct imap_talk	 talk;
	bool			 in;	/* logged in */
	bool			 fresh;	/* nothing was asked since SELECT */
	uint32_t		 listed_from;	/* sizes known from this UID
						 * on; 0: of none */
	uint32_t		 top;	/* no UID above it was listed yet */
	uint32_t		*big;	/* UIDs over the limit, as listed */
	size_t			 nbig, cap;
};

/* One id among those asked for. */
struct imap_want {
	uint32_t	uid;
	size_t		at;	/* its place in the caller's array */
	bool		done;
};

/*
 * imap_wants(s, ids, n, wants, e):
 * Those ids that can be in this mailbox (well formed, of its UIDVALIDITY), by
 * ascending UID: ${*wants} (owned, free()), ${*nwants} of them.
 */
enum rc imap_wants(struct source *s, const struct bytes *ids, size_t n,
    struct imap_want **wants, size_t *nwants, struct err *e);

/* imap_fits(uids, n): how many of the first of ${uids}, ascending, one command
 * can name: lines stay under 8 KiB. */
size_t imap_fits(const uint32_t *uids, size_t n);

/* imap_by_uid(): of struct imap_want, for qsort and bsearch. */
int imap_by_uid(const void *a, const void *b);

/* imap_uid_size(att, uid, size): of one FETCH answer; 0: not told. */
void imap_uid_size(struct mailimap_msg_att *att, uint32_t *uid,
    uint64_t *size);

/* imap_is_big(i, uid): a listing showed it to be over the limit. */
bool imap_is_big(const struct imap_source *i, uint32_t uid);

/* imap_learn_sizes(s, w, n, e): ask for the sizes of those of ${w} (at most
 * IMAP_BATCH_MAX) that no listing of this session has shown. */
enum rc imap_learn_sizes(struct source *s, const struct imap_want *w,
    size_t n, struct err *e);

/* imap_noop(t, e): the server may tell of what others did; a refusal is none
 * of ours. */
enum rc imap_noop(struct imap_talk *t, struct err *e);

/*
 * imap_still_there(t, uids, n, e):
 * Leave of ${uids}, ascending, the ${*n} that the mailbox has now; all of them
 * when the server does not say.
 */
enum rc imap_still_there(struct imap_talk *t, uint32_t *uids, size_t *n,
    struct err *e);

/* As in struct source_ops. */
enum rc imap_fetch(struct source *s, const struct bytes *ids, size_t n,
    const struct source_sink *sink, struct err *e);
enum rc imap_release(struct source *s, const struct bytes *ids, size_t n,
    enum conf_after after, const char *folder, enum source_done *done,
    struct err *e);

#endif
