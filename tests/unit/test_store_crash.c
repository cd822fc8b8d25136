/*
 * Killed at every point, cut at every write and sync, with another process in
 * between: what was promised is there, and nothing is there twice.
 */
#include "config.h"

#include <sys/mman.h>

#include "store_unit.h"

#define MAILS 4
#define T_ACKED 500

/*
 * What the process says it was told, in memory that outlives it. Each is set
 * only after the call that promised it has returned.
 */
struct told {
	bool	put, intent, delivered[MAILS], held, released;
	bool	submitted, sent, relayed, all;
	char	error[300];
};

/* A pass: fetch, intend, deliver, hold, release; submit, relay, hear. Each
 * step looks at what is there first, as a pass after a crash does. */
static enum rc
pass_put(struct store *st, struct told *told, struct err *e)
{
	static uint8_t part[100000];
	struct store_in_put m[MAILS];
	enum rc rc;

	memset(m, 0, sizeof(m));
	for (uint32_t i = 0; i < MAILS; i++) {
		m[i].uid = make_uid(1, i + 1);
		m[i].body.p = part;
		m[i].body.len = 700;
	}
	/* the last one is large, in parts */
	if ((rc = store_body_begin(st, &m[MAILS - 1].body.id, e)) != RC_OK)
		return rc;
	for (int i = 0; i < 6; i++)
		if ((rc = store_body_append(st, m[MAILS - 1].body.id, part,
		    sizeof(part), e)) != RC_OK)
			return rc;
	if ((rc = store_in_put(st, "a", NOW, m, MAILS, e)) == RC_OK)
		told->put = true;
	return rc;
}

static enum rc
pass_deliver(struct store *st, struct told *told, struct err *e)
{
	struct store_in in[MAILS];
	struct store_msg msg;
	struct store_done d;
	struct store_ack_in ack;
	const char *names = "Maildir/new/x";
	size_t n, i;
	uint64_t t;
	enum rc rc;

	if ((rc = store_in_next(st, 0, in, MAILS, &n, e)) != RC_OK)
		return rc;
	for (i = 0; i < n; i++) {
		t = get_be32(in[i].uid.p + 4);
		if (t == 2)
			continue;
		msg = make_msg(in[i].id, t);
		if ((rc = store_in_intent(st, &msg, &names, 1, e)) != RC_OK)
			return rc;
		told->intent = true;
		d = make_done(in[i].id, t);
		memset(&ack, 0, sizeof(ack));
		make_t(ack.t, T_ACKED);
		make_d(ack.d, T_ACKED);
		ack.state = 2;
		ack.peer = DR;
		d.acks = &ack;
		d.nacks = t == 3;
		if ((rc = store_in_delivered(st, &d, 1, NOW, e)) != RC_OK)
			return rc;
		told->delivered[t - 1] = true;
	}
	return RC_OK;
}

static enum rc
pass_hold(struct store *st, struct told *told, struct err *e)
{
	struct store_in in[MAILS];
	struct store_hold h;
	size_t n;
	enum rc rc;

	if ((rc = store_in_next(st, 0, in, MAILS, &n, e)) != RC_OK)
		return rc;
	for (size_t i = 0; i < n; i++) {
		h = make_hold(in[i].id, EC_BODY);
		h.t_state = STORE_T_DAMAGED;
		h.ack_state = STORE_ACK_DAMAGED;
		make_t(h.t, 2);
		if ((rc = store_in_hold(st, &h, 1, NOW, e)) != RC_OK)
			return rc;
		told->held = true;
	}
	return RC_OK;
}

static enum rc
pass_release(struct store *st, struct told *told, struct err *e)
{
	struct store_in in[MAILS];
	int64_t ids[MAILS];
	size_t n;
	enum rc rc;

	if ((rc = store_release_due(st, "a", NOW, 0, in, MAILS, &n, e)) !=
	    RC_OK || n == 0)
		return rc;
	for (size_t i = 0; i < n; i++)
		ids[i] = in[i].id;
	if ((rc = store_released(st, ids, n, e)) == RC_OK)
		told->released = true;
	return rc;
}

static enum rc
pass_send(struct store *st, struct told *told, struct err *e)
{
	struct store_out_put m[2] = { make_out(T_ACKED, DR),
		make_out(T_ACKED + 1, EVE) };
	struct store_out out[2], there;
	struct store_out_end end[2];
	int64_t submission;
	size_t n;
	enum rc rc;

	if ((rc = store_out_find(st, m[0].t, &there, e)) != RC_OK)
		return rc;
	if (there.id == 0 && (rc = store_out_submit(st, NOW, NULL, m, 2,
	    &submission, e)) != RC_OK)
		return rc;
	told->submitted = true;
	if ((rc = store_out_claim(st, "r", NOW, NOW + 900, out, 2, &n, e)) !=
	    RC_OK || n == 0)
		return rc;
	memset(end, 0, sizeof(end));
	for (size_t i = 0; i < n; i++)
		end[i].id = out[i].id;
	if ((rc = store_out_sent(st, end, n, NOW, e)) == RC_OK)
		told->sent = true;
	return rc;
}

static enum rc
pass(const char *dir, struct told *told)
{
	struct err e = ERR_INIT;
	struct store *st;
	bool more;
	const struct store_keep keep = { 1, 99999999, 99999999, 10 };
	enum rc rc;

	if ((rc = store_open(dir, STORE_WRITE, &st, &e)) != RC_OK)
		goto out;
	if ((rc = pass_send(st, told, &e)) != RC_OK ||
	    (rc = pass_put(st, told, &e)) != RC_OK ||
	    (rc = pass_deliver(st, told, &e)) != RC_OK ||
	    (rc = pass_hold(st, told, &e)) != RC_OK ||
	    (rc = pass_release(st, told, &e)) != RC_OK ||
	    (rc = store_event_add(st, 1, "x", "y", &e)) != RC_OK ||
	    (rc = store_expire(st, NOW, &keep, &more, &e)) != RC_OK)
		goto out;
	told->all = true;
out:
	strcpy(told->error, e.text);
	store_close(&st);
	return rc;
}

static void
check_t(struct world *w, uint64_t n, enum store_t_state state)
{
	struct store_t t;
	uint8_t key[32];

	make_t(key, n);
	OK(w, store_t_find(w->st, key, &t, &w->e));
	assert_int_equal(t.state, state);
}

/* Nothing that was told is missing. */
static void
check_told(struct world *w, const struct told *told)
{
	struct store_counts c;
	struct store_out out;
	uint8_t t[32];

	OK(w, store_check(w->st, &w->e));
	if (told->put)
		assert_int_equal(sql_number(w, "SELECT count(*) "
		    "FROM incoming WHERE account = 'a'"), MAILS);
	for (uint64_t i = 0; i < MAILS; i++)
		if (told->delivered[i])
			check_t(w, i + 1, STORE_T_DONE);
	if (told->held)
		check_t(w, 2, STORE_T_DAMAGED);
	OK(w, store_counts(w->st, NOW, &c, &w->e));
	if (told->released)
		assert_int_equal(c.to_release, 0);
	if (told->submitted) {
		make_t(t, T_ACKED + 1);
		OK(w, store_out_find(w->st, t, &out, &w->e));
		assert_true(out.id != 0 && out.body != 0);
		if (told->sent)
			assert_int_equal(out.state, STORE_SENT);
	}
	/* no row without its body, no body without its row */
	assert_int_equal(sql_number(w, "SELECT count(*) FROM body b "
	    "WHERE owner IS NULL AND NOT EXISTS (SELECT 1 FROM incoming i "
	    "WHERE i.body = b.id) AND NOT EXISTS (SELECT 1 FROM queue q "
	    "WHERE q.body = b.id)"), 0);
	assert_int_equal(sql_number(w, "SELECT count(*) FROM body b "
	    "WHERE owner IS NULL AND parts <> (SELECT count(*) "
	    "FROM body_part p WHERE p.id / 65536 = b.id)"), 0);
	assert_int_equal(sql_number(w, "SELECT count(*) FROM body_part p "
	    "WHERE NOT EXISTS (SELECT 1 FROM body b "
	    "WHERE b.id = p.id / 65536)"), 0);
}

/* A pass that nothing disturbs ends in this, whatever came before. */
static void
check_end(struct world *w)
{
	struct store_ack acks[8];
	struct store_out out;
	uint8_t t[32];
	size_t n;

	for (uint64_t i = 1; i <= MAILS; i++)
		check_t(w, i, i == 2 ? STORE_T_DAMAGED : STORE_T_DONE);
	OK(w, store_ack_list(w->st, LABO, acks, 8, &n, &w->e));
	assert_int_equal(n, MAILS);	/* one each, 0x11 too */
	make_t(t, T_ACKED);
	OK(w, store_out_find(w->st, t, &out, &w->e));
	assert_int_equal(out.ack_state, 2);
	assert_int_equal(out.body, 0);
	/* what is left: the mail not acknowledged, and what is held */
	assert_int_equal(sql_number(w, "SELECT count(*) FROM body"), 2);
	assert_int_equal(sql_number(w, "SELECT count(*) FROM queue"), 2);
	assert_int_equal(sql_number(w, "SELECT count(*) FROM incoming "
	    "WHERE gone = 1 AND state = 3"), MAILS - 1);
}

/* `make check` takes samples; SCEAU_LONG=1 takes every point. */
static int
stride(int sample)
{
	return getenv("SCEAU_LONG") != NULL ? 1 : sample;
}

static struct told *
told_new(void)
{
	struct told *t = mmap(NULL, sizeof(*t), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	assert_true(t != MAP_FAILED);
	return t;
}

static void
fresh(struct world *w, struct told *told)
{
	world_close(w);
	dir_remove(w->dir);
	assert_int_equal(mkdir(w->dir, 0700), 0);
	memset(told, 0, sizeof(*told));
}

/* --- Killed ------------------------------------------------------------ */

#ifdef ENABLE_FAULT
/* True when the ${nth} passage of any point was reached, and was the end. */
static bool
killed(struct world *w, struct told *told, int nth)
{
	char spec[64];
	int status;
	pid_t pid;

	(void)snprintf(spec, sizeof(spec), "store.*#%d:kill", nth);
	if ((pid = fork()) == 0) {
		(void)setenv("SCEAU_FAULT", spec, 1);
		_exit((int)pass(w->dir, told));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) != 0)
		fail_msg("%s: %s", spec, told->error);
	return WIFSIGNALED(status);
}

static void
test_killed_at_every_point(void **state)
{
	struct world *w = *state;
	struct told *told = told_new(), *after = told_new();
	int nth = 1 - stride(3);
	bool cut;

	do {
		fresh(w, told);
		nth += stride(3);
		cut = killed(w, told, nth);
		assert_true(cut != told->all);
		world_reopen(w);
		check_told(w, told);
		world_close(w);
		memset(after, 0, sizeof(*after));
		T_RC(pass(w->dir, after), RC_OK);
		world_reopen(w);
		check_told(w, told);
		check_end(w);
	} while (cut);
	assert_true(nth > 40);
}
#endif

/* --- Cut at the n-th write or sync, by a VFS that fails from there on ---- */

static struct {
	sqlite3_vfs	*real;
	sqlite3_vfs	 vfs;
	sqlite3_io_methods	 io;
	long		 left;		/* operations until it fails; -1: never */
	bool		 once;		/* fails one, or all from there on */
	int		 code;
} bad;

struct bad_file {
	sqlite3_file	 base;
	sqlite3_file	*real;
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
	int code = bad_now();

	return code != SQLITE_OK ? SQLITE_IOERR_FSYNC :
	    REAL(f)->pMethods->xSync(REAL(f), flags);
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

/* --- Two at once ------------------------------------------------------- */

static int
worker(const char *dir, uint32_t who)
{
	struct err e = ERR_INIT;
	struct store *st;
	struct store_in_put m = { make_uid(1, 0), { 0, "sealed", 6 }, 0 };
	struct store_in in[100];
	struct store_done d;
	int64_t submission;
	size_t n = 1;
	enum rc rc;

	if ((rc = store_open(dir, STORE_WRITE, &st, &e)) != RC_OK)
		goto out;
	for (uint32_t i = 0; rc == RC_OK && i < 100; i++) {
		struct store_out_put q = make_out(100000 * who + i, DR);

		m.uid = make_uid(who, i);
		rc = store_in_put(st, "a", NOW, &m, 1, &e);
		if (rc == RC_OK && i % 10 == 0)
			rc = store_out_submit(st, NOW, NULL, &q, 1,
			    &submission, &e);
	}
	while (rc == RC_OK && n != 0) {
		if ((rc = store_in_next(st, 0, in, 7, &n, &e)) != RC_OK)
			break;
		for (size_t i = 0; rc == RC_OK && i < n; i++) {
			d = make_done(in[i].id, (uint64_t)in[i].id);
			rc = store_in_delivered(st, &d, 1, NOW, &e);
			if (d.msg.result != STORE_OK)
				rc = err_set(&e, RC_CONF, "stolen");
		}
	}
out:
	if (rc != RC_OK)
		fprintf(stderr, "%s\n", e.text);
	store_close(&st);
	return (int)rc;
}

static void
test_two_processes_share_the_work(void **state)
{
	struct world *w = *state;
	pid_t pid[3];
	int status;

	world_close(w);
	for (uint32_t i = 0; i < 3; i++)
		if ((pid[i] = fork()) == 0)
			_exit(worker(w->dir, i + 1));
	for (int i = 0; i < 3; i++) {
		assert_int_equal(waitpid(pid[i], &status, 0), pid[i]);
		assert_int_equal(status, 0);
	}
	world_reopen(w);
	assert_int_equal(sql_number(w, "SELECT count(*) FROM incoming "
	    "WHERE state = 3"), 300);
	assert_int_equal(sql_number(w, "SELECT count(*) FROM journal "
	    "WHERE state = 2"), 300);
	assert_int_equal(sql_number(w, "SELECT count(*) FROM queue"), 30);
	OK(w, store_check(w->st, &w->e));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#ifdef ENABLE_FAULT
		WORLD_TEST(test_killed_at_every_point),
#endif
		WORLD_TEST(test_disk_full_from_any_operation_on),
		WORLD_TEST(test_one_operation_fails),
		WORLD_TEST(test_two_processes_share_the_work),
	};

	bad_install();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
