/* The year's key files and letters, one pair a member. */
#ifndef SC_ISSUER_BATCH_H
#define SC_ISSUER_BATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "issuer/desk.h"
#include "issuer/letter.h"

#define BATCH_YEARS_MAX MEMBER_MARKS

/* Who gets a pair.  Never the issuer, and nobody who has left. */
enum batch_whom {
	BATCH_ALL,
	BATCH_ONE,	/* plan->one, the others' files are left alone */
	BATCH_TABLE,	/* of the table just taken, who has no key yet */
	BATCH_RENEW	/* who has none yet, under that of the last year */
};

struct batch_plan {
	struct desk	*desk;	/* its register says the policy */
	enum batch_whom	 whom;
	const struct member *one;
	size_t		 nyears;
	uint16_t	 years[BATCH_YEARS_MAX];
	const char	*out;	/* folder, for keys/ and letters/; NULL: one
				 * called by the year, in the desk's */
	bool		 english;	/* letters; else French */
	bool		 really;	/* false: only tell */
};

/* One member, done.  Texts are lent. */
struct batch_done {
	const struct member *member;
	uint16_t	 year;
	bool		 renewal;	/* under his key of the year before */
	const char	*key_path;
	const char	*letter_path;
	char		 digits[LETTER_DIGITS_BYTES];	/* of the key file */
	struct desk_dates dates;
	bool		 made;		/* false: its letter was there */
	uint64_t	 bytes;		/* of the key file; 0 unless made */
	size_t		 grants;	/* the keys of its ring */
	size_t		 entries;
	size_t		 at, of;	/* the how manyth of how many */
	bool		 more;		/* others were written with it, and
					 * are told next */
};

typedef enum rc batch_each(void *ctx, const struct batch_done *d,
    struct err *e);

/*
 * batch_run(plan, each, ctx, e):
 * For each year, and each member whom ${plan->whom} says: a fresh code, a key
 * file sealed under it in ${out}/keys, the letter with it in ${out}/letters,
 * both 0600 and wholly there or not at all.  A member whose letter is there is
 * passed over, so that a batch that was cut off goes on where it stood; a key
 * file without a letter is made again.  Then all letters that are there are
 * put into documents to be printed, with a counterfoil: see issuer/sheets.
 * Codes are kept nowhere else.  Pairs get their names by the hundred, see
 * issuer/group; ${each} hears of a pair once it is there for good.  Rings are
 * derived as they are written: 64 octets of secrets a member are held, never a
 * ring.
 *
 * BATCH_RENEW: a member who has a key of the year before gets a file that
 * opens with that key and the new code; the others, and all when the root of
 * the year before was destroyed, a first one.
 *
 * The register learns who has a key now (member_told()) and is saved as it
 * goes; for BATCH_ONE once, when all of his are made.
 *
 * ${plan->really}: the root of each year of which a pair is made is in memory,
 * and that of the year before of which one is renewed: see desk_join().
 *
 * RC_OK; RC_CONF: no root, or no more sense in that year, no hub though the
 * policy needs one; RC_TEMP: files; RC_NOMEM; what ${each} returned.
 * Source: PROTOCOL 2.7, 2.8, 2.19.4, 2.19.26, 2.19.27, 2.19.34.
 */
enum rc batch_run(const struct batch_plan *plan, batch_each *each, void *ctx,
    struct err *e);

/* batch_check(plan, e): would it begin?  RC_OK, or RC_CONF as above. */
enum rc batch_check(const struct batch_plan *plan, struct err *e);

/* batch_years(d, years): those of the desk with whose keys one can write, now
 * or when they begin; how many. */
size_t batch_years(const struct desk *d, uint16_t years[BATCH_YEARS_MAX]);

#endif
