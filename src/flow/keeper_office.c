/* Alarms of what the association's offices do, or leave undone. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/lang.h"
#include "base/log.h"
#include "flow/keeper.h"
#include "store/store_bar.h"
#include "store/store_hub.h"

#define MISSED_S (6 * 3600)	/* a bulletin may come that much later */
#define SILENCE_S (15 * 86400)	/* PROTOCOL 2.8 */
#define OVERS_MAX 100		/* in one text */

struct list {
	struct store_alarm	*a;
	size_t			*n, max;
};

static void
add(const struct list *l, enum store_rule rule, const char *subject,
    int64_t since, const char *text)
{
	struct store_alarm *a;

	if (*l->n == l->max)
		return;
	a = &l->a[(*l->n)++];
	memset(a, 0, sizeof(*a));
	a->rule = rule;
	a->since = since;
	snprintf(a->subject, sizeof(a->subject), "%s", subject);
	snprintf(a->text, sizeof(a->text), "%s", text);
	log_plain(a->text);
}

/* One that others have, none for long. */
static enum rc
bulletins(struct keeper *k, const struct list *l, struct err *e)
{
	struct store_bulletin b;
	int64_t now = clock_now(), last;
	enum rc rc = store_bulletin(k->st, &b, e);

	if (rc != RC_OK)
		return rc;
	if (b.missed != 0 && b.missed_at <= now - MISSED_S)
		add(l, STORE_RULE_MISSED, "", b.missed_at, b.missed_by);
	last = b.came_at > b.since ? b.came_at : b.since;
	if (b.since != 0 && last <= now - SILENCE_S)
		add(l, STORE_RULE_NOBULLETIN, "", last, "");
	return RC_OK;
}

/* Members whose mail waits at the gateway for the next day. */
static enum rc
limits(struct keeper *k, const struct list *l, struct err *e)
{
	struct store_hub_day *d = calloc(OVERS_MAX, sizeof(*d));
	size_t n = 0;
	enum rc rc = d == NULL ? err_set(e, RC_NOMEM, _("no memory left")) :
	    store_hub_overs(k->st, clock_now(), d, OVERS_MAX, &n, e);

	for (size_t i = 0; rc == RC_OK && i < n; i++)
		add(l, STORE_RULE_LIMIT, d[i].name, d[i].over_at, "");
	free(d);
	return rc;
}

enum rc
office_alarms(struct keeper *k, struct store_alarm *a, size_t *n, size_t max,
    struct err *e)
{
	const struct list l = { a, n, max };

	enum rc rc = bulletins(k, &l, e);

	return rc == RC_OK && k->p->conf->hub ? limits(k, &l, e) : rc;
}
