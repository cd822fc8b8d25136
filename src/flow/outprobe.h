/* An outbox as `sceau status` and `sceau check` see it; changes nothing. */
#ifndef SC_FLOW_OUTPROBE_H
#define SC_FLOW_OUTPROBE_H

#include "conf/conf.h"

struct outprobe {
	size_t	waiting;	/* files in it, whole or not */
	size_t	refused;	/* files that were, and lie there still */
};

/* outprobe(conf, p, e): ${p} as far as it can be seen.  RC_CONF: its folders
 * or its table of aliases are not as they must be; RC_NOMEM. */
enum rc outprobe(const struct conf_outbox *conf, struct outprobe *p,
    struct err *e);

#endif
