/* The mail that a laboratory's files are sent as. */
#include "config.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "unit.h"

#include "flow/outmail.h"

static enum rc
gather(void *arg, const uint8_t *p, size_t len, struct err *e)
{
	T_CHECK(len > 0);
	return buf_add(arg, p, len) ? RC_OK : err_set(e, RC_NOMEM, "memory");
}

static enum rc
write_mail(const struct outmail *m, struct buf *out, struct err *e)
{
	buf_wipe(out);
	return outmail_write(m, (struct sink){ gather, out }, e);
}

static struct outmail
mail_of(const struct outmail_part *parts, size_t n, const char *subject)
{
	return (struct outmail){ "labo@labo.example", "dr@cabinet.example",
	    "Thu, 26 Nov 2026 08:00:00 +0000", "1@labo.example", subject,
	    "b0", parts, n };
}

#define HEAD "From: labo@labo.example\r\nTo: dr@cabinet.example\r\n" \
	"Date: Thu, 26 Nov 2026 08:00:00 +0000\r\n" \
	"Message-ID: <1@labo.example>\r\n"
#define MIME "MIME-Version: 1.0\r\n" \
	"Content-Type: multipart/mixed; boundary=\"b0\"\r\n\r\n"

static void
test_every_octet_of_it(void **state)
{
	const struct outmail_part parts[] = {
		{ "r.hpr", "text/plain", "iso-8859-1", -1,
		    { (const uint8_t *)"caf\xe9\r\n", 6 }, 0 },
		{ "\xc3\xa9 \".pdf", "application/pdf", NULL, -1,
		    { (const uint8_t *)"%PDF", 4 }, 0 } };
	struct outmail m = mail_of(parts, 2, "Results");
	struct buf out = BUF_INIT;
	struct err e = ERR_INIT;

	(void)state;
	T_RC(write_mail(&m, &out, &e), RC_OK);
	T_STR(buf_str(&out), HEAD "Subject: Results\r\n" MIME
	    "--b0\r\nContent-Type: text/plain; charset=iso-8859-1\r\n"
	    "Content-Transfer-Encoding: base64\r\n"
	    "Content-Disposition: attachment;\r\n filename=\"r.hpr\"\r\n\r\n"
	    "Y2Fm6Q0K\r\n"
	    "--b0\r\nContent-Type: application/pdf\r\n"
	    "Content-Transfer-Encoding: base64\r\n"
	    "Content-Disposition: attachment;\r\n"
	    " filename*=utf-8''%C3%A9%20%22%2E%70%64%66\r\n\r\n"
	    "JVBERg==\r\n--b0--\r\n");
	buf_free(&out);
}

static void
test_subjects(void **state)
{
	static const struct { const char *subject, *field; } says[] = {
		{ "R\xc3\xa9sultats", "Subject: =?utf-8?Q?"
		    "=52=C3=A9=73=75=6C=74=61=74=73?=\r\n" },
		/* No character is cut in two. */
		{ "01234567890123\xc3\xa9x", "Subject: =?utf-8?Q?"
		    "=30=31=32=33=34=35=36=37=38=39=30=31=32=33?=\r\n"
		    " =?utf-8?Q?=C3=A9=78?=\r\n" },
		{ "=?x?=", "Subject: =?utf-8?Q?=3D=3F=78=3F=3D?=\r\n" },
	};
	struct buf out = BUF_INIT;
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(says) / sizeof(says[0]); i++) {
		struct outmail m = mail_of(NULL, 0, says[i].subject);

		T_RC(write_mail(&m, &out, &e), RC_OK);
		T_CHECK(strstr(buf_str(&out), says[i].field) != NULL);
	}
	buf_free(&out);
}

/* Of a file: the same each time, and not one that grew or shrank. */
static void
test_files(void **state)
{
	static const uint8_t octets[100000] = { 1, 2, 3 };
	char path[] = "/tmp/sceau-outmail-XXXXXX";
	int fd = mkstemp(path);
	struct outmail_part part = { "x.zip", "application/zip", NULL, fd,
	    { NULL, 0 }, sizeof(octets) };
	struct outmail m = mail_of(&part, 1, "Results");
	struct buf a = BUF_INIT, b = BUF_INIT;
	struct err e = ERR_INIT;

	(void)state;
	T_CHECK(fd >= 0 && unlink(path) == 0);
	T_CHECK(write(fd, octets, sizeof(octets)) == sizeof(octets));
	T_RC(write_mail(&m, &a, &e), RC_OK);
	T_RC(write_mail(&m, &b, &e), RC_OK);
	T_CHECK(a.len == b.len && memcmp(a.p, b.p, a.len) == 0);
	part.size--;
	T_RC(write_mail(&m, &b, &e), RC_TEMP);
	part.size += 2;
	T_RC(write_mail(&m, &b, &e), RC_TEMP);
	part.size = 0;
	T_CHECK(ftruncate(fd, 0) == 0);
	T_RC(write_mail(&m, &b, &e), RC_OK);
	close(fd);
	buf_free(&a);
	buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_octet_of_it),
		cmocka_unit_test(test_subjects),
		cmocka_unit_test(test_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
