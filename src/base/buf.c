#include "config.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/secret.h"

bool
buf_reserve(struct buf *b, size_t more)
{
	size_t cap = b->cap == 0 ? 64 : b->cap;
	uint8_t *p;

	if (more > SIZE_MAX / 2 - b->len)
		return false;
	if (b->len + more <= b->cap)
		return true;
	while (cap < b->len + more)
		cap *= 2;
	if ((p = malloc(cap)) == NULL)
		return false;
	if (b->len > 0)
		memcpy(p, b->p, b->len);
	if (b->p != NULL)
		wipe(b->p, b->cap);
	free(b->p);
	b->p = p;
	b->cap = cap;
	return true;
}

bool
buf_add(struct buf *b, const void *p, size_t len)
{
	if (!buf_reserve(b, len))
		return false;
	if (len > 0)
		memcpy(b->p + b->len, p, len);
	b->len += len;
	return true;
}

bool
buf_adds(struct buf *b, const char *s)
{
	return buf_add(b, s, strlen(s));
}

bool
buf_addf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	int n;

	if (!buf_reserve(b, 64))
		return false;
	/* What does not fit is wiped by growing. */
	va_start(ap, fmt);
	n = vsnprintf((char *)b->p + b->len, b->cap - b->len, fmt, ap);
	va_end(ap);
	if (n < 0)
		return false;
	if ((size_t)n >= b->cap - b->len) {
		if (!buf_reserve(b, (size_t)n + 1))
			return false;
		va_start(ap, fmt);
		vsnprintf((char *)b->p + b->len, (size_t)n + 1, fmt, ap);
		va_end(ap);
	}
	b->len += (size_t)n;
	return true;
}

bool
buf_add8(struct buf *b, uint8_t v)
{
	return buf_add(b, &v, 1);
}

bool
buf_add16(struct buf *b, uint16_t v)
{
	uint8_t p[2];

	put_be16(p, v);
	return buf_add(b, p, sizeof(p));
}

bool
buf_add32(struct buf *b, uint32_t v)
{
	uint8_t p[4];

	put_be32(p, v);
	return buf_add(b, p, sizeof(p));
}

bool
buf_add64(struct buf *b, uint64_t v)
{
	uint8_t p[8];

	put_be64(p, v);
	return buf_add(b, p, sizeof(p));
}

const char *
buf_str(struct buf *b)
{
	if (!buf_reserve(b, 1))
		return NULL;
	b->p[b->len] = '\0';
	return (const char *)b->p;
}

void
buf_drop(struct buf *b, size_t n)
{
	BUG_ON(n > b->len);
	if (n == 0)
		return;
	memmove(b->p, b->p + n, b->len - n);
	wipe(b->p + b->len - n, n);
	b->len -= n;
}

void
buf_wipe(struct buf *b)
{
	if (b->len > 0)
		wipe(b->p, b->len);
	b->len = 0;
}

void
buf_free(struct buf *b)
{
	if (b->p != NULL)
		wipe(b->p, b->cap);
	free(b->p);
	b->p = NULL;
	b->len = b->cap = 0;
}

struct rd
rd_of(const void *p, size_t len)
{
	const uint8_t *from = p;

	return (struct rd){ len > 0 ? from + len : from, len, false };
}

const uint8_t *
rd_at(const struct rd *r)
{
	return r->left > 0 ? r->end - r->left : r->end;
}

struct bytes
rd_take(struct rd *r, size_t len)
{
	struct bytes got;

	if (r->bad || len > r->left) {
		r->bad = true;
		return (struct bytes){ NULL, 0 };
	}
	got = (struct bytes){ rd_at(r), len };
	r->left -= len;
	return got;
}

void
rd_copy(struct rd *r, void *to, size_t len)
{
	struct bytes got = rd_take(r, len);

	if (got.p != NULL)
		memcpy(to, got.p, len);
	else
		memset(to, 0, len);
}

uint8_t
rd_8(struct rd *r)
{
	uint8_t p[1];

	rd_copy(r, p, sizeof(p));
	return p[0];
}

uint16_t
rd_16(struct rd *r)
{
	uint8_t p[2];

	rd_copy(r, p, sizeof(p));
	return get_be16(p);
}

uint32_t
rd_32(struct rd *r)
{
	uint8_t p[4];

	rd_copy(r, p, sizeof(p));
	return get_be32(p);
}

uint64_t
rd_64(struct rd *r)
{
	uint8_t p[8];

	rd_copy(r, p, sizeof(p));
	return get_be64(p);
}

bool
rd_done(const struct rd *r)
{
	return !r->bad && r->left == 0;
}

bool
bytes_eq(struct bytes a, struct bytes b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

struct bytes
bytes_trim(struct bytes s)
{
	while (s.len > 0 && is_wsp(*s.p)) {
		s.p++;
		s.len--;
	}
	while (s.len > 0 && is_wsp(s.p[s.len - 1]))
		s.len--;
	return s;
}

bool
bytes_eqs(struct bytes a, const char *s)
{
	return bytes_eq(a,
	    (struct bytes){ (const uint8_t *)s, strlen(s) });
}

void
put_be16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

void
put_be32(uint8_t *p, uint32_t v)
{
	put_be16(p, (uint16_t)(v >> 16));
	put_be16(p + 2, (uint16_t)v);
}

void
put_be64(uint8_t *p, uint64_t v)
{
	put_be32(p, (uint32_t)(v >> 32));
	put_be32(p + 4, (uint32_t)v);
}

uint16_t
get_be16(const uint8_t *p)
{
	return (uint16_t)((unsigned)p[0] << 8 | p[1]);
}

uint32_t
get_be32(const uint8_t *p)
{
	return (uint32_t)get_be16(p) << 16 | get_be16(p + 2);
}

uint64_t
get_be64(const uint8_t *p)
{
	return (uint64_t)get_be32(p) << 32 | get_be32(p + 4);
}

void
hex_format(const uint8_t *p, size_t len, char *out)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < len; i++) {
		*out++ = digits[p[i] >> 4];
		*out++ = digits[p[i] & 15];
	}
	*out = '\0';
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool
hex_parse(const char *s, uint8_t *out, size_t len)
{
	if (strlen(s) != 2 * len)
		return false;
	for (size_t i = 0; i < len; i++) {
		int hi = hex_digit(s[2 * i]), lo = hex_digit(s[2 * i + 1]);

		if (hi < 0 || lo < 0)
			return false;
		out[i] = (uint8_t)(hi << 4 | lo);
	}
	return true;
}
