/* The issuer's desk: a folder on a machine that is not on any network. */
#ifndef SC_ISSUER_DESK_H
#define SC_ISSUER_DESK_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/secret.h"
#include "issuer/members.h"
#include "vault/identity.h"
#include "vault/kdf.h"

/*
 * In the folder (0700):
 *   register       who belongs to the association (0600)
 *   acts           its journal: see issuer/acts.h (0600)
 *   issuer.store   the roots of the years, sealed (0600)
 *   issuer.key     what opens it (0400), unless a passphrase does
 */
#define DESK_YEARS_MAX 8

/* A desk that is open, and locked against a second one. */
struct desk {
	struct members	*members;
	struct identity	 issuer;
	size_t		 nyears;
	uint16_t	 years[DESK_YEARS_MAX];	/* in rising order */
	/* Its own. */
	char		*dir;
	int		 lock;
	uint8_t		*roots;		/* secret memory */
};

struct desk_plan {
	const char	*dir;
	const char	*assoc;
	const char	*domain;	/* of the desks not named below */
	uint16_t	 year;
	const char	*issuer;	/* local@domain, or NULL */
	const char	*watch;		/* the same */
	const char	*hub;		/* NULL: none */
	const char	*hub_route;
	const char	*call;		/* whom to call, for letters; NULL */
	const struct secret *pass;	/* NULL: a machine key file */
};

/*
 * desk_init(plan, really, e):
 * Make the folder, which must be empty or not there, a fresh root for the
 * year, and the register with its desks.  ${really} false: only look.  RC_OK;
 * RC_CONF or RC_INPUT: what is wrong with the plan; RC_TEMP; RC_NOMEM.
 * Source: PROTOCOL 2.3, 2.8.
 */
enum rc desk_init(const struct desk_plan *plan, bool really, struct err *e);

/*
 * desk_open(dir, pass, d, e):
 * RC_OK, ${*d} owned; RC_CONF: not a desk, readable by others, wrong
 * passphrase, damaged, or somebody else is at it; RC_TEMP; RC_NOMEM.
 */
enum rc desk_open(const char *dir, const struct secret *pass,
    struct desk **d, struct err *e);
void desk_close(struct desk **d);

/* desk_save(d, e): the register, as it is now. */
enum rc desk_save(const struct desk *d, struct err *e);

/* desk_path(dir, name, out, e): a file in the folder ${dir}; RC_CONF. */
enum rc desk_path(const char *dir, const char *name, char out[PATH_MAX],
    struct err *e);

/* desk_root(d, year): lent; NULL: no root of that year is here. */
const uint8_t *desk_root(const struct desk *d, uint16_t year);

/* The life of a year's keys (2.19.26): ends excluded, midnight UTC. */
struct desk_dates {
	int64_t	from_at;
	int64_t	send_until_at;
	int64_t	read_until_at;
};
struct desk_dates desk_dates(uint16_t year, int64_t issued_at);

#endif
