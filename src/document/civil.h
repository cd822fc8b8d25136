/* What a header says of a person: dates, and the national number. */
#ifndef SC_DOCUMENT_CIVIL_H
#define SC_DOCUMENT_CIVIL_H

#include "base/buf.h"

#define DATE_BYTES 11	/* "yyyy-mm-dd" and a NUL */
#define NIR_BYTES 14	/* 13 characters and a NUL */

enum date_form {
	DATE_NONE,		/* empty */
	DATE_FULL,		/* dd/mm/yyyy, as it should be */
	DATE_OTHER,		/* yyyy-mm-dd, 1 JAN 1911: certain all the
				 * same */
	DATE_SHORT,		/* dd/mm/yy: the century is a guess */
	DATE_BAD
};

struct date {
	int	year, month, day;
};

/*
 * date_parse(s, today, d):
 * A date as laboratories write it, blanks around it and a time of day behind
 * it passed over.  A century that is missing is the last that does not lead
 * beyond ${today}.  ${d} is filled unless DATE_NONE or DATE_BAD.
 * Source: FIELD, line 7.
 */
enum date_form date_parse(struct bytes s, const struct date *today,
    struct date *d);

/* date_of(at, d): the day of that time, UTC. */
void date_of(int64_t at, struct date *d);
/* date_format(d, out): "yyyy-mm-dd".  date_compare(a, b): below 0, 0, above. */
void date_format(const struct date *d, char out[DATE_BYTES]);
int date_compare(const struct date *a, const struct date *b);

enum nir_form {
	NIR_NONE,		/* empty */
	NIR_GOOD,		/* with its key, which is right */
	NIR_KEYLESS,
	NIR_BAD_KEY,
	NIR_BAD			/* not a number of that kind */
};

/*
 * nir_parse(s, nir):
 * The number of the social security: 13 digits, the sixth and seventh also
 * 2A or 2B, then perhaps a key of two; blanks anywhere.  ${nir}: those 13,
 * "" for NIR_NONE and NIR_BAD.
 * Source: FIELD, line 8; the key is 97 - n mod 97, 2A and 2B count as 19
 * and 18.
 */
enum nir_form nir_parse(struct bytes s, char nir[NIR_BYTES]);

/* nir_born(nir, d): could its holder be born on that day?  Months that are
 * none (20, 31 and above) say nothing. */
bool nir_born(const char nir[NIR_BYTES], const struct date *d);

#endif
