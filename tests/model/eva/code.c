/* Codes: all octets, and every length that fits on a line. */
#include "config.h"

#include "eva.h"
#include "vault/code.c"

#define LINE 64

void
eva_code(void)
{
	const char *end = (const char *)eva_end;
	char text[CODE_TEXT_BYTES];
	uint8_t code[CODE_BYTES];
	struct err e;

	/*@ loop unroll LINE + 1; */
	for (size_t len = 0; len <= LINE; len++) {
		(void)eva_octets();
		if (code_parse(end - len, len, code, &e) == RC_OK)
			code_format(code, text);
	}
}
