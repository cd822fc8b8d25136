/* sceau setup: the servers of a domain, by our table or by the domain's. */
#include "config.h"

#include <string.h>
#include <strings.h>

#include "base/file.h"
#include "base/lang.h"
#include "cmd/setup.h"
#include "conf/provider.h"
#include "wire/dns.h"

#define TABLE_MAX_BYTES (256 * 1024)

/* In the order of choice: TLS from the first octet before STARTTLS (RFC 8314
 * 3), IMAP before POP3. */
static const struct service {
	const char	*name;
	enum place_kind	 kind;
	enum conf_tls	 tls;
} services[] = {
	{ "_imaps", PLACE_IMAP, CONF_TLS_IMPLICIT },
	{ "_imap", PLACE_IMAP, CONF_TLS_STARTTLS },
	{ "_pop3s", PLACE_POP3, CONF_TLS_IMPLICIT },
	{ "_pop3", PLACE_POP3, CONF_TLS_STARTTLS },
	{ "_submissions", PLACE_SMTP, CONF_TLS_IMPLICIT },
	{ "_submission", PLACE_SMTP, CONF_TLS_STARTTLS },
};

static void
take_provider(const struct provider *p, struct setup_found *out)
{
	out->source = FROM_TABLE;
	out->kind = p->fetch[PLACE_IMAP].host[0] != '\0' ? PLACE_IMAP :
	    PLACE_POP3;
	out->fetch = p->fetch[out->kind];
	out->relay = p->relay;
	out->name_only = p->name_only;
	out->app = p->app;
	out->token = p->token;
}

static bool
is_within(const char *host, const char *domain)
{
	size_t all = strlen(host), len = strlen(domain);

	return strcasecmp(host, domain) == 0 || (all > len &&
	    host[all - len - 1] == '.' &&
	    strcasecmp(host + all - len, domain) == 0);
}

/* One service; what an earlier one has found stays. */
static enum rc
ask_service(const struct service *s, const char *domain,
    struct setup_found *out, struct err *e)
{
	struct place *to = s->kind == PLACE_SMTP ? &out->relay : &out->fetch;
	struct dns_host hosts[DNS_MAX];
	char name[DNS_NAME_BYTES + 32];
	size_t n = 0;
	enum rc rc;

	if (to->host[0] != '\0')
		return RC_OK;
	snprintf(name, sizeof(name), "%s._tcp.%s", s->name, domain);
	if ((rc = dns_ask(name, DNS_SRV, hosts, &n, e)) != RC_OK || n == 0)
		return rc;
	snprintf(to->host, sizeof(to->host), "%s", hosts[0].name);
	to->port = hosts[0].port;
	to->tls = s->tls;
	if (s->kind != PLACE_SMTP)
		out->kind = s->kind;
	out->source = FROM_DNS;
	out->foreign = out->foreign || !is_within(to->host, domain);
	return RC_OK;
}

static enum rc
by_exchangers(const char *table, const struct buf *text, const char *domain,
    struct setup_found *out, struct err *e)
{
	struct dns_host hosts[DNS_MAX];
	struct provider p;
	bool found = false;
	size_t n = 0;
	enum rc rc = dns_ask(domain, DNS_MX, hosts, &n, e);

	for (size_t i = 0; rc == RC_OK && i < n && !found; i++)
		rc = provider_find(table, text->p, text->len, hosts[i].name,
		    &p, &found, e);
	if (rc == RC_OK && found)
		take_provider(&p, out);
	return rc;
}

enum rc
setup_find(const char *table, const char *domain, struct setup_found *out,
    struct err *e)
{
	size_t n = sizeof(services) / sizeof(services[0]);
	struct buf text = BUF_INIT;
	struct provider p;
	bool found = false;
	enum rc rc = file_read(table, TABLE_MAX_BYTES, &text, e);

	*out = (struct setup_found){ .source = FROM_NOWHERE };
	if (rc == RC_OK)
		rc = provider_find(table, text.p, text.len, domain, &p,
		    &found, e);
	if (rc == RC_OK && found)
		take_provider(&p, out);
	else if (rc == RC_OK)
		rc = by_exchangers(table, &text, domain, out, e);
	for (size_t i = 0; i < n && rc == RC_OK &&
	    out->source != FROM_TABLE; i++)
		rc = ask_service(&services[i], domain, out, e);
	buf_free(&text);
	return rc;
}
