#include "unit.h"

#include <string.h>

#include "wire/imap_talk.h"

static void
name_is(const char *utf8, const char *want)
{
	struct buf out = BUF_INIT;
	struct err e = ERR_INIT;

	T_RC(imap_name("mailbox", utf8, &out, &e), RC_OK);
	T_STR(buf_str(&out), want);
	buf_free(&out);
}

static void
no_name(const char *text, const char *why)
{
	struct buf out = BUF_INIT;
	struct err e = ERR_INIT;

	T_RC(imap_name("mailbox", text, &out, &e), RC_CONF);
	assert_non_null(strstr(e.text, "mailbox"));
	if (strstr(e.text, why) == NULL)
		fail_msg("%s", e.text);
	buf_free(&out);
}

/* RFC 3501 5.1.3 */
static void
test_names_in_modified_utf7(void **state)
{
	static const char *const bad[] = { "\303", "\303x", "\355\240\200",
	    "\300\200", "\364\220\200\200", "\377", "\200", "\340\200\200",
	    "\360\200\200\200", "a\303", "\303\251\377" };

	(void)state;
	name_is("INBOX", "INBOX");
	name_is("a&b", "a&-b");
	name_is("&", "&-");
	name_is("~peter/mail/\345\217\260\345\214\227/"
	    "\346\227\245\346\234\254\350\252\236",
	    "~peter/mail/&U,BTFw-/&ZeVnLIqe-");
	name_is("scell\303\251", "scell&AOk-");
	name_is("\303\251\303\251&\303\251", "&AOkA6Q-&-&AOk-");
	name_is("\360\237\230\200", "&2D3eAA-");
	name_is("", "");
	name_is("\356\200\200", "&4AA-");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		no_name(bad[i], "not UTF-8");
	no_name("a\r\nDELETE b", "line end");
}

static bool
id_ok(const char *s, uint32_t *validity, uint32_t *uid)
{
	return imap_id_parse((struct bytes){ (const uint8_t *)s, strlen(s) },
	    validity, uid);
}

static void
test_ids_have_one_spelling(void **state)
{
	static const char *const bad[] = { "", ".", "1", "1.", ".1", "0.1",
	    "1.0", "01.1", "1.01", "1.1.1", "1,1", "-1.1", "1.4294967296",
	    "4294967296.1", "1.99999999999", "1. 1", "x.1" };
	char out[IMAP_ID_CHARS];
	uint32_t validity, uid;

	(void)state;
	T_CHECK(id_ok("4294967295.4294967295", &validity, &uid));
	T_CHECK(validity == UINT32_MAX && uid == UINT32_MAX);
	assert_int_equal(imap_id_format(validity, uid, out), 21);
	T_STR(out, "4294967295.4294967295");
	T_CHECK(id_ok("1.2", &validity, &uid) && validity == 1 && uid == 2);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		T_CHECK(!id_ok(bad[i], &validity, &uid));
}

static void
test_sets_are_short(void **state)
{
	static const uint32_t uids[] = { 1, 2, 2, 3, 7, 9, 10, UINT32_MAX };
	struct mailimap_set *set = imap_set(uids, 8);
	const struct mailimap_set_item *item;

	(void)state;
	assert_non_null(set);
	assert_int_equal(clist_count(set->set_list), 4);
	item = clist_content(clist_begin(set->set_list));
	T_CHECK(item->set_first == 1 && item->set_last == 3);
	item = clist_content(clist_end(set->set_list));
	T_CHECK(item->set_first == UINT32_MAX && item->set_last == UINT32_MAX);
	mailimap_set_free(set);
}

/* What could not be allocated is not sent: libetpan would follow it. */
static void
test_nothing_is_not_asked_for(void **state)
{
	struct mailimap_fetch_type *type =
	    mailimap_fetch_type_new_fetch_att_list_empty();

	(void)state;
	assert_non_null(type);
	T_CHECK(!imap_ask_for(type, NULL));
	T_CHECK(imap_ask_for(type, mailimap_fetch_att_new_uid()));
	assert_int_equal(clist_count(type->ft_data.ft_fetch_att_list), 1);
	mailimap_fetch_type_free(type);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names_in_modified_utf7),
		cmocka_unit_test(test_ids_have_one_spelling),
		cmocka_unit_test(test_sets_are_short),
		cmocka_unit_test(test_nothing_is_not_asked_for)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
