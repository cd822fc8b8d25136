/* The tables of document/charset. */
#ifndef SC_DOCUMENT_CHARSET_TABLE_H
#define SC_DOCUMENT_CHARSET_TABLE_H

#include <stddef.h>
#include <stdint.h>

/* A letter in two: ${base} with the combining ${mark}. */
struct charset_letter {
	uint16_t	c;
	uint16_t	mark;
	char		base;
};

/* ${c}, where a set has it not, is written as ${text} (UTF-8). */
struct charset_stand {
	uint16_t	 c;
	const char	*text;
};

/* From 0x80 on. */
extern const uint16_t charset_cp1252[32];
extern const uint16_t charset_cp850[128];
extern const uint16_t charset_macroman[128];
/* Ended by 0. */
extern const struct charset_letter charset_letters[];
extern const struct charset_stand charset_stands[];

#endif
