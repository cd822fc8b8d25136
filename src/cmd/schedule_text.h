/* When poll runs by itself, as each system's scheduler wants it written. */
#ifndef SC_CMD_SCHEDULE_TEXT_H
#define SC_CMD_SCHEDULE_TEXT_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/hours.h"

#define SCHEDULE_MARK "# sceau: poll"	/* ends our line of a crontab */
#define SCHEDULE_LABEL "fr.sceau.poll"	/* of launchd's agent */

struct schedule {
	int		 every;		/* minutes; a divisor of 60 */
	struct hours	 when;
	int		 minute;	/* of this machine: [0, every) */
	int		 second;	/* [0, 60), where it can be said */
	const char	*program;	/* absolute; borrowed */
	const char	*conf;		/* absolute; NULL: the usual one */
};

/* schedule_every(): what a person typed; RC_CONF says what it may be. */
enum rc schedule_every(const char *s, struct schedule *out, struct err *e);

/* Appended to ${out}; false: memory.  crontab(5), systemd.timer(5) and
 * systemd.service(5), launchd.plist(5). */
bool schedule_cron(const struct schedule *s, struct buf *out);
bool schedule_service(const struct schedule *s, struct buf *out);
bool schedule_timer(const struct schedule *s, struct buf *out);
bool schedule_agent(const struct schedule *s, struct buf *out);

#endif
