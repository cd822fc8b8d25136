/*
 * After a death SQLite reads its log as far as it is whole, and says nothing
 * of what stands behind.  Were the log damaged, promises would be gone without
 * a word.  So each durable transaction is counted, in itself and in the file
 * of passes.  There it is written when it is durable, and never synced: that
 * number may be behind the database's, and is never ahead of it.
 */
#include "config.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/buf.h"
#include "store/db.h"

/* The number and, against octets that are something else, its complement; no
 * sector's end lies within.  Where it stands depends on the ring before it:
 * with another ring it is a complement no more. */
#define NUMBER_BYTES 16
#define NUMBER_AT ((PASS_FILE_BYTES + NUMBER_BYTES - 1) / NUMBER_BYTES * \
	NUMBER_BYTES)

static int64_t
number_of(int fd)
{
	uint8_t b[NUMBER_BYTES];
	uint64_t n;

	if (fd < 0 || pread(fd, b, sizeof(b), NUMBER_AT) !=
	    (ssize_t)sizeof(b))
		return 0;
	n = get_be64(b);
	return n == ~get_be64(b + 8) && n < INT64_MAX / 2 ? (int64_t)n : 0;
}

int64_t
commits_known(const char *dir)
{
	char path[1024];
	int64_t n;
	int fd;

	if ((size_t)snprintf(path, sizeof(path), "%s/passes", dir) >=
	    sizeof(path) ||
	    (fd = open(path, O_RDONLY | O_CLOEXEC)) < 0)
		return 0;
	n = number_of(fd);
	(void)close(fd);
	return n;
}

enum rc
commits_put(struct store *st, int64_t known, struct err *e)
{
	return DB_DO(st, e, "INSERT INTO commits (id, n) VALUES (1, ?1 + 1) "
	    "ON CONFLICT (id) DO UPDATE SET n = max(n, ?1) + 1", V_I(known));
}

enum rc
commits_add(struct store *st, struct err *e)
{
	enum rc rc = commits_put(st, 0, e);

	return rc != RC_OK ? rc : DB_INT(st, e, &st->commits,
	    "SELECT n FROM commits WHERE id = 1");
}

void
commits_done(struct store *st)
{
	int64_t n = st->commits;
	uint8_t b[NUMBER_BYTES];

	put_be64(b, (uint64_t)n);
	put_be64(b + 8, ~(uint64_t)n);
	/* Without it something goes unnoticed; nothing is lost by that. */
	if (n > number_of(st->pass_fd) && st->pass_fd >= 0 &&
	    pwrite(st->pass_fd, b, sizeof(b), NUMBER_AT) != (ssize_t)sizeof(b))
		return;
}

enum rc
commits_look(struct store *st, struct err *e)
{
	/* Before the database's: others go on. */
	int64_t known = number_of(st->pass_fd), n = 0;
	enum rc rc = RC_OK;

	if (known != 0)
		rc = DB_INT(st, e, &n, "SELECT n FROM commits WHERE id = 1");
	st->gone = rc == RC_OK && known > n ? known - n : 0;
	return rc;
}

enum rc
commits_check(struct store *st, struct err *e)
{
	enum rc rc = commits_look(st, e);

	if (rc != RC_OK || st->gone == 0)
		return rc;
	return err_set(e, RC_CONF, _("the store has lost what was written to "
	    "it last, or is an older one; it was left as it is, and mail not "
	    "yet fetched is safe on its server: run \"sceau restored\", as "
	    "after a backup was put back"));
}

enum rc
commits_forgive(struct store *st, struct err *e)
{
	st->gone = 0;
	return commits_put(st, number_of(st->pass_fd), e);
}
