#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "store/db.h"

#define BUSY_MS 20000
/* Of what one statement changes, kept so that it alone can be taken back; more
 * goes to a file, and then all that follows in the transaction.  In one write,
 * of which SQLite 3.40 forgets what is above 128 KiB (SQLITE_FULL). */
#define STATEMENT_BYTES (124 * 1024)

static const char *const pragmas[] = {
	"PRAGMA trusted_schema=OFF",
	"PRAGMA foreign_keys=ON",
	"PRAGMA cell_size_check=ON",
	"PRAGMA secure_delete=ON",
	"PRAGMA fullfsync=ON",
	"PRAGMA checkpoint_fullfsync=ON",
	"PRAGMA synchronous=FULL",
	"PRAGMA mmap_size=0",
	/* KiB: a pass that finds nothing stays under 10 MB in all. */
	"PRAGMA cache_size=-4096",
	"PRAGMA temp.cache_size=-256",
	/* Pages, then octets: most of what a pass writes is gone again before
	 * it would be copied, and a log that keeps its size syncs sooner. */
	"PRAGMA wal_autocheckpoint=4000",
	"PRAGMA journal_size_limit=20000000",
	NULL
};

/* SQLite would make it with the umask's rights; the others follow it. */
static enum rc
file_make(const char *dir, const char *path, struct err *e)
{
	struct stat sb;
	int fd;

	if (stat(path, &sb) == 0)
		return file_private(path, e);
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return errno == EEXIST ? RC_OK :
		    err_sys(e, _("cannot make the store %s"), path);
	if (close(fd) != 0 || !dir_sync(dir))
		return err_sys(e, _("cannot make the store %s"), path);
	return RC_OK;
}

static enum rc
version_check(struct store *st, int64_t app, int64_t version, struct err *e)
{
	if (app == 0 && version == 0)
		return RC_OK;
	if (app != SCHEMA_APPLICATION)
		return err_set(e, RC_CONF, _("%s is not a store of sceau: "
		    "nothing was done with it"),
		    sqlite3_db_filename(st->db, "main"));
	if (version > SCHEMA_VERSION)
		return err_set(e, RC_CONF, _("this store was written by a "
		    "newer sceau (store version %lld, this program knows %d): "
		    "install that version again; nothing was changed"),
		    (long long)version, SCHEMA_VERSION);
	if (version < SCHEMA_VERSION)
		return err_set(e, RC_CONF, _("%s was written before the first "
		    "release of sceau (store version %lld, this program "
		    "writes %d) and cannot be taken over; nothing was "
		    "changed: end with the old program what waits there, "
		    "then move the file away"),
		    sqlite3_db_filename(st->db, "main"), (long long)version,
		    SCHEMA_VERSION);
	return RC_OK;
}

static enum rc
schema_make(struct store *st, struct err *e)
{
	int64_t app = 0;
	enum rc rc = RC_OK;
	char sql[80];

	/* Another process may have made it while we waited. */
	if ((rc = db_int(st, &app, "PRAGMA application_id", db_none, e)) !=
	    RC_OK || app != 0)
		return rc;
	for (size_t i = 0; rc == RC_OK && schema_sql[i] != NULL; i++)
		rc = db_exec(st, schema_sql[i], e);
	if (rc == RC_OK)
		rc = triggers_make(st, e);
	if (rc != RC_OK)
		return rc;
	(void)snprintf(sql, sizeof(sql), "PRAGMA application_id=%d;"
	    "PRAGMA user_version=%d", SCHEMA_APPLICATION, SCHEMA_VERSION);
	return db_exec(st, sql, e);
}

enum rc
triggers_make(struct store *st, struct err *e)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && schema_triggers[i] != NULL; i++)
		rc = db_exec(st, schema_triggers[i], e);
	return rc;
}

enum rc
triggers_drop(struct store *st, struct err *e)
{
	char name[64], sql[96];
	enum rc rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && schema_triggers[i] != NULL; i++) {
		if (sscanf(schema_triggers[i], "CREATE TRIGGER %63s", name) !=
		    1)
			continue;
		(void)snprintf(sql, sizeof(sql), "DROP TRIGGER %s", name);
		rc = db_exec(st, sql, e);
	}
	return rc;
}

/* Asking is not getting: some file systems cannot. */
static enum rc
wal_ready(struct store *st, struct err *e)
{
	sqlite3_stmt *s;
	char got_mode[16];
	bool got;
	enum rc rc;

	if ((rc = db_ask(st, &s, "PRAGMA journal_mode=WAL", db_none, e)) !=
	    RC_OK || (rc = db_next(st, s, &got, e)) != RC_OK)
		return rc;
	db_text(s, 0, got_mode, sizeof(got_mode));
	db_stop(s);
	if (strcmp(got_mode, "wal") != 0 && strcmp(got_mode, "memory") != 0)
		return err_set(e, RC_CONF, _("the store's folder must lie on "
		    "a local disk (shared memory is missing there)"));
	return RC_OK;
}

static enum rc
schema_ready(struct store *st, struct err *e)
{
	int64_t app = 0, version = 0;
	enum store_mode mode = st->mode;
	enum rc rc;

	if ((rc = db_int(st, &app, "PRAGMA application_id", db_none, e)) !=
	    RC_OK ||
	    (rc = db_int(st, &version, "PRAGMA user_version", db_none, e)) !=
	    RC_OK || (rc = version_check(st, app, version, e)) != RC_OK)
		return rc;
	/* Before the first page is written.  To a file that is there it is a
	 * commit, with three syncs, though nothing changes. */
	if (app == 0 && (rc = db_exec(st, "PRAGMA auto_vacuum=INCREMENTAL",
	    e)) != RC_OK)
		return rc;
	if ((rc = wal_ready(st, e)) != RC_OK)
		return rc;
	if (app == 0) {
		st->mode = STORE_WRITE;
		if ((rc = tx_begin(st, e)) == RC_OK)
			rc = TX_END(st, schema_make(st, e), "schema", e);
		st->mode = mode;
		if (rc != RC_OK)
			return rc;
	}
	return db_exec(st, "CREATE TEMP TABLE listed ("
	    "id INTEGER PRIMARY KEY, list INTEGER NOT NULL,"
	    "uid BLOB NOT NULL, UNIQUE (list, uid))", e);
}

static enum rc
name_too_long(struct err *e)
{
	return err_set(e, RC_CONF, _("the name of the store's folder is too "
	    "long"));
}

enum rc
store_files(const char *dir, struct store_files *f, struct err *e)
{
	static const struct sandbox_path files[STORE_FILES] = {
		{ "", SB_NAMES },
		{ "/temp", SB_TREE },
		{ "/sceau.db", SB_FILE },
		{ "/sceau.db-wal", SB_FILE },
		{ "/sceau.db-shm", SB_FILE },
	};

	memset(f, 0, sizeof(*f));
	for (size_t i = 0; i < STORE_FILES; i++) {
		if ((size_t)snprintf(f->name[i], sizeof(f->name[i]), "%s%s",
		    dir, files[i].path) >= sizeof(f->name[i]))
			return name_too_long(e);
		f->may[i] = (struct sandbox_path){ f->name[i], files[i].may };
	}
	return RC_OK;
}

static enum rc
db_open(struct store *st, const char *dir, struct err *e)
{
	char path[1024];
	struct stat sb;
	enum rc rc;

	if ((size_t)snprintf(path, sizeof(path), "%s/sceau.db", dir) >=
	    sizeof(path))
		return name_too_long(e);
	if (st->mode == STORE_READ && stat(path, &sb) != 0)
		(void)snprintf(path, sizeof(path), ":memory:");
	else if ((rc = file_make(dir, path, e)) != RC_OK)
		return rc;
	/* For this process; refused, and without effect, once SQLite runs:
	 * then it was asked for before.  Counting what it allocates takes a
	 * lock at each allocation. */
	(void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	(void)sqlite3_config(SQLITE_CONFIG_SINGLETHREAD);
	(void)sqlite3_config(SQLITE_CONFIG_STMTJRNL_SPILL, STATEMENT_BYTES);
	if (sqlite3_open_v2(path, &st->db, SQLITE_OPEN_READWRITE |
	    SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
		return st->db == NULL ?
		    err_set(e, RC_NOMEM, _("store: out of memory")) :
		    err_set(e, RC_CONF, _("cannot open the store %s: %s"),
		    path, sqlite3_errmsg(st->db));
	(void)sqlite3_extended_result_codes(st->db, 1);
	(void)sqlite3_busy_timeout(st->db, BUSY_MS);
	(void)sqlite3_db_config(st->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	for (size_t i = 0; pragmas[i] != NULL; i++)
		if ((rc = db_exec(st, pragmas[i], e)) != RC_OK)
			return rc;
	/* It makes no folder for what does not fit. */
	if (st->mode == STORE_READ && (rc = db_exec(st,
	    "PRAGMA temp_store=MEMORY", e)) != RC_OK)
		return rc;
	return schema_ready(st, e);
}

/* Making the file and turning it to WAL are steps at which SQLite says BUSY
 * without waiting, when several begin at once. */
static enum rc
db_open_patiently(struct store *st, const char *dir, struct err *e)
{
	int64_t until = clock_ms() + BUSY_MS;
	enum rc rc;

	while ((rc = db_open(st, dir, e)) == RC_TEMP && st->db != NULL &&
	    (sqlite3_errcode(st->db) & 0xff) == SQLITE_BUSY &&
	    clock_ms() < until) {
		db_shut(st);
		(void)poll(NULL, 0, 20);
	}
	return rc;
}

enum rc
store_open(const char *dir, enum store_mode mode, struct store **out,
    struct err *e)
{
	struct store *st;
	char temp[1024];
	enum rc rc;

	*out = NULL;
	if ((size_t)snprintf(temp, sizeof(temp), "%s/temp", dir) >=
	    sizeof(temp))
		return name_too_long(e);
	if ((st = calloc(1, sizeof(*st))) == NULL)
		return err_set(e, RC_NOMEM, _("store: out of memory"));
	st->mode = mode == STORE_READ ? STORE_READ : STORE_WRITE;
	st->lock_fd = -1;
	st->pass_fd = -1;
	/* Read once, when SQLite starts. */
	(void)setenv("SQLITE_TMPDIR", temp, 1);
	rc = mode == STORE_READ ? RC_OK : file_mkdirs(temp, 0700, e);
	if (rc == RC_OK && mode != STORE_READ)
		rc = slot_take(st, dir, e);
	if (rc == RC_OK)
		rc = db_open_patiently(st, dir, e);
	if (rc == RC_OK)
		pass_open(st, dir);
	if (rc == RC_OK && mode != STORE_READ)
		rc = mode == STORE_MEND ? commits_look(st, e) :
		    commits_check(st, e);
	if (rc == RC_OK && mode != STORE_READ)
		rc = sweep(st, true, e);
	if (rc != RC_OK)
		store_close(&st);
	*out = st;
	return rc;
}

void
store_close(struct store **stp)
{
	struct store *st = *stp;

	*stp = NULL;
	if (st == NULL)
		return;
	db_shut(st);
	pass_close(st);
	slot_drop(st);
	free(st);
}
