/* Which processes of a pass this program can be: as cmd/table.c. */
#include "config.h"

#include "flow/pass.h"

enum rc
part_main(const struct pass *p, enum part part, unsigned index,
    struct pass_ends *x, struct err *e)
{
	switch (part) {
	case PART_KEEPER:
		return keeper_main(p, x, e);
	case PART_VAULT:
		return vault_main(p, x, e);
#ifndef SC_FRONT
	case PART_FETCH:
		return fetch_main(p, index, x, e);
	case PART_RELAY:
		return relay_main(p, index, x, e);
	case PART_CLERK:
		return clerk_main(p, x, e);
#else
	case PART_FETCH:
	case PART_RELAY:
	case PART_CLERK:
		(void)index;
		break;
#endif
	case PART_N:
		break;
	}
	return err_set(e, RC_TEMP, "part");
}
