/* A text that came, as the practice's software wants it: files and remarks. */
#ifndef SC_DOCUMENT_FILING_H
#define SC_DOCUMENT_FILING_H

#include "document/hprim.h"

/* Larger texts are filed as they came: they are held in memory here. */
#define FILING_TEXT_MAX_BYTES (4U << 20)

enum filing_files { FILING_BY_DOCUMENT, FILING_BY_PATIENT, FILING_BY_MESSAGE };

/* What a destination wants; -1: left as it came. */
struct filing_form {
	int			 charset;	/* enum charset */
	int			 eol;		/* enum eol */
	enum filing_files	 files;
	bool			 whole;		/* HPRIM headers completed */
	/* For lines 11 and 12 when they are empty; lent. */
	const char		*sender, *recipient;
};

struct filing {
	const struct filing_form *form;
	struct hprim		 h;
	struct bytes		 came;		/* lent */
	bool			 apart;		/* its reports can be taken
						 * out one by one */
	enum charset		 charset;	/* that is written */
	enum eol		 eol;
	struct charset_loss	 loss;		/* of what was written */
};

/*
 * filing_read(form, declared, p, len, today, f, e):
 * Look into a text (${form} and ${p} borrowed for as long as ${f} is) whose
 * sender declares that character set (NULL: none).  What has an error in its
 * structure is not taken apart: it is filed whole.  filing_free() whatever is
 * returned.  RC_NOMEM.
 */
enum rc filing_read(const struct filing_form *form, const char *declared,
    const uint8_t *p, size_t len, const struct date *today, struct filing *f,
    struct err *e);
void filing_free(struct filing *f);

/* filing_load(fd, p, len, e): all of a file, from its start; ${*p} owned, NULL
 * when it is empty or larger than FILING_TEXT_MAX_BYTES. */
enum rc filing_load(int fd, uint8_t **p, size_t *len, struct err *e);

/* filing_in_pieces(f): filing_patient() makes it, not filing_whole(). */
bool filing_in_pieces(const struct filing *f);

/* filing_as_it_came(f): there is nothing to be written anew. */
bool filing_as_it_came(const struct filing *f);

/*
 * filing_whole(f, out, e), filing_patient(f, i, out, e):
 * The whole text, or the report of patient ${i} (from 0) of one that is
 * apart, as wanted; appended to ${out}.  Of FILING_BY_MESSAGE, reports have
 * no end of file: hprim_add_end() writes it behind the last.  f->loss is
 * added to.  RC_NOMEM.
 */
enum rc filing_whole(struct filing *f, struct buf *out, struct err *e);
enum rc filing_patient(struct filing *f, unsigned i, struct buf *out,
    struct err *e);

/* filing_corrects(p): a result in it replaces one that was sent before. */
bool filing_corrects(const struct hprim_patient *p);

/*
 * filing_say(f, name, out):
 * What a person must know of how the document is written that is filed under
 * ${name}: a line each, translated, without a word of the report.  Nothing
 * when all is well.  False: memory.
 */
bool filing_say(const struct filing *f, const char *name, struct buf *out);

#endif
