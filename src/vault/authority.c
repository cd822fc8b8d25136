#include "config.h"

#include <stddef.h>

#include "vault/authority.h"
#include "vault/record.h"

#define MAIL AUTHORITY_MAIL
#define KEYFILE AUTHORITY_KEYFILE
#define STORE AUTHORITY_STORE
#define ANY_KIND (MAIL | KEYFILE | STORE)
#define ANYBODY AUTHORITY_MEMBER
#define ISSUER AUTHORITY_ISSUER
#define HUB AUTHORITY_HUB
#define WATCH AUTHORITY_WATCH

/*
 * The first row that fits decides; no row, no right.  ${author}: one of these
 * roles is enough, ${reader}: the same of ours (0: whoever we are).
 */
static const struct row {
	uint8_t		type;
	unsigned	kinds;
	unsigned	author;
	unsigned	reader;
	bool		no_watch;	/* only where no watch desk is named */
	unsigned	also;
} table[] = {
	{ REC_META, ANY_KIND, ANYBODY, 0, false, 0 },
	{ REC_MAIL, MAIL, ANYBODY, 0, false, 0 },
	{ REC_WITNESS, MAIL, ANYBODY, 0, false, 0 },

	{ REC_GRANT, KEYFILE | STORE, ANYBODY, 0, false, 0 },
	{ REC_GRANT, MAIL, ISSUER, 0, false, AUTHORITY_IF_GRANT },
	{ REC_GRANT, MAIL, ANYBODY, 0, false,
	    AUTHORITY_IF_GRANT | AUTHORITY_IF_RETURN_KEY },

	{ REC_ACK, MAIL, HUB, 0, false,
	    AUTHORITY_IF_SENT_TO | AUTHORITY_IF_HUB_ACK },
	{ REC_ACK, MAIL, ANYBODY, 0, false,
	    AUTHORITY_IF_SENT_TO | AUTHORITY_IF_NOT_STATE_1 },
	{ REC_RELAYED_ACK, MAIL, HUB, 0, false, AUTHORITY_IF_ROUTED },
	{ REC_RELAYED, MAIL, HUB, 0, false, 0 },
	{ REC_ROUTE, MAIL, ANYBODY, HUB | ISSUER, false, 0 },
	{ REC_ASK, MAIL, ANYBODY, HUB | ISSUER, false, 0 },

	{ REC_BULLETIN, MAIL, WATCH, 0, false, 0 },
	{ REC_BULLETIN, MAIL, ISSUER, 0, true, 0 },
	{ REC_BULLETIN, STORE, ANYBODY, 0, false, 0 },
	{ REC_BAR, MAIL, ISSUER, 0, false, 0 },
	{ REC_BAR, MAIL, WATCH, 0, false, AUTHORITY_IF_NO_ROLE },
	{ REC_BAR, KEYFILE | STORE, ANYBODY, 0, false, 0 },

	{ REC_ENTRY, MAIL, ISSUER, 0, false, 0 },
	{ REC_ENTRY, KEYFILE | STORE, ANYBODY, 0, false, 0 },
	{ REC_DENY, MAIL, ISSUER, 0, false, 0 },
	{ REC_SELF, KEYFILE, ANYBODY, 0, false, AUTHORITY_IF_IMPORT },
	{ REC_SELF, STORE, ANYBODY, 0, false, 0 },
	{ REC_ROLE, KEYFILE, ANYBODY, 0, false, AUTHORITY_IF_IMPORT },
	{ REC_ROLE, STORE, ANYBODY, 0, false, 0 },
};

static bool
row_fits(const struct row *w, const struct authority_who *who)
{
	unsigned author = who->author | AUTHORITY_MEMBER;

	return (w->kinds & who->kind) != 0 && (w->author & author) != 0 &&
	    (w->reader == 0 || (w->reader & who->reader) != 0) &&
	    !(w->no_watch && who->has_watch);
}

bool
authority_may(uint8_t type, const struct authority_who *who, unsigned *also)
{
	*also = 0;
	if (rec_skipped(type))
		return true;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (table[i].type != type || !row_fits(&table[i], who))
			continue;
		*also = table[i].also;
		return true;
	}
	return false;
}
