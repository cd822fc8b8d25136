/* Key files: what the association hands to a member, once a year. */
#ifndef SC_VAULT_KEYFILE_H
#define SC_VAULT_KEYFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "vault/envelope.h"
#include "vault/identity.h"
#include "vault/kdf.h"
#include "vault/keystore.h"
#include "vault/record.h"

/* ---- writing (the issuer) ---------------------------------------------- */

struct keyfile_plan {
	enum env_source	 source;	/* ENV_CODE, or ENV_OLD_CODE: renewal */
	struct identity	 issuer;	/* the sender */
	int64_t		 at;		/* META time */
	uint32_t	 bulletin;	/* the last sent; 0: none */
	struct rec_self	 self;		/* the member and the year */
	const uint8_t	*key;		/* kdf_code() or kdf_renewal() */
	const struct rec_role *roles;	/* the issuer's among them */
	size_t		 nroles;
	/* The ${i}-th GRANT, ENTRY or BAR, GRANTs first; false: no more.  Asked
	 * twice for each, from 0 on: the same both times; once, when all fit
	 * into ${kept}.  What ${r} points to is borrowed until the next call.
	 */
	bool		(*next)(void *ctx, size_t i, struct rec *r);
	void		*ctx;
	uint8_t		*kept;		/* as sealed_plan has it */
	size_t		 kept_max;
	const uint8_t	*rnd;		/* 32 octets; NULL: random */
};

/*
 * keyfile_write(plan, out, e):
 * Seal one key file; memory does not grow with the ring.  RC_OK; RC_INPUT: an
 * ENTRY's route or display name; EC_TOOBIG above 64 MiB; what the sink
 * returned; RC_NOMEM.  Source: PROTOCOL 2.7.
 */
enum rc keyfile_write(const struct keyfile_plan *plan, struct env_sink out,
    struct err *e);

/* ---- reading (the member) ---------------------------------------------- */

#define KEYFILE_DIGITS 8	/* of the file's BLAKE2b-256, on the letter */

/* What anybody can see of a key file; hints. */
struct keyfile_head {
	bool		 renewal;	/* last year's key is needed */
	bool		 exported;	/* a key store under a passphrase */
	char		 digits[KEYFILE_DIGITS + 1];
	uint16_t	 year;
	struct identity	 issuer;
	struct identity	 member;
};

/*
 * keyfile_peek(path, out, e):
 * Read the whole file, open nothing.  RC_OK; RC_CONF: cannot be read; RC_INPUT,
 * with what it is instead (a web page, a mail, a machine's store...) and what
 * to do: EC_FORMAT, EC_VERSION; EC_TRUNCATED: of a size that no whole one has.
 * Source: PROTOCOL 2.4, 2.7, 2.19.8.
 */
enum rc keyfile_peek(const char *path, struct keyfile_head *out,
    struct err *e);

/* What is held now, and until when. */
struct keyfile_result {
	struct identity	 self;
	uint16_t	 year;
	int64_t		 from_at;
	int64_t		 send_until_at;
	int64_t		 read_until_at;
	struct identity	 issuer;
	bool		 renewal;
	bool		 first;		/* nothing was held before */
	bool		 again;		/* it was held: added the rest */
	size_t		 nkeys;		/* added to the ring */
	size_t		 nheld;		/* were there already */
	size_t		 nconflicts;	/* differed: the held ones were kept */
	struct identity	 conflict;	/* the first of them */
	size_t		 nentries;
	size_t		 nbars;
	uint8_t		 own_min;	/* my own name is barred below; 0: no */
};

/*
 * keyfile_import(ks, path, code, res, e):
 * Open the key file at ${path} with the code from the letter (borrowed) and,
 * for a renewal, a key held in ${ks}; take in what it holds.  Keys already
 * held are never replaced by others.
 *
 * RC_OK: save ${ks}.  Anything else: free ${ks} unsaved, it may be half
 * changed.  RC_CONF: cannot be read; RC_INPUT with
 *   EC_FORMAT     not a key file, or not SELF's year and identity
 *   EC_HEADER     wrong code, or a damaged file: the letter's digits tell
 *		    which (keyfile_peek())
 *   EC_NOKEY      a renewal, and the key it builds on is not here
 *   EC_AUTHORITY  not by the issuer we know, or another key is held for that
 *                 identity and year
 *   EC_BARRED     it is of a generation that has been replaced
 *   EC_BODY, EC_TRUNCATED, EC_RECORD  damaged
 * Source: PROTOCOL 2.3, 2.7, 2.19.4, 2.19.21, 2.19.27.
 */
enum rc keyfile_import(struct keystore *ks, const char *path,
    const uint8_t code[KDF_CODE_BYTES], struct keyfile_result *res,
    struct err *e);

#endif
