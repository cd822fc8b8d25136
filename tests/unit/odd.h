/* libcurl, the resolver and the system as they may be; linked with --wrap of
 * each. */
#ifndef SC_TESTS_ODD_H
#define SC_TESTS_ODD_H

#include <arpa/inet.h>
#include <curl/curl.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "unit.h"

#include "base/buf.h"
#include "base/file.h"
#include "wire/late_curl.h"

static struct {
	int		 option;	/* that one is not taken; 0: none */
	bool		 met;
	bool		 no_global, no_memfd, no_files;
	in_port_t	 gone;		/* who listens there hangs up */
	bool		 blobs;		/* a library that takes authorities */
	const char	*families;	/* what the name resolves to */
} odd;

CURLcode __real_curl_easy_setopt(CURL *c, CURLoption option, ...);
CURLcode __wrap_curl_easy_setopt(CURL *c, CURLoption option, ...);
CURLcode
__wrap_curl_easy_setopt(CURL *c, CURLoption option, ...)
{
	int type = (int)option / 10000;
	CURLcode code = CURLE_OK;
	va_list ap;

	va_start(ap, option);
	if ((int)option == odd.option) {
		odd.met = true;
		code = CURLE_UNKNOWN_OPTION;
	} else if (odd.blobs && type == CURLOPTTYPE_BLOB / 10000) {
		code = CURLE_OK;
	} else if (type == CURLOPTTYPE_LONG / 10000) {
		code = __real_curl_easy_setopt(c, option, va_arg(ap, long));
	} else if (type == CURLOPTTYPE_OFF_T / 10000) {
		code = __real_curl_easy_setopt(c, option,
		    va_arg(ap, curl_off_t));
	} else {
		code = __real_curl_easy_setopt(c, option,
		    va_arg(ap, void *));
	}
	va_end(ap);
	return code;
}

CURLcode __real_curl_global_init(long flags);
CURLcode __wrap_curl_global_init(long flags);
CURLcode
__wrap_curl_global_init(long flags)
{
	return odd.no_global ? CURLE_FAILED_INIT :
	    __real_curl_global_init(flags);
}

/* Where libcurl is called by pointers, they lead to the above. */
static inline void
odd_late(void)
{
#ifdef SC_LATE
	struct late_curl *l;
	struct err e = ERR_INIT;

	assert_int_equal(late_curl_load(&e), RC_OK);
	l = (struct late_curl *)(uintptr_t)late_curl();
	l->curl_easy_setopt = __wrap_curl_easy_setopt;
	l->curl_global_init = __wrap_curl_global_init;
#endif
}

#ifdef HAVE_MEMFD_CREATE
int __real_memfd_create(const char *name, unsigned flags);
int __wrap_memfd_create(const char *name, unsigned flags);
int
__wrap_memfd_create(const char *name, unsigned flags)
{
	odd.met = true;
	if (!odd.no_memfd)
		return __real_memfd_create(name, flags);
	errno = EMFILE;
	return -1;
}
#endif

int __real_getpeername(int fd, struct sockaddr *a, socklen_t *len);
int __wrap_getpeername(int fd, struct sockaddr *a, socklen_t *len);
int
__wrap_getpeername(int fd, struct sockaddr *a, socklen_t *len)
{
	struct sockaddr none = { .sa_family = AF_UNSPEC };
	const struct sockaddr_in *to = (const void *)a;
	int r = __real_getpeername(fd, a, len);

	if (r != 0 || odd.gone != to->sin_port || odd.gone == 0)
		return r;
	/* It was there a moment ago. */
	(void)connect(fd, &none, sizeof(none));
	errno = ENOTCONN;
	return -1;
}

enum rc __real_file_read(const char *path, size_t max, struct buf *out,
    struct err *e);
enum rc __wrap_file_read(const char *path, size_t max, struct buf *out,
    struct err *e);
enum rc
__wrap_file_read(const char *path, size_t max, struct buf *out,
    struct err *e)
{
	return odd.no_files ? err_set(e, RC_CONF, "%s: not there", path) :
	    __real_file_read(path, max, out, e);
}

static struct addrinfo list[16];
static struct sockaddr_in v4 = { .sin_family = AF_INET };
static struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };

int __real_getaddrinfo(const char *host, const char *service,
    const struct addrinfo *hints, struct addrinfo **out);
int __wrap_getaddrinfo(const char *host, const char *service,
    const struct addrinfo *hints, struct addrinfo **out);
int
__wrap_getaddrinfo(const char *host, const char *service,
    const struct addrinfo *hints, struct addrinfo **out)
{
	size_t n = odd.families == NULL ? 0 : strlen(odd.families);

	if (odd.families == NULL)
		return __real_getaddrinfo(host, service, hints, out);
	v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	v6.sin6_addr = in6addr_loopback;
	for (size_t i = 0; i < n; i++) {
		bool four = odd.families[i] == '4';

		list[i] = (struct addrinfo){
		    .ai_family = four ? AF_INET : AF_INET6,
		    .ai_addr = four ? (void *)&v4 : (void *)&v6,
		    .ai_addrlen = four ? sizeof(v4) : sizeof(v6),
		    .ai_next = i + 1 < n ? &list[i + 1] : NULL };
	}
	*out = list;
	return n > 0 ? 0 : EAI_NONAME;
}

void __real_freeaddrinfo(struct addrinfo *l);
void __wrap_freeaddrinfo(struct addrinfo *l);
void
__wrap_freeaddrinfo(struct addrinfo *l)
{
	if (odd.families == NULL)
		__real_freeaddrinfo(l);
}

#endif
