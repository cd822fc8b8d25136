/* Files of an outbox that go: deleted, or into another folder. */
#ifndef SC_FLOW_OUTAWAY_H
#define SC_FLOW_OUTAWAY_H

#include "flow/outscan.h"

/* How the names begin that files have while they go; they stay in their own
 * folder, and are not listed. */
#define OUTAWAY_HIDDEN ".sceau_"

/* Where it goes to; NULL: nowhere, it is deleted. */
struct outaway_to {
	const char	*path;
	const char	*folder;	/* a sub-folder like ours; or "" */
	const char	*name;		/* see outaway_name() */
};

/*
 * outaway(fd, name, id, to, e):
 * The file ${name} of the folder ${fd} goes, if it is still the one of ${id}
 * (NULL: whatever it is).  Another in its place stays, even one that comes at
 * this very moment: it is renamed first, looked at then.  One that is gone is
 * fine.  RC_CONF: its folders do not let it go.
 */
enum rc outaway(int fd, const char *name, const struct outfile_id *id,
    const struct outaway_to *to, struct err *e);

/* outaway_name(path, folder, name, more, out, e): a name that is free there,
 * and with ${more} behind it too, like ${name}; the folders are made.  out:
 * NAME_MAX + 1. */
enum rc outaway_name(const char *path, const char *folder, const char *name,
    const char *more, char *out, struct err *e);

/* outaway_note(path, folder, name, text, e): a text file, whole or not at
 * all, replacing what is there, with the rights of its folder. */
enum rc outaway_note(const char *path, const char *folder, const char *name,
    const struct buf *text, struct err *e);

/* outaway_recover(fd): what a crash left renamed gets its name back. */
void outaway_recover(int fd);

/* outaway_prepare(path, like, e): made if it is not there, with the rights of
 * the folder ${like}; before the sandbox. */
enum rc outaway_prepare(const char *path, const char *like, struct err *e);

#endif
