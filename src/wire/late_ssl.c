#include "config.h"

#include "wire/late_ssl.h"

#ifdef SC_LATE
static const char *const names[] = { LATE_SSL(LATE_NAME) NULL };
static struct late_ssl calls;
static struct late late = { SC_LATE_SSL, names, &calls, sizeof(calls),
    false };

enum rc
late_ssl_load(struct err *e)
{
	return late_load(&late, e);
}

const struct late_ssl *
late_ssl(void)
{
	return late_calls(&late);
}
#else
enum rc
late_ssl_load(struct err *e)
{
	(void)e;
	return RC_OK;
}
#endif
