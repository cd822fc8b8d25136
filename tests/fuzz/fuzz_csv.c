/*
 * Tables and the register of members: read within bounds, nothing longer than
 * it may be; a register that was read is written and read the same.
 */
/* links: issuer vault document conf mail base */
#include "config.h"

#include "fuzz.h"
#include "issuer/csv.h"
#include "issuer/members.h"

static void
say(void *ctx, bool wrong, unsigned line, const char *text)
{
	(void)ctx;
	(void)wrong;
	BUG_ON(line == 0 || text[0] == '\0');
}

static void
check_table(const uint8_t *p, size_t len)
{
	uint8_t *copy = malloc(len + 1);
	struct err e = ERR_INIT;
	struct csv c;
	bool more = true;
	unsigned line = 0;

	BUG_ON(copy == NULL);
	memcpy(copy, p, len);
	csv_init(&c, copy, len);
	while (csv_next(&c, &more, &e) == RC_OK && more) {
		BUG_ON(c.n > CSV_FIELDS_MAX || c.line <= line);
		line = c.line;
		for (size_t i = 0; i < c.n; i++)
			BUG_ON(c.field[i].len > CSV_FIELD_MAX_BYTES ||
			    (c.field[i].len > 0 && memchr(c.field[i].p, '\0',
			    c.field[i].len) != NULL));
	}
	free(copy);
}

/* Written, read, written: the same octets. */
static void
check_register(const struct members *m)
{
	struct buf one = BUF_INIT, two = BUF_INIT;
	struct members *again;
	struct err e = ERR_INIT;

	BUG_ON(!members_format(m, &one));
	BUG_ON(members_parse(one.p, one.len, &again, &e) != RC_OK);
	BUG_ON(!members_format(again, &two) || one.len != two.len ||
	    memcmp(one.p, two.p, one.len) != 0 || again->n != m->n);
	members_free(&again);
	buf_free(&one);
	buf_free(&two);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	struct members_count count;
	struct members *m;
	struct err e = ERR_INIT;
	uint8_t *copy = malloc(len + 1);

	BUG_ON(copy == NULL || (m = members_new("demo")) == NULL);
	check_table(p, len);
	memcpy(copy, p, len);
	if (members_take(m, copy, len, say, NULL, &count, &e) == RC_OK)
		check_register(m);
	members_free(&m);
	free(copy);
	if (members_parse(p, len, &m, &e) != RC_OK) {
		BUG_ON(m != NULL || e.text[0] == '\0');
		return 0;
	}
	check_register(m);
	members_free(&m);
	return 0;
}
