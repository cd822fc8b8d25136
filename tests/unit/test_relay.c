/* What a relay is given, what its libraries refuse, and what then is not
 * sent: no octet of a mail, no letter of a password. */
#include "config.h"

#include "odd.h"
#include "script.h"

#include "base/secret.h"
#include "wire/relay.h"

#define HEARD 4096

static const char body[] = "From: a@b.example\r\n\r\nmail\r\n";

/* ---- mails ------------------------------------------------------------- */

static struct {
	size_t			 left;
	size_t			 at;	/* in the open one */
	struct relay_result	 last;
	size_t			 done;
} mails;

static enum rc
next(void *arg, struct relay_mail *m, bool *more, struct err *e)
{
	(void)arg;
	(void)e;
	if ((*more = mails.left > 0)) {
		mails.left--;
		mails.at = 0;
		*m = (struct relay_mail){ "a@b.example", "c@d.example",
		    sizeof(body) - 1 };
	}
	return RC_OK;
}

static enum rc
give(void *arg, void *p, size_t cap, size_t *len, struct err *e)
{
	(void)arg;
	(void)e;
	*len = sizeof(body) - 1 - mails.at;
	if (*len > cap)
		*len = cap;
	memcpy(p, body + mails.at, *len);
	mails.at += *len;
	return RC_OK;
}

static enum rc
done(void *arg, const struct relay_result *result, struct err *e)
{
	(void)arg;
	(void)e;
	mails.last = *result;
	mails.done++;
	return RC_OK;
}

static struct secret secret = SECRET_INIT;
static struct conf_relay conf;
static struct script server;

static void
relay_of(enum conf_engine engine, enum conf_tls tls, enum conf_auth auth)
{
	static char name[] = "test", host[] = "localhost", user[] = "labo";

	memset(&odd, 0, sizeof(odd));
	memset(&mails, 0, sizeof(mails));
	conf = (struct conf_relay){ .name = name, .engine = engine,
	    .server = { .host = host, .port = server.port, .tls = tls,
	    .user = user, .auth = auth, .timeout_s = 20 } };
}

static enum rc
send_mails(size_t n, struct err *e)
{
	const struct relay_feed feed = { NULL, next, give, done, NULL };
	struct relay *r;
	enum rc rc = relay_new(&conf, &r, e);

	mails.left = n;
	mails.done = 0;
	if (rc == RC_OK)
		rc = relay_run(r, &secret, &feed, e);
	relay_close(&r);
	return rc;
}

#define EHLO "250-relay\r\n250-AUTH PLAIN\r\n250 ENHANCEDSTATUSCODES\r\n"

#define LOGIN "AGxhYm8AcGFzcw=="	/* of labo, with "pass" */

static const struct script_row plain[] = {
	{ "EHLO", EHLO, 0 }, { "AUTH PLAIN ", "235 2.7.0 ok\r\n", 0 },
	{ "AUTH PLAIN", "334 \r\n", 0 }, { LOGIN, "235 2.7.0 ok\r\n", 0 },
	{ "NOOP", "250 2.0.0 ok\r\n", 0 },
	{ "MAIL FROM", "250 2.1.0 ok\r\n", 0 },
	{ "RCPT TO", "250 2.1.5 ok\r\n", 0 }, { "DATA", "354 go\r\n", 0 },
	{ "QUIT", "221 2.0.0 bye\r\n", 0 }, { ".", "250 2.0.0 ok\r\n", 0 },
	{ NULL, NULL, 0 }
};

static const struct script_row tiny[] = {
	{ "EHLO", "250-relay\r\n250 SIZE 10\r\n", 0 },
	{ "MAIL FROM", "250 ok\r\n", 0 }, { "RCPT TO", "250 ok\r\n", 0 },
	{ "DATA", "354 go\r\n", 0 }, { "QUIT", "221 bye\r\n", 0 },
	{ ".", "250 ok\r\n", 0 }, { NULL, NULL, 0 }
};

/* It has not heard a word since it was asked last. */
static void
nothing_was_said(void)
{
	char room[HEARD];

	T_STR(script_heard(&server, room, sizeof(room)), "");
}

/* ---- libcurl ----------------------------------------------------------- */

/* Whatever the reason, one of these left out could mean: to whom, in clear,
 * with whose authority, for ever. */
static void
test_no_option_is_left_out(void **state)
{
	static const int all[] = { CURLOPT_PROTOCOLS_STR, CURLOPT_URL,
	    CURLOPT_USERNAME, CURLOPT_LOGIN_OPTIONS, CURLOPT_USE_SSL,
	    CURLOPT_RESOLVE, CURLOPT_VERBOSE, CURLOPT_MAIL_FROM,
	    CURLOPT_MAIL_RCPT, CURLOPT_UPLOAD, CURLOPT_INFILESIZE_LARGE };
	struct err e = ERR_INIT;

	(void)state;
	script_start(&server, "220 relay\r\n", plain);
	relay_of(CONF_ENGINE_CURL, CONF_TLS_NONE, CONF_AUTH_PASSWORD);
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		enum rc rc;

		odd.option = all[i];
		odd.met = false;
		rc = send_mails(1, &e);
		if (!odd.met || (rc != RC_CONF && rc != RC_NOMEM))
			fail_msg("option %d: %d, %s", all[i], (int)rc,
			    e.text);
		T_CHECK(mails.done <= 1 && (mails.done == 0 ||
		    mails.last.verdict == RELAY_DEFERRED));
		nothing_was_said();
	}
	odd.option = 0;
	T_RC(send_mails(2, &e), RC_OK);
	T_CHECK(mails.done == 2 && mails.last.verdict == RELAY_SENT);
	script_stop(&server);
}

static void
test_no_rule_of_tls_is_left_out(void **state)
{
	static const int all[] = { CURLOPT_USE_SSL, CURLOPT_SSLVERSION,
	    CURLOPT_SSL_VERIFYHOST, CURLOPT_SSL_VERIFYPEER, CURLOPT_CERTINFO,
	    CURLOPT_PINNEDPUBLICKEY, CURLOPT_SSL_SESSIONID_CACHE,
	    CURLOPT_XOAUTH2_BEARER, CURLOPT_LOGIN_OPTIONS };
	char pin[] = "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
	struct err e = ERR_INIT;

	(void)state;
	script_start(&server, "220 relay\r\n", plain);
	relay_of(CONF_ENGINE_CURL, CONF_TLS_STARTTLS, CONF_AUTH_XOAUTH2);
	conf.server.pin = pin;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		enum rc rc;

		odd.option = all[i];
		odd.met = false;
		rc = send_mails(1, &e);
		if (!odd.met || rc != RC_CONF || mails.done != 0)
			fail_msg("option %d: %d, %s", all[i], (int)rc,
			    e.text);
		nothing_was_said();
	}
	script_stop(&server);
}

static void
test_a_check_says_what_it_lacks(void **state)
{
	static const int all[] = { CURLOPT_CUSTOMREQUEST, CURLOPT_NOBODY,
	    CURLOPT_URL };
	const struct script_row hangs_up[] = { { NULL, NULL, 0 } };
	struct err e = ERR_INIT;
	struct relay *r;

	(void)state;
	script_start(&server, "220 relay\r\n", plain);
	for (size_t i = 0; i < 4; i++) {
		enum rc rc;

		relay_of(CONF_ENGINE_CURL, CONF_TLS_NONE,
		    CONF_AUTH_PASSWORD);
		T_RC(relay_new(&conf, &r, &e), RC_OK);
		odd.option = i < 3 ? all[i] : 0;
		rc = relay_check(r, &secret, &e);
		T_RC(rc, i < 2 ? RC_NOMEM : i < 3 ? RC_CONF : RC_OK);
		if (i < 3)
			nothing_was_said();
		relay_close(&r);
	}
	script_stop(&server);
	/* Our own; and the relay hangs up. */
	script_start(&server, "220 relay\r\n", hangs_up);
	relay_of(CONF_ENGINE_SCEAU, CONF_TLS_NONE, CONF_AUTH_NONE);
	T_RC(relay_new(&conf, &r, &e), RC_OK);
	T_RC(relay_check(r, &secret, &e), RC_TEMP);
	assert_int_equal(relay_why(r), WHY_NETWORK);
	relay_close(&r);
	script_stop(&server);
}

/* RFC 1870 4: the last line of an answer counts as those before it. */
static void
test_a_limit_in_the_last_line(void **state)
{
	char room[HEARD];
	struct err e = ERR_INIT;

	(void)state;
	script_start(&server, "220 relay\r\n", tiny);
	relay_of(CONF_ENGINE_CURL, CONF_TLS_NONE, CONF_AUTH_NONE);
	T_RC(send_mails(1, &e), RC_OK);
	assert_int_equal(mails.done, 1);
	assert_int_equal(mails.last.verdict, RELAY_REFUSED);
	assert_int_equal(mails.last.code, 552);
	script_heard(&server, room, sizeof(room));
	assert_non_null(strstr(room, "EHLO"));
	assert_null(strstr(room, "From: "));
	script_stop(&server);
}

static void
test_a_library_that_does_not_begin(void **state)
{
	struct err e = ERR_INIT;
	struct relay *r;

	(void)state;
	relay_of(CONF_ENGINE_CURL, CONF_TLS_NONE, CONF_AUTH_NONE);
	odd.no_global = true;
	T_RC(relay_new(&conf, &r, &e), RC_NOMEM);
	T_CHECK(r == NULL);
	T_RC(send_mails(1, &e), RC_NOMEM);
}

/* ---- authorities ------------------------------------------------------- */

static void
test_without_authorities_only_a_pin_will_do(void **state)
{
	char pin[] = "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
	struct err e = ERR_INIT;
	struct relay *r;

	(void)state;
	relay_of(CONF_ENGINE_CURL, CONF_TLS_IMPLICIT, CONF_AUTH_NONE);
	conf.server.pin = pin;
	odd.no_files = true;
	T_RC(relay_new(&conf, &r, &e), RC_OK);
	relay_close(&r);
	conf.server.pin = NULL;
	T_RC(relay_new(&conf, &r, &e), RC_CONF);
	T_CHECK(r == NULL);
}

/* The system's: wherever this machine has them. */
static void
test_authorities_of_the_system(void **state)
{
	struct err e = ERR_INIT;
	struct relay *r;

	(void)state;
	relay_of(CONF_ENGINE_CURL, CONF_TLS_IMPLICIT, CONF_AUTH_NONE);
	if (relay_new(&conf, &r, &e) != RC_OK) {
		T_RC(e.rc, RC_CONF);	/* it has none */
		return;
	}
	relay_close(&r);
	/* A library that takes octets needs no file of them. */
	odd.blobs = true;
	odd.met = false;
	T_RC(relay_new(&conf, &r, &e), RC_OK);
	T_CHECK(!odd.met);
	relay_close(&r);
	odd.blobs = false;
	odd.option = CURLOPT_CAINFO_BLOB;
	odd.no_memfd = true;
	T_CHECK(relay_new(&conf, &r, &e) != RC_OK && r == NULL);
	assert_non_null(strstr(e.text, "memfd_create"));
}

/* ---- names and addresses ----------------------------------------------- */

static void
test_settings_that_cannot_be(void **state)
{
	char helo[300], host[1200];
	struct err e = ERR_INIT;
	struct relay *r;

	(void)state;
	memset(helo, 'h', sizeof(helo));
	memset(host, 'h', sizeof(host));
	relay_of(CONF_ENGINE_CURL, CONF_TLS_NONE, CONF_AUTH_NONE);
	conf.helo = helo;
	helo[256] = '\0';
	T_RC(relay_new(&conf, &r, &e), RC_CONF);
	assert_non_null(strstr(e.text, "helo"));
	helo[255] = '\0';
	T_RC(relay_new(&conf, &r, &e), RC_OK);
	relay_close(&r);
	conf.helo = NULL;
	odd.families = "";
	T_RC(relay_new(&conf, &r, &e), RC_TEMP);
	assert_non_null(strstr(e.text, "cannot be found"));
	odd.families = "4";
	conf.server.host = host;
	host[1100] = '\0';
	T_RC(relay_new(&conf, &r, &e), RC_CONF);
	host[900] = '\0';
	T_RC(send_mails(1, &e), RC_NOMEM);
	assert_int_equal(mails.done, 0);
	host[810] = '\0';	/* with its address it is too long */
	T_RC(send_mails(1, &e), RC_NOMEM);
	assert_int_equal(mails.done, 0);
}

static void
test_which_engine_speaks_to_which_address(void **state)
{
	static const struct {
		const char		*families;
		enum conf_engine	 wanted;
		const char		*engine;	/* NULL: none */
	} cases[] = { { "4", CONF_ENGINE_AUTO, "libesmtp" },
	    { "64", CONF_ENGINE_AUTO, "libesmtp" },
	    { "6", CONF_ENGINE_AUTO, "libcurl" },
	    { "6", CONF_ENGINE_ESMTP, NULL },
	    { "46", CONF_ENGINE_CURL, "libcurl" },
	    { "444444444444", CONF_ENGINE_ESMTP, "libesmtp" } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct err e = ERR_INIT;
		struct relay *r;

		relay_of(cases[i].wanted, CONF_TLS_NONE, CONF_AUTH_NONE);
		odd.families = cases[i].families;
		if (cases[i].engine == NULL) {
			T_RC(relay_new(&conf, &r, &e), RC_CONF);
			assert_non_null(strstr(e.text, "engine = auto"));
			continue;
		}
		T_RC(relay_new(&conf, &r, &e), RC_OK);
		T_STR(relay_engine(r), cases[i].engine);
		relay_close(&r);
	}
}

static void
test_both_families(void **state)
{
	static const enum conf_engine engines[] = { CONF_ENGINE_CURL,
	    CONF_ENGINE_ESMTP };
	char six[] = "::1";
	struct err e = ERR_INIT;
	struct relay *r;

	(void)state;
	script_start(&server, "220 relay\r\n", plain);
	for (size_t i = 0; i < 2; i++) {
		relay_of(engines[i], CONF_TLS_NONE, CONF_AUTH_NONE);
		odd.families = "64";
		T_RC(send_mails(1, &e), RC_OK);
		assert_int_equal(mails.last.verdict, RELAY_SENT);
	}
	script_stop(&server);
	relay_of(CONF_ENGINE_CURL, CONF_TLS_NONE, CONF_AUTH_NONE);
	conf.server.host = six;
	odd.families = "6";
	T_RC(relay_new(&conf, &r, &e), RC_OK);
	relay_close(&r);
}

/* ---- libesmtp ---------------------------------------------------------- */

/* Its socket is found among others; one that is gone is not mourned. */
static void
test_a_socket_that_is_not_found(void **state)
{
	struct script other = { .pid = 0 };
	struct sockaddr_in a = { .sin_family = AF_INET };
	struct err e = ERR_INIT;
	char room[HEARD];
	int fd, pair[2];

	(void)state;
	script_start(&server, "220 relay\r\n", plain);
	script_start(&other, "220 other\r\n", plain);
	a.sin_port = htons(other.port);
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(connect(fd, (void *)&a, sizeof(a)), 0);
	relay_of(CONF_ENGINE_ESMTP, CONF_TLS_NONE, CONF_AUTH_PASSWORD);
	T_RC(send_mails(1, &e), RC_OK);
	assert_int_equal(mails.last.verdict, RELAY_SENT);
	script_heard(&server, room, sizeof(room));
	odd.gone = htons(server.port);
	T_RC(send_mails(1, &e), RC_TEMP);
	assert_int_equal(mails.last.verdict, RELAY_DEFERRED);
	script_heard(&server, room, sizeof(room));
	assert_null(strstr(room, "AUTH"));
	assert_null(strstr(room, "MAIL"));
	close(fd);
	close(pair[0]);
	close(pair[1]);
	script_stop(&other);
	script_stop(&server);
}

static void
test_names_longer_than_it_takes(void **state)
{
	char user[300];
	struct err e = ERR_INIT;

	(void)state;
	memset(user, 'u', sizeof(user));
	script_start(&server, "220 relay\r\n", plain);
	relay_of(CONF_ENGINE_ESMTP, CONF_TLS_NONE, CONF_AUTH_PASSWORD);
	conf.server.user = user;
	user[256] = '\0';
	T_RC(send_mails(1, &e), RC_CONF);
	assert_non_null(strstr(e.text, "engine = curl"));
	assert_int_equal(mails.done, 0);
	nothing_was_said();
	user[255] = '\0';
	T_RC(send_mails(1, &e), RC_OK);
	assert_int_equal(mails.last.verdict, RELAY_SENT);
	script_stop(&server);
}

/* ---- our own ----------------------------------------------------------- */

#define ENVELOPE { "MAIL FROM", "250 ok\r\n", 0 },			\
	{ "RCPT TO", "250 ok\r\n", 0 }, { "DATA", "354 go\r\n", 0 },	\
	{ "QUIT", "221 bye\r\n", 0 }
#define END { NULL, NULL, 0 }

/* A longer word is another one; who refuses the name is told no more. */
static void
test_a_login_of_two_words(void **state)
{
	const struct script_row rows[] = {
	    { "EHLO", "250-relay\r\n250-AUTH PLAINER LOGIN\r\n250\r\n", 0 },
	    { "AUTH LOGIN", "334 VXNlcm5hbWU6\r\n", 0 },
	    { "bGFibw==", "535 5.7.8 no\r\n", 0 }, ENVELOPE, END };
	struct err e = ERR_INIT;
	char room[HEARD];

	(void)state;
	script_start(&server, "220 relay\r\n", rows);
	relay_of(CONF_ENGINE_SCEAU, CONF_TLS_NONE, CONF_AUTH_PASSWORD);
	T_RC(send_mails(1, &e), RC_TEMP);
	assert_non_null(strstr(e.text, "refuses the user labo"));
	assert_int_equal(mails.last.verdict, RELAY_DEFERRED);
	script_heard(&server, room, sizeof(room));
	assert_non_null(strstr(room, "bGFibw=="));
	assert_null(strstr(room, "AUTH PLAIN"));
	assert_null(strstr(room, "cGFzcw=="));
	assert_null(strstr(room, "MAIL"));
	script_stop(&server);
}

static enum rc
next_bad(void *arg, struct relay_mail *m, bool *more, struct err *e)
{
	enum rc rc = next(arg, m, more, e);

	if (*more && mails.left == 0)
		m->to = "no address";
	return rc;
}

static bool
always(void *arg)
{
	(void)arg;
	return true;
}

/* The one before has no answer yet: this one is refused all the same. */
static void
test_no_address_behind_the_last_dot(void **state)
{
	const struct script_row rows[] = {
	    { "EHLO", "250-relay\r\n250 PIPELINING\r\n", 0 }, ENVELOPE,
	    { ".", NULL, 0 }, END };
	const struct relay_feed feed = { NULL, next_bad, give, done, always };
	struct err e = ERR_INIT;
	struct relay *r;

	(void)state;
	script_start(&server, "220 relay\r\n", rows);
	relay_of(CONF_ENGINE_SCEAU, CONF_TLS_NONE, CONF_AUTH_NONE);
	T_RC(relay_new(&conf, &r, &e), RC_OK);
	mails.left = 2;
	T_RC(relay_run(r, &secret, &feed, &e), RC_TEMP);
	assert_int_equal(mails.done, 2);
	assert_int_equal(mails.last.verdict, RELAY_REFUSED);
	assert_non_null(strstr(mails.last.text, "the recipient"));
	relay_close(&r);
	script_stop(&server);
}

/* The second address is for when the first does not answer; a token, whatever
 * else is offered; and a feed that cannot say whether there is more. */
static void
test_the_first_address_that_answers(void **state)
{
	const struct script_row rows[] = {
	    { "EHLO", "250-relay\r\n250-PIPELINING\r\n"
	    "250 AUTH XOAUTH2 PLAIN\r\n", 0 },
	    { "AUTH XOAUTH2 ", "235 ok\r\n", 0 }, ENVELOPE,
	    { ".", "250 ok\r\n", 0 }, END };
	const struct relay_feed feed = { NULL, next, give, done, NULL };

	(void)state;
	script_start(&server, "220 relay\r\n", rows);
	for (int i = 0; i < 2; i++) {
		struct err e = ERR_INIT;
		struct relay *r;

		relay_of(i == 0 ? CONF_ENGINE_SCEAU : CONF_ENGINE_ESMTP,
		    CONF_TLS_NONE, i == 0 ? CONF_AUTH_XOAUTH2 :
		    CONF_AUTH_NONE);
		odd.families = "44";
		T_RC(relay_new(&conf, &r, &e), RC_OK);
		odd.families = NULL;	/* our own asks for the number */
		mails.left = 2;
		T_RC(relay_run(r, &secret, &feed, &e), RC_OK);
		assert_int_equal(mails.done, 2);
		assert_int_equal(mails.last.verdict, RELAY_SENT);
		relay_close(&r);
	}
	script_stop(&server);
}

static int
set_up(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	odd_late();
	return secret_init(&e) != RC_OK || !secret_set(&secret, "pass", 4) ?
	    -1 : 0;
}

static int
tear_down(void **state)
{
	(void)state;
	secret_wipe(&secret);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_option_is_left_out),
		cmocka_unit_test(test_no_rule_of_tls_is_left_out),
		cmocka_unit_test(test_a_check_says_what_it_lacks),
		cmocka_unit_test(test_a_limit_in_the_last_line),
		cmocka_unit_test(test_a_library_that_does_not_begin),
		cmocka_unit_test(test_without_authorities_only_a_pin_will_do),
		cmocka_unit_test(test_authorities_of_the_system),
		cmocka_unit_test(test_settings_that_cannot_be),
		cmocka_unit_test(test_which_engine_speaks_to_which_address),
		cmocka_unit_test(test_both_families),
		cmocka_unit_test(test_a_socket_that_is_not_found),
		cmocka_unit_test(test_names_longer_than_it_takes),
		cmocka_unit_test(test_a_login_of_two_words),
		cmocka_unit_test(test_no_address_behind_the_last_dot),
		cmocka_unit_test(test_the_first_address_that_answers)
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
