/* The rows that openings change, and the order in which they are written. */
#include "store_unit.h"

#include <sys/socket.h>

#include "flow/keeper.h"

#define ROW "peer/demo/labo.central@labo.example"

struct lent {
	struct keeper	k;
	int		other;
};

static void
lend(struct world *w, struct lent *l)
{
	const struct frame f = { .type = IPC_ROW_GET, .body =
	    { (const uint8_t *)ROW, strlen(ROW) } };
	int pair[2];

	memset(l, 0, sizeof(*l));
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	l->k.st = w->st;
	chan_init(&l->k.rows.c, pair[0]);
	l->other = pair[1];
	OK(w, rows_serve(&l->k, &f, &w->e));
}

static void
give_back(struct lent *l)
{
	rows_forget(&l->k);
	chan_close(&l->k.rows.c);
	close(l->other);
}

/* The gateway commits what it relays before the rest of the batch: an earlier
 * message, written later, must not bring back what was known before. */
static void
test_rows_never_step_back(void **state)
{
	struct lent l;
	uint32_t version;

	lend(*state, &l);
	assert_true(rows_next_version(&l.k, ROW, 2, &version));
	assert_int_equal(version, 0);
	assert_false(rows_next_version(&l.k, ROW, 1, &version));
	assert_true(rows_next_version(&l.k, ROW, 2, &version));
	assert_int_equal(version, 1);
	assert_true(rows_next_version(&l.k, ROW, 3, &version));
	assert_int_equal(version, 2);
	give_back(&l);
}

static void
test_rows_that_nobody_lent_are_new(void **state)
{
	struct lent l;
	uint32_t version = 7;

	lend(*state, &l);
	assert_true(rows_next_version(&l.k, "other", 1, &version));
	assert_int_equal(version, 0);
	give_back(&l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(test_rows_never_step_back),
		WORLD_TEST(test_rows_that_nobody_lent_are_new),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
