#include "config.h"

#include <sodium.h>
#include <string.h>

#include "base/lang.h"
#include "base/secret.h"
#include "vault/kdf.h"

#define HASH_ALIGN 64
#define STACK_BYTES 4096	/* more than BLAKE2b and Argon2 take */
_Static_assert(sizeof(crypto_generichash_blake2b_state) + HASH_ALIGN <=
    sizeof(struct kdf_hash), "struct kdf_hash is too small");

/* BLAKE2b's "personal" takes 16 octets; what is not written is zero. */
static const char labels[KDF_LABELS][crypto_generichash_blake2b_PERSONALBYTES +
    1] = {
	[KDF_MEMBER] = "sceau1.member",
	[KDF_CHANNEL] = "sceau1.channel",
	[KDF_MESSAGE] = "sceau1.message",
	[KDF_SALT] = "sceau1.salt",
	[KDF_CODE] = "sceau1.code",
	[KDF_CHECK] = "sceau1.check",
	[KDF_ROOTCK] = "sceau1.rootck",
	[KDF_WITNESS] = "sceau1.witness",
	[KDF_PROOF] = "sceau1.proof",
	[KDF_ROW] = "sceau1.row",
	[KDF_DIGEST] = "sceau1.digest",
};

static const uint8_t zeros[KDF_KEY_BYTES];

void
kdf(uint8_t *out, size_t n, const uint8_t *key, enum kdf_label label,
    struct bytes data)
{
	static const uint8_t salt[crypto_generichash_blake2b_SALTBYTES];

	BUG_ON((unsigned)label >= KDF_LABELS);
	BUG_ON(crypto_generichash_blake2b_salt_personal(out, n, data.p,
	    data.len, key != NULL ? key : zeros, KDF_KEY_BYTES, salt,
	    (const unsigned char *)labels[label]) != 0);
	/* libsodium 1.0.18 leaves there what it gave out. */
	wipe_stack(STACK_BYTES);
}

const char *
kdf_label_name(enum kdf_label label)
{
	BUG_ON((unsigned)label >= KDF_LABELS);
	return labels[label];
}

void
kdf_member(uint8_t out[KDF_KEY_BYTES], const uint8_t root[KDF_KEY_BYTES],
    uint16_t year, const struct identity *id)
{
	uint8_t data[2 + IDENTITY_MAX_BYTES];

	BUG_ON(id->gen == 0);
	put_be16(data, year);
	memcpy(data + 2, id->s, id->len);
	kdf(out, KDF_KEY_BYTES, root, KDF_MEMBER,
	    (struct bytes){ data, 2 + (size_t)id->len });
}

void
kdf_channel(uint8_t out[KDF_KEY_BYTES], const uint8_t member[KDF_KEY_BYTES],
    const struct identity *from)
{
	BUG_ON(from->gen == 0);
	kdf(out, KDF_KEY_BYTES, member, KDF_CHANNEL, identity_bytes(from));
}

void
kdf_message(uint8_t tag[KDF_KEY_BYTES], uint8_t body[KDF_KEY_BYTES],
    const uint8_t channel[KDF_KEY_BYTES], struct bytes h)
{
	uint8_t both[2 * KDF_KEY_BYTES];

	kdf(both, sizeof(both), channel, KDF_MESSAGE, h);
	memcpy(tag, both, KDF_KEY_BYTES);
	memcpy(body, both + KDF_KEY_BYTES, KDF_KEY_BYTES);
	wipe(both, sizeof(both));
}

void
kdf_salt(uint8_t out[KDF_KEY_BYTES], const uint8_t *hedge,
    const uint8_t rnd[KDF_KEY_BYTES], const uint8_t hash[KDF_KEY_BYTES])
{
	uint8_t data[2 * KDF_KEY_BYTES];

	memcpy(data, rnd, KDF_KEY_BYTES);
	memcpy(data + KDF_KEY_BYTES, hash, KDF_KEY_BYTES);
	kdf(out, KDF_KEY_BYTES, hedge, KDF_SALT,
	    (struct bytes){ data, sizeof(data) });
	wipe(data, sizeof(data));
}

void
kdf_code(uint8_t out[KDF_KEY_BYTES], uint16_t year,
    const uint8_t code[KDF_CODE_BYTES])
{
	kdf_renewal(out, zeros, year, code);
}

void
kdf_renewal(uint8_t out[KDF_KEY_BYTES], const uint8_t old[KDF_KEY_BYTES],
    uint16_t year, const uint8_t code[KDF_CODE_BYTES])
{
	uint8_t data[2 + KDF_CODE_BYTES];

	put_be16(data, year);
	memcpy(data + 2, code, KDF_CODE_BYTES);
	kdf(out, KDF_KEY_BYTES, old, KDF_CODE,
	    (struct bytes){ data, sizeof(data) });
	wipe(data, sizeof(data));
}

enum rc
kdf_pass(uint8_t out[KDF_KEY_BYTES], int level, struct bytes pass,
    const uint8_t salt[KDF_PASS_SALT_BYTES], struct err *e)
{
	/* Only these three: no file may choose how much memory we take. */
	static const struct {
		unsigned long long	ops;
		size_t			mib;
	} levels[] = { { 2, 64 }, { 3, 256 }, { 4, 1024 } };

	_Static_assert(crypto_pwhash_argon2id_SALTBYTES ==
	    KDF_PASS_SALT_BYTES, "the salt of Argon2id");
	BUG_ON(level < 1 || level > 3);
	if (crypto_pwhash(out, KDF_KEY_BYTES, (const char *)pass.p, pass.len,
	    salt, levels[level - 1].ops, levels[level - 1].mib << 20,
	    crypto_pwhash_ALG_ARGON2ID13) != 0)
		return err_set(e, RC_NOMEM,
		    _("a passphrase of this level takes %zu MiB of memory"),
		    levels[level - 1].mib);
	wipe_stack(STACK_BYTES);
	return RC_OK;
}

void
kdf_witness(uint8_t out[KDF_KEY_BYTES], const uint8_t member[KDF_KEY_BYTES])
{
	kdf(out, KDF_KEY_BYTES, member, KDF_WITNESS,
	    (struct bytes){ NULL, 0 });
}

void
kdf_proof(uint8_t out[KDF_KEY_BYTES], const uint8_t witness[KDF_KEY_BYTES],
    int64_t at, struct bytes to, const uint8_t digest[KDF_KEY_BYTES])
{
	uint8_t data[8 + IDENTITY_MAX_BYTES + KDF_KEY_BYTES];

	BUG_ON(at < 0 || to.len > IDENTITY_MAX_BYTES);
	put_be64(data, (uint64_t)at);
	memcpy(data + 8, to.p, to.len);
	memcpy(data + 8 + to.len, digest, KDF_KEY_BYTES);
	kdf(out, KDF_KEY_BYTES, witness, KDF_PROOF,
	    (struct bytes){ data, 8 + to.len + KDF_KEY_BYTES });
}

uint8_t
kdf_check(const uint8_t code[KDF_CODE_BYTES])
{
	uint8_t hash[KDF_KEY_BYTES], top;

	kdf(hash, sizeof(hash), NULL, KDF_CHECK,
	    (struct bytes){ code, KDF_CODE_BYTES });
	top = hash[0] >> 3;
	wipe(hash, sizeof(hash));
	return top;
}

void
kdf_rootck(uint8_t out[KDF_ROOTCK_BYTES], const uint8_t root[KDF_KEY_BYTES])
{
	uint8_t hash[KDF_KEY_BYTES];

	kdf(hash, sizeof(hash), root, KDF_ROOTCK, (struct bytes){ NULL, 0 });
	memcpy(out, hash, KDF_ROOTCK_BYTES);
	wipe(hash, sizeof(hash));
}

/* libsodium wants its state at a multiple of 64; malloc promises only 16. */
static crypto_generichash_blake2b_state *
hash_state(struct kdf_hash *h)
{
	uintptr_t at = (uintptr_t)h->room;
	size_t skip = (HASH_ALIGN - at % HASH_ALIGN) % HASH_ALIGN;

	return (crypto_generichash_blake2b_state *)(void *)(h->room + skip);
}

void
kdf_hash_init(struct kdf_hash *h)
{
	BUG_ON(crypto_generichash_blake2b_init(hash_state(h), NULL, 0,
	    KDF_KEY_BYTES) != 0);
}

void
kdf_hash_add(struct kdf_hash *h, const void *p, size_t len)
{
	BUG_ON(crypto_generichash_blake2b_update(hash_state(h), p, len) != 0);
}

void
kdf_hash_end(struct kdf_hash *h, uint8_t out[KDF_KEY_BYTES])
{
	BUG_ON(crypto_generichash_blake2b_final(hash_state(h), out,
	    KDF_KEY_BYTES) != 0);
	wipe(h, sizeof(*h));
}

void
kdf_hash_of(const void *p, size_t len, uint8_t out[KDF_KEY_BYTES])
{
	BUG_ON(crypto_generichash_blake2b(out, KDF_KEY_BYTES, p, len, NULL,
	    0) != 0);
}
