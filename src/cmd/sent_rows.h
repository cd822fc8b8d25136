/* What `sent` shows: one row for each message and each who is to get it. */
#ifndef SC_CMD_SENT_ROWS_H
#define SC_CMD_SENT_ROWS_H

#include "cmd/cmd.h"
#include "store/store_alarm.h"
#include "wire/drop.h"

struct sent_row {
	int64_t		 id;
	char		 name[STORE_IDENTITY_BYTES];	/* without "#gen" */
	bool		 hub;		/* by the gateway's word */
	uint8_t		 ack_state;
	enum store_out_state state;
	const char	*word;		/* sent_word(), ack_word() */
	int64_t		 queued_at, sent_at;
	struct store_steps steps;
	bool		 late;		/* not received in time */
	bool		 unopened;	/* not opened in time */
	char		 token[DROP_TOKEN_BYTES];	/* made of T */
};

/* What is asked for. */
struct sent_ask {
	const char	*who;		/* name or address, or NULL: all */
	int64_t		 since;		/* queued then or later */
	bool		 late;		/* only those to call about */
	int64_t		 late_before, unopened_before;
};

struct sent_rows {
	struct sent_row	*r;
	size_t		 n, cap;
};

/* sent_rows_read(app, st, ask, out, e): sorted by name, then number; ${out} is
 * owned, sent_rows_free() after a failure too. */
enum rc sent_rows_read(const struct app *app, struct store *st,
    const struct sent_ask *ask, struct sent_rows *out, struct err *e);
void sent_rows_free(struct sent_rows *rows);

/* sent_waits(r): handed over, and not known to have been received. */
bool sent_waits(const struct sent_row *r);

/* Of one name. */
struct sent_sum {
	const char	*name;		/* borrowed of the rows */
	size_t		 n, waiting, late, received, opened, unopened, refused,
			 failed;
	int64_t		 oldest_at;	/* queued, of those that wait; or 0 */
	int64_t		 unopened_at;	/* received, of those to open */
	int64_t		 heard_at;	/* store_heard() */
};

/* sent_sum(st, rows, from, out, e): of the rows of one name, from ${*from}
 * on, which moves to the next name. */
enum rc sent_sum(struct store *st, const struct sent_rows *rows,
    size_t *from, struct sent_sum *out, struct err *e);

#endif
