/* A store in a folder of its own, and messages that differ by a number. */
#ifndef SC_TESTS_STORE_UNIT_H
#define SC_TESTS_STORE_UNIT_H

#include "config.h"

#include <dirent.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit.h"

#include "store/store_hub.h"

#define NOW INT64_C(1800000000)
#define LABO "demo/labo.central@labo.example#1"
#define DR "demo/dr.martin@cabinet.example#1"
#define DR2 "demo/dr.martin@cabinet.example#2"
#define EVE "demo/eve@autre.example#1"
#define HUB "demo/hub@association.example#1"

struct world {
	char		 dir[64];
	struct store	*st;
	struct err	 e;
};

/* Every result says why, when it is not the one wanted. */
#define OK(w, call) do { \
	(w)->e = (struct err)ERR_INIT; \
	if ((call) != RC_OK) \
		fail_msg("%s: %s", #call, (w)->e.text); \
} while (0)

static inline void
world_close(struct world *w)
{
	store_close(&w->st);
}

static inline void
world_reopen(struct world *w)
{
	store_close(&w->st);
	OK(w, store_open(w->dir, STORE_WRITE, &w->st, &w->e));
}

static inline int
world_setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	/* in memory where that exists: a sync costs nothing there */
	strcpy(w->dir, access("/dev/shm", W_OK) == 0 ?
	    "/dev/shm/sceau-store-XXXXXX" : "/tmp/sceau-store-XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	OK(w, store_open(w->dir, STORE_WRITE, &w->st, &w->e));
	*state = w;
	return 0;
}

static inline void
dir_remove(const char *dir)
{
	char path[512];
	struct dirent *d;
	DIR *dp = opendir(dir);

	while (dp != NULL && (d = readdir(dp)) != NULL) {
		if (d->d_name[0] == '.')
			continue;
		(void)snprintf(path, sizeof(path), "%s/%s", dir, d->d_name);
		(void)remove(path);
	}
	if (dp != NULL)
		(void)closedir(dp);
	(void)rmdir(dir);
}

static inline int
world_teardown(void **state)
{
	struct world *w = *state;

	store_close(&w->st);
	dir_remove(w->dir);
	free(w);
	return 0;
}

#define WORLD_TEST(f) \
	cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)

/* T, D and ids made of a number. */
static inline void
make_t(uint8_t t[STORE_T_BYTES], uint64_t n)
{
	memset(t, 0x54, STORE_T_BYTES);
	/* spread like a hash, so that the index is met at random */
	put_be64(t, n * UINT64_C(0x9e3779b97f4a7c15));
	put_be64(t + 8, n);
}

static inline void
make_d(uint8_t d[STORE_D_BYTES], uint64_t n)
{
	memset(d, 0xd0, STORE_D_BYTES);
	put_be64(d, n);
}

static inline struct store_uid
make_uid(uint32_t validity, uint32_t n)
{
	struct store_uid u;

	memset(&u, 0, sizeof(u));
	put_be32(u.p, validity);
	put_be32(u.p + 4, n);
	u.len = 8;
	return u;
}

static inline int64_t
put_one_of(struct world *w, const char *account, uint32_t n)
{
	uint8_t bytes[600];
	struct store_in_put m = { make_uid(1, n), { 0, bytes, sizeof(bytes) },
	    0 };

	memset(bytes, (int)n, sizeof(bytes));
	OK(w, store_in_put(w->st, account, NOW, &m, 1, &w->e));
	assert_true(m.id > 0);
	return m.id;
}

static inline struct store_msg
make_msg(int64_t id, uint64_t n)
{
	struct store_msg m;

	memset(&m, 0, sizeof(m));
	m.id = id;
	make_t(m.t, n);
	m.sender = LABO;
	m.year = 2026;
	m.forget_at = NOW + 1000000;
	return m;
}

static inline struct store_done
make_done(int64_t id, uint64_t n)
{
	struct store_done d;

	memset(&d, 0, sizeof(d));
	d.msg = make_msg(id, n);
	d.ack_state = STORE_ACK_RECEIVED;
	make_d(d.d, n);
	d.ack_at = NOW;
	d.ack_due_at = NOW + 60;
	d.action = STORE_ACTION_RELEASE;
	return d;
}

static inline enum store_result
intend(struct world *w, int64_t id, uint64_t n, const char *names)
{
	struct store_msg m = make_msg(id, n);

	OK(w, store_in_intent(w->st, &m, &names, 1, &w->e));
	return m.result;
}

static inline enum store_result
deliver(struct world *w, int64_t id, uint64_t n)
{
	struct store_done d = make_done(id, n);

	OK(w, store_in_delivered(w->st, &d, 1, NOW, &w->e));
	return d.msg.result;
}

static inline struct store_hold
make_hold(int64_t id, enum err_class class)
{
	struct store_hold h;

	memset(&h, 0, sizeof(h));
	h.id = id;
	h.class = class;
	h.sender = LABO;
	h.year = 2026;
	h.forget_at = NOW + 1000000;
	h.ack_at = NOW;
	h.ack_due_at = NOW;
	return h;
}

static inline struct store_in
get_in(struct world *w, int64_t id)
{
	struct store_in in;

	OK(w, store_in_get(w->st, id, &in, &w->e));
	return in;
}

static inline struct store_out
get_out(struct world *w, int64_t id)
{
	struct store_out out;

	OK(w, store_out_get(w->st, id, &out, &w->e));
	return out;
}

static inline struct store_out_put
make_out(uint64_t n, const char *identity)
{
	static const uint8_t bytes[5000];
	struct store_out_put m;

	memset(&m, 0, sizeof(m));
	m.kind = STORE_MAIL;
	make_t(m.t, n);
	make_d(m.d, n);
	m.identity = identity;
	m.from_route = "labo@fai.example";
	m.to_route = "cabinet@fai.example";
	m.date = "Thu, 01 Jan 2026 08:00:00 +0000";
	m.message_id = "<1234@fai.example>";
	m.boundary = "=_abc";
	m.meta_at = NOW;
	m.body.p = bytes;
	m.body.len = sizeof(bytes);
	return m;
}

static inline int64_t
submit(struct world *w, struct store_out_put *m, const char *notice_to)
{
	int64_t submission;

	OK(w, store_out_submit(w->st, NOW, notice_to, m, 1, &submission,
	    &w->e));
	assert_true(submission > 0 && m->id > 0);
	return m->id;
}

/* An acknowledgement as an incoming message without MAIL brings it. */
static inline enum store_ack_result
acked(struct world *w, uint64_t n, uint8_t state, const char *peer,
    const char *routed)
{
	static uint32_t uid = 900000;
	struct store_ack_in a;
	struct store_done d;

	memset(&a, 0, sizeof(a));
	make_t(a.t, n);
	make_d(a.d, n);
	a.state = state;
	a.at = NOW + 5;
	a.peer = peer;
	a.routed = routed;
	uid++;
	d = make_done(put_one_of(w, "acks", uid), uid);
	d.ack_state = STORE_ACK_NONE;
	d.acks = &a;
	d.nacks = 1;
	OK(w, store_in_delivered(w->st, &d, 1, NOW, &w->e));
	assert_int_equal(d.msg.result, STORE_OK);
	return a.result;
}

/* What the file itself says, over a connection of our own. */
static inline int64_t
sql_number(const struct world *w, const char *sql)
{
	char path[128];
	sqlite3 *db;
	sqlite3_stmt *s;
	int64_t n;

	(void)snprintf(path, sizeof(path), "%s/sceau.db", w->dir);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &s, NULL),
	    SQLITE_OK);
	assert_int_equal(sqlite3_step(s), SQLITE_ROW);
	n = sqlite3_column_int64(s, 0);
	(void)sqlite3_finalize(s);
	(void)sqlite3_close(db);
	return n;
}

static inline void
sql_do(const struct world *w, const char *sql)
{
	char path[128];
	sqlite3 *db;

	(void)snprintf(path, sizeof(path), "%s/sceau.db", w->dir);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	(void)sqlite3_close(db);
}

#endif
