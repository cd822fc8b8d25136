/* Reports in HPRIM Médecin: read, checked, and written again. */
#ifndef SC_DOCUMENT_HPRIM_H
#define SC_DOCUMENT_HPRIM_H

#include "document/charset.h"
#include "document/civil.h"

#define HPRIM_FILE_MAX_BYTES (16U << 20)	/* a day of a large one is 2 */
#define HPRIM_PATIENTS_MAX 4096
#define HPRIM_REMARKS_MAX 256	/* kept; all are counted */
#define HPRIM_HEADER_LINES 12

/* What a file is.  All but HPRIM_MEDECIN are passed whole. */
enum hprim_kind {
	HPRIM_MEDECIN,
	HPRIM_SANTE,		/* H|, delimiters of its own */
	HPRIM_HL7,		/* version 2: MSH| */
	HPRIM_CDA,		/* and other XML */
	HPRIM_BINARY,		/* PDF, images, archives */
	HPRIM_TEXT		/* nothing that we know */
};

/* Lines of the header, from 0. */
enum hprim_field { HPRIM_CODE, HPRIM_FAMILY, HPRIM_GIVEN, HPRIM_STREET,
    HPRIM_STREET2, HPRIM_TOWN, HPRIM_BIRTH, HPRIM_NIR, HPRIM_FILE_NO,
    HPRIM_EXAM, HPRIM_SENDER, HPRIM_RECIPIENT };

/* Line 11 or 12: whom a router looks for, by any of these three. */
struct hprim_party {
	struct bytes	code;		/* "" when it is only dots */
	struct bytes	name;		/* all that stands behind it */
	struct bytes	address;	/* the word of it that has an "@" */
};

/* One report.  All octets are lent by the struct hprim, in UTF-8 and without
 * blanks around them. */
struct hprim_patient {
	unsigned		line;	/* of the file, where it starts */
	bool			wide;	/* .HPM: a row of columns as line 1,
					 * two lines more behind line 12 */
	bool			ended;	/* ****FIN**** was there */
	unsigned		header;	/* lines before the text: 12 to 15 */
	struct bytes		field[HPRIM_HEADER_LINES];
	struct hprim_party	sender, recipient;
	char			birth[DATE_BYTES];	/* "": not known */
	char			exam[DATE_BYTES];
	char			nir[NIR_BYTES];		/* good ones only */
	struct bytes		whole;	/* its lines, up to its end */
	struct bytes		head;	/* given to hprim_add(): the header to
					 * write instead of field[] */
	struct bytes		more;	/* the two lines more of .HPM */
	struct bytes		text;	/* under the header */
	struct bytes		coded;	/* under ****LAB****; "": none */
	unsigned		nresults;	/* RES lines */
	unsigned		errors, oddities;
};

/* What can be said of a file, in hprim_say.c. */
enum hprim_what {
	HPRIM_NOT_HPRIM, HPRIM_TOO_MANY, HPRIM_HEADER_SHORT,
	HPRIM_HEADER_SHIFTED, HPRIM_NO_NAME, HPRIM_BIRTH_BAD,
	HPRIM_BIRTH_FUTURE, HPRIM_NIR_KEY, HPRIM_EXAM_EARLY, HPRIM_NO_END,
	HPRIM_BEHIND_END, HPRIM_EMPTY, HPRIM_OCTETS,
	HPRIM_ODD,	/* those from here on are oddities */
	HPRIM_NAME_CASE = HPRIM_ODD, HPRIM_NO_GIVEN, HPRIM_TOWN_FORM,
	HPRIM_NO_BIRTH, HPRIM_BIRTH_FORM, HPRIM_BIRTH_SHORT, HPRIM_NIR_BAD,
	HPRIM_NIR_BIRTH, HPRIM_NO_FILE_NO, HPRIM_NO_EXAM, HPRIM_EXAM_BAD,
	HPRIM_EXAM_FORM, HPRIM_NO_SENDER, HPRIM_SENDER_FORM,
	HPRIM_NO_RECIPIENT, HPRIM_RECIPIENT_FORM, HPRIM_BLANK_ABOVE,
	HPRIM_NO_FIN, HPRIM_NO_FINFICHIER, HPRIM_TAG_FORM, HPRIM_TAG_UNKNOWN,
	HPRIM_TAG_TWICE, HPRIM_CODED_OUTSIDE, HPRIM_CODED_LINE,
	HPRIM_RES_SHORT, HPRIM_RES_LONG, HPRIM_RES_TYPE, HPRIM_RES_NUMBER,
	HPRIM_RES_BOUNDS, HPRIM_RES_FLAG, HPRIM_RES_STATUS,
	HPRIM_CHARSET_UNSURE, HPRIM_UTF16, HPRIM_MARK, HPRIM_TWICE_UTF8,
	HPRIM_ENTITY, HPRIM_CONTROL, HPRIM_EOL_MIXED,
	HPRIM_WHAT_N
};

struct hprim_remark {
	enum hprim_what	what;
	unsigned	line;		/* from 1; 0: the file as a whole */
	unsigned	patient;	/* from 1; 0: none */
};

struct hprim {
	enum hprim_kind		 kind;
	struct charset_guess	 guess;
	struct buf		 utf8;	/* all of it, lines ended by LF; empty
					 * unless MEDECIN or TEXT */
	struct hprim_patient	*patient;
	unsigned		 n;
	struct buf		 room;	/* what ${patient} stands in */
	struct hprim_remark	 remark[HPRIM_REMARKS_MAX];
	unsigned		 nremarks;	/* kept */
	unsigned		 errors, oddities;	/* found */
};

/*
 * hprim_read(p, len, today, h, e):
 * Read a file (${p} borrowed; at most HPRIM_FILE_MAX_BYTES) and say all that
 * is wrong with it.  A laboratory refuses to send what has errors; a practice
 * files it all the same, and shows the remarks.  An error of one patient
 * leaves the others as they are.
 *
 * today	birth dates are not later
 * h		filled, to be freed by hprim_free() whatever is returned
 *
 * RC_OK, also when it has errors; RC_INPUT, class TOOBIG; RC_NOMEM.
 * Source: FIELD, "HPRIM Médecin" (specification 3.0 of 1997, and what is met).
 */
enum rc hprim_read(const uint8_t *p, size_t len, const struct date *today,
    struct hprim *h, struct err *e);

/* hprim_read_as(): the same for a text whose sender says it is in ${declared}
 * (see charset_declared()). */
enum rc hprim_read_as(const char *declared, const uint8_t *p, size_t len,
    const struct date *today, struct hprim *h, struct err *e);

/* hprim_free(h): wiped and released. */
void hprim_free(struct hprim *h);

/*
 * hprim_write(p, to, eol, out, loss, e):
 * The report of one patient as a file of its own, as the specification has
 * it: 12 lines of header without blanks around them, an empty one, the text,
 * the coded lines, both ends.  What was .HPM stays it, its two lines more
 * included.  To complete a header, point p->field[] elsewhere first.  Lines of
 * ${loss} are those of the file that was read.
 * Appended to ${out}; RC_NOMEM.
 */
enum rc hprim_write(const struct hprim_patient *p, enum charset to,
    enum eol eol, struct buf *out, struct charset_loss *loss, struct err *e);

/*
 * hprim_add(p, to, eol, out, loss, e), hprim_add_end(eol, out):
 * The same report as one of several in a file, and the end of that file.
 */
enum rc hprim_add(const struct hprim_patient *p, enum charset to, enum eol eol,
    struct buf *out, struct charset_loss *loss, struct err *e);
bool hprim_add_end(enum eol eol, struct buf *out);

/*
 * hprim_party_is(p, who):
 * Is ${who} (UTF-8, as a person writes it) that party: its code, its address,
 * or words that all stand in its name, whatever their case and accents?
 * Titles are no words ("Dr", "Mme").
 */
bool hprim_party_is(const struct hprim_party *p, struct bytes who);

/* hprim_is_error(what): a laboratory must not send it. */
bool hprim_is_error(enum hprim_what what);
/* hprim_code(what): for programs, "nir.key"; hprim_say(what): what is wrong
 * and what to do, translated.  Neither holds a word of the report. */
const char *hprim_code(enum hprim_what what);
const char *hprim_say(enum hprim_what what);
/* hprim_kind_name(kind): for programs; hprim_kind_say(kind): for people. */
const char *hprim_kind_name(enum hprim_kind kind);
const char *hprim_kind_say(enum hprim_kind kind);

#endif
