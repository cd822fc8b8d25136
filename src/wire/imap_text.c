#include "config.h"

#include <stdio.h>
#include <string.h>

#include "wire/imap_talk.h"

static const char digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

/* One character of UTF-8; how many octets, 0: none. */
static size_t
utf8_next(const unsigned char *s, uint32_t *c)
{
	size_t len = s[0] < 0x80 ? 1 : s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;

	if ((s[0] >= 0x80 && s[0] < 0xc2) || s[0] > 0xf4)
		return 0;
	*c = len == 1 ? s[0] : s[0] & (0x7fU >> len);
	for (size_t i = 1; i < len; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		*c = *c << 6 | (s[i] & 0x3f);
	}
	if ((len == 3 && (*c < 0x800 || (*c >= 0xd800 && *c < 0xe000))) ||
	    (len == 4 && (*c < 0x10000 || *c > 0x10ffff)))
		return 0;
	return len;
}

static bool
add_utf16(struct buf *b, uint32_t c)
{
	if (c < 0x10000)
		return buf_add16(b, (uint16_t)c);
	c -= 0x10000;
	return buf_add16(b, (uint16_t)(0xd800 + (c >> 10))) &&
	    buf_add16(b, (uint16_t)(0xdc00 + (c & 0x3ff)));
}

/* "&", modified base64 without padding, "-". */
static bool
shift(const struct buf *utf16, struct buf *out)
{
	uint32_t bits = 0;
	int have = 0;
	bool ok = buf_add8(out, '&');

	for (size_t i = 0; ok && i < utf16->len; i++) {
		bits = bits << 8 | utf16->p[i];
		for (have += 8; ok && have >= 6; have -= 6)
			ok = buf_add8(out, (uint8_t)digits[
			    bits >> (have - 6) & 63]);
	}
	if (ok && have > 0)
		ok = buf_add8(out, (uint8_t)digits[bits << (6 - have) & 63]);
	return ok && buf_add8(out, '-');
}

bool
imap_name(const char *utf8, struct buf *out)
{
	const unsigned char *s = (const unsigned char *)utf8;
	struct buf run = BUF_INIT;
	bool ok = true;

	buf_wipe(out);
	while (ok && *s != '\0') {
		uint32_t c;
		size_t len = utf8_next(s, &c);

		ok = len > 0;
		if (ok && c >= 0x80)
			ok = add_utf16(&run, c);
		if (ok && run.len > 0 && (c < 0x80 || s[len] == '\0')) {
			ok = shift(&run, out);
			buf_wipe(&run);
		}
		if (ok && c < 0x80)
			ok = c == '&' ? buf_adds(out, "&-") :
			    buf_add8(out, (uint8_t)c);
		s += len;
	}
	buf_free(&run);
	return ok;
}

struct mailimap_set *
imap_set(const uint32_t *uids, size_t n)
{
	struct mailimap_set *set = mailimap_set_new_empty();
	size_t i = 0;

	while (set != NULL && i < n) {
		size_t last = i;
		int r;

		while (last + 1 < n && uids[last + 1] <= uids[last] + 1)
			last++;
		r = last == i ? mailimap_set_add_single(set, uids[i]) :
		    mailimap_set_add_interval(set, uids[i], uids[last]);
		if (r != MAILIMAP_NO_ERROR) {
			mailimap_set_free(set);
			return NULL;
		}
		i = last + 1;
	}
	return set;
}

static bool
nz_number(const uint8_t *p, size_t len, uint32_t *out)
{
	uint64_t n = 0;

	if (len == 0 || len > 10 || p[0] == '0')
		return false;
	for (size_t i = 0; i < len; i++) {
		if (p[i] < '0' || p[i] > '9')
			return false;
		n = n * 10 + (uint64_t)(p[i] - '0');
	}
	*out = (uint32_t)n;
	return n <= UINT32_MAX;
}

bool
imap_id_parse(struct bytes id, uint32_t *validity, uint32_t *uid)
{
	const uint8_t *dot = id.len == 0 ? NULL : memchr(id.p, '.', id.len);
	size_t len;

	if (dot == NULL)
		return false;
	len = (size_t)(dot - id.p);
	return nz_number(id.p, len, validity) &&
	    nz_number(dot + 1, id.len - len - 1, uid);
}

size_t
imap_id_format(uint32_t validity, uint32_t uid, char out[IMAP_ID_CHARS])
{
	int n = snprintf(out, IMAP_ID_CHARS, "%lu.%lu",
	    (unsigned long)validity, (unsigned long)uid);

	return n > 0 ? (size_t)n : 0;
}

bool
imap_ask_for(struct mailimap_fetch_type *type, struct mailimap_fetch_att *att)
{
	return att != NULL && mailimap_fetch_type_new_fetch_att_list_add(type,
	    att) == MAILIMAP_NO_ERROR;
}
