#include "config.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/hours.h"
#include "base/lang.h"

#define DAYS 7
#define DAY_S 86400
#define LOOK_BACK_DAYS (20 * 366)

/* As cron and systemd know them, and as a French person types them. */
static const char *const names[][DAYS] = {
	{ "sun", "mon", "tue", "wed", "thu", "fri", "sat" },
	{ "dim", "lun", "mar", "mer", "jeu", "ven", "sam" }
};

const char *
hours_day(int i)
{
	return names[0][i];
}

enum rc
hours_span(const char *s, struct hours *out, struct err *e)
{
	int from = -1, to = -1, n = 0;

	if (sscanf(s, "%2d-%2d%n", &from, &to, &n) < 2 || s[n] != '\0' ||
	    from < 0 || to > 24 || from >= to)
		return err_set(e, RC_CONF, _("these are no hours; write from "
		    "and to, as in 8-20"));
	out->from = from;
	out->to = to;
	return RC_OK;
}

static int
day_of(const char *s, size_t len)
{
	for (size_t k = 0; len == 3 && k < 2; k++)
		for (int i = 0; i < DAYS; i++)
			if (memcmp(names[k][i], s, 3) == 0)
				return i;
	return -1;
}

/* One day, or the days from one to another over the end of the week. */
static bool
days_add(const char *s, size_t len, bool day[DAYS])
{
	const char *dash = memchr(s, '-', len);
	int from = day_of(s, dash == NULL ? len : (size_t)(dash - s));
	int to = dash == NULL ? from :
	    day_of(dash + 1, len - (size_t)(dash - s) - 1);

	if (from < 0 || to < 0)
		return false;
	for (int i = from;; i = (i + 1) % DAYS) {
		day[i] = true;
		if (i == to)
			return true;
	}
}

enum rc
hours_days(const char *s, struct hours *out, struct err *e)
{
	bool day[DAYS] = { false };
	const char *p = s;
	size_t len;

	for (;; p += len + 1) {
		len = strcspn(p, ",");
		if (!days_add(p, len, day))
			return err_set(e, RC_CONF, _("these are no days; "
			    "write them as in mon-sat, or mon,wed,fri"));
		if (p[len] == '\0')
			break;
	}
	memcpy(out->day, day, sizeof(day));
	return RC_OK;
}

enum rc
hours_parse(const char *s, struct hours *out, struct err *e)
{
	size_t len = strcspn(s, " ");
	struct hours h = { .from = 0 };
	char days[64];
	enum rc rc;

	if (len >= sizeof(days) || s[len] == '\0')
		return err_set(e, RC_CONF, _("these are not days and hours; "
		    "write them as in \"mon-sat 8-20\""));
	memcpy(days, s, len);
	days[len] = '\0';
	if ((rc = hours_days(days, &h, e)) == RC_OK &&
	    (rc = hours_span(s + len + strspn(s + len, " "), &h, e)) == RC_OK)
		*out = h;
	return rc;
}

int64_t
hours_before(const struct hours *h, int64_t now, int64_t s)
{
	int64_t day = clock_local(now) / DAY_S, from, to;

	for (int i = 0; i < LOOK_BACK_DAYS; i++, day--) {
		/* The first of January 1970 was a Thursday. */
		if (!h->day[(day + 4) % DAYS])
			continue;
		from = clock_of_local(day * DAY_S + h->from * 3600);
		to = clock_of_local(day * DAY_S + h->to * 3600);
		if (to > now)
			to = now;
		if (to - from >= s)
			return to - s;
		s -= to > from ? to - from : 0;
	}
	return 0;
}
