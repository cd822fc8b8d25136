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

/* utf8_ascii(p, len): how many octets below 0x80 there are before the first
 * that is not. */
size_t utf8_ascii(const uint8_t *p, size_t len);

/* utf8_control(c): C0, DEL or C1. */
bool utf8_control(uint32_t c);

/*
 * utf8_hidden(c): not seen on paper, but what is around it reads otherwise or
 * looks the same as another text: marks and overrides of the direction of
 * writing, spaces of no width, invisible operators and tags, ends of lines and
 * paragraphs.  Joiners, which some scripts need, are none.
 * Source: UAX #9, 2; UTR #36, 2.5.
 */
bool utf8_hidden(uint32_t c);

#endif
