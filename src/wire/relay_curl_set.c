#include "config.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "base/file.h"
#include "base/lang.h"
#include "wire/relay_curl.h"
#include "wire/tls.h"

#define CA_MAX_BYTES (4 * 1024 * 1024)

static CURLcode
set_limits(struct curl_relay *x)
{
	CURL *c = x->easy;
	long s = x->r->conf->server.timeout_s;

#if LIBCURL_VERSION_NUM >= 0x075500
	if (curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "smtp,smtps") !=
	    CURLE_OK)
		return CURLE_UNSUPPORTED_PROTOCOL;
#else
	if (curl_easy_setopt(c, CURLOPT_PROTOCOLS,
	    (long)(CURLPROTO_SMTP | CURLPROTO_SMTPS)) != CURLE_OK)
		return CURLE_UNSUPPORTED_PROTOCOL;
#endif
	curl_easy_setopt(c, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	curl_easy_setopt(c, CURLOPT_PROXY, "");
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_MAXCONNECTS, 1L);
	curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, 2 * s);
	curl_easy_setopt(c, CURLOPT_SERVER_RESPONSE_TIMEOUT, s);
	curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, s);
	return CURLE_OK;
}

static CURLcode
set_authority(struct curl_relay *x)
{
	struct curl_blob blob = { x->ca.p, x->ca.len, CURL_BLOB_NOCOPY };

	/* Its default folder would stand beside our file: all the system's
	 * authorities, although ca_file means "instead". */
	if (curl_easy_setopt(x->easy, CURLOPT_CAPATH, NULL) != CURLE_OK)
		return CURLE_NOT_BUILT_IN;
	if (x->ca.len == 0)
		return CURLE_OK;	/* pinned, and no authority is known */
	if (x->ca_path[0] != '\0')
		return curl_easy_setopt(x->easy, CURLOPT_CAINFO, x->ca_path);
	return curl_easy_setopt(x->easy, CURLOPT_CAINFO_BLOB, &blob);
}

CURLcode
curl_set_tls(struct curl_relay *x)
{
	const struct conf_server *s = &x->r->conf->server;
	bool pin = x->proof == BY_PIN;
	CURL *c = x->easy;
	CURLcode code;

	if (s->tls == CONF_TLS_NONE)
		return curl_easy_setopt(c, CURLOPT_USE_SSL,
		    (long)CURLUSESSL_NONE);
	if ((code = curl_easy_setopt(c, CURLOPT_USE_SSL,
	    (long)CURLUSESSL_ALL)) != CURLE_OK ||
	    (code = curl_easy_setopt(c, CURLOPT_SSLVERSION,
	    (long)CURL_SSLVERSION_TLSv1_2)) != CURLE_OK ||
	    (code = curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 2L)) !=
	    CURLE_OK ||
	    (code = curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER,
	    pin ? 0L : 1L)) != CURLE_OK ||
	    (code = curl_easy_setopt(c, CURLOPT_CERTINFO, 1L)) != CURLE_OK ||
	    (code = curl_easy_setopt(c, CURLOPT_PINNEDPUBLICKEY,
	    pin ? s->pin : NULL)) != CURLE_OK ||
	    /* A resumed session would not be verified again. */
	    (code = curl_easy_setopt(c, CURLOPT_SSL_SESSIONID_CACHE, 0L)) !=
	    CURLE_OK)
		return code;
	return set_authority(x);
}

static CURLcode
set_login(struct curl_relay *x)
{
	const struct conf_server *s = &x->r->conf->server;
	CURL *c = x->easy;
	CURLcode code;

	if (s->auth == CONF_AUTH_NONE)
		return CURLE_OK;
	if ((code = curl_easy_setopt(c, CURLOPT_USERNAME, s->user)) !=
	    CURLE_OK)
		return code;
	if (s->auth == CONF_AUTH_PASSWORD) {
		code = curl_easy_setopt(c, CURLOPT_LOGIN_OPTIONS,
		    "AUTH=PLAIN;AUTH=LOGIN");
		return code != CURLE_OK ? code : curl_easy_setopt(c,
		    CURLOPT_PASSWORD, x->r->secret->p);
	}
	code = curl_easy_setopt(c, CURLOPT_LOGIN_OPTIONS,
	    "AUTH=XOAUTH2;AUTH=OAUTHBEARER");
	return code != CURLE_OK ? code : curl_easy_setopt(c,
	    CURLOPT_XOAUTH2_BEARER, x->r->secret->p);
}

CURLcode
curl_set_all(struct curl_relay *x)
{
	CURLcode code;

	if ((code = set_limits(x)) != CURLE_OK ||
	    (code = set_login(x)) != CURLE_OK ||
	    (code = curl_set_tls(x)) != CURLE_OK)
		return code;
	return curl_easy_setopt(x->easy, CURLOPT_URL, x->url);
}

/* The sandbox resolves nothing: name and addresses are given together. */
bool
curl_set_addresses(struct curl_relay *x)
{
	char line[RELAY_ADDRESSES * (RELAY_ADDRESS_BYTES + 1) + 300];
	int n = snprintf(line, sizeof(line), "%s:%u:",
	    x->r->conf->server.host, (unsigned)x->r->conf->server.port);

	for (size_t i = 0; i < x->r->naddresses; i++) {
		bool v6 = strchr(x->r->address[i], ':') != NULL;

		if (n < 0 || (size_t)n >= sizeof(line))
			return false;
		n += snprintf(line + n, sizeof(line) - (size_t)n,
		    "%s%s%s%s", i > 0 ? "," : "", v6 ? "[" : "",
		    x->r->address[i], v6 ? "]" : "");
	}
	if (n < 0 || (size_t)n >= sizeof(line))
		return false;
	x->resolve = curl_slist_append(NULL, line);
	return x->resolve != NULL && curl_easy_setopt(x->easy,
	    CURLOPT_RESOLVE, x->resolve) == CURLE_OK;
}

/* Some TLS libraries under curl take authorities from a file only, at each
 * handshake: then it lies in memory, for there is the sandbox. */
static enum rc
ca_in_memory(struct curl_relay *x, struct err *e)
{
#ifdef HAVE_MEMFD_CREATE
	if ((x->ca_fd = memfd_create("authorities", MFD_CLOEXEC)) < 0 ||
	    !write_all(x->ca_fd, x->ca.p, x->ca.len))
		return err_sys(e, "memfd_create");
	snprintf(x->ca_path, sizeof(x->ca_path), "/proc/self/fd/%d",
	    x->ca_fd);
	return RC_OK;
#else
	(void)x;
	return err_set(e, RC_CONF, _("this libcurl reads certificates from "
	    "files only; build sceau with another one"));
#endif
}

/* The file that tls_new() was content with, as octets. */
static enum rc
load_ca(struct curl_relay *x, struct err *e)
{
	const struct conf_server *s = &x->r->conf->server;
	const char *files[] = { curl_version_info(CURLVERSION_NOW)->cainfo,
	    "/etc/ssl/certs/ca-certificates.crt", "/etc/ssl/cert.pem",
	    "/etc/pki/tls/certs/ca-bundle.crt" };
	struct err why = ERR_INIT;

	if (s->ca_file != NULL)
		return file_read(s->ca_file, CA_MAX_BYTES, &x->ca, e);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		if (files[i] != NULL && file_read(files[i], CA_MAX_BYTES,
		    &x->ca, &why) == RC_OK)
			return RC_OK;
	return s->pin != NULL ? RC_OK : err_set(e, RC_CONF, "%s", why.text);
}

enum rc
curl_load(struct curl_relay *x, struct err *e)
{
	const struct conf_server *s = &x->r->conf->server;
	struct tls *t = NULL;
	CURLcode code;
	enum rc rc;

	/* The same complaints about CA file and pin as everywhere. */
	if ((rc = tls_new(s, 0, &t, e)) != RC_OK)
		return rc;
	tls_free(&t);
	x->proof = s->pin != NULL ? BY_PIN : BY_AUTHORITY;
	if ((rc = load_ca(x, e)) != RC_OK || x->ca.len == 0)
		return rc;
	if ((x->easy = curl_easy_init()) == NULL)
		return err_nomem(e);
	code = set_authority(x);
	curl_easy_cleanup(x->easy);
	x->easy = NULL;
	return code == CURLE_OK ? RC_OK : ca_in_memory(x, e);
}

bool
curl_set_url(struct curl_relay *x)
{
	const struct conf_server *s = &x->r->conf->server;
	bool v6 = strchr(s->host, ':') != NULL;
	char helo[3 * RELAY_HELO_BYTES];
	size_t n = 0;
	int len;

	for (const char *p = x->r->helo; *p != '\0'; p++)
		n += (size_t)snprintf(helo + n, sizeof(helo) - n,
		    *p == '[' || *p == ']' ? "%%%02X" : "%c", *p);
	helo[n] = '\0';
	len = snprintf(x->url, sizeof(x->url), "%s://%s%s%s:%u/%s",
	    s->tls == CONF_TLS_IMPLICIT ? "smtps" : "smtp", v6 ? "[" : "",
	    s->host, v6 ? "]" : "", (unsigned)s->port, helo);
	return len > 0 && (size_t)len < sizeof(x->url);
}
