#include "unit.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "wire/link.h"
#include "wire/tls.h"

#define A43 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

static void
test_pins_have_one_spelling(void **state)
{
	static const char *const bad[] = { "", "sha256//", A43 "=",
	    "sha256//" A43, "sha256//" A43 "A", "sha256//" A43 "==",
	    "sha256/" A43 "==", "SHA256//" A43 "=", "sha256//*" A43 };
	uint8_t pin[TLS_PIN_BYTES];

	(void)state;
	memset(pin, 1, sizeof(pin));
	T_CHECK(tls_pin_parse("sha256//" A43 "=", pin));
	for (size_t i = 0; i < sizeof(pin); i++)
		assert_int_equal(pin[i], 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		T_CHECK(!tls_pin_parse(bad[i], pin));
}

static void
test_names_are_sent_and_addresses_not(void **state)
{
	char name[] = "mail.example", v4[] = "192.0.2.1", v6[] = "2001:db8::1";
	char pin[] = "sha256//" A43 "=";
	struct conf_server s = { .host = name, .pin = pin };
	struct err e = ERR_INIT;
	struct tls *t;

	(void)state;
	T_RC(tls_new(&s, 0, &t, &e), RC_OK);
	T_STR(tls_sni(t), "mail.example");
	assert_int_equal(SSL_CTX_get_min_proto_version(tls_ctx(t)),
	    TLS1_2_VERSION);
	assert_int_equal(SSL_CTX_get_verify_mode(tls_ctx(t)),
	    SSL_VERIFY_PEER);
	tls_free(&t);
	T_CHECK(t == NULL);
	s.host = v4;
	T_RC(tls_new(&s, TLS1_2_VERSION, &t, &e), RC_OK);
	T_CHECK(tls_sni(t) == NULL);
	assert_int_equal(SSL_CTX_get_max_proto_version(tls_ctx(t)),
	    TLS1_2_VERSION);
	tls_free(&t);
	s.host = v6;
	T_RC(tls_new(&s, 0, &t, &e), RC_OK);
	T_CHECK(tls_sni(t) == NULL);
	tls_free(&t);
	tls_free(&t);
}

/* --- Memory of OpenSSL's that ends -------------------------------------- */

static long left = -1;	/* allocations before the one that fails; -1: none */
static long total;	/* of one tls_new() */
static bool fired;

static bool
ends(void)
{
	if (left < 0 || left-- > 0)
		return false;
	fired = true;
	return true;
}

static void *
some_malloc(size_t len, const char *file, int line)
{
	(void)file;
	(void)line;
	return ends() ? NULL : malloc(len);
}

static void *
some_realloc(void *p, size_t len, const char *file, int line)
{
	(void)file;
	(void)line;
	return ends() ? NULL : realloc(p, len);
}

static void
some_free(void *p, const char *file, int line)
{
	(void)file;
	(void)line;
	free(p);
}

/* Either all of the rules, or none of it and a reason that is none of the
 * operator's: a session whose rules cannot be found verifies nothing. */
static void
test_no_rule_is_left_out_when_memory_ends(void **state)
{
	char name[] = "mail.example", none[] = "/nonexistent/ca.pem";
	struct conf_server s = { .host = name, .ca_file = none };
	struct tls *t;
	enum rc rc;
	long n = 0;

	(void)state;
	do {
		struct err e = ERR_INIT;

		left = n++;
		fired = false;
		rc = tls_new(&s, TLS1_2_VERSION, &t, &e);
		left = -1;
		T_CHECK(t == NULL);
		/* RC_CONF: all went well but for that file. */
		if (rc != RC_CONF)
			T_RC(rc, RC_NOMEM);
		else if (strstr(e.text, none) == NULL)
			fail_msg("allocation %ld: %s", n, e.text);
	} while (fired);
	total = n;
	T_CHECK(n > 20);
}

static void
test_rules_are_kept_when_memory_ends(void **state)
{
	char name[] = "mail.example", pin[] = "sha256//" A43 "=";
	struct conf_server s = { .host = name, .pin = pin };
	struct tls *t;

	(void)state;
	for (long n = total > 60 ? total - 60 : 0; n < total; n++) {
		struct err e = ERR_INIT;
		enum rc rc;

		left = n;
		rc = tls_new(&s, TLS1_2_VERSION, &t, &e);
		left = -1;
		if (rc == RC_OK) {
			T_CHECK(SSL_CTX_get_app_data(tls_ctx(t)) == t);
			assert_int_equal(SSL_CTX_get_verify_mode(tls_ctx(t)),
			    SSL_VERIFY_PEER);
			T_STR(X509_VERIFY_PARAM_get0_host(
			    SSL_CTX_get0_param(tls_ctx(t)), 0), name);
		} else {
			T_RC(rc, RC_NOMEM);
		}
		tls_free(&t);
	}
}

static void
test_what_a_server_says_never_shows_the_password(void **state)
{
	struct secret secret = SECRET_INIT;
	char said[LINK_SAID_CHARS];

	(void)state;
	T_CHECK(secret_set(&secret, "hunter2", 7));
	link_said(&secret, "no hunter2 here", 15, said);
	T_STR(said, "");
	link_said(&secret, "no hunter3\x1b\xff", 12, said);
	T_STR(said, "no hunter3\?\?");
	secret_wipe(&secret);
}

static void
test_sasl_answers(void **state)
{
	char user[] = "user";
	struct conf_server s = { .user = user };
	struct link l = { .server = &s };
	struct secret secret = SECRET_INIT;
	struct buf out = BUF_INIT;

	(void)state;
	T_CHECK(secret_set(&secret, "pass", 4));
	T_CHECK(link_plain(&l, &secret, &out));
	T_STR(buf_str(&out), "AHVzZXIAcGFzcw==");
	T_CHECK(link_xoauth2(&l, &secret, &out));
	T_STR(buf_str(&out), "dXNlcj11c2VyAWF1dGg9QmVhcmVyIHBhc3MBAQ==");
	buf_free(&out);
	secret_wipe(&secret);
}

static void
test_secrets_that_cannot_be_sent(void **state)
{
	char host[] = "h";
	struct conf_server s = { .host = host };
	struct link l = { .server = &s };
	struct secret secret = SECRET_INIT;
	struct err e = ERR_INIT;

	(void)state;
	T_RC(link_secret(&l, NULL, &e), RC_CONF);
	T_RC(link_secret(&l, &secret, &e), RC_CONF);
	T_CHECK(secret_set(&secret, "a\0b", 3));
	T_RC(link_secret(&l, &secret, &e), RC_CONF);
	T_CHECK(secret_set(&secret, "a\r\nQUIT", 7));
	T_RC(link_secret(&l, &secret, &e), RC_CONF);
	T_CHECK(strstr(e.text, "QUIT") == NULL);
	T_CHECK(secret_set(&secret, "caf\303\251", 5));
	T_RC(link_secret(&l, &secret, &e), RC_OK);
	secret_wipe(&secret);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pins_have_one_spelling),
		cmocka_unit_test(test_names_are_sent_and_addresses_not),
		cmocka_unit_test(
		    test_what_a_server_says_never_shows_the_password),
		cmocka_unit_test(test_no_rule_is_left_out_when_memory_ends),
		cmocka_unit_test(test_rules_are_kept_when_memory_ends),
		cmocka_unit_test(test_sasl_answers),
		cmocka_unit_test(test_secrets_that_cannot_be_sent)
	};
	struct err e = ERR_INIT;

	if (secret_init(&e) != RC_OK)
		return 1;
	/* Before anything else of OpenSSL's. */
	if (CRYPTO_set_mem_functions(some_malloc, some_realloc, some_free) !=
	    1)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
