/* document/extract: octets are given as they are, and the disk is not waited
 * for: that is for whoever files them. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "unit.h"
#include "document/extract.h"

static int nsyncs;

/* GMime's too: it finds this one first. */
int
fsync(int fd)
{
	(void)fd;
	nsyncs++;
	return 0;
}

struct got {
	FILE	*out;
	unsigned n;
	uint64_t least;
};

static enum rc
begin(void *arg, const struct extract_doc *d, int *fd, struct err *e)
{
	struct got *g = arg;

	(void)e;
	g->n++;
	g->least = d->least;
	*fd = fileno(g->out);
	return RC_OK;
}

static enum rc
end(void *arg, const struct extract_doc *d, struct err *e)
{
	(void)arg;
	(void)d;
	(void)e;
	return RC_OK;
}

static enum rc
begin_here(void *arg, const struct extract_doc *d, int *fd, struct err *e)
{
	(void)arg;
	(void)d;
	(void)e;
	*fd = EXTRACT_HERE;
	return RC_OK;
}

static enum rc
end_here(void *arg, const struct extract_doc *d, struct err *e)
{
	(void)e;
	T_CHECK(bytes_eqs(d->octets, arg));
	return RC_OK;
}

/* The same of a mail in memory. */
static void
check_here(const char *mail, char *want)
{
	const struct extract_sink sink = { want, begin_here, end_here };
	struct err e = ERR_INIT;

	T_RC(extract_from((struct bytes){ (const uint8_t *)mail,
	    strlen(mail) }, &sink, &e), RC_OK);
}

static void
check(const char *mail, const char *want)
{
	struct got g = { tmpfile(), 0, 0 };
	const struct extract_sink sink = { &g, begin, end };
	FILE *in = tmpfile();
	struct err e = ERR_INIT;
	char octets[200] = "";

	T_CHECK(in != NULL && g.out != NULL);
	T_CHECK(fputs(mail, in) >= 0 && fflush(in) == 0);
	T_RC(extract(fileno(in), &sink, &e), RC_OK);
	T_CHECK(g.n == 1);
	rewind(g.out);
	T_CHECK(fread(octets, 1, sizeof(octets) - 1, g.out) == strlen(want));
	T_STR(octets, want);
	T_CHECK(g.least == (strstr(mail, "Encoding:") == NULL ?
	    strlen(want) : 0));
	check_here(mail, octets);
	fclose(in);
	fclose(g.out);
}

static void
test_no_document_waits_for_the_disk(void **state)
{
	(void)state;
	check("Subject: a\r\n\r\nINR 2,1\r\n", "INR 2,1\r\n");
	check("MIME-Version: 1.0\r\nContent-Type: application/pdf\r\n"
	    "Content-Transfer-Encoding: base64\r\n\r\nSU5SIDIsMQ==\r\n",
	    "INR 2,1");
	check("MIME-Version: 1.0\r\nContent-Type: multipart/mixed; "
	    "boundary=b\r\n\r\n--b\r\n\r\nINR 2,1\r\n\r\n--b--\r\n",
	    "INR 2,1\r\n");
	T_CHECK(nsyncs == 0);
}

/* As mbox files have it: no header, and no reason to refuse the mail. */
static void
test_a_line_above_the_header(void **state)
{
	(void)state;
	check("From labo@example Mon Nov 23 08:00:00 2026\r\n"
	    "Subject: a\r\n\r\nINR 2,1\r\n", "INR 2,1\r\n");
}

int
main(void)
{
	struct err e = ERR_INIT;

	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_document_waits_for_the_disk),
		cmocka_unit_test(test_a_line_above_the_header),
	};

	BUG_ON(extract_init(&e) != RC_OK);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
