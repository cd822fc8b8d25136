/* A deadline for a library that has none of its own. */
#ifndef SC_WIRE_WATCH_H
#define SC_WIRE_WATCH_H

#include <stdbool.h>

#include "base/err.h"

/*
 * One watch per process, on SIGALRM.  When its time is over the watched
 * socket is shut down, so that every read and write on it ends, and a
 * blocking connect(2) is interrupted; again each second, for whoever had
 * not begun to block yet.
 */

/* watch_new(e): take SIGALRM. */
enum rc watch_new(struct err *e);

/* watch_fd(fd): the socket to shut down (borrowed); -1: none. */
void watch_fd(int fd);

/* watch_arm(s): from now on ${s} seconds are left; 0: for ever. */
void watch_arm(int s);

/* watch_cut(): shut it down now. */
void watch_cut(void);

/* watch_fired(): the time was over once since watch_reset(). */
bool watch_fired(void);
void watch_reset(void);

#endif
