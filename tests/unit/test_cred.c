#include "config.h"

#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "conf/cred.h"

#define SECRET "hunter2-marker"

static char dir[] = "/tmp/sceau-cred-XXXXXX";
static char path[200];

static int
setup(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	if (secret_init(&e) != RC_OK || mkdtemp(dir) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/pass", dir);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(dir);
}

static void
put(const void *p, size_t len, mode_t mode)
{
	struct err e = ERR_INIT;

	T_RC(file_write(path, p, len, 0600, &e), RC_OK);
	assert_int_equal(chmod(path, mode), 0);
}

static void
test_file(void **state)
{
	static const struct { const char *in; size_t len; enum rc rc; } v[] = {
		{ SECRET, 14, RC_OK }, { SECRET "\n", 15, RC_OK },
		{ SECRET "\r\n", 16, RC_OK }, { SECRET "\nx\0y", 18, RC_OK },
		{ "", 0, RC_CONF }, { "\n" SECRET, 15, RC_CONF },
		{ "\r\n" SECRET, 16, RC_CONF }, { "a\0" SECRET, 16, RC_CONF },
		{ "a\r" SECRET, 16, RC_CONF },
	};
	struct secret s = SECRET_INIT;
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		put(v[i].in, v[i].len, 0400);
		T_RC(cred_file(path, &s, &e), v[i].rc);
		assert_null(strstr(e.text, "hunter2"));
		assert_int_equal(s.len, v[i].rc == RC_OK ? 14 : 0);
		if (v[i].rc == RC_OK)
			T_STR(s.p, SECRET);
	}
	secret_wipe(&s);
}

static void
test_file_rights(void **state)
{
	struct secret s = SECRET_INIT;
	struct err e = ERR_INIT;

	(void)state;
	put(SECRET, 14, 0640);
	T_RC(cred_file(path, &s, &e), RC_CONF);
	assert_non_null(strstr(e.text, "chmod go= "));
	put(SECRET, 14, 0604);
	T_RC(cred_file(path, &s, &e), RC_CONF);
	T_RC(cred_file("/nonexistent", &s, &e), RC_CONF);
	T_RC(cred_file(dir, &s, &e), RC_CONF);
	assert_int_equal(s.len, 0);
	unlink(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	T_RC(cred_file(path, &s, &e), RC_CONF);
	unlink(path);
	secret_wipe(&s);
}

/* Exactly the largest, and one more. */
static void
test_length(void **state)
{
	struct buf b = BUF_INIT;
	struct secret s = SECRET_INIT;
	struct err e = ERR_INIT;
	char cmd[300];

	(void)state;
	while (b.len < SECRET_MAX_BYTES)
		assert_true(buf_adds(&b, "x"));
	put(b.p, b.len, 0600);
	T_RC(cred_file(path, &s, &e), RC_OK);
	assert_int_equal(s.len, SECRET_MAX_BYTES);
	snprintf(cmd, sizeof(cmd), "cat '%s'", path);
	T_RC(cred_command(cmd, CRED_LIMIT_MS, &s, &e), RC_OK);
	assert_int_equal(s.len, SECRET_MAX_BYTES);
	assert_true(buf_adds(&b, "x\n"));
	put(b.p, b.len, 0600);
	T_RC(cred_file(path, &s, &e), RC_CONF);
	T_RC(cred_command(cmd, CRED_LIMIT_MS, &s, &e), RC_CONF);
	assert_int_equal(s.len, 0);
	secret_wipe(&s);
	buf_free(&b);
}

static void
test_command(void **state)
{
	static const struct { const char *cmd; enum rc rc; const char *says; }
	v[] = {
		{ "echo " SECRET, RC_OK, "" },
		{ "printf " SECRET, RC_OK, "" },
		{ "printf '" SECRET "\\r\\nmore\\n'", RC_OK, "" },
		{ "printf hunter2; sleep 0.2; echo -marker", RC_OK, "" },
		{ "cat; echo " SECRET, RC_OK, "" },
		{ "echo " SECRET "; yes | head -c 300000", RC_OK, "" },
		{ "echo " SECRET "; exit 3", RC_TEMP, "exit 3" },
		{ "echo " SECRET "; kill -9 $$", RC_TEMP, "signal 9" },
		{ "/nonexistent/" SECRET " 2>/dev/null", RC_CONF, "exit 127" },
		{ "exit 126", RC_CONF, "exit 126" },
		{ "true", RC_CONF, "first line is empty" },
		{ "echo; echo " SECRET, RC_CONF, "first line is empty" },
		{ "printf '\\0" SECRET "'", RC_CONF, "NUL" },
	};
	struct secret s = SECRET_INIT;
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		T_RC(cred_command(v[i].cmd, CRED_LIMIT_MS, &s, &e), v[i].rc);
		if (v[i].rc == RC_OK) {
			T_STR(s.p, SECRET);
			continue;
		}
		assert_int_equal(s.len, 0);
		assert_non_null(strstr(e.text, v[i].says));
		assert_null(strstr(e.text, "hunter2"));
	}
	secret_wipe(&s);
}

/* At the limit the command and its children end, and we go on. */
static void
test_limit(void **state)
{
	struct secret s = SECRET_INIT;
	struct err e = ERR_INIT;
	int64_t start = clock_ms();

	(void)state;
	T_RC(cred_command("echo " SECRET "; sleep 60", 300, &s, &e), RC_TEMP);
	assert_non_null(strstr(e.text, "took more than"));
	T_RC(cred_command("sleep 60 >&- & exec >&-; sleep 60", 300, &s, &e),
	    RC_TEMP);
	T_RC(cred_command("yes", 300, &s, &e), RC_TEMP);
	assert_int_equal(s.len, 0);
	assert_true(clock_ms() - start < 20000);
}

/* An agent left behind keeps the output open: that is no reason to wait. */
static void
test_agent(void **state)
{
	struct secret s = SECRET_INIT;
	struct err e = ERR_INIT;
	int64_t start = clock_ms();

	(void)state;
	T_RC(cred_command("sleep 5 & echo " SECRET, CRED_LIMIT_MS, &s, &e),
	    RC_OK);
	T_STR(s.p, SECRET);
	assert_true(clock_ms() - start < 4000);
	secret_wipe(&s);
}

static void
test_get(void **state)
{
	struct conf_server c = { .auth = CONF_AUTH_NONE };
	struct secret s = SECRET_INIT;
	struct err e = ERR_INIT;
	char cmd[] = "echo token", pass[] = "echo password";

	(void)state;
	assert_true(secret_set(&s, "old", 3));
	T_RC(cred_get(&c, &s, &e), RC_OK);
	assert_int_equal(s.len, 0);
	c.auth = CONF_AUTH_XOAUTH2;
	c.token_command = cmd;
	T_RC(cred_get(&c, &s, &e), RC_OK);
	T_STR(s.p, "token");
	c.auth = CONF_AUTH_PASSWORD;
	c.password_command = pass;
	T_RC(cred_get(&c, &s, &e), RC_OK);
	T_STR(s.p, "password");
	c.password_file = path;
	put(SECRET, 14, 0600);
	T_RC(cred_get(&c, &s, &e), RC_OK);
	T_STR(s.p, SECRET);
	secret_wipe(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_file_rights),
		cmocka_unit_test(test_length),
		cmocka_unit_test(test_command),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_agent),
		cmocka_unit_test(test_get),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
