/* RFC 1035 and 2782: what a name server says is read, or refused. */
#include "config.h"

#include "unit.h"

#include <string.h>

#include "base/buf.h"
#include "wire/dns.h"

/* header: id, answer without error, one question, ${n} answers */
static void
begin(struct buf *b, const char *name, uint16_t type, uint16_t n)
{
	b->len = 0;
	buf_add16(b, 7);
	buf_add16(b, 0x8180);
	buf_add16(b, 1);
	buf_add16(b, n);
	buf_add32(b, 0);
	for (; *name != '\0'; name += strcspn(name, ".") +
	    (name[strcspn(name, ".")] != '\0')) {
		buf_add8(b, (uint8_t)strcspn(name, "."));
		buf_add(b, name, strcspn(name, "."));
	}
	buf_add8(b, 0);
	buf_add16(b, type);
	buf_add16(b, 1);
}

/* One record, whose owner points at the question; then ${len} octets. */
static void
record(struct buf *b, uint16_t type, const void *data, size_t len)
{
	buf_add16(b, 0xc00c);
	buf_add16(b, type);
	buf_add16(b, 1);
	buf_add32(b, 300);
	buf_add16(b, (uint16_t)len);
	buf_add(b, data, len);
}

#define SRV(b, data) record(b, 33, data, sizeof(data) - 1)

static void
test_srv(void **state)
{
	struct dns_host h[DNS_MAX];
	struct buf b = BUF_INIT;
	struct err e = ERR_INIT;
	size_t n;

	(void)state;
	begin(&b, "_imaps._tcp.x.fr", 33, 5);
	SRV(&b, "\0\12\0\1\3\341\4last\1x\2fr\0");
	SRV(&b, "\0\1\0\1\3\341\6second\1x\2fr\0");
	SRV(&b, "\0\1\0\2\3\342\5first\xc0\30");	/* points at "x.fr" */
	SRV(&b, "\0\0\0\0\0\0\0");			/* not offered */
	SRV(&b, "\0\0\0\0\3\341\3a b\2fr\0");		/* no host's name */
	T_RC(dns_parse(b.p, b.len, DNS_SRV, h, &n, &e), RC_OK);
	assert_int_equal(n, 3);
	T_STR(h[0].name, "first.x.fr");
	assert_int_equal(h[0].port, 994);
	T_STR(h[1].name, "second.x.fr");
	T_STR(h[2].name, "last.x.fr");
	T_RC(dns_parse(b.p, b.len, DNS_MX, h, &n, &e), RC_OK);
	assert_int_equal(n, 0);
	buf_free(&b);
}

static void
test_mx(void **state)
{
	static const char first[] = "\0\1\2mx\1x\2fr\0";
	static const char second[] = "\0\5\1y\2fr\0";
	struct dns_host h[DNS_MAX];
	struct buf b = BUF_INIT;
	struct err e = ERR_INIT;
	size_t n;

	(void)state;
	begin(&b, "x.fr", 15, 2);
	record(&b, 15, second, sizeof(second) - 1);
	record(&b, 15, first, sizeof(first) - 1);
	T_RC(dns_parse(b.p, b.len, DNS_MX, h, &n, &e), RC_OK);
	assert_int_equal(n, 2);
	T_STR(h[0].name, "mx.x.fr");
	T_STR(h[1].name, "y.fr");
	buf_free(&b);
}

static void
test_more_than_there_is_room_for(void **state)
{
	struct dns_host h[DNS_MAX];
	struct buf b = BUF_INIT;
	struct err e = ERR_INIT;
	size_t n;

	(void)state;
	begin(&b, "_imaps._tcp.x.fr", 33, 3 * DNS_MAX);
	for (int i = 0; i < 3 * DNS_MAX; i++)
		SRV(&b, "\0\12\0\1\3\341\1h\1x\2fr\0");
	T_RC(dns_parse(b.p, b.len, DNS_SRV, h, &n, &e), RC_OK);
	assert_int_equal(n, DNS_MAX);
	buf_free(&b);
}

/* Cut anywhere, pointing at itself, counting what is not there. */
static void
test_no_answer(void **state)
{
	struct dns_host h[DNS_MAX];
	struct buf b = BUF_INIT;
	struct err e = ERR_INIT;
	size_t n;

	(void)state;
	begin(&b, "_imaps._tcp.x.fr", 33, 1);
	SRV(&b, "\0\12\0\1\3\341\1h\1x\2fr\0");
	for (size_t len = 0; len < b.len; len++) {
		T_RC(dns_parse(b.p, len, DNS_SRV, h, &n, &e), RC_INPUT);
		assert_int_equal(n, 0);
	}
	begin(&b, "_imaps._tcp.x.fr", 33, 1);
	SRV(&b, "\0\12\0\1\3\341\xc0\x34");	/* at itself */
	T_RC(dns_parse(b.p, b.len, DNS_SRV, h, &n, &e), RC_OK);
	assert_int_equal(n, 0);
	begin(&b, "_imaps._tcp.x.fr", 33, 1);
	SRV(&b, "\0\12\0\1");			/* too short to have a name */
	T_RC(dns_parse(b.p, b.len, DNS_SRV, h, &n, &e), RC_OK);
	assert_int_equal(n, 0);
	buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_srv),
		cmocka_unit_test(test_mx),
		cmocka_unit_test(test_more_than_there_is_room_for),
		cmocka_unit_test(test_no_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
