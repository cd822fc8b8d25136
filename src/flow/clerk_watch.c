/* What becomes of delivered files: whether the software has taken them. */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flow/clerk.h"
#include "flow/ipc.h"
#include "store/store_in.h"

#define LINE_BYTES (64 + 24 + DROP_TOKEN_BYTES + CLERK_NAME_BYTES)

/* One line: the delivery, its folder's inode, the token, the name. */
static bool
pack_name(const struct clerk *c, const struct job *j, const struct paper *p,
    uint64_t inode, struct buf *b)
{
	return buf_addf(b, "%s%s %" PRIu64 " %s %s", b->len > 0 ? "\n" : "",
	    clerk_deliver(c, p->place)->name, inode, j->token, p->name);
}

bool
watch_names(const struct clerk *c, const struct job *j, struct buf *b)
{
	uint64_t inode[CLERK_DELIVERIES_MAX] = { 0 };
	struct err ignored = ERR_INIT;
	bool ok = true;

	/* Of a folder that cannot be told from another nothing is said. */
	for (size_t i = 0; i < c->ndeliveries; i++)
		if (clerk_deliver(c, i)->opened && drop_inode(&c->places[i],
		    &inode[i], &ignored) != RC_OK)
			inode[i] = 0;
	for (size_t i = 0; ok && i < j->npapers; i++) {
		const struct paper *p = &j->papers[i];

		if (p->place < CLERK_DELIVERIES_MAX && inode[p->place] != 0)
			ok = pack_name(c, j, p, inode[p->place], b);
	}
	/* More than a frame takes: never told, and never waited for. */
	if (b->len > STORE_NAMES_MAX_BYTES)
		buf_wipe(b);
	return ok;
}

static bool
find_delivery(const struct clerk *c, const char *name, size_t *at)
{
	for (size_t i = 0; i < c->ndeliveries; i++)
		if (strcmp(clerk_deliver(c, i)->name, name) == 0) {
			*at = i;
			return clerk_deliver(c, i)->opened;
		}
	return false;
}

/* In the folder of what is filed, under any name that holds the token. */
static bool
is_filed(const char *folder, const char *token)
{
	const struct drop_place place = { folder, false };
	struct err ignored = ERR_INIT;
	bool there = false;

	return drop_there(&place, token, &there, &ignored) == RC_OK && there;
}

static enum watched
look_at(const struct clerk *c, char *line)
{
	const struct conf_deliver *d;
	char *field[4];
	size_t i;

	for (i = 0; i < 4; i++)
		if ((field[i] = i < 3 ? strsep(&line, " ") : line) == NULL)
			return WATCHED_FORGET;
	if (!find_delivery(c, field[0], &i))
		return WATCHED_FORGET;
	d = clerk_deliver(c, i);
	if (!drop_taken(&c->places[i], strtoull(field[1], NULL, 10),
	    field[3]))
		return WATCHED_THERE;
	return d->filed == NULL || is_filed(d->filed, field[2]) ?
	    WATCHED_TAKEN : WATCHED_THERE;
}

enum watched
watch_answer(const struct clerk *c, struct bytes names)
{
	enum watched worst = WATCHED_TAKEN;
	char line[LINE_BYTES];

	while (names.len > 0) {
		const uint8_t *end = memchr(names.p, '\n', names.len);
		size_t n = end == NULL ? names.len : (size_t)(end - names.p);
		enum watched one = WATCHED_FORGET;

		if (n < sizeof(line)) {
			memcpy(line, names.p, n);
			line[n] = '\0';
			one = look_at(c, line);
		}
		if (one == WATCHED_FORGET)
			return one;
		if (one == WATCHED_THERE)
			worst = one;
		names.p += n + (end != NULL);
		names.len -= n + (end != NULL);
	}
	return worst;
}
