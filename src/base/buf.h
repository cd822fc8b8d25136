/* Octets with a length: growing, always wiped; and reading them in order. */
#ifndef SC_BASE_BUF_H
#define SC_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* WSP (RFC 5234 B.1). */
static inline bool
is_wsp(int c)
{
	return c == ' ' || c == '\t';
}

/* Plaintext is a secret too: growing copies and wipes, freeing wipes. */
struct buf {
	uint8_t	*p;
	size_t	 len;
	size_t	 cap;
};

#define BUF_INIT { NULL, 0, 0 }

/* Each of these returns false only for want of memory, ${b} unchanged. */
bool buf_reserve(struct buf *b, size_t more);
bool buf_add(struct buf *b, const void *p, size_t len);
bool buf_adds(struct buf *b, const char *s);
bool buf_addf(struct buf *b, const char *fmt, ...) SC_PRINTF(2, 3);
/* Unsigned, big-endian (PROTOCOL 2). */
bool buf_add8(struct buf *b, uint8_t v);
bool buf_add16(struct buf *b, uint16_t v);
bool buf_add32(struct buf *b, uint32_t v);
bool buf_add64(struct buf *b, uint64_t v);

/* buf_str(b): ${b} as a C string, lent until the next change; NULL: memory. */
const char *buf_str(struct buf *b);
/* buf_drop(b, n): forget the first ${n} octets (at most len). */
void buf_drop(struct buf *b, size_t n);
/* buf_wipe(b): empty, the memory kept.  buf_free(b): wiped and released. */
void buf_wipe(struct buf *b);
void buf_free(struct buf *b);

/* A borrowed run of octets. */
struct bytes {
	const uint8_t	*p;
	size_t		 len;
};

/*
 * A reader over borrowed octets, of which the last ${left} are still to be
 * read: one count says where it is, and nothing else has to agree with it.
 * Once something was missing, ${bad} stays set and every later read gives 0 or
 * an empty run: check once, at the end.
 */
struct rd {
	const uint8_t	*end;
	size_t		 left;
	bool		 bad;
};

struct rd rd_of(const void *p, size_t len);
/* rd_at(r): the octets to be read next, r->left of them; lent. */
const uint8_t *rd_at(const struct rd *r);
uint8_t rd_8(struct rd *r);
uint16_t rd_16(struct rd *r);
uint32_t rd_32(struct rd *r);
uint64_t rd_64(struct rd *r);
struct bytes rd_take(struct rd *r, size_t len);	/* borrowed from the source */
void rd_copy(struct rd *r, void *to, size_t len);	/* zeros when missing */
/* rd_done(r): nothing missing and nothing left over. */
bool rd_done(const struct rd *r);

/* bytes_trim(s): without blanks and tabs around it. */
struct bytes bytes_trim(struct bytes s);
/* The same octets; not in constant time: for secrets see same(). */
bool bytes_eq(struct bytes a, struct bytes b);
bool bytes_eqs(struct bytes a, const char *s);
/* Unsigned integers in the caller's memory, big-endian. */
void put_be16(uint8_t *p, uint16_t v);
void put_be32(uint8_t *p, uint32_t v);
void put_be64(uint8_t *p, uint64_t v);
uint16_t get_be16(const uint8_t *p);
uint32_t get_be32(const uint8_t *p);
uint64_t get_be64(const uint8_t *p);
/* hex_format(p, len, out): lower case and a NUL, 2 * len + 1 chars. */
void hex_format(const uint8_t *p, size_t len, char *out);
/* hex_parse(s, out, len): exactly 2 * len digits, or false. */
bool hex_parse(const char *s, uint8_t *out, size_t len);

#endif
