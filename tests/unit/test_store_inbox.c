/* What was filed, and the same name with another birth date. */
#include "store_unit.h"

#include "store/store_inbox.h"
#include "store/store_kept.h"

#define DAY 86400

/* "A1": one of name A born on day 1; "A": without a birth date; "": without a
 * name. */
static struct store_patient
person(const char *s)
{
	struct store_patient p = { .named = s[0] != '\0' };

	memset(p.name, s[0], sizeof(p.name));
	p.born = p.named && s[1] != '\0';
	memset(p.birth, s[0], sizeof(p.birth));
	p.birth[0] = p.born ? (uint8_t)s[1] : 0;
	return p;
}

/* Those of "A1 A2 B1", in order. */
static size_t
people(const char *s, struct store_patient p[8])
{
	char words[64], *at = words, *word;
	size_t n = 0;

	(void)snprintf(words, sizeof(words), "%s", s);
	while ((word = strsep(&at, " ")) != NULL)
		p[n++] = person(word);
	return n;
}

/* The intent of message ${id} with ${s}; "01" says which reports are odd. */
static enum store_result
intend_with(struct world *w, int64_t id, uint64_t t, const char *s,
    int64_t now, char odd[9])
{
	struct store_patient p[8];
	struct store_filing f = { .sender = LABO, .places = "inbox",
	    .patients = p, .at = now };
	struct store_msg m = make_msg(id, t);
	const char *names = "a";

	f.npatients = people(s, p);
	f.reports = (unsigned)f.npatients;
	m.filing = &f;
	OK(w, store_in_intent(w->st, &m, &names, 1, &w->e));
	for (size_t i = 0; i < f.npatients; i++)
		odd[i] = store_odd(f.odd, i) ? '1' : '0';
	odd[f.npatients] = '\0';
	return m.result;
}

static void
done(struct world *w, int64_t id, uint64_t t, int64_t now)
{
	struct store_done d = make_done(id, t);

	d.filed = true;
	d.keep_until = now + DAY;
	OK(w, store_in_delivered(w->st, &d, 1, now, &w->e));
	assert_int_equal(d.msg.result, STORE_OK);
}

/* A message comes, is filed, and is found as ${want} says. */
static void
comes(struct world *w, uint32_t n, const char *s, const char *want)
{
	int64_t id = put_one_of(w, "a", n);
	char odd[9];

	assert_int_equal(intend_with(w, id, n, s, NOW + n, odd), STORE_OK);
	T_STR(odd, want);
	done(w, id, n, NOW + n);
}

static size_t
listed(struct world *w, int64_t since, unsigned flags,
    struct store_inbox out[16])
{
	size_t n;

	OK(w, store_inbox_list(w->st, 0, since, flags, out, 16, &n, &w->e));
	return n;
}

static void
test_the_same_name_with_another_birth_date(void **state)
{
	struct world *w = *state;
	struct store_inbox x[16];

	comes(w, 1, "A1", "0");
	comes(w, 2, "A1", "0");
	comes(w, 3, "A2", "1");
	/* Two people have that name: both are known now. */
	comes(w, 4, "A2", "0");
	comes(w, 5, "A1", "0");
	comes(w, 6, "A3", "1");
	comes(w, 7, "B1", "0");
	world_reopen(w);
	assert_int_equal(listed(w, 0, 0, x), 7);
	assert_int_equal(listed(w, 0, STORE_INBOX_OTHER_BIRTH, x), 2);
	assert_int_equal(x[0].filed_at, NOW + 3);
	assert_int_equal(x[0].received_at, NOW);
	assert_int_equal(x[0].reports, 1);
	T_STR(x[0].sender, LABO);
	T_STR(x[0].places, "inbox");
	assert_int_equal(listed(w, NOW + 6, 0, x), 2);
}

static void
test_without_a_birth_date_or_a_name(void **state)
{
	struct world *w = *state;

	comes(w, 1, "A", "0");
	comes(w, 2, "A", "0");
	comes(w, 3, "A1", "0");
	comes(w, 4, "A", "1");
	comes(w, 5, "A", "1");
	comes(w, 6, "A1", "0");
	comes(w, 7, "", "0");
	comes(w, 8, "", "0");
	assert_int_equal(sql_number(w, "SELECT count(*) FROM patient"), 1);
}

static void
test_several_of_one_message(void **state)
{
	struct world *w = *state;
	struct store_inbox x[16];

	comes(w, 1, "A1 B1 C1", "000");
	comes(w, 2, "D1 B2 C1 D2 D1", "01010");
	assert_int_equal(listed(w, 0, STORE_INBOX_OTHER_BIRTH, x), 1);
	assert_int_equal(x[0].reports, 5);
}

/* Two of one batch: the second meets the first. */
static void
test_several_messages_of_one_intent(void **state)
{
	struct world *w = *state;
	struct store_patient p[2] = { person("A1"), person("A2") };
	struct store_filing f[2];
	const char *names[2] = { "a", "b" };
	struct store_msg m[2];

	for (uint32_t i = 0; i < 2; i++) {
		f[i] = (struct store_filing){ .sender = LABO, .places = "",
		    .patients = &p[i], .npatients = 1, .reports = 1,
		    .at = NOW };
		m[i] = make_msg(put_one_of(w, "a", i + 1), i + 1);
		m[i].filing = &f[i];
	}
	OK(w, store_in_intent(w->st, m, names, 2, &w->e));
	assert_false(store_odd(f[0].odd, 0));
	assert_true(store_odd(f[1].odd, 0));
}

/* After a crash the second opening is answered as the first one was. */
static void
test_an_intent_had_again(void **state)
{
	struct world *w = *state;
	struct store_inbox x[16];
	int64_t id;
	char odd[9];

	comes(w, 1, "A1", "0");
	id = put_one_of(w, "a", 2);
	assert_int_equal(intend_with(w, id, 2, "B1 A2", NOW, odd), STORE_OK);
	T_STR(odd, "01");
	assert_int_equal(listed(w, 0, 0, x), 1);
	world_reopen(w);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(intend_with(w, id, 2, "B1 A2", NOW, odd),
		    STORE_AGAIN);
		T_STR(odd, "01");
	}
	done(w, id, 2, NOW + 9);
	assert_int_equal(listed(w, 0, 0, x), 2);
	assert_int_equal(x[1].flags, STORE_INBOX_OTHER_BIRTH);
	assert_int_equal(x[1].filed_at, NOW + 9);
}

/* What the transaction does not say, nobody has heard: neither the row nor the
 * patients of an intent that was refused. */
static void
test_all_or_nothing(void **state)
{
	struct world *w = *state;
	struct store_inbox x[16];
	int64_t id = put_one_of(w, "a", 1), copy;
	char odd[9];

	assert_int_equal(intend_with(w, id, 1, "A1", NOW, odd), STORE_OK);
	copy = put_one_of(w, "b", 1);
	assert_int_equal(intend_with(w, copy, 1, "B1", NOW, odd), STORE_BUSY);
	done(w, id, 1, NOW);
	assert_int_equal(intend_with(w, copy, 1, "B1", NOW, odd),
	    STORE_DUPLICATE);
	assert_int_equal(intend_with(w, id, 1, "C1", NOW, odd), STORE_NOT);
	assert_int_equal(listed(w, 0, 0, x), 1);
	assert_int_equal(sql_number(w, "SELECT count(*) FROM patient"), 1);
}

static void
test_filed_once_more(void **state)
{
	struct world *w = *state;
	struct store_filing f = { .sender = LABO, .places = "a",
	    .flags = STORE_INBOX_AGAIN, .reports = 1, .at = NOW + 99 };
	struct store_kept_ask ask = { .since = 0 };
	uint8_t odd[STORE_ODD_BYTES], t[STORE_T_BYTES];
	struct store_inbox x[16];
	struct store_in in[8];
	size_t n;

	comes(w, 1, "A1", "0");
	comes(w, 2, "A2", "1");
	make_t(t, 2);
	OK(w, store_inbox_odd(w->st, t, odd, &w->e));
	assert_true(store_odd(odd, 0));
	make_t(t, 3);
	OK(w, store_inbox_odd(w->st, t, odd, &w->e));
	assert_false(store_odd(odd, 0));
	OK(w, store_refile(w->st, &ask, NOW, &n, &w->e));
	OK(w, store_in_next(w->st, 0, in, 8, &n, &w->e));
	assert_int_equal(n, 2);
	OK(w, store_refiled(w->st, in[0].id, &f, &w->e));
	OK(w, store_refiled(w->st, in[1].id, NULL, &w->e));
	assert_int_equal(listed(w, 0, STORE_INBOX_AGAIN, x), 1);
	assert_int_equal(x[0].filing, 1);
	assert_int_equal(x[0].filed_at, NOW + 99);
	assert_int_equal(sql_number(w, "SELECT count(*) FROM patient"), 2);
}

static void
expire(struct world *w, int64_t now, int64_t inbox_s, int64_t patients_s)
{
	const struct store_keep keep = { .inbox_s = inbox_s,
	    .patients_s = patients_s, .budget = 1 };
	bool more = true;

	while (more)
		OK(w, store_expire(w->st, now, &keep, &more, &w->e));
}

static void
test_forgotten_in_time(void **state)
{
	struct world *w = *state;
	struct store_inbox x[16];

	comes(w, 1, "A1", "0");
	comes(w, 2, "B1", "0");
	comes(w, 10, "A1", "0");
	expire(w, NOW + 102, 100, 100);
	assert_int_equal(listed(w, 0, 0, x), 2);
	assert_int_equal(sql_number(w, "SELECT count(*) FROM patient"), 2);
	expire(w, NOW + 103, 100, 100);
	/* A came since; B did not. */
	assert_int_equal(listed(w, 0, 0, x), 1);
	assert_int_equal(sql_number(w, "SELECT count(*) FROM patient"), 1);
	comes(w, 11, "A2", "1");
	expire(w, NOW + 200, 1000, 0);
	comes(w, 12, "A3", "0");
}

static void
test_the_most_reports(void **state)
{
	struct world *w = *state;
	static struct store_patient p[STORE_REPORTS_MAX];
	struct store_filing f = { .sender = LABO, .places = "",
	    .patients = p, .npatients = STORE_REPORTS_MAX,
	    .reports = STORE_REPORTS_MAX + 1, .at = NOW };
	struct store_msg m = make_msg(put_one_of(w, "a", 1), 1);
	const char *names = "";

	for (size_t i = 0; i < STORE_REPORTS_MAX; i++) {
		p[i] = person("A1");
		put_be32(p[i].name, (uint32_t)i);
	}
	p[STORE_REPORTS_MAX - 1] = p[0];
	p[STORE_REPORTS_MAX - 1].birth[0]++;
	m.filing = &f;
	OK(w, store_in_intent(w->st, &m, &names, 1, &w->e));
	assert_true(store_odd(f.odd, STORE_REPORTS_MAX - 1));
	assert_false(store_odd(f.odd, STORE_REPORTS_MAX - 2));
	assert_false(store_odd(f.odd, STORE_REPORTS_MAX));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(test_the_same_name_with_another_birth_date),
		WORLD_TEST(test_without_a_birth_date_or_a_name),
		WORLD_TEST(test_several_of_one_message),
		WORLD_TEST(test_several_messages_of_one_intent),
		WORLD_TEST(test_an_intent_had_again),
		WORLD_TEST(test_all_or_nothing),
		WORLD_TEST(test_filed_once_more),
		WORLD_TEST(test_forgotten_in_time),
		WORLD_TEST(test_the_most_reports),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
