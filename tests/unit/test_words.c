/* issuer/words: texts with places to fill in. */
#include "issuer_unit.h"
#include "issuer/words.h"

static const char text[] = "To {who}, of {what}.\nAgain {who}";

static void
fill(const char *who, const char *what, enum words_as as, struct buf *out)
{
	const struct word w[] = { { "who", str(who) }, { "what", str(what) } };

	T_CHECK(words_fill(text, w, 2, as, out) && buf_str(out) != NULL);
}

static void
test_fill(void **state)
{
	struct buf b = BUF_INIT;

	(void)state;
	fill("{what}", "a & b", WORDS_PLAIN, &b);
	T_STR((const char *)b.p, "To {what}, of a & b.\nAgain {what}");
	buf_wipe(&b);
	fill("<\"'>", "a & b", WORDS_HTML, &b);
	T_STR((const char *)b.p, "To &lt;&quot;&#39;&gt;, of a &amp; b.\n"
	    "Again &lt;&quot;&#39;&gt;");
	buf_free(&b);
}

static void
test_read(void **state)
{
	struct word w[] = { { "who", { NULL, 0 } }, { "what", { NULL, 0 } } };
	struct buf b = BUF_INIT;

	(void)state;
	fill("x, y", "", WORDS_PLAIN, &b);
	T_CHECK(words_read(text, w, 2, (struct bytes){ b.p, b.len }));
	T_CHECK(bytes_eqs(words_find(w, 2, "who"), "x, y"));
	T_CHECK(words_find(w, 2, "what").len == 0);
	T_CHECK(words_find(w, 2, "none").len == 0);
	buf_free(&b);
}

static void
test_read_refuses(void **state)
{
	static const char *const bad[] = { "", "To x", "To x, of y",
	    "To x, of y.\nAgai", "to x, of y.\nAgain x" };
	struct word w[] = { { "who", { NULL, 0 } }, { "what", { NULL, 0 } } };

	(void)state;
	for (size_t i = 0; i < 5; i++)
		T_CHECK(!words_read(text, w, 2, str(bad[i])));
	T_CHECK(words_read("{who}.", w, 2, str("x.")));
	T_CHECK(!words_read("{who}.", w, 2, str("x..")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fill),
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_read_refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
