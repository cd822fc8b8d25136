/* A command that takes a whole mail on its standard input. */
#ifndef SC_WIRE_PIPE_H
#define SC_WIRE_PIPE_H

#include "base/err.h"

#define PIPE_LIMIT_S 300

/*
 * pipe_run(command, fd, e):
 * Run ${command} by /bin/sh with the file ${fd} (borrowed, read from its
 * start) as standard input; its output goes to our standard error.  At most
 * PIPE_LIMIT_S seconds, then its process group is killed.
 *
 * RC_OK: exit 0.  RC_TEMP: 75, killed, too slow, not startable, and whatever
 * says nothing better.  RC_PERM: 65 to 70, 76, 77: it will never take this.
 * RC_CONF: 64, 78, 126, 127.  Source: sysexits.h.
 */
enum rc pipe_run(const char *command, int fd, struct err *e);

/* pipe_run_alone(command, fd, limit_s, e): the same within ${limit_s}, and in
 * an environment that holds no secret: PATH, HOME, SHELL, USER, LOGNAME,
 * LANG, LC_ALL and TZ at most. */
enum rc pipe_run_alone(const char *command, int fd, int limit_s,
    struct err *e);

#endif
