/* From what is written to a value: one function per kind of setting. */
#ifndef SC_CONF_VALUE_H
#define SC_CONF_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/*
 * All take the text ${s} (borrowed) and return RC_OK, or RC_CONF with "what is
 * wrong; what to write" (the caller says where), or RC_NOMEM; ${out} is set on
 * RC_OK only, and owned when it is a string.
 */

/* yes, no, true, false, on, off, oui, non */
enum rc value_bool(const char *s, bool *out, struct err *e);
/* A whole number in decimal, from ${min} to ${max}. */
enum rc value_int(const char *s, int min, int max, int *out, struct err *e);
/* "25 MB", "25M", "800 kB", "1000000": 1 kB is 1024 octets. */
enum rc value_size(const char *s, uint64_t *out, struct err *e);
/* "5 days", "24 h", "300 s", "300", "5 jours": seconds, at most ten years. */
enum rc value_time(const char *s, int *out, struct err *e);
/* The same, or so much of working time: "4 working hours", "4 h ouvrées". */
enum rc value_wait(const char *s, int *out, bool *working, struct err *e);
/* "60-300", "1-5 min", "0": one duration or two in rising order. */
enum rc value_range(const char *s, int *lo, int *hi, struct err *e);
/* Index of ${s} in ${words}, ended by NULL. */
enum rc value_word(const char *s, const char *const *words, int *out,
    struct err *e);

/* Anything without control characters, not empty. */
enum rc value_text(const char *s, char **out, struct err *e);
/* A whole path: "~/" and "%h" are the home folder, "%%" is "%". */
enum rc value_path(const char *s, char **out, struct err *e);
/* The name of a server, or an IPv4 or IPv6 address without brackets. */
enum rc value_host(const char *s, char **out, struct err *e);
/* What to say in EHLO: a domain or an [address literal]. */
enum rc value_helo(const char *s, char **out, struct err *e);
/* An addr-spec, kept as written. */
enum rc value_addr(const char *s, char **out, struct err *e);
/* "sha256//" and 44 characters of base64: 32 octets. */
enum rc value_pin(const char *s, char **out, struct err *e);

/* How names of files begin: text without "/", "%" and one of VALUE_NAMES, or
 * "%%". */
#define VALUE_NAMES "nfgbecos"
enum rc value_names(const char *s, char **out, struct err *e);

/* The name of a section: 1 to 32 of a-z 0-9 _ - (also part of file names). */
enum rc value_title(const char *s, struct err *e);

/* value_home(): the home folder, lent; NULL when there is none. */
const char *value_home(void);
/* value_loopback(host): localhost, 127.0.0.0/8 or ::1, by name alone. */
bool value_loopback(const char *host);

#endif
