/* The field that the vault puts on an opened mail, and mails without it. */
#include "config.h"

#include <string.h>

#include "unit.h"

#include "flow/field.h"

static enum rc
reading(const char *text, size_t len, struct field *f)
{
	struct err e = ERR_INIT;
	enum rc rc = field_read((struct bytes){ (const uint8_t *)text, len },
	    f, &e);

	T_CHECK(rc != RC_INPUT || e.class == EC_POLICY);
	return rc;
}

static enum rc
says(const char *text, struct field *f)
{
	return reading(text, strlen(text), f);
}

static void
test_who_and_what(void **state)
{
	struct buf b = BUF_INIT;
	struct field f;

	(void)state;
	T_RC(says("X-Sceau: sender=demo/labo@labo.example#1; path=direct;\r\n"
	    "\tsealed=now; flags=late,possible-duplicate\r\n"
	    "From: x\r\n", &f), RC_OK);
	T_STR(f.address, "labo@labo.example");
	T_CHECK(field_say(&f, &b));
	T_CHECK(strstr(buf_str(&b), "filed before") != NULL &&
	    strstr(buf_str(&b), "long ago") != NULL &&
	    strstr(buf_str(&b), "gateway") == NULL);
	buf_wipe(&b);
	T_RC(says("X-Sceau: sender=labo@labo.example; x\r\n"
	    " flags=not-late;\r\n\r\n", &f), RC_OK);
	T_STR(f.address, "labo@labo.example");
	T_CHECK(field_say(&f, &b) && b.len == 0);
	buf_free(&b);
}

/* What a stranger writes below it means nothing. */
static void
test_only_the_first_field(void **state)
{
	struct buf b = BUF_INIT;
	struct field f;

	(void)state;
	T_RC(says("X-Sceau: sender=demo/a@b.example#1\r\n"
	    "X-Sceau: sender=demo/c@d.example#1; flags=late\r\n", &f), RC_OK);
	T_STR(f.address, "a@b.example");
	T_CHECK(field_say(&f, &b) && b.len == 0);
	buf_free(&b);
}

static void
test_no_field_of_ours(void **state)
{
	static const char *const none[] = { "", "X-Sceau: ",
	    "X-Sceau: sender=a@b.example", "X-Sceau: path=direct\r\n\r\n",
	    "Subject: x\r\nX-Sceau: sender=a@b.example\r\n",
	    "X-Sceau: x\r\n\t", "x-sceau: sender=a@b.example\r\n\r\n" };
	char text[4096] = "X-Sceau: sender=";
	struct field f;

	(void)state;
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		T_RC(says(none[i], &f), RC_INPUT);
	/* A name longer than any, and a field without end. */
	memset(text + 16, 'a', 400);
	memcpy(text + 416, "\r\n\r\n", 5);
	T_RC(says(text, &f), RC_INPUT);
	memset(text + 16, ' ', sizeof(text) - 16);
	T_RC(reading(text, sizeof(text), &f), RC_INPUT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_who_and_what),
		cmocka_unit_test(test_only_the_first_field),
		cmocka_unit_test(test_no_field_of_ours),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
