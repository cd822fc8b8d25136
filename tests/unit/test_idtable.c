#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "wire/idtable.h"

static struct bytes
text(const char *s)
{
	return (struct bytes){ (const uint8_t *)s, strlen(s) };
}

static void
test_rows_are_found_by_both_keys(void **state)
{
	struct idtable t;
	char id[32], more[32];

	(void)state;
	memset(&t, 0, sizeof(t));
	for (uint32_t i = 0; i < 5000; i++) {
		uint32_t n = (i * 7919) % 5000 + 1;

		snprintf(id, sizeof(id), "id-%u", n);
		snprintf(more, sizeof(more), "new/%u", n);
		T_CHECK(idtable_add(&t, text(id), text(more), n, n * 10));
	}
	idtable_by_number(&t);
	for (uint32_t n = 1; n <= 5000; n++) {
		long at = idtable_number(&t, n);

		assert_int_equal(at, n - 1);
		assert_int_equal(t.rows[at].size, n * 10);
	}
	assert_int_equal(idtable_number(&t, 0), -1);
	assert_int_equal(idtable_number(&t, 5001), -1);
	idtable_by_id(&t);
	for (uint32_t n = 1; n <= 5000; n++) {
		long at;

		snprintf(id, sizeof(id), "id-%u", n);
		at = idtable_find(&t, text(id));
		T_CHECK(at >= 0 && t.rows[at].number == n);
		T_CHECK(bytes_eqs(idtable_id(&t, (size_t)at), id));
		snprintf(more, sizeof(more), "new/%u", n);
		T_CHECK(bytes_eqs(idtable_more(&t, (size_t)at), more));
	}
	assert_int_equal(idtable_find(&t, text("id-0")), -1);
	assert_int_equal(idtable_find(&t, text("id-")), -1);
	assert_int_equal(idtable_find(&t, text("id-50001")), -1);
	assert_int_equal(idtable_find(&t, text("")), -1);
	idtable_free(&t);
}

/* RFC 1939 7 lets a server give one id to two equal messages. */
static void
test_of_equal_ids_the_lowest_number(void **state)
{
	const struct bytes none = { NULL, 0 };
	struct idtable t;
	long at;

	(void)state;
	memset(&t, 0, sizeof(t));
	assert_int_equal(idtable_find(&t, text("x")), -1);
	T_CHECK(idtable_add(&t, text("x"), none, 9, 0));
	T_CHECK(idtable_add(&t, text("x"), none, 3, 0));
	T_CHECK(idtable_add(&t, text("xx"), none, 1, 0));
	idtable_by_id(&t);
	at = idtable_find(&t, text("x"));
	T_CHECK(at >= 0 && t.rows[at].number == 3);
	assert_int_equal(idtable_run(&t, (size_t)at), 2);
	assert_int_equal(idtable_run(&t, (size_t)at + 1), 1);
	assert_int_equal(idtable_run(&t, (size_t)at + 2), 1);
	idtable_free(&t);
}

static void
test_a_row_gets_another_id(void **state)
{
	const struct bytes none = { NULL, 0 };
	struct idtable t;
	long at;

	(void)state;
	memset(&t, 0, sizeof(t));
	T_CHECK(idtable_add(&t, text("x"), text("more"), 1, 0));
	T_CHECK(idtable_add(&t, text("x"), none, 2, 0));
	T_CHECK(idtable_name(&t, 0, text("x and more")));
	idtable_by_id(&t);
	at = idtable_find(&t, text("x"));
	T_CHECK(at >= 0 && t.rows[at].number == 2);
	assert_int_equal(idtable_run(&t, (size_t)at), 1);
	at = idtable_find(&t, text("x and more"));
	T_CHECK(at >= 0 && t.rows[at].number == 1);
	assert_int_equal(idtable_more(&t, (size_t)at).len, 0);
	T_CHECK(idtable_name(&t, (size_t)at, none));
	idtable_by_id(&t);
	assert_int_equal(idtable_find(&t, text("x and more")), -1);
	T_CHECK(idtable_find(&t, text("x")) >= 0);
	idtable_free(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows_are_found_by_both_keys),
		cmocka_unit_test(test_of_equal_ids_the_lowest_number),
		cmocka_unit_test(test_a_row_gets_another_id)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
