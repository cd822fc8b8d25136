/* Any typing: a code that is accepted prints as one code. */
/* links: vault base */
#include <string.h>

#include "vault/code.h"
#include "vault/root.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	uint8_t code[CODE_BYTES], again[CODE_BYTES];
	char text[CODE_TEXT_BYTES];
	struct err e = ERR_INIT;

	if (len >= CODE_BYTES) {
		code_format(p, text);
		BUG_ON(code_parse(text, strlen(text), code, &e) != RC_OK);
		BUG_ON(memcmp(code, p, CODE_BYTES) != 0);
	}
	if (code_parse((const char *)p, len, code, &e) != RC_OK) {
		BUG_ON(e.text[0] == '\0');
		return 0;
	}
	code_format(code, text);
	BUG_ON(code_parse(text, strlen(text), again, &e) != RC_OK);
	BUG_ON(memcmp(code, again, sizeof(code)) != 0);
	return 0;
}
