/*
 * A damaged store is read table by table, from its start and from its end,
 * into a new one: what lies between the first page that cannot be read and
 * the last is lost.  The damaged file keeps its place until the new one is
 * whole and on the disk.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "store/db.h"

#define QUOTE_(x) #x
#define QUOTE(x) QUOTE_(x)
#define BODY_PARTS QUOTE(STORE_PARTS_MAX)
#define PARTS_OF_BODY "FROM body_part WHERE id >= body.id * " BODY_PARTS \
	" AND id < (body.id + 1) * " BODY_PARTS

struct mend {
	struct store		*st;	/* the new one */
	struct store		 old;	/* the damaged one: its ${db} alone */
	const char		*dir;
	char			 path[1024];		/* the damaged file */
	char			 sub[1024];		/* folder of the new */
	struct store_mended	*out;
	bool			 whole;		/* each table, to its end */
};

/* What the rows of a table follow each other by; its key, or its number. */
static const struct {
	const char	*name;
	const char	*order;
} tables[] = {
	{ "peer", "rowid" }, { "body", "rowid" }, { "body_part", "rowid" },
	{ "incoming", "rowid" }, { "account", "rowid" },
	{ "journal", "rowid" },
	{ "original", "t, peer" }, { "kept", "rowid" },
	{ "inbox", "rowid" }, { "patient", "name, birth" },
	{ "watch", "rowid" },
	{ "outbox", "rowid" }, { "row", "rowid" }, { "ack", "rowid" },
	{ "damage_said", "rowid" },
	{ "submission", "rowid" }, { "queue", "rowid" },
	{ "queue_route", "queue, name" }, { "relay", "rowid" },
	{ "hub", "t, name" }, { "hub_day", "rowid" },
	{ "follow", "queue, name" },
	{ "heard", "rowid" }, { "alarm", "rowid" }, { "down", "rowid" },
	{ "own_key", "rowid" }, { "digest", "rowid" },
	{ "event", "rowid" }, { "clock", "rowid" }, { "erased", "rowid" },
	{ "register", "rowid" }, { "witness", "rowid" },
	{ "bar", "rowid" }, { "desk", "rowid" }, { "bulletin", "rowid" },
	{ "commits", "rowid" }
};
/* The same, down from the end. */
static const struct {
	const char	*up;
	const char	*down;
} orders[] = {
	{ "rowid", "rowid DESC" }, { "t, peer", "t DESC, peer DESC" },
	{ "queue, name", "queue DESC, name DESC" },
	{ "t, name", "t DESC, name DESC" },
	{ "name, birth", "name DESC, birth DESC" }
};

static const char *
down_from(const char *order)
{
	for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++)
		if (strcmp(orders[i].up, order) == 0)
			return orders[i].down;
	return order;
}

/* A row that breaks a rule of the schema came out of a damaged page. */
static enum rc
row_copy(struct mend *m, sqlite3_stmt *from, sqlite3_stmt *to, struct err *e)
{
	enum rc rc = RC_OK;
	int code = SQLITE_OK;
	size_t changed;

	for (int i = 0; code == SQLITE_OK && i < sqlite3_column_count(from);
	    i++)
		code = sqlite3_bind_value(to, i + 1,
		    sqlite3_column_value(from, i));
	if (code == SQLITE_OK)
		code = sqlite3_step(to);
	/* One that breaks a rule is left out without a word; and one that was
	 * read upwards too, when it is known already that not all is whole. */
	if (code == SQLITE_DONE && (changed = db_changed(m->st)) > 0)
		m->out->rows += changed;
	else if (code == SQLITE_DONE || (code & 0xff) == SQLITE_CONSTRAINT)
		m->whole = false;
	else
		rc = db_err(m->st, e, "mend");
	db_stop(to);
	return rc;
}

static enum rc
statements(struct mend *m, const char *name, const char *order,
    sqlite3_stmt **from, sqlite3_stmt **to, struct err *e)
{
	char sql[512];
	int n;

	(void)snprintf(sql, sizeof(sql), "SELECT * FROM %s NOT INDEXED "
	    "ORDER BY %s", name, order);
	if (sqlite3_prepare_v2(m->old.db, sql, -1, from, NULL) != SQLITE_OK)
		return db_err(&m->old, e, "mend");
	n = snprintf(sql, sizeof(sql), "INSERT OR IGNORE INTO %s "
	    "VALUES (?", name);
	for (int i = 1; i < sqlite3_column_count(*from); i++)
		n += snprintf(sql + n, sizeof(sql) - (size_t)n, ",?");
	(void)snprintf(sql + n, sizeof(sql) - (size_t)n, ")");
	if (sqlite3_prepare_v2(m->st->db, sql, -1, to, NULL) != SQLITE_OK)
		return db_err(m->st, e, "mend");
	return RC_OK;
}

/* ${whole}: read to its end. */
static enum rc
table_copy(struct mend *m, const char *name, const char *order, bool *whole,
    struct err *e)
{
	sqlite3_stmt *from = NULL, *to = NULL;
	enum rc rc = statements(m, name, order, &from, &to, e);
	int code = SQLITE_ROW;

	*whole = false;
	while (rc == RC_OK && (code = sqlite3_step(from)) == SQLITE_ROW)
		rc = row_copy(m, from, to, e);
	*whole = rc == RC_OK && code == SQLITE_DONE;
	if (rc == RC_OK && !*whole && (code & 0xff) != SQLITE_CORRUPT)
		rc = db_err(&m->old, e, "mend");
	(void)sqlite3_finalize(from);
	(void)sqlite3_finalize(to);
	return rc;
}

static enum rc
tables_copy(struct mend *m, struct err *e)
{
	int64_t n = 0;
	enum rc rc = DB_INT(m->st, e, &n, "SELECT count(*) FROM sqlite_schema "
	    "WHERE type = 'table' AND name NOT LIKE 'sqlite_%'");
	bool whole;

	BUG_ON(rc == RC_OK && n != sizeof(tables) / sizeof(tables[0]));
	for (size_t i = 0; rc == RC_OK &&
	    i < sizeof(tables) / sizeof(tables[0]); i++) {
		rc = table_copy(m, tables[i].name, tables[i].order, &whole, e);
		if (rc != RC_OK || whole)
			continue;
		m->whole = false;
		rc = table_copy(m, tables[i].name, down_from(tables[i].order),
		    &whole, e);
	}
	return rc;
}

/* What was to be sent and has lost its octets is named in the log. */
static enum rc
lost_tell(struct mend *m, int64_t now, struct err *e)
{
	enum rc rc;

	if ((rc = DB_DO(m->st, e, "INSERT INTO event (at, name, text) "
	    "SELECT ?1, 'store.lost', CAST('id=' || id || ' to=' || "
	    "CAST(identity AS TEXT) || ' queued=' || "
	    "strftime('%Y-%m-%dT%H:%M:%SZ', queued_at, 'unixepoch') AS BLOB) "
	    "FROM queue "
	    "WHERE state <> 4 AND body NOT IN (SELECT id FROM body)",
	    V_I(now))) != RC_OK)
		return rc;
	m->out->lost = db_changed(m->st);
	return DB_DO(m->st, e, "DELETE FROM queue WHERE state <> 4 "
	    "AND body NOT IN (SELECT id FROM body)");
}

/* Every reference means something again. */
static enum rc
refer(struct mend *m, int64_t now, struct err *e)
{
	static const char *const before = "DELETE FROM body WHERE "
	    "parts <> (SELECT count(*) " PARTS_OF_BODY ") OR size <> "
	    "(SELECT ifnull(sum(length(data)), 0) " PARTS_OF_BODY ")";
	static const char *const after =
	    "UPDATE queue SET body = NULL WHERE state = 4 "
	    "AND body NOT IN (SELECT id FROM body);"
	    "DELETE FROM queue_route WHERE queue NOT IN "
	    "(SELECT id FROM queue);"
	    "DELETE FROM follow WHERE queue NOT IN (SELECT id FROM queue);"
	    "DELETE FROM incoming WHERE body NOT IN (SELECT id FROM body);"
	    "DELETE FROM kept WHERE body NOT IN (SELECT id FROM body) "
	    "OR (body IS NULL AND t NOT IN (SELECT t FROM incoming "
	    "WHERE filing > 0));"
	    "DELETE FROM journal WHERE peer NOT IN (SELECT id FROM peer);"
	    "DELETE FROM original WHERE peer NOT IN (SELECT id FROM peer);"
	    "DELETE FROM body_part WHERE id / " BODY_PARTS " NOT IN "
	    "(SELECT id FROM body);"
	    "UPDATE body SET owner = 0 WHERE id NOT IN (SELECT body "
	    "FROM queue WHERE body IS NOT NULL UNION SELECT body "
	    "FROM incoming WHERE body IS NOT NULL UNION SELECT body "
	    "FROM kept WHERE body IS NOT NULL)";
	enum rc rc;

	if ((rc = db_exec(m->st, before, e)) != RC_OK ||
	    (rc = lost_tell(m, now, e)) != RC_OK)
		return rc;
	return db_exec(m->st, after, e);
}

/* What the log had lost is lost too. */
static enum rc
commits_take(struct mend *m, struct err *e)
{
	int64_t known = commits_known(m->dir), n;
	enum rc rc = DB_INT(m->st, e, &n, "SELECT n FROM commits "
	    "WHERE id = 1");

	m->whole = m->whole && known <= n;
	return rc == RC_OK ? commits_put(m->st, known, e) : rc;
}

static enum rc
fill(struct mend *m, int64_t now, struct err *e)
{
	enum rc rc;

	/* Rows come in the order of the tables, not of what they mean. */
	if ((rc = db_exec(m->st, "PRAGMA foreign_keys=OFF", e)) != RC_OK ||
	    (rc = tx_begin(m->st, e)) != RC_OK)
		return rc;
	m->whole = true;
	if ((rc = triggers_drop(m->st, e)) == RC_OK &&
	    (rc = tables_copy(m, e)) == RC_OK &&
	    (rc = commits_take(m, e)) == RC_OK &&
	    (rc = refer(m, now, e)) == RC_OK)
		rc = triggers_make(m->st, e);
	rc = TX_END(m->st, rc, "mend", e);
	m->out->hurt = !m->whole;
	return rc;
}

/* The schema is the first that must be readable. */
static enum rc
old_open(struct mend *m, struct err *e)
{
	enum rc rc;

	if (sqlite3_open_v2(m->path, &m->old.db, SQLITE_OPEN_READWRITE,
	    NULL) != SQLITE_OK && m->old.db == NULL)
		return err_set(e, RC_NOMEM, _("store: out of memory"));
	if ((rc = db_exec(&m->old, "PRAGMA cell_size_check=ON;"
	    "SELECT count(*) FROM sqlite_schema", e)) == RC_CONF)
		return err_set(e, RC_CONF, _("nothing of %s can be read; it "
		    "was left as it is: move it away, put back a backup if "
		    "there is one, and run this again"), m->path);
	return rc;
}

/* What an earlier try left, and what this one leaves. */
static void
sub_remove(struct mend *m)
{
	static const char *const names[] = { "sceau.db", "sceau.db-wal",
	    "sceau.db-shm", "store.lock", "passes", "temp" };
	char path[1100];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", m->sub, names[i]);
		(void)remove(path);
	}
	(void)rmdir(m->sub);
}

/* Nothing of the damaged file's journal may be taken for the new one's; and
 * what stands in the new one's is folded into the file that takes the place:
 * where that failed as the file was closed, nobody was told. */
static enum rc
journal_end(const char *db, struct err *e)
{
	struct store bare = { .db = NULL };
	char path[1200];
	enum rc rc;

	if (sqlite3_open_v2(db, &bare.db, SQLITE_OPEN_READWRITE, NULL) ==
	    SQLITE_OK)
		rc = db_exec(&bare, "PRAGMA wal_checkpoint(TRUNCATE)", e);
	else
		rc = err_set(e, RC_NOMEM, _("store: out of memory"));
	/* For the pragma somebody who reads is no error; this one needs to
	 * have read that there is a log. */
	if (rc == RC_OK && sqlite3_wal_checkpoint_v2(bare.db, NULL,
	    SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL) != SQLITE_OK)
		rc = db_err(&bare, e, "checkpoint");
	(void)sqlite3_close(bare.db);
	if (rc != RC_OK)
		return rc;
	(void)snprintf(path, sizeof(path), "%s-wal", db);
	if (unlink(path) != 0 && errno != ENOENT)
		return err_sys(e, _("cannot remove %s"), path);
	(void)snprintf(path, sizeof(path), "%s-shm", db);
	if (unlink(path) != 0 && errno != ENOENT)
		return err_sys(e, _("cannot remove %s"), path);
	return RC_OK;
}

static enum rc
exchange(struct mend *m, int64_t now, struct err *e)
{
	char fresh[1100];
	enum rc rc;

	(void)snprintf(fresh, sizeof(fresh), "%s/sceau.db", m->sub);
	if ((rc = journal_end(m->path, e)) != RC_OK ||
	    (rc = journal_end(fresh, e)) != RC_OK)
		return rc;
	(void)snprintf(m->out->aside, sizeof(m->out->aside), "%s.damaged-%lld",
	    m->path, (long long)now);
	FAULT("store.exchange.before");
	if (link(m->path, m->out->aside) != 0 && errno != EEXIST)
		return err_sys(e, _("cannot keep %s aside"), m->path);
	if (!dir_sync(m->dir) || rename(fresh, m->path) != 0 ||
	    !dir_sync(m->dir))
		return err_sys(e, _("cannot replace %s"), m->path);
	FAULT("store.exchange.after");
	return RC_OK;
}

static enum rc
salvage(struct mend *m, int64_t now, struct err *e)
{
	enum rc rc;

	sub_remove(m);
	if ((rc = old_open(m, e)) == RC_OK &&
	    (rc = store_open(m->sub, STORE_WRITE, &m->st, e)) == RC_OK)
		rc = fill(m, now, e);
	(void)sqlite3_close(m->old.db);
	store_close(&m->st);
	return rc;
}

/* ${why}: what is wrong; empty: nothing is. */
static enum rc
examine(struct store *st, char why[200], struct err *e)
{
	sqlite3_stmt *s;
	bool got = false;
	enum rc rc;
	int code;

	why[0] = '\0';
	if ((rc = db_ask(st, &s, "PRAGMA integrity_check(1)", db_none, e)) ==
	    RC_OK && (rc = db_next(st, s, &got, e)) == RC_OK && got) {
		db_text(s, 0, why, 200);
		db_stop(s);
	}
	code = sqlite3_errcode(st->db) & 0xff;
	if (rc != RC_OK && (code == SQLITE_CORRUPT || code == SQLITE_NOTADB)) {
		(void)snprintf(why, 200, "%s", sqlite3_errmsg(st->db));
		return RC_OK;
	}
	if (strcmp(why, "ok") == 0)
		why[0] = '\0';
	if (rc != RC_OK || why[0] != '\0')
		return rc;
	if ((rc = db_ask(st, &s, "PRAGMA foreign_key_check", db_none, e)) !=
	    RC_OK || (rc = db_next(st, s, &got, e)) != RC_OK)
		return rc;
	db_stop(s);
	if (got)
		(void)snprintf(why, 200, "%s", _("a row without its body"));
	return RC_OK;
}

enum rc
store_check(struct store *st, struct err *e)
{
	char why[200];
	enum rc rc = examine(st, why, e);

	if (rc == RC_OK && why[0] != '\0')
		rc = db_damaged(e, why);
	return rc == RC_OK ? commits_check(st, e) : rc;
}

/* The file as it is, without a schema made or a lock taken. */
static enum rc
look(const char *path, char why[200], struct err *e)
{
	struct store *bare = calloc(1, sizeof(*bare));
	enum rc rc;

	if (bare == NULL)
		return err_set(e, RC_NOMEM, _("store: out of memory"));
	if (sqlite3_open_v2(path, &bare->db, SQLITE_OPEN_READWRITE, NULL) ==
	    SQLITE_OK)
		rc = examine(bare, why, e);
	else
		rc = bare->db == NULL ?
		    err_set(e, RC_NOMEM, _("store: out of memory")) :
		    db_err(bare, e, "open");
	db_shut(bare);
	free(bare);
	return rc;
}

static enum rc
mend_of(const char *dir, struct store_mended *out, struct mend *m,
    struct err *e)
{
	memset(m, 0, sizeof(*m));
	m->dir = dir;
	m->out = out;
	if ((size_t)snprintf(m->path, sizeof(m->path), "%s/sceau.db", dir) >=
	    sizeof(m->path) || (size_t)snprintf(m->sub, sizeof(m->sub),
	    "%s/mend", dir) >= sizeof(m->sub))
		return err_set(e, RC_CONF, _("the name of the store's folder "
		    "is too long"));
	return RC_OK;
}

enum rc
store_mend_begin(const char *dir, bool dry_run, int64_t now,
    struct store_mended *out, struct err *e)
{
	struct store lock = { .lock_fd = -1 };
	struct mend m;
	char why[200];
	enum rc rc;

	memset(out, 0, sizeof(*out));
	out->lock_fd = -1;
	if ((rc = mend_of(dir, out, &m, e)) != RC_OK ||
	    access(m.path, F_OK) != 0 ||
	    (rc = look(m.path, why, e)) != RC_OK)
		return rc;
	if (why[0] == '\0') {
		if (!dry_run)
			sub_remove(&m);
		return RC_OK;
	}
	out->damaged = true;
	memcpy(out->fresh, m.sub, sizeof(m.sub));
	if (dry_run || (rc = slot_take_all(&lock, dir, e)) != RC_OK)
		goto out;
	rc = salvage(&m, now, e);
	if (rc != RC_OK)
		sub_remove(&m);
out:
	out->lock_fd = lock.lock_fd;
	return rc;
}

enum rc
store_mend_end(const char *dir, int64_t now, struct store_mended *out,
    enum rc rc, struct err *e)
{
	struct store lock = { .lock_fd = out->lock_fd };
	struct mend m;

	if (out->lock_fd < 0)
		return rc;
	if (rc == RC_OK && (rc = mend_of(dir, out, &m, e)) == RC_OK)
		rc = exchange(&m, now, e);
	if (rc == RC_OK)
		sub_remove(&m);
	slot_drop(&lock);
	out->lock_fd = -1;
	return rc;
}
