/* The only hash: keyed BLAKE2b with a label, and all that is made with it. */
#ifndef SC_VAULT_KDF_H
#define SC_VAULT_KDF_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "vault/identity.h"

#define KDF_KEY_BYTES 32	/* roots, member, channel, body keys, D, T */
#define KDF_CODE_BYTES 15
#define KDF_PASS_SALT_BYTES 16
#define KDF_ROOTCK_BYTES 12

/* Every label there is.  The first nine are the protocol's, the others never
 * leave this machine. */
enum kdf_label {
	KDF_MEMBER,
	KDF_CHANNEL,
	KDF_MESSAGE,
	KDF_SALT,
	KDF_CODE,
	KDF_CHECK,
	KDF_ROOTCK,
	KDF_WITNESS,
	KDF_PROOF,
	KDF_ROW,	/* a row of the store, sealed under the local key */
	KDF_DIGEST,	/* registers, patients: keyed digests for the store */
	KDF_LABELS
};

/*
 * kdf(out, n, key, label, data):
 * The one function of PROTOCOL 2.1; ${n} is 1..64.  ${key} NULL stands for 32
 * zero octets.  ${out} is the caller's, and a secret: wipe it.
 */
void kdf(uint8_t *out, size_t n, const uint8_t *key, enum kdf_label label,
    struct bytes data);

/* kdf_label_name(label): "sceau1.member"; for tests and vectors. */
const char *kdf_label_name(enum kdf_label label);

/* K(j,Y): the key of a member (PROTOCOL 2.3). */
void kdf_member(uint8_t out[KDF_KEY_BYTES], const uint8_t root[KDF_KEY_BYTES],
    uint16_t year, const struct identity *id);
/* C(i->j,Y) from the recipient's K(j,Y) and the sender's identity. */
void kdf_channel(uint8_t out[KDF_KEY_BYTES],
    const uint8_t member[KDF_KEY_BYTES], const struct identity *from);
/* T || P of a header H: T is public, P the key of the body. */
void kdf_message(uint8_t tag[KDF_KEY_BYTES], uint8_t body[KDF_KEY_BYTES],
    const uint8_t channel[KDF_KEY_BYTES], struct bytes h);
/*
 * The hedged salt, of 32 random octets ${rnd} and ${hash} = BLAKE2b-256(P0 ||
 * D).  ${hedge} is C, or NULL for passphrase envelopes.
 */
void kdf_salt(uint8_t out[KDF_KEY_BYTES], const uint8_t *hedge,
    const uint8_t rnd[KDF_KEY_BYTES], const uint8_t hash[KDF_KEY_BYTES]);
/* The key of a first key file, from the code on paper and the file's year. */
void kdf_code(uint8_t out[KDF_KEY_BYTES], uint16_t year,
    const uint8_t code[KDF_CODE_BYTES]);
/* The same of a renewal: ${old} is K(j,Y-1), ${year} is Y (2.19.27). */
void kdf_renewal(uint8_t out[KDF_KEY_BYTES], const uint8_t old[KDF_KEY_BYTES],
    uint16_t year, const uint8_t code[KDF_CODE_BYTES]);
/*
 * Argon2id v1.3 at ${level} 1..3, which takes 64 MiB, 256 MiB or 1 GiB.
 * RC_OK; RC_NOMEM; any other level is a bug of the caller.
 */
enum rc kdf_pass(uint8_t out[KDF_KEY_BYTES], int level, struct bytes pass,
    const uint8_t salt[KDF_PASS_SALT_BYTES], struct err *e);
/* A(i,Y), which the association may archive: it opens nothing. */
void kdf_witness(uint8_t out[KDF_KEY_BYTES],
    const uint8_t member[KDF_KEY_BYTES]);
/* The value of WITNESS: ${at} is META's time, ${to} the identity in the
 * header or, with ROUTE, the routed name (2.19.6). */
void kdf_proof(uint8_t out[KDF_KEY_BYTES],
    const uint8_t witness[KDF_KEY_BYTES], int64_t at, struct bytes to,
    const uint8_t digest[KDF_KEY_BYTES]);
/* The check symbol of a code, 0..31. */
uint8_t kdf_check(const uint8_t code[KDF_CODE_BYTES]);
/* The check of a yearly root, the same in each of its parts. */
void kdf_rootck(uint8_t out[KDF_ROOTCK_BYTES],
    const uint8_t root[KDF_KEY_BYTES]);

/*
 * Unkeyed BLAKE2b-256 of octets as they come: D, and what `b2sum -l 256`
 * prints.  Where it was initialised it stays: never copied or moved.
 */
struct kdf_hash {
	uint8_t	room[384 + 64];
};
void kdf_hash_init(struct kdf_hash *h);
void kdf_hash_add(struct kdf_hash *h, const void *p, size_t len);
void kdf_hash_end(struct kdf_hash *h, uint8_t out[KDF_KEY_BYTES]);
void kdf_hash_of(const void *p, size_t len, uint8_t out[KDF_KEY_BYTES]);

#endif
