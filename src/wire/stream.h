/* One byte stream to a server: plain or verified TLS, with limits. */
#ifndef SC_WIRE_STREAM_H
#define SC_WIRE_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "wire/tls.h"
#include "wire/why.h"

/*
 * Everything said over a stream is bounded.  stream_step() begins a step (a
 * command and its answer): it may wait ${timeout_s} for the other side, and
 * one second more per KiB that moves, and may read ${budget} octets.  Only
 * waiting counts, not what our consumers do meanwhile.
 *
 * After any failure, the end of the stream included, it is dead: each read
 * and write gives -1 for ever, so that no layer above can go on by mistake
 * (a password after a failed STARTTLS).  What went wrong first stays in
 * stream_error().
 *
 * The process must ignore SIGPIPE: OpenSSL writes by write(2).
 */
struct stream;

#define STREAM_SLOW_BYTES_S 1024

/*
 * stream_new(fd, host, timeout_s, e):
 * fd    taken, also after a failure; not blocking (net_connect)
 * host  borrowed for error texts until stream_free()
 * NULL: memory.
 */
struct stream *stream_new(int fd, const char *host, int timeout_s,
    struct err *e);
void stream_free(struct stream **s);

/*
 * stream_hello(s, t):
 * Say what TLS begins with, so that the server computes its answer meanwhile;
 * nothing is read, which stream_tls() does, with the same ${t}.  What fails
 * here fails there, in words.
 */
void stream_hello(struct stream *s, struct tls *t);

/*
 * stream_tls(s, t, e):
 * Turn it into TLS, here and now.  The caller promises that it holds no octet
 * read before (for STARTTLS: its buffer is empty).  ${t} is borrowed until
 * stream_free().  RC_TEMP: not the right server, in words; the stream is dead.
 */
enum rc stream_tls(struct stream *s, struct tls *t, struct err *e);

/* stream_verified(s): the server has proved who it is. */
bool stream_verified(const struct stream *s);
/* stream_version(s): "TLSv1.3"; NULL when plain. */
const char *stream_version(const struct stream *s);

void stream_step(struct stream *s, uint64_t budget);
/* stream_more(s, octets): this step may read so many more. */
void stream_more(struct stream *s, uint64_t octets);
/* stream_until(s, until_ms): dead from that clock_ms() on; 0: never. */
void stream_until(struct stream *s, int64_t until_ms);
/* stream_patience(s, timeout_s): from now on it may wait so long; for the
 * answer that takes longer than others. */
void stream_patience(struct stream *s, int timeout_s);
/* stream_hurry(s, timeout_s): for goodbyes. */
void stream_hurry(struct stream *s, int timeout_s);

/* 1 or more octets, or -1: at the end too, never 0. */
ssize_t stream_read(struct stream *s, void *p, size_t len);
/* All ${len} octets are written, or -1. */
ssize_t stream_write(struct stream *s, const void *p, size_t len);

/*
 * stream_wait(s, timeout_ms, wake_fd):
 * Wait until something can be read (true: at once when TLS holds some), or
 * the time is over or ${wake_fd} (or -1) can be read (false).
 */
bool stream_wait(struct stream *s, int timeout_ms, int wake_fd);

/* stream_kill(s, why, e): dead from now on, for this reason, unless
 * it was dead already. */
void stream_kill(struct stream *s, enum wire_why why, const struct err *e);
bool stream_dead(const struct stream *s);
/* stream_error(s, why, e): repeat why it is dead; RC_TEMP. */
enum rc stream_error(const struct stream *s, enum wire_why *why,
    struct err *e);

/* stream_in(s), stream_out(s): octets read and written, TLS undone. */
uint64_t stream_in(const struct stream *s);
uint64_t stream_out(const struct stream *s);

#endif
