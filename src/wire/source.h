/* Where mail comes from: one set of operations, five kinds of place. */
#ifndef SC_WIRE_SOURCE_H
#define SC_WIRE_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/secret.h"
#include "conf/conf.h"
#include "wire/why.h"

/*
 * The id of a message: 1 to SOURCE_ID_BYTES octets without NUL, chosen by a
 * stranger.  IMAP: "UIDVALIDITY.UID"; POP3: the UIDL, and a digest of the
 * message while others bear the same (pop3_apart.c); Maildir: the name
 * without flags; folder: "name/inode.mtime.size".  The same message has the
 * same id at every later pass (in POP3: while it is the only one of its UIDL,
 * or never is), and an id is never used for a second message: when the server
 * renumbers (UIDVALIDITY), all ids are new.
 */
#define SOURCE_ID_BYTES 320

/* What the octets of strangers may cost us. */
struct source_limits {
	uint64_t	max_message;	/* larger ones are never asked for */
	size_t		max_list;	/* messages in one list; 0: 1,000,000 */
	int64_t		until_ms;	/* a server's session: see
					 * stream_until() */
};

/* What is known after source_open(). */
struct source_info {
	uint32_t	uidvalidity;	/* IMAP; else 0 */
	bool		can_idle;	/* source_wait() wakes for new mail */
	bool		one_release;	/* POP3: source_release() ends it */
	size_t		nameless;	/* there, said the last listing, but by
					 * no name to ask for them */
	const char	*tls;		/* "TLSv1.3"; NULL: none; lent */
	uint64_t	in, out;	/* octets of the protocol, so far */
};

/*
 * source_list_fn(arg, id, size, e):
 * One message: ${id} borrowed, ${size} octets as the server announces (0:
 * not known).  Any rc but RC_OK ends the listing with that rc.
 */
typedef enum rc source_list_fn(void *arg, struct bytes id, uint64_t size,
    struct err *e);

enum source_got {
	SOURCE_GOT,		/* complete */
	SOURCE_GONE,		/* no longer there; no octet was given */
	SOURCE_TOO_BIG,		/* over max_message: not asked for; or, when the
				 * server had announced less, cut short */
	SOURCE_UNREADABLE	/* there, but the server refuses to give it */
};

/*
 * Where fetched octets go.  For each id: begin, data any number of times, end
 * with SOURCE_GOT; or end with another value, with or without a beginning:
 * forget what was given of it.  Which message it was is known only at its end
 * (IMAP tells the UID when it likes).  They come one
 * after the other, in the server's order, which need not be that of the ids;
 * nothing of the next is given before end() has returned.  An rc other than
 * RC_OK stops everything: source_fetch() returns it and the source is dead.
 * When source_fetch() fails between begin and end, that message was cut:
 * forget it.
 */
struct source_sink {
	void	*arg;
	enum rc	(*begin)(void *arg, struct err *e);
	enum rc	(*data)(void *arg, const void *p, size_t len, struct err *e);
	enum rc	(*end)(void *arg, struct bytes id, enum source_got got,
	    struct err *e);
};

enum source_done {
	SOURCE_PENDING,	/* nothing is known to have happened: ask again */
	SOURCE_RELEASED,	/* it is not there any more */
	SOURCE_UNSURE,	/* it may be gone, and its id given to another: never
			 * ask again without having fetched what bears it */
	SOURCE_MARKED,	/* flagged \Deleted, but only others may expunge it
			 * (no UIDPLUS): nothing more to do, never ask again */
	SOURCE_KEPT	/* as asked */
};

struct source;

/*
 * source_new(account, limits, s, e):
 * Set up for ${account}: resolve, connect, load certificates, open folders.
 * Not one octet is read from a stranger: call it before sandbox_enter().
 * account  borrowed until source_close()
 * limits   copied
 * s        owned, also NULL after a failure; source_close()
 * RC_OK; RC_TEMP: not reachable now; RC_CONF: the setting is wrong.
 */
enum rc source_new(const struct conf_account *account,
    const struct source_limits *limits, struct source **s, struct err *e);

/*
 * source_load(account, e):
 * The libraries that such a source will need, loaded into this process for
 * those that it forks.  As tls_load().
 */
enum rc source_load(const struct conf_account *account, struct err *e);

/*
 * source_open(s, secret, e):
 * Greeting, TLS, login, mailbox.  ${secret} (borrowed; NULL for local places)
 * is sent only over a connection whose server was verified, or to loopback.
 */
enum rc source_open(struct source *s, const struct secret *secret,
    struct err *e);

/*
 * source_list(s, after, fn, arg, e):
 * Tell every message to ${fn}.
 * after  the highest id that need not be listed, or an empty run: IMAP then
 *        lists later UIDs only, without a question when there are none.  Ids
 *        up to it may be listed all the same.  Ignored by the other kinds and
 *        when its UIDVALIDITY is not the mailbox's.
 */
enum rc source_list(struct source *s, struct bytes after, source_list_fn *fn,
    void *arg, struct err *e);

/*
 * source_fetch(s, ids, n, sink, e):
 * Fetch ${n} messages in as few round trips as the server allows, in constant
 * memory.  Nothing changes on the server, no flag either.
 */
enum rc source_fetch(struct source *s, const struct bytes *ids, size_t n,
    const struct source_sink *sink, struct err *e);

/*
 * source_release(s, ids, n, after, folder, done, e):
 * Delete, move (to ${folder}; IMAP only) or keep on the server.  ${done[i]}
 * tells the truth about ${ids[i]} also when RC_OK is not returned.  An id
 * that is not there is RELEASED; one of another UIDVALIDITY too: it names
 * nothing that could be deleted.
 * POP3: a deletion is real only when QUIT is answered, so this quits; give
 * all ids in one call, and only source_close() may follow.
 */
enum rc source_release(struct source *s, const struct bytes *ids, size_t n,
    enum conf_after after, const char *folder, enum source_done *done,
    struct err *e);

/*
 * source_wait(s, timeout_s, wake_fd, news, e):
 * Wait until there may be something new (${news} true), ${timeout_s} have
 * passed, or ${wake_fd} (or -1) can be read.  IMAP waits by IDLE where the
 * account allows it and the server can, at most 29 minutes; the other kinds
 * learn of nothing by waiting.
 */
enum rc source_wait(struct source *s, int timeout_s, int wake_fd, bool *news,
    struct err *e);

/* source_info(s): lent until the next call on ${s}. */
const struct source_info *source_info(struct source *s);

/* source_why(s): whose trouble the last failure was; s may be NULL after a
 * failed source_new(): WHY_NETWORK for RC_TEMP. */
enum wire_why source_why(const struct source *s);

/* source_close(s): says goodbye when that is still possible, within seconds;
 * NULL-safe, clears the pointer. */
void source_close(struct source **s);

#endif
