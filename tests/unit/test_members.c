/* issuer/members: who may be entered. */
#include "issuer_unit.h"

static struct members *
some(void)
{
	struct members *m = members_new("essai");

	T_CHECK(m != NULL);
	must_enter(m, "labo.central@labo.example", "biologie|cardio",
	    MEMBER_LABORATORY);
	return m;
}

static void
refused(struct members *m, const char *address)
{
	struct err e = ERR_INIT;
	enum member_add how;
	size_t n = m->n;

	T_RC(enter(m, address, "", MEMBER_OTHER, &how, &e), RC_INPUT);
	T_CHECK(m->n == n && e.text[0] != '\0');
}

static void
test_identities(void **state)
{
	struct members *m = some();

	(void)state;
	T_STR(m->v[0].id.s, "essai/labo.central@labo.example#1");
	must_enter(m, "Dr.Martin@Cabinet.EXAMPLE", "", MEMBER_PRACTICE);
	T_STR(m->v[1].id.s, "essai/dr.martin@cabinet.example#1");
	refused(m, "");
	refused(m, "martin");
	refused(m, "martin@localhost");
	refused(m, "dr martin@cabinet.example");
	refused(m, "d\xc3\xa9" "d\xc3\xa9@cabinet.example");
	refused(m, ".x@cabinet.example");
	refused(m, "a/b@cabinet.example");
	refused(m, "a#2@cabinet.example");
	refused(m, "<a@cabinet.example>");
	members_free(&m);
}

/* ATTACKS A5 */
static void
test_a5_look_alikes(void **state)
{
	struct members *m = some();

	(void)state;
	refused(m, "labo-central@labo.example");
	refused(m, "labocentral@labo.example");
	refused(m, "LABO_CENTRAL@labo.example");
	refused(m, "la.bo.central@la-bo.example");
	must_enter(m, "labo.central@autre.example", "", MEMBER_LABORATORY);
	must_enter(m, "labo.central2@labo.example", "", MEMBER_LABORATORY);
	members_free(&m);
}

static void
test_again(void **state)
{
	struct members *m = some();
	struct err e = ERR_INIT;
	enum member_add how = MEMBER_ADDED;

	(void)state;
	T_RC(enter(m, "labo.central@labo.example", "Biologie; cardio",
	    MEMBER_LABORATORY, &how, &e), RC_OK);
	T_CHECK(how == MEMBER_HELD && m->n == 1);
	T_RC(enter(m, "labo.central@labo.example", "cardio|biologie",
	    MEMBER_LABORATORY, &how, &e), RC_OK);
	T_CHECK(how == MEMBER_HELD);
	refused(m, "labo.central@labo.example");
	/* Who has left never comes back under that name. */
	m->v[0].excluded = true;
	T_RC(enter(m, "labo.central@labo.example", "biologie|cardio",
	    MEMBER_LABORATORY, &how, &e), RC_INPUT);
	T_CHECK(strstr(e.text, "left") != NULL);
	members_free(&m);
}

/* More lists, never fewer; the register has them. */
static void
test_joins(void **state)
{
	struct members *m = some();
	struct err e = ERR_INIT;
	enum member_add how = MEMBER_ADDED;
	struct buf b = BUF_INIT;

	(void)state;
	m->policy = MEMBERS_LIST;
	member_tell(&m->v[0], 2027, m->changed_at);
	T_RC(enter(m, "labo.central@labo.example", "radio|cardio|biologie",
	    MEMBER_LABORATORY, &how, &e), RC_OK);
	T_CHECK(how == MEMBER_JOINED && m->n == 1);
	assert_int_equal(member_told(&m->v[0], 2027), 0);
	T_RC(enter(m, "labo.central@labo.example", "radio|cardio",
	    MEMBER_LABORATORY, &how, &e), RC_INPUT);
	T_RC(enter(m, "labo.central@labo.example", "x|y|radio|cardio",
	    MEMBER_LABORATORY, &how, &e), RC_INPUT);
	assert_int_equal(m->v[0].nlists, 3);
	T_CHECK(members_format(m, &b) && buf_str(&b) != NULL);
	T_CHECK(strstr((char *)b.p, "\tradio|cardio|biologie\t") != NULL);
	members_free(&m);
	T_RC(members_parse(b.p, b.len, &m, &e), RC_OK);
	assert_int_equal(m->v[0].nlists, 3);
	members_free(&m);
	/* The same member twice in a register, on more lists or not. */
	T_CHECK(buf_adds(&b, "member\tessai/labo.central@labo.example#1\t"
	    "laboratory\tmember\t1\t\tbox@poste.example\t"
	    "radio|cardio|biologie|more\tSomebody\t\n"));
	T_RC(members_parse(b.p, b.len, &m, &e), RC_CONF);
	T_CHECK(strstr(e.text, "twice") != NULL);
	buf_free(&b);
}

static void
test_shared_route(void **state)
{
	struct members *m = some();
	struct err e = ERR_INIT;
	enum member_add how = MEMBER_ADDED;

	(void)state;
	T_RC(enter(m, "b@labo.example", "", MEMBER_OTHER, &how, &e), RC_OK);
	T_CHECK(how == (MEMBER_ADDED | MEMBER_SHARES));
	members_free(&m);
}

static enum member_add
change(struct members *m, const char *address, const char *route,
    const char *show)
{
	const struct member_new w = { str(address), str(route), str(show),
	    str(""), MEMBER_OTHER, { NULL, 0 } };
	struct err e = ERR_INIT;
	enum member_add how = MEMBER_ADDED;

	T_RC(members_add(m, &w, &how, &e), RC_OK);
	return how;
}

/* Whoever came first to a mailbox and leaves it, others stay in it. */
static void
test_moves_to_a_route_of_another(void **state)
{
	static const char box[] = "box@poste.example", own[] = "o@y.example";
	const enum member_add moved = MEMBER_REROUTED;
	struct members *m = members_new("essai");

	(void)state;
	for (const char *s = "a@x.example\0b@x.example\0c@x.example\0";
	    *s != '\0'; s += strlen(s) + 1)
		must_enter(m, s, "", MEMBER_OTHER);
	T_CHECK(change(m, "a@x.example", own, "Somebody") == moved);
	T_CHECK(change(m, "b@x.example", own, "Somebody") ==
	    (moved | MEMBER_SHARES));
	T_CHECK(change(m, "a@x.example", box, "Somebody") ==
	    (moved | MEMBER_SHARES));
	T_CHECK(change(m, "c@x.example", own, "Somebody") ==
	    (moved | MEMBER_SHARES));
	T_CHECK(change(m, "a@x.example", "new@y.example", "Somebody") ==
	    moved);
	T_CHECK(change(m, "d@x.example", box, "D") == MEMBER_ADDED);
	T_CHECK(change(m, "a@x.example", box, "Somebody") ==
	    (moved | MEMBER_SHARES));
	T_CHECK(change(m, "b@x.example", "b@y.example", "Somebody") == moved);
	T_CHECK(change(m, "b@x.example", own, "Somebody") ==
	    (moved | MEMBER_SHARES));
	members_free(&m);
}

/* PROTOCOL 2.19.35; the address is what may not be like another (A5). */
static void
test_renamed(void **state)
{
	struct members *m = members_new("essai");
	struct err e = ERR_INIT;
	enum member_add how = MEMBER_ADDED;
	int64_t was;

	(void)state;
	must_enter(m, "a@x.example", "", MEMBER_OTHER);
	was = m->v[0].changed_at;
	m->stamp_at = 0;
	T_CHECK(change(m, "a@x.example", "box@poste.example", "Other") ==
	    MEMBER_RENAMED);
	T_STR(m->v[0].show, "Other");
	T_STR(m->v[0].route, "box@poste.example");
	T_CHECK(m->n == 1 && m->v[0].changed_at > was);
	T_CHECK(change(m, "a@x.example", "box@poste.example", "Other") ==
	    MEMBER_HELD);
	T_CHECK(change(m, "a@x.example", "b@poste.example", "Other") ==
	    MEMBER_REROUTED);
	refused(m, "a@x.example");	/* both at once */
	T_STR(m->v[0].show, "Other");
	refused(m, "a_@x.example");
	refused(m, "-a@x.example");
	T_RC(enter(m, "a@x.example", "", MEMBER_PRACTICE, &how, &e),
	    RC_INPUT);
	m->v[0].excluded = true;
	T_RC(enter(m, "a@x.example", "", MEMBER_OTHER, &how, &e), RC_INPUT);
	members_free(&m);
}

static enum rc
with(const char *route, const char *show, const char *lists)
{
	struct members *m = some();
	const struct member_new w = { str("x@y.example"), str(route),
	    str(show), str(lists), MEMBER_OTHER, { NULL, 0 } };
	struct err e = ERR_INIT;
	enum member_add how;
	enum rc rc = members_add(m, &w, &how, &e);

	members_free(&m);
	return rc;
}

static void
test_texts(void **state)
{
	char text[300], route[300];

	(void)state;
	T_RC(with("a@b.example", "N", ""), RC_OK);
	T_RC(with("", "N", ""), RC_INPUT);
	T_RC(with("a", "N", ""), RC_INPUT);
	T_RC(with("a@b.example\r\nX: y", "N", ""), RC_INPUT);
	T_RC(with("\"a b\"@c.example", "N", ""), RC_INPUT);
	T_RC(with("a@b.example", "", ""), RC_INPUT);
	T_RC(with("a@b.example", "a\tb", ""), RC_INPUT);
	T_RC(with("a@b.example", "a\xc2\x85", ""), RC_INPUT);
	T_RC(with("a@b.example", "\xff", ""), RC_INPUT);
	T_RC(with("a@b.example", "Dr N\xe2\x80\xae" "rioN", ""), RC_INPUT);
	T_RC(with("a@b.example", "Dr No\xe2\x80\x8bir", ""), RC_INPUT);
	T_RC(with("a@b.example", "N", "nord\xe2\x80\x8e"), RC_INPUT);
	T_RC(with("a@b.example", "L\xe2\x80\x99H\xc3\xa9ro", ""), RC_OK);
	memset(text, 'n', sizeof(text));
	text[200] = '\0';
	T_RC(with("a@b.example", text, ""), RC_OK);
	text[200] = 'n';
	text[201] = '\0';
	T_RC(with("a@b.example", text, ""), RC_INPUT);
	memset(route, 'b', sizeof(route));
	memcpy(route, "a@", 2);
	for (size_t i = 20; i < sizeof(route); i += 20)
		route[i] = '.';
	route[254] = '\0';
	T_RC(with(route, "N", ""), RC_OK);
	route[254] = 'b';
	route[255] = '\0';
	T_RC(with(route, "N", ""), RC_INPUT);
}

static void
test_lists(void **state)
{
	struct members *m = some();
	const struct member *a, *b;
	char text[200] = "";

	(void)state;
	must_enter(m, "a@x.example", " Cardio ;radio, ; cardio", MEMBER_OTHER);
	must_enter(m, "b@x.example", "gyn\xc3\xa9" "co", MEMBER_OTHER);
	must_enter(m, "c@x.example", "", MEMBER_OTHER);
	a = &m->v[1];
	b = &m->v[2];
	assert_int_equal(a->nlists, 2);
	T_STR(m->lists[a->lists[0]], "cardio");
	T_STR(m->lists[a->lists[1]], "radio");
	T_CHECK(members_share(a, &m->v[0]) && members_share(&m->v[0], a));
	T_CHECK(!members_share(a, b) && !members_share(&m->v[3], &m->v[3]));
	for (int i = 0; i < MEMBER_LISTS_MAX; i++)
		snprintf(text + strlen(text), 8, "l%d|", i);
	T_RC(with("a@b.example", "N", text), RC_OK);
	strcat(text, "more");
	T_RC(with("a@b.example", "N", text), RC_INPUT);
	memset(text, 'l', sizeof(text));
	text[MEMBER_LIST_BYTES] = '\0';
	T_RC(with("a@b.example", "N", text), RC_OK);
	text[MEMBER_LIST_BYTES] = 'l';
	text[MEMBER_LIST_BYTES + 1] = '\0';
	T_RC(with("a@b.example", "N", text), RC_INPUT);
	T_RC(with("a@b.example", "N", "a\tb"), RC_INPUT);
	members_free(&m);
}

static void
test_one_hub(void **state)
{
	struct members *m = some();
	struct err e = ERR_INIT;
	enum member_add how;

	(void)state;
	T_CHECK(members_desk(m, MEMBER_HUB) == NULL);
	must_enter(m, "hub@x.example", "", MEMBER_HUB);
	T_CHECK(members_desk(m, MEMBER_HUB) == &m->v[1]);
	T_RC(enter(m, "hub2@x.example", "", MEMBER_HUB, &how, &e), RC_INPUT);
	m->v[1].excluded = true;
	T_CHECK(members_desk(m, MEMBER_HUB) == NULL);
	must_enter(m, "hub2@x.example", "", MEMBER_HUB);
	members_free(&m);
}

static void
test_finds_among_many(void **state)
{
	struct members *m = some();
	struct identity id;
	char address[64];

	(void)state;
	for (int i = 0; i < 3000; i++) {
		snprintf(address, sizeof(address), "m%dx@d%d.example", i,
		    i % 7);
		must_enter(m, address, "", MEMBER_OTHER);
	}
	for (int i = 0; i < 3000; i++) {
		id = m->v[i].id;
		T_CHECK(members_find(m, &id) == &m->v[i]);
	}
	T_CHECK(identity_parse("essai/nobody@x.example#1", 24, &id));
	T_CHECK(members_find(m, &id) == NULL);
	T_CHECK(identity_parse("autre/m1x@d1.example#1", 22, &id));
	T_CHECK(members_find(m, &id) == NULL);
	members_free(&m);
	T_CHECK(m == NULL);
	members_free(&m);
}

/* All in one mailbox, and as many lists: each is looked for once. */
static void
test_many_alike(void **state)
{
	struct members *m = members_new("essai");
	char address[64], lists[64];
	struct buf b = BUF_INIT;
	struct err e = ERR_INIT;

	(void)state;
	for (int i = 0; i < 3000; i++) {
		snprintf(address, sizeof(address), "m%dx@d.example", i);
		snprintf(lists, sizeof(lists), "l%d|all|L%d", i, i + 1);
		must_enter(m, address, lists, MEMBER_OTHER);
	}
	assert_int_equal(m->by_route.n, 1);
	assert_int_equal(m->nlists, 3002);
	assert_int_equal(m->by_list.n, 3002);
	assert_int_equal(m->by_domain.n, 1);
	T_CHECK(members_first(m, str("d.example")) == &m->v[0]);
	T_CHECK(members_first(m, str("e.example")) == NULL);
	T_CHECK(members_first(m, str("example")) == NULL);
	T_CHECK(members_format(m, &b));
	members_free(&m);
	T_RC(members_parse(b.p, b.len, &m, &e), RC_OK);
	assert_int_equal(m->nlists, 3002);
	for (size_t i = 0; i < 3000; i++) {
		snprintf(lists, sizeof(lists), "l%zu", i);
		assert_int_equal(m->v[i].nlists, 3);
		T_STR(m->lists[m->v[i].lists[0]], lists);
		T_STR(m->lists[m->v[i].lists[1]], "all");
	}
	buf_free(&b);
	members_free(&m);
}

static void
test_words(void **state)
{
	enum members_policy p;
	enum member_kind k;

	(void)state;
	T_CHECK(members_kind(str("practice"), &k) && k == MEMBER_PRACTICE);
	T_CHECK(members_kind(str("hub"), &k) && k == MEMBER_HUB);
	T_CHECK(members_kind(str("desk:hub"), &k) && k == MEMBER_HUB);
	T_CHECK(!members_kind(str("issuer"), &k));
	T_CHECK(!members_kind(str("watch"), &k));
	T_CHECK(!members_kind(str(""), &k));
	T_STR(members_kind_word(MEMBER_ISSUER), "issuer");
	T_CHECK(members_policy("gateway", &p) && p == MEMBERS_GATEWAY);
	T_CHECK(!members_policy("Full", &p));
	T_STR(members_policy_word(MEMBERS_LIST), "list");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_identities),
		cmocka_unit_test(test_a5_look_alikes),
		cmocka_unit_test(test_again),
		cmocka_unit_test(test_joins),
		cmocka_unit_test(test_shared_route),
		cmocka_unit_test(test_moves_to_a_route_of_another),
		cmocka_unit_test(test_renamed),
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_one_hub),
		cmocka_unit_test(test_finds_among_many),
		cmocka_unit_test(test_many_alike),
		cmocka_unit_test(test_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
