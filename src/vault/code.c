#include "config.h"

#include <string.h>

#include "base/lang.h"
#include "base/secret.h"
#include "vault/code.h"

#define GROUP 5

static const char symbols[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

char
code_symbol(uint8_t bits)
{
	return symbols[bits & 31];
}

/* The n-th run of 5 bits of a code; the 25th is the check. */
static unsigned
code_bits(const uint8_t code[CODE_BYTES], size_t n)
{
	size_t bit = n * 5, at = bit / 8;
	unsigned two = (unsigned)code[at] << 8;

	if (at + 1 < CODE_BYTES)
		two |= code[at + 1];
	return two >> (11 - bit % 8) & 31;
}

void
code_format(const uint8_t code[CODE_BYTES], char out[CODE_TEXT_BYTES])
{
	size_t at = 0;

	for (size_t i = 0; i < CODE_SYMBOLS; i++) {
		if (i > 0 && i % GROUP == 0)
			out[at++] = '-';
		out[at++] = symbols[i < CODE_SYMBOLS - 1 ?
		    code_bits(code, i) : kdf_check(code)];
	}
	out[at] = '\0';
}

static bool
is_skipped(char c)
{
	return c == '-' || c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* 0..31, or -1. */
static int
symbol_value(char c)
{
	const char *at;

	if (c >= 'a' && c <= 'z')
		c = (char)(c - 'a' + 'A');
	if (c == 'O')
		c = '0';
	if (c == 'I' || c == 'L')
		c = '1';
	if (c == '\0' || (at = strchr(symbols, c)) == NULL)
		return -1;
	return (int)(at - symbols);
}

/* The values of the symbols, and how many there are (may be above 25). */
static enum rc
code_values(const char *text, size_t len, uint8_t v[CODE_SYMBOLS], size_t *n,
    struct err *e)
{
	int value;

	*n = 0;
	for (size_t i = 0; i < len; i++) {
		if (is_skipped(text[i]))
			continue;
		value = symbol_value(text[i]);
		if (value < 0)
			return err_set(e, RC_INPUT, _("symbol %zu of the code "
			    "(group %zu) is none that codes are made of: "
			    "digits, and letters without U"), *n + 1,
			    *n / GROUP + 1);
		if (*n < CODE_SYMBOLS)
			v[*n] = (uint8_t)value;
		(*n)++;
	}
	return RC_OK;
}

static void
code_pack(const uint8_t v[CODE_SYMBOLS], uint8_t code[CODE_BYTES])
{
	unsigned bits = 0, have = 0;
	size_t at = 0;

	for (size_t i = 0; i < CODE_SYMBOLS - 1; i++) {
		bits = (bits << 5 | v[i]) & 0xfff;
		have += 5;
		if (have >= 8) {
			have -= 8;
			code[at++] = (uint8_t)(bits >> have);
		}
	}
}

enum rc
code_parse(const char *text, size_t len, uint8_t code[CODE_BYTES],
    struct err *e)
{
	uint8_t v[CODE_SYMBOLS] = { 0 };
	enum rc rc;
	size_t n;

	memset(code, 0, CODE_BYTES);
	rc = code_values(text, len, v, &n, e);
	if (rc == RC_OK && n != CODE_SYMBOLS)
		rc = err_set(e, RC_INPUT, _("a code has 25 symbols in five "
		    "groups; %zu were typed"), n);
	if (rc != RC_OK)
		goto out;
	code_pack(v, code);
	if (kdf_check(code) != v[CODE_SYMBOLS - 1]) {
		wipe(code, CODE_BYTES);
		rc = err_set(e, RC_INPUT, _("the code is mistyped: its last "
		    "symbol does not fit the others; compare each group with "
		    "what is printed"));
	}
out:
	wipe(v, sizeof(v));
	return rc;
}
