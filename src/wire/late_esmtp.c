#include "config.h"

#include "wire/late_esmtp.h"

#ifdef SC_LATE
static const char *const names[] = { LATE_ESMTP(LATE_NAME) NULL };
static struct late_esmtp calls;
static struct late late = { SC_LATE_ESMTP, names, &calls, sizeof(calls),
    false };

enum rc
late_esmtp_load(struct err *e)
{
	return late_load(&late, e);
}

const struct late_esmtp *
late_esmtp(void)
{
	return late_calls(&late);
}
#else
enum rc
late_esmtp_load(struct err *e)
{
	(void)e;
	return RC_OK;
}
#endif
