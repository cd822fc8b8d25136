/* What people read, in their language, under cron too. */
#ifndef SC_BASE_LANG_H
#define SC_BASE_LANG_H

#include "config.h"

#ifdef ENABLE_NLS
#include <libintl.h>
#define _(s) gettext(s)
#define P_(one, many, n) ngettext(one, many, n)
#else
#define _(s) (s)
#define P_(one, many, n) ((n) == 1 ? (one) : (many))
#endif
#define N_(s) s

/*
 * lang_set(lang):
 * Speak ${lang} ("fr", "en"), or what the environment says when NULL.  Works
 * with LANG=C and without any generated locale: falls back to C.UTF-8 with
 * LANGUAGE.  Call at start, and again when the configuration names one; not
 * while other threads run.  The catalogue is read now: call it before
 * sandbox_enter().
 */
void lang_set(const char *lang);

/*
 * lang_errno(err):
 * What the system means by ${err} (an errno), in the language of lang_set();
 * lent until the next call.  Not thread-safe, as strerror(3).
 */
const char *lang_errno(int err);

/* lang_resolver(err): the same for a result of getaddrinfo(3). */
const char *lang_resolver(int err);

/* lang_code(): "fr" or "en", whichever lang_set() chose; lent. */
const char *lang_code(void);

#endif
