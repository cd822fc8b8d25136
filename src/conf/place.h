/* A server in one word, as people and the table of providers write it. */
#ifndef SC_CONF_PLACE_H
#define SC_CONF_PLACE_H

#include "base/buf.h"
#include "conf/conf.h"

#define PLACE_HOST_BYTES 256	/* RFC 1035 2.3.4, and the NUL */
#define PLACE_BYTES (PLACE_HOST_BYTES + 16)

enum place_kind { PLACE_IMAP, PLACE_POP3, PLACE_SMTP };

struct place {
	char		host[PLACE_HOST_BYTES];	/* "": there is none */
	uint16_t	port;
	enum conf_tls	tls;
};

/*
 * place_parse(s, kind, out, e):
 * Read "HOST", "HOST:PORT" or "HOST:PORT/starttls".  Without a port it is that
 * of TLS from the first octet (RFC 8314 3); with one, 143, 110, 587 and 25 are
 * STARTTLS, and 25 of this very machine is in clear.  RC_CONF: what to write.
 */
enum rc place_parse(const char *s, enum place_kind kind, struct place *out,
    struct err *e);

/* place_format(p, out): what place_parse() reads, with the port. */
void place_format(const struct place *p, char out[PLACE_BYTES]);

/* place_kind_of(host): POP3 for a name that begins "pop", else IMAP. */
enum place_kind place_kind_of(const char *host);

/* place_of_account(a, out): which mailbox ${a} reads, in one line and a NUL,
 * the same for as long as its settings mean the same; false: memory. */
bool place_of_account(const struct conf_account *a, struct buf *out);

#endif
