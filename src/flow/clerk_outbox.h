/* Between the files of the clerk's part of the outboxes. */
#ifndef SC_FLOW_CLERK_OUTBOX_H
#define SC_FLOW_CLERK_OUTBOX_H

#include "base/clock.h"
#include "base/sandbox.h"
#include "document/alias.h"
#include "document/hprim.h"
#include "flow/clerk.h"
#include "flow/outmail.h"
#include "flow/outscan.h"
#include "vault/gate.h"

#define OUTDOCS_MAX 64		/* of one message; the practice takes 100 */
#define OUTLINES_MAX 50		/* reasons that are written down */

/* One file of a group. */
struct outdoc {
	const struct outscan_entry *e;	/* lent by the scan */
	struct outfile_id id;		/* as it was opened */
	int		 fd;
	enum hprim_kind	 kind;
	const char	*charset;	/* declared; NULL: not */
};

/* For whom one message is. */
struct outwhom {
	bool		 shown;		/* a name of the directory */
	char		 who[GATE_ROUTE_BYTES];
	char		 other[GATE_ROUTE_BYTES];	/* try this then */
	unsigned	 line;		/* of the file; 0: not out of it */
};

/* A group on its way. */
struct outjob {
	bool		 begun;
	struct outgroup	 g;
	int		 folder;
	struct outdoc	 doc[OUTDOCS_MAX];
	size_t		 ndocs;
	uint64_t	 octets;
	/* What is wrong: rc RC_INPUT refuses, others leave it. */
	struct err	 why;
	struct buf	 reasons;	/* lines for people */
	unsigned	 nreasons, line, doubtful;	/* file: index + 1 */
	const char	*code;
	unsigned	 oddities, odd_line;
	const char	*odd_code;
	struct hprim	 h;		/* of the one with ${report} */
	size_t		 report;	/* index + 1; 0: none */
	bool		 split;		/* one message a patient */
	/* Whose reports are in it, or in the message that is composed. */
	struct buf	 forms;		/* struct patient, packed */
	unsigned	 nforms;	/* at most STORE_REPORTS_MAX */
	struct outwhom	*whom;		/* owned */
	size_t		 nwhom;
	/* What the vault pulls. */
	struct buf	 octets_of;	/* of a patient */
	char		 from[GATE_ROUTE_BYTES], to[GATE_ROUTE_BYTES];
	char		 date[CLOCK_5322_BYTES];
	char		 message_id[320], boundary[48];
	struct buf	 names;
	struct outmail_part part[OUTDOCS_MAX];
	struct outmail	 mail;
	struct err	 pulled;	/* what came of it */
};

struct outroom {
	struct alias_table aliases[OUTBOXES_MAX];
	struct err	 bad[OUTBOXES_MAX];	/* it cannot be served */
	size_t		 box;		/* whose scan that is */
	bool		 scanning;
	struct outscan	 scan;
	struct outjob	 job;
};

/* outjob_open(r, today, j, e): j->g is read, checked and routed; what is
 * wrong is in j->why.  RC_OK; RC_NOMEM. */
enum rc outjob_open(struct outroom *r, const struct pass *p,
    struct outjob *j, struct err *e);
/* outjob_wrong(j, doc, line, code, text): one reason to refuse it; false:
 * memory. */
bool outjob_wrong(struct outjob *j, size_t doc, unsigned line,
    const char *code, const char *text);
/* outjob_forms(j, p, n): for the register: of ${n} reports; false: memory. */
bool outjob_forms(struct outjob *j, const struct hprim_patient *p, unsigned n);
/* outjob_close(j): nothing of it is held any more. */
void outjob_close(struct outjob *j);

/* outjob_compose(r, j, n, e): j->mail, of the ${n}-th message. */
enum rc outjob_compose(struct outroom *r, struct outjob *j, size_t n,
    struct err *e);
/* outjob_check(r, j, e): all was read, and the files are still the same. */
enum rc outjob_check(struct outroom *r, struct outjob *j, struct err *e);
/* outjob_take(r, j, mask, e): those files are queued: away with them. */
enum rc outjob_take(struct outroom *r, struct outjob *j, struct bytes mask,
    struct err *e);
/* outjob_refuse(r, j, e): into the folder of what is refused, and why. */
enum rc outjob_refuse(struct outroom *r, struct outjob *j, struct err *e);

/* outroute(t, conf, j, e): j->whom; what is wrong goes to outjob_wrong(). */
enum rc outroute(const struct alias_table *t, const struct conf_outbox *conf,
    struct outjob *j, struct err *e);

#endif
