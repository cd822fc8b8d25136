#include "config.h"

#include "wire/late_etpan.h"

#ifdef SC_LATE
static const char *const names[] = { LATE_ETPAN(LATE_NAME) NULL };
static struct late_etpan calls;
static struct late late = { SC_LATE_ETPAN, names, &calls, sizeof(calls),
    false };

enum rc
late_etpan_load(struct err *e)
{
	return late_load(&late, e);
}

const struct late_etpan *
late_etpan(void)
{
	return late_calls(&late);
}
#else
enum rc
late_etpan_load(struct err *e)
{
	(void)e;
	return RC_OK;
}
#endif
