/* Memory ends at each allocation of what fetches mail: it says so, never that
 * a name, a server or a password is wrong; and what is on the server stays. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "no_memory.h"
#include "script.h"

#include "base/secret.h"
#include "wire/idtable.h"
#include "wire/imap_talk.h"
#include "wire/relay.h"
#include "wire/source.h"

static char top[] = "/tmp/sceau-test-wire-XXXXXX";
static struct secret secret = SECRET_INIT;
static struct conf_account account;
static struct script server;

static void
each(const char *name, enum rc (*act)(struct err *e))
{
	T_CHECK(each_allocation(name, act) > 0);
}

static void
is(const struct buf *b, const char *want)
{
	assert_int_equal(b->len, strlen(want));
	assert_memory_equal(b->p, want, b->len);
}

/* What is said at the end is said or not: nothing depends on it. */
static void
leave(struct source **s)
{
	memory.left = -1;
	source_close(s);
}

/* ---- words ------------------------------------------------------------- */

static enum rc
name(struct err *e)
{
	struct buf b = BUF_INIT;
	enum rc rc = imap_name("mailbox", "A\303\251&\360\237\230\200", &b, e);

	if (rc == RC_OK)
		is(&b, "A&AOk-&-&2D3eAA-");
	buf_free(&b);
	return rc;
}

static enum rc
token(struct err *e)
{
	struct conf_server s = account.server;
	struct link l = { .server = &s };
	struct buf b = BUF_INIT;
	bool ok = link_xoauth2(&l, &secret, &b);

	if (ok)
		is(&b, "dXNlcj1kcgFhdXRoPUJlYXJlciBwYXNzAQE=");
	buf_free(&b);
	return ok ? RC_OK : err_nomem(e);
}

static enum rc
password(struct err *e)
{
	struct conf_server s = account.server;
	struct link l = { .server = &s };
	struct buf b = BUF_INIT;
	bool ok = link_plain(&l, &secret, &b);

	if (ok)
		is(&b, "AGRyAHBhc3M=");
	buf_free(&b);
	return ok ? RC_OK : err_nomem(e);
}

static enum rc
table(struct err *e)
{
	struct idtable t = { .n = 0 };
	struct bytes id = { NULL, 0 };
	bool ok = true;
	char text[16];

	for (uint32_t i = 0; ok && i < 300; i++) {
		int n = snprintf(text, sizeof(text), "id-%u", i);

		id = (struct bytes){ (const uint8_t *)text, (size_t)n };
		ok = idtable_add(&t, id, id, i, i);
	}
	if (ok) {
		idtable_by_id(&t);
		T_CHECK(idtable_find(&t, id) >= 0);
		T_CHECK(bytes_eqs(idtable_more(&t,
		    (size_t)idtable_find(&t, id)), "id-299"));
	}
	idtable_free(&t);
	return ok ? RC_OK : err_nomem(e);
}

static void
test_words(void **state)
{
	(void)state;
	each("name", name);
	each("token", token);
	each("password", password);
	each("table", table);
}

/* ---- sources ----------------------------------------------------------- */

static struct bytes one;
static char one_id[SOURCE_ID_BYTES];
static size_t got;

static enum rc
on_list(void *arg, struct bytes id, uint64_t size, struct err *e)
{
	(void)arg;
	(void)size;
	(void)e;
	memcpy(one_id, id.p, id.len);
	one = (struct bytes){ (const uint8_t *)one_id, id.len };
	return RC_OK;
}

static enum rc
on_begin(void *arg, struct err *e)
{
	(void)arg;
	(void)e;
	return RC_OK;
}

static enum rc
on_data(void *arg, const void *p, size_t len, struct err *e)
{
	(void)arg;
	(void)p;
	(void)len;
	(void)e;
	return RC_OK;
}

static enum rc
on_end(void *arg, struct bytes id, enum source_got how, struct err *e)
{
	(void)arg;
	(void)id;
	(void)e;
	got += how == SOURCE_GOT;
	return RC_OK;
}

/* All that a pass does with a mailbox. */
static enum rc
fetching(enum conf_after after, struct err *e)
{
	const struct source_sink sink = { NULL, on_begin, on_data, on_end };
	const struct source_limits limits = { 100, 0, 0 };
	const struct bytes none = { NULL, 0 };
	enum source_done done = SOURCE_PENDING;
	struct source *s;
	enum rc rc;

	got = 0;
	one = none;
	if ((rc = source_new(&account, &limits, &s, e)) == RC_OK &&
	    (rc = source_open(s, &secret, e)) == RC_OK &&
	    (rc = source_list(s, none, on_list, NULL, e)) == RC_OK &&
	    (rc = source_fetch(s, &one, 1, &sink, e)) == RC_OK)
		rc = source_release(s, &one, 1, after, "Archiv\303\251", &done,
		    e);
	if (rc == RC_OK)
		T_CHECK(got == 1 && done == (account.protocol == CONF_STDIN ?
		    SOURCE_KEPT : SOURCE_RELEASED));
	else if (s != NULL)
		T_CHECK(done == SOURCE_PENDING &&
		    source_why(s) == WHY_LOCAL);
	leave(&s);
	return rc;
}

static enum rc
deleting(struct err *e)
{
	return fetching(CONF_AFTER_DELETE, e);
}

static enum rc
moving(struct err *e)
{
	return fetching(CONF_AFTER_MOVE, e);
}

static void
over(enum conf_protocol protocol, const char *greeting,
    const struct script_row *rows)
{
	script_start(&server, greeting, rows);
	account.protocol = protocol;
	account.server.port = server.port;
}

static const struct script_row pop3[] = {
	{ "CAPA", "+OK\r\nUIDL\r\nUSER\r\n.\r\n", 0 },
	{ "USER", "+OK\r\n", 0 }, { "PASS", "+OK\r\n", 0 },
	{ "UIDL", "+OK\r\n1 one\r\n.\r\n", 0 },
	{ "LIST", "+OK\r\n1 6\r\n.\r\n", 0 },
	{ "RETR", "+OK\r\nmail\r\n.\r\n", 0 },
	{ "DELE", "+OK\r\n", 0 }, { "QUIT", "+OK\r\n", 0 }, { NULL, NULL, 0 }
};

static const struct script_row pop3_copies[] = {
	{ "CAPA", "+OK\r\nUIDL\r\nUSER\r\n.\r\n", 0 },
	{ "USER", "+OK\r\n", 0 }, { "PASS", "+OK\r\n", 0 },
	{ "UIDL", "+OK\r\n1 one\r\n2 one\r\n.\r\n", 0 },
	{ "LIST", "+OK\r\n1 6\r\n2 6\r\n.\r\n", 0 },
	{ "RETR", "+OK\r\nmail\r\n.\r\n", 0 },
	{ "DELE", "+OK\r\n", 0 }, { "QUIT", "+OK\r\n", 0 }, { NULL, NULL, 0 }
};

static const struct script_row pop3_sasl[] = {
	{ "CAPA", "+OK\r\nUIDL\r\nSASL PLAIN XOAUTH2\r\n.\r\n", 0 },
	{ "AUTH ", "+\r\n", 1 }, { "AUTH ", "+OK\r\n", 0 },
	{ "QUIT", "+OK\r\n", 0 }, { "", "+OK\r\n", 0 }, { NULL, NULL, 0 }
};

static void
test_pop3(void **state)
{
	(void)state;
	over(CONF_POP3, "+OK\r\n", pop3);
	each("pop3", deleting);
	script_stop(&server);
	over(CONF_POP3, "+OK\r\n", pop3_copies);
	each("pop3, two of one id", deleting);
	script_stop(&server);
}

/* A token so long that it stands in a line of its own. */
static enum rc
logging_in(struct err *e)
{
	const struct source_limits limits = { 100, 0, 0 };
	struct source *s;
	enum rc rc = source_new(&account, &limits, &s, e);

	if (rc == RC_OK)
		rc = source_open(s, &secret, e);
	leave(&s);
	return rc;
}

static void
test_pop3_by_token(void **state)
{
	char room[2 * SCRIPT_LINE], line[400];

	(void)state;
	memset(line, 't', sizeof(line));
	T_CHECK(secret_set(&secret, line, sizeof(line)));
	account.server.auth = CONF_AUTH_XOAUTH2;
	over(CONF_POP3, "+OK\r\n", pop3_sasl);
	each("token of POP3", logging_in);
	assert_non_null(strstr(script_heard(&server, room, sizeof(room)),
	    "AUTH XOAUTH2\r\n"));
	script_stop(&server);
	T_CHECK(secret_set(&secret, "pass", 4));
	each("short token of POP3", token);
	account.server.auth = CONF_AUTH_PASSWORD;
}

#define SELECTED "* 1 EXISTS\r\n* OK [UIDVALIDITY 7] \r\n"		\
	"* OK [UIDNEXT 2] \r\n%T OK done\r\n"
#define BODY "* 1 FETCH (UID 1 BODY[] {4}\r\nmail)\r\n%T OK done\r\n"
#define SIZE(n) "* 1 FETCH (UID 1 RFC822.SIZE " n ")\r\n%T OK done\r\n"

static const struct script_row imap[] = {
	{ "LOGIN", "%T OK done\r\n", 0 }, { "SELECT", SELECTED, 0 },
	{ "CAPABILITY", "* CAPABILITY IMAP4rev1 UIDPLUS MOVE\r\n"
	    "%T OK done\r\n", 0 },
	{ "BODY.PEEK", BODY, 0 }, { "RFC822.SIZE", SIZE("4"), 0 },
	{ "SEARCH", "* SEARCH\r\n%T OK done\r\n", 0 },
	{ "STORE", "%T OK done\r\n", 0 }, { "EXPUNGE", "%T OK done\r\n", 0 },
	{ "MOVE", "%T OK done\r\n", 0 },
	{ "LOGOUT", "* BYE\r\n%T OK done\r\n", 0 }, { NULL, NULL, 0 }
};

static void
test_imap(void **state)
{
	(void)state;
	over(CONF_IMAP, "* OK ready\r\n", imap);
	each("imap", deleting);
	each("imap, moving", moving);
	script_stop(&server);
}

static const struct script_row large[] = {
	{ "LOGIN", "%T OK done\r\n", 0 }, { "SELECT", SELECTED, 0 },
	{ "CAPABILITY", "* CAPABILITY IMAP4rev1\r\n%T OK done\r\n", 0 },
	{ "RFC822.SIZE", SIZE("101"), 0 },
	{ "LOGOUT", "* BYE\r\n%T OK done\r\n", 0 }, { NULL, NULL, 0 }
};

/* One over the limit is noted, or it would be asked for. */
static enum rc
listing(struct err *e)
{
	const struct source_limits limits = { 100, 0, 0 };
	const struct bytes none = { NULL, 0 };
	struct source *s;
	enum rc rc;

	if ((rc = source_new(&account, &limits, &s, e)) == RC_OK &&
	    (rc = source_open(s, &secret, e)) == RC_OK)
		rc = source_list(s, none, on_list, NULL, e);
	leave(&s);
	return rc;
}

static void
test_imap_too_large(void **state)
{
	(void)state;
	over(CONF_IMAP, "* OK ready\r\n", large);
	each("imap, too large", listing);
	script_stop(&server);
}

static void
put(const char *file)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", top, file);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs("mail", f);
	fclose(f);
}

static enum rc
maildir(struct err *e)
{
	long left = memory.left;

	memory.left = -1;
	put("new/1.a");
	memory.left = left;
	return deleting(e);
}

static void
test_maildir(void **state)
{
	char path[64];

	(void)state;
	account.protocol = CONF_MAILDIR;
	account.path = top;
	snprintf(path, sizeof(path), "%s/cur", top);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/new", top);
	assert_int_equal(mkdir(path, 0700), 0);
	each("maildir", maildir);
}

static enum rc
folder(struct err *e)
{
	const struct source_limits limits = { 100, 0, 0 };
	struct source *s;
	enum rc rc = source_new(&account, &limits, &s, e);

	leave(&s);
	return rc;
}

static void
test_other_places(void **state)
{
	(void)state;
	account.path = top;
	account.protocol = CONF_FOLDER;
	each("folder", folder);
	account.protocol = CONF_STDIN;
	each("stdin", folder);
}

/* ---- the group --------------------------------------------------------- */

static int
set_up(void **state)
{
	static char host[] = "127.0.0.1", user[] = "dr", box[] =
	    "bo\303\256te";
	struct err e = ERR_INIT;

	(void)state;
	account.server = (struct conf_server){ .host = host, .user = user,
	    .tls = CONF_TLS_NONE, .timeout_s = 20 };
	account.mailbox = box;
	account.batch = 100;
	return mkdtemp(top) == NULL || secret_init(&e) != RC_OK ||
	    !secret_set(&secret, "pass", 4) ? -1 : 0;
}

static int
tear_down(void **state)
{
	static const char *const subs[] = { "new/1.a", "new", "cur", "" };
	char path[64];

	(void)state;
	secret_wipe(&secret);
	for (size_t i = 0; i < 4; i++) {
		snprintf(path, sizeof(path), "%s/%s", top, subs[i]);
		(void)remove(path);
	}
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_pop3),
		cmocka_unit_test(test_pop3_by_token),
		cmocka_unit_test(test_imap),
		cmocka_unit_test(test_imap_too_large),
		cmocka_unit_test(test_maildir),
		cmocka_unit_test(test_other_places)
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
