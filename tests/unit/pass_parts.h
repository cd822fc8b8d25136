/* The parts of a pass in a unit program, for pass_unit.h: as flow/parts.c,
 * which is the programs', without a sandbox. */
#ifndef SC_TESTS_PASS_PARTS_H
#define SC_TESTS_PASS_PARTS_H

#include "wire/source.h"

enum rc
part_main(const struct pass *p, enum part part, unsigned index,
    struct pass_ends *x, struct err *e)
{
	shim_quiet();	/* of the starter */
	trouble_arm(part);
	switch (part) {
	case PART_KEEPER:
		return keeper_main(p, x, e);
	case PART_VAULT:
		return vault_main(p, x, e);
	case PART_FETCH:
		return fetch_main(p, index, x, e);
	case PART_RELAY:
		return relay_main(p, index, x, e);
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
	return part == PART_FETCH && index < p->conf->naccounts ?
	    source_load(&p->conf->accounts[index], e) : RC_OK;
}

/* In place of libbase's. */
enum rc
sandbox_enter(enum sandbox_role role, const struct sandbox_path *paths,
    struct err *e)
{
	(void)role;
	(void)paths;
	(void)e;
	return RC_OK;
}

_Noreturn void
sandbox_leave(int code)
{
	_exit(code);
}

#endif
