/* Records: each type, all octets, every length. */
#include "config.h"

#include "eva.h"
#define rd_of eva_rd_of
#define rd_take(r, len) (eva_merge(), eva_rd_take(r, len))
#include "vault/record.c"

void
eva_record(void)
{
	size_t len = eva_octets();
	uint8_t type = Frama_C_unsigned_char_interval(0, 255);
	struct rec r;
	struct err e;

	/*@ split type; */
	rec_parse(type, (struct bytes){ eva_end - len, len }, &r, &e);
}
