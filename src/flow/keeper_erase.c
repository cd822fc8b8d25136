/* The keeper's part in the end of a year: when its keys may go. */
#include "config.h"

#include <string.h>

#include "base/clock.h"
#include "base/lang.h"
#include "flow/keeper.h"
#include "vault/gate.h"

/* All that lay in the mailboxes has been fetched and opened, by a clock that
 * is believed (2.19.10).  What could not be filed, or is left for a later day,
 * waits in the store. */
static enum rc
is_drained(const struct keeper *k, int64_t now, bool *drained, struct err *e)
{
	bool steady = false, ok;
	size_t n = 0;
	enum rc rc = store_in_waiting(k->st, &n, e);

	if (rc == RC_OK)
		rc = store_clock_steady(k->st, now, &steady, e);
	ok = rc == RC_OK && n == 0 && steady && !k->stop &&
	    k->clock == STORE_CLOCK_STEADY;

	for (size_t i = 0; ok && i < pass_naccounts(k->p); i++) {
		const struct account *a = &k->accounts[i];

		ok = a->line.rc == RC_OK && a->refused == 0 &&
		    a->suspect.nskip == 0 &&
		    (a->state == AC_DONE || a->state == AC_WAITING);
	}
	*drained = ok;
	return rc;
}

uint16_t
keeper_year_over(const struct frame *selves)
{
	struct gate_self self;

	for (size_t at = 0; at + sizeof(self) <= selves->body.len;
	    at += sizeof(self)) {
		memcpy(&self, selves->body.p + at, sizeof(self));
		if (self.over != 0)
			return self.over;
	}
	return 0;
}

enum rc
keeper_erase(struct keeper *k, uint16_t year, struct err *e)
{
	struct err why = ERR_INIT;
	struct buf b = BUF_INIT;
	int64_t now = clock_now();
	bool drained = false;
	enum rc rc;

	if (year == 0 || k->p->lent)
		return RC_OK;
	/* It may have leapt since this pass began. */
	if ((rc = keeper_clock(k, now, e)) != RC_OK ||
	    (rc = is_drained(k, now, &drained, e)) != RC_OK || !drained)
		return rc;
	keeper_rest(k);
	rows_forget(k);
	rc = keeper_tell(k, TELL_ERASE, &b, buf_add64(&b, (uint64_t)now),
	    &why);
	if (rc == RC_OK)
		keeper_event(k, "key.erased", "year=%u", year);
	else if (rc == RC_NOMEM)
		return err_set(e, rc, "%s", why.text);
	else
		keeper_event(k, "key.erase_failed", "year=%u why=\"%.200s\"",
		    year, why.text);
	return RC_OK;
}
