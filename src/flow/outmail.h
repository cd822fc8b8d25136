/* The mail that a laboratory's files are sent as. */
#ifndef SC_FLOW_OUTMAIL_H
#define SC_FLOW_OUTMAIL_H

#include "base/buf.h"
#include "mail/sink.h"

/* One document; all of it borrowed. */
struct outmail_part {
	const char	*name;		/* UTF-8 */
	const char	*type;		/* "text/plain" */
	const char	*charset;	/* or NULL */
	int		 fd;		/* read from its start; or -1: */
	struct bytes	 octets;
	uint64_t	 size;		/* of the file */
};

/* What the header says; all borrowed. */
struct outmail {
	const char	*from, *to;	/* addr-specs */
	const char	*date;
	const char	*message_id;	/* without < > */
	const char	*subject;	/* UTF-8 */
	const char	*boundary;
	const struct outmail_part *parts;
	size_t		 nparts;
};

/*
 * outmail_write(m, sink, e):
 * The whole mail; the same octets each time, as long as the files are the
 * same.  Each document goes in base64, byte for byte.  RC_TEMP: a file cannot
 * be read, or is not of its size any more; what the sink returned.
 * Source: RFC 2045 to 2047, 2183, 2231; PROTOCOL 2.11 step 11.
 */
enum rc outmail_write(const struct outmail *m, struct sink sink,
    struct err *e);

#endif
