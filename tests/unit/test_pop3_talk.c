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

/* ---- ids of more than one message --------------------------------------- */

#define TWO(uidl, list) { "UIDL", "+OK\r\n" uidl ".\r\n", 0 },		\
	{ "LIST", "+OK\r\n" list ".\r\n", 0 }
#define OTHER "+OK\r\nmore\r\n.\r\n"
/* SHA-256 of "mail\r\n" and of "more\r\n". */
#define SUM_MAIL "a 297318e80cc87402e53b382405ab7908" \
	"f70c93456aab7228cd5bcc802d2fe03d"
#define SUM_MORE "a f193e0f5de8b10f2a05d4499969caf03" \
	"f9ea8a12de5fc88d8f068e61e69554fb"

static void
list(const struct script_row *rows, struct err *e)
{
	T_RC(open_at(rows, 0, e), RC_OK);
	if (source_list(source, none, on_list, NULL, e) != RC_OK)
		fail_msg("%s", e->text);
}

static void
remove_these(const struct bytes *which, size_t n, enum source_done *done,
    enum rc rc)
{
	struct err e = ERR_INIT;

	T_RC(source_release(source, which, n, CONF_AFTER_DELETE, NULL, done,
	    &e), rc);
}

static void
test_two_of_one_id_are_told_apart(void **state)
{
	const struct script_row both[] = { HELLO(""),
	    TWO("1 a\r\n2 b\r\n3 a\r\n", "1 6\r\n2 6\r\n3 6\r\n"),
	    { "RETR 3", OTHER, 0 }, { "RETR", MAIL, 0 },
	    { "DELE", "+OK\r\n", 0 }, GOODBYE };
	const struct script_row one[] = { HELLO(""), TWO("1 a\r\n",
	    "1 6\r\n"), { "DELE", "+OK\r\n", 0 }, GOODBYE };
	const struct bytes named[] = { bytes(SUM_MAIL), bytes(SUM_MORE),
	    bytes("a") };
	enum source_done done[3];
	struct err e = ERR_INIT;

	(void)state;
	list(both, &e);
	assert_int_equal(seen.n, 3);
	T_STR(seen.id[0], SUM_MAIL);
	T_STR(seen.id[1], "b");
	T_STR(seen.id[2], SUM_MORE);
	assert_int_equal(source_info(source)->nameless, 0);
	T_RC(source_fetch(source, &named[1], 1, &sink, &e), RC_OK);
	assert_int_equal(seen.got[0], SOURCE_GOT);
	T_STR(buf_str(&seen.octets), "more\r\n");
	/* By the id alone, nothing; by its name, that one. */
	T_RC(source_fetch(source, &named[2], 1, &sink, &e), RC_OK);
	assert_int_equal(seen.got[1], SOURCE_GONE);
	remove_these(&named[1], 2, done, RC_OK);
	assert_int_equal(done[0], SOURCE_RELEASED);
	T_CHECK(leave("DELE 3") == 1);
	/* The other one is there alone: not what was fetched. */
	list(one, &e);
	assert_int_equal(seen.n, 1);
	T_STR(seen.id[0], "a");
	remove_these(named, 2, done, RC_OK);
	assert_int_equal(done[1], SOURCE_RELEASED);
	assert_int_equal(leave("DELE"), 0);
}

static void
test_identical_copies_are_one(void **state)
{
	const struct script_row rows[] = { HELLO("PIPELINING\r\n"),
	    TWO("1 a\r\n2 a\r\n3 b\r\n", "1 6\r\n2 6\r\n3 6\r\n"),
	    { "RETR", MAIL, 0 }, { "DELE", "+OK\r\n", 0 }, GOODBYE };
	const struct script_row keeps[] = { HELLO(""),
	    TWO("1 a\r\n2 a\r\n", ""), { "RETR", MAIL, 0 },
	    { "DELE 2", "-ERR no\r\n", 0 }, { "DELE", "+OK\r\n", 0 },
	    GOODBYE };
	const struct bytes named = bytes(SUM_MAIL);
	const struct bytes twice[] = { named, named };
	enum source_done done, both[2];
	struct err e = ERR_INIT;

	(void)state;
	list(rows, &e);
	assert_int_equal(seen.n, 3);
	T_STR(seen.id[0], SUM_MAIL);
	T_STR(seen.id[1], SUM_MAIL);
	/* Asked for as often as it was listed, each goes once. */
	remove_these(twice, 2, both, RC_OK);
	assert_int_equal(both[0], SOURCE_RELEASED);
	assert_int_equal(leave("DELE"), 2);
	/* One of them stays: so what it was is not gone. */
	list(keeps, &e);
	remove_these(&named, 1, &done, RC_OK);
	assert_int_equal(done, SOURCE_PENDING);
	assert_int_equal(leave("DELE"), 2);
}

/* The limit is 50 octets: larger ones are not read to learn what they are. */
static void
test_what_cannot_be_told_apart(void **state)
{
	const struct script_row large[] = { HELLO(""),
	    TWO("1 a\r\n2 a\r\n", "1 51\r\n2 6\r\n"),
	    { "RETR 2", MAIL, 0 }, GOODBYE };
	const struct script_row refused[] = { HELLO(""),
	    TWO("1 a\r\n2 a\r\n", "1 6\r\n2 6\r\n"),
	    { "RETR 2", MAIL, 0 }, { "RETR", "-ERR no\r\n", 0 }, GOODBYE };
	const struct script_row grows[] = { HELLO(""),
	    TWO("1 a\r\n2 a\r\n", "1 6\r\n2 7\r\n"),
	    { "RETR 1", "+OK\r\n0123456789012345678901234567890123456789"
	    "0123456789\r\n.\r\n", 0 }, { "RETR", MAIL, 0 }, GOODBYE };
	struct err e = ERR_INIT;

	(void)state;
	list(large, &e);
	assert_int_equal(seen.n, 2);
	T_STR(seen.id[0], "a >51");
	T_STR(seen.id[1], SUM_MAIL);
	assert_int_equal(source_info(source)->nameless, 0);
	assert_int_equal(leave("RETR"), 1);
	list(refused, &e);
	assert_int_equal(seen.n, 1);
	T_STR(seen.id[0], SUM_MAIL);
	assert_int_equal(source_info(source)->nameless, 1);
	leave("QUIT");
	list(grows, &e);
	assert_int_equal(seen.n, 2);
	T_STR(seen.id[0], "a >6");
	leave("QUIT");
}

/* Of several ids at once, too: the last of all of them comes first. */
static void
test_the_last_one_is_read_first(void **state)
{
	const struct script_row rows[] = { HELLO(""),
	    TWO("1 a\r\n2 b\r\n3 a\r\n4 b\r\n",
	    "1 6\r\n2 6\r\n3 6\r\n4 6\r\n"), { "RETR", MAIL, 0 }, GOODBYE };
	struct err e = ERR_INIT;

	(void)state;
	list(rows, &e);
	assert_int_equal(seen.n, 4);
	assert_int_equal(leave("RETR 4\r\nRETR 3\r\nRETR 2\r\nRETR 1\r\n"),
	    1);
}

/* Two of 40 MB by what it says of them: more than are read to tell which. */
static void
test_more_octets_than_are_read(void **state)
{
	const struct script_row rows[] = { HELLO(""),
	    TWO("1 a\r\n2 a\r\n", "1 40000000\r\n2 40000000\r\n"),
	    { "RETR 2", MAIL, 0 }, GOODBYE };
	const struct source_limits limits = { 100 * 1000 * 1000, 0, 0 };
	struct err e = ERR_INIT;

	(void)state;
	forget();
	script_start(&server, "+OK\r\n", rows);
	account.server.port = server.port;
	T_RC(source_new(&account, &limits, &source, &e), RC_OK);
	T_RC(source_open(source, &secret, &e), RC_OK);
	T_RC(source_list(source, none, on_list, NULL, &e), RC_OK);
	assert_int_equal(seen.n, 1);
	T_STR(seen.id[0], SUM_MAIL);
	assert_int_equal(source_info(source)->nameless, 1);
	assert_int_equal(leave("RETR"), 1);
}

/* A server that is cut off, or fails, while they are read. */
static void
test_telling_apart_that_fails(void **state)
{
	const struct script_row hangs[] = { HELLO(""),
	    TWO("1 a\r\n2 a\r\n", ""), { "RETR", NULL, 0 }, GOODBYE };
	struct err e = ERR_INIT;

	(void)state;
	T_RC(open_at(hangs, 0, &e), RC_OK);
	T_RC(source_list(source, none, on_list, NULL, &e), RC_TEMP);
	assert_int_equal(source_why(source), WHY_NETWORK);
	T_CHECK(seen.n == 0 && leave("DELE") == 0);
}

/* What is there and has no name that could be asked for is counted once. */
static void
test_what_has_no_name_is_counted(void **state)
{
	static const struct {
		const char	*uidl, *list;
		size_t		 named, nameless;
	} cases[] = {
		{ "1 a\r\n", "1 6\r\n2 6\r\n", 1, 1 },
		{ "", "1 6\r\n2 6\r\n", 0, 2 },
		{ "1\r\n2 b\r\n", "1 6\r\n2 6\r\n", 1, 1 },
		{ "0 a\r\nx y\r\n4294967296 c\r\n", "1 6\r\n", 0, 3 },
		{ "1 a\r\n2 b\r\n", "1 6\r\n", 2, 0 },
		{ "1 a\r\n", "0 6\r\nx\r\n1 6\r\n", 1, 0 },
		{ "", "", 0, 0 }
	};

	(void)state;
	for (size_t i = 0; i < 2 * sizeof(cases) / sizeof(cases[0]); i++) {
		char uidl[256], sizes[256];
		const struct script_row rows[] = { i % 2 == 0 ?
		    (struct script_row){ "CAPA", "+OK\r\nUIDL\r\n.\r\n", 0 } :
		    (struct script_row){ "CAPA", "+OK\r\nUIDL\r\n"
		    "PIPELINING\r\n.\r\n", 0 }, { "USER", "+OK\r\n", 0 },
		    { "PASS", "+OK\r\n", 0 }, { "UIDL", uidl, 0 },
		    { "LIST", sizes, 0 }, GOODBYE };
		struct err e = ERR_INIT;

		snprintf(uidl, sizeof(uidl), "+OK\r\n%s.\r\n",
		    cases[i / 2].uidl);
		snprintf(sizes, sizeof(sizes), "+OK\r\n%s.\r\n",
		    cases[i / 2].list);
		list(rows, &e);
		assert_int_equal(seen.n, cases[i / 2].named);
		assert_int_equal(source_info(source)->nameless,
		    cases[i / 2].nameless);
		leave("QUIT");
	}
}

/* RFC 1939 6: without +OK to QUIT, some are gone, or none: their ids may be
 * given to others by the next session. */
static void
test_a_deletion_that_is_not_confirmed(void **state)
{
	static const char *const answers[] = { NULL, "-ERR some\r\n",
	    "what\r\n" };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		const struct script_row rows[] = { HELLO(""), THREE,
		    { "DELE 2", "-ERR no\r\n", 0 },
		    { "DELE", "+OK\r\n", 0 }, { "QUIT", answers[i], 0 },
		    { NULL, NULL, 0 } };
		enum source_done done[3];
		struct err e = ERR_INIT;

		T_RC(open_at(rows, 0, &e), RC_OK);
		remove_these(ids, 3, done, RC_TEMP);
		assert_int_equal(done[0], SOURCE_UNSURE);
		assert_int_equal(done[1], SOURCE_PENDING);
		assert_int_equal(done[2], SOURCE_UNSURE);
		assert_int_equal(leave("DELE"), 3);
	}
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
		cmocka_unit_test(test_two_of_one_id_are_told_apart),
		cmocka_unit_test(test_identical_copies_are_one),
		cmocka_unit_test(test_what_cannot_be_told_apart),
		cmocka_unit_test(test_the_last_one_is_read_first),
		cmocka_unit_test(test_more_octets_than_are_read),
		cmocka_unit_test(test_telling_apart_that_fails),
		cmocka_unit_test(test_what_has_no_name_is_counted),
		cmocka_unit_test(test_a_deletion_that_is_not_confirmed),
		cmocka_unit_test(test_a_mechanism_that_is_refused),
		cmocka_unit_test(test_a_name_that_is_refused),
		cmocka_unit_test(test_servers_without_a_name),
		cmocka_unit_test(test_where_a_password_may_go),
		cmocka_unit_test(test_words_of_a_server_are_short)
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
