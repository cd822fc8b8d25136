/* Between the two files of the curl engine. */
#ifndef SC_WIRE_RELAY_CURL_H
#define SC_WIRE_RELAY_CURL_H

#include "base/buf.h"
#include "wire/late_curl.h"
#include "wire/relay_engine.h"

/* Which proof of the server is asked for; see tls.h for the rule. */
enum proof {
	BY_AUTHORITY,
	BY_PIN		/* instead of the authority; name and dates hold */
};

struct curl_relay {
	struct relay	*r;
	struct buf	 ca;		/* PEM */
	char		 ca_path[64];	/* of it, where memory will not do */
	int		 ca_fd;
	char		 url[1024];
	/* of one run */
	CURL		*easy;
	struct curl_slist *resolve;
	enum proof	 proof;
	struct err	*e;
	/* of one connection */
	curl_socket_t	 fd;
	struct reply	 reply;
	enum reply_phase phase;
	bool		 logged_in, awaited, tls_on, dated;
	uint64_t	 size_limit;	/* RFC 1870; 0: none said */
	/* of one mail */
	struct relay_result last;	/* its last reply; code 0: none */
	enum reply_phase last_at;
	bool		 too_big;
	enum rc		 rc;		/* what we ended it for */
	char		 why[CURL_ERROR_SIZE];
};

/* curl_load(x, e): authorities and pin, before the sandbox. */
enum rc curl_load(struct curl_relay *x, struct err *e);

/* curl_set_url(x): host, port and our own name; false: too long. */
bool curl_set_url(struct curl_relay *x);

/* curl_set_addresses(x): what the name resolved to; false: memory. */
bool curl_set_addresses(struct curl_relay *x);

/* curl_set_tls(x): how the server is proved, by ${x->proof}. */
CURLcode curl_set_tls(struct curl_relay *x);

/* curl_set_all(x): every option but callbacks and the mail. */
CURLcode curl_set_all(struct curl_relay *x);

#endif
