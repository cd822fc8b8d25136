/* A small association for tests: its root, its members, their key stores. */
#ifndef SC_TESTS_ASSOC_H
#define SC_TESTS_ASSOC_H

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/secret.h"
#include "vault/identity.h"
#include "vault/kdf.h"
#include "vault/keystore.h"
#include "vault/record.h"

#define A_ISSUER "demo/association@demo.example#1"
#define A_WATCH "demo/veille@demo.example#1"
#define A_HUB "demo/passerelle@demo.example#1"
#define A_LABO "demo/labo.central@labo.example#1"
#define A_MARTIN "demo/dr.martin@cabinet.example#1"
#define A_DURAND "demo/cabinet.durand@durand.example#1"
#define A_PETIT "demo/infirmiere.petit@petit.example#1"
#define A_YEAR 2026

struct assoc_member {
	const char	*id;
	const char	*show;
	enum rec_entry_flag flag;
	bool		 by_hub;	/* only the desks hold a key for him */
};

static const struct assoc_member assoc_members[] = {
	{ A_ISSUER, "Association de d\xc3\xa9monstration", REC_ENTRY_DESK,
	    false },
	{ A_WATCH, "Veille", REC_ENTRY_DESK, false },
	{ A_HUB, "Passerelle", REC_ENTRY_DESK, false },
	{ A_LABO, "Laboratoire central", REC_ENTRY_LABORATORY, false },
	{ A_MARTIN, "Dr Martin", REC_ENTRY_PRACTICE, false },
	{ A_DURAND, "Cabinet Durand", REC_ENTRY_PRACTICE, false },
	{ A_PETIT, "Mme Petit, infirmi\xc3\xa8re", REC_ENTRY_OTHER, true },
};
#define ASSOC_N (sizeof(assoc_members) / sizeof(assoc_members[0]))

static inline struct identity
assoc_id(const char *s)
{
	struct identity id;

	BUG_ON(!identity_parse(s, strlen(s), &id));
	return id;
}

/* The root of PROTOCOL 2.18 for 2026; another for each other year. */
static inline void
assoc_root(uint16_t year, uint8_t root[KDF_KEY_BYTES])
{
	for (size_t i = 0; i < KDF_KEY_BYTES; i++)
		root[i] = (uint8_t)(i + 7U * (year - A_YEAR));
}

/* K(id, year) and C(from -> to, year). */
static inline void
assoc_member_key(const char *id, uint16_t year, uint8_t out[KDF_KEY_BYTES])
{
	const struct identity who = assoc_id(id);
	uint8_t root[KDF_KEY_BYTES];

	assoc_root(year, root);
	kdf_member(out, root, year, &who);
}

static inline void
assoc_channel(const char *from, const char *to, uint16_t year,
    uint8_t out[KDF_KEY_BYTES])
{
	const struct identity who = assoc_id(from);
	uint8_t member[KDF_KEY_BYTES];

	assoc_member_key(to, year, member);
	kdf_channel(out, member, &who);
	wipe(member, sizeof(member));
}

/* Add an own identity and year, with the three roles; its index. */
static inline size_t
assoc_self(struct keystore *ks, const char *me, uint16_t year)
{
	struct err e = ERR_INIT;
	uint8_t key[KDF_KEY_BYTES];
	const struct rec_self self = { year, 0, CLOCK_FOREVER, CLOCK_FOREVER,
	    key, assoc_id(me) };
	const struct rec_role roles[] = {
		{ REC_ROLE_ISSUER, assoc_id(A_ISSUER) },
		{ REC_ROLE_WATCH, assoc_id(A_WATCH) },
		{ REC_ROLE_HUB, assoc_id(A_HUB) },
	};
	size_t i;

	assoc_member_key(me, year, key);
	BUG_ON(keystore_add_self(ks, &self, &i, &e) != RC_OK);
	wipe(key, sizeof(key));
	for (size_t r = 0; r < 3; r++)
		BUG_ON(keystore_add_role(ks, i, &roles[r], &e) != RC_OK);
	return i;
}

/* The key for writing to ${peer} into the ring of selves[i]. */
static inline void
assoc_grant(struct keystore *ks, size_t i, const char *peer)
{
	const struct identity to = assoc_id(peer);
	struct err e = ERR_INIT;
	uint8_t key[KDF_KEY_BYTES];
	enum ring_add how;

	assoc_channel(ks->selves[i].id.s, peer, ks->selves[i].year, key);
	BUG_ON(ring_add(ks->ring, (uint16_t)i, &to, key, &how, &e) != RC_OK);
	wipe(key, sizeof(key));
}

static inline void
assoc_entry(struct keystore *ks, const struct assoc_member *m)
{
	const struct identity id = assoc_id(m->id);
	struct err e = ERR_INIT;

	BUG_ON(ring_enter(ks->ring, (uint8_t)m->flag, 0, &id,
	    identity_address(&id), (struct bytes){
	    (const uint8_t *)m->show, strlen(m->show) }, &e) != RC_OK);
}

/* Desks write to everybody and everybody to them (2.19.34). */
static inline bool
assoc_direct(const struct assoc_member *a, const struct assoc_member *b)
{
	return a->flag == REC_ENTRY_DESK || b->flag == REC_ENTRY_DESK ||
	    (!a->by_hub && !b->by_hub);
}

static inline const struct assoc_member *
assoc_find(const struct identity *name)
{
	for (size_t m = 0; m < ASSOC_N; m++) {
		const struct identity id = assoc_id(assoc_members[m].id);

		if (identity_same_name(&id, name))
			return &assoc_members[m];
	}
	return &assoc_members[3];
}

/* Whom I may write to, into the ring of selves[i]; all into the directory. */
static inline void
assoc_full(struct keystore *ks, size_t i)
{
	const struct assoc_member *me = assoc_find(&ks->selves[i].id);

	for (size_t m = 0; m < ASSOC_N; m++) {
		const struct identity id = assoc_id(assoc_members[m].id);

		if (!identity_same_name(&id, &ks->selves[i].id) &&
		    assoc_direct(me, &assoc_members[m]))
			assoc_grant(ks, i, assoc_members[m].id);
		assoc_entry(ks, &assoc_members[m]);
	}
}

/* A store with one self and a full ring, never restored. */
static inline struct keystore *
assoc_store(const char *me, uint16_t year)
{
	struct err e = ERR_INIT;
	struct keystore *ks;

	BUG_ON(keystore_new(0, &ks, &e) != RC_OK);
	assoc_full(ks, assoc_self(ks, me, year));
	return ks;
}

#endif
