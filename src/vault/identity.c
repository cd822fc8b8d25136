#include "config.h"

#include <string.h>

#include "vault/identity.h"

#define ASSOC_MAX 32
#define LOCAL_MAX 64

static bool
is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_ldh(char c)
{
	return is_lower(c) || is_digit(c) || c == '-';
}

/* Where an association's short name at the start of s[0..len) ends; 0: there
 * is none.  Each of these counts from s: one index says where we are. */
static size_t
assoc_end(const char *s, size_t len)
{
	size_t n = 0;

	if (len == 0 || !is_lower(s[0]))
		return 0;
	while (n < len && is_ldh(s[n]))
		n++;
	return n <= ASSOC_MAX ? n : 0;
}

/* The same for a local part that begins at ${at}, then for a domain. */
static size_t
local_end(const char *s, size_t at, size_t len)
{
	bool dot = true;	/* none may stand at the start, or after one */
	size_t n = at;

	for (; n < len && (is_ldh(s[n]) || s[n] == '.' || s[n] == '_'); n++) {
		if (s[n] == '.' && dot)
			return 0;
		dot = s[n] == '.';
	}
	return !dot && n - at <= LOCAL_MAX ? n : 0;
}

static size_t
domain_end(const char *s, size_t at, size_t len)
{
	size_t n = at, label = 0, dots = 0;
	bool hyphen = false;

	for (; n < len && (is_ldh(s[n]) || s[n] == '.'); n++) {
		if (s[n] == '.') {
			if (label == 0 || hyphen)
				return 0;
			label = 0;
			dots++;
		} else if (label++ == 0 && s[n] == '-') {
			return 0;
		}
		hyphen = s[n] == '-';
	}
	return label > 0 && !hyphen && dots > 0 ? n : 0;
}

/* "#" then 1..254 without leading zero, from ${at} to the end; 0 for anything
 * else. */
static uint8_t
gen_value(const char *s, size_t at, size_t len)
{
	unsigned v = 0;

	if (at + 2 > len || at + 4 < len || s[at] != '#' || s[at + 1] == '0')
		return 0;
	for (size_t i = at + 1; i < len; i++) {
		if (!is_digit(s[i]))
			return 0;
		v = v * 10 + (unsigned)(s[i] - '0');
	}
	return v <= IDENTITY_GEN_MAX ? (uint8_t)v : 0;
}

/* Where the name at the start of s[0..len) ends, its offsets to ${id}; 0:
 * there is none. */
static size_t
name_end(const char *s, size_t len, struct identity *id)
{
	size_t n;

	if ((n = assoc_end(s, len)) == 0 || n >= len || s[n] != '/')
		return 0;
	id->slash = (uint8_t)n;
	if ((n = local_end(s, n + 1, len)) == 0 || n >= len || s[n] != '@')
		return 0;
	id->at = (uint8_t)n;
	return domain_end(s, n + 1, len);
}

static bool
parse(const char *s, size_t len, bool whole, struct identity *id)
{
	size_t name;

	memset(id, 0, sizeof(*id));
	if (len > IDENTITY_MAX_BYTES || (name = name_end(s, len, id)) == 0)
		return false;
	if (whole && (id->gen = gen_value(s, name, len)) == 0)
		return false;
	if (!whole && name != len)
		return false;
	memcpy(id->s, s, len);
	id->len = (uint8_t)len;
	id->name_len = (uint8_t)name;
	return true;
}

bool
identity_parse(const void *p, size_t len, struct identity *id)
{
	if (len >= IDENTITY_MIN_BYTES && parse(p, len, true, id))
		return true;
	memset(id, 0, sizeof(*id));
	return false;
}

bool
identity_parse_name(const void *p, size_t len, struct identity *id)
{
	/* A name that no generation could follow is the name of nobody. */
	if (len + 2 <= IDENTITY_MAX_BYTES && parse(p, len, false, id))
		return true;
	memset(id, 0, sizeof(*id));
	return false;
}

bool
identity_at_gen(const struct identity *id, unsigned gen, struct identity *out)
{
	char s[IDENTITY_MAX_BYTES + 4];
	size_t len = id->name_len;

	if (gen < 1 || gen > IDENTITY_GEN_MAX)
		return false;
	memcpy(s, id->s, len);
	s[len++] = '#';
	if (gen >= 100)
		s[len++] = (char)('0' + gen / 100);
	if (gen >= 10)
		s[len++] = (char)('0' + gen / 10 % 10);
	s[len++] = (char)('0' + gen % 10);
	return identity_parse(s, len, out);
}

static struct bytes
part(const struct identity *id, size_t from, size_t to)
{
	return (struct bytes){ (const uint8_t *)id->s + from, to - from };
}

struct bytes
identity_bytes(const struct identity *id)
{
	return part(id, 0, id->len);
}

struct bytes
identity_name(const struct identity *id)
{
	return part(id, 0, id->name_len);
}

struct bytes
identity_assoc(const struct identity *id)
{
	return part(id, 0, id->slash);
}

struct bytes
identity_local(const struct identity *id)
{
	return part(id, (size_t)id->slash + 1, id->at);
}

struct bytes
identity_domain(const struct identity *id)
{
	return part(id, (size_t)id->at + 1, id->name_len);
}

struct bytes
identity_address(const struct identity *id)
{
	return part(id, (size_t)id->slash + 1, id->name_len);
}

bool
identity_eq(const struct identity *a, const struct identity *b)
{
	return bytes_eq(identity_bytes(a), identity_bytes(b));
}

bool
identity_same_name(const struct identity *a, const struct identity *b)
{
	return bytes_eq(identity_name(a), identity_name(b));
}
