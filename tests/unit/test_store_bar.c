#include "store_unit.h"

#include "store/store_bar.h"

static struct store_desk
desk_now(struct world *w)
{
	struct store_desk d;

	OK(w, store_desk(w->st, &d, &w->e));
	return d;
}

static struct store_bulletin
bulletin_now(struct world *w)
{
	struct store_bulletin b;

	OK(w, store_bulletin(w->st, &b, &w->e));
	return b;
}

static void
note(struct world *w, const char *name, uint8_t min)
{
	struct store_bar b = { .min = min, .desk = 1, .at = NOW };

	snprintf(b.name, sizeof(b.name), "%s", name);
	snprintf(b.reason, sizeof(b.reason), "to %u", min);
	OK(w, store_bar_put(w->st, &b, NULL, &w->e));
}

static void
begin(struct world *w, uint32_t number, uint32_t version)
{
	const struct store_row row = { { (const uint8_t *)"self", 4 },
	    { (const uint8_t *)"x", 1 }, NULL, version };

	OK(w, store_desk_begin(w->st, number, &row, NOW, &w->e));
}

static struct store_out_put
envelope(int n)
{
	struct store_out_put m = { .kind = STORE_CONTROL, .identity = DR,
	    .from_route = "", .to_route = "dr@x.example", .date = "d",
	    .message_id = "<m>", .boundary = "", .meta_at = NOW,
	    .body = { 0, "SCEAU", 5 } };

	memset(m.t, n, sizeof(m.t));
	return m;
}

/* ---- the list ---------------------------------------------------------- */

static void
test_a_bar_only_rises(void **state)
{
	static const uint8_t mins[] = { 2, 4, 3, 4 };
	struct world *w = *state;
	struct store_bar b[3];
	size_t n;

	for (size_t i = 0; i < sizeof(mins); i++)
		note(w, "demo/eve@autre.example", mins[i]);
	note(w, "demo/adam@autre.example", 255);
	OK(w, store_bar_list(w->st, "", b, 3, &n, &w->e));
	T_CHECK(n == 2 && b[0].min == 255 && b[1].min == 4);
	T_CHECK(strcmp(b[1].reason, "to 4") == 0 && b[1].at == NOW);
	OK(w, store_bar_list(w->st, b[0].name, b, 3, &n, &w->e));
	T_CHECK(n == 1 && b[0].min == 4);
}

static void
test_a_row_of_another_version_takes_the_bar_back(void **state)
{
	struct world *w = *state;
	const struct store_bar b = { .name = "demo/eve@autre.example",
	    .min = 2, .desk = 1, .at = NOW };
	const struct store_row row = { { (const uint8_t *)"k", 1 },
	    { (const uint8_t *)"v", 1 }, NULL, 7 };
	struct store_bar got[1];
	size_t n;

	T_RC(store_bar_put(w->st, &b, &row, &w->e), RC_TEMP);
	OK(w, store_bar_list(w->st, "", got, 1, &n, &w->e));
	T_CHECK(n == 0 && !desk_now(w).due);
}

/* ---- the desk ---------------------------------------------------------- */

static void
test_a_bulletin_goes_on_where_it_was(void **state)
{
	struct world *w = *state;
	struct store_out_put m[2] = { envelope(1), envelope(2) };
	struct store_desk d = desk_now(w);
	size_t waiting;

	T_CHECK(d.gen == 0 && !d.due && !d.going);
	OK(w, store_desk_is(w->st, 1, &w->e));
	T_CHECK(desk_now(w).gen == 1 && desk_now(w).due);
	begin(w, 8, 0);
	d = desk_now(w);
	T_CHECK(d.number == 8 && d.at == NOW && !d.due && d.going);
	d.nth = 2;
	snprintf(d.after, sizeof(d.after), "%s", "demo/m@x.example");
	OK(w, store_desk_sealed(w->st, &d, m, 2, NOW, &w->e));
	world_reopen(w);
	d = desk_now(w);
	T_CHECK(d.going && d.nth == 2 &&
	    strcmp(d.after, "demo/m@x.example") == 0);
	OK(w, store_desk_waiting(w->st, &waiting, &w->e));
	T_CHECK(waiting == 2);
	OK(w, store_desk_is(w->st, 1, &w->e));
	T_CHECK(!desk_now(w).due);		/* nothing new */
}

/* A bar that is noted between begins it anew; nothing of the older one may
 * count as progress of the newer. */
static void
test_a_newer_one_is_not_ended_by_an_older(void **state)
{
	struct world *w = *state;
	struct store_out_put m = envelope(1);
	struct store_desk old;
	size_t waiting;

	note(w, "demo/eve@autre.example", 2);
	begin(w, 8, 0);
	old = desk_now(w);
	note(w, "demo/eve@autre.example", 3);
	T_CHECK(desk_now(w).due);
	begin(w, 9, 1);
	old.going = false;
	OK(w, store_desk_sealed(w->st, &old, &m, 1, NOW, &w->e));
	T_CHECK(desk_now(w).going && desk_now(w).number == 9);
	OK(w, store_desk_waiting(w->st, &waiting, &w->e));
	T_CHECK(waiting == 1);
}

/* ---- those that come --------------------------------------------------- */

static int unique;

static void
delivered(struct world *w, struct store_done d)
{
	d.msg.id = put_one_of(w, "a", (uint32_t)++unique);
	memset(d.msg.t, unique, sizeof(d.msg.t));
	d.msg.sender = LABO;
	d.msg.forget_at = NOW + 1000;
	d.action = STORE_ACTION_RELEASE;
	OK(w, store_in_delivered(w->st, &d, 1, NOW + unique, &w->e));
	T_CHECK(d.msg.result == STORE_OK);
}

static void
comes(struct world *w, uint8_t desk, uint32_t number, uint32_t missed)
{
	delivered(w, (struct store_done){ .news = { desk, number, missed } });
}

static void
enrols(struct world *w)
{
	delivered(w, (struct store_done){ .enrolled = true });
}

static void
test_what_is_missed_until_it_comes(void **state)
{
	struct world *w = *state;
	int first;

	OK(w, store_bulletin_expect(w->st, true, NOW, &w->e));
	comes(w, 0, 0, 9);
	first = unique;
	comes(w, 0, 0, 8);
	comes(w, 0, 0, 10);
	T_CHECK(bulletin_now(w).missed == 10 &&
	    bulletin_now(w).missed_at == NOW + first);
	T_CHECK(strcmp(bulletin_now(w).missed_by, LABO) == 0);
	comes(w, 1, 9, 0);
	T_CHECK(bulletin_now(w).missed == 10 && bulletin_now(w).number == 9);
	comes(w, 1, 10, 0);
	T_CHECK(bulletin_now(w).missed == 0 &&
	    bulletin_now(w).came_at == NOW + unique);
	/* An older one is no sign of life. */
	comes(w, 1, 4, 0);
	T_CHECK(bulletin_now(w).number == 10 &&
	    bulletin_now(w).came_at == NOW + unique - 1);
	OK(w, store_bulletin_expect(w->st, false, NOW, &w->e));
	T_CHECK(bulletin_now(w).since == 0 && bulletin_now(w).number == 10);
}

/* At the watch desk alone, and one for all that came before it is begun. */
static void
test_an_enrolment_makes_one_due(void **state)
{
	struct world *w = *state;

	enrols(w);
	T_CHECK(!desk_now(w).due && desk_now(w).gen == 0);
	OK(w, store_desk_is(w->st, 1, &w->e));
	begin(w, 1, 0);
	T_CHECK(!desk_now(w).due);
	comes(w, 0, 0, 0);
	T_CHECK(!desk_now(w).due);
	enrols(w);
	enrols(w);
	T_CHECK(desk_now(w).due && desk_now(w).number == 1);
	begin(w, 2, 1);
	T_CHECK(!desk_now(w).due);
	OK(w, store_desk_is(w->st, 0, &w->e));
	begin(w, 3, 2);
	enrols(w);
	T_CHECK(!desk_now(w).due);
}

/* The stolen desk has said 2^32 - 1, and some still show it. */
static void
test_a_newer_desk_ends_what_the_old_one_left(void **state)
{
	struct world *w = *state;

	comes(w, 1, 5, 0);
	comes(w, 0, 0, UINT32_MAX);
	T_CHECK(bulletin_now(w).missed == UINT32_MAX);
	comes(w, 2, 1, 0);
	T_CHECK(bulletin_now(w).missed == 0 && bulletin_now(w).number == 1);
	comes(w, 1, UINT32_MAX, 0);
	T_CHECK(bulletin_now(w).desk == 2 && bulletin_now(w).number == 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(test_a_bar_only_rises),
		WORLD_TEST(test_a_row_of_another_version_takes_the_bar_back),
		WORLD_TEST(test_a_bulletin_goes_on_where_it_was),
		WORLD_TEST(test_a_newer_one_is_not_ended_by_an_older),
		WORLD_TEST(test_what_is_missed_until_it_comes),
		WORLD_TEST(test_an_enrolment_makes_one_due),
		WORLD_TEST(test_a_newer_desk_ends_what_the_old_one_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
