/*
 * What is not analysed with the parsers, for it is no parser and written with
 * means that Eva does not know: varargs and the text of an error, libsodium.
 */
#include "config.h"

#include <string.h>

#include "base/secret.h"
#include "eva.h"
#include "vault/kdf.h"

uint8_t eva_room[EVA_MOST];

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

/* ---- the inputs ---------------------------------------------------------- */

size_t
eva_octets(void)
{
	Frama_C_make_unknown((char *)eva_room, EVA_MOST);
	return Frama_C_size_t_interval(EVA_LEAST, EVA_MOST);
}

static size_t asked;
static int there;

/* One case each; "merge" would end with this function. */
void
eva_merge(void)
{
	asked = 0;
	/*@ split asked; */
	there = 0;
	/*@ split there; */
}

struct bytes
eva_rd_take(struct rd *r, size_t len)
{
	asked = len;
	there = 0;
	if (len <= EVA_MOST) {
		/*@ split asked; */
		len = asked;
		if (!r->bad && len <= r->left)
			there = 1;
	}
	/*@ split there; */
	return rd_take(r, len);
}

struct rd
eva_rd_of(const void *p, size_t len)
{
	(void)p;
	return (struct rd){ eva_end, len, false };
}

void
eva_reader(void)
{
	struct rd r;

	/*@ loop unroll EVA_MOST + 1; */
	for (size_t len = 0; len <= EVA_MOST; len++) {
		r = rd_of(eva_end - len, len);
		/*@ assert same: r.end == eva_end && r.left == len && !r.bad; */
	}
}
