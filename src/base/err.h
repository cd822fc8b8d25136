/* Results that are decisions, and the one line that says why. */
#ifndef SC_BASE_ERR_H
#define SC_BASE_ERR_H

#include <stdio.h>

/* What the caller is to do next; the cause is in struct err. */
enum rc {
	RC_OK,		/* done: go on */
	RC_TEMP,	/* the world says not now: keep it, back off */
	RC_PERM,	/* the world says never: stop, tell the sender */
	RC_INPUT,	/* wrong or not authentic: hold, deliver nothing */
	RC_CONF,	/* the operator must act: refuse to run */
	RC_NOMEM	/* memory: end this pass */
};

/* Why bytes were refused (PROTOCOL 2.14); travels with RC_INPUT only. */
enum err_class {
	EC_NONE,
	EC_FORMAT,
	EC_VERSION,
	EC_NOTFORME,
	EC_NOKEY,
	EC_EXPIRED,
	EC_HEADER,
	EC_BARRED,
	EC_DUPLICATE,
	EC_BODY,
	EC_TRUNCATED,
	EC_RECORD,
	EC_AUTHORITY,
	EC_INNER,
	EC_POLICY,
	EC_TOOBIG,
	EC_IO,
	EC_LOCKED,
	EC_N
};

#define ERR_TEXT_BYTES 384

/*
 * One printable line, of fixed size so that RC_NOMEM can be told.  Never a
 * secret, a plaintext or raw remote bytes: err_set() replaces every octet
 * outside printable ASCII and UTF-8 by '?'.
 */
struct err {
	enum rc		rc;
	enum err_class	class;
	char		text[ERR_TEXT_BYTES];
};

#define ERR_INIT { RC_OK, EC_NONE, "" }

#if defined(__GNUC__)
#define SC_PRINTF(f, a) __attribute__((format(printf, f, a)))
#else
#define SC_PRINTF(f, a)
#endif

/*
 * err_set(e, rc, fmt, ...):
 * Note what went wrong and return ${rc}, so that a failure leaves on one line:
 * return err_set(e, RC_INPUT, _("no key %s"), id);
 */
enum rc err_set(struct err *e, enum rc rc, const char *fmt, ...)
    SC_PRINTF(3, 4);

/* err_class(e, class, fmt, ...): err_set() with RC_INPUT and its class. */
enum rc err_class(struct err *e, enum err_class class, const char *fmt, ...)
    SC_PRINTF(3, 4);

/*
 * err_sys(e, fmt, ...):
 * The same after a failed system call: the text ends in strerror(errno), and
 * errno decides: ENOMEM is RC_NOMEM; everything else RC_TEMP.
 */
enum rc err_sys(struct err *e, const char *fmt, ...) SC_PRINTF(2, 3);

/* err_nomem(e): RC_NOMEM, where there is no more to say. */
enum rc err_nomem(struct err *e);

/* err_ctx(e, fmt, ...): say where, before what is there; returns e->rc. */
enum rc err_ctx(struct err *e, const char *fmt, ...) SC_PRINTF(2, 3);

/* err_line(e, path, line): the same for a line of a file, as editors want it:
 * "path:line: " in any language. */
enum rc err_line(struct err *e, const char *path, int line);

/* err_class_name(class): "HEADER" and so on; "NONE" for EC_NONE. */
const char *err_class_name(enum err_class class);

/* err_class_say(class): the fixed sentence for people, translated. */
const char *err_class_say(enum err_class class);

/* rc_exit(rc): the exit code of sysexits.h. */
int rc_exit(enum rc rc);

/* rc_worse(a, b): the one that an operator must hear of first
 * (78, 71, 75, 77, 69, 65, 0; PROTOCOL 2.19). */
enum rc rc_worse(enum rc a, enum rc b);

/* A broken promise of our own code: message, abort, core; never an rc. */
#define BUG_ON(cond) \
	do { if (cond) err_bug(__FILE__, __LINE__, #cond); } while (0)
_Noreturn void err_bug(const char *file, int line, const char *what);

#endif
