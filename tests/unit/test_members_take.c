/* issuer/members_take: tables of newcomers. */
#include "issuer_unit.h"

/* What was said: "2! text\n" for a wrong line, "3? text\n" for a warning. */
struct said {
	struct buf	b;
	struct members	*m;
	struct members_count count;
};

static void
hear(void *ctx, bool wrong, unsigned line, const char *text)
{
	struct said *s = ctx;

	T_CHECK(buf_addf(&s->b, "%u%c %s\n", line, wrong ? '!' : '?', text));
}

static enum rc
take_len(struct said *s, const char *text, size_t len)
{
	struct err e = ERR_INIT;
	uint8_t *p = malloc(len + 1);
	enum rc rc;

	memcpy(p, text, len + 1);
	s->b = (struct buf)BUF_INIT;
	s->m = members_new("essai");
	T_CHECK(p != NULL && s->m != NULL);
	must_enter(s->m, "old@x.example", "", MEMBER_OTHER);
	rc = members_take(s->m, p, len, hear, s, &s->count, &e);
	T_CHECK(buf_str(&s->b) != NULL);
	free(p);
	return rc;
}

static enum rc
take(struct said *s, const char *text)
{
	return take_len(s, text, strlen(text));
}

static void
done(struct said *s)
{
	members_free(&s->m);
	buf_free(&s->b);
}

#define HEAD "address,route,name,kind,ring\n"

static void
test_takes(void **state)
{
	struct said s;

	(void)state;
	T_RC(take(&s, HEAD
	    "a@x.example,a@y.example,Dr A,practice,\"cardio;radio\"\n"
	    "b@x.example,b@y.example,\"B, fils\",Laboratory,cardio|x\n"
	    "old@x.example,box@poste.example,Somebody,other,\n"
	    "c@x.example,c@y.example,C,desk:hub\n"), RC_OK);
	T_STR((char *)s.b.p, "");
	assert_int_equal(s.count.added, 3);
	assert_int_equal(s.count.held, 1);
	assert_int_equal(s.m->n, 4);
	T_STR(s.m->v[2].show, "B, fils");
	T_CHECK(s.m->v[2].kind == MEMBER_LABORATORY);
	T_CHECK(members_share(&s.m->v[1], &s.m->v[2]));
	T_CHECK(members_desk(s.m, MEMBER_HUB) == &s.m->v[3]);
	done(&s);
}

/* With no column of postal addresses those stay; again the same: no news. */
static void
test_a_route_may_change(void **state)
{
	static const char moved[] = "address,route,name,kind\n"
	    "old@x.example,new@poste.example,Somebody,other\n";
	struct said s;

	(void)state;
	T_RC(take(&s, moved), RC_OK);
	T_CHECK(s.count.rerouted == 1 && s.count.held == 0);
	T_STR((char *)s.b.p, "2? another route than before\n");
	T_STR(s.m->v[0].route, "new@poste.example");
	T_STR(s.m->v[0].show, "Somebody");
	T_CHECK(s.m->v[0].changed_at == s.m->changed_at);
	done(&s);
}

/* Both names are told, of whichever line; and each of the other changes. */
static void
test_a_name_may_change(void **state)
{
	static const char other[] = HEAD
	    "a@x.example,box@poste.example,A,other,\n"
	    "OLD@x.example,box@poste.example,Cabinet \xc3\x89t\xc3\xa9,other,"
	    "list\n"
	    "old@x.example,box@poste.example,A,other,list\n"
	    "a@x.example,a@y.example,A,other,\n"
	    "old@x.example,a@y.example,A,other,list\n";
	struct said s;
	const char *text;

	(void)state;
	T_RC(take(&s, other), RC_OK);
	text = (const char *)s.b.p;
	T_CHECK(strncmp(text, "2? another member has", 21) == 0);
	T_CHECK((text = strstr(text, "\n3? another name than before: "
	    "\"Somebody\" becomes \"Cabinet \xc3\x89t\xc3\xa9\"\n")) != NULL);
	T_CHECK((text = strstr(text, "\n5? another route than before\n"
	    "6? another route than before\n"
	    "6? another member has the same route")) != NULL);
	assert_int_equal(s.count.warnings, 6);
	T_CHECK(s.count.added == 1 && s.count.there == 4 &&
	    s.count.held == 0 && s.count.renamed == 2 &&
	    s.count.rerouted == 2 && s.count.joined == 1);
	T_STR(s.m->v[0].show, "A");
	T_STR(s.m->v[0].route, "a@y.example");
	done(&s);
}

static void
test_columns_in_any_order(void **state)
{
	struct said s;

	(void)state;
	T_RC(take(&s, "Kind;NAME;Address;route\r\n"
	    "practice;A, B;a@x.example;a@y.example\r\n"), RC_OK);
	T_STR(s.m->v[1].show, "A, B");
	T_STR(s.m->v[1].id.s, "essai/a@x.example#1");
	done(&s);
}

static void
bad(const char *text, const char *start)
{
	struct said s;

	T_RC(take(&s, text), RC_INPUT);
	T_CHECK(strncmp((char *)s.b.p, start, strlen(start)) == 0);
	assert_int_equal(s.count.wrong, 1);
	done(&s);
}

static void
test_head(void **state)
{
	(void)state;
	bad("", "1! the table is empty");
	bad("address,route,name\n", "1! the column kind is missing");
	bad("address,route,name,kind,kind\n", "1! the column kind is there");
	bad("adresse,route,name,kind\n", "1! \"adresse\" is no column");
	bad("a@x.example,a@y.example,A,practice\n", "1! \"a@x.example\"");
}

static void
test_lines(void **state)
{
	(void)state;
	bad(HEAD "a@x.example,a@y.example,A,king,\n", "2! the kind must be");
	bad(HEAD "a@x.example,a@y.example,A,watch,\n", "2! the kind must be");
	bad(HEAD "a@x.example,a@y.example,A\n", "2! the kind must be");
	bad(HEAD "\n\na@x.example,a@y.example,,other\n", "4! the name is");
	bad(HEAD "a@x.example,,A,other\n", "2! the route is missing");
	bad(HEAD "a@x.example,a b@y.example,A,other\n", "2! the route");
	bad(HEAD ",a@y.example,A,other\n", "2! the address is missing");
	bad(HEAD "a@x.example,a@y.example,A,other,cardio,radio\n",
	    "2! 6 fields, but 5 columns");
	bad(HEAD "old@x.example,a@y.example,A,other\n", "2! the address is "
	    "that of Somebody");
	bad(HEAD "o.l-d@x.example,a@y.example,A,other\n", "2! the address is "
	    "too like that of old@x.example (Somebody)");
}

/* Everything wrong is told at once; a broken quote ends it. */
static void
test_tells_all(void **state)
{
	struct said s;
	const char *text;

	(void)state;
	T_RC(take(&s, HEAD
	    "a@x.example,a@y.example,A,practice,\n"
	    "b@x.example,a@y.example,B,practice,\n"
	    "c,c@y.example,C,practice,\n"
	    "A@X.example,d@y.example,D,practice,\n"
	    "e@x.example,e@y.example,E\"E,practice,\n"
	    "f,,,,\n"), RC_INPUT);
	text = (const char *)s.b.p;
	T_CHECK(strncmp(text, "3? another member has the same route", 36) ==
	    0);
	T_CHECK((text = strstr(text, "\n4! the address must")) != NULL);
	T_CHECK((text = strstr(text, "\n5! the address is that")) != NULL);
	T_CHECK((text = strstr(text, "\n6! a quote")) != NULL);
	assert_int_equal(s.count.wrong, 3);
	assert_int_equal(s.count.warnings, 1);
	done(&s);
}

static void
test_nul(void **state)
{
	struct said s;

	(void)state;
	T_RC(take_len(&s, HEAD "a\0@x.example,a@y.example,A,other,\n",
	    sizeof(HEAD) - 1 + 34), RC_INPUT);
	assert_int_equal(s.count.wrong, 1);
	done(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_takes),
		cmocka_unit_test(test_a_route_may_change),
		cmocka_unit_test(test_a_name_may_change),
		cmocka_unit_test(test_columns_in_any_order),
		cmocka_unit_test(test_head),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_tells_all),
		cmocka_unit_test(test_nul),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
