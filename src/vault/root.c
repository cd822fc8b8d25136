#include "config.h"

#include <string.h>

#include "base/lang.h"
#include "base/secret.h"
#include "vault/root.h"

#define PART_BYTES (KDF_KEY_BYTES + 1 + KDF_ROOTCK_BYTES)
_Static_assert(PART_BYTES == ROOT_PART_CODES * CODE_BYTES,
    "a part is three codes");

static void
xor_into(uint8_t *to, const uint8_t *from)
{
	for (size_t i = 0; i < KDF_KEY_BYTES; i++)
		to[i] ^= from[i];
}

void
root_split(const uint8_t root[KDF_KEY_BYTES],
    struct root_part parts[ROOT_PARTS])
{
	random_bytes(parts[0].share, KDF_KEY_BYTES);
	random_bytes(parts[1].share, KDF_KEY_BYTES);
	memcpy(parts[2].share, root, KDF_KEY_BYTES);
	xor_into(parts[2].share, parts[0].share);
	xor_into(parts[2].share, parts[1].share);
	for (uint8_t i = 0; i < ROOT_PARTS; i++) {
		parts[i].number = (uint8_t)(i + 1);
		kdf_rootck(parts[i].check, root);
	}
}

static bool
part_same(const struct root_part *a, const struct root_part *b)
{
	return same(a->share, b->share, sizeof(a->share)) &&
	    same(a->check, b->check, sizeof(a->check));
}

/* One part of each number, or what is wrong. */
static enum rc
choose(const struct root_part *parts, size_t n,
    const struct root_part *of[ROOT_PARTS], struct err *e)
{
	const struct root_part **slot;

	for (size_t i = 0; i < n; i++) {
		if (parts[i].number < 1 || parts[i].number > ROOT_PARTS)
			return err_set(e, RC_INPUT, _("a part has number %u; "
			    "there are only 1, 2 and 3"), parts[i].number);
		slot = &of[parts[i].number - 1];
		if (*slot != NULL && !part_same(*slot, &parts[i]))
			return err_set(e, RC_INPUT, _("two different papers "
			    "are both part %u: they are not of the same year"),
			    parts[i].number);
		*slot = &parts[i];
	}
	for (unsigned i = 0; i < ROOT_PARTS; i++)
		if (of[i] == NULL)
			return err_set(e, RC_INPUT, _("part %u is missing; "
			    "another custodian holds it"), i + 1);
	return RC_OK;
}

enum rc
root_join(const struct root_part *parts, size_t n,
    uint8_t root[KDF_KEY_BYTES], struct err *e)
{
	const struct root_part *of[ROOT_PARTS] = { NULL, NULL, NULL };
	uint8_t check[KDF_ROOTCK_BYTES];
	enum rc rc;

	memset(root, 0, KDF_KEY_BYTES);
	if ((rc = choose(parts, n, of, e)) != RC_OK)
		return rc;
	for (size_t i = 0; i < ROOT_PARTS; i++)
		xor_into(root, of[i]->share);
	kdf_rootck(check, root);
	for (size_t i = 0; i < ROOT_PARTS; i++)
		if (!same(check, of[i]->check, sizeof(check)))
			rc = RC_INPUT;
	wipe(check, sizeof(check));
	if (rc == RC_OK)
		return RC_OK;
	wipe(root, KDF_KEY_BYTES);
	return err_set(e, RC_INPUT, _("the parts do not belong together: "
	    "are they all of the same year?"));
}

void
root_part_format(const struct root_part *part,
    char text[ROOT_PART_CODES][CODE_TEXT_BYTES])
{
	uint8_t all[PART_BYTES];

	memcpy(all, part->share, KDF_KEY_BYTES);
	all[KDF_KEY_BYTES] = part->number;
	memcpy(all + KDF_KEY_BYTES + 1, part->check, KDF_ROOTCK_BYTES);
	for (size_t i = 0; i < ROOT_PART_CODES; i++)
		code_format(all + i * CODE_BYTES, text[i]);
	wipe(all, sizeof(all));
}

enum rc
root_part_parse(const char *const text[ROOT_PART_CODES],
    struct root_part *part, struct err *e)
{
	uint8_t all[PART_BYTES];
	enum rc rc = RC_OK;

	memset(part, 0, sizeof(*part));
	for (size_t i = 0; i < ROOT_PART_CODES && rc == RC_OK; i++)
		if (code_parse(text[i], strlen(text[i]), all + i * CODE_BYTES,
		    e) != RC_OK)
			rc = err_ctx(e, _("code %zu of the part"), i + 1);
	if (rc == RC_OK && (all[KDF_KEY_BYTES] < 1 ||
	    all[KDF_KEY_BYTES] > ROOT_PARTS))
		rc = err_set(e, RC_INPUT, _("these three codes are not a part "
		    "of a root, or not in the order of the paper"));
	if (rc == RC_OK) {
		memcpy(part->share, all, KDF_KEY_BYTES);
		part->number = all[KDF_KEY_BYTES];
		memcpy(part->check, all + KDF_KEY_BYTES + 1,
		    KDF_ROOTCK_BYTES);
	}
	wipe(all, sizeof(all));
	return rc;
}
