/*
 * Killed at every point, with other processes in between: what was promised is
 * there, and nothing is there twice.
 */
#include "store_pass.h"

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
		WORLD_TEST(test_two_processes_share_the_work),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
