/*
 * make-demo FOLDER:
 * Write the key stores of the demonstration association, always the same
 * octets.  For maintainers; the files are in keys/demo.
 */
#include "config.h"

#include <stdio.h>

#include "assoc.h"
#include "base/file.h"

/* Fixed octets that look random; known to everybody. */
static void
fixed(const char *what, const char *name, uint8_t out[KDF_KEY_BYTES])
{
	char text[300];
	int n = snprintf(text, sizeof(text), "sceau demo %s %s", what, name);

	kdf_hash_of(text, (size_t)n, out);
}

static enum rc
make(const char *dir, const char *id, struct err *e)
{
	const struct identity who = assoc_id(id);
	struct bytes local = identity_local(&who);
	struct keystore *ks = assoc_store(id, A_YEAR);
	char name[IDENTITY_MAX_BYTES + 1], store[600], key[600];
	uint8_t machine[KDF_KEY_BYTES], rnd[KDF_KEY_BYTES];
	uint8_t own[KDF_KEY_BYTES], digest[KDF_KEY_BYTES];
	const struct keystore_at at = { store, key, NULL };
	enum rc rc;

	snprintf(name, sizeof(name), "%.*s", (int)local.len,
	    (const char *)local.p);
	snprintf(store, sizeof(store), "%s/%s.store", dir, name);
	snprintf(key, sizeof(key), "%s/%s.store.key", dir, name);
	fixed("machine", name, machine);
	fixed("salt", name, rnd);
	fixed("local", name, own);
	fixed("digest", name, digest);
	keystore_fix(ks, own, digest);
	rc = keystore_save_fixed(ks, &at, machine, rnd, e);
	keystore_free(&ks);
	return rc;
}

int
main(int argc, char **argv)
{
	struct err e = ERR_INIT;

	if (argc != 2) {
		fprintf(stderr, "usage: make-demo FOLDER\n");
		return 64;
	}
	if (secret_init(&e) != RC_OK ||
	    file_mkdirs(argv[1], 0755, &e) != RC_OK)
		goto bad;
	for (size_t i = 0; i < ASSOC_N; i++)
		if (make(argv[1], assoc_members[i].id, &e) != RC_OK)
			goto bad;
	return 0;
bad:
	fprintf(stderr, "make-demo: %s\n", e.text);
	return rc_exit(e.rc);
}
