/*
 * The disk fails at any write or sync, once or for good; the power fails, and
 * with it goes all that was written and not synced.
 */
#include "store_pass.h"

#include <fcntl.h>

/* --- A disk that fails ------------------------------------------------- */

static struct {
	sqlite3_vfs	*real;
	sqlite3_vfs	 vfs;
	sqlite3_io_methods	 io;
	long		 left;		/* operations before it; -1: never */
	bool		 once;		/* fails one, or all from there on */
	int		 code;
	bool		 remember;	/* copies each file when it is synced */
} bad;

static void file_copy(const char *from, const char *to);

struct bad_file {
	sqlite3_file	 base;
	sqlite3_file	*real;
	const char	*name;		/* SQLite keeps it while it is open */
};

static int
bad_now(void)
{
	if (bad.left < 0)
		return SQLITE_OK;
	if (bad.left > 0) {
		bad.left--;
		return SQLITE_OK;
	}
	if (bad.once)
		bad.left = -1;
	return bad.code;
}

#define REAL(f) (((struct bad_file *)(void *)(f))->real)

static int
bad_write(sqlite3_file *f, const void *p, int n, sqlite3_int64 at)
{
	int code = bad_now();

	return code != SQLITE_OK ? code :
	    REAL(f)->pMethods->xWrite(REAL(f), p, n, at);
}

static int
bad_sync(sqlite3_file *f, int flags)
{
	const char *name = ((struct bad_file *)(void *)f)->name;
	int code = bad_now();
	char synced[160];

	if (code != SQLITE_OK)
		return SQLITE_IOERR_FSYNC;
	code = REAL(f)->pMethods->xSync(REAL(f), flags);
	if (code == SQLITE_OK && bad.remember && name != NULL) {
		(void)snprintf(synced, sizeof(synced), "%s.synced", name);
		file_copy(name, synced);
	}
	return code;
}

static int
bad_close(sqlite3_file *f)
{
	int code = REAL(f)->pMethods->xClose(REAL(f));

	free(REAL(f));
	return code;
}

static int
bad_read(sqlite3_file *f, void *p, int n, sqlite3_int64 at)
{
	return REAL(f)->pMethods->xRead(REAL(f), p, n, at);
}

static int
bad_truncate(sqlite3_file *f, sqlite3_int64 n)
{
	return REAL(f)->pMethods->xTruncate(REAL(f), n);
}

static int
bad_size(sqlite3_file *f, sqlite3_int64 *n)
{
	return REAL(f)->pMethods->xFileSize(REAL(f), n);
}

static int
bad_lock(sqlite3_file *f, int l)
{
	return REAL(f)->pMethods->xLock(REAL(f), l);
}

static int
bad_unlock(sqlite3_file *f, int l)
{
	return REAL(f)->pMethods->xUnlock(REAL(f), l);
}

static int
bad_reserved(sqlite3_file *f, int *out)
{
	return REAL(f)->pMethods->xCheckReservedLock(REAL(f), out);
}

static int
bad_control(sqlite3_file *f, int op, void *arg)
{
	return REAL(f)->pMethods->xFileControl(REAL(f), op, arg);
}

static int
bad_sector(sqlite3_file *f)
{
	return REAL(f)->pMethods->xSectorSize(REAL(f));
}

static int
bad_character(sqlite3_file *f)
{
	return REAL(f)->pMethods->xDeviceCharacteristics(REAL(f));
}

static int
bad_map(sqlite3_file *f, int r, int n, int x, void volatile **p)
{
	return REAL(f)->pMethods->xShmMap(REAL(f), r, n, x, p);
}

static int
bad_shm_lock(sqlite3_file *f, int at, int n, int flags)
{
	return REAL(f)->pMethods->xShmLock(REAL(f), at, n, flags);
}

static void
bad_barrier(sqlite3_file *f)
{
	REAL(f)->pMethods->xShmBarrier(REAL(f));
}

static int
bad_unmap(sqlite3_file *f, int del)
{
	return REAL(f)->pMethods->xShmUnmap(REAL(f), del);
}

static int
bad_open(sqlite3_vfs *v, const char *name, sqlite3_file *f, int flags,
    int *out)
{
	struct bad_file *b = (struct bad_file *)(void *)f;
	int code;

	(void)v;
	b->base.pMethods = NULL;
	b->name = name;
	b->real = calloc(1, (size_t)bad.real->szOsFile);
	assert_non_null(b->real);
	code = bad.real->xOpen(bad.real, name, b->real, flags, out);
	if (code != SQLITE_OK)
		free(b->real);
	else
		b->base.pMethods = &bad.io;
	return code;
}

static void
bad_install(void)
{
	bad.real = sqlite3_vfs_find(NULL);
	bad.vfs = *bad.real;
	bad.vfs.zName = "bad";
	bad.vfs.szOsFile = (int)sizeof(struct bad_file);
	bad.vfs.xOpen = bad_open;
	bad.vfs.pNext = NULL;
	bad.io = (sqlite3_io_methods){ 2, bad_close, bad_read, bad_write,
	    bad_truncate, bad_sync, bad_size, bad_lock, bad_unlock,
	    bad_reserved, bad_control, bad_sector, bad_character, bad_map,
	    bad_shm_lock, bad_barrier, bad_unmap, NULL, NULL };
	bad.left = -1;
	assert_int_equal(sqlite3_vfs_register(&bad.vfs, 1), SQLITE_OK);
}

static void
fail_from(struct world *w, struct told *told, long nth, bool once, int code)
{
	struct told after;
	enum rc rc;

	fresh(w, told);
	bad.left = nth;
	bad.once = once;
	bad.code = code;
	rc = pass(w->dir, told);
	bad.left = -1;
	if (rc != RC_OK && rc != RC_TEMP)
		fail_msg("operation %ld: rc %d: %s", nth, (int)rc,
		    told->error);
	assert_true(rc == RC_OK || told->error[0] != '\0');
	world_reopen(w);
	check_told(w, told);
	world_close(w);
	memset(&after, 0, sizeof(after));
	rc = pass(w->dir, &after);
	if (rc != RC_OK)
		fail_msg("after operation %ld: %s", nth, after.error);
	world_reopen(w);
	check_told(w, told);
	check_end(w);
}

static void
every_operation(struct world *w, bool once, int code)
{
	struct told told;
	long total;

	fresh(w, &told);
	bad.left = 1000000;
	bad.once = once;
	bad.code = code;
	T_RC(pass(w->dir, &told), RC_OK);
	total = 1000000 - bad.left;
	bad.left = -1;
	assert_true(total > 100);
	/* the first ones make the file */
	for (long i = 0; i < total; i += stride(i < 40 ? 5 : 23))
		fail_from(w, &told, i, once, code);
}

static void
test_disk_full_from_any_operation_on(void **state)
{
	every_operation(*state, false, SQLITE_FULL);
}

static void
test_one_operation_fails(void **state)
{
	every_operation(*state, true, SQLITE_IOERR_WRITE);
}

/* --- The power --------------------------------------------------------- */

static void
file_copy(const char *from, const char *to)
{
	char block[65536];
	ssize_t n = 1;
	int in = open(from, O_RDONLY), out;

	(void)unlink(to);
	if (in < 0)
		return;
	out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_true(out >= 0);
	while ((n = read(in, block, sizeof(block))) > 0)
		assert_int_equal(write(out, block, (size_t)n), n);
	(void)close(in);
	(void)close(out);
}

#ifdef ENABLE_FAULT
/* Only what was synced comes back; the index in shared memory never does. */
static void
power_back(const struct world *w)
{
	static const char *const names[] = { "sceau.db", "sceau.db-wal" };
	char path[128], synced[160];

	for (size_t i = 0; i < 2; i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", w->dir, names[i]);
		(void)snprintf(synced, sizeof(synced), "%s.synced", path);
		file_copy(synced, path);
	}
	(void)snprintf(path, sizeof(path), "%s/sceau.db-shm", w->dir);
	(void)unlink(path);
}

static void
test_power_fails_at_every_point(void **state)
{
	struct world *w = *state;
	struct told *told = told_new(), *after = told_new();
	char spec[64];
	int status, nth = 1 - stride(3);
	pid_t pid;

	do {
		fresh(w, told);
		nth += stride(3);
		(void)snprintf(spec, sizeof(spec), "store.*#%d:kill", nth);
		if ((pid = fork()) == 0) {
			(void)setenv("SCEAU_FAULT", spec, 1);
			bad.remember = true;
			_exit((int)pass(w->dir, told));
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		if (WIFEXITED(status))
			break;
		power_back(w);
		world_reopen(w);
		check_told(w, told);
		world_close(w);
		memset(after, 0, sizeof(*after));
		T_RC(pass(w->dir, after), RC_OK);
		world_reopen(w);
		check_told(w, told);
		check_end(w);
	} while (WIFSIGNALED(status));
	assert_int_equal(status, 0);
	assert_true(nth > 40);
}
#endif

int
main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(test_disk_full_from_any_operation_on),
		WORLD_TEST(test_one_operation_fails),
#ifdef ENABLE_FAULT
		WORLD_TEST(test_power_fails_at_every_point),
#endif
	};

	bad_install();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
