/* The documents in an opened mail, one file each. */
#ifndef SC_DOCUMENT_EXTRACT_H
#define SC_DOCUMENT_EXTRACT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

#define EXTRACT_NAME_BYTES 128
#define EXTRACT_PARTS_MAX 100	/* PROTOCOL 2.15 */
#define EXTRACT_DEPTH_MAX 8

/* What is known of a document before its octets. */
struct extract_doc {
	size_t	n;			/* from 0, in the order of the mail */
	bool	attachment;		/* else the text of the mail */
	char	name[EXTRACT_NAME_BYTES];	/* safe for a file system, no
					 * folder, no leading dot; without
					 * extension; may be "" */
	char	ext[16];		/* with its dot, lower case, or "" */
	bool	text;			/* lines of characters, as far as its
					 * type and name say */
	char	charset[32];		/* that its sender declares, or "" */
	uint64_t least;			/* octets that it has at least, as far
					 * as is known without decoding it */
	struct bytes octets;		/* when asked for: lent to end() */
};

#define EXTRACT_HERE (-2)

/* begin(): where its octets go; the descriptor stays the callee's; -1: not
 * wanted, there is no end() of it; EXTRACT_HERE: to end() itself, in memory.
 * end(): they are all there. */
struct extract_sink {
	void	*arg;
	enum rc	(*begin)(void *arg, const struct extract_doc *d, int *fd,
		    struct err *e);
	enum rc	(*end)(void *arg, const struct extract_doc *d,
		    struct err *e);
};

/* extract_init(e): once in a process, before its sandbox.  RC_OK, or as
 * late_load(). */
enum rc extract_init(struct err *e);

/*
 * extract(fd, sink, e):
 * Take the documents out of the mail in the file ${fd} (seekable, borrowed,
 * read from its start).  Content is decoded from its transfer encoding and
 * otherwise given byte for byte, in constant memory; nothing is synced.  Of
 * multipart/alternative the plain text is taken, else the last; and of the
 * others what is no text: some programs put attachments beside the HTML.  A
 * mail that is not MIME is one text; one without any part to be seen is one
 * document as it is.
 * RC_INPUT, class POLICY: more parts or deeper than the limits; what the sink
 * returned.
 * Source: RFC 2045 to 2049; PROTOCOL 2.15.
 */
enum rc extract(int fd, const struct extract_sink *sink, struct err *e);
/* extract_from(mail, sink, e): the same of a mail that is in memory. */
enum rc extract_from(struct bytes mail, const struct extract_sink *sink,
    struct err *e);

/* extract_safe_name(s, name, ext): the base name of what a stranger called a
 * file, split: letters, digits, dot, dash, underline; others become '-'. */
void extract_safe_name(const char *s, char name[EXTRACT_NAME_BYTES],
    char ext[16]);

#endif
