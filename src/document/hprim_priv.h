/* Between the files of document/hprim. */
#ifndef SC_DOCUMENT_HPRIM_PRIV_H
#define SC_DOCUMENT_HPRIM_PRIV_H

#include "document/hprim.h"

/* Lines of a text in UTF-8, one after the other. */
struct hprim_lines {
	const uint8_t	*p;
	size_t		 left;
	unsigned	 no;		/* of the next one, from 1 */
};

/* What is being read. */
struct hprim_reading {
	struct hprim		*h;
	const struct date	*today;
	struct hprim_lines	 lines;
	struct hprim_patient	*patient;	/* the one at hand, or NULL */
};

enum hprim_tag { HPRIM_TAG_NONE, HPRIM_TAG_LAB, HPRIM_TAG_FIN,
    HPRIM_TAG_FINFICHIER, HPRIM_TAG_OTHER };

/* hprim_line(l, line): the next one, without its end; false: no more. */
bool hprim_line(struct hprim_lines *l, struct bytes *line);
/* hprim_trim(s): without blanks around it. */
struct bytes hprim_trim(struct bytes s);
/* hprim_tag(line, exact): which tag it is; ${*exact}: as it should be. */
enum hprim_tag hprim_tag(struct bytes line, bool *exact);
/* hprim_note(r, what, line): one remark more. */
void hprim_note(struct hprim_reading *r, enum hprim_what what, unsigned line);

/* hprim_looks(text): could this be HPRIM Médecin? */
bool hprim_looks(struct bytes text, const struct date *today);
/* hprim_start(l, today): how many empty lines stand above the header. */
unsigned hprim_start(struct hprim_lines l, const struct date *today);
/* hprim_header(r): the header of the patient at hand; false when a tag
 * stands in it, which then is the next line. */
bool hprim_header(struct hprim_reading *r);
/* hprim_body(r): all up to its end; the tag that was it, NONE: the file's. */
enum hprim_tag hprim_body(struct hprim_reading *r);
/* hprim_octets(r): what is odd about characters. */
void hprim_octets(struct hprim_reading *r);

#endif
