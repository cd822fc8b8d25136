/* Working hours: which days, from when to when, and time counted in them. */
#ifndef SC_BASE_HOURS_H
#define SC_BASE_HOURS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

#define HOURS_USUAL "mon-sat 8-20"

struct hours {
	bool	day[7];		/* Sunday first */
	int	from, to;	/* hours of the local day; [from, to) */
};

/*
 * hours_span(), hours_days(): what a person typed, "8-20"; "mon-sat" or
 * "lun,mer,ven".  hours_parse(): both, "mon-sat 8-20".  RC_CONF says what it
 * may be; the part of ${out} that is not spoken of stays as it was.
 */
enum rc hours_span(const char *s, struct hours *out, struct err *e);
enum rc hours_days(const char *s, struct hours *out, struct err *e);
enum rc hours_parse(const char *s, struct hours *out, struct err *e);

/* hours_day(i): "mon" and so on, as cron and systemd know it; 0 is Sunday. */
const char *hours_day(int i);

/*
 * hours_before(h, now, s): the moment from which on ${s} seconds of work have
 * gone by at ${now}.  Days and hours are those of the local time zone; a day
 * on which its clock is put forward or back has the seconds it has.  Holidays
 * are days like others.
 */
int64_t hours_before(const struct hours *h, int64_t now, int64_t s);

#endif
