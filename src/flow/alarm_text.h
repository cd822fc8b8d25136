/* Alarms in words: for `status`, the alarm command and the daily mail. */
#ifndef SC_FLOW_ALARM_TEXT_H
#define SC_FLOW_ALARM_TEXT_H

#include "base/buf.h"
#include "store/store_alarm.h"

/* alarm_rule(): "late", for programs. alarm_label(): for people. */
const char *alarm_rule(enum store_rule rule);
const char *alarm_label(enum store_rule rule);

/* alarm_who(name): the address in a name or identity, as people know it. */
#define ALARM_WHO_BYTES STORE_IDENTITY_BYTES
void alarm_who(const char *name, char out[ALARM_WHO_BYTES]);

/* Each appends to ${out}; false: memory.  alarm_say(): what it is, since when
 * and what to do, in two paragraphs behind "- "; one that ended says so. */
bool alarm_what(const struct store_alarm *a, struct buf *out);
const char *alarm_todo(enum store_rule rule);
bool alarm_say(const struct store_alarm *a, struct buf *out);

/* What the alarm command gets: ${n} that began or ended. */
bool alarm_news(const struct store_alarm *a, size_t n, const char *route,
    struct buf *out);

/* The daily mail, whole (RFC 5322), lines ended by LF: ${n} that last, of
 * ${all}; ${nended} that ended since the last one. */
struct alarm_digest {
	int64_t			 now;
	const char		*from, *to;
	const struct store_alarm *alarms, *ended;
	size_t			 n, nended;
	uint64_t		 all;
	struct store_counts	 counts;
	uint8_t			 random[16];	/* of its Message-ID */
};
bool alarm_mail(const struct alarm_digest *d, struct buf *out);

#endif
