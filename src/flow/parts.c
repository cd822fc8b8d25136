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

void
part_load(const struct pass *p, enum part part, unsigned index)
{
	struct err ignored = ERR_INIT;

	if (part == PART_FETCH && index < p->conf->naccounts)
		(void)source_load(&p->conf->accounts[index], &ignored);
}
