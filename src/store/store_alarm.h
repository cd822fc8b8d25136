/* Following what was sent: its steps, the alarms, the passes that look. */
#ifndef SC_STORE_STORE_ALARM_H
#define SC_STORE_STORE_ALARM_H

#include "store/store_out.h"

/* --- Of one message and one correspondent ------------------------------ */

/* When which word of it came, by the clock of who says it (the register's);
 * 0: it did not. */
struct store_steps {
	int64_t	relayed_at, received_at, opened_at, refused_at, damaged_at;
	int64_t	unopened_at;	/* received by our clock, to be opened still */
};
enum rc store_steps(struct store *st, int64_t id, const char *name,
    struct store_steps *out, struct err *e);

/* store_heard(): the last authentic news of ${name}, by our clock; 0: never
 * any. Of one behind the gateway: by the gateway's word. */
enum rc store_heard(struct store *st, const char *name, int64_t *at,
    struct err *e);

/*
 * store_follow_list(): up to ${max} messages, id > ${after}, of which one
 * name has received theirs before ${before} and not opened it, though it says
 * "opened" of others.
 */
enum rc store_follow_list(struct store *st, int64_t before, int64_t after,
    struct store_out *out, size_t max, size_t *n, struct err *e);

/* --- Alarms ------------------------------------------------------------ */

/* In the order in which they are shown. */
enum store_rule {
	STORE_RULE_CLOCK = 1,	/* it leapt; subject: "" */
	STORE_RULE_KEY,		/* ends soon; own name; level: days */
	STORE_RULE_BARRED,	/* our key is void; own name */
	STORE_RULE_MISSED,	/* a bulletin that others have; subject: "" */
	STORE_RULE_NOBULLETIN,	/* none for long; the same */
	STORE_RULE_RELAY,	/* fails; its name */
	STORE_RULE_ACCOUNT,	/* the same */
	STORE_RULE_SILENT,	/* no news though mail waits; who */
	STORE_RULE_LATE,	/* mail not received; who */
	STORE_RULE_UNOPENED,	/* received, not opened; who */
	STORE_RULE_REFUSED,	/* who */
	STORE_RULE_FAILED,	/* given up before it left; for whom */
	STORE_RULE_NOTSENT,	/* files refused lie there; the outbox */
	STORE_RULE_LEFT,	/* files are not taken; the outbox */
	STORE_RULE_FILING,	/* documents cannot be filed; subject: "" */
	STORE_RULE_OUTBOX,	/* its folders cannot be used; the outbox */
	STORE_RULE_LIMIT,	/* his mail waits at the gateway; who */
	STORE_RULE_HELD,	/* came and cannot be opened; subject: "" */
	STORE_RULE_N
};

struct store_alarm {
	int64_t		id;
	enum store_rule	rule;
	char		subject[STORE_IDENTITY_BYTES];
	int64_t		since;		/* SILENT: last news, or 0 */
	int64_t		n;		/* messages */
	int64_t		level;		/* when lower it is told again */
	char		text[STORE_TEXT_BYTES];
	int64_t		began_at;
	int64_t		ended_at;	/* 0: it lasts */
};

/* Moments: what began before them is worth an alarm. */
struct store_alarm_at {
	int64_t	late_before, unopened_before, silent_before;
	int64_t	refused_since;		/* older refusals have been told */
};

/*
 * store_alarm_update(st, now, at, own, n, e):
 * What of the queue is an alarm at ${now}, together with the ${n} alarms
 * ${own} that the caller found (rule to text), against those that were: begins
 * and ends them.  Cost follows what is unfinished; writes only what changed.
 * An alarm that ended is kept for 30 days.
 */
enum rc store_alarm_update(struct store *st, int64_t now,
    const struct store_alarm_at *at, const struct store_alarm *own, size_t n,
    struct err *e);

/* store_alarm_list(): up to ${max} that last, or, with ${ended_since} not 0,
 * that ended since then. */
enum rc store_alarm_list(struct store *st, int64_t ended_since,
    struct store_alarm *out, size_t max, size_t *n, struct err *e);
/* store_alarm_counts(): how many last, by rule. */
enum rc store_alarm_counts(struct store *st, uint64_t out[STORE_RULE_N],
    struct err *e);

/* store_alarm_untold(): up to ${max} whose begin, or whose end after it, is
 * still to be told; store_alarm_told() of these. */
enum rc store_alarm_untold(struct store *st, struct store_alarm *out,
    size_t max, size_t *n, struct err *e);
enum rc store_alarm_told(struct store *st, int64_t now,
    const struct store_alarm *a, size_t n, struct err *e);

/* store_digest(): the number of the day of the last one, and when; 0: none.
 * store_digest_done(): it was given away. */
enum rc store_digest(struct store *st, int64_t *day, int64_t *at,
    struct err *e);
enum rc store_digest_done(struct store *st, int64_t day, int64_t at,
    struct err *e);

/* --- What the alarms look at, beside the queue ------------------------- */

/* An account, or what else bears that name, fails, since when and why; _up():
 * no more (writes only if it did).  store_down(): since 0 when it does not.
 * _set(): ${known} when the same was said already, less than STORE_SAID_S
 * ago. */
#define STORE_SAID_S 14400
enum rc store_down(struct store *st, const char *account, int64_t *since,
    char text[STORE_TEXT_BYTES], struct err *e);
enum rc store_down_set(struct store *st, const char *account, int64_t now,
    const char *text, bool *known, struct err *e);
enum rc store_down_up(struct store *st, const char *account, struct err *e);

/* Until when each of our names may write. store_keys(): ${looked_at}: when
 * they were put; when they are not known, of the first pass there was.
 * store_keys_put(): these and no others; n 0: not known.  store_keys_known():
 * are there any? */
#define STORE_KEYS_MAX 64
struct store_key {
	char	name[STORE_IDENTITY_BYTES];
	int64_t	until;
	bool	barred;
};
enum rc store_keys(struct store *st, struct store_key out[STORE_KEYS_MAX],
    size_t *n, int64_t *looked_at, struct err *e);
enum rc store_keys_known(struct store *st, bool *known, struct err *e);
enum rc store_keys_put(struct store *st, int64_t now,
    const struct store_key *k, size_t n, struct err *e);

/* store_clock_since(): of the leap after which the clock is not yet believed
 * (store_clock()), as it was when last looked at; 0: none was. */
enum rc store_clock_since(struct store *st, int64_t *since, struct err *e);

/* --- Passes ------------------------------------------------------------ */

#define STORE_PASSES 1000	/* so many are remembered */

struct store_pass {
	int64_t	id;
	int64_t	began_at;
	int64_t	seen_at;	/* `run`: at work then */
	int64_t	ended_at;	/* 0: at work, or cut short */
	int	code;		/* its exit */
	char	text[STORE_TEXT_BYTES];	/* what failed first, or "" */
};

/* None of these is synced. _begin() sets ${p->id}. */
enum rc store_pass_begin(struct store *st, struct store_pass *p,
    struct err *e);
enum rc store_pass_seen(struct store *st, const struct store_pass *p,
    struct err *e);
/* store_pass_list(): up to ${max}, the last one first. */
enum rc store_pass_list(struct store *st, int64_t since,
    struct store_pass *out, size_t max, size_t *n, struct err *e);

#endif
