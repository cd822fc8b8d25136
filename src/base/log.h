/* One event per line, key=value, to syslog or stderr. */
#ifndef SC_BASE_LOG_H
#define SC_BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

enum log_level { LOG_L_ERROR, LOG_L_WARN, LOG_L_INFO, LOG_L_DEBUG };

enum log_to { LOG_TO_STDERR, LOG_TO_SYSLOG, LOG_TO_NONE };

/* log_open(to, level): where, and from which level on. Inherited by fork. */
void log_open(enum log_to to, enum log_level level);

/* One key and its value; built by the LK_ macros, ended by LK_END. */
struct log_kv {
	const char	*key;
	const char	*s;	/* text from anywhere: escaped when written */
	int64_t		 n;
};
#define LK_S(k, v) { (k), (v), 0 }
#define LK_N(k, v) { (k), NULL, (int64_t)(v) }
#define LK_END { NULL, NULL, 0 }

/*
 * log_event(level, event, kv):
 * Write "event=NAME key=value ...". A value with a blank, quote or anything
 * outside printable ASCII is quoted and escaped (\xNN), so that a stranger
 * cannot forge a line. Never a key, password, plaintext, Subject or name of a
 * patient: the caller's promise, tested by marker strings.
 */
void log_event(enum log_level level, const char *event,
    const struct log_kv *kv);

/* log_plain(s): in place: every octet that a terminal would obey, or that hides
 * or turns what stands around it, becomes '?'.  What is left is UTF-8. */
void log_plain(char *s);

#define LOG(level, event, ...) \
	log_event(level, event, \
	    (const struct log_kv[]){ __VA_ARGS__, LK_END })

#endif
