/* issuer/members_file: the register. */
#include "issuer_unit.h"

/* The member a@x.example, at another postal address. */
static void
must_move(struct members *m)
{
	const struct member_new w = { str("a@x.example"),
	    str("box@poste.example"), str("Somebody"), str("cardio;radio"),
	    MEMBER_PRACTICE, str(" 3 rue des Lilas||14000 CAEN|") };
	struct err e = ERR_INIT;
	enum member_add how;

	T_RC(members_add(m, &w, &how, &e), RC_OK);
	T_CHECK(how == MEMBER_MOVED);
	T_RC(members_add(m, &w, &how, &e), RC_OK);
	T_CHECK(how == MEMBER_HELD);
	T_STR(m->v[1].post, "3 rue des Lilas|14000 CAEN");
	T_STR(m->v[1].route, "box@poste.example");
}

static struct members *
some(void)
{
	struct members *m = members_new("essai");

	T_CHECK(m != NULL);
	must_enter(m, "association@asso.example", "", MEMBER_ISSUER);
	must_enter(m, "a@x.example", "cardio;radio", MEMBER_PRACTICE);
	must_enter(m, "b@x.example", "", MEMBER_LABORATORY);
	must_move(m);
	m->policy = MEMBERS_LIST;
	m->names_ring = true;
	strcpy(m->call, "02 31 00 00 00, de 9 h \xc3\xa0 12 h");
	T_CHECK(identity_at_gen(&m->v[1].id, 3, &m->v[1].id));
	m->v[2].excluded = true;
	member_tell(&m->v[1], 2026, m->changed_at);
	member_tell(&m->v[1], 2027, 0);
	return m;
}

static void
test_there_and_back(void **state)
{
	struct buf one = BUF_INIT, two = BUF_INIT;
	struct members *m = some(), *n;
	struct err e = ERR_INIT;

	(void)state;
	T_CHECK(members_format(m, &one));
	T_RC(members_parse(one.p, one.len, &n, &e), RC_OK);
	assert_int_equal(n->n, 3);
	T_STR(n->assoc, "essai");
	T_STR(n->call, m->call);
	T_CHECK(n->policy == MEMBERS_LIST && n->names_ring);
	T_CHECK(n->v[0].kind == MEMBER_ISSUER);
	T_CHECK(identity_eq(&n->v[1].id, &m->v[1].id));
	T_CHECK(n->v[1].nlists == 2 && n->v[2].excluded);
	T_STR(n->v[1].route, m->v[1].route);
	T_STR(n->v[1].show, m->v[1].show);
	T_STR(n->v[1].post, m->v[1].post);
	T_CHECK(members_format(n, &two));
	assert_int_equal(one.len, two.len);
	assert_memory_equal(one.p, two.p, one.len);
	members_free(&m);
	members_free(&n);
	buf_free(&one);
	buf_free(&two);
}

/* A register cut between lines is a smaller register; any other is none. */
static void
test_every_truncation(void **state)
{
	struct buf b = BUF_INIT;
	struct members *m = some(), *n;
	unsigned lines = 0;

	(void)state;
	T_CHECK(members_format(m, &b));
	for (size_t len = 0; len < b.len; len++) {
		struct err e = ERR_INIT;
		uint8_t *p = malloc(len > 0 ? len : 1);
		bool whole;

		memcpy(p, b.p, len);
		lines += len > 0 && p[len - 1] == '\n';
		whole = len > 0 && p[len - 1] == '\n' && lines >= 5;
		T_RC(members_parse(p, len, &n, &e),
		    whole ? RC_OK : RC_CONF);
		T_CHECK((n != NULL) == whole);
		members_free(&n);
		free(p);
	}
	members_free(&m);
	buf_free(&b);
}

#define HEAD "sceau register 1\nassociation\tessai\npolicy\tfull\n" \
	"directory\tall\ncall\t\n"
#define REST "\tmember\t7\t2026:7|2027:0\ta@y.example\t\tA\t"
#define A "member\tessai/a@x.example#1\tpractice" REST "\n"

static void
bad(const char *text, const char *line)
{
	struct members *m;
	struct err e = ERR_INIT;

	T_RC(members_parse(text, strlen(text), &m, &e), RC_CONF);
	T_CHECK(m == NULL && strstr(e.text, line) != NULL);
}

static void
test_refuses(void **state)
{
	struct members *m;
	struct err e = ERR_INIT;

	(void)state;
	T_RC(members_parse(HEAD A, strlen(HEAD A), &m, &e), RC_OK);
	members_free(&m);
	bad("sceau register 2\n", "line 1");
	bad("sceau register 1\npolicy\tfull\n", "line 2");
	bad("sceau register 1\nassociation\tessai\npolicy\tsome\n", "line 3");
	bad("sceau register 1\nassociation\tessai\npolicy\tfull\n"
	    "directory\tsome\n", "line 4");
	bad(HEAD A A, "line 7");
	bad(HEAD "member\n", "line 6");
	bad(HEAD "member\tessai/a@x.example#1\tpractice" REST "\tmore\n",
	    "line 6");
	bad(HEAD "member\tautre/a@x.example#1\tpractice" REST "\n", "line 6");
	bad(HEAD "member\tessai/a@x.example\tpractice" REST "\n", "line 6");
	bad(HEAD "member\tessai/a@x.example#1\tking" REST "\n", "line 6");
	bad(HEAD "\n", "line 6");
	bad("sceau register 1\nassociation\tabcdefghijklmnopqrstuvwxyz0123456"
	    "\npolicy\tfull\ncall\t\n", "line 2");
}

/* When he changed, and what he was told with the keys of which year. */
static void
test_dates(void **state)
{
	static const char *const wrong[] = { "\t2026:7", "x\t2026:7", "-1\t",
	    "99999999999999999999\t", "7\t2026", "7\t2026:", "7\t:7",
	    "7\t0:7", "7\t65536:7", "7\t2026:x",
	    "7\t2026:7|2027:7|2028:7" };
	char text[512];
	struct members *m;
	struct err e = ERR_INIT;

	(void)state;
	T_RC(members_parse(HEAD A, strlen(HEAD A), &m, &e), RC_OK);
	assert_int_equal(m->v[0].changed_at, 7);
	assert_int_equal(m->changed_at, 7);
	assert_int_equal(member_told(&m->v[0], 2026), 7);
	assert_int_equal(member_told(&m->v[0], 2027), 0);
	assert_int_equal(member_told(&m->v[0], 2028), -1);
	T_CHECK(!m->v[0].listed);
	members_free(&m);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		snprintf(text, sizeof(text), HEAD "member\t"
		    "essai/a@x.example#1\tpractice\tmember\t%s\t"
		    "a@y.example\t\tA\n", wrong[i]);
		bad(text, "line 6");
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_there_and_back),
		cmocka_unit_test(test_every_truncation),
		cmocka_unit_test(test_refuses),
		cmocka_unit_test(test_dates),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
