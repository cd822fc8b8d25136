/* Text from others, character by character. */
#ifndef SC_BASE_UTF8_H
#define SC_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * utf8_next(p, len, at, c):
 * The character at ${*at} (below ${len}), which moves behind it.  False for
 * octets that are not UTF-8: cut, too long, surrogates, above U+10FFFF.
 * Source: RFC 3629.
 */
bool utf8_next(const uint8_t *p, size_t len, size_t *at, uint32_t *c);

/* utf8_control(c): C0, DEL or C1. */
bool utf8_control(uint32_t c);

#endif
