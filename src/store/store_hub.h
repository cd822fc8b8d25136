/* What the association's gateway promises and remembers. */
#ifndef SC_STORE_STORE_HUB_H
#define SC_STORE_STORE_HUB_H

#include "store/store.h"
#include "store/store_in.h"
#include "store/store_out.h"

/* A RELAYED-ACK to the sender at once: barred, unknown, without a key. */
struct store_hub_refusal {
	const char	*name;		/* of the recipient */
	uint8_t		 state;		/* 0x10 */
};

/* An incoming message with ROUTEs, and what becomes of it; all lent. */
struct store_hub_put {
	struct store_done	*in;
	struct store_out_put	*out;		/* may be none */
	size_t			 n;
	const struct store_hub_refusal *refused;
	size_t			 nrefused;
};

/*
 * store_hub_relay(st, m, n, now, e):
 * ${n} messages in one transaction: of each, ${in} is done as
 * store_in_delivered() does it (its own ack_state is 1, or 0x10 when nobody
 * was reached), the rows are queued, which of them carries which original to
 * whom is remembered, ${refused} are told.
 *
 * in->msg.result: STORE_OK; STORE_DUPLICATE or STORE_NOT: nothing was done.
 * Source: PROTOCOL 2.8, 2.19.32, .33.
 */
enum rc store_hub_relay(struct store *st, struct store_hub_put *m, size_t n,
    int64_t now, struct err *e);

/*
 * What went through for one member on one day, from midnight UTC:
 * store_hub_relay() counts it, an envelope for each recipient.
 */
struct store_hub_day {
	char		name[STORE_IDENTITY_BYTES];	/* of the sender */
	uint64_t	messages, bytes;
	int64_t		over_at;	/* his limit was reached; 0: not */
};

/* store_hub_day(): of ${sender}, name or identity, on the day of ${now}. */
enum rc store_hub_day(struct store *st, const char *sender, int64_t now,
    struct store_hub_day *out, struct err *e);
/* store_hub_over(): a message of his waits for the next day; writes only the
 * first time. */
enum rc store_hub_over(struct store *st, const char *sender, int64_t now,
    struct err *e);
/* store_hub_overs(): up to ${max} of that day whose messages wait. */
enum rc store_hub_overs(struct store *st, int64_t now,
    struct store_hub_day *out, size_t max, size_t *n, struct err *e);

struct store_origin {
	bool	known;
	uint8_t	t[STORE_T_BYTES];	/* of the message that came to us */
	uint8_t	d[STORE_D_BYTES];
	char	identity[STORE_IDENTITY_BYTES];	/* of its sender */
};

/* store_hub_origin(): whose was what we sent to ${name} under ${t}?  The
 * RELAYED-ACKs that acknowledgements cause need no call: see store_ack.h. */
enum rc store_hub_origin(struct store *st, const uint8_t t[STORE_T_BYTES],
    const char *name, struct store_origin *out, struct err *e);

#endif
