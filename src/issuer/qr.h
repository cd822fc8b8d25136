/* A text as a square of dark and light, for scanners. */
#ifndef SC_ISSUER_QR_H
#define SC_ISSUER_QR_H

#include <stdbool.h>

#include "base/buf.h"

/*
 * qr_svg(text, out):
 * An element <svg> with ${text}, at most 29 capitals, digits and dashes as
 * codes are, and the light border that scanners need; without size: its style
 * gives one.  A quarter of it may be damaged.  ${out} holds what ${text} holds.
 * False: memory.
 * Source: ISO/IEC 18004, version 2, level Q.
 */
bool qr_svg(const char *text, struct buf *out);

#endif
