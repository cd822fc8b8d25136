#include "config.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/lang.h"

#define EAST_MAX_S (14 * 3600)	/* UTC+14:00 */

static const char *const months[12] = { "Jan", "Feb", "Mar", "Apr", "May",
    "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
static const char *const days[7] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri",
    "Sat" };

#ifdef ENABLE_FAULT
/* "TIME", or "TIME*N": from that time on it goes N times as fast. */
static int64_t
told(const char *set)
{
	char *end;
	int64_t from = strtoll(set, &end, 10);

	return *end != '*' ? from : from +
	    ((int64_t)time(NULL) - from) * strtoll(end + 1, NULL, 10);
}
#endif

int64_t
clock_now(void)
{
#ifdef ENABLE_FAULT
	const char *set = getenv("SCEAU_FAULT_CLOCK");

	if (set != NULL && set[0] == '@')
		return told(set + 1);
	if (set != NULL)
		return (int64_t)time(NULL) + strtoll(set, NULL, 10);
#endif
	return (int64_t)time(NULL);
}

/* __DATE__ is "Mmm dd yyyy" where the program was built: east of here that day
 * may not have begun. A reproducible build sets it by SOURCE_DATE_EPOCH. */
static int64_t
build_date(void)
{
	const char *d = __DATE__;
	int month = 0;

	while (month < 11 && strncmp(d, months[month], 3) != 0)
		month++;
	return clock_utc((int)strtol(d + 7, NULL, 10), month + 1,
	    (int)strtol(d + 4, NULL, 10)) - EAST_MAX_S;
}

int64_t
clock_used(void)
{
	int64_t now = clock_now(), built = build_date();

	return now > built ? now : built;
}

int64_t
clock_ms(void)
{
	struct timespec t;

	if (clock_gettime(CLOCK_MONOTONIC, &t) != 0)
		return 0;
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Days before 1970-01-01 count back; proleptic Gregorian. */
int64_t
clock_utc(int year, int month, int day)
{
	int64_t y = month > 2 ? year : year - 1;
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t yoe = y - era * 400;
	int64_t doy = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	int64_t doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;

	return (era * 146097 + doe - 719468) * 86400;
}

int64_t
clock_local(int64_t at)
{
	time_t t = (time_t)at;
	struct tm tm;

	if (localtime_r(&t, &tm) == NULL)
		return at;
	return clock_utc(tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday) +
	    tm.tm_hour * 3600 + tm.tm_min * 60 + tm.tm_sec;
}

/* The distance from UTC is that of the moment itself: guess, and once more. */
int64_t
clock_of_local(int64_t local)
{
	int64_t at = local - (clock_local(local) - local);

	return local - (clock_local(at) - at);
}

static bool
broken_down(int64_t at, struct tm *tm)
{
	time_t t = (time_t)at;

	return (int64_t)t == at && gmtime_r(&t, tm) != NULL &&
	    tm->tm_year + 1900 <= 9999 && tm->tm_year + 1900 >= 0;
}

void
clock_3339(int64_t at, char out[CLOCK_3339_BYTES])
{
	struct tm tm;

	out[0] = '\0';
	if (at == 0)
		return;
	if (at == CLOCK_FOREVER || !broken_down(at, &tm))
		memcpy(out, "never", sizeof("never"));
	else
		strftime(out, CLOCK_3339_BYTES, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

bool
clock_of_3339(const char *s, int64_t *at)
{
	int year, month, day, hour, min, sec;
	char again[CLOCK_3339_BYTES];

	if (sscanf(s, "%4d-%2d-%2dT%2d:%2d:%2dZ", &year, &month, &day, &hour,
	    &min, &sec) != 6)
		return false;
	*at = clock_utc(year, month, day) + hour * 3600 + min * 60 + sec;
	clock_3339(*at, again);
	return strcmp(s, again) == 0;
}

void
clock_5322(int64_t at, char out[CLOCK_5322_BYTES])
{
	struct tm tm;

	if (!broken_down(at, &tm) && !broken_down(0, &tm)) {
		out[0] = '\0';
		return;
	}
	snprintf(out, CLOCK_5322_BYTES, "%s, %02d %s %04d %02d:%02d:%02d +0000",
	    days[tm.tm_wday], tm.tm_mday, months[tm.tm_mon],
	    tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

/* The names of months are ours: no locale need be generated. */
static const char *const fr_months[12] = { "janvier", "f\303\251vrier", "mars",
    "avril", "mai", "juin", "juillet", "ao\303\273t", "septembre", "octobre",
    "novembre", "d\303\251cembre" };

#define NBSP "\302\240"

void
clock_say(int64_t at, char out[CLOCK_SAY_BYTES])
{
	time_t t = (time_t)at;
	struct tm tm;

	if (at == CLOCK_FOREVER || at == 0 || localtime_r(&t, &tm) == NULL) {
		snprintf(out, CLOCK_SAY_BYTES, "%s",
		    at == CLOCK_FOREVER ? _("without end") : _("never"));
		return;
	}
	if (strcmp(lang_code(), "fr") == 0)
		snprintf(out, CLOCK_SAY_BYTES,
		    "%d%s" NBSP "%s %d, %d" NBSP "h" NBSP "%02d", tm.tm_mday,
		    tm.tm_mday == 1 ? "er" : "", fr_months[tm.tm_mon],
		    tm.tm_year + 1900, tm.tm_hour, tm.tm_min);
	else
		snprintf(out, CLOCK_SAY_BYTES, "%d %s %d, %02d:%02d",
		    tm.tm_mday, months[tm.tm_mon], tm.tm_year + 1900,
		    tm.tm_hour, tm.tm_min);
}
