/*
 * What must survive a crash: one SQLite file, spoken to in intents.
 *
 * Each function that changes something is one durable transaction unless it
 * says otherwise: when it returns RC_OK the change is on disk, when it returns
 * anything else nothing of it happened.  Bodies are sealed envelopes, rows are
 * blobs sealed by the vault; everything else is metadata.  Nothing here reads
 * the clock: times are Unix seconds given by the caller.
 *
 * Other headers of this floor: store_in.h (incoming mail, the journal of T),
 * store_out.h (the queue), store_ack.h (acknowledgements), store_hub.h (what
 * the association's gateway remembers).
 *
 * Results, everywhere: RC_OK; RC_TEMP: busy, full, I/O: nothing changed, later
 * may do; RC_CONF: damaged, of a newer version, not ours to write: a person
 * must act; RC_NOMEM.
 */
#ifndef SC_STORE_STORE_H
#define SC_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/sandbox.h"

#define STORE_T_BYTES 32
#define STORE_PROOF_BYTES 32	/* value of WITNESS */
#define STORE_D_BYTES 32
#define STORE_IDENTITY_BYTES 201	/* and names: text with its NUL */
#define STORE_ROUTE_BYTES 255		/* RFC 5321 4.5.3.1.3, with NUL */
#define STORE_LABEL_BYTES 64		/* account or relay name, with NUL */
#define STORE_UID_MAX_BYTES 255		/* a file name of a Maildir */
#define STORE_PART_MAX_BYTES (1024 * 1024)
#define STORE_PARTS_MAX 65536

struct store;

enum store_mode {
	STORE_WRITE,	/* made when it is not there */
	STORE_READ,	/* --dry-run: every change is RC_CONF; when it is not
			 * there, an empty one in memory */
	STORE_MEND	/* STORE_WRITE, whatever it has lost: for
			 * store_restored(), and a key import that must come
			 * first */
};

/*
 * store_open(dir, mode, out, e):
 * Open ${dir}/sceau.db (folder 0700, files 0600), take over what processes
 * that died had claimed, sweep the bodies they were writing.  Several
 * processes may have it open; one handle per process and folder (the slots of
 * store_sweep() are POSIX locks), opened after fork.  Sets SQLITE_TMPDIR to
 * ${dir}/temp: a sandboxed keeper makes files nowhere else.
 *
 * out: owned, store_close(&st); NULL after a failure.
 * RC_CONF: readable by others, damaged, not ours, of a newer version; or it
 * has lost what was promised, and is not only read.
 */
enum rc store_open(const char *dir, enum store_mode mode,
    struct store **out, struct err *e);
void store_close(struct store **st);

/*
 * store_files(dir, f, e):
 * What the sandbox of a process that has that store open must leave to it:
 * its own files, not the keys that may lie beside them.
 */
#define STORE_FILES 5
struct store_files {
	struct sandbox_path	may[STORE_FILES + 1];
	char			name[STORE_FILES][1024];
};
enum rc store_files(const char *dir, struct store_files *f, struct err *e);

/* store_sweep(st, e): what store_open() does about dead processes, again: at
 * the start of each pass of a process that stays. */
enum rc store_sweep(struct store *st, struct err *e);

/* store_check(st, e): read every page and index (minutes when large), for
 * `sceau check`; RC_CONF says what is damaged. */
enum rc store_check(struct store *st, struct err *e);

/* store_unused(st, unused, e): nothing authentic came or went, nothing is held:
 * there is nothing here that was made with the keys of today. */
enum rc store_unused(struct store *st, bool *unused, struct err *e);

/*
 * What became of one item of a batch.  Other items are not disturbed; an item
 * that is not OK or AGAIN changed nothing.
 */
enum store_result {
	STORE_OK,
	STORE_AGAIN,		/* had it already, from before a crash */
	STORE_DUPLICATE,	/* this T is done */
	STORE_COPY,		/* its original is done, under another T: make
				 * this T done at once, without a file */
	STORE_BUSY,		/* another message with this T is on its way:
				 * leave it, ask again in the next pass */
	STORE_NOT		/* not there, or its state forbids the move */
};

/* --- Bodies ------------------------------------------------------------ */

/*
 * The octets of one envelope, given with a row: either ${p}, ${len} (at most
 * STORE_PART_MAX_BYTES, borrowed), or ${id} of a body written before, which
 * the row then owns.
 */
struct store_body {
	int64_t		 id;	/* 0: the octets are in p, len */
	const void	*p;
	size_t		 len;
};

/*
 * A large body is written invisibly first: append in parts of 1 to
 * STORE_PART_MAX_BYTES octets (larger parts cost less), at most
 * STORE_PARTS_MAX; then hand its id over with the row that makes it visible.
 * These commit, but are durable only with that row.  A body whose process died
 * is swept.  RC_TEMP of append: it was swept or abandoned.
 */
enum rc store_body_begin(struct store *st, int64_t *body, struct err *e);
enum rc store_body_append(struct store *st, int64_t body,
    const void *p, size_t len, struct err *e);
enum rc store_body_abandon(struct store *st, int64_t body, struct err *e);

/* store_body_size(), store_body_part(): of any body by its id (struct
 * store_in, struct store_out), also an invisible one.  Part ${n} from 0 into
 * ${out}, emptied first and empty after the last part.  RC_TEMP: no such
 * body any more. */
enum rc store_body_size(struct store *st, int64_t body, uint64_t *size,
    struct err *e);
enum rc store_body_part(struct store *st, int64_t body, uint32_t n,
    struct buf *out, struct err *e);

/*
 * store_read_begin(st, e), store_read_end(st):
 * What is read between them is of one moment, and costs the locks of the file
 * once instead of at each question.  Any write ends it; nobody else waits.
 */
enum rc store_read_begin(struct store *st, struct err *e);
void store_read_end(struct store *st);

/* --- Rows sealed by the vault ------------------------------------------ */

/*
 * ${version} makes lost updates impossible: 0 for a row that is not there;
 * each write adds 1.  A write gives the version it was made from; when the row
 * has another by then the whole transaction fails with RC_TEMP (read again,
 * open again).  The same key twice in one call: count on yourself.
 */
struct store_row {
	struct bytes	 key;		/* borrowed; 1 to 255 octets */
	struct bytes	 value;		/* borrowed; len 0 removes the row */
	const char	*address;	/* local@domain, or NULL */
	uint32_t	 version;	/* it was read as */
};

/* store_row_get(): ${out} emptied first; ${version} 0 when not there. */
enum rc store_row_get(struct store *st, struct bytes key, struct buf *out,
    uint32_t *version, struct err *e);
enum rc store_row_put(struct store *st, const struct store_row *rows,
    size_t n, struct err *e);

/*
 * store_row_next(st, address, after, key, value, version, e):
 * The row after ${after} (empty: the first) in the order of keys, of those
 * with ${address}, or of all when NULL.  ${key} empty: there is none.
 * ${after} may be what ${key} held.
 */
enum rc store_row_next(struct store *st, const char *address,
    struct bytes after, struct buf *key, struct buf *value,
    uint32_t *version, struct err *e);

/* --- Put back from a backup -------------------------------------------- */

struct store_restored {
	size_t	seen;		/* messages of servers, to be judged anew */
	size_t	queued;		/* messages to be relayed once more */
	size_t	gone;		/* durable transactions that it had lost */
};

/*
 * store_restored(st, now, row, out, e):
 * This store came from a backup.  In one transaction ${row} is written; what
 * it believes of servers is forgotten, so that what is there is wanted, and
 * nothing is released that was not opened anew; the octets it keeps stay, and
 * no server's name means them any more; what is queued is young again, for it
 * was not late: it goes, or is recognised by T.  STORE_READ: only ${out}.
 * RC_TEMP: also when the row has another version by now.
 */
enum rc store_restored(struct store *st, int64_t now,
    const struct store_row *row, struct store_restored *out, struct err *e);

/* --- Damaged ----------------------------------------------------------- */

struct store_mended {
	bool	damaged;	/* false: nothing had to be done */
	bool	hurt;		/* not all could be read */
	size_t	rows;		/* that could */
	size_t	lost;		/* messages to be sent, without their octets:
				 * given up, each told by an event store.lost */
	char	fresh[1024];	/* folder of the new store */
	char	aside[1100];	/* where the damaged file is kept */
	int	lock_fd;	/* inside */
};

/*
 * store_mend_begin(dir, dry_run, now, out, e):
 * When the store in ${dir} is damaged, what can be read of it becomes a new
 * one in ${out->fresh}, to which store_restored() is then done: what was lost
 * may have been anything.  Nobody can write to the damaged one until
 * store_mend_end().  RC_TEMP: somebody has it open; RC_CONF: nothing of it can
 * be read.
 *
 * store_mend_end(dir, now, out, rc, e):
 * With RC_OK the new one takes the place of the damaged one, which is kept
 * beside it; else all stays as it was.  Call it after each _begin(); it
 * gives ${rc} back, or what failed.
 */
enum rc store_mend_begin(const char *dir, bool dry_run, int64_t now,
    struct store_mended *out, struct err *e);
enum rc store_mend_end(const char *dir, int64_t now,
    struct store_mended *out, enum rc rc, struct err *e);

/* --- Events: for `sceau log` ------------------------------------------- */

#define STORE_EVENT_MAX_BYTES 1024
struct store_event {
	int64_t	id;
	int64_t	at;
	char	name[48];			/* "in.delivered" */
	char	text[STORE_EVENT_MAX_BYTES];	/* key=value, no content */
};

/* store_event_add(): not synced by itself; a crash may lose the last ones.
 * ${text} is cut at STORE_EVENT_MAX_BYTES - 1 octets. */
enum rc store_event_add(struct store *st, int64_t at, const char *name,
    const char *text, struct err *e);
/* store_event_list(): up to ${max} with id > ${after} and at >= ${since}. */
enum rc store_event_list(struct store *st, int64_t after, int64_t since,
    struct store_event *out, size_t max, size_t *n, struct err *e);

/* --- Time and forgetting ----------------------------------------------- */

enum store_clock {
	STORE_CLOCK_UNSURE,
	STORE_CLOCK_LEAPT,	/* just now */
	STORE_CLOCK_STEADY
};

/*
 * store_clock(st, now, ahead_s, is, e):
 * Hold the machine's clock against what it said before.  It leaps when it
 * goes back by more than a day or on by more than 30; then it is unsure until
 * it has gone its way for 7 days, and meanwhile the caller gives up no message
 * and forgets none.  What is put off by more than ${ahead_s}, the longest that
 * anything is, or was queued more than a year ago, was so by a clock that was
 * wrong: it is due, and young.  Writes nothing
 * oftener than once a day, but for these.
 * Source: ATTACKS D11.
 */
enum rc store_clock(struct store *st, int64_t now, int64_t ahead_s,
    enum store_clock *is, struct err *e);

/*
 * store_clock_steady(st, now, steady, e):
 * Whether it has gone its way for 7 days, the first that this store saw
 * included: a new state folder believes no clock so far that keys go by it.
 */
enum rc store_clock_steady(struct store *st, int64_t now, bool *steady,
    struct err *e);

/* store_erased(st, year, e): the keys of ${year} and before are no more; only
 * now may the T of its messages be forgotten, when their time has come. */
enum rc store_erased(struct store *st, int year, struct err *e);

struct store_keep {
	int64_t	events_s;	/* events, default of the caller */
	int64_t	sent_s;		/* rows sent or failed, with their bodies */
	int64_t	hub_s;		/* 90 days (PROTOCOL 2.8) */
	int64_t	watch_s;	/* files that nobody takes */
	int64_t	inbox_s;	/* what was filed (store_inbox.h) */
	int64_t	patients_s;	/* digests of those who came no more */
	size_t	budget;		/* rows of each kind, at most, in this call */
};

/*
 * store_expire(st, now, keep, more, e):
 * Forget T after their time, old events, sent rows, hub rows and the rest, at
 * most ${budget} of each, and give at most that many free pages back to the
 * disk.
 * ${more}: call again.  Never touches a message that is neither delivered nor
 * dropped, nor one queued.
 */
enum rc store_expire(struct store *st, int64_t now,
    const struct store_keep *keep, bool *more, struct err *e);

#endif
