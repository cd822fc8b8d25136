#include "config.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/err.h"
#include "base/lang.h"

static void
err_clean(char *s)
{
	for (unsigned char *p = (unsigned char *)s; *p != '\0'; p++)
		if (*p < 0x20 || *p == 0x7f)
			*p = '?';
}

/* Cut inside a character of several octets? Drop the torn end. */
static void
err_whole(char *s)
{
	size_t len = strlen(s), i = len;
	unsigned char lead;
	size_t want;

	if (len < ERR_TEXT_BYTES - 1)
		return;
	while (i > 0 && ((unsigned char)s[i - 1] & 0xc0) == 0x80)
		i--;
	if (i == 0)
		return;
	lead = (unsigned char)s[i - 1];
	want = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
	if (len - (i - 1) < want)
		s[i - 1] = '\0';
}

static void err_text(struct err *, const char *, va_list) SC_PRINTF(2, 0);

static void
err_text(struct err *e, const char *fmt, va_list ap)
{
	if (vsnprintf(e->text, sizeof(e->text), fmt, ap) < 0)
		e->text[0] = '\0';
	err_clean(e->text);
	err_whole(e->text);
}

enum rc
err_set(struct err *e, enum rc rc, const char *fmt, ...)
{
	va_list ap;

	e->rc = rc;
	e->class = EC_NONE;
	va_start(ap, fmt);
	err_text(e, fmt, ap);
	va_end(ap);
	return rc;
}

enum rc
err_class(struct err *e, enum err_class class, const char *fmt, ...)
{
	va_list ap;

	e->rc = RC_INPUT;
	e->class = class;
	va_start(ap, fmt);
	err_text(e, fmt, ap);
	va_end(ap);
	return RC_INPUT;
}

static void
err_append(struct err *e, const char *mark, const char *more)
{
	size_t len = strlen(e->text);

	snprintf(e->text + len, sizeof(e->text) - len, "%s%s", mark, more);
	err_whole(e->text);
}

enum rc
err_sys(struct err *e, const char *fmt, ...)
{
	int err = errno;
	va_list ap;

	e->rc = err == ENOMEM ? RC_NOMEM : RC_TEMP;
	e->class = EC_NONE;
	va_start(ap, fmt);
	err_text(e, fmt, ap);
	va_end(ap);
	err_append(e, _(": "), lang_errno(err));
	return e->rc;
}

enum rc
err_nomem(struct err *e)
{
	return err_set(e, RC_NOMEM, _("no memory left"));
}

enum rc
err_ctx(struct err *e, const char *fmt, ...)
{
	char was[ERR_TEXT_BYTES];
	va_list ap;

	memcpy(was, e->text, sizeof(was));
	va_start(ap, fmt);
	err_text(e, fmt, ap);
	va_end(ap);
	err_append(e, _(": "), was);
	return e->rc;
}

enum rc
err_line(struct err *e, const char *path, int line)
{
	char was[ERR_TEXT_BYTES];

	memcpy(was, e->text, sizeof(was));
	snprintf(e->text, sizeof(e->text), "%s:%d", path, line);
	err_clean(e->text);
	err_append(e, ": ", was);
	return e->rc;
}

static const struct {
	const char	*name;
	const char	*say;
} classes[EC_N] = {
	[EC_NONE] = { "NONE", "" },
	[EC_FORMAT] = { "FORMAT",
	    N_("not one well-formed sealed message; left on the server") },
	[EC_VERSION] = { "VERSION",
	    N_("sealed by a newer sceau; kept, retried after an upgrade") },
	[EC_NOTFORME] = { "NOTFORME",
	    N_("sealed for somebody else; held, not opened") },
	[EC_NOKEY] = { "NOKEY",
	    N_("the key for it is not here yet; kept until it is imported") },
	[EC_EXPIRED] = { "EXPIRED",
	    N_("its key was erased or replaced; held, ask the sender to "
	    "send it anew") },
	[EC_HEADER] = { "HEADER",
	    N_("forged or damaged; held, nothing was answered") },
	[EC_BARRED] = { "BARRED",
	    N_("sealed with a replaced or excluded key; held, call the "
	    "sender") },
	[EC_DUPLICATE] = { "DUPLICATE", N_("already received") },
	[EC_BODY] = { "BODY",
	    N_("damaged on the way; held, the sender is asked to resend") },
	[EC_TRUNCATED] = { "TRUNCATED",
	    N_("cut on the way; held, the sender is asked to resend") },
	[EC_RECORD] = { "RECORD",
	    N_("its contents are not understood; held, the sender is told") },
	[EC_AUTHORITY] = { "AUTHORITY",
	    N_("says what its sender may not say; held, call the "
	    "association") },
	[EC_INNER] = { "INNER",
	    N_("the mail inside is not as the rules want it; held, the "
	    "sender is told") },
	[EC_POLICY] = { "POLICY", N_("refused by the configured policy") },
	[EC_TOOBIG] = { "TOOBIG",
	    N_("larger than configured; left on the server") },
	[EC_IO] = { "IO", N_("kept where it was; tried again") },
	[EC_LOCKED] = { "LOCKED", N_("kept where it was; tried again") },
};

const char *
err_class_name(enum err_class class)
{
	BUG_ON(class >= EC_N);
	return classes[class].name;
}

const char *
err_class_say(enum err_class class)
{
	BUG_ON(class >= EC_N);
	return class == EC_NONE ? "" : _(classes[class].say);
}

int
rc_exit(enum rc rc)
{
	switch (rc) {
	case RC_OK:	return EX_OK;
	case RC_TEMP:	return EX_TEMPFAIL;
	case RC_PERM:	return EX_UNAVAILABLE;
	case RC_INPUT:	return EX_DATAERR;
	case RC_CONF:	return EX_CONFIG;
	case RC_NOMEM:	return EX_OSERR;
	}
	return EX_TEMPFAIL;
}

static int
rc_weight(enum rc rc)
{
	switch (rc) {
	case RC_OK:	return 0;
	case RC_INPUT:	return 1;
	case RC_PERM:	return 2;
	case RC_TEMP:	return 3;
	case RC_NOMEM:	return 4;
	case RC_CONF:	return 5;
	}
	return 3;
}

enum rc
rc_worse(enum rc a, enum rc b)
{
	return rc_weight(a) >= rc_weight(b) ? a : b;
}

_Noreturn void
err_bug(const char *file, int line, const char *what)
{
	fprintf(stderr, "sceau: bug: %s:%d: %s\n", file, line, what);
	abort();
}
