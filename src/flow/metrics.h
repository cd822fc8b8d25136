/* Figures for Prometheus (metrics_file), in its text format. */
#ifndef SC_FLOW_METRICS_H
#define SC_FLOW_METRICS_H

#include "base/buf.h"
#include "store/store_alarm.h"

struct metrics {
	struct store_counts	 counts;
	uint64_t		 alarms[STORE_RULE_N];	/* that last */
	struct store_key	 keys[STORE_KEYS_MAX];
	size_t			 nkeys;
	struct store_pass	 pass;		/* the one that ends now */
};

/* metrics_say(m, out): appends the whole file; false: memory. */
bool metrics_say(const struct metrics *m, struct buf *out);

#endif
