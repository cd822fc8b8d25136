/* The year that comes next. */
#include "config.h"

#include "base/clock.h"
#include "base/lang.h"
#include "issuer/desk.h"
#include "issuer/witness.h"

/* A second root of a year would give members of one name two keys. */
static bool
was_made(const struct desk *d, uint16_t year)
{
	const struct members *m = d->members;

	for (size_t i = 0; i < m->n; i++)
		if (member_told(&m->v[i], year) >= 0)
			return true;
	return witness_archived(d, year);
}

enum rc
desk_year_check(const struct desk *d, uint16_t year, struct err *e)
{
	const uint16_t newest = d->nyears > 0 ? d->years[d->nyears - 1] : 0;

	if (was_made(d, year))
		return err_set(e, RC_CONF, _("the root of %u was destroyed, "
		    "and there is never a second one of a year: members would "
		    "hold keys that do not fit those of others"), year);
	if (year < newest)
		return err_set(e, RC_CONF, _("the newest root here is of %u, "
		    "and there is none of %u: look at --year"), newest, year);
	if (clock_now() >= desk_dates(year, 0).send_until_at)
		return err_set(e, RC_CONF, _("nobody could write with keys "
		    "of %u any more: look at --year and at the clock"), year);
	if (clock_now() < clock_utc(year - 1, 11, 15))
		return err_set(e, RC_CONF, _("keys of %u are made from 15 "
		    "November %u on: look at --year and at the clock"), year,
		    year - 1U);
	if (d->nyears == DESK_YEARS_MAX)
		return err_set(e, RC_CONF, _("this desk has roots of %d years: "
		    "destroy the oldest"), DESK_YEARS_MAX);
	return RC_OK;
}

void
desk_year_assume(struct desk *d, uint16_t year)
{
	d->years[d->nyears++] = year;
}
