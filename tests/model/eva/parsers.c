/*
 * What Frama-C's Eva runs: the parser of codes on all octets and every length
 * that fits on a line.  The octets end where the memory ends, so that one read
 * beyond them is an alarm.  See run.
 */
#include "config.h"

#include <string.h>

#include "__fc_builtin.h"
#include "vault/code.h"

/* ---- what is not analysed: no parser, and proved by other means ---------- */

enum rc
err_class(struct err *e, enum err_class class, const char *fmt, ...)
{
	(void)fmt;
	e->rc = RC_INPUT;
	e->class = class;
	return RC_INPUT;
}

enum rc
err_set(struct err *e, enum rc rc, const char *fmt, ...)
{
	(void)fmt;
	e->rc = rc;
	e->class = EC_NONE;
	return rc;
}

/* A broken promise must not be in reach. */
_Noreturn void
err_bug(const char *file, int line, const char *what)
{
	(void)file;
	(void)line;
	(void)what;
	/*@ assert never: \false; */
	for (;;)
		;
}

void
wipe(void *p, size_t len)
{
	memset(p, 0, len);
}

uint8_t
kdf_check(const uint8_t code[KDF_CODE_BYTES])
{
	(void)code;
	return Frama_C_unsigned_char_interval(0, 31);
}

/* ---- the parser --------------------------------------------------------- */

void
eva_code(void)
{
	char room[64], text[CODE_TEXT_BYTES];
	uint8_t code[CODE_BYTES];
	struct err e;

	/*@ loop unroll sizeof(room) + 1; */
	for (size_t len = 0; len <= sizeof(room); len++) {
		Frama_C_make_unknown(room, sizeof(room));
		if (code_parse(room + sizeof(room) - len, len, code, &e) ==
		    RC_OK)
			code_format(code, text);
	}
}
