#include "config.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "document/civil.h"

static bool
is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

/* One to ${most} digits; -1: none, or more. */
static int
number(struct rd *r, size_t most, size_t *n)
{
	int v = 0;

	for (*n = 0; r->left > 0 && is_digit(*rd_at(r)); r->left--) {
		if (++*n > most)
			return -1;
		v = 10 * v + (*rd_at(r) - '0');
	}
	return *n == 0 ? -1 : v;
}

/* JAN, janvier, AVR, APRIL: by what no two months share. */
static int
month_name(struct rd *r)
{
	static const struct { const char *start; int month; } names[] = {
		{ "jan", 1 }, { "f\xc3\xa9v", 2 }, { "fev", 2 },
		{ "feb", 2 }, { "mar", 3 }, { "avr", 4 }, { "apr", 4 },
		{ "mai", 5 }, { "may", 5 }, { "juin", 6 }, { "jun", 6 },
		{ "juil", 7 }, { "jul", 7 }, { "ao\xc3\xbb", 8 },
		{ "aou", 8 }, { "aug", 8 }, { "sep", 9 }, { "oct", 10 },
		{ "nov", 11 }, { "dec", 12 }, { "d\xc3\xa9""c", 12 }
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		size_t len = strlen(names[i].start);

		if (r->left < len || strncasecmp((const char *)rd_at(r),
		    names[i].start, len) != 0)
			continue;
		while (r->left > 0 && (*rd_at(r) >= 'A' || *rd_at(r) == '.'))
			r->left--;
		return names[i].month;
	}
	return -1;
}

static bool
separator(struct rd *r)
{
	size_t before = r->left;

	while (r->left > 0 && *rd_at(r) != 0 &&
	    strchr("/-. ", *rd_at(r)) != NULL)
		r->left--;
	return r->left < before;
}

static int
days_in(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30,
	    31 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month - 1] + (month == 2 && leap);
}

static bool
is_date(const struct date *d)
{
	return d->year >= 1800 && d->year <= 2999 && d->month >= 1 &&
	    d->month <= 12 && d->day >= 1 &&
	    d->day <= days_in(d->year, d->month);
}

/* " 08:30", " 8 h 30", "T083000": a time of day, which we do not need. */
static bool
only_time(const struct rd *r)
{
	const uint8_t *p = rd_at(r);

	if (r->left > 0 && *p != ' ' && *p != 'T')
		return false;
	for (size_t i = 1; i < r->left; i++)
		if (!is_digit(p[i]) && strchr(" :hH", p[i]) == NULL)
			return false;
	return true;
}

/* The three parts in the order in which they stand. */
static enum date_form
parts(struct rd *r, struct date *d)
{
	size_t first, n, last;
	bool named = false;
	int a = number(r, 4, &first), b;

	if (a < 0 || !separator(r))
		return DATE_BAD;
	if ((b = number(r, 2, &n)) < 0 && n == 0) {
		b = month_name(r);
		named = true;
	}
	if (b < 0 || !separator(r))
		return DATE_BAD;
	*d = (struct date){ number(r, 4, &last), b, a };
	if (d->year < 0 || !only_time(r))
		return DATE_BAD;
	if (first == 4 && last <= 2) {
		d->day = d->year;
		d->year = a;
		return DATE_OTHER;
	}
	if (first > 2 || last == 3 || last == 1)
		return DATE_BAD;
	return last == 2 ? DATE_SHORT : named ? DATE_OTHER : DATE_FULL;
}

enum date_form
date_parse(struct bytes s, const struct date *today, struct date *d)
{
	enum date_form form;
	struct rd r;

	s = bytes_trim(s);
	if (s.len == 0)
		return DATE_NONE;
	r = rd_of(s.p, s.len);
	form = parts(&r, d);
	if (form == DATE_SHORT) {
		d->year += today->year / 100 * 100;
		if (date_compare(d, today) > 0)
			d->year -= 100;
	}
	if (form == DATE_FULL &&
	    (s.len < 10 || s.p[2] != '/' || s.p[5] != '/'))
		form = DATE_OTHER;
	return form == DATE_BAD || !is_date(d) ? DATE_BAD : form;
}

void
date_of(int64_t at, struct date *d)
{
	time_t t = (time_t)at;
	struct tm tm;

	memset(&tm, 0, sizeof(tm));
	gmtime_r(&t, &tm);
	*d = (struct date){ tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday };
}

void
date_format(const struct date *d, char out[DATE_BYTES])
{
	snprintf(out, DATE_BYTES, "%04u-%02u-%02u", (unsigned)d->year % 10000,
	    (unsigned)d->month % 100, (unsigned)d->day % 100);
}

int
date_compare(const struct date *a, const struct date *b)
{
	if (a->year != b->year)
		return a->year - b->year;
	return a->month != b->month ? a->month - b->month : a->day - b->day;
}

/* Without blanks; 0: more than fit. */
static size_t
squeeze(struct bytes s, char *out, size_t size)
{
	size_t n = 0;

	for (size_t i = 0; i < s.len; i++) {
		if (is_wsp(s.p[i]))
			continue;
		if (n == size)
			return 0;
		out[n++] = (char)s.p[i];
	}
	return n;
}

/* The number that the key is made of; 0: not a NIR. */
static uint64_t
nir_number(char s[13])
{
	uint64_t v = 0;

	if (s[5] == '2' && (s[6] == 'a' || s[6] == 'b'))
		s[6] = s[6] == 'a' ? 'A' : 'B';
	for (int i = 0; i < 13; i++) {
		char c = s[i];

		if (i == 5 && c == '2' && (s[6] == 'A' || s[6] == 'B'))
			c = '1';
		else if (i == 6 && s[5] == '2' && (c == 'A' || c == 'B'))
			c = c == 'A' ? '9' : '8';
		if (c < '0' || c > '9')
			return 0;
		v = 10 * v + (uint64_t)(c - '0');
	}
	return s[0] == '0' ? 0 : v;
}

enum nir_form
nir_parse(struct bytes s, char nir[NIR_BYTES])
{
	char all[15];
	size_t n = squeeze(s, all, sizeof(all));
	uint64_t v;

	nir[0] = '\0';
	if (bytes_trim(s).len == 0)
		return NIR_NONE;
	if ((n != 13 && n != 15) || (v = nir_number(all)) == 0)
		return NIR_BAD;
	if (n == 15 && (!is_digit((uint8_t)all[13]) ||
	    !is_digit((uint8_t)all[14])))
		return NIR_BAD;
	memcpy(nir, all, 13);
	nir[13] = '\0';
	if (n == 13)
		return NIR_KEYLESS;
	return (uint64_t)(10 * (all[13] - '0') + all[14] - '0') ==
	    97 - v % 97 ? NIR_GOOD : NIR_BAD_KEY;
}

bool
nir_born(const char nir[NIR_BYTES], const struct date *d)
{
	int year = 10 * (nir[1] - '0') + nir[2] - '0';
	int month = 10 * (nir[3] - '0') + nir[4] - '0';

	if (month < 1 || month > 12)
		return true;
	return year == d->year % 100 && month == d->month;
}
