/* Files that nobody changes while they are read. */
#ifndef SC_BASE_LEASE_H
#define SC_BASE_LEASE_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * lease_take(fd, left):
 * A descriptor of its own (owned, close() it) of the regular file that ${fd}
 * reads, at the same place, ${left} octets before its end; while it is open,
 * lease_kept() tells whether the file can have changed since.  Who wants to
 * write it waits until it is closed, 45 s at most.  SIGIO is ignored from now
 * on.  -1: nothing like that to be had here: it is not a file, or somebody
 * else's, or open for writing (mapped, too), or on a file system that others
 * than this kernel may write to, or the system knows no leases.
 * Source: fcntl(2), F_SETLEASE.
 */
int lease_take(int fd, off_t *left);

/* lease_kept(fd): nobody has opened the file for writing since, nor cut it:
 * what was read of it, it still holds. */
bool lease_kept(int fd);

#endif
