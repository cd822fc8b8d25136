/* Framed messages between our processes, with limits. */
#ifndef SC_BASE_CHAN_H
#define SC_BASE_CHAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

/*
 * A frame is length(4) type(1) job(4), then ${length} octets, big-endian; at
 * most ${max} of them.  Bodies travel as frames of at most
 * CHAN_DATA_BYTES.  One descriptor may travel with a frame.
 */
#define CHAN_HEAD_BYTES 9
#define CHAN_DATA_BYTES (64 * 1024)
#define CHAN_MAX_BYTES (1024 * 1024 + 4096)
/* The vault's verdict on what a desk of the association sealed: 1 MiB of
 * records, of which each may change a row. */
#define CHAN_VERDICT_BYTES (64 * 1024 * 1024)

struct chan {
	int		 fd;
	int		 got_fd;	/* of the last frame; owned, or -1 */
	struct buf	 in;
	size_t		 in_at;		/* handed out so far */
	struct buf	 out;		/* held, or waiting */
	size_t		 out_at;
	size_t		 max;		/* CHAN_MAX_BYTES until changed */
};

struct frame {
	uint8_t		 type;
	uint32_t	 job;
	struct bytes	 body;	/* lent until the next read */
};

#define CHAN_INIT { -1, -1, BUF_INIT, 0, BUF_INIT, 0, CHAN_MAX_BYTES }

/* chan_pair(a, b, e): two ends, close-on-exec. */
enum rc chan_pair(int fds[2], struct err *e);
void chan_init(struct chan *c, int fd);	/* ${fd} taken */
void chan_close(struct chan *c);

/*
 * Blocking side (every child): chan_send() returns when all is written,
 * chan_recv() when a whole frame is there.  RC_TEMP: the other end is gone;
 * ${f->body} is borrowed until the next call on ${c}.
 */
enum rc chan_send(struct chan *c, uint8_t type, uint32_t job,
    const void *p, size_t len, struct err *e);
enum rc chan_send_fd(struct chan *c, uint8_t type, uint32_t job,
    const void *p, size_t len, int fd, struct err *e);
/*
 * chan_hold(): as chan_send(), but it may wait here for what is sent next, and
 * go with it: chan_send() takes along what was held, chan_unhold() lets it go.
 * Who is about to wait for an answer unholds first.
 */
enum rc chan_hold(struct chan *c, uint8_t type, uint32_t job,
    const void *p, size_t len, struct err *e);
enum rc chan_unhold(struct chan *c, struct err *e);
enum rc chan_recv(struct chan *c, struct frame *f, struct err *e);
/* chan_waiting(c): something has come, here or in the socket; or its end. */
bool chan_waiting(const struct chan *c);
/* chan_ready(c): a whole frame is buffered already. */
bool chan_ready(const struct chan *c);

/*
 * Event side (the keeper): chan_put() queues, chan_flush() writes what the
 * socket takes at once, chan_fill() reads what is there, chan_next() hands out
 * whole frames until none is left (false).  chan_fill() returns RC_TEMP at the
 * end.
 */
enum rc chan_nonblock(struct chan *c, struct err *e);
enum rc chan_put(struct chan *c, uint8_t type, uint32_t job,
    const void *p, size_t len, struct err *e);
size_t chan_pending(const struct chan *c);
enum rc chan_flush(struct chan *c, struct err *e);
enum rc chan_fill(struct chan *c, struct err *e);
bool chan_next(struct chan *c, struct frame *f, enum rc *rc, struct err *e);

#endif
