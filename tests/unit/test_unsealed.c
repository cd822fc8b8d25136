#include "unit.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "mail/unsealed.h"

#define SAYS "From: =?utf-8?B?Tk9UIFNFQUxFRCwgY2xhaW1zIHRvIGJl?="
#define UNKNOWN "From: =?utf-8?B?Tk9UIFNFQUxFRCwgc2VuZGVyIHVua25vd24=?="
#define OURS " <not-sealed@sceau.invalid>"
#define MARK "Subject: =?utf-8?B?W05PVCBTRUFMRURdIA==?="

static enum rc
take(void *arg, const uint8_t *p, size_t len, struct err *e)
{
	(void)e;
	assert_true(len > 0);
	assert_true(buf_add(arg, p, len));
	return RC_OK;
}

/* ${mail} in pieces of ${step}; what came out, to be freed. */
static struct buf
run(const void *mail, size_t len, size_t step, enum rc want)
{
	struct err e = ERR_INIT;
	struct buf out = BUF_INIT;
	struct unsealed u;
	const char *p = mail;
	enum rc rc = RC_OK;

	unsealed_init(&u, (struct sink){ take, &out });
	for (size_t i = 0; rc == RC_OK && i < len; i += step)
		rc = unsealed_add(&u, p + i, step < len - i ? step : len - i,
		    &e);
	if (rc == RC_OK)
		rc = unsealed_end(&u, &e);
	assert_int_equal(rc, want);
	unsealed_free(&u);
	return out;
}

static void
shows(const char *mail, const char *want)
{
	for (size_t step = 1; step <= strlen(mail) + 1; step++) {
		struct buf out = run(mail, strlen(mail), step, RC_OK);

		assert_string_equal(buf_str(&out), want);
		buf_free(&out);
	}
}

static void
marked(void **state)
{
	(void)state;
	shows("Received: by x\r\n\tsomewhere\r\nFrom: Labo <labo@x.example>\r\n"
	    "Subject: INR\r\nDate: now\r\nContent-Type: text/plain\r\n\r\n"
	    "From: a\r\n\r\n\r\nb",
	    SAYS " \"labo@x.example\"\r\n" OURS "\r\n"
	    "Received: by x\r\n\tsomewhere\r\n"
	    "X-Claimed-From: Labo <labo@x.example>\r\n" MARK " INR\r\n"
	    "Date: now\r\nContent-Type: text/plain\r\n\r\n"
	    "From: a\r\n\r\n\r\nb");
	shows("From: a@b.example\nSubject:\n INR\n\nbody\n",
	    SAYS " \"a@b.example\"\n" OURS "\nX-Claimed-From: a@b.example\n"
	    MARK " \n INR\n\nbody\n");
}

static void
names_that_pass_for_another(void **state)
{
	(void)state;
	shows("X-Sceau: sender=labo/labo@x.example#1\r\nX-Sceau-Flags: a\r\n"
	    "Sender: labo@x.example\r\nReply-To: labo@x.example\r\n"
	    "fRoM \t: labo@x.example\r\nSubject: a\r\nSubject: b\r\n\r\n",
	    SAYS " \"labo@x.example\"\r\n" OURS "\r\n"
	    "X-Claimed-X-Sceau: sender=labo/labo@x.example#1\r\n"
	    "X-Claimed-X-Sceau-Flags: a\r\n"
	    "X-Claimed-Sender: labo@x.example\r\n"
	    "X-Claimed-Reply-To: labo@x.example\r\n"
	    "X-Claimed-fRoM: labo@x.example\r\n" MARK " a\r\n"
	    "X-Claimed-Subject: b\r\n\r\n");
}

/* What one reader of mail takes for a field, and another for none. */
static void
no_fields(void **state)
{
	static const char nul[] = "To: a\0From: labo@x.example\r\n\r\n";
	struct buf out;

	(void)state;
	shows(" From: labo@x.example\r\nFrom labo@x.example Mon\r\n"
	    "Fr om: labo@x.example\r\n: labo@x.example\r\n"
	    "To: a\rFrom: labo@x.example\r\n \r\nFrom:\r\n\r\n",
	    UNKNOWN "\r\n" OURS "\r\n"
	    "X-Claimed-Line:  From: labo@x.example\r\n"
	    "X-Claimed-Line: From labo@x.example Mon\r\n"
	    "X-Claimed-Line: Fr om: labo@x.example\r\n"
	    "X-Claimed-Line: : labo@x.example\r\n"
	    "To: a From: labo@x.example\r\n \r\nX-Claimed-From:\r\n"
	    MARK "\r\n\r\n");
	out = run(nul, sizeof(nul) - 1, 7, RC_OK);
	assert_string_equal(buf_str(&out), UNKNOWN "\r\n" OURS "\r\n"
	    "To: a From: labo@x.example\r\n" MARK "\r\n\r\n");
	buf_free(&out);
}

static void
one_sender_or_none(void **state)
{
	static const char *const heads[] = { "From: a@x.example, b@x.example",
	    "From: a@x.example\r\nFrom: a@x.example", "From: Labo",
	    "From: \"a\\\"@x.example\" <\"q q\"@x.example>",
	    "To: a@x.example" };

	(void)state;
	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		struct buf out = run(heads[i], strlen(heads[i]), 100, RC_OK);

		assert_int_equal(strncmp(buf_str(&out), UNKNOWN,
		    strlen(UNKNOWN)), 0);
		buf_free(&out);
	}
}

static void
without_a_header(void **state)
{
	(void)state;
	shows("\r\nbody", UNKNOWN "\r\n" OURS "\r\n" MARK "\r\n\r\nbody");
	shows("", UNKNOWN "\r\n" OURS "\r\n" MARK "\r\n\r\n");
	shows("From: a@b.example",
	    SAYS " \"a@b.example\"\r\n" OURS "\r\n"
	    "X-Claimed-From: a@b.example\r\n" MARK "\r\n\r\n");
}

static void
a_header_without_end(void **state)
{
	static const size_t lens[] = { UNSEALED_HEAD_MAX_BYTES,
	    UNSEALED_HEAD_MAX_BYTES + 1, UNSEALED_HEAD_MAX_BYTES + 5 };
	char *mail = malloc(lens[2]);
	struct buf out;

	(void)state;
	assert_non_null(mail);
	memset(mail, 'a', lens[2]);
	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		out = run(mail, lens[i], 4096, i == 0 ? RC_OK : RC_INPUT);
		assert_int_equal(out.len > 0, i == 0);
		buf_free(&out);
	}
	memcpy(mail + lens[0] - 2, "\n\nab", 4);
	out = run(mail, lens[0] + 2, 4096, RC_OK);
	assert_int_equal(strncmp((const char *)out.p + out.len - 4, "\n\nab",
	    4), 0);
	buf_free(&out);
	free(mail);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(marked),
		cmocka_unit_test(names_that_pass_for_another),
		cmocka_unit_test(no_fields),
		cmocka_unit_test(one_sender_or_none),
		cmocka_unit_test(without_a_header),
		cmocka_unit_test(a_header_without_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
