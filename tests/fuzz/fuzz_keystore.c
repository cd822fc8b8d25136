/* A key store of any content under its machine key: read or refused, and
 * what is read is written again and read the same. */
/* links: vault base */
#include "config.h"

#include "assoc.h"
#include "sealed.h"
#include "vault/keystore.h"

static const uint8_t key[KDF_KEY_BYTES] = { 7 };

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	struct keystore_at at = { fuzz_path("store"), fuzz_path("key"), NULL };
	struct env_head h = { .source = ENV_CHANNEL, .year = A_YEAR };
	struct fuzz f = { p, len };
	struct keystore *ks, *again;
	struct buf out = BUF_INIT;
	struct err e = ERR_INIT;
	uint8_t how = fuzz_8(&f);

	fuzz_start();
	h.from = h.to = assoc_id(A_MARTIN);
	fuzz_seal(&h, key, f.p, f.left, (how & 1) == 0, &out);
	fuzz_file(at.key, key, sizeof(key));
	fuzz_file(at.store, out.p, out.len);
	buf_free(&out);
	if (keystore_load(&at, &ks, &e) != RC_OK) {
		BUG_ON(ks != NULL || e.rc != RC_CONF || e.text[0] == '\0');
		return 0;
	}
	BUG_ON(keystore_save(ks, &at, &e) != RC_OK ||
	    keystore_load(&at, &again, &e) != RC_OK);
	BUG_ON(again->nselves != ks->nselves ||
	    again->since_at != ks->since_at ||
	    memcmp(again->selves, ks->selves, sizeof(ks->selves)) != 0 ||
	    ring_total(again->ring) != ring_total(ks->ring) ||
	    ring_entries(again->ring) != ring_entries(ks->ring) ||
	    ring_bars(again->ring) != ring_bars(ks->ring));
	keystore_free(&again);
	keystore_free(&ks);
	return 0;
}
