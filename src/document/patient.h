/* Whose a report is, in a form that is the same whoever wrote it. */
#ifndef SC_DOCUMENT_PATIENT_H
#define SC_DOCUMENT_PATIENT_H

#include "document/hprim.h"

#define PATIENT_NAME_BYTES 256

struct patient {
	char	name[PATIENT_NAME_BYTES];	/* "LEGOFF JEANFRANCOIS"; "":
						 * there is no surname */
	char	birth[DATE_BYTES];	/* "1961-05-12"; "": not known */
};

/*
 * patient_of(p, out):
 * Surname and first name in capital letters and figures, without accents,
 * hyphens, apostrophes and blanks, for these come and go ("O'Brien", "O
 * BRIEN"); one blank between the two.  What follows "née", "épouse" or
 * "veuve" behind a surname, or stands in brackets, is another name of the
 * same person and left out.  Very long names are cut.  False: memory.
 *
 * p	borrowed
 * out	the caller's, to be wiped: it names a patient
 */
bool patient_of(const struct hprim_patient *p, struct patient *out);

#endif
