/* The header of a report. */
#include "config.h"

#include <string.h>

#include "document/hprim_priv.h"

#define CODE_CHARS 10		/* of lines 11 and 12 */
#define WIDE_CHARS 80		/* two columns of 40: no code is so long */

static size_t
chars(struct bytes s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.len; i++)
		n += (s.p[i] & 0xc0) != 0x80;
	return n;
}

/* Where the n-th character starts. */
static size_t
char_at(struct bytes s, size_t n)
{
	size_t i = 0;

	for (; i < s.len; i++)
		if ((s.p[i] & 0xc0) != 0x80 && n-- == 0)
			break;
	return i;
}

static bool
is_date(struct bytes s, const struct date *today)
{
	enum date_form form;
	struct date d;

	form = date_parse(s, today, &d);
	return form != DATE_NONE && form != DATE_BAD;
}

static bool
is_town(struct bytes s)
{
	for (size_t i = 0; i < 5; i++)
		if (s.len < 5 || s.p[i] < '0' || s.p[i] > '9')
			return false;
	return s.len > 6 && s.p[5] == ' ';
}

/* A code of 10, a space, a name. */
static bool
is_party(struct bytes s)
{
	size_t at = char_at(s, CODE_CHARS);

	return at + 1 < s.len && s.p[at] == ' ' && s.p[at + 1] != ' ' &&
	    s.p[0] != ' ';
}

unsigned
hprim_start(struct hprim_lines l, const struct date *today)
{
	struct bytes line = { NULL, 0 };

	for (unsigned blank = 0;; blank++) {
		struct hprim_lines ahead = l;
		int i = 0;

		while (i <= HPRIM_BIRTH && hprim_line(&ahead, &line))
			i++;
		if (i <= HPRIM_BIRTH)
			return 0;
		if (is_date(line, today))
			return blank;
		if (!hprim_line(&l, &line) || hprim_trim(line).len > 0)
			return 0;
	}
}

bool
hprim_looks(struct bytes text, const struct date *today)
{
	struct hprim_lines l = { text.p, text.len, 1 };
	unsigned blank = hprim_start(l, today), points = 0;
	struct bytes line;
	char nir[NIR_BYTES];
	bool exact;

	for (unsigned i = 0; hprim_line(&l, &line); i++) {
		enum hprim_tag tag = hprim_tag(line, &exact);
		struct bytes s = hprim_trim(line);

		if (tag != HPRIM_TAG_NONE && tag != HPRIM_TAG_OTHER)
			return true;
		if (i < blank)
			continue;
		if (i - blank == HPRIM_TOWN)
			points += is_town(s);
		else if (i - blank == HPRIM_BIRTH || i - blank == HPRIM_EXAM)
			points += is_date(s, today);
		else if (i - blank == HPRIM_NIR)
			points += nir_parse(s, nir) == NIR_GOOD;
		else if (i - blank == HPRIM_SENDER ||
		    i - blank == HPRIM_RECIPIENT)
			points += is_party(s);
	}
	return points >= 3;
}

static struct bytes
find_address(struct bytes s)
{
	while (s.len > 0) {
		size_t n = 0;

		while (n < s.len && s.p[n] != ' ' && s.p[n] != '\t')
			n++;
		if (n > 0 && memchr(s.p, '@', n) != NULL)
			return (struct bytes){ s.p, n };
		n += n < s.len;
		s = (struct bytes){ s.p + n, s.len - n };
	}
	return s;
}

static void
read_party(struct bytes s, struct hprim_party *party)
{
	const uint8_t *space = s.len == 0 ? NULL : memchr(s.p, ' ', s.len);
	size_t at = is_party(s) ? char_at(s, CODE_CHARS) :
	    space == NULL ? 0 : (size_t)(space - s.p);
	bool dots = true;

	party->code = hprim_trim((struct bytes){ s.p, at });
	for (size_t i = 0; i < party->code.len; i++)
		dots = dots && party->code.p[i] == '.';
	if (dots)
		party->code.len = 0;
	party->name = hprim_trim((struct bytes){ s.p + at, s.len - at });
	party->address = find_address(s);
}

/* A date one line away from where it should be. */
static bool
is_shifted(const struct hprim_reading *r)
{
	const struct bytes *f = r->patient->field;

	return !is_date(f[HPRIM_BIRTH], r->today) &&
	    (is_date(f[HPRIM_TOWN], r->today) ||
	    is_date(f[HPRIM_NIR], r->today));
}

static void
check_person(struct hprim_reading *r)
{
	const struct hprim_patient *p = r->patient;
	struct bytes name = p->field[HPRIM_FAMILY];
	bool lower = false;

	for (size_t i = 0; i < name.len; i++)
		lower = lower || (name.p[i] >= 'a' && name.p[i] <= 'z');
	if (name.len == 0)
		hprim_note(r, HPRIM_NO_NAME, p->line + HPRIM_FAMILY);
	else if (lower)
		hprim_note(r, HPRIM_NAME_CASE, p->line + HPRIM_FAMILY);
	if (p->field[HPRIM_GIVEN].len == 0)
		hprim_note(r, HPRIM_NO_GIVEN, p->line + HPRIM_GIVEN);
	if (p->field[HPRIM_TOWN].len > 0 && !is_town(p->field[HPRIM_TOWN]))
		hprim_note(r, HPRIM_TOWN_FORM, p->line + HPRIM_TOWN);
}

static enum date_form
check_birth(struct hprim_reading *r, struct date *d)
{
	struct hprim_patient *p = r->patient;
	enum date_form form = date_parse(p->field[HPRIM_BIRTH], r->today, d);
	unsigned line = p->line + HPRIM_BIRTH;

	if (form == DATE_NONE)
		hprim_note(r, HPRIM_NO_BIRTH, line);
	else if (form == DATE_BAD)
		hprim_note(r, HPRIM_BIRTH_BAD, line);
	else if (date_compare(d, r->today) > 0)
		hprim_note(r, HPRIM_BIRTH_FUTURE, line);
	else
		date_format(d, p->birth);
	if (form == DATE_SHORT)
		hprim_note(r, HPRIM_BIRTH_SHORT, line);
	else if (form == DATE_OTHER)
		hprim_note(r, HPRIM_BIRTH_FORM, line);
	return p->birth[0] == '\0' ? DATE_NONE : form;
}

static void
check_nir(struct hprim_reading *r, const struct date *born, bool known)
{
	struct hprim_patient *p = r->patient;
	enum nir_form form = nir_parse(p->field[HPRIM_NIR], p->nir);
	unsigned line = p->line + HPRIM_NIR;

	if (form == NIR_BAD)
		hprim_note(r, HPRIM_NIR_BAD, line);
	else if (form == NIR_BAD_KEY)
		hprim_note(r, HPRIM_NIR_KEY, line);
	else if (form != NIR_NONE && known && !nir_born(p->nir, born))
		hprim_note(r, HPRIM_NIR_BIRTH, line);
	if (form == NIR_BAD_KEY)
		p->nir[0] = '\0';
}

static void
check_exam(struct hprim_reading *r, const struct date *born, bool certain)
{
	struct hprim_patient *p = r->patient;
	struct date d;
	enum date_form form = date_parse(p->field[HPRIM_EXAM], r->today, &d);
	unsigned line = p->line + HPRIM_EXAM;

	if (form == DATE_NONE || form == DATE_BAD) {
		hprim_note(r, form == DATE_NONE ? HPRIM_NO_EXAM :
		    HPRIM_EXAM_BAD, line);
		return;
	}
	if (form != DATE_FULL)
		hprim_note(r, HPRIM_EXAM_FORM, line);
	date_format(&d, p->exam);
	if (certain && form != DATE_SHORT && date_compare(&d, born) < 0)
		hprim_note(r, HPRIM_EXAM_EARLY, line);
}

static void
check_parties(struct hprim_reading *r)
{
	struct hprim_patient *p = r->patient;
	struct bytes from = p->field[HPRIM_SENDER];
	struct bytes to = p->field[HPRIM_RECIPIENT];

	if (p->field[HPRIM_FILE_NO].len == 0)
		hprim_note(r, HPRIM_NO_FILE_NO, p->line + HPRIM_FILE_NO);
	read_party(from, &p->sender);
	read_party(to, &p->recipient);
	if (!is_party(from))
		hprim_note(r, from.len == 0 ? HPRIM_NO_SENDER :
		    HPRIM_SENDER_FORM, p->line + HPRIM_SENDER);
	if (!is_party(to))
		hprim_note(r, to.len == 0 ? HPRIM_NO_RECIPIENT :
		    HPRIM_RECIPIENT_FORM, p->line + HPRIM_RECIPIENT);
}

static void
check_header(struct hprim_reading *r)
{
	struct date born = { 0, 0, 0 };
	enum date_form form;

	if (is_shifted(r)) {
		hprim_note(r, HPRIM_HEADER_SHIFTED, r->patient->line +
		    HPRIM_BIRTH);
		return;
	}
	check_person(r);
	form = check_birth(r, &born);
	check_nir(r, &born, form != DATE_NONE);
	check_exam(r, &born, form == DATE_FULL || form == DATE_OTHER);
	check_parties(r);
}

/* The next line unless it is a tag. */
static bool
take(struct hprim_reading *r, struct bytes *line)
{
	struct hprim_lines was = r->lines;
	enum hprim_tag tag;
	bool exact;

	if (!hprim_line(&r->lines, line))
		return false;
	tag = hprim_tag(*line, &exact);
	if (tag == HPRIM_TAG_NONE || tag == HPRIM_TAG_OTHER)
		return true;
	r->lines = was;
	return false;
}

/* What stands between line 12 and the text: the two lines of .HPM; then one
 * that is empty, which many files have and many have not. */
static void
skip_more(struct hprim_reading *r)
{
	struct hprim_patient *p = r->patient;
	struct hprim_lines was = r->lines;
	struct bytes line;

	p->more.p = r->lines.p;
	for (int i = 0; i < 2 && p->wide; i++)
		p->header += take(r, &line);
	p->more.len = (size_t)(r->lines.p - p->more.p);
	was = r->lines;
	if (take(r, &line) && hprim_trim(line).len == 0)
		p->header++;
	else
		r->lines = was;
}

bool
hprim_header(struct hprim_reading *r)
{
	struct hprim_patient *p = r->patient;
	struct bytes line;

	while (p->header < HPRIM_HEADER_LINES && take(r, &line)) {
		if (p->header == HPRIM_CODE)
			p->wide = chars(hprim_trim(line)) > WIDE_CHARS;
		p->field[p->header++] = hprim_trim(line);
	}
	if (p->header < HPRIM_HEADER_LINES)
		return false;
	check_header(r);
	skip_more(r);
	return true;
}
