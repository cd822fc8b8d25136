/* The configuration: accepted and sound, or refused with a place. */
/* links: conf mail base */
#include <stdlib.h>
#include <string.h>

#include "conf/conf.h"
#include "conf/value.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

/* What must hold whatever was written. */
static void
check_server(const struct conf_server *s)
{
	if (s->host == NULL || s->port == 0 || s->timeout_s < 1 ||
	    (s->tls == CONF_TLS_NONE && !value_loopback(s->host)) ||
	    (s->auth == CONF_AUTH_XOAUTH2) != (s->token_command != NULL) ||
	    (s->auth == CONF_AUTH_PASSWORD) !=
	    (s->password_command != NULL || s->password_file != NULL) ||
	    (s->user != NULL && strpbrk(s->user, "\r\n") != NULL))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	struct err e = ERR_INIT;
	struct conf c;

	if (conf_read("f", p, len, &c, &e) == RC_OK) {
		for (size_t i = 0; i < c.naccounts; i++)
			if (c.accounts[i].protocol <= CONF_POP3)
				check_server(&c.accounts[i].server);
		for (size_t i = 0; i < c.nrelays; i++)
			check_server(&c.relays[i].server);
	} else if (e.rc != RC_CONF || strncmp(e.text, "f:", 2) != 0) {
		abort();
	}
	conf_free(&c);
	return 0;
}
