/* An outbox as `sceau status` and `sceau check` see it; changes nothing. */
#ifndef SC_FLOW_OUTPROBE_H
#define SC_FLOW_OUTPROBE_H

#include "conf/conf.h"

struct outprobe {
	size_t	waiting;	/* files in it, whole or not */
	size_t	left;		/* of these: longer than any look needs */
	int64_t	left_since;	/* the oldest; 0: none */
	size_t	refused;	/* files that were, and lie there still */
	int64_t	refused_since;	/* the first; 0: none */
};

/* outprobe_count(conf, p, e): what lies there, as far as it can be listed.
 * Opens no file.  Fails like outscan_open(). */
enum rc outprobe_count(const struct conf_outbox *conf, struct outprobe *p,
    struct err *e);

/* outprobe(conf, p, e): the same, and is all as it must be?  RC_CONF: its
 * folders or its table of aliases are not; RC_NOMEM. */
enum rc outprobe(const struct conf_outbox *conf, struct outprobe *p,
    struct err *e);

#endif
