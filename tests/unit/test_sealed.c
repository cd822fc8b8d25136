/* Long lists of records: written and read one by one. */
#include "config.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "unit.h"
#include "assoc.h"
#include "base/file.h"
#include "vault/payload.h"
#include "vault/sealed.h"

#define MAX 1000000

static const uint8_t key[KDF_KEY_BYTES] = { 3 };
static char path[] = "/tmp/sceau-test-XXXXXX";

static int
setup(void **state)
{
	struct err e = ERR_INIT;
	int fd = mkstemp(path);

	(void)state;
	if (fd < 0 || secret_init(&e) != RC_OK)
		return -1;
	return close(fd);
}

static int
teardown(void **state)
{
	(void)state;
	return unlink(path);
}

static enum rc
into(void *ctx, const uint8_t *p, size_t len, struct err *e)
{
	(void)e;
	T_CHECK(buf_add(ctx, p, len));
	return RC_OK;
}

static unsigned emitted;

/* META and ${n} BARs whose names have different lengths. */
static enum rc
emit(void *ctx, struct sealed_writer *w, struct err *e)
{
	const size_t *n = ctx;
	struct rec r = { .type = REC_META };
	enum rc rc;

	emitted++;
	r.meta.version = 1;
	rc = sealed_rec(w, &r, e);
	for (size_t i = 0; i < *n && rc == RC_OK; i++) {
		char name[80];

		snprintf(name, sizeof(name), "demo/x%.*s@b.example",
		    (int)(i % 40), "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
		r = (struct rec){ .type = REC_BAR };
		r.bar.minimum = (uint8_t)(i % 255 + 1);
		T_CHECK(identity_parse_name(name, strlen(name), &r.bar.name));
		rc = sealed_rec(w, &r, e);
	}
	return rc;
}

static enum rc
seal_keeping(size_t n, uint64_t max, uint8_t *kept, size_t kept_max,
    struct buf *out, struct err *e)
{
	static const uint8_t rnd[KDF_KEY_BYTES] = { 7 };
	struct sealed_plan plan = { .key = key, .max = max, .emit = emit,
	    .ctx = &n, .kept = kept, .kept_max = kept_max, .rnd = rnd };

	plan.head.source = ENV_CODE;
	plan.head.year = A_YEAR;
	plan.head.from = assoc_id(A_ISSUER);
	plan.head.to = assoc_id(A_LABO);
	buf_wipe(out);
	emitted = 0;
	return sealed_seal(&plan, (struct env_sink){ into, out }, e);
}

static enum rc
seal(size_t n, uint64_t max, struct buf *out, struct err *e)
{
	return seal_keeping(n, max, NULL, 0, out, e);
}

struct got {
	size_t	 nbars;
	bool	 wrong;
	uint64_t max;
};

static enum rc
give_key(void *ctx, const struct env_head *h, uint8_t out[KDF_KEY_BYTES],
    struct err *e)
{
	(void)ctx;
	(void)h;
	(void)e;
	memcpy(out, key, KDF_KEY_BYTES);
	return RC_OK;
}

static enum rc
take(void *ctx, uint8_t type, struct bytes value, struct err *e)
{
	struct got *g = ctx;
	struct rec r;

	T_RC(rec_parse(type, value, &r, e), RC_OK);
	if (type == REC_BAR)
		g->wrong |= r.bar.minimum != g->nbars++ % 255 + 1;
	return RC_OK;
}

static enum rc
read_back(const struct buf *b, struct got *g, struct err *e)
{
	const struct sealed_events on = { g, g->max != 0 ? g->max : MAX,
	    give_key, take };
	int fd;
	enum rc rc;

	T_RC(file_write(path, b->p, b->len, 0600, e), RC_OK);
	T_CHECK((fd = open(path, O_RDONLY)) >= 0);
	rc = sealed_read(fd, &on, e);
	close(fd);
	return rc;
}

static void
test_every_length_comes_back(void **state)
{
	struct buf b = BUF_INIT;
	struct err e = ERR_INIT;

	(void)state;
	for (size_t n = 0; n < 20000; n = n * 3 + 1) {
		struct got g = { 0, false, 0 };

		T_RC(seal(n, MAX, &b, &e), RC_OK);
		T_RC(read_back(&b, &g, &e), RC_OK);
		T_CHECK(g.nbars == n && !g.wrong);
	}
	buf_free(&b);
}

static void
test_the_limit_exactly_and_by_one(void **state)
{
	struct buf b = BUF_INIT;
	struct err e = ERR_INIT;
	uint64_t len = 20 + 22 + 1;	/* META, BAR of demo/x@b.example, END */
	struct got g = { 0, false, 0 };

	(void)state;
	T_RC(seal(1, len - 1, &b, &e), RC_INPUT);
	T_CHECK(e.class == EC_TOOBIG);
	T_RC(seal(1, len, &b, &e), RC_OK);
	g.max = len - 1;
	T_RC(read_back(&b, &g, &e), RC_INPUT);
	T_CHECK(e.class == EC_TOOBIG);
	g = (struct got){ 0, false, len };
	T_RC(read_back(&b, &g, &e), RC_OK);
	buf_free(&b);
}

/* Room for all of it, exactly, and one octet less: the same envelope; what was
 * kept is wiped. */
static void
test_kept_is_asked_for_once(void **state)
{
	struct buf b = BUF_INIT, c = BUF_INIT;
	const size_t len = 20 + 22 + 1;
	struct err e = ERR_INIT;
	uint8_t kept[200000];

	(void)state;
	for (size_t n = 0; n < 20000; n = n * 3 + 1) {
		T_RC(seal(n, MAX, &b, &e), RC_OK);
		assert_int_equal(emitted, 2);
		memset(kept, 'x', sizeof(kept));
		T_RC(seal_keeping(n, MAX, kept, sizeof(kept), &c, &e), RC_OK);
		assert_int_equal(emitted, b.len < sizeof(kept) ? 1 : 2);
		T_CHECK(b.len == c.len && memcmp(b.p, c.p, b.len) == 0);
		T_CHECK(memchr(kept, 1, sizeof(kept)) == NULL);
	}
	memset(kept, 'x', sizeof(kept));
	T_RC(seal_keeping(1, MAX, kept, len, &c, &e), RC_OK);
	assert_int_equal(emitted, 1);
	T_CHECK(kept[0] == 0 && kept[len - 1] == 0 && kept[len] == 'x');
	T_RC(seal_keeping(1, MAX, kept, len - 1, &c, &e), RC_OK);
	assert_int_equal(emitted, 2);
	T_CHECK(kept[0] == 0 && kept[len] == 'x');
	T_RC(seal_keeping(1, len - 1, kept, len, &c, &e), RC_INPUT);
	T_CHECK(kept[0] == 0 && kept[1] == 0 && kept[len] == 'x');
	buf_free(&b);
	buf_free(&c);
}

static void
test_truncated_and_damaged_files(void **state)
{
	struct buf b = BUF_INIT;
	struct err e = ERR_INIT;
	struct got g = { 0, false, 0 };
	size_t whole;

	(void)state;
	T_RC(seal(3000, MAX, &b, &e), RC_OK);
	whole = b.len;
	for (b.len = 0; b.len < whole; b.len += b.len < 200 ? 7 : 4999)
		T_RC(read_back(&b, &g, &e), RC_INPUT);
	b.len = whole;
	for (size_t i = 0; i < whole; i += i < 200 ? 3 : 7001) {
		b.p[i] ^= 0x10;
		T_RC(read_back(&b, &g, &e), RC_INPUT);
		b.p[i] ^= 0x10;
	}
	T_RC(read_back(&b, &g, &e), RC_OK);
	buf_free(&b);
}

/* Sealed by hand: ${p} as the whole payload before padding. */
static enum err_class
class_of(const void *p, size_t len, size_t zeros)
{
	static const uint8_t zero[70000];
	struct env_sealer *s = env_sealer_new();
	struct env_head h = { .source = ENV_CODE, .year = A_YEAR };
	struct buf b = BUF_INIT;
	struct err e = ERR_INIT;
	struct got g = { 0, false, 0 };

	h.from = assoc_id(A_ISSUER);
	h.to = assoc_id(A_LABO);
	T_RC(env_seal_start(s, &h, key, (struct env_sink){ into, &b }, &e),
	    RC_OK);
	T_RC(env_seal_put(s, p, len, &e), RC_OK);
	T_RC(env_seal_put(s, zero, zeros, &e), RC_OK);
	T_RC(env_seal_end(s, &e), RC_OK);
	read_back(&b, &g, &e);
	env_sealer_free(&s);
	buf_free(&b);
	return e.class;
}

#define META "\x01\0\0\0\x0f" "\0\0\0\0\0\0\0\0" "\0\0\0\0" "\0\0" "\x01"
#define META_LEN 20

static void
test_grammar(void **state)
{
	static const char mail[] = META "\x20\0\0\0\x01x";
	static const char huge[] = META "\x90\xff\xff\xff\xff";
	static const char twice[] = META META;
	static const char odd[] = META "\x00\x00\x01";

	(void)state;
	T_CHECK(class_of(META, META_LEN, 4096 - META_LEN) == EC_NONE);
	T_CHECK(class_of(META, META_LEN, 4095 - META_LEN) == EC_RECORD);
	T_CHECK(class_of(META, META_LEN, 4097 - META_LEN) == EC_RECORD);
	T_CHECK(class_of(META, META_LEN, 8192 - META_LEN) == EC_RECORD);
	T_CHECK(class_of(META, META_LEN, 0) == EC_RECORD);
	T_CHECK(class_of("", 0, 4096) == EC_RECORD);
	T_CHECK(class_of(twice, 40, 4096 - 40) == EC_RECORD);
	T_CHECK(class_of(mail, 26, 4096 - 26) == EC_RECORD);
	T_CHECK(class_of(huge, 25, 4096 - 25) == EC_RECORD);
	T_CHECK(class_of(odd, 23, 4096 - 23) == EC_RECORD);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_length_comes_back),
		cmocka_unit_test(test_the_limit_exactly_and_by_one),
		cmocka_unit_test(test_kept_is_asked_for_once),
		cmocka_unit_test(test_truncated_and_damaged_files),
		cmocka_unit_test(test_grammar),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
