/* Files that are wholly there or not at all. */
#ifndef SC_BASE_FILE_H
#define SC_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"

/* file_read(path, max, out, e): the whole of a file of at most ${max}
 * octets. RC_CONF when it is not there or cannot be read, RC_INPUT when
 * larger. ${out} is emptied first. */
enum rc file_read(const char *path, size_t max, struct buf *out,
    struct err *e);

/* file_read_regular(): the same, and RC_CONF for what is no regular file, which
 * may never end, or never begin: for files whose names others chose. */
enum rc file_read_regular(const char *path, size_t max, struct buf *out,
    struct err *e);

/*
 * file_write(path, p, len, mode, e):
 * Write under a temporary name beside it, sync, rename, sync the folder: a
 * reader sees the old content or the new. Replaces what was there.
 */
enum rc file_write(const char *path, const void *p, size_t len, mode_t mode,
    struct err *e);

/* file_create(): the same, but never replaces: RC_CONF if it is there.  When
 * it fails nothing is there that was not; a temporary file that cannot be
 * taken away is named by ${e}. */
enum rc file_create(const char *path, const void *p, size_t len, mode_t mode,
    struct err *e);

/* file_private(path, e): RC_CONF, with what to type, when others than its owner
 * can read it, or its owner is neither who runs this nor root; to root others'
 * files are refused too, since what it would write beside them they could not
 * read. */
enum rc file_private(const char *path, struct err *e);

/* file_mkdirs(path, mode, e): with its parents, durably; fine when there
 * already. */
enum rc file_mkdirs(const char *path, mode_t mode, struct err *e);

/* file_temporary(name): a name that a program gives to a file which it still
 * writes, or that nobody is meant to see. */
bool file_temporary(const char *name);

/* Durable when true is returned (F_FULLFSYNC where it exists); errno set. */
bool file_sync(int fd);
bool dir_sync(const char *path);
/* file_sync_all(dir, n): the octets of ${n} files below the open folder
 * ${dir}, at the price of one: the whole file system's.  False: so few that
 * each is cheaper, or no such thing here: file_sync() each. */
bool file_sync_all(int dir, size_t n);

/* write_all(fd, p, len): every octet, over EINTR and short writes. */
bool write_all(int fd, const void *p, size_t len);
/* read_full(fd, p, len): up to ${len}, less only at the end; -1: errno. */
ssize_t read_full(int fd, void *p, size_t len);

#endif
