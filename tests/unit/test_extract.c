/* document/extract: octets are given as they are, and the disk is not waited
 * for: that is for whoever files them. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "unit.h"
#include "document/extract.h"
#include "document/plain.h"

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

/* What comes of it, as one line: both ways must say the same. */
struct told {
	char	text[600];
	FILE	*out;
};

static enum rc
tell_begin(void *arg, const struct extract_doc *d, int *fd, struct err *e)
{
	struct told *t = arg;

	(void)d;
	(void)e;
	T_CHECK(ftruncate(fileno(t->out), 0) == 0 &&
	    lseek(fileno(t->out), 0, SEEK_SET) == 0);
	*fd = fileno(t->out);
	return RC_OK;
}

static enum rc
tell_end(void *arg, const struct extract_doc *d, struct err *e)
{
	struct told *t = arg;
	size_t n = strlen(t->text);
	char octets[200] = "";

	(void)e;
	T_CHECK(pread(fileno(t->out), octets, sizeof(octets) - 1, 0) >= 0);
	snprintf(t->text + n, sizeof(t->text) - n, "%zu %d%d %s%s %s %u <%s>",
	    d->n, d->attachment, d->text, d->name, d->ext, d->charset,
	    (unsigned)d->least, octets);
	return RC_OK;
}

/* ${plain}: it needs no parser; which says the same. */
static void
check_plain(const char *mail, bool plain)
{
	struct told a = { "", tmpfile() }, b = { "", tmpfile() };
	const struct extract_sink one = { &a, tell_begin, tell_end };
	const struct extract_sink two = { &b, tell_begin, tell_end };
	const struct bytes m = { (const uint8_t *)mail, strlen(mail) };
	FILE *in = tmpfile();
	struct err e = ERR_INIT;
	struct plain text;

	T_CHECK(in != NULL && a.out != NULL && b.out != NULL);
	T_CHECK(fputs(mail, in) >= 0 && fflush(in) == 0);
	if (plain_read(m, &text) != plain)
		fail_msg("plain: %s", mail);
	T_RC(extract(fileno(in), &one, &e), extract_from(m, &two, &e));
	T_STR(b.text, a.text);
	fclose(in);
	fclose(a.out);
	fclose(b.out);
}

#define HEAD "From: a@b\r\nSubject: INR\r\n of today\r\n"

static void
test_a_text_needs_no_parser(void **state)
{
	static const struct {
		const char	*mail;
		bool		 plain;
	} mails[] = {
		{ HEAD "\r\nINR 2,1\r\n", true },
		{ HEAD "\r\nINR 2,1", true },
		{ HEAD "\r\n\r\n--\r\nFrom x\r\n.\r\n\351\r\n", true },
		{ "Subject: a\n\nINR\n", true },
		{ "Subject:\r\n\r\nINR\r\n", true },
		{ "MIME-Version: 1.0\r\n" HEAD "content-type: Text/Plain; "
		  "charset=ISO-8859-1\r\n"
		  "Content-Transfer-Encoding: 8bit\r\n\r\n\351\r\n", true },
		{ "Content-Type: text/plain;charset=\"utf-8\" \r\n\r\na\r\n",
		  true },
		{ "Content-Type: text/plain\r\n\r\na\r\n", true },
		/* There is nothing, or nothing above. */
		{ HEAD "\r\n", false },
		{ "\r\nINR\r\n", false },
		/* A field of MIME that may mean more. */
		{ "Content-Type: text/html\r\n\r\na\r\n", false },
		{ "Content-Type: text/plain; name=a.pdf\r\n\r\na\r\n", false },
		{ "Content-Type: text/plain; charset=a;b=c\r\n\r\na\r\n",
		  false },
		{ "Content-Type: text/plain;\r\n charset=a\r\n\r\na\r\n",
		  false },
		{ "Content-Type: text/plain\r\nContent-Type: text/html\r\n"
		  "\r\na\r\n", false },
		{ "Content-Type: text/plain; charset=a\r\n"
		  "Content-Type: text/plain\r\n\r\na\r\n", false },
		{ "Content-Transfer-Encoding: base64\r\n\r\nSU5S\r\n",
		  false },
		{ "Content-Disposition: attachment; filename=a\r\n\r\na\r\n",
		  false },
		{ "Content-TypeContent-Type: text/plain\r\n\r\na\r\n",
		  false },
		/* What is not a header as it should be. */
		{ HEAD "no colon\r\n\r\nINR\r\n", false },
		{ HEAD "Two words: a\r\n\r\nINR\r\n", false },
		{ "Subject: \351\r\n\r\nINR\r\n", false },
		{ " folded\r\nSubject: a\r\n\r\nINR\r\n", false },
		{ "Subject: a\r\n \r\n\r\nINR\r\n", false },
		{ "From x Mon\r\nSubject: a\r\n\r\nINR\r\n", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(mails) / sizeof(mails[0]); i++)
		check_plain(mails[i].mail, mails[i].plain);
}

int
main(void)
{
	struct err e = ERR_INIT;

	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_document_waits_for_the_disk),
		cmocka_unit_test(test_a_line_above_the_header),
		cmocka_unit_test(test_a_text_needs_no_parser),
	};

	BUG_ON(extract_init(&e) != RC_OK);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
