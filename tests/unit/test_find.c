#include "unit.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "base/buf.h"
#include "base/file.h"
#include "mail/find.h"

#define VECTORS TEST_SRCDIR "/tests/vectors/find"
#define NO_LIMIT UINT64_MAX

struct got {
	enum rc		 rc;
	enum err_class	 class;
	enum find_result result;
	struct buf	 env;
	char		 id[FIND_TEXT_BYTES], from[FIND_TEXT_BYTES];
};

static enum rc
take(void *arg, const uint8_t *p, size_t len, struct err *e)
{
	assert_true(len > 0);
	(void)e;
	assert_true(buf_add(arg, p, len));
	return RC_OK;
}

/* Feed a mail in pieces of ${step} octets, or of random sizes when 0. */
static void
run(struct got *g, const void *mail, size_t len, size_t step, uint64_t max)
{
	struct find *f = malloc(sizeof(*f));
	struct err e = ERR_INIT;
	const uint8_t *p = mail;
	enum rc end;

	memset(g, 0, sizeof(*g));
	assert_non_null(f);
	find_init(f, (struct sink){ take, &g->env }, max);
	for (size_t i = 0; i < len && g->rc == RC_OK;) {
		size_t k = step != 0 ? step : 1 + randombytes_uniform(3000);

		k = k < len - i ? k : len - i;
		g->rc = find_add(f, p + i, k, &e);
		i += k;
	}
	if (g->rc != RC_OK)
		assert_int_equal(find_add(f, "x", 1, &e), g->rc);
	end = find_end(f, &g->result, &e);
	assert_true(g->rc == RC_OK || end == g->rc);
	assert_int_equal(end, e.rc);
	g->rc = end;
	g->class = e.class;
	if (g->rc == RC_OK)
		assert_int_equal(find_length(f), g->env.len);
	snprintf(g->id, sizeof(g->id), "%s", find_message_id(f));
	snprintf(g->from, sizeof(g->from), "%s", find_from(f));
	free(f);
}

static void
say(const struct got *g, char *out, size_t n)
{
	uint8_t h[crypto_hash_sha256_BYTES];
	char hex[sizeof(h) * 2 + 1];

	if (g->rc != RC_OK) {
		snprintf(out, n, "%s", err_class_name(g->class));
		return;
	}
	if (g->result == FIND_NONE) {
		assert_int_equal(g->env.len, 0);
		snprintf(out, n, "none");
		return;
	}
	crypto_hash_sha256(h, g->env.p, g->env.len);
	hex_format(h, sizeof(h), hex);
	snprintf(out, n, "one %s", hex);
}

static void
one_vector(const char *name)
{
	static const size_t steps[] = { 1, 2, 7, 77, 4096, 1U << 20, 0 };
	char path[1024], got[128];
	struct buf eml = BUF_INIT, want = BUF_INIT;
	struct err e = ERR_INIT;
	struct got g;

	snprintf(path, sizeof(path), VECTORS "/%s.eml", name);
	T_RC(file_read(path, 1U << 20, &eml, &e), RC_OK);
	snprintf(path, sizeof(path), VECTORS "/%s.want", name);
	T_RC(file_read(path, 1000, &want, &e), RC_OK);
	want.p[want.len - 1] = '\0';
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		run(&g, eml.p, eml.len, steps[i], NO_LIMIT);
		say(&g, got, sizeof(got));
		if (strcmp(got, (char *)want.p) != 0)
			fail_msg("%s: %s, not %s", name, got, want.p);
		buf_free(&g.env);
	}
	buf_free(&eml);
	buf_free(&want);
}

static void
test_vectors(void **state)
{
	DIR *d = opendir(VECTORS);
	struct dirent *de;
	int n = 0;

	(void)state;
	assert_non_null(d);
	while ((de = readdir(d)) != NULL) {
		char name[256];
		char *dot;

		snprintf(name, sizeof(name), "%s", de->d_name);
		dot = strrchr(name, '.');
		if (dot == NULL || dot == name || strcmp(dot, ".eml") != 0)
			continue;
		*dot = '\0';
		one_vector(name);
		n++;
	}
	closedir(d);
	assert_true(n >= 45);
}

/* A mail cut anywhere is never taken for another envelope than its start. */
static void
test_truncations(void **state)
{
	struct buf eml = BUF_INIT;
	struct err e = ERR_INIT;
	struct got whole, g;

	(void)state;
	T_RC(file_read(VECTORS "/plain.eml", 1U << 20, &eml, &e), RC_OK);
	run(&whole, eml.p, eml.len, eml.len, NO_LIMIT);
	for (size_t n = 0; n < eml.len; n++) {
		run(&g, eml.p, n, 4096, NO_LIMIT);
		assert_true(g.rc == RC_OK || g.class == EC_FORMAT);
		assert_true(g.env.len <= whole.env.len);
		if (g.env.len > 0)
			assert_memory_equal(g.env.p, whole.env.p, g.env.len);
		buf_free(&g.env);
	}
	buf_free(&whole.env);
	buf_free(&eml);
}

static void
test_limit(void **state)
{
	static const size_t steps[] = { 1, 100, 1U << 20 };
	struct buf eml = BUF_INIT;
	struct err e = ERR_INIT;
	struct got g;

	(void)state;
	T_RC(file_read(VECTORS "/plain.eml", 1U << 20, &eml, &e), RC_OK);
	for (size_t i = 0; i < 3; i++) {
		run(&g, eml.p, eml.len, steps[i], 4252);
		T_RC(g.rc, RC_OK);
		assert_int_equal(g.env.len, 4252);
		buf_free(&g.env);
		run(&g, eml.p, eml.len, steps[i], 4251);
		T_RC(g.rc, RC_INPUT);
		assert_int_equal(g.class, EC_TOOBIG);
		assert_true(g.env.len <= 4251);
		buf_free(&g.env);
	}
	buf_free(&eml);
}

/* Size and damage in one mail: which comes first decides, not the cuts. */
static void
test_first_failure_wins(void **state)
{
	static const struct {
		const char *mail; uint64_t max; enum err_class class;
	} v[] = {
		{ "U0NFQVUBAAAAAAAA*AAA", 8, EC_TOOBIG },
		{ "U0NFQVUBAAAA*AAAAAAAAAAAA", 9, EC_FORMAT },
		{ "U0NFQVUBAAAAAAAA\n\nU0NFQVU", 12, EC_FORMAT },
		{ "U0NFQVUBAAAAAAAA\n\nU0NFQVU", 11, EC_TOOBIG },
	};
	struct got g;

	(void)state;
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++)
		for (size_t step = 1; step < 30; step++) {
			run(&g, v[i].mail, strlen(v[i].mail), step, v[i].max);
			T_RC(g.rc, RC_INPUT);
			assert_int_equal(g.class, v[i].class);
			buf_free(&g.env);
		}
}

static void
test_head(void **state)
{
	static const struct { const char *mail, *id, *from; } v[] = {
		{ "Message-ID: <a@b>\r\nFrom: x@y.example\r\n\r\n",
		    "a@b", "x@y.example" },
		{ "from: \"D, r\" <x@y.example>\nMESSAGE-id:\n <a@b>\n\n",
		    "a@b", "x@y.example" },
		{ "From: a@b.example, c@d.example\n\nMessage-ID: <no@no>\n",
		    "", "a@b.example" },
		{ "Message-ID: <a b>\nFrom: nobody\n\n", "", "" },
		{ "Message-ID: <a\x01>\nFrom: \xe9@b\n\n", "", "" },
		{ "Message-ID: <1@b>\nMessage-ID: <2@b>\n", "1@b", "" },
		{ "From: x@y.example", "", "x@y.example" },
		{ "Message-ID:\nFrom:\n\n", "", "" },
		{ "\r\nFrom: x@y.example\r\n", "", "" },
		{ "\n Message-ID: <a@b>", "", "" },
		{ "X-A: 1\r\n From: x@y.example\r\n\r\n", "", "" },
	};
	struct got g;

	(void)state;
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++)
		for (size_t step = 1; step < 60; step += 19) {
			run(&g, v[i].mail, strlen(v[i].mail), step, 0);
			T_RC(g.rc, RC_OK);
			T_STR(g.id, v[i].id);
			T_STR(g.from, v[i].from);
		}
}

/* The log's lines are bounded: exactly, and by one more. */
static void
test_head_bounds(void **state)
{
	char mail[4000];
	struct got g;

	(void)state;
	for (int n = 250; n < 260; n++) {
		snprintf(mail, sizeof(mail), "Message-ID: <%0*d>\n\n", n, 7);
		run(&g, mail, strlen(mail), 1000, 0);
		assert_int_equal(strlen(g.id),
		    n < FIND_TEXT_BYTES ? n : 0);
	}
	for (int n = 975; n < 1005; n++) {
		snprintf(mail, sizeof(mail), "From: a@b.example (%0*d)\n\n",
		    n - 20, 7);
		run(&g, mail, strlen(mail), 7, 0);
		T_STR(g.from, n <= FIND_FIELD_BYTES ? "a@b.example" : "");
	}
}

static enum rc
refuse(void *arg, const uint8_t *p, size_t len, struct err *e)
{
	(void)arg;
	(void)p;
	(void)len;
	return err_set(e, RC_TEMP, "full");
}

/* What the sink says is what the caller hears, and it stays. */
static void
test_sink_fails(void **state)
{
	static const char mail[] = "U0NFQVUBAAAA\n\n";
	struct find *f = malloc(sizeof(*f));
	struct err e = ERR_INIT, again = ERR_INIT;
	enum find_result r;

	(void)state;
	assert_non_null(f);
	find_init(f, (struct sink){ refuse, NULL }, NO_LIMIT);
	T_RC(find_add(f, mail, strlen(mail), &e), RC_TEMP);
	T_STR(e.text, "full");
	T_RC(find_end(f, &r, &again), RC_TEMP);
	T_STR(again.text, "full");
	free(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_truncations),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_first_failure_wins),
		cmocka_unit_test(test_head),
		cmocka_unit_test(test_head_bounds),
		cmocka_unit_test(test_sink_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
