/* What the tests of the vault's core share: vectors, people, envelopes. */
#ifndef SC_TESTS_VAULT_UNIT_H
#define SC_TESTS_VAULT_UNIT_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit.h"
#include "base/buf.h"
#include "base/secret.h"
#include "vault/payload.h"

#define LABO "demo/labo.central@labo.example#1"
#define DR "demo/dr.martin@cabinet.example#1"
#define SEALED_AT 1767250800

static inline struct identity
who(const char *s)
{
	struct identity id;

	T_CHECK(identity_parse(s, strlen(s), &id));
	return id;
}

static inline struct identity
name(const char *s)
{
	struct identity id;

	T_CHECK(identity_parse_name(s, strlen(s), &id));
	return id;
}

static inline struct bytes
run(const void *p, size_t len)
{
	return (struct bytes){ p, len };
}

/* A file of the tree, owned. */
static inline struct buf
slurp(const char *path)
{
	struct buf b = BUF_INIT;
	char part[4096];
	FILE *f = fopen(path, "rb");
	size_t n;

	T_CHECK(f != NULL);
	while ((n = fread(part, 1, sizeof(part), f)) > 0)
		T_CHECK(buf_add(&b, part, n));
	fclose(f);
	return b;
}

/*
 * The next "NAME = hex" line at *at (moved on) into ${value}, its name into
 * ${key}; false at the end.
 */
static inline bool
vector_next(struct buf *file, size_t *at, char key[64], struct buf *value)
{
	const char *s = buf_str(file), *line, *eq;
	char two[3] = "";
	size_t len;

	for (;;) {
		line = s + *at;
		len = strcspn(line, "\n");
		if (len == 0 && *line == '\0')
			return false;
		*at += len + (line[len] == '\n');
		eq = strstr(line, " =");
		if (*line != '#' && len > 0)
			break;
	}
	T_CHECK(eq != NULL && eq - line < 64 && eq < line + len);
	memcpy(key, line, (size_t)(eq - line));
	key[eq - line] = '\0';
	buf_wipe(value);
	for (eq += 3; eq + 1 < line + len; eq += 2) {
		memcpy(two, eq, 2);
		T_CHECK(buf_add8(value, (uint8_t)strtol(two, NULL, 16)));
	}
	return true;
}

/* The value of that name in a file of tests/vectors; owned. */
static inline struct buf
vector(const char *path, const char *wanted)
{
	struct buf file = slurp(path), value = BUF_INIT;
	char key[64];
	size_t at = 0;

	while (vector_next(&file, &at, key, &value)) {
		if (strcmp(key, wanted) != 0)
			continue;
		buf_free(&file);
		return value;
	}
	fail_msg("no vector %s", wanted);
	return value;
}

#define V218 T_SRC("tests/vectors/2.18.txt")

/* T_HEX(p, len, name): equal to that vector of 2.18. */
static inline void
same_as_vector(const char *path, const char *wanted, const void *p,
    size_t len)
{
	struct buf v = vector(path, wanted);

	assert_int_equal(v.len, len);
	assert_memory_equal(v.p, p, len);
	buf_free(&v);
}

/* An env_sink that keeps everything. */
static inline enum rc
keep_put(void *ctx, const uint8_t *p, size_t len, struct err *e)
{
	(void)e;
	T_CHECK(buf_add(ctx, p, len));
	return RC_OK;
}

static inline struct env_sink
keep(struct buf *b)
{
	return (struct env_sink){ keep_put, b };
}

/* A sink that says ${rc}. */
static inline enum rc
refuse_put(void *ctx, const uint8_t *p, size_t len, struct err *e)
{
	(void)p;
	(void)len;
	return err_set(e, *(enum rc *)ctx, "the sink says no");
}

/* C(labo -> dr) of 2.18. */
static inline void
channel(uint8_t c[KDF_KEY_BYTES], const char *from, const char *to)
{
	uint8_t root[KDF_KEY_BYTES], k[KDF_KEY_BYTES];
	struct identity f = who(from), t = who(to);

	for (uint8_t i = 0; i < KDF_KEY_BYTES; i++)
		root[i] = i;
	kdf_member(k, root, 2026, &t);
	kdf_channel(c, k, &f);
}

static inline struct env_head
head_of(const char *from, const char *to)
{
	struct env_head h = { .source = ENV_CHANNEL, .year = 2026 };

	h.from = who(from);
	h.to = who(to);
	memset(h.salt, 0x5a, sizeof(h.salt));
	return h;
}

/* ${len} octets that are all different enough. */
static inline struct buf
text_of(size_t len)
{
	struct buf b = BUF_INIT;

	T_CHECK(buf_reserve(&b, len + 1));
	for (size_t i = 0; i < len; i++)
		b.p[i] = (uint8_t)(i * 2654435761u >> 13 ^ i);
	b.len = len;
	return b;
}

static inline void
add_meta(struct buf *b)
{
	struct rec r = { .type = REC_META, .meta = { SEALED_AT, 0, 2026, 1 } };
	struct err e = ERR_INIT;

	T_RC(rec_add(b, &r, &e), RC_OK);
}

/* Payloads by hand. */
static inline void
add(struct buf *b, uint8_t type, const void *p, size_t len)
{
	T_CHECK(buf_add8(b, type) && buf_add32(b, (uint32_t)len) &&
	    buf_add(b, p, len));
}

static inline void
add_rec(struct buf *b, const struct rec *r)
{
	struct err e = ERR_INIT;

	T_RC(rec_add(b, r, &e), RC_OK);
}

static inline void
add_end(struct buf *b)
{
	T_CHECK(buf_add8(b, REC_END));
	while (b->len < payload_padded(b->len))
		T_CHECK(buf_add8(b, 0));
}

#endif
