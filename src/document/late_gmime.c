#include "config.h"

#include "document/late_gmime.h"

#ifdef SC_LATE
static const char *const names[] = { LATE_GMIME(LATE_NAME) NULL };
static struct late_gmime calls;
static struct late late = { SC_LATE_GMIME, names, &calls, sizeof(calls),
    false };

enum rc
late_gmime_load(struct err *e)
{
	return late_load(&late, e);
}

const struct late_gmime *
late_gmime(void)
{
	return late_calls(&late);
}
#else
enum rc
late_gmime_load(struct err *e)
{
	(void)e;
	return RC_OK;
}
#endif
