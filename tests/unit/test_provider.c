/* Servers in one word, and the table of providers. */
#include "config.h"

#include "unit.h"

#include <string.h>

#include "base/buf.h"
#include "base/file.h"
#include "conf/provider.h"

static void
test_place(void **state)
{
	static const struct {
		const char	*s;
		enum place_kind	 kind;
		enum conf_tls	 tls;
		const char	*said;
	} v[] = {
		{ "imap.x.fr", PLACE_IMAP, CONF_TLS_IMPLICIT, "imap.x.fr:993" },
		{ "pop.x.fr", PLACE_POP3, CONF_TLS_IMPLICIT, "pop.x.fr:995" },
		{ "smtp.x.fr", PLACE_SMTP, CONF_TLS_IMPLICIT,
		    "smtp.x.fr:465" },
		{ "x.fr:587", PLACE_SMTP, CONF_TLS_STARTTLS, "x.fr:587" },
		{ "x.fr:143", PLACE_IMAP, CONF_TLS_STARTTLS, "x.fr:143" },
		{ "x.fr:2500/starttls", PLACE_SMTP, CONF_TLS_STARTTLS,
		    "x.fr:2500/starttls" },
		{ "x.fr:2500", PLACE_SMTP, CONF_TLS_IMPLICIT, "x.fr:2500" },
		{ "x.fr:25", PLACE_SMTP, CONF_TLS_STARTTLS, "x.fr:25" },
		{ "localhost:25", PLACE_SMTP, CONF_TLS_NONE, "localhost:25" },
		{ "127.0.0.1:25/starttls", PLACE_SMTP, CONF_TLS_STARTTLS,
		    "127.0.0.1:25" },
	};
	struct err e = ERR_INIT;
	char said[PLACE_BYTES];
	struct place p;

	(void)state;
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		T_RC(place_parse(v[i].s, v[i].kind, &p, &e), RC_OK);
		place_format(&p, said);
		T_STR(said, v[i].said);
		assert_int_equal(p.tls, v[i].tls);
	}
	assert_int_equal(place_kind_of("POP.free.fr"), PLACE_POP3);
	assert_int_equal(place_kind_of("mail.free.fr"), PLACE_IMAP);
}

static void
test_no_place(void **state)
{
	static const char *const bad[] = { "", ":993", "x y", "x.fr:",
	    "x.fr:0", "x.fr:65536", "x.fr:99399999", "x.fr:993/tls", "x.fr/",
	    "a@x.fr" };
	struct err e = ERR_INIT;
	char long_one[PLACE_HOST_BYTES + 1];
	struct place p;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		T_RC(place_parse(bad[i], PLACE_IMAP, &p, &e), RC_CONF);
	memset(long_one, 'a', sizeof(long_one) - 1);
	long_one[sizeof(long_one) - 1] = '\0';
	T_RC(place_parse(long_one, PLACE_IMAP, &p, &e), RC_CONF);
}

static enum rc
find(const char *text, const char *name, struct provider *p, bool *found,
    struct err *e)
{
	return provider_find("table", text, strlen(text), name, p, found, e);
}

static void
test_find(void **state)
{
	static const char text[] = "# names\n\n"
	    "a.fr,b.fr\ti.a.fr - s.a.fr:587 name,app # why\r\n"
	    ".mx.c.fr  -  p.c.fr  s.c.fr  address,token";
	struct err e = ERR_INIT;
	struct provider p;
	bool found;

	(void)state;
	T_RC(find(text, "B.FR", &p, &found, &e), RC_OK);
	T_CHECK(found && p.name_only && p.app && !p.token);
	T_STR(p.fetch[PLACE_IMAP].host, "i.a.fr");
	T_STR(p.fetch[PLACE_POP3].host, "");
	assert_int_equal(p.relay.tls, CONF_TLS_STARTTLS);
	T_RC(find(text, "mx1.mx.c.fr", &p, &found, &e), RC_OK);
	T_CHECK(found && !p.name_only && p.token);
	T_STR(p.fetch[PLACE_POP3].host, "p.c.fr");
	for (size_t i = 0; i < 4; i++) {
		static const char *const none[] = { "fr", "x.a.fr", "mx.c.fr",
		    "xmx.c.fr" };

		T_RC(find(text, none[i], &p, &found, &e), RC_OK);
		T_CHECK(!found);
	}
}

static void
test_wrong_table(void **state)
{
	static const char *const bad[] = { "a.fr i.fr\n",
	    "a.fr i.fr p.fr s.fr address more\n", "a.fr i.fr p.fr s.fr what\n",
	    "a.fr i.fr:x p.fr s.fr address\n" };
	struct err e = ERR_INIT;
	struct provider p;
	bool found;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		T_RC(find(bad[i], "z.fr", &p, &found, &e), RC_CONF);
		T_CHECK(strncmp(e.text, "table:1: ", 9) == 0);
	}
}

/* conf/providers itself: each row can be read, and the large ones are there. */
static void
test_own_table(void **state)
{
	static const char *const names[] = { "orange.fr", "wanadoo.fr",
	    "free.fr", "sfr.fr", "neuf.fr", "laposte.net", "bbox.fr",
	    "gmail.com", "hotmail.fr", "yahoo.fr", "icloud.com", "mailo.com",
	    "mx1.mail.ovh.net", "spool.mail.gandi.net",
	    "mta-gw.infomaniak.ch" };
	struct buf text = BUF_INIT;
	struct err e = ERR_INIT;
	struct provider p;
	bool found;

	(void)state;
	T_RC(file_read(T_SRC("conf/providers"), 1 << 20, &text, &e),
	    RC_OK);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		T_RC(provider_find("providers", text.p, text.len, names[i],
		    &p, &found, &e), RC_OK);
		T_CHECK(found && p.fetch[PLACE_IMAP].host[0] != '\0' &&
		    p.relay.host[0] != '\0');
	}
	T_RC(provider_find("providers", text.p, text.len, "free.fr", &p,
	    &found, &e), RC_OK);
	T_CHECK(p.name_only);
	buf_free(&text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_place),
		cmocka_unit_test(test_no_place),
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_wrong_table),
		cmocka_unit_test(test_own_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
