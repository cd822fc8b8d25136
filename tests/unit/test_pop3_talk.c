/* POP3, with servers that say what is seldom said; link.c's own refusals. */
#include "config.h"

#include "script.h"
#include "seen.h"

#include "base/secret.h"
#include "wire/link.h"

#define HEARD 65536
#define HELLO(capa)							\
	{ "CAPA", "+OK\r\nUIDL\r\n" capa ".\r\n", 0 },			\
	{ "USER", "+OK\r\n", 0 }, { "PASS", "+OK\r\n", 0 }
#define GOODBYE { "QUIT", "+OK\r\n", 0 }, { NULL, NULL, 0 }
#define THREE { "UIDL", "+OK\r\n1 a\r\n2 b\r\n3 c\r\n.\r\n", 0 },	\
	{ "LIST", "+OK\r\n1 6\r\n2 6\r\n3 60\r\n.\r\n", 0 }
#define MAIL "+OK\r\nmail\r\n.\r\n"

static struct secret secret = SECRET_INIT;
static struct conf_account account;
static struct script server;
static struct source *source;

static const struct bytes none = { NULL, 0 };
static const struct bytes ids[3] = { { (const uint8_t *)"a", 1 },
    { (const uint8_t *)"b", 1 }, { (const uint8_t *)"c", 1 } };

static enum rc
open_at(const struct script_row *rows, size_t max_list, struct err *e)
{
	const struct source_limits limits = { 50, max_list, 0 };

	forget();
	script_start(&server, "+OK\r\n", rows);
	account.server.port = server.port;
	T_RC(source_new(&account, &limits, &source, e), RC_OK);
	return source_open(source, &secret, e);
}

/* How often it has heard ${word}. */
static size_t
leave(const char *word)
{
	static char room[HEARD];
	size_t n = 0;

	source_close(&source);
	script_heard(&server, room, sizeof(room));
	script_stop(&server);
	for (const char *at = room; (at = strstr(at, word)) != NULL; at++)
		n++;
	return n;
}

static void
test_more_than_one_can_hold(void **state)
{
	const struct script_row rows[] = { HELLO(""), THREE, GOODBYE };
	struct err e = ERR_INIT;

	(void)state;
	T_RC(open_at(rows, 2, &e), RC_OK);
	T_RC(source_list(source, none, on_list, NULL, &e), RC_TEMP);
	assert_non_null(strstr(e.text, "more than 2 messages"));
	assert_int_equal(seen.n, 0);
	leave("QUIT");
	T_RC(open_at(rows, 3, &e), RC_OK);
	T_RC(source_list(source, none, on_list, NULL, &e), RC_OK);
	assert_int_equal(seen.n, 3);
	leave("QUIT");
}

/* Lines that end in LF alone, and empty ones, are read as they are meant. */
static void
test_lines_of_a_careless_server(void **state)
{
	const struct script_row rows[] = { { "CAPA", "+OK\nUIDL\n\n.\n", 0 },
	    { "USER", "+OK\n", 0 }, { "PASS", "+OK\n", 0 },
	    { "UIDL", "+OK\n1 a\n\n.\n", 0 }, { "LIST", "+OK\n1 6\n.\n", 0 },
	    GOODBYE };
	struct err e = ERR_INIT;

	(void)state;
	T_RC(open_at(rows, 0, &e), RC_OK);
	T_RC(source_list(source, none, on_list, NULL, &e), RC_OK);
	assert_int_equal(seen.n, 1);
	T_STR(seen.id[0], "a");
	leave("QUIT");
}

static void
test_lines_longer_than_any(void **state)
{
	static char answer[4106];
	const struct script_row rows[] = { { "CAPA", answer, 0 }, GOODBYE };
	struct err e = ERR_INIT;

	(void)state;
	memset(answer, 'x', sizeof(answer) - 1);
	memcpy(answer, "+OK\r\n", 5);
	memcpy(answer + 4100, "\r\n.\r\n", 5);
	T_RC(open_at(rows, 0, &e), RC_TEMP);
	assert_int_equal(source_why(source), WHY_SERVER);
	assert_int_equal(leave("USER"), 0);
}

static void
test_a_consumer_that_fails(void **state)
{
	const struct script_row rows[] = { HELLO(""), THREE,
	    { "RETR", MAIL, 0 }, GOODBYE };
	enum rc *when[] = { &seen.at_begin, &seen.at_data, &seen.at_end };
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		T_RC(open_at(rows, 0, &e), RC_OK);
		*when[i < 3 ? i : 2] = RC_PERM;
		/* The third is too large: ended before any is asked for. */
		T_RC(source_fetch(source, i < 3 ? ids : &ids[2], i < 3 ? 2 : 1,
		    &sink, &e), RC_PERM);
		assert_int_equal(seen.ends, i < 2 ? 0 : 1);
		assert_int_equal(source_why(source), WHY_LOCAL);
		assert_int_equal(leave("RETR"), i < 3 ? 1 : 0);
	}
}

/* As many questions at once as configured, within reason. */
static void
test_questions_at_once(void **state)
{
	static const int batches[] = { 0, 2, 100000 };
	const struct script_row rows[] = { HELLO("PIPELINING\r\n"), THREE,
	    { "RETR", MAIL, 0 }, { "DELE", "+OK\r\n", 0 }, GOODBYE };
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		enum source_done done[3];

		account.batch = batches[i];
		T_RC(open_at(rows, 0, &e), RC_OK);
		T_RC(source_fetch(source, ids, 2, &sink, &e), RC_OK);
		assert_int_equal(seen.ends, 2);
		T_RC(source_release(source, ids, 3, CONF_AFTER_DELETE, NULL,
		    done, &e), RC_OK);
		for (size_t k = 0; k < 3; k++)
			assert_int_equal(done[k], SOURCE_RELEASED);
		assert_int_equal(leave("DELE"), 3);
	}
	account.batch = 100;
}

static void
test_a_list_that_does_not_come(void **state)
{
	const struct script_row rows[] = { HELLO(""),
	    { "UIDL", "-ERR not now\r\n", 0 }, GOODBYE };
	enum source_done done[3];
	struct err e = ERR_INIT;

	(void)state;
	T_RC(open_at(rows, 0, &e), RC_OK);
	T_RC(source_fetch(source, ids, 3, &sink, &e), RC_TEMP);
	T_CHECK(seen.ends == 0 && leave("RETR") == 0);
	T_RC(open_at(rows, 0, &e), RC_OK);
	T_RC(source_release(source, ids, 3, CONF_AFTER_DELETE, NULL, done,
	    &e), RC_TEMP);
	for (size_t k = 0; k < 3; k++)
		assert_int_equal(done[k], SOURCE_PENDING);
	assert_int_equal(leave("DELE"), 0);
}

/* A long token waits for the server's word, and is not said without. */
static void
test_a_mechanism_that_is_refused(void **state)
{
	const struct script_row rows[] = {
	    { "CAPA", "+OK\r\nSASL XOAUTH2\r\n.\r\n", 0 },
	    { "AUTH", "-ERR [AUTH] no\r\n", 0 }, GOODBYE };
	const struct script_row hangs[] = {
	    { "CAPA", "+OK\r\nSASL XOAUTH2\r\n.\r\n", 0 },
	    { "AUTH", NULL, 0 }, GOODBYE };
	char token[400];
	struct err e = ERR_INIT;

	(void)state;
	memset(token, 't', sizeof(token));
	T_CHECK(secret_set(&secret, token, sizeof(token)));
	account.server.auth = CONF_AUTH_XOAUTH2;
	T_RC(open_at(rows, 0, &e), RC_TEMP);
	assert_int_equal(source_why(source), WHY_LOGIN);
	assert_int_equal(leave("dHR0dHR0"), 0);
	T_RC(open_at(hangs, 0, &e), RC_TEMP);
	assert_int_equal(source_why(source), WHY_NETWORK);
	assert_int_equal(leave("dHR0dHR0"), 0);
	account.server.auth = CONF_AUTH_PASSWORD;
	T_CHECK(secret_set(&secret, "pass", 4));
}

/* Who refuses the name is not told the password. */
static void
test_a_name_that_is_refused(void **state)
{
	const struct script_row refuses[] = { { "CAPA", "-ERR\r\n", 0 },
	    { "USER", "-ERR who\r\n", 0 }, GOODBYE };
	const struct script_row hangs[] = { { "CAPA", "-ERR\r\n", 0 },
	    { "USER", NULL, 0 }, GOODBYE };
	struct err e = ERR_INIT;

	(void)state;
	T_RC(open_at(refuses, 0, &e), RC_TEMP);
	assert_int_equal(source_why(source), WHY_LOGIN);
	assert_int_equal(leave("PASS"), 0);
	T_RC(open_at(hangs, 0, &e), RC_TEMP);
	assert_int_equal(source_why(source), WHY_NETWORK);
	assert_int_equal(leave("PASS"), 0);
}

/* ---- link.c ------------------------------------------------------------ */

static void
test_servers_without_a_name(void **state)
{
	const struct conf_server was = account.server;
	static char empty[] = "", user[] = "dr\r\nQUIT";
	const struct source_limits limits = { 50, 0, 0 };
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		account.server = was;
		if (i < 2)
			account.server.host = i == 0 ? NULL : empty;
		else
			account.server.user = i == 2 ? NULL : user;
		T_RC(source_new(&account, &limits, &source, &e), RC_CONF);
		T_CHECK(source == NULL);
		assert_null(strstr(e.text, "QUIT"));
	}
	account.server = was;
}

static void
test_where_a_password_may_go(void **state)
{
	struct conf_server s = { .tls = CONF_TLS_NONE };
	struct link l = { .server = &s };
	struct err e = ERR_INIT;
	char host[] = "host";
	int fd[2];

	(void)state;
	s.host = host;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	l.stream = stream_new(fd[0], host, 5, &e);
	T_CHECK(!link_safe(&l));	/* in clear, to another machine */
	l.peer.loopback = true;
	T_CHECK(link_safe(&l));
	s.tls = CONF_TLS_STARTTLS;	/* which was not begun */
	T_CHECK(!link_safe(&l));
	s.tls = CONF_TLS_NONE;
	stream_kill(l.stream, WHY_NETWORK, &e);
	T_CHECK(!link_safe(&l));
	link_free(&l);
	close(fd[1]);
}

static void
test_words_of_a_server_are_short(void **state)
{
	struct secret empty = SECRET_INIT;
	char words[2 * LINK_SAID_CHARS], said[LINK_SAID_CHARS];
	struct conf_server s = { .tls = CONF_TLS_NONE };
	struct link l = { .server = &s };
	char host[] = "host";
	struct err e = ERR_INIT;

	(void)state;
	s.host = host;
	memset(words, 'w', sizeof(words));
	link_said(&empty, words, sizeof(words), said);
	assert_int_equal(strlen(said), LINK_SAID_CHARS - 1);
	T_CHECK(secret_set(&empty, "", 0));
	link_said(&empty, words, 3, said);
	T_STR(said, "www");
	T_RC(link_secret(&l, &empty, &e), RC_CONF);
	assert_non_null(strstr(e.text, "no password was given"));
	secret_wipe(&empty);
}

static int
set_up(void **state)
{
	static char host[] = "127.0.0.1", user[] = "dr";
	struct err e = ERR_INIT;

	(void)state;
	account = (struct conf_account){ .protocol = CONF_POP3, .batch = 100,
	    .server = { .host = host, .user = user, .tls = CONF_TLS_NONE,
	    .timeout_s = 20 } };
	return secret_init(&e) != RC_OK || !secret_set(&secret, "pass", 4) ?
	    -1 : 0;
}

static int
tear_down(void **state)
{
	(void)state;
	forget();
	secret_wipe(&secret);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_more_than_one_can_hold),
		cmocka_unit_test(test_lines_of_a_careless_server),
		cmocka_unit_test(test_lines_longer_than_any),
		cmocka_unit_test(test_a_consumer_that_fails),
		cmocka_unit_test(test_questions_at_once),
		cmocka_unit_test(test_a_list_that_does_not_come),
		cmocka_unit_test(test_a_mechanism_that_is_refused),
		cmocka_unit_test(test_a_name_that_is_refused),
		cmocka_unit_test(test_servers_without_a_name),
		cmocka_unit_test(test_where_a_password_may_go),
		cmocka_unit_test(test_words_of_a_server_are_short)
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
