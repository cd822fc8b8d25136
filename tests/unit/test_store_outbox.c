/* The keys of an outbox: with the queue, and never longer than the files. */
#include "store_unit.h"

#include "store/store_outbox.h"
#include "store/store_register.h"

static struct bytes
key_of(const char *s)
{
	return (struct bytes){ (const uint8_t *)s, strlen(s) };
}

static bool
known(struct world *w, const char *key, int64_t now)
{
	bool is = false;

	OK(w, store_outbox_known(w->st, now, key_of(key), &is, &w->e));
	return is;
}

static enum rc
take(struct world *w, uint64_t n, const char *a, const char *b)
{
	struct store_out_put m = make_out(n, DR);
	const struct bytes keys[] = { key_of(a), key_of(b) };
	const struct store_outbox_put p = { NULL, NULL, &m, 1, keys, 2 };
	int64_t id;

	return store_outbox_submit(w->st, NOW, &p, &id, &w->e);
}

static void
test_keys_come_with_the_envelopes_or_not_at_all(void **state)
{
	struct world *w = *state;
	struct store_counts c;

	T_CHECK(!known(w, "box/1", NOW));
	T_RC(take(w, 1, "box/1", "box/2"), RC_OK);
	world_reopen(w);
	T_CHECK(known(w, "box/1", NOW) && known(w, "box/2", NOW));
	T_CHECK(!known(w, "box/", NOW) && !known(w, "box/3", NOW));
	/* That T is there already: neither it nor its keys. */
	T_RC(take(w, 1, "box/3", "box/4"), RC_TEMP);
	T_CHECK(!known(w, "box/3", NOW) && !known(w, "box/4", NOW));
	OK(w, store_counts(w->st, NOW, &c, &w->e));
	assert_int_equal(c.queued, 1);
}

static size_t
entries_of(struct world *w, const uint8_t *digest)
{
	char who[STORE_PATIENT_WHO_BYTES];
	struct store_entry x[4];
	size_t n;

	store_register_patient(digest, who);
	OK(w, store_register_of(w->st, 0, who, x, 4, &n, &w->e));
	for (size_t i = 0; i < n; i++)
		T_CHECK(!x[i].in && x[i].at == NOW &&
		    strcmp(x[i].who, who) == 0);
	return n;
}

static void
test_patients_come_with_them_once_or_not_at_all(void **state)
{
	static const uint8_t of[4][STORE_PATIENT_BYTES] = { { 1 }, { 2 },
	    { 1 }, { 3 } };
	struct world *w = *state;
	struct store_out_put m[2] = { make_out(1, DR), make_out(2, DR) };
	struct store_out_put again = make_out(1, DR);
	struct store_entry x[8];
	int64_t id;
	size_t n;

	m[0].patients = (struct bytes){ of[0], 3 * sizeof(of[0]) };
	m[1].patients = (struct bytes){ of[1], sizeof(of[1]) };
	OK(w, store_out_submit(w->st, NOW, NULL, m, 2, &id, &w->e));
	T_CHECK(entries_of(w, of[0]) == 1);
	T_CHECK(entries_of(w, of[1]) == 2);
	OK(w, store_register_list(w->st, 0, m[0].t, STORE_T_BYTES, x, 8, &n,
	    &w->e));
	assert_int_equal(n, 3);
	T_CHECK(strcmp(x[0].event, "queued") == 0);
	T_CHECK(strcmp(x[1].event, STORE_PATIENT) == 0);
	T_CHECK(memcmp(x[1].d, m[0].d, STORE_D_BYTES) == 0);
	/* That T is there already: neither it nor its patients. */
	again.patients = (struct bytes){ of[3], sizeof(of[3]) };
	T_RC(store_out_submit(w->st, NOW, NULL, &again, 1, &id, &w->e),
	    RC_TEMP);
	T_CHECK(entries_of(w, of[3]) == 0);
}

static void
test_forgotten_when_the_files_are_gone(void **state)
{
	struct world *w = *state;
	const struct bytes gone = key_of("box/1");

	T_RC(take(w, 1, "box/1", "box/2"), RC_OK);
	T_RC(take(w, 2, "other/1", "other/2"), RC_OK);
	OK(w, store_outbox_forget(w->st, &gone, 1, &w->e));
	T_CHECK(!known(w, "box/1", NOW) && known(w, "box/2", NOW));
	/* Asked for since: there still.  Not asked for: gone by itself. */
	T_CHECK(known(w, "other/1", NOW + 10));
	OK(w, store_outbox_sweep(w->st, key_of("other"), NOW + 5, &w->e));
	T_CHECK(known(w, "other/1", NOW + 10));
	T_CHECK(!known(w, "other/2", NOW + 10));
	T_CHECK(known(w, "box/2", NOW + 10));
}

static void
test_expires_when_nobody_asks(void **state)
{
	struct world *w = *state;
	const struct store_keep keep = { .events_s = 1, .sent_s = 1,
	    .hub_s = 1, .watch_s = 1, .budget = 10 };
	const int64_t late = NOW + STORE_OUTBOX_KEEP_S;
	bool more;

	T_RC(take(w, 1, "box/1", "box/2"), RC_OK);
	T_CHECK(known(w, "box/1", late));
	OK(w, store_expire(w->st, late + 1, &keep, &more, &w->e));
	T_CHECK(known(w, "box/1", late + 1));
	T_CHECK(!known(w, "box/2", late + 1));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(test_keys_come_with_the_envelopes_or_not_at_all),
		WORLD_TEST(test_patients_come_with_them_once_or_not_at_all),
		WORLD_TEST(test_forgotten_when_the_files_are_gone),
		WORLD_TEST(test_expires_when_nobody_asks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
