/* The local store: everything secret that one gateway holds. */
#ifndef SC_VAULT_KEYSTORE_H
#define SC_VAULT_KEYSTORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/secret.h"
#include "vault/identity.h"
#include "vault/kdf.h"
#include "vault/record.h"
#include "vault/ring.h"

#define KEYSTORE_SELVES_MAX 64	/* own identities times years */
#define KEYSTORE_ROLES_MAX 8	/* per identity and year */
#define KEYSTORE_DEMO "demo"	/* the association of the examples */

struct keystore_role {
	enum rec_role_kind kind;
	struct identity	 id;
};

/* One own identity in one year; its key is keystore_key(). */
struct keystore_self {
	struct identity	 id;
	uint16_t	 year;
	int64_t		 from_at;
	int64_t		 send_until_at;
	int64_t		 read_until_at;
	size_t		 nroles;
	struct keystore_role roles[KEYSTORE_ROLES_MAX];
};

/*
 * Fields may be read; they change by the calls below.  ${ring} counts selves
 * by their index here.
 */
struct keystore {
	size_t		 nselves;
	struct keystore_self selves[KEYSTORE_SELVES_MAX];
	struct ring	*ring;
	int64_t		 since_at;	/* when this store began (D4) */
	bool		 demo;		/* of the association `demo` */
	bool		 has_previous;
	bool		 half_rolled;	/* read from where a roll left it */
	struct keystore_secret *secret;	/* our own */
};

/* Where a store lies and what opens it: all borrowed. */
struct keystore_at {
	const char	*store;
	const char	*key;		/* file of 32 octets; or NULL and */
	const struct secret *pass;	/* a passphrase */
};

/* keystore_new(now, ks, e): nothing in it yet but fresh keys of its own (local,
 * of digests); owned. */
enum rc keystore_new(int64_t now, struct keystore **ks, struct err *e);
void keystore_free(struct keystore **ks);

/*
 * keystore_load(at, ks, e):
 * RC_OK; RC_CONF: not there, readable by others (unless of the association
 * `demo`), a key of another size, wrong key or passphrase, or damaged; RC_TEMP:
 * reading failed; RC_NOMEM.  Without a lock: what keystore_roll() is at, or
 * was when it died, is read as well, and left as it is.
 * Source: PROTOCOL 2.7.
 */
enum rc keystore_load(const struct keystore_at *at, struct keystore **ks,
    struct err *e);

/* keystore_lock(at, fd, e): wait for whoever loads, changes and saves that
 * store; closing ${*fd} ends it.  RC_TEMP. */
enum rc keystore_lock(const struct keystore_at *at, int *fd, struct err *e);

/*
 * keystore_save(ks, at, e):
 * Write it whole, or leave the file as it was.  A key file that is not there
 * is made, mode 0400; what a roll left is removed.  RC_OK; RC_CONF; RC_TEMP;
 * RC_NOMEM.  There must be at least one self.
 */
enum rc keystore_save(const struct keystore *ks, const struct keystore_at *at,
    struct err *e);

/*
 * keystore_export(ks, pass, path, e):
 * The whole store into a new file ${path}, mode 0600, under a passphrase
 * (source 12).  keystore_load() with that passphrase reads it, whoever may
 * read the file; its failures are then RC_INPUT: EC_HEADER, wrong passphrase;
 * others, damaged.  RC_CONF: ${path} is there already; RC_TEMP; RC_NOMEM.
 * Source: PROTOCOL 2.7, 2.6.
 */
enum rc keystore_export(const struct keystore *ks, const struct secret *pass,
    const char *path, struct err *e);

/* keystore_save_fixed(): the same with a given salt randomness and machine
 * key, which is written too: for the demonstration's fixed files. */
enum rc keystore_save_fixed(const struct keystore *ks,
    const struct keystore_at *at, const uint8_t key[KDF_KEY_BYTES],
    const uint8_t rnd[KDF_KEY_BYTES], struct err *e);

/*
 * keystore_roll(ks, at, e):
 * Save under a new machine key (with ${at->key}; a passphrase has a new salt
 * anyway), so that nothing left on the disk opens what was erased (P7).
 */
enum rc keystore_roll(struct keystore *ks, const struct keystore_at *at,
    struct err *e);

/* keystore_key(ks, i): K of selves[i], lent. */
const uint8_t *keystore_key(const struct keystore *ks, size_t i);
/* keystore_local(ks), keystore_previous(ks): the key from which rows have
 * theirs; the one before the last erasure, or NULL. */
const uint8_t *keystore_local(const struct keystore *ks);
const uint8_t *keystore_previous(const struct keystore *ks);
/* keystore_drop_previous(ks): every row is renewed. */
void keystore_drop_previous(struct keystore *ks);
/* keystore_digest(ks): the key of digests in registers.  It stays when a year
 * is erased, for nothing can make a digest anew: its text is kept nowhere. */
const uint8_t *keystore_digest(const struct keystore *ks);
/* keystore_fix(ks, local, digest): given ones: demonstration only. */
void keystore_fix(struct keystore *ks, const uint8_t local[KDF_KEY_BYTES],
    const uint8_t digest[KDF_KEY_BYTES]);

/* keystore_find(ks, id, year): index of that self, or -1. */
int keystore_find(const struct keystore *ks, const struct identity *id,
    uint16_t year);
/* keystore_top(ks, name): my highest generation of a name; 0: not mine. */
uint8_t keystore_top(const struct keystore *ks, const struct identity *name);
/* keystore_years(ks, name, low, high): of that name; false: not mine. */
bool keystore_years(const struct keystore *ks, const struct identity *name,
    uint16_t *low, uint16_t *high);
/* keystore_role(ks, i, name): the roles of a name in selves[i], as a set of
 * 1 << enum rec_role_kind; they belong to names (2.19.4). */
unsigned keystore_role(const struct keystore *ks, size_t i,
    const struct identity *name);
/* keystore_holder(ks, i, kind): the identity with that role, or NULL. */
const struct identity *keystore_holder(const struct keystore *ks, size_t i,
    enum rec_role_kind kind);

/*
 * keystore_add_self(ks, self, index, e):
 * RC_OK, also when it was there already; RC_INPUT with EC_AUTHORITY: another
 * key is held for that identity and year, and stays; EC_TOOBIG.
 * keystore_add_role(ks, i, role, e): likewise; held twice is once.
 */
enum rc keystore_add_self(struct keystore *ks, const struct rec_self *self,
    size_t *index, struct err *e);
enum rc keystore_add_role(struct keystore *ks, size_t i,
    const struct rec_role *role, struct err *e);

/*
 * keystore_merge(ks, from, e):
 * Add what another store of the same member holds; the local keys stay, and so
 * does every key held already.  What is over is not taken in again: a year
 * before ours past its read-until.  RC_INPUT with EC_AUTHORITY: no key of ours
 * is in both, or they hold different ones for one identity and year: free
 * ${ks} unsaved then.  EC_TOOBIG; RC_NOMEM.
 */
enum rc keystore_merge(struct keystore *ks, const struct keystore *from,
    struct err *e);

/* keystore_twins(ks, one, other, e): the first two holders of one and the same
 * key, which no issuer makes; lent; both NULL: there are none.  RC_NOMEM. */
enum rc keystore_twins(const struct keystore *ks, const char **one,
    const char **other, struct err *e);

/* keystore_over(ks, now): the lowest year of which every key is past its
 * read-until by a day, and a later year's is held for each; 0: none. */
uint16_t keystore_over(const struct keystore *ks, int64_t now);

/*
 * keystore_erase(ks, year, e):
 * Forget every key of a year, and begin a new local key (rows are then renewed
 * one by one: the former is kept until keystore_drop_previous()).  The caller
 * has judged that it is time (2.19.10) and rolls.  RC_OK; RC_NOMEM: ${ks} is
 * unchanged; RC_CONF: it is the only year.
 */
enum rc keystore_erase(struct keystore *ks, uint16_t year, struct err *e);

#endif
