/*
 * The keeper's own: the store, the lines to the others, the exit code.
 *
 * One event loop (keeper_turn) serves the lines of fetch, relay and rows as
 * frames come.  What needs vault and clerk (opening, re-sealing, submitting,
 * acknowledging) is straight-line code, one at a time, which turns the loop
 * while it waits: keeper_open.c, keeper_hub.c, keeper_seal.c.
 */
#ifndef SC_FLOW_KEEPER_H
#define SC_FLOW_KEEPER_H

#include "base/chan.h"
#include "flow/ipc.h"
#include "flow/pass.h"
#include "flow/sealing.h"
#include "flow/suspect.h"
#include "flow/tell.h"
#include "store/store.h"
#include "store/store_alarm.h"
#include "store/store_in.h"
#include "wire/why.h"

/* A line to one child. */
struct line {
	struct chan	c;
	bool		open;
	bool		asked;		/* the starter was asked for it */
	bool		done;		/* it has said its last word */
	bool		bad;		/* or what no child of ours says */
	enum wire_why	why;
	enum rc		rc;		/* that word */
	struct err	err;
};

/* A body on its way to a child, part by part as the line takes them. */
struct keeper;
struct feed {
	struct line	*to;		/* NULL: nothing on its way */
	enum ipc	 type, end;
	uint32_t	 job;
	int64_t		 body;
	uint32_t	 part;
	size_t		 skip;		/* octets of part 0 that were sent */
	/* What goes to the vault when nothing is on its way, ${*more} false:
	 * nothing for now; or NULL. */
	enum rc		(*next)(struct keeper *k, void *arg, bool *more,
			    struct err *e);
	void		*arg;
};

/* A body on its way in: gathered, or in parts when large. */
struct gather {
	struct buf	buf;
	int64_t		id;		/* store_body_begin(), or 0 */
	uint64_t	size;
};

enum account_state {
	AC_OFF,		/* not started */
	AC_ASKED,	/* starting, logging in */
	AC_LISTING,
	AC_FETCHING,
	AC_UNSEALED,	/* what is to be delivered so is fetched once more */
	AC_FETCHED,	/* all that was wanted is in the store */
	AC_RELEASING,
	AC_WAITING,	/* `run`: for news */
	AC_LEAVING,
	AC_DONE
};

#define PUT_MAX 256
#define ACTION_UNSEALED 2	/* to the folder for mail that is not sealed */

struct account {
	const struct conf_account *conf;
	unsigned		 index;
	struct line		 line;
	enum account_state	 state;
	struct store_list	*list;
	struct gather		 mail;		/* of the mail coming in */
	struct store_in_put	 put[PUT_MAX];	/* whole, not yet committed */
	struct buf		 bodies[PUT_MAX];
	size_t			 nput;
	uint64_t		 put_bytes;
	int64_t			 again_at;	/* `run`: next start */
	unsigned		 failures;	/* in a row */
	bool			 let_in;	/* in this pass */
	bool			 turned_away;	/* others of ours were there */
	size_t			 refused;	/* listed and not given, since
						 * the last listing */
	size_t			 refused_said;	/* of them */
	int64_t			 until_ms;	/* no session after; 0: none */
	int64_t			 release_after;
	int64_t			 asked_ids[IPC_UIDS_MAX];
	size_t			 nasked;
	struct suspect		 suspect;
	/* Of the last ones asked for, those that are not sealed and are to be
	 * delivered; from ${raw_at} on.  Owned. */
	struct store_uid	*raw;
	size_t			 nraw, raw_at;
	bool			 raw_alone;	/* one at a time */
	uint32_t		 raw_job;	/* the one that comes */
	bool			 raw_whole, raw_over;
	bool			 raw_failed;	/* one could not be filed */
};

struct keeper {
	const struct pass	*p;
	struct pass_ends	*x;
	struct store		*st;
	struct line		 vault, clerk, rows;
	struct account		*accounts;
	struct relays		*relays;	/* keeper_out.c */
	struct hub		*hub;		/* keeper_hub.c */
	bool			 hub_busy;	/* the batch holds more */
	unsigned		 queued;	/* times, while relays wait */
	int64_t			 stay_ms;	/* they wait until then */
	bool			 acks_late;	/* there is trouble with some */
	struct versions		*versions;	/* keeper_rows.c */
	int64_t			 opened;	/* highest id looked at */
	/* There may be mail to open, acknowledgements due, mail to relay,
	 * failures to tell of. */
	bool			 open_more, ack_more, out_more, notice_more;
	bool			 watch_more;	/* see watch_look() */
	bool			 bulletin_more;	/* see bulletin_some() */
	bool			 bulletin_waits;	/* for the relay */
	int64_t			 bulletin_at;	/* not before */
	bool			 keys_more;	/* ask for them at once */
	bool			 knew_keys;	/* when it began, or later */
	int64_t			 watch_at;	/* `run`: not before */
	struct outlook		*outlook;	/* keeper_outbox.c */
	bool			 outbox_more;	/* see outbox_look() */
	int64_t			 outbox_at;	/* `run`: not before */
	int64_t			 looked_ms;	/* `run`: when last asked */
	enum store_clock	 clock;
	int64_t			 house_at;	/* `run`: keep house then */
	char			 acked[STORE_IDENTITY_BYTES]; /* this round */
	struct dry		*dry;		/* --dry-run: to be judged */
	uint64_t		 dry_bytes;
	bool			 taken;		/* PASS_TAKE: stored */
	/* Of this round of opening: there were copies to look at again,
	 * something was delivered, something was left for later. */
	bool			 busy, moved, left;
	bool			 unfiled;	/* not for want of a key */
	int64_t			 open_at;	/* `run`: not before */
	/* After a child died: one at a time up to that id; whose fault it
	 * may be. */
	int64_t			 alone_until, killer;
	bool			 works;		/* a mail has got through */
	size_t			 delivered;	/* not asked of servers yet */
	unsigned		 skipped;	/* such mails, until one has */
	bool			 stop;		/* asked to end */
	bool			 submit;	/* IPC_SUBMIT came */
	struct buf		 submission;
	uint32_t		 job;		/* the last one given */
	uint32_t		 openings;	/* verdicts so far */
	int			 exit;		/* sysexits, the worst so far */
	int64_t			 began_at;
	bool			 following;	/* it has begun */
	struct store_pass	 pass;
	int64_t			 followed_ms;	/* `run`: when last */
	bool			 told;		/* IPC_TOLD came */
	struct err		 told_err;	/* what it said */
	struct err		 failed;	/* a turn, and so all others */
	unsigned		 turns;		/* of the loop so far */
	unsigned		 rests;		/* of vault and clerk: others */
};

/* keeper_turn(k, wait_ms, e): one turn of the loop; RC_OK also when nothing
 * came.  A dead child is a fact in its line, not a failure of the turn; what
 * is one ends the pass, whoever was waiting for what when it happened. */
enum rc keeper_turn(struct keeper *k, int wait_ms, struct err *e);

/* keeper_worse(k, rc, why): remember the worst for the exit code (PROTOCOL
 * 2.19: 78 71 75 77 69 65 0). */
void keeper_worse(struct keeper *k, enum rc rc, enum wire_why why);
void keeper_fault(struct keeper *k, const char *event, enum rc rc,
    enum wire_why why, const struct err *why_text);
/* keeper_fault_known(): one that an earlier pass has said, and cron mailed. */
void keeper_fault_known(struct keeper *k, const char *event, enum rc rc,
    enum wire_why why, const struct err *why_text);
/* keeper_given_up(k, n): so many that were to be sent have become too old. */
void keeper_given_up(struct keeper *k, size_t n);

/* Lines. keeper_line_end(): its last word is known or it is gone. */
enum rc keeper_need_vault(struct keeper *k, struct err *e);
/* keeper_rest(k): vault and clerk leave; what they may have said meanwhile is
 * not lost: it was never promised. */
void keeper_rest(struct keeper *k);
enum rc keeper_start(struct keeper *k, enum part part, unsigned index,
    struct err *e);
/* keeper_commands(k): of deliveries; each may take PIPE_LIMIT_S for a mail. */
size_t keeper_commands(const struct keeper *k);
/* keeper_odd(k, e): as ipc_bad(), of vault or clerk: both are to be new. */
enum rc keeper_odd(struct keeper *k, struct err *e);
bool line_done_frame(struct line *l, const struct frame *f);
/* line_bad(l, e): as ipc_bad(); it is this line's end, and only its own. */
enum rc line_bad(struct line *l, struct err *e);

/* keeper_wait(k, l, f, feed, e): the next frame of ${l} (vault or clerk), the
 * loop turning meanwhile and ${feed} (or NULL) going out. RC_TEMP: the child
 * is gone, ${e} says its last word. */
enum rc keeper_wait(struct keeper *k, struct line *l, struct frame *f,
    struct feed *feed, struct err *e);
/* keeper_answer(k, l, type, job, f, e): the frame that answers the question
 * ${job} to vault or clerk; any other is out of step: keeper_odd(). */
enum rc keeper_answer(struct keeper *k, struct line *l, enum ipc type,
    uint32_t job, struct frame *f, struct err *e);
/* keeper_clerk_says(k, type, job, said, why, e): the result at the head of such
 * an answer of the clerk; what stands behind it is not looked at. */
enum rc keeper_clerk_says(struct keeper *k, enum ipc type, uint32_t job,
    enum rc *said, struct err *why, struct err *e);
/* keeper_look(k, job, t, filing, there, e): asks the clerk whether the file
 * made of the 32 octets ${t}, of a delivery that was interrupted, is there. */
enum rc keeper_look(struct keeper *k, uint32_t job, const uint8_t *t,
    uint32_t filing, bool *there, struct err *e);
/* feed_pump(k, f, e): send what the line takes now.  feed_put(f, p, len, e):
 * octets that are at hand; feed_end(f, e): those were the last. */
enum rc feed_pump(struct keeper *k, struct feed *f, struct err *e);
enum rc feed_put(struct feed *f, const uint8_t *p, size_t len,
    struct err *e);
enum rc feed_end(struct feed *f, struct err *e);

/* Gathering a body, at most CHAN_DATA_BYTES at once. ${into}->id or the buffer
 * holds it at the end. */
enum rc gather_add(struct keeper *k, struct gather *g, const void *p,
    size_t len, struct err *e);
enum rc gather_end(struct keeper *k, struct gather *g, struct err *e);
void gather_drop(struct keeper *k, struct gather *g);
struct store_body gather_body(const struct gather *g);

/* keeper_event(k, name, fmt): one line for `sceau log` and the log, where what
 * is not everyday is a warning. */
void keeper_event(struct keeper *k, const char *name, const char *fmt, ...)
    SC_PRINTF(3, 4);
/* Where the event is written with what it tells of, in one transaction:
 * keeper_words() makes its text, keeper_say() puts it in the log. */
void keeper_words(char text[STORE_EVENT_MAX_BYTES], const char *fmt, ...)
    SC_PRINTF(2, 3);
void keeper_say(const char *name, const char *text);

/* keeper_rows.c: rows for the vault, and their versions until committed. */
enum rc rows_serve(struct keeper *k, const struct frame *f, struct err *e);
/* rows_next_version(k, key, order, version): for a row of the ${order}-th
 * opening; false: one opened later has written it already, and all of this. */
bool rows_next_version(struct keeper *k, const char *key, uint32_t order,
    uint32_t *version);
/* rows_lent(k): how many there are since rows_forget(). */
size_t rows_lent(const struct keeper *k);
void rows_forget(struct keeper *k);

/* keeper_in.c: accounts. */
enum rc accounts_new(struct keeper *k, struct err *e);
void accounts_free(struct keeper *k);
enum rc accounts_start(struct keeper *k, struct err *e);
enum rc account_frame(struct keeper *k, struct account *a,
    const struct frame *f, struct err *e);
enum rc account_gone(struct keeper *k, struct account *a, struct err *e);
/* account_refused(): says, once for each listing, how many of it were not
 * given. */
void account_refused(struct keeper *k, struct account *a);
/* account_over(): what its session came to is told, and it is done. */
enum rc account_over(struct keeper *k, struct account *a, struct err *e);
/* account_forget(): what it holds and is not committed. */
void account_forget(struct account *a);
/* account_turned_away(): some servers admit only so many at once from one
 * address; true: it comes once more when the others of ours have left. */
bool account_turned_away(const struct keeper *k, struct account *a);
/* accounts_share(): octets that one account may gather before a commit;
 * accounts_crowd(): all together hold so much that ${g}, of one that comes in,
 * is to go into the store in smaller parts.  So the memory does not grow with
 * their number. */
size_t accounts_share(const struct keeper *k);
bool accounts_crowd(const struct keeper *k, const struct gather *g);
bool accounts_done(const struct keeper *k);
/* accounts_waiting(): for somebody's place. */
bool accounts_waiting(const struct keeper *k);
/* accounts_may_wait(): may one more stay and wait for news? */
bool accounts_may_wait(const struct keeper *k);
int64_t accounts_next_at(const struct keeper *k);

/* account_want(): the next ones to fetch; none: all that was wanted is here.
 * Also when what is not sealed has been seen to. */
enum rc account_want(struct keeper *k, struct account *a, struct err *e);

/* keeper_unsealed.c: unsealed_some(): some of what is not sealed to where it
 * is to be delivered; raw_frame(): what fetch says meanwhile. */
enum rc unsealed_some(struct keeper *k, bool *some, struct err *e);
enum rc raw_frame(struct keeper *k, struct account *a, const struct frame *f,
    struct err *e);

/* keeper_release_at(a): when the server's copy of what is delivered now may
 * go. */
int64_t keeper_release_at(const struct conf_account *a);
/* keeper_release.c: what may leave the servers, now that nothing waits to be
 * opened; accounts_release_ahead(): or while more does, when it is much; and
 * what they said. */
enum rc accounts_release(struct keeper *k, struct err *e);
enum rc accounts_release_ahead(struct keeper *k, struct err *e);
enum rc account_released(struct keeper *k, struct account *a,
    const struct frame *f, struct err *e);

/* keeper_open.c: one batch; ${some} false: there was nothing to open. */
enum rc open_batch(struct keeper *k, bool *some, struct err *e);

/* keeper_dry.c: --dry-run. dry_put() takes the gathered mail; dry_open()
 * judges and forgets what was put. */
enum rc dry_put(struct keeper *k, const char *account, struct gather *g,
    struct err *e);
enum rc dry_open(struct keeper *k, struct err *e);
void dry_free(struct keeper *k);

/* keeper_hub.c: re-seal an opened message for its routes.  It is FATE_RELAYED,
 * and ${o} borrowed, until hub_commit(), one transaction for all of a batch,
 * or hub_forget(): those are left as they were. */
struct opening;
enum rc hub_relay(struct keeper *k, struct opening *o, struct err *e);
enum rc hub_commit(struct keeper *k, struct err *e);
void hub_forget(struct keeper *k);
/* hub_spare(): before a large one is opened: would it only wait? FATE_LEAVE
 * then. */
enum rc hub_spare(struct keeper *k, struct opening *o, struct err *e);

/* keeper_seal.c */
enum rc seal_acks(struct keeper *k, bool *some, struct err *e);
/* seal_full_acks(): those that fill an envelope. */
enum rc seal_full_acks(struct keeper *k, struct err *e);
enum rc seal_submission(struct keeper *k, struct err *e);
/* keeper_resolve(): ${how}: of enum resolve, or 0. */
enum rc keeper_resolve(struct keeper *k, unsigned how, const char *own,
    const char *who, struct gate_dest *dest, struct err *e);

/* keeper_outbox.c: what the laboratory's system dropped; some at a time. */
enum rc outbox_look(struct keeper *k, bool *some, struct err *e);
void outbox_end(struct keeper *k);

/* keeper_watch.c: what the practice's software has taken since. */
enum rc watch_look(struct keeper *k, struct err *e);
/* keeper_ack_due(k): when an acknowledgement of now goes, if alone. */
int64_t keeper_ack_due(const struct keeper *k);

/* keeper_bulletin.c, at the watch desk: some of the bulletin that is due. */
enum rc bulletin_some(struct keeper *k, bool *some, struct err *e);
/* Our part in bulletins, as our keys say one by one; bulletin_part(): all have
 * been looked at. */
struct bulletin_part {
	uint8_t	desk;		/* we are the desk, of that generation */
	bool	expect;		/* another is */
};
struct gate_self;
void bulletin_self(struct bulletin_part *p, const struct gate_self *s);
enum rc bulletin_part(struct keeper *k, const struct bulletin_part *p,
    struct err *e);

/* keeper_office.c: alarms of what the association's offices do, as own ones of
 * store_alarm_update(), behind the ${*n} of ${max} that are in ${a}. */
enum rc office_alarms(struct keeper *k, struct store_alarm *a, size_t *n,
    size_t max, struct err *e);

/* keeper_notice.c: what was given up, told to the local sender. */
enum rc notices(struct keeper *k, struct err *e);

/* keeper_alarm.c: following. _begin() when all is ready; _turn() now and then
 * while the pass goes on; _end() when all else is done, with ${rc}. */
void follow_begin(struct keeper *k);
void follow_turn(struct keeper *k);
void follow_end(struct keeper *k, enum rc rc);
/* follow_account(): a session has ended, or waits in good order.  A failure is
 * told here: cron need not mail the same one at each pass. */
enum rc follow_account(struct keeper *k, const struct account *a,
    struct err *e);
/* follow_unfiled(): the same of a document that could not be filed;
 * follow_filed(): all that waits has been looked at. */
enum rc follow_unfiled(struct keeper *k, const struct err *why,
    struct err *e);
enum rc follow_filed(struct keeper *k, struct err *e);
/* follow_unsealed(): the same of what is not sealed, of that account. */
enum rc follow_unsealed(struct keeper *k, const char *account,
    const struct err *why, struct err *e);
/* follow_outbox(): the same of an outbox that was looked into; RC_OK: it is
 * as it must be. */
enum rc follow_outbox(struct keeper *k, const char *name,
    const struct err *why, struct err *e);

/* keeper_tell(k, what, text, ok, e): the starter does it, and says what came of
 * it; takes ${text}, which is whole when ${ok}. */
enum rc keeper_tell(struct keeper *k, enum tell what, struct buf *text,
    bool ok, struct err *e);

/* keeper_clock(k, now, e): is the clock, which says ${now}, to be believed?
 * Into k->clock. */
enum rc keeper_clock(struct keeper *k, int64_t now, struct err *e);

/* keeper_erase.c: keeper_year_over(): of what IPC_SELVES told: a year that is
 * over, or whose erasure was cut off; 0: none.  keeper_erase(): has its keys
 * erased when the mailboxes are drained; when it fails it is tried again. */
uint16_t keeper_year_over(const struct frame *selves);
enum rc keeper_erase(struct keeper *k, uint16_t year, struct err *e);

/* keeper_out.c: relays. */
enum rc relays_new(struct keeper *k, struct err *e);
void relays_free(struct keeper *k);
enum rc relays_start(struct keeper *k, struct err *e);
enum rc relays_pump(struct keeper *k, struct err *e);
/* relays_settle(): commit what relays have taken in this turn. */
enum rc relays_settle(struct keeper *k, struct err *e);
size_t relays_count(const struct keeper *k);
struct line *relays_line(struct keeper *k, size_t i);
enum rc relay_frame(struct keeper *k, size_t i, const struct frame *f,
    struct err *e);
enum rc relay_gone(struct keeper *k, size_t i, struct err *e);
bool relays_done(const struct keeper *k);
int64_t relays_next_at(const struct keeper *k);

#endif
