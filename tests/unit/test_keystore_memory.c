/* Memory ends at each allocation of what makes, writes, reads and joins key
 * stores: it says so, and what was on the disk is there as it was. */
#include "config.h"

#include <stdio.h>
#include <unistd.h>

#include "unit.h"
#include "assoc.h"
#include "no_memory.h"
#include "vault/gate.h"
#include "vault/keyfile.h"

static char dir[] = "/tmp/sceau-test-XXXXXX";
static char store[64], machine[64], store_new[80], key_new[80], file[64];
static const struct keystore_at at = { store, machine, NULL };
static const uint8_t code[KDF_CODE_BYTES] = { 1, 2, 3 };

static int
setup(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	if (mkdtemp(dir) == NULL || secret_init(&e) != RC_OK)
		return -1;
	snprintf(store, sizeof(store), "%s/store", dir);
	snprintf(machine, sizeof(machine), "%s/store.key", dir);
	snprintf(store_new, sizeof(store_new), "%s.new", store);
	snprintf(key_new, sizeof(key_new), "%s.new", machine);
	snprintf(file, sizeof(file), "%s/file", dir);
	return 0;
}

static int
clean(void **state)
{
	(void)state;
	unlink(store);
	unlink(machine);
	unlink(store_new);
	unlink(key_new);
	unlink(file);
	return 0;
}

static int
teardown(void **state)
{
	clean(state);
	return rmdir(dir);
}

/* ---- in memory --------------------------------------------------------- */

static enum rc
fill(struct keystore *ks, struct err *e)
{
	static const uint8_t key[KDF_KEY_BYTES] = { 9 };
	const struct rec_self self = { A_YEAR, 0, CLOCK_FOREVER,
	    CLOCK_FOREVER, key, assoc_id(A_LABO) };
	const struct rec_role role = { REC_ROLE_ISSUER, assoc_id(A_ISSUER) };
	const struct bytes route = { (const uint8_t *)"a@b.example", 11 };
	char name[64];
	enum ring_add how;
	size_t i;
	enum rc rc;

	if ((rc = keystore_add_self(ks, &self, &i, e)) != RC_OK ||
	    (rc = keystore_add_role(ks, i, &role, e)) != RC_OK)
		return rc;
	for (int n = 0; rc == RC_OK && n < 40; n++) {
		struct identity id;

		snprintf(name, sizeof(name), "a%d/m%d@x.example#1", n % 3, n);
		id = assoc_id(name);
		if ((rc = ring_add(ks->ring, 0, &id, key, &how, e)) == RC_OK &&
		    (rc = ring_enter(ks->ring, REC_ENTRY_PRACTICE, 0, &id,
		    route, route, e)) == RC_OK)
			rc = ring_bar(ks->ring, &id, 1, e);
	}
	return rc;
}

static enum rc
make(struct err *e)
{
	struct keystore *ks;
	enum rc rc = keystore_new(0, &ks, e);

	if (rc == RC_OK)
		rc = fill(ks, e);
	keystore_free(&ks);
	return rc;
}

static struct keystore *theirs;

/* What another machine holds into what this one does. */
static enum rc
merge(struct err *e)
{
	struct keystore *ks = NULL;
	const char *one, *other;
	enum rc rc = keystore_load(&at, &ks, e);

	if (rc == RC_OK)
		rc = keystore_merge(ks, theirs, e);
	if (rc == RC_OK)
		rc = keystore_twins(ks, &one, &other, e);
	keystore_free(&ks);
	return rc;
}

static void
test_in_memory(void **state)
{
	struct keystore *ks = assoc_store(A_LABO, A_YEAR);
	struct err e = ERR_INIT;

	(void)state;
	T_CHECK(each_allocation("make", make) > 10);
	theirs = assoc_store(A_LABO, A_YEAR);
	(void)assoc_self(theirs, A_LABO, A_YEAR + 1);
	T_RC(ring_bar(theirs->ring, &ks->selves[0].id, 1, &e), RC_OK);
	assoc_full(theirs, 1);
	T_RC(keystore_save(ks, &at, &e), RC_OK);
	T_CHECK(each_allocation("merge", merge) > 10);
	keystore_free(&ks);
	keystore_free(&theirs);
}

/* Forgotten whole, or not at all. */
static enum rc
erase(struct err *e)
{
	struct keystore *ks = theirs;
	uint8_t local[KDF_KEY_BYTES];
	enum rc rc;

	memcpy(local, keystore_local(ks), sizeof(local));
	rc = keystore_erase(ks, A_YEAR, e);
	if (rc != RC_OK)
		T_CHECK(ks->nselves == 2 && ks->selves[0].year == A_YEAR &&
		    keystore_previous(ks) == NULL &&
		    same(local, keystore_local(ks), sizeof(local)) &&
		    ring_count(ks->ring, 0) > 0);
	return rc;
}

static void
test_erasing(void **state)
{
	(void)state;
	theirs = assoc_store(A_LABO, A_YEAR);
	assoc_full(theirs, assoc_self(theirs, A_LABO, A_YEAR + 1));
	T_CHECK(each_allocation("erase", erase) > 2);
	T_CHECK(theirs->nselves == 1 && keystore_previous(theirs) != NULL);
	keystore_free(&theirs);
}

/* ---- on the disk ------------------------------------------------------- */

static enum rc
load(struct err *e)
{
	struct keystore *ks = NULL;
	enum rc rc = keystore_load(&at, &ks, e);

	T_CHECK((rc == RC_OK) == (ks != NULL));
	keystore_free(&ks);
	return rc;
}

static enum rc
gate(struct err *e)
{
	struct gate *g = NULL;
	enum rc rc = gate_new(store, machine, NULL, &g, e);

	gate_free(&g);
	return rc;
}

static enum rc
save(struct err *e)
{
	return keystore_save(theirs, &at, e);
}

/* Whatever a roll leaves is a store that opens; what is left is the next
 * one's to take away. */
static enum rc
roll(struct err *e)
{
	struct err why = ERR_INIT;
	struct keystore *ks = NULL;
	enum rc rc = keystore_load(&at, &ks, e);

	if (rc == RC_OK)
		rc = keystore_roll(ks, &at, e);
	keystore_free(&ks);
	memory.left = -1;
	if (load(&why) != RC_OK)
		fail_msg("after a roll: %s", why.text);
	return rc;
}

static void
test_on_the_disk(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	theirs = assoc_store(A_LABO, A_YEAR);
	T_CHECK(each_allocation("save", save) > 3);
	T_RC(load(&e), RC_OK);
	T_CHECK(each_allocation("load", load) > 10);
	T_CHECK(each_allocation("gate", gate) > 10);
	T_CHECK(each_allocation("roll", roll) > 10);
	keystore_free(&theirs);
}

/* ---- key files --------------------------------------------------------- */

static bool
next(void *ctx, size_t i, struct rec *r)
{
	uint8_t *key = ctx;

	memset(r, 0, sizeof(*r));
	if (i >= ASSOC_N)
		return false;
	r->type = REC_GRANT;
	assoc_channel(A_LABO, assoc_members[i].id, A_YEAR, key);
	r->grant = (struct rec_grant){ A_YEAR, key,
	    assoc_id(assoc_members[i].id) };
	return true;
}

static enum rc
into(void *ctx, const uint8_t *p, size_t len, struct err *e)
{
	return buf_add(ctx, p, len) ? RC_OK : err_nomem(e);
}

static enum rc
write_file(struct err *e)
{
	const struct rec_role role = { REC_ROLE_ISSUER, assoc_id(A_ISSUER) };
	uint8_t self[KDF_KEY_BYTES], c[KDF_KEY_BYTES], room[KDF_KEY_BYTES];
	struct keyfile_plan plan = { .source = ENV_CODE, .at = 1000,
	    .roles = &role, .nroles = 1, .next = next, .ctx = room,
	    .key = c };
	struct buf out = BUF_INIT;
	enum rc rc;
	FILE *f;

	assoc_member_key(A_LABO, A_YEAR, self);
	kdf_code(c, A_YEAR, code);
	plan.issuer = assoc_id(A_ISSUER);
	plan.self = (struct rec_self){ A_YEAR, 1, 2, 3, self,
	    assoc_id(A_LABO) };
	rc = keyfile_write(&plan, (struct env_sink){ into, &out }, e);
	if (rc == RC_OK) {
		T_CHECK((f = fopen(file, "wb")) != NULL);
		T_CHECK(fwrite(out.p, 1, out.len, f) == out.len);
		T_CHECK(fclose(f) == 0);
	}
	buf_free(&out);
	return rc;
}

static enum rc
import(struct err *e)
{
	struct keyfile_result res;
	struct keystore *ks;
	enum rc rc = keystore_new(0, &ks, e);

	if (rc == RC_OK)
		rc = keyfile_import(ks, file, code, &res, e);
	if (rc == RC_OK)
		assert_int_equal(ring_total(ks->ring), ASSOC_N - 1);
	keystore_free(&ks);
	return rc;
}

static void
test_key_files(void **state)
{
	(void)state;
	T_CHECK(each_allocation("write", write_file) > 3);
	T_CHECK(each_allocation("import", import) > 10);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_in_memory, clean),
		cmocka_unit_test_setup(test_erasing, clean),
		cmocka_unit_test_setup(test_on_the_disk, clean),
		cmocka_unit_test_setup(test_key_files, clean),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
