#include "config.h"

#include <stdio.h>
#include <string.h>

#include "base/lang.h"
#include "base/utf8.h"
#include "wire/imap_talk.h"

static const char digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

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

enum rc
imap_name(const char *what, const char *utf8, struct buf *out, struct err *e)
{
	size_t len = strlen(utf8), at = 0;
	struct buf run = BUF_INIT;
	bool ok = true, text = true;
	uint32_t c;

	buf_wipe(out);
	while (ok && text && at < len) {
		text = utf8_next((const uint8_t *)utf8, len, &at, &c);
		if (text && c >= 0x80)
			ok = add_utf16(&run, c);
		if (ok && run.len > 0 && (c < 0x80 || at == len)) {
			ok = shift(&run, out);
			buf_wipe(&run);
		}
		if (ok && c < 0x80)
			ok = c == '&' ? buf_adds(out, "&-") :
			    buf_add8(out, (uint8_t)c);
	}
	buf_free(&run);
	if (!text)
		return err_set(e, RC_CONF, _("%s %s: not UTF-8"), what, utf8);
	return ok && buf_str(out) != NULL ? net_word(what, utf8, e) :
	    err_nomem(e);
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
