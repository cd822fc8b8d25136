/* The servers of known mail providers: the table conf/providers. */
#ifndef SC_CONF_PROVIDER_H
#define SC_CONF_PROVIDER_H

#include "conf/place.h"

struct provider {
	struct place	fetch[2];	/* PLACE_IMAP and PLACE_POP3 */
	struct place	relay;
	bool		name_only;	/* login: what stands before the "@" */
	bool		app;		/* wants an application password */
	bool		token;		/* wants an OAuth token */
};

/*
 * provider_find(path, text, len, name, out, found, e):
 * The row of the table ${text} for ${name}: a domain, as it is written there;
 * or the name of a mail exchanger, which ends in one that begins with a dot
 * there.  Upper and lower case are one.  ${path} is what complaints say.
 *
 * RC_OK and ${*found}; RC_CONF "file:line: ..." for a row that cannot be read,
 * wherever it stands.
 */
enum rc provider_find(const char *path, const void *text, size_t len,
    const char *name, struct provider *out, bool *found, struct err *e);

#endif
