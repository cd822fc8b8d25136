/* Codes on paper: 120 bits that a person can type. */
#ifndef SC_VAULT_CODE_H
#define SC_VAULT_CODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "vault/kdf.h"

#define CODE_BYTES KDF_CODE_BYTES
#define CODE_SYMBOLS 25
#define CODE_TEXT_BYTES 30	/* five groups of five, four dashes, NUL */

/* code_symbol(bits): the one that stands for the low five of them. */
char code_symbol(uint8_t bits);

/* code_format(code, out): "208H4-4RM2M-B1E60-S38DH-R78Y9"; a secret. */
void code_format(const uint8_t code[CODE_BYTES], char out[CODE_TEXT_BYTES]);

/*
 * code_parse(text, len, code, e):
 * Read what a person typed: case, dashes and blanks are ignored, O counts as
 * 0, I and L as 1.
 *
 * RC_OK; RC_INPUT, with three different texts: not 25 symbols; a symbol that
 * codes never hold (its place is said, never what it was); a wrong check
 * symbol (which group is wrong cannot be known).  ${code} is then zeros.
 * Source: PROTOCOL 2.6.
 */
enum rc code_parse(const char *text, size_t len, uint8_t code[CODE_BYTES],
    struct err *e);

#endif
