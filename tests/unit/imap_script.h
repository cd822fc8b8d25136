/* An IMAP server of the tests', what it says, and a source logged in there. */
#ifndef SC_TESTS_IMAP_SCRIPT_H
#define SC_TESTS_IMAP_SCRIPT_H

#include "script.h"
#include "seen.h"

#include "base/secret.h"

#define HEARD 8192
#define OK "%T OK done\r\n"
#define NO "%T NO not now\r\n"
#define LOGIN_ROW { "LOGIN", OK, 0 }
#define SELECT_ROW(n, next) { "SELECT", "* " n " EXISTS\r\n"		\
	"* OK [UIDVALIDITY 7] \r\n* OK [UIDNEXT " next "] \r\n" OK, 0 }
#define CAPABILITY_ROW(what)						\
	{ "CAPABILITY", "* CAPABILITY IMAP4rev1" what "\r\n" OK, 0 }
#define LOGOUT_ROW { "LOGOUT", "* BYE\r\n" OK, 0 }
#define END { NULL, NULL, 0 }
#define SIZE(n, uid) "* " n " FETCH (UID " uid " RFC822.SIZE 4)\r\n"
#define BODY(n, uid) "* " n " FETCH (UID " uid " BODY[] {4}\r\nmail)\r\n"

static struct secret secret = SECRET_INIT;
static struct conf_account account;
static struct script server;
static struct source *source;

static const struct bytes none = { NULL, 0 };
static const struct bytes ids[3] = { { (const uint8_t *)"7.1", 3 },
    { (const uint8_t *)"7.2", 3 }, { (const uint8_t *)"7.3", 3 } };

/* Logged in at a server of these rows. */
static inline void
open_at(const struct script_row *rows, size_t max_list)
{
	const struct source_limits limits = { 10, max_list, 0 };
	struct err e = ERR_INIT;

	forget();
	script_start(&server, "* OK ready\r\n", rows);
	account.server.port = server.port;
	T_RC(source_new(&account, &limits, &source, &e), RC_OK);
	if (source_open(source, &secret, &e) != RC_OK)
		fail_msg("%s", e.text);
}

/* Goodbye; whether it has heard ${word}. */
static inline bool
leave(const char *word)
{
	char room[HEARD];

	source_close(&source);
	script_heard(&server, room, sizeof(room));
	script_stop(&server);
	return strstr(room, word) != NULL;
}

static inline enum rc
list(struct err *e)
{
	return source_list(source, none, on_list, NULL, e);
}

static inline enum rc
fetch(size_t n, struct err *e)
{
	return source_fetch(source, ids, n, &sink, e);
}

#define FETCHING(body) { LOGIN_ROW, SELECT_ROW("3", "4"),		\
	CAPABILITY_ROW(""), { "BODY.PEEK", body, 0 }, { "FETCH",	\
	SIZE("1", "1") SIZE("2", "2") SIZE("3", "3") OK, 0 }, LOGOUT_ROW, END }

/* ... and what it says of what it did not give. */
#define NOT_GIVEN(answer, noop, search) { LOGIN_ROW,			\
	SELECT_ROW("3", "4"), CAPABILITY_ROW(""),			\
	{ "BODY.PEEK", answer, 0 }, { "FETCH", SIZE("1", "1")		\
	SIZE("2", "2") SIZE("3", "3") OK, 0 }, { "NOOP", noop, 0 },	\
	{ "SEARCH", search, 0 }, LOGOUT_ROW, END }

static inline int
set_up(void **state)
{
	static char host[] = "127.0.0.1", user[] = "dr";
	struct err e = ERR_INIT;

	(void)state;
	account = (struct conf_account){ .protocol = CONF_IMAP,
	    .batch = 1000000, .server = { .host = host, .user = user,
	    .tls = CONF_TLS_NONE, .timeout_s = 20 } };
	return secret_init(&e) != RC_OK || !secret_set(&secret, "pass", 4) ?
	    -1 : 0;
}

static inline int
tear_down(void **state)
{
	(void)state;
	forget();
	secret_wipe(&secret);
	return 0;
}

#endif
