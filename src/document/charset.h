/* Character sets and line ends of documents: which they are, and from one to
 * another. */
#ifndef SC_DOCUMENT_CHARSET_H
#define SC_DOCUMENT_CHARSET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

/* Those that are written, then those that are only read. */
enum charset {
	CHARSET_UTF8,
	CHARSET_LATIN1,
	CHARSET_CP1252,
	CHARSET_CP850,
	CHARSET_MACROMAN,
	CHARSET_WRITTEN,	/* how many that are */
	CHARSET_UTF16LE = CHARSET_WRITTEN,
	CHARSET_UTF16BE,
	CHARSET_ASCII	/* written only, and only by charset_plain() */
};

/* Unix, Windows, the Mac of before 2001. */
enum eol { EOL_LF, EOL_CRLF, EOL_CR };

/* What a text looks like. */
struct charset_guess {
	enum charset	set;
	bool		sure;		/* ASCII, a byte order mark, UTF-8, or
					 * one set reads clearly better */
	bool		ascii;		/* nothing above 0x7f: any set */
	size_t		bom;		/* octets of its byte order mark */
	enum eol	eol;		/* most lines end in; LF when none */
	bool		mixed;		/* not all of them */
};

/* What a conversion could not carry over as it was. */
struct charset_loss {
	size_t		stood;		/* written as others that mean it */
	size_t		lost;		/* written as "?" */
	unsigned	stood_line;	/* of the first one, from 1 */
	unsigned	lost_line;
	unsigned	above;		/* given: lines that stand above what
					 * is read or written now */
};

/*
 * charset_guess(p, len, g):
 * Which set the text is written in: by its byte order mark, as UTF-8 when it
 * is that, else the single-octet set in which its accents and signs stand as
 * in French words and measures.  Of sets that read the same, the simplest.
 * Source: FIELD, "wrong accents"; WHATWG for the holes of Windows-1252.
 */
void charset_guess(const uint8_t *p, size_t len, struct charset_guess *g);

/*
 * charset_declared(name, p, len, g):
 * The same for a text of which its sender says that it is in ${name} (of a
 * Content-Type; NULL or "": he says nothing).  He is believed where that can
 * be: a text that is UTF-8 with accents in it is UTF-8, and one with octets
 * that the set does not have is guessed.
 */
void charset_declared(const char *name, const uint8_t *p, size_t len,
    struct charset_guess *g);

/* charset_name(set): as IANA registers it; eol_name(eol): "LF" and so on. */
const char *charset_name(enum charset set);
const char *eol_name(enum eol eol);

/* charset_find(name, set): that one of those that are written, by its name
 * or one in common use ("latin1", "cp1252", "mac"), in either case. */
bool charset_find(const char *name, enum charset *set);

/*
 * charset_read(g, p, len, out, loss, e):
 * The text in UTF-8, its lines ended by LF, without byte order mark; appended
 * to ${out}.  Octets that are not of the set become U+FFFD and are counted as
 * lost.  ${loss} is added to; zero it first.  RC_NOMEM.
 */
enum rc charset_read(const struct charset_guess *g, const uint8_t *p,
    size_t len, struct buf *out, struct charset_loss *loss, struct err *e);

/*
 * charset_write(set, eol, p, len, out, loss, e):
 * The other way, from UTF-8 with LF; ${set} is one that is written.  What the
 * set has not is written as what means the same (an accent is left out, a
 * raised 3 becomes "^3"), by rules of our own: those of iconv() differ from
 * one system and locale to another.  Else it is "?".  RC_NOMEM.
 */
enum rc charset_write(enum charset set, enum eol eol, const uint8_t *p,
    size_t len, struct buf *out, struct charset_loss *loss, struct err *e);

/* charset_plain(p, len, out): in ASCII, for names; false: memory. */
bool charset_plain(const uint8_t *p, size_t len, struct buf *out);
/* charset_words(p, len, out): its letters and figures alone, in ASCII capitals,
 * one blank between words, appended: names that are the same whatever their
 * case, accents and signs; false: memory. */
bool charset_words(const uint8_t *p, size_t len, struct buf *out);

/* charset_decode(set, octet): that octet of a single-octet set. */
uint32_t charset_decode(enum charset set, uint8_t octet);

#endif
