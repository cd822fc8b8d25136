/* What each kind of source brings; only the files source*.c include this. */
#ifndef SC_WIRE_SOURCE_IMPL_H
#define SC_WIRE_SOURCE_IMPL_H

#include "wire/source.h"

/* As in source.h; ${s->impl} is the kind's own, owned by it. */
struct source_ops {
	enum rc	(*set_up)(struct source *s, struct err *e);
	enum rc	(*open)(struct source *s, const struct secret *secret,
	    struct err *e);
	enum rc	(*list)(struct source *s, struct bytes after,
	    source_list_fn *fn, void *arg, struct err *e);
	enum rc	(*fetch)(struct source *s, const struct bytes *ids, size_t n,
	    const struct source_sink *sink, struct err *e);
	/* ${done} comes filled with PENDING; never called for KEEP. */
	enum rc	(*release)(struct source *s, const struct bytes *ids,
	    size_t n, enum conf_after after, const char *folder,
	    enum source_done *done, struct err *e);
	/* NULL: wait for time or wake_fd only. */
	enum rc	(*wait)(struct source *s, int timeout_s, int wake_fd,
	    bool *news, struct err *e);
	void	(*info)(struct source *s);	/* NULL: nothing to refresh */
	void	(*close)(struct source *s);	/* also after set_up failed */
};

struct source {
	const struct source_ops		*ops;
	const struct conf_account	*account;	/* borrowed */
	struct source_limits		 limits;
	struct source_info		 info;
	enum wire_why			 why;
	bool				 dead;
	void				*impl;
};

extern const struct source_ops source_imap;
extern const struct source_ops source_pop3;
extern const struct source_ops source_maildir;
extern const struct source_ops source_folder;
extern const struct source_ops source_stdin;

/*
 * source_feed(s, fd, id, sink, e):
 * All of ${fd} (borrowed) through begin, data and end; SOURCE_TOO_BIG when it
 * holds more than the limit at the start.
 */
enum rc source_feed(struct source *s, int fd, struct bytes id,
    const struct source_sink *sink, struct err *e);

#endif
