#include "vault_unit.h"
#include "vault/authority.h"

#define MEMBER AUTHORITY_MEMBER
#define ISSUER AUTHORITY_ISSUER
#define HUB AUTHORITY_HUB
#define WATCH AUTHORITY_WATCH

static const uint8_t types[] = {
	REC_META, REC_GRANT, REC_ACK, REC_ASK, REC_DENY, REC_BULLETIN,
	REC_BAR, REC_ENTRY, REC_SELF, REC_ROLE, REC_RELAYED, REC_ROUTE,
	REC_RELAYED_ACK, REC_MAIL, REC_WITNESS
};

/* The table of PROTOCOL 2.5 once more, as sentences. */
static bool
mail_allows(uint8_t type, const struct authority_who *w)
{
	bool issuer = (w->author & ISSUER) != 0;
	bool hub = (w->author & HUB) != 0;
	bool watch = (w->author & WATCH) != 0;

	switch (type) {
	case REC_META:
	case REC_MAIL:
	case REC_WITNESS:
	case REC_GRANT:
	case REC_ACK:
		return true;
	case REC_ASK:
	case REC_ROUTE:
		return (w->reader & (HUB | ISSUER)) != 0;
	case REC_RELAYED:
	case REC_RELAYED_ACK:
		return hub;
	case REC_BULLETIN:
		return watch || (issuer && !w->has_watch);
	case REC_BAR:
		return watch || issuer;
	case REC_ENTRY:
	case REC_DENY:
		return issuer;
	default:
		return false;
	}
}

static bool
allows(uint8_t type, const struct authority_who *w)
{
	switch (w->kind) {
	case AUTHORITY_MAIL:
		return mail_allows(type, w);
	case AUTHORITY_KEYFILE:
		return type == REC_META || type == REC_SELF ||
		    type == REC_ROLE || type == REC_GRANT ||
		    type == REC_ENTRY || type == REC_BAR;
	case AUTHORITY_STORE:
		return type == REC_META || type == REC_SELF ||
		    type == REC_ROLE || type == REC_GRANT ||
		    type == REC_ENTRY || type == REC_BAR ||
		    type == REC_BULLETIN;
	}
	return false;
}

/* Every record, kind, set of roles on both sides, with and without desk. */
static void
test_whole_table(void **state)
{
	static const enum authority_kind kinds[] = { AUTHORITY_MAIL,
		AUTHORITY_KEYFILE, AUTHORITY_STORE };
	size_t n = 0;

	(void)state;
	for (size_t t = 0; t < sizeof(types); t++) {
		for (unsigned bits = 0; bits < 2 * 3 * 256; bits++) {
			struct authority_who w = { kinds[bits / 512],
			    bits & 15, bits >> 4 & 15, (bits >> 8 & 1) != 0 };
			unsigned also;

			if (authority_may(types[t], &w, &also) !=
			    allows(types[t], &w))
				fail_msg("%s, author %u, reader %u, kind %d",
				    rec_name(types[t]), w.author, w.reader,
				    (int)w.kind);
			n++;
		}
	}
	T_CHECK(n == 15 * 1536);
}

static unsigned
also_of(uint8_t type, enum authority_kind kind, unsigned author)
{
	struct authority_who w = { kind, author, HUB, true };
	unsigned also = 99;

	T_CHECK(authority_may(type, &w, &also));
	return also;
}

/* What the gate must look at besides. */
static void
test_conditions(void **state)
{
	(void)state;
	T_CHECK(also_of(REC_GRANT, AUTHORITY_MAIL, MEMBER) ==
	    (AUTHORITY_IF_GRANT | AUTHORITY_IF_RETURN_KEY));
	T_CHECK(also_of(REC_GRANT, AUTHORITY_MAIL, HUB | WATCH) ==
	    (AUTHORITY_IF_GRANT | AUTHORITY_IF_RETURN_KEY));
	T_CHECK(also_of(REC_GRANT, AUTHORITY_MAIL, ISSUER) ==
	    AUTHORITY_IF_GRANT);
	T_CHECK(also_of(REC_GRANT, AUTHORITY_KEYFILE, ISSUER) == 0);
	T_CHECK(also_of(REC_ACK, AUTHORITY_MAIL, MEMBER) ==
	    (AUTHORITY_IF_SENT_TO | AUTHORITY_IF_NOT_STATE_1));
	T_CHECK(also_of(REC_ACK, AUTHORITY_MAIL, HUB) ==
	    (AUTHORITY_IF_SENT_TO | AUTHORITY_IF_HUB_ACK));
	T_CHECK(also_of(REC_RELAYED_ACK, AUTHORITY_MAIL, HUB) ==
	    AUTHORITY_IF_ROUTED);
	T_CHECK(also_of(REC_BAR, AUTHORITY_MAIL, WATCH) ==
	    AUTHORITY_IF_NO_ROLE);
	T_CHECK(also_of(REC_BAR, AUTHORITY_MAIL, ISSUER) == 0);
	T_CHECK(also_of(REC_BAR, AUTHORITY_MAIL, ISSUER | WATCH) == 0);
	T_CHECK(also_of(REC_SELF, AUTHORITY_KEYFILE, ISSUER) ==
	    AUTHORITY_IF_IMPORT);
	T_CHECK(also_of(REC_MAIL, AUTHORITY_MAIL, MEMBER) == 0);
	T_CHECK(also_of(0x90, AUTHORITY_MAIL, MEMBER) == 0);
}

/* P9: what a stolen hub or desk can say, and no more. */
static void
test_nobody_else(void **state)
{
	struct authority_who w = { AUTHORITY_MAIL, HUB, MEMBER, true };
	unsigned also;

	(void)state;
	T_CHECK(!authority_may(REC_BAR, &w, &also) && also == 0);
	T_CHECK(!authority_may(REC_ENTRY, &w, &also));
	T_CHECK(!authority_may(REC_BULLETIN, &w, &also));
	w.author = WATCH;
	T_CHECK(!authority_may(REC_RELAYED, &w, &also));
	T_CHECK(!authority_may(REC_ENTRY, &w, &also));
	w.author = ISSUER;
	T_CHECK(!authority_may(REC_RELAYED, &w, &also));
	T_CHECK(!authority_may(REC_BULLETIN, &w, &also));
	T_CHECK(!authority_may(REC_SELF, &w, &also));
	T_CHECK(!authority_may(0x0e, &w, &also));
	T_CHECK(!authority_may(0xff, &w, &also));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole_table),
		cmocka_unit_test(test_conditions),
		cmocka_unit_test(test_nobody_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
