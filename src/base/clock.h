/* The one clock, and the three ways in which a time is written. */
#ifndef SC_BASE_CLOCK_H
#define SC_BASE_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All times: Unix seconds, UTC. */
#define CLOCK_FOREVER INT64_MAX	/* "without end" (PROTOCOL 2.19.9) */

/* clock_now(): the local clock; under --enable-fault SCEAU_FAULT_CLOCK
 * ("+SECONDS", "@TIME" or "@TIME*N") shifts, fixes or hurries it. */
int64_t clock_now(void);
/* clock_used(): max(local clock, build date): for flags (2.19.10). */
int64_t clock_used(void);
/* clock_ms(): milliseconds that only go forward, for deadlines. */
int64_t clock_ms(void);

/* RFC 3339 in UTC, "2026-01-01T08:00:00Z"; "" for 0, "never" for FOREVER. */
#define CLOCK_3339_BYTES 24
void clock_3339(int64_t at, char out[CLOCK_3339_BYTES]);
/* clock_of_3339(s, at): back, of a moment written in just that form; false:
 * anything else, "" and "never" too. */
bool clock_of_3339(const char *s, int64_t *at);
/* RFC 5322, "Thu, 01 Jan 2026 08:00:00 +0000", always UTC, always English. */
#define CLOCK_5322_BYTES 40
void clock_5322(int64_t at, char out[CLOCK_5322_BYTES]);
/* For people: said in full, local time, in the language of lang_set(). */
#define CLOCK_SAY_BYTES 80
void clock_say(int64_t at, char out[CLOCK_SAY_BYTES]);

/* clock_utc(year, month, day): midnight UTC; month and day from 1. */
int64_t clock_utc(int year, int month, int day);

/* clock_local(at): what the clock on the wall shows at ${at}, as if it showed
 * UTC: its days are whole numbers of 86400.  clock_of_local(): back; of an
 * hour that is there twice, one of them. */
int64_t clock_local(int64_t at);
int64_t clock_of_local(int64_t local);

#endif
