/* The parts of a pass, by their numbers. */
#include "config.h"

#include "flow/pass.h"
#include "wire/source.h"

enum rc
part_main(const struct pass *p, enum part part, unsigned index,
    struct pass_ends *x, struct err *e)
{
	switch (part) {
	case PART_KEEPER:
		return keeper_main(p, x, e);
	case PART_FETCH:
		return fetch_main(p, index, x, e);
	case PART_RELAY:
		return relay_main(p, index, x, e);
	case PART_VAULT:
		return vault_main(p, x, e);
	case PART_CLERK:
		return clerk_main(p, x, e);
	case PART_N:
		break;
	}
	return err_set(e, RC_TEMP, "part");
}

enum rc
part_load(const struct pass *p, enum part part, unsigned index, struct err *e)
{
	struct err why = ERR_INIT;
	bool shared = p->stay || pass_naccounts(p) > 1;
	enum rc rc = part == PART_FETCH && index < pass_naccounts(p) &&
	    shared ? source_load(pass_account(p, index), &why) : RC_OK;

	return rc == RC_NOMEM ? err_set(e, rc, "%s", why.text) : RC_OK;
}
