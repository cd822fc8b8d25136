/* One message on its way from the store through vault and clerk. */
#ifndef SC_FLOW_OPENING_H
#define SC_FLOW_OPENING_H

#include "flow/keeper.h"

enum fate {
	FATE_OPEN,	/* not yet known */
	FATE_FILE,	/* a file waits under its temporary name */
	FATE_DONE,	/* nothing to file: control records, known original */
	FATE_DUPLICATE,	/* T was done before */
	FATE_HOLD,
	FATE_RELAY,	/* at the hub: its routes */
	FATE_RELAYED,	/* the hub has done it, in a transaction of their own */
	FATE_UNFILED,	/* asked for once more, and cannot be */
	FATE_LEAVE	/* not now: stays as it is for the next pass */
};

struct opening {
	struct store_in		in;
	uint32_t		job;
	uint32_t		order;	/* of its verdict among others */
	struct gate_head	head;
	enum rc			rc;	/* of head, later of verdict */
	struct err		why;
	struct gate_verdict	v;
	bool			jobbed;	/* the vault holds the job */
	bool			wait;	/* nothing behind its header goes to
					 * the vault before that is judged */
	bool			sent;	/* its body goes or went there */
	bool			told;	/* of its patients */
	bool			ready;	/* the clerk has made files of it, */
	struct err		unready; /* or why not */
	uint8_t			flags;	/* for the vault */
	enum fate		fate;
	struct buf		names;	/* final names, from the clerk */
	struct store_filing	filing;	/* what is filed of it */
	char			places[STORE_PLACES_BYTES];
	struct store_patient	*patients;	/* owned */
};

#define BATCH_MAX 256	/* as many as vault and clerk have jobs */
#define HUB_SPARE_BYTES (256 * 1024)	/* more is not opened in vain */

/* Messages that go through each step together. */
struct batch {
	struct opening	o[BATCH_MAX];
	size_t		n;
	size_t		at;	/* the one that is being judged */
	size_t		given;	/* to the vault, wholly or their headers */
	size_t		nth;	/* since the vault began to keep rows */
	struct feed	feed;
};

/* keeper_opening.c: opened by the vault, made into files by the clerk under
 * temporary names; each has its fate then. */
enum rc batch_bodies(struct keeper *k, struct batch *b, struct err *e);
/* batch_ahead(k, b, e): before that: to the vault, as many as its line takes
 * now. */
enum rc batch_ahead(struct keeper *k, struct batch *b, struct err *e);
/* opening_not(k, o): held, or left for a later pass, which must not pass for
 * success. */
void opening_not(struct keeper *k, struct opening *o);

/* keeper_done.c: one commit each for all of the batch whom it concerns;
 * batch_filed() waits for the clerk's last word on each file. */
enum rc batch_intents(struct keeper *k, struct batch *b, struct err *e);
enum rc batch_filed(struct keeper *k, struct batch *b, struct err *e);
enum rc batch_delivered(struct keeper *k, struct batch *b, struct err *e);
enum rc batch_duplicates(struct keeper *k, struct batch *b, struct err *e);
enum rc batch_hold(struct keeper *k, struct batch *b, struct err *e);

/* opening_file(k, o, e): its intent is noted: to the clerk. */
enum rc opening_file(struct keeper *k, struct opening *o, struct err *e);

/* keeper_refile.c: in the place of intents and of delivered, for a batch of
 * what is filed once more. */
enum rc batch_refile(struct keeper *k, struct batch *b, struct err *e);
enum rc batch_refiled(struct keeper *k, struct batch *b, struct err *e);

/* opening_msg(o, m): what the store must know of it; strings borrowed. */
void opening_msg(const struct opening *o, struct store_msg *m);
/* opening_done(k, o, d, rows, acks): for a delivery; ${rows} and ${acks} hold
 * as many as the verdict has; borrowed. */
void opening_done(struct keeper *k, const struct opening *o,
    struct store_done *d, struct store_row *rows, struct store_ack_in *acks);

#endif
