/*
 * A key file of any content under the right code: taken in or refused, and
 * what was taken in can be kept and is there again.
 */
/* links: vault base */
#include "config.h"

#include "assoc.h"
#include "sealed.h"
#include "vault/keyfile.h"

static const uint8_t code[KDF_CODE_BYTES] = { 1, 2, 3 };

/* Saved and loaded it is the same. */
static void
check_kept(const struct keystore *ks)
{
	struct keystore_at at = { fuzz_path("store"), fuzz_path("key"), NULL };
	struct keystore *again;
	struct err e = ERR_INIT;

	BUG_ON(keystore_save(ks, &at, &e) != RC_OK);
	BUG_ON(keystore_load(&at, &again, &e) != RC_OK);
	BUG_ON(again->nselves != ks->nselves ||
	    ring_total(again->ring) != ring_total(ks->ring) ||
	    ring_entries(again->ring) != ring_entries(ks->ring) ||
	    ring_bars(again->ring) != ring_bars(ks->ring));
	keystore_free(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	static struct keystore *held;	/* what a renewal builds on */
	struct env_head h = { .year = A_YEAR + 1 };
	struct fuzz f = { p, len };
	struct keystore *ks;
	struct keyfile_result res;
	struct buf out = BUF_INIT;
	struct err e = ERR_INIT;
	uint8_t key[KDF_KEY_BYTES], old[KDF_KEY_BYTES], how = fuzz_8(&f);

	if (held == NULL) {
		fuzz_start();
		held = assoc_store(A_MARTIN, A_YEAR);
	}
	h.source = how & 1 ? ENV_OLD_CODE : ENV_CODE;
	h.from = assoc_id(how & 2 ? A_ISSUER : A_LABO);
	h.to = assoc_id(A_MARTIN);
	kdf_code(key, h.year, code);
	assoc_member_key(A_MARTIN, A_YEAR, old);
	if (how & 1)
		kdf_renewal(key, old, h.year, code);
	fuzz_seal(&h, key, f.p, f.left, (how & 4) == 0, &out);
	fuzz_file(fuzz_path("store"), out.p, out.len);
	ks = how & 8 ? assoc_store(A_MARTIN, A_YEAR) : NULL;
	BUG_ON(ks == NULL && keystore_new(0, &ks, &e) != RC_OK);
	if (keyfile_import(ks, fuzz_path("store"), code, &res, &e) == RC_OK)
		check_kept(ks);
	else
		BUG_ON(e.rc == RC_OK || e.text[0] == '\0');
	keystore_free(&ks);
	buf_free(&out);
	return 0;
}
