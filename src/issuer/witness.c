#include "config.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/lang.h"
#include "base/secret.h"
#include "issuer/acts.h"
#include "issuer/witness.h"

#define FIRST "sceau witness 1\n"
#define ARCHIVE_MAX (256UL * 1024 * 1024)
#define WORDS 6		/* of a claim */
#define HEX (2 * KDF_KEY_BYTES)
#define WHAT_BYTES 160

/* ---- claims ------------------------------------------------------------- */

/* The text up to ${end}, which goes with it. */
static struct bytes
cut(struct bytes *left, char end)
{
	struct bytes s = *left;
	const uint8_t *at = s.len > 0 ? memchr(s.p, end, s.len) : NULL;

	if (at != NULL)
		s.len = (size_t)(at - s.p);
	left->p += s.len + (at != NULL);
	left->len -= s.len + (at != NULL);
	return s;
}

static bool
parse_hex(struct bytes s, uint8_t out[KDF_KEY_BYTES])
{
	char text[HEX + 1];

	if (s.len != HEX)
		return false;
	memcpy(text, s.p, HEX);
	text[HEX] = '\0';
	return hex_parse(text, out, KDF_KEY_BYTES);
}

static bool
parse_time(struct bytes s, int64_t *at)
{
	char text[CLOCK_3339_BYTES];

	if (s.len >= sizeof(text))
		return false;
	memcpy(text, s.p, s.len);
	text[s.len] = '\0';
	return clock_of_3339(text, at);
}

static bool
parse_year(struct bytes s, uint16_t *year)
{
	*year = 0;
	for (size_t i = 0; i < s.len && s.len == 4; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
		*year = (uint16_t)(*year * 10 + s.p[i] - '0');
	}
	return s.len == 4;
}

static bool
parse_claim(struct bytes line, struct witness_claim *c)
{
	struct bytes w[WORDS];
	size_t n = 0;

	if (line.len > 0 && line.p[line.len - 1] == '\r')
		line.len--;
	line = bytes_trim(line);
	while (n < WORDS && line.len > 0)
		w[n++] = cut(&line, ' ');
	return n == WORDS && line.len == 0 &&
	    identity_parse(w[0].p, w[0].len, &c->author) &&
	    (identity_parse(w[1].p, w[1].len, &c->recipient) ||
	    identity_parse_name(w[1].p, w[1].len, &c->recipient)) &&
	    parse_year(w[2], &c->year) && parse_time(w[3], &c->at) &&
	    parse_hex(w[4], c->d) && parse_hex(w[5], c->proof);
}

enum rc
witness_claim_parse(const void *p, size_t len, struct witness_claim *c,
    struct err *e)
{
	struct bytes left = { p, len };
	struct witness_claim found;
	size_t n = 0;

	memset(c, 0, sizeof(*c));
	while (left.len > 0)
		if (parse_claim(cut(&left, '\n'), &found)) {
			*c = found;
			n++;
		}
	return n == 1 ? RC_OK : err_set(e, RC_INPUT, n == 0 ?
	    _("there is no witness in it: a line of six words is wanted, as "
	    "`sceau register prove` prints it") :
	    _("there are several witnesses in it; give one alone"));
}

/* Where the first field of a header ends. */
static size_t
first_field(const uint8_t *p, size_t len)
{
	struct bytes left = { p, len };

	do
		(void)cut(&left, '\n');
	while (left.len > 0 && is_wsp(*left.p));
	return len - left.len;
}

bool
witness_is_of(const struct witness_claim *c, const uint8_t *p, size_t len)
{
	uint8_t d[KDF_KEY_BYTES];
	size_t n;

	kdf_hash_of(p, len, d);
	if (memcmp(d, c->d, sizeof(d)) == 0)
		return true;
	if (len < 8 || strncasecmp((const char *)p, "X-Sceau", 7) != 0)
		return false;
	n = first_field(p, len);
	kdf_hash_of(p + n, len - n, d);
	return memcmp(d, c->d, sizeof(d)) == 0;
}

/* ---- the archive -------------------------------------------------------- */

static enum rc
archive_path(const struct desk *d, uint16_t year, char path[PATH_MAX],
    struct err *e)
{
	char name[16];

	snprintf(name, sizeof(name), "witness.%u", year);
	return desk_path(d->dir, name, path, e);
}

bool
witness_archived(const struct desk *d, uint16_t year)
{
	struct err ignored = ERR_INIT;
	char path[PATH_MAX];

	return archive_path(d, year, path, &ignored) == RC_OK &&
	    access(path, F_OK) == 0;
}

/* For the journal: so that nobody slips in another archive. */
static void
say_what(uint16_t year, const struct buf *archive, char out[WHAT_BYTES])
{
	uint8_t hash[KDF_KEY_BYTES];
	char hex[HEX + 1];

	kdf_hash_of(archive->p, archive->len, hash);
	hex_format(hash, sizeof(hash), hex);
	snprintf(out, WHAT_BYTES, "year=%u archive=%s", year, hex);
}

static void
key_of(const uint8_t *root, uint16_t year, const struct identity *id,
    uint8_t key[KDF_KEY_BYTES])
{
	uint8_t member[KDF_KEY_BYTES];

	kdf_member(member, root, year, id);
	kdf_witness(key, member);
	wipe(member, sizeof(member));
}

static bool
add_key(struct buf *out, const uint8_t *root, uint16_t year,
    const struct identity *id)
{
	uint8_t key[KDF_KEY_BYTES];
	char hex[HEX + 1];
	bool ok;

	key_of(root, year, id, key);
	hex_format(key, sizeof(key), hex);
	ok = buf_addf(out, "%s\t%s\n", id->s, hex);
	wipe(key, sizeof(key));
	wipe(hex, sizeof(hex));
	return ok;
}

static bool
archive_format(const struct desk *d, uint16_t year, struct buf *out,
    size_t *n)
{
	const uint8_t *root = desk_root(d, year);
	const struct members *m = d->members;
	struct identity id;

	BUG_ON(root == NULL);
	*n = 0;
	if (!buf_adds(out, FIRST))
		return false;
	for (size_t i = 0; i < m->n; i++)
		for (unsigned gen = 1; gen <= m->v[i].id.gen; gen++, (*n)++)
			if (!identity_at_gen(&m->v[i].id, gen, &id) ||
			    !add_key(out, root, year, &id))
				return false;
	return true;
}

enum rc
witness_destroy(struct desk *d, uint16_t year, size_t *n, struct err *e)
{
	char path[PATH_MAX], what[WHAT_BYTES];
	struct buf out = BUF_INIT;
	enum rc rc = archive_path(d, year, path, e);

	if (rc == RC_OK && !archive_format(d, year, &out, n))
		rc = err_nomem(e);
	if (rc == RC_OK) {
		say_what(year, &out, what);
		rc = acts_note(d, "destroy", what, e);
	}
	if (rc == RC_OK)
		rc = file_write(path, out.p, out.len, 0600, e);
	FAULT("witness.forget.before");
	if (rc == RC_OK)
		rc = desk_year_forget(d, year, e);
	buf_free(&out);
	return rc;
}

/* ---- judging ------------------------------------------------------------ */

struct looking {
	const char	*what;
	bool		 there;
};

static enum rc
look(void *ctx, const struct act *a, struct err *e)
{
	struct looking *l = ctx;

	(void)e;
	if (a->whole && strcmp(a->act, "destroy") == 0 &&
	    strcmp(a->what, l->what) == 0)
		l->there = true;
	return RC_OK;
}

static enum rc
archive_read(const struct desk *d, uint16_t year, struct buf *out,
    struct err *e)
{
	char path[PATH_MAX], what[WHAT_BYTES];
	struct looking l = { what, false };
	struct acts_sum sum;
	enum rc rc;

	if ((rc = archive_path(d, year, path, e)) != RC_OK ||
	    (rc = file_private(path, e)) != RC_OK ||
	    (rc = file_read(path, ARCHIVE_MAX, out, e)) != RC_OK)
		return rc;
	say_what(year, out, what);
	if ((rc = acts_read(d->dir, look, &l, &sum, e)) != RC_OK)
		return rc;
	return l.there ? RC_OK : err_set(e, RC_CONF, _("%s is not the archive "
	    "that the journal of the desk names: it, or the journal, was "
	    "changed; look for a backup"), path);
}

static bool
archive_find(struct bytes left, const struct identity *id,
    uint8_t key[KDF_KEY_BYTES])
{
	struct bytes line, who;

	while (left.len > 0) {
		line = cut(&left, '\n');
		who = cut(&line, '\t');
		if (bytes_eq(who, identity_bytes(id)))
			return parse_hex(line, key);
	}
	return false;
}

static enum rc
author_key(const struct desk *d, const struct witness_claim *c,
    uint8_t key[KDF_KEY_BYTES], struct err *e)
{
	struct buf b = BUF_INIT;
	enum rc rc;

	if (desk_root(d, c->year) != NULL) {
		key_of(desk_root(d, c->year), c->year, &c->author, key);
		return RC_OK;
	}
	rc = archive_read(d, c->year, &b, e);
	if (rc == RC_OK && !archive_find((struct bytes){ b.p, b.len },
	    &c->author, key))
		rc = err_set(e, RC_INPUT, _("%s was no member when the root of "
		    "%u was destroyed"), c->author.s, c->year);
	buf_free(&b);
	return rc;
}

enum rc
witness_judge(const struct desk *d, const struct witness_claim *c, bool *yes,
    struct err *e)
{
	const struct member *w = members_find(d->members, &c->author);
	uint8_t key[KDF_KEY_BYTES], proof[KDF_KEY_BYTES];
	enum rc rc;

	*yes = false;
	if (!bytes_eqs(identity_assoc(&c->author), d->members->assoc))
		return err_set(e, RC_INPUT, _("%s is of another association: "
		    "only that one can tell"), c->author.s);
	if (w == NULL || c->author.gen > w->id.gen)
		return err_set(e, RC_INPUT, _("%s was never a member here"),
		    c->author.s);
	if ((rc = author_key(d, c, key, e)) != RC_OK)
		return rc;
	kdf_proof(proof, key, c->at, identity_bytes(&c->recipient), c->d);
	*yes = same(proof, c->proof, sizeof(proof));
	wipe(key, sizeof(key));
	wipe(proof, sizeof(proof));
	return RC_OK;
}
