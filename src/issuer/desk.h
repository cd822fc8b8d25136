/* The issuer's desk: a folder on a machine that is not on any network. */
#ifndef SC_ISSUER_DESK_H
#define SC_ISSUER_DESK_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/secret.h"
#include "issuer/custody.h"
#include "issuer/members.h"
#include "vault/identity.h"
#include "vault/kdf.h"

/*
 * In the folder (0700):
 *   register       who belongs to the association (0600)
 *   acts           its journal: see issuer/acts.h (0600)
 *   years          a check of each year's root (0600)
 *   witness.YEAR   of a root that was destroyed: issuer/witness.h (0600)
 *   reissuing      what was cut off: see issuer/begun.h (0600)
 * The root itself is on no disk: two of three custodians bring it, in parts,
 * for each act that needs it (PROTOCOL 2.17).
 */
#define DESK_YEARS_MAX 8

/* A desk that is open, and locked against a second one. */
struct desk {
	struct members	*members;
	struct identity	 issuer;
	size_t		 nyears;
	uint16_t	 years[DESK_YEARS_MAX];	/* in rising order */
	char		*dir;
	/* Its own. */
	int		 lock;
	uint8_t		 checks[DESK_YEARS_MAX][KDF_ROOTCK_BYTES];
	bool		 joined[DESK_YEARS_MAX];
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
	const char	*sheets;	/* folder for the custodians' sheets;
					 * NULL: "custodians" in the desk's */
	bool		 english;	/* sheets; else French */
};

/*
 * desk_init(plan, really, e):
 * Make the folder, which must be empty or not there, a fresh root for the
 * year, of which only the sheets of the custodians remain, and the register
 * with its desks.  ${really} false: only look.  RC_OK; RC_CONF or RC_INPUT:
 * what is wrong with the plan; RC_TEMP; RC_NOMEM.
 * Source: PROTOCOL 2.3, 2.8, 2.17.
 */
enum rc desk_init(const struct desk_plan *plan, bool really, struct err *e);

/*
 * desk_open(dir, d, e):
 * RC_OK, ${*d} owned, without any root; RC_CONF: not a desk, readable by
 * others, damaged, or somebody else is at it; RC_TEMP; RC_NOMEM.
 */
enum rc desk_open(const char *dir, struct desk **d, struct err *e);
/* Roots that were joined are wiped. */
void desk_close(struct desk **d);

/* desk_save(d, e): the register, as it is now. */
enum rc desk_save(const struct desk *d, struct err *e);

/* desk_path(dir, name, out, e): a file in the folder ${dir}; RC_CONF. */
enum rc desk_path(const char *dir, const char *name, char out[PATH_MAX],
    struct err *e);

/* ---- the roots of the years --------------------------------------------- */

/* desk_knows(d, year): a root of that year was made here. */
bool desk_knows(const struct desk *d, uint16_t year);

/* desk_root(d, year): lent; NULL: no root of that year is in memory. */
const uint8_t *desk_root(const struct desk *d, uint16_t year);

/*
 * desk_join(d, year, c, n, e):
 * Put the root of the year together from what ${n} custodians brought
 * (borrowed), and keep it in secret memory until desk_close().  Sheets of
 * other years of this desk are passed over, as long as two are left.
 *
 * RC_OK; RC_INPUT: only one custodian is there, another year, another
 * association, or codes that were misread; RC_CONF: no such year; RC_NOMEM.
 * Source: PROTOCOL 2.17, 2.19 "Root parts".
 */
enum rc desk_join(struct desk *d, uint16_t year, const struct custody *c,
    size_t n, struct err *e);

/*
 * desk_year_make(d, year, sheets, english, e):
 * A fresh root for a year after all others, in secret memory until
 * desk_close(), and on three sheets in the folder ${sheets} (0600,
 * custodian-N.YEAR.txt; none that is there is replaced).  RC_OK: desk_root()
 * has it; RC_CONF: that folder, or too many years; RC_TEMP; RC_NOMEM.
 */
enum rc desk_year_make(struct desk *d, uint16_t year, const char *sheets,
    bool english, struct err *e);

/*
 * desk_sheets_make(d, year, sheets, english, e):
 * Three new sheets, as by desk_year_make(), of a root that desk_root() has: it
 * is split anew, so that an old sheet and a new one together are nothing.  Two
 * old ones are the root as before.  RC_OK; RC_CONF: that folder, or a sheet
 * that is there; RC_TEMP; RC_NOMEM.
 */
enum rc desk_sheets_make(const struct desk *d, uint16_t year,
    const char *sheets, bool english, struct err *e);
/* desk_sheets_free(year, sheets, e): no sheet of that year lies there.
 * RC_CONF. */
enum rc desk_sheets_free(uint16_t year, const char *sheets, struct err *e);

/*
 * desk_year_check(d, year, e):
 * May desk_year_make() make a root for ${year}, of which there is none?  RC_OK;
 * RC_CONF: its root was destroyed; a year that is over, or before 15 November
 * of the year before, or too many years.  Source: PROTOCOL 2.8.
 */
enum rc desk_year_check(const struct desk *d, uint16_t year, struct err *e);
/* desk_year_assume(d, year): once that said yes, and only to look what would
 * be: as if there were one. */
void desk_year_assume(struct desk *d, uint16_t year);
/* desk_year_forget(d, year, e): neither root nor check of it, on disk and in
 * memory.  RC_OK; RC_CONF: no such year; RC_TEMP; RC_NOMEM. */
enum rc desk_year_forget(struct desk *d, uint16_t year, struct err *e);

/* ---- for the files of the desk alone ------------------------------------ */

/* desk_new(dir, d, e): empty, nothing read, not locked; owned. */
enum rc desk_new(const char *dir, struct desk **d, struct err *e);
enum rc desk_lock(struct desk *d, struct err *e);
enum rc desk_years_read(struct desk *d, struct err *e);

/* The life of a year's keys (2.19.26): ends excluded, midnight UTC. */
struct desk_dates {
	int64_t	from_at;
	int64_t	send_until_at;
	int64_t	read_until_at;
};
struct desk_dates desk_dates(uint16_t year, int64_t issued_at);

#endif
