#include "config.h"

#include "wire/late_curl.h"

#ifdef SC_LATE
static const char *const names[] = { LATE_CURL(LATE_NAME) NULL };
static struct late_curl calls;
static struct late late = { SC_LATE_CURL, names, &calls, sizeof(calls),
    false };

enum rc
late_curl_load(struct err *e)
{
	return late_load(&late, e);
}

const struct late_curl *
late_curl(void)
{
	return late_calls(&late);
}
#else
enum rc
late_curl_load(struct err *e)
{
	(void)e;
	return RC_OK;
}
#endif
