/* What lies in an outbox, and which of it is whole. */
#ifndef SC_FLOW_OUTSCAN_H
#define SC_FLOW_OUTSCAN_H

#include <sys/stat.h>

#include "base/buf.h"
#include "conf/conf.h"

#define OUTSCAN_MAX 50000	/* names held; more are read after these */
#define OUTSCAN_STALE_S 3600	/* after which nobody writes it any more */

/* What one file is told from another by, through renaming.  Its name is no
 * part of it: it may be a patient's. */
struct outfile_id {
	uint64_t	ino;
	int64_t		mtime_ns;
	uint64_t	size;
};

enum outscan_kind {
	OUTSCAN_FILE,
	OUTSCAN_OTHER,		/* a link, a pipe: nothing to be read */
	OUTSCAN_WRITING,	/* a temporary name */
	OUTSCAN_OK		/* ".ok" */
};

struct outscan_entry {
	const char	*folder;	/* "" or the sub-folder; lent */
	const char	*name;		/* lent */
	size_t		 stem;		/* octets of the name */
	enum outscan_kind kind;
	bool		 hidden;	/* a dot before the name */
	struct outfile_id id;
	int64_t		 changed_at;	/* ctime */
};

/* outscan_document(x): it is to go, or to be refused; the others only say
 * something of it. */
static inline bool
outscan_document(const struct outscan_entry *x)
{
	return x->kind == OUTSCAN_FILE || x->kind == OUTSCAN_OTHER;
}

struct outscan {
	const struct conf_outbox *conf;
	int		 fd;		/* of its folder, or -1 */
	uint64_t	 ino;		/* of it */
	bool		 dry;		/* change nothing */
	bool		 more;		/* names behind these */
	bool		 cut;		/* there were: not all at one time */
	struct err	 trouble;	/* of a folder; RC_OK: none */
	struct buf	 after;		/* folder NUL stem: those behind it */
	struct buf	 names;
	struct buf	 rows;
	struct outscan_entry *entry;	/* by folder, stem, name */
	size_t		 n, at;
	int64_t		 now;
};

/* Files of one stem in one folder: one message. */
struct outgroup {
	const struct outscan_entry *entry;	/* lent by the scan */
	size_t		 n;
};

/*
 * outscan_open(s, conf, dry, e):
 * List the outbox, and its sub-folders when they are the recipients'.  What a
 * crash left under a name of ours gets its own back.  Of more names than
 * OUTSCAN_MAX the first are held, as far as their groups are whole.  RC_CONF:
 * the folder is not there, or cannot be changed: nothing of it may be taken.
 */
enum rc outscan_open(struct outscan *s, const struct conf_outbox *conf,
    bool dry, struct err *e);
/* outscan_seek(s, folder, stem, e): what follows that group.  RC_NOMEM. */
enum rc outscan_seek(struct outscan *s, const char *folder,
    struct bytes stem, struct err *e);
/* outscan_next(s, g): the next group that is whole, lent until the next call;
 * false: none, or s->trouble says why. */
bool outscan_next(struct outscan *s, struct outgroup *g);
/* outscan_more(s): the names behind those held, in their place; false: none,
 * or s->trouble says why. */
bool outscan_more(struct outscan *s);
/* outscan_folder(s, folder, fd, e): that folder, to be closed. */
enum rc outscan_folder(const struct outscan *s, const char *folder, int *fd,
    struct err *e);
void outscan_close(struct outscan *s);

/* outfile_id(st): of a file. */
struct outfile_id outfile_id(const struct stat *st);
bool outfile_same(const struct outfile_id *a, const struct outfile_id *b);

#endif
