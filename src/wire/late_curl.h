/* libcurl, called where it has been loaded (base/late.h). */
#ifndef SC_WIRE_LATE_CURL_H
#define SC_WIRE_LATE_CURL_H

#include <curl/curl.h>

#include "base/late.h"

/* late_curl_load(e): as late_load(). */
enum rc late_curl_load(struct err *e);

#ifdef SC_LATE
#define LATE_CURL(F) \
	F(curl_easy_cleanup) \
	F(curl_easy_getinfo) \
	F(curl_easy_init) \
	F(curl_easy_perform) \
	F(curl_easy_setopt) \
	F(curl_easy_strerror) \
	F(curl_getdate) \
	F(curl_global_cleanup) \
	F(curl_global_init) \
	F(curl_slist_append) \
	F(curl_slist_free_all) \
	F(curl_version_info)

struct late_curl {
	LATE_CURL(LATE_MEMBER)
};

/* late_curl(): as late_calls(). */
const struct late_curl *late_curl(void);

/* Its own macros check types and call the functions. */
#undef curl_easy_getinfo
#undef curl_easy_setopt
#define curl_easy_cleanup(...) late_curl()->curl_easy_cleanup(__VA_ARGS__)
#define curl_easy_getinfo(...) late_curl()->curl_easy_getinfo(__VA_ARGS__)
#define curl_easy_init(...) late_curl()->curl_easy_init(__VA_ARGS__)
#define curl_easy_perform(...) late_curl()->curl_easy_perform(__VA_ARGS__)
#define curl_easy_setopt(...) late_curl()->curl_easy_setopt(__VA_ARGS__)
#define curl_easy_strerror(...) late_curl()->curl_easy_strerror(__VA_ARGS__)
#define curl_getdate(...) late_curl()->curl_getdate(__VA_ARGS__)
#define curl_global_cleanup(...) late_curl()->curl_global_cleanup(__VA_ARGS__)
#define curl_global_init(...) late_curl()->curl_global_init(__VA_ARGS__)
#define curl_slist_append(...) late_curl()->curl_slist_append(__VA_ARGS__)
#define curl_slist_free_all(...) late_curl()->curl_slist_free_all(__VA_ARGS__)
#define curl_version_info(...) late_curl()->curl_version_info(__VA_ARGS__)
#endif

#endif
