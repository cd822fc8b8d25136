/* The reports of one mail: what the vault is asked about each, and where each
 * is filed, until it is known whether its patient is another one. */
#ifndef SC_FLOW_CLERK_REPORT_H
#define SC_FLOW_CLERK_REPORT_H

#include "document/filing.h"
#include "flow/clerk.h"
#include "flow/field.h"
#include "store/store_inbox.h"

/* Reports are numbered through the documents of a mail, in their order. */
struct reports {
	struct field	 field;		/* X-Sceau */
	unsigned	 n;		/* found so far */
	unsigned	 flags;		/* enum store_inbox_flag */
	unsigned	 nforms;	/* the first ones, in ${forms} */
	struct buf	 forms;		/* struct patient, packed */
	unsigned	 first[EXTRACT_PARTS_MAX];	/* of a document, from
							 * 1; 0: not read */
	struct buf	 lines;		/* struct report_line */
	struct buf	 names;		/* of documents, for these */
	/* What is to be said at each delivery, and whether it gets anything. */
	struct buf	 text[CLERK_DELIVERIES_MAX];
	bool		 some[CLERK_DELIVERIES_MAX];
};

/* reports_free(r): wiped: there are names of patients in it. */
void reports_free(struct reports **r);

/* reports_read(c, r, n, h): document ${n} of the mail, if it was not read
 * before; false: memory. */
bool reports_read(const struct clerk *c, struct reports *r, size_t n,
    const struct hprim *h);
/* reports_unread(r, fd): a text that is not taken into memory: when there is
 * something in it, it was not compared. */
void reports_unread(struct reports *r, int fd);

/* reports_stand(r, delivery, n, i, f, name): report ${i} of document ${n},
 * which is read, stands under ${name} at that delivery; false: memory. */
bool reports_stand(struct reports *r, size_t delivery, size_t n, unsigned i,
    const struct filing *f, const char *name);
/* reports_say(r, delivery, odd, out): a line for each of those that are odd,
 * translated; false: memory. */
bool reports_say(const struct reports *r, size_t delivery,
    struct bytes odd, struct buf *out);

/* reports_pack(r, b): IPC_REPORTS; ${r} NULL: none were found. */
bool reports_pack(const struct reports *r, struct buf *b);

#endif
