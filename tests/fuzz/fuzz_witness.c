/*
 * What a recipient shows, and the archive of a year: a claim that is read is
 * read the same from one line; nobody is an author but by a key that the
 * archive has for him.
 */
/* links: issuer vault document conf mail base */
#include "config.h"

#include <strings.h>

#include "base/clock.h"
#include "fuzz.h"
#include "issuer/acts.h"
#include "issuer/witness.h"

#define YEAR 2026
#define AUTHOR "demo/labo@a.example#2"
#define MAIL "From: labo@a.example\r\n\r\nINR 2,1\r\n"

static const uint8_t member[KDF_KEY_BYTES] = { 7 };

/* ---- claims -------------------------------------------------------------- */

static void
any_claim(const uint8_t *p, size_t len)
{
	char d[2 * KDF_KEY_BYTES + 1], proof[2 * KDF_KEY_BYTES + 1];
	struct witness_claim c, again;
	char at[CLOCK_3339_BYTES];
	struct buf line = BUF_INIT;
	struct err e = ERR_INIT;

	(void)witness_is_of(&(struct witness_claim){ .year = 0 }, p, len);
	if (witness_claim_parse(p, len, &c, &e) != RC_OK) {
		BUG_ON(e.rc != RC_INPUT || e.text[0] == '\0');
		return;
	}
	hex_format(c.d, sizeof(c.d), d);
	hex_format(c.proof, sizeof(c.proof), proof);
	clock_3339(c.at, at);
	BUG_ON(!buf_addf(&line, "%s %s %04u %s %s %s\n", c.author.s,
	    c.recipient.s, c.year, at, d, proof));
	BUG_ON(witness_claim_parse(line.p, line.len, &again, &e) != RC_OK ||
	    memcmp(&c, &again, sizeof(c)) != 0);
	buf_free(&line);
}

/* ---- archives ------------------------------------------------------------ */

static void
enter(struct desk *d)
{
	const struct member_new w = {
		{ (const uint8_t *)"labo@a.example", 14 },
		{ (const uint8_t *)"b@poste.example", 15 },
		{ (const uint8_t *)"Labo", 4 }, { (const uint8_t *)"", 0 },
		MEMBER_LABORATORY, { NULL, 0 } };
	enum member_add how;
	struct err e = ERR_INIT;

	BUG_ON((d->members = members_new("demo")) == NULL ||
	    members_add(d->members, &w, &how, &e) != RC_OK ||
	    !identity_parse(AUTHOR, sizeof(AUTHOR) - 1,
	    &d->members->v[0].id));
}

/* A desk of one member, whose journal names this archive. */
static struct desk *
desk_with(const uint8_t *p, size_t len)
{
	char what[160], hex[2 * KDF_KEY_BYTES + 1];
	uint8_t hash[KDF_KEY_BYTES];
	struct desk *d;
	struct err e = ERR_INIT;

	fuzz_file(fuzz_path("witness.2026"), p, len);
	BUG_ON(desk_new(fuzz_dir_path, &d, &e) != RC_OK);
	enter(d);
	kdf_hash_of(p, len, hash);
	hex_format(hash, sizeof(hash), hex);
	snprintf(what, sizeof(what), "year=%u archive=%s", YEAR, hex);
	(void)unlink(fuzz_path("acts"));
	BUG_ON(acts_begin(d, &e) != RC_OK ||
	    acts_note(d, "destroy", what, &e) != RC_OK);
	return d;
}

/* A line that gives the author this key; a digit may be a capital letter. */
static bool
holds(const uint8_t *p, size_t len, const char *key)
{
	const size_t name = strlen(AUTHOR "\t"), n = name + strlen(key);

	for (size_t i = 0; i + n <= len; i++)
		if (memcmp(p + i, AUTHOR "\t", name) == 0 &&
		    strncasecmp((const char *)p + i + name, key,
		    n - name) == 0)
			return true;
	return false;
}

static void
any_archive(const uint8_t *p, size_t len)
{
	char hex[2 * KDF_KEY_BYTES + 1];
	struct witness_claim c = { .year = YEAR, .at = 7 };
	uint8_t key[KDF_KEY_BYTES];
	struct err e = ERR_INIT;
	struct desk *d = desk_with(p, len);
	bool yes;

	kdf_witness(key, member);
	hex_format(key, sizeof(key), hex);
	BUG_ON(!identity_parse(AUTHOR, sizeof(AUTHOR) - 1, &c.author));
	c.recipient = c.author;
	kdf_hash_of((const uint8_t *)MAIL, sizeof(MAIL) - 1, c.d);
	kdf_proof(c.proof, key, c.at, identity_bytes(&c.recipient), c.d);
	if (witness_judge(d, &c, &yes, &e) != RC_OK)
		BUG_ON(yes || e.text[0] == '\0');
	BUG_ON(yes && !holds(p, len, hex));
	desk_close(&d);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	struct fuzz f = { p, len };

	fuzz_start();
	if (fuzz_8(&f) % 2 == 0)
		any_claim(f.p, f.left);
	else
		any_archive(f.p, f.left);
	return 0;
}
