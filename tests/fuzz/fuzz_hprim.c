/*
 * HPRIM reports and character sets: nothing is read beyond its end, what is
 * said of a file is counted, and what was written is read and written the
 * same.
 */
/* links: document base */
#include "config.h"

#include "fuzz.h"
#include "document/filing.h"

static const struct date today = { 2026, 11, 26 };

static void
check_within(struct bytes s, const struct buf *b)
{
	BUG_ON(s.len > 0 && (s.p < b->p || s.p + s.len > b->p + b->len));
}

static void
check_same(struct bytes a, struct bytes b, size_t spare)
{
	BUG_ON(b.len < a.len || b.len > a.len + spare);
	BUG_ON(a.len > 0 && memcmp(a.p, b.p, a.len) != 0);
}

/* Written in UTF-8, read: the same patient.  A name keeps the first line from
 * being taken for an empty one above the header. */
static void
check_again(const struct hprim_patient *p)
{
	struct charset_loss loss = { .lost = 0 };
	struct buf out = BUF_INIT;
	struct err e = ERR_INIT;
	struct hprim again;

	BUG_ON(hprim_write(p, CHARSET_UTF8, EOL_CRLF, &out, &loss, &e) !=
	    RC_OK || loss.lost + loss.stood != 0);
	BUG_ON(hprim_read(out.p, out.len, &today, &again, &e) != RC_OK);
	if (p->header >= HPRIM_HEADER_LINES && p->field[HPRIM_FAMILY].len > 0 &&
	    again.kind == HPRIM_MEDECIN) {
		BUG_ON(again.n != 1 || again.patient->wide != p->wide);
		for (size_t i = 0; i < HPRIM_HEADER_LINES; i++)
			check_same(p->field[i], again.patient->field[i], 0);
		check_same(p->text, again.patient->text, 1);
		check_same(p->coded, again.patient->coded, 1);
		BUG_ON(strcmp(p->birth, again.patient->birth) != 0 ||
		    strcmp(p->nir, again.patient->nir) != 0);
	}
	hprim_free(&again);
	buf_free(&out);
}

static void
check_patients(const struct hprim *h)
{
	unsigned before = 0, line = 0;

	for (unsigned i = 0; i < h->n; i++) {
		const struct hprim_patient *p = &h->patient[i];

		BUG_ON(p->line <= line || p->header > 15);
		line = p->line;
		before += p->errors;
		for (size_t f = 0; f < HPRIM_HEADER_LINES; f++)
			check_within(p->field[f], &h->utf8);
		check_within(p->whole, &h->utf8);
		check_within(p->text, &h->utf8);
		check_within(p->coded, &h->utf8);
		check_within(p->recipient.code, &h->utf8);
		check_within(p->recipient.name, &h->utf8);
		check_within(p->recipient.address, &h->utf8);
		if (i < 16)
			check_again(p);
	}
	BUG_ON(before > h->errors);
}

static void
check_remarks(const struct hprim *h)
{
	BUG_ON(h->nremarks > HPRIM_REMARKS_MAX ||
	    h->nremarks > h->errors + h->oddities);
	for (unsigned i = 0; i < h->nremarks; i++)
		BUG_ON(h->remark[i].what >= HPRIM_WHAT_N ||
		    h->remark[i].patient > h->n ||
		    hprim_say(h->remark[i].what)[0] == '\0');
}

/* To a set and back: what was written once is written the same again.  What
 * was lost in reading stays so in UTF-8 (U+FFFD), and is "?" elsewhere. */
static void
check_set(const struct buf *utf8, enum charset set, enum eol eol)
{
	struct charset_guess g = { .set = set };
	struct charset_loss loss = { .lost = 0 }, read = { .lost = 0 };
	struct charset_loss none = { .lost = 0 };
	struct buf one = BUF_INIT, back = BUF_INIT, two = BUF_INIT;
	struct err e = ERR_INIT;

	BUG_ON(charset_write(set, eol, utf8->p, utf8->len, &one, &loss, &e) !=
	    RC_OK);
	BUG_ON(charset_read(&g, one.p, one.len, &back, &read, &e) != RC_OK ||
	    (set != CHARSET_UTF8 && read.lost != 0));
	BUG_ON(charset_write(set, eol, back.p, back.len, &two, &none, &e) !=
	    RC_OK || none.lost + none.stood != 0);
	BUG_ON(one.len != two.len ||
	    (one.len > 0 && memcmp(one.p, two.p, one.len) != 0));
	BUG_ON(loss.lost + loss.stood == 0 && set == CHARSET_UTF8 &&
	    (back.len != utf8->len || (back.len > 0 &&
	    memcmp(back.p, utf8->p, back.len) != 0)));
	buf_free(&one);
	buf_free(&back);
	buf_free(&two);
}

/* A destination's wishes, chosen by the text: what is taken apart and put
 * together again is read as many reports. */
static void
check_filing(const uint8_t *p, size_t len)
{
	const struct filing_form form = { .charset = p[0] % 6 - 1,
	    .eol = p[1] % 4 - 1, .files = FILING_BY_MESSAGE,
	    .whole = p[2] % 2 == 0, .sender = "a@b", .recipient = "c@d" };
	struct buf all = BUF_INIT, one = BUF_INIT, said = BUF_INIT;
	struct err e = ERR_INIT;
	struct filing f;

	BUG_ON(filing_read(&form, "iso-8859-1", p, len, &today, &f, &e) !=
	    RC_OK);
	BUG_ON(filing_whole(&f, &one, &e) != RC_OK);
	BUG_ON(filing_as_it_came(&f) && (one.len != len ||
	    memcmp(one.p, p, len) != 0));
	for (unsigned i = 0; f.apart && i < f.h.n && i < 16; i++)
		BUG_ON(filing_patient(&f, i, &all, &e) != RC_OK);
	BUG_ON(!filing_say(&f, "r", &said));
	buf_free(&all);
	buf_free(&one);
	buf_free(&said);
	filing_free(&f);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	struct err e = ERR_INIT;
	struct hprim h;
	uint8_t *copy = malloc(len + (len == 0));

	BUG_ON(copy == NULL);
	if (len > 0)
		memcpy(copy, p, len);
	BUG_ON(hprim_read(copy, len, &today, &h, &e) != RC_OK);
	check_remarks(&h);
	check_patients(&h);
	/* longer ones find no more and take their time */
	for (unsigned set = 0; set < CHARSET_WRITTEN && len <= 4096; set++)
		check_set(&h.utf8, (enum charset)set, (enum eol)(set % 3));
	hprim_free(&h);
	if (len > 3 && len <= 4096)
		check_filing(copy, len);
	free(copy);
	return 0;
}
