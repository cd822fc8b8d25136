#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "mail/submit.h"

#define NO_LIMIT UINT64_MAX
/* What a message without From, Date and Message-ID gets. */
#define F "From: dr.martin@cabinet.example\r\n"
#define D "Date: Thu, 01 Jan 2026 07:00:00 +0000\r\n"
#define I "Message-ID: <1@cabinet.example>\r\n"

static const struct submit_add add = {
	.from = "dr.martin@cabinet.example",
	.date = 1767250800,
	.message_id = "1@cabinet.example",
	.recipients = true,
};

static enum rc
take(void *arg, const uint8_t *p, size_t len, struct err *e)
{
	(void)e;
	assert_true(len > 0);
	assert_true(buf_add(arg, p, len));
	return RC_OK;
}

static enum rc
scan(struct submit *s, const void *in, size_t len, size_t step, uint64_t max,
    struct err *e)
{
	const uint8_t *p = in;
	enum rc rc = RC_OK;

	submit_init(s, max);
	for (size_t i = 0; i < len && rc == RC_OK; i += step)
		rc = submit_scan(s, p + i, len - i < step ? len - i : step, e);
	return rc == RC_OK ? submit_scan_end(s, &add, e) : rc;
}

static void
copy(struct submit *s, const void *in, size_t len, size_t step,
    struct buf *out)
{
	struct sink sink = { take, out };
	struct err e = ERR_INIT;
	const uint8_t *p = in;

	buf_wipe(out);
	for (size_t i = 0; i < len; i += step)
		T_RC(submit_copy(s, p + i, len - i < step ? len - i : step,
		    sink, &e), RC_OK);
	T_RC(submit_copy_end(s, &e), RC_OK);
	assert_int_equal(out->len, submit_length(s));
}

/* The MAIL made of ${in}, the same whatever the cuts and at each pass. */
static void
gives(const char *in, size_t len, const char *want, size_t nwant,
    bool converted)
{
	static const size_t steps[] = { 1, 2, 3, 17, 100000 };
	struct buf out = BUF_INIT;
	struct err e = ERR_INIT;
	struct submit s;

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		if (scan(&s, in, len, steps[i], NO_LIMIT, &e) != RC_OK)
			fail_msg("%s: %s", in, e.text);
		assert_int_equal(s.converted, converted);
		for (int pass = 0; pass < 2; pass++) {
			copy(&s, in, len, steps[i], &out);
			if (out.len != nwant ||
			    memcmp(out.p, want, nwant) != 0)
				fail_msg("%s\nis not\n%s", buf_str(&out),
				    want);
		}
		submit_free(&s);
	}
	buf_free(&out);
}

#define GIVES(in, want, converted) \
	gives(in, sizeof(in) - 1, want, sizeof(want) - 1, converted)

static void
test_untouched(void **state)
{
	(void)state;
	GIVES(F D I "To: a@b\r\n\r\nbody\r\n", F D I "To: a@b\r\n\r\nbody\r\n",
	    false);
	/* body octets are carried as they are (2.19.13) */
	GIVES(F D I "\r\na\nb\rc\0d\xff\r\n\r\r\n\n",
	    F D I "\r\na\nb\rc\0d\xff\r\n\r\r\n\n", false);
	GIVES(F D I "\r\nno end", F D I "\r\nno end", false);
	GIVES(F D I "Subject: a\r\n\t b\r\nX: \xe9\r\n\r\n",
	    F D I "Subject: a\r\n\t b\r\nX: \xe9\r\n\r\n", false);
}

static void
test_bare_lf(void **state)
{
	(void)state;
	GIVES("From: a@b\nDate: x\nMessage-ID: <y>\n\nbody\n\nend",
	    "From: a@b\r\nDate: x\r\nMessage-ID: <y>\r\n\r\nbody\r\n\r\nend",
	    true);
	GIVES("From: a@b\nDate: x\nMessage-ID: <y>\n\na\rb\0c\n",
	    "From: a@b\r\nDate: x\r\nMessage-ID: <y>\r\n\r\na\rb\0c\r\n",
	    true);
}

static void
test_removed(void **state)
{
	(void)state;
	GIVES(F "Bcc: a@b,\r\n c@d\r\n" D "X-Sceau: forged\r\n\tmore\r\n"
	    "x-sceauflags: y\r\n" I "bCC:\r\nX-Scea: kept\r\n\r\nBcc: e@f\r\n",
	    F D I "X-Scea: kept\r\n\r\nBcc: e@f\r\n", false);
	GIVES("Bcc: a@b\n\nx\n", F D I "\r\nx\r\n", true);
}

static void
test_added(void **state)
{
	(void)state;
	GIVES("To: a@b\r\n\r\nx", "To: a@b\r\n" F D I "\r\nx", false);
	GIVES(D "\r\n", D F I "\r\n", false);
	GIVES("\nbody\n", F D I "\r\nbody\r\n", true);
	GIVES("\r\nbody\n", F D I "\r\nbody\n", false);
	/* a message may be its header alone (RFC 5322 3.5) */
	GIVES("Subject: x", "Subject: x\r\n" F D I "\r\n", false);
	GIVES("Subject: x\n", "Subject: x\r\n" F D I "\r\n", true);
	GIVES("Subject: x\r\n", "Subject: x\r\n" F D I "\r\n", false);
}

/* A name of this machine, as cron writes it, is no sender. */
static void
test_local_from(void **state)
{
	static const char folded[] = "X: \r\n From: a@b\r\nFrom:\r\n"
	    "\troot (Cron\r\n Daemon)\r\n\r\n";
	struct err e = ERR_INIT;
	struct submit s;

	(void)state;
	GIVES("From: root (Cron Daemon)\n\nx", F D I "\r\nx", true);
	GIVES(folded, "X: \r\n From: a@b\r\n" F D I "\r\n", false);
	T_RC(scan(&s, folded, sizeof(folded) - 1, 1, 1000, &e), RC_OK);
	T_CHECK(s.from_added);
	T_STR(s.from.s, add.from);
	submit_free(&s);
	submit_init(&s, 1000);
	T_RC(submit_scan(&s, folded, sizeof(folded) - 1, &e), RC_OK);
	T_CHECK(!submit_has_from(&s));
	submit_free(&s);
	submit_init(&s, 1000);
	T_RC(submit_scan(&s, "From:\n a@b\n\n", 13, &e), RC_OK);
	T_CHECK(submit_has_from(&s));
	submit_free(&s);
}

static void
test_refused(void **state)
{
	static const struct { const char *in; size_t len; const char *says; }
	v[] = {
#define V(in, says) { in, sizeof(in) - 1, says }
		V("", "the message is empty"),
		V("hello\n", "header line 1: it is not \"Name: value\""),
		V("To: a@b\nhello\n\n", "header line 2: it is not"),
		V("To : a@b\n\n", "header line 1: it is not"),
		V(": a@b\n\n", "header line 1: it is not"),
		V("From a@b Thu\nTo: a@b\n\n", "header line 1: it is not"),
		V("\xe9: a@b\n\n", "header line 1: it is not"),
		V(" To: a@b\n\n", "header line 1: it begins with a blank"),
		V("To: a@b\nSubject: a\0b\n\n", "header line 2: it holds a N"),
		V("To: a@b\n x\n y\0\n\n", "header line 3: it holds a NUL"),
		V("To: a@b\n \nX: y\n\n", "header line 2: it holds only b"),
		V("To: a@b\r\n\t\r\n\r\n", "header line 2: it holds only"),
		V("To: a@b\r\nSubject: a\rb\r\n\r\n",
		    "header line 2: it holds a CR"),
		V("Subject: a\r", "header line 1: it holds a CR"),
		V("Subject: a\r\r\n\r\n", "header line 1: it holds a CR"),
		V("A: b\r\n\r\r\n\r\n", "header line 2: it holds a CR"),
		V("A: b\r\nC: d\n\r\n", "some lines end in LF"),
		V("A: b\n\nbody\r\n", "some lines end in LF"),
		V("A: b\n\nbody\nbody\r\n", "some lines end in LF"),
		V("A: b\r\n\nbody\n", "some lines end in LF"),
		V("From: a@b\nFrom: a@b\n\n", "header line 2: a second From"),
		V("To: a@b\nX: y\n z\nto: c@d\n\n",
		    "header line 4: a second To"),
		V("Date: x\nDate: y\n\n", "header line 2: a second Date"),
		V("Message-ID: x\nMessage-id: y\n\n",
		    "header line 2: a second Message-ID"),
		V("Subject: x\nSubject: y\n\n",
		    "header line 2: a second Subject"),
		V("Cc: a@b\nCc: a@b\n\n", "header line 2: a second Cc"),
		V("Reply-To: a@b\nReply-To: a@b\n\n",
		    "header line 2: a second Reply-To"),
		V("From: a@b, c@d\n\n",
		    "header line 1, From: it must name one sender"),
		V("From:\n\n", "header line 1, From: it must name one sender"),
		V("From: nobody <>\n\n", "header line 1, From: address 1"),
		V("From: nobody, x\n\n", "header line 1, From: address 1"),
		V("To: a@b,\n Jean\n\n", "header line 1, To: address 2"),
		V("X: y\nBcc: <a@b\n\n", "header line 2, Bcc: address 1"),
	};
	struct err e = ERR_INIT;
	struct submit s;

	(void)state;
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++)
		for (size_t step = 1; step < 40; step += 6) {
			if (scan(&s, v[i].in, v[i].len, step, NO_LIMIT, &e) !=
			    RC_INPUT)
				fail_msg("accepted: %s", v[i].in);
			if (strncmp(e.text, v[i].says,
			    strlen(v[i].says)) != 0)
				fail_msg("%s: %s", v[i].in, e.text);
			assert_int_equal(e.class, EC_INNER);
			submit_free(&s);
		}
}

static void
test_recipients(void **state)
{
	static const char in[] = "To: Dr <Dr@C.example>, a@b\nCc: c@d;\n"
	    "Bcc: e@f,\n A@B\nBcc: g@h\nReply-To: no@no\n"
	    "From: \"L\" <labo@l.example>\n\nTo: no@no\n";
	static const char *const want[] = { "dr@c.example", "a@b", "c@d",
	    "e@f", "g@h" };
	struct submit_add quiet = add;
	struct err e = ERR_INIT;
	struct submit s;

	(void)state;
	T_RC(scan(&s, in, sizeof(in) - 1, 7, NO_LIMIT, &e), RC_OK);
	assert_int_equal(s.nrcpts, 5);
	for (size_t i = 0; i < 5; i++)
		T_STR(s.rcpts[i].s, want[i]);
	T_STR(s.from.s, "labo@l.example");
	assert_int_equal(s.nremoved, 2);
	T_CHECK(!s.from_added && s.date_added && s.message_id_added);
	submit_free(&s);

	/* without -t nobody reads them: a name alone is no mistake */
	quiet.recipients = false;
	submit_init(&s, NO_LIMIT);
	T_RC(submit_scan(&s, "To: Jean\n\n", 10, &e), RC_OK);
	T_RC(submit_scan_end(&s, &quiet, &e), RC_OK);
	assert_int_equal(s.nrcpts, 0);
	T_STR(s.from.s, add.from);
	submit_free(&s);
}

static void
test_recipient_limit(void **state)
{
	struct buf in = BUF_INIT;
	struct err e = ERR_INIT;
	struct submit s;

	(void)state;
	for (int n = SUBMIT_RCPT_MAX; n <= SUBMIT_RCPT_MAX + 1; n++) {
		buf_wipe(&in);
		assert_true(buf_adds(&in, "To:"));
		for (int i = 0; i < n; i++)
			assert_true(buf_addf(&in, "\n a%d@b,", i));
		assert_true(buf_adds(&in, "\n\n"));
		T_RC(scan(&s, in.p, in.len, 4096, NO_LIMIT, &e),
		    n > SUBMIT_RCPT_MAX ? RC_INPUT : RC_OK);
		submit_free(&s);
	}
	buf_free(&in);
}

/* 65,536 octets of header as MAIL has it, and one more. */
static void
test_head_limit(void **state)
{
	struct buf in = BUF_INIT;
	struct err e = ERR_INIT;
	struct submit s;

	(void)state;
	for (int lf = 0; lf < 2; lf++) {
		const char *end = lf ? "\n" : "\r\n";

		for (size_t more = 0; more < 2; more++) {
			size_t n = SUBMIT_HEAD_MAX_BYTES + more -
			    strlen("X: \r\n" F D I "\r\n");

			buf_wipe(&in);
			assert_true(buf_adds(&in, "X: "));
			while (n-- > 0)
				assert_true(buf_adds(&in, "x"));
			assert_true(buf_addf(&in, "%s%s", end, end));
			T_RC(scan(&s, in.p, in.len, 4096, NO_LIMIT, &e),
			    more ? RC_INPUT : RC_OK);
			if (more)
				assert_int_equal(e.class, EC_TOOBIG);
			submit_free(&s);
		}
	}
	/* one that never ends is refused while it is read */
	submit_init(&s, NO_LIMIT);
	buf_wipe(&in);
	while (in.len < SUBMIT_HEAD_MAX_BYTES)
		assert_true(buf_adds(&in, "x"));
	T_RC(submit_scan(&s, in.p, in.len, &e), RC_OK);
	T_RC(submit_scan(&s, "x", 1, &e), RC_INPUT);
	assert_int_equal(e.class, EC_TOOBIG);
	submit_free(&s);
	buf_free(&in);
}

/* A field's name of 255 octets, and one more. */
static void
test_name_limit(void **state)
{
	struct buf in = BUF_INIT;
	struct err e = ERR_INIT;
	struct submit s;

	(void)state;
	while (in.len < 255)
		assert_true(buf_adds(&in, "x"));
	for (int more = 0; more < 2; more++) {
		assert_true(buf_adds(&in, ": y\n\n"));
		T_RC(scan(&s, in.p, in.len, 100, NO_LIMIT, &e),
		    more ? RC_INPUT : RC_OK);
		submit_free(&s);
		in.len = 255;
		assert_true(buf_adds(&in, "x"));
	}
	buf_free(&in);
}

static void
test_size_limit(void **state)
{
	static const char crlf[] = F D I "\r\nbody\r\n";
	static const char lf[] = "From: a@b\nDate: x\nMessage-ID: y\n\nb\n\n";
	struct err e = ERR_INIT;
	struct submit s;

	(void)state;
	T_RC(scan(&s, crlf, sizeof(crlf) - 1, 9, sizeof(crlf) - 1, &e), RC_OK);
	submit_free(&s);
	T_RC(scan(&s, crlf, sizeof(crlf) - 1, 9, sizeof(crlf) - 2, &e),
	    RC_INPUT);
	assert_int_equal(e.class, EC_TOOBIG);
	submit_free(&s);
	/* six LF become CRLF */
	T_RC(scan(&s, lf, sizeof(lf) - 1, 9, sizeof(lf) - 1 + 6, &e), RC_OK);
	submit_free(&s);
	T_RC(scan(&s, lf, sizeof(lf) - 1, 9, sizeof(lf) - 1 + 5, &e),
	    RC_INPUT);
	submit_free(&s);
	T_RC(scan(&s, crlf, sizeof(crlf) - 1, 9, 3, &e), RC_INPUT);
	assert_int_equal(e.class, EC_TOOBIG);
	submit_free(&s);
}

/* The second pass must see what the first has seen. */
static void
test_changed(void **state)
{
	static const char in[] = F D I "\r\nbody\r\n";
	struct buf out = BUF_INIT;
	struct sink sink = { take, &out };
	struct err e = ERR_INIT;
	struct submit s;

	(void)state;
	T_RC(scan(&s, in, sizeof(in) - 1, 9, NO_LIMIT, &e), RC_OK);
	T_RC(submit_copy(&s, in, sizeof(in) - 2, sink, &e), RC_OK);
	T_RC(submit_copy_end(&s, &e), RC_TEMP);
	T_RC(submit_copy(&s, in, sizeof(in) - 1, sink, &e), RC_OK);
	T_RC(submit_copy(&s, "x", 1, sink, &e), RC_TEMP);
	submit_free(&s);
	buf_free(&out);
}

/* Long bodies of bare LF, through the copy's own buffer. */
static void
test_long_lf(void **state)
{
	struct buf in = BUF_INIT, out = BUF_INIT;
	struct err e = ERR_INIT;
	struct submit s;

	(void)state;
	assert_true(buf_adds(&in, "A: b\n\n"));
	for (int i = 0; i < 50000; i++)
		assert_true(buf_adds(&in, i % 7 < 5 ? "\n" : "x"));
	T_RC(scan(&s, in.p, in.len, in.len, NO_LIMIT, &e), RC_OK);
	copy(&s, in.p, in.len, in.len, &out);
	assert_true(out.len > in.len + 35000);
	submit_free(&s);
	buf_free(&in);
	buf_free(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_untouched),
		cmocka_unit_test(test_bare_lf),
		cmocka_unit_test(test_removed),
		cmocka_unit_test(test_added),
		cmocka_unit_test(test_local_from),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_recipients),
		cmocka_unit_test(test_recipient_limit),
		cmocka_unit_test(test_head_limit),
		cmocka_unit_test(test_name_limit),
		cmocka_unit_test(test_size_limit),
		cmocka_unit_test(test_changed),
		cmocka_unit_test(test_long_lf),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
