#include "config.h"

#include <string.h>

#include "base/utf8.h"

bool
utf8_next(const uint8_t *p, size_t len, size_t *at, uint32_t *c)
{
	static const uint32_t least[5] = { 0, 0, 0x80, 0x800, 0x10000 };
	uint8_t lead = p[(*at)++];
	size_t n;

	*c = lead;
	if (lead < 0x80)
		return true;
	n = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
	if (lead < 0xc2 || lead > 0xf4 || len - *at < n - 1)
		return false;
	*c = lead & (0x7fu >> n);
	for (size_t i = 1; i < n; i++, (*at)++) {
		if ((p[*at] & 0xc0) != 0x80)
			return false;
		*c = *c << 6 | (p[*at] & 0x3fu);
	}
	return *c >= least[n] && *c <= 0x10ffff &&
	    (*c < 0xd800 || *c > 0xdfff);
}

size_t
utf8_ascii(const uint8_t *p, size_t len)
{
	size_t n = 0;
	uint64_t eight;

	for (; len - n >= sizeof(eight); n += sizeof(eight)) {
		memcpy(&eight, p + n, sizeof(eight));
		if ((eight & 0x8080808080808080ULL) != 0)
			break;
	}
	while (n < len && p[n] < 0x80)
		n++;
	return n;
}

bool
utf8_control(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0);
}

bool
utf8_hidden(uint32_t c)
{
	static const struct {
		uint32_t from, to;
	} ranges[] = { { 0xad, 0xad }, { 0x61c, 0x61c }, { 0x180e, 0x180e },
	    { 0x200b, 0x200b }, { 0x200e, 0x200f }, { 0x2028, 0x202e },
	    { 0x2060, 0x206f }, { 0xfeff, 0xfeff }, { 0xfff9, 0xfffb },
	    { 0xe0000, 0xe007f } };

	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
		if (c >= ranges[i].from && c <= ranges[i].to)
			return true;
	return false;
}
