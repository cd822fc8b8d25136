#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "base/buf.h"
#include "mail/find.h"
#include "mail/wrap.h"

#define N71 "0123456789012345678901234567890123456789012345678901234567890" \
	"1234567890"

static const struct wrap_head head = {
	.from = "labo@transport.example",
	.to = "dr@transport.example",
	.date = 1767250800,
	.message_id = "00112233445566778899aabbccddeeff@transport.example",
};

static enum rc
take(void *arg, const uint8_t *p, size_t len, struct err *e)
{
	(void)e;
	assert_true(len > 0);
	assert_true(buf_add(arg, p, len));
	return RC_OK;
}

static void
wrap_it(const struct wrap_head *h, const uint8_t *env, size_t len,
    size_t step, struct buf *out)
{
	struct err e = ERR_INIT;
	struct wrap w;

	T_RC(wrap_begin(&w, h, (struct sink){ take, out }, &e), RC_OK);
	for (size_t i = 0; i < len;) {
		size_t k = step != 0 ? step : 1 + randombytes_uniform(20000);

		k = k < len - i ? k : len - i;
		T_RC(wrap_add(&w, env + i, k, &e), RC_OK);
		i += k;
	}
	T_RC(wrap_end(&w, &e), RC_OK);
}

static void
find_it(const struct buf *mail, struct buf *env)
{
	struct find *f = malloc(sizeof(*f));
	struct err e = ERR_INIT;
	enum find_result r;

	assert_non_null(f);
	find_init(f, (struct sink){ take, env }, UINT64_MAX);
	for (size_t i = 0; i < mail->len;) {
		size_t k = 1 + randombytes_uniform(9000);

		k = k < mail->len - i ? k : mail->len - i;
		T_RC(find_add(f, mail->p + i, k, &e), RC_OK);
		i += k;
	}
	T_RC(find_end(f, &r, &e), RC_OK);
	assert_int_equal(r, FIND_ONE);
	T_STR(find_message_id(f), head.message_id);
	T_STR(find_from(f), head.from);
	free(f);
}

/* Octet for octet what a relay gets (PROTOCOL 2.9). */
static void
test_exact(void **state)
{
	static const char want[] =
	    "From: <labo@transport.example>\r\n"
	    "To: <dr@transport.example>\r\n"
	    "Subject: Message scelle\r\n"
	    "Date: Thu, 01 Jan 2026 07:00:00 +0000\r\n"
	    "Message-ID: <00112233445566778899aabbccddeeff"
	    "@transport.example>\r\n"
	    "MIME-Version: 1.0\r\n"
	    "Content-Type: multipart/mixed;\r\n"
	    " boundary=\"=_sceau_00112233445566778899aabbccddeeff\"\r\n"
	    "\r\n"
	    "--=_sceau_00112233445566778899aabbccddeeff\r\n"
	    "Content-Type: text/plain; charset=utf-8\r\n"
	    "Content-Transfer-Encoding: quoted-printable\r\n"
	    "\r\n"
	    "Ce message est scell=C3=A9=C2=A0: il s'ouvre avec le "
	    "logiciel sceau.\r\n"
	    "This message is sealed: open it with the program sceau.\r\n"
	    "--=_sceau_00112233445566778899aabbccddeeff\r\n"
	    "Content-Type: application/vnd.sceau; "
	    "name=\"message.sceau\"\r\n"
	    "Content-Transfer-Encoding: base64\r\n"
	    "Content-Disposition: attachment; "
	    "filename=\"message.sceau\"\r\n"
	    "\r\n"
	    "U0NFQVUB\r\n"
	    "\r\n"
	    "--=_sceau_00112233445566778899aabbccddeeff--\r\n";
	struct buf out = BUF_INIT;

	(void)state;
	wrap_it(&head, (const uint8_t *)"SCEAU\001", 6, 6, &out);
	T_STR(buf_str(&out), want);
	buf_free(&out);
}

/* Every line is CRLF, at most 78 octets here, never a bare CR or LF. */
static void
check_lines(const struct buf *b)
{
	size_t col = 0;

	for (size_t i = 0; i < b->len; i++) {
		assert_true(b->p[i] < 0x80 && b->p[i] != '\0');
		if (b->p[i] == '\r')
			assert_true(i + 1 < b->len && b->p[i + 1] == '\n');
		if (b->p[i] == '\n')
			assert_true(i > 0 && b->p[i - 1] == '\r');
		col = b->p[i] == '\n' ? 0 : col + 1;
		assert_true(col <= 78);
	}
	assert_int_equal(col, 0);
}

static void
test_round_trip(void **state)
{
	uint8_t *env = malloc(300001);

	(void)state;
	assert_non_null(env);
	randombytes_buf(env, 300001);
	memcpy(env, "SCEAU\001", 6);
	for (size_t len = 6; len <= 300000;
	    len += len < 300 ? 1 : 1 + randombytes_uniform(9000)) {
		struct buf a = BUF_INIT, b = BUF_INIT, back = BUF_INIT;
		struct err e = ERR_INIT;
		uint64_t n = 0;

		wrap_it(&head, env, len, 0, &a);
		wrap_it(&head, env, len, len, &b);
		assert_true(a.len == b.len && memcmp(a.p, b.p, a.len) == 0);
		T_RC(wrap_length(&head, len, &n, &e), RC_OK);
		assert_int_equal(n, a.len);
		check_lines(&a);
		find_it(&a, &back);
		assert_int_equal(back.len, len);
		assert_memory_equal(back.p, env, len);
		buf_free(&a);
		buf_free(&b);
		buf_free(&back);
	}
	free(env);
}

/* Lengths 0 to 5 hold no envelope, but are written and measured as well. */
static void
test_short(void **state)
{
	(void)state;
	for (size_t len = 0; len < 6; len++) {
		struct buf a = BUF_INIT;
		struct err e = ERR_INIT;
		uint64_t n = 0;

		wrap_it(&head, (const uint8_t *)"SCEAU\001", len, 1, &a);
		T_RC(wrap_length(&head, len, &n, &e), RC_OK);
		assert_int_equal(n, a.len);
		check_lines(&a);
		buf_free(&a);
	}
}

/* Nothing can be smuggled into a header line. */
static void
test_refused(void **state)
{
	static const char *const bad_addr[] = { "", "x", "a@b\r\nBcc: c@d",
	    "a b@c.example", "<a@b.example>", "a@b.example\n", "\"a\"@b" };
	static const char *const bad_id[] = { "", "a b", "a>b", "<a@b>",
	    "a\r\nb", "\xe9@b", "a\"b" };
	static const char *const bad_boundary[] = { "", "a b", "a\"b",
	    "a\r\nb", N71 };
	struct buf out = BUF_INIT;
	struct err e = ERR_INIT;
	struct wrap_head h;
	struct wrap w;
	struct sink s = { take, &out };

	(void)state;
	for (size_t i = 0; i < 7; i++) {
		h = head;
		h.from = bad_addr[i];
		T_RC(wrap_begin(&w, &h, s, &e), RC_INPUT);
		h = head;
		h.to = bad_addr[i];
		T_RC(wrap_begin(&w, &h, s, &e), RC_INPUT);
		h = head;
		h.message_id = bad_id[i];
		T_RC(wrap_begin(&w, &h, s, &e), RC_INPUT);
	}
	for (size_t i = 0; i < 5; i++) {
		h = head;
		h.boundary = bad_boundary[i];
		T_RC(wrap_begin(&w, &h, s, &e), RC_INPUT);
	}
	assert_int_equal(out.len, 0);
}

static void
test_message_id(void **state)
{
	const uint8_t rnd[WRAP_RANDOM_BYTES] = { 0xab, 1 };
	char id[WRAP_ID_BYTES];

	(void)state;
	wrap_message_id("dr@[IPv6:::1]", rnd, id);
	T_STR(id, "ab010000000000000000000000000000@[IPv6:::1]");
	wrap_message_id("dr@x.example", rnd, id);
	T_STR(id, "ab010000000000000000000000000000@x.example");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exact),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_short),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_message_id),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
