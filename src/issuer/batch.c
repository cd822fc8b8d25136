#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/lang.h"
#include "issuer/batch.h"
#include "issuer/ring_walk.h"
#include "issuer/sheets.h"
#include "vault/code.h"
#include "vault/keyfile.h"

/* A running batch; in secret memory. */
struct batch {
	const struct batch_plan *plan;
	const struct members *all;
	const uint8_t	*keys;
	struct ring_walk walk;
	uint8_t		 code[CODE_BYTES];
	char		 code_text[CODE_TEXT_BYTES];
	uint8_t		 code_key[KDF_KEY_BYTES];
	char		 keys_dir[PATH_MAX];
	char		 letters_dir[PATH_MAX];
	char		 key_path[PATH_MAX];
	char		 letter_path[PATH_MAX];
	struct index	 by_local;
	struct rec_role	 roles[3];
	size_t		 nroles;
	int64_t		 at;
	size_t		 of;
};

/* ---- names of files ----------------------------------------------------- */

static uint32_t
local_hash(const struct member *w)
{
	struct bytes s = identity_local(&w->id);

	return index_hash(s.p, s.len);
}

static uint32_t
local_hash_at(const void *arg, uint32_t pos)
{
	const struct members *m = arg;

	return local_hash(&m->v[pos]);
}

/* Nobody before him in the register has that local part. */
static bool
is_first(struct batch *b, const struct member *w)
{
	struct bytes local = identity_local(&w->id);
	size_t cursor;
	int64_t i = index_first(&b->by_local, local_hash(w), &cursor);

	for (; i >= 0; i = index_next(&b->by_local, &cursor))
		if (&b->all->v[i] < w && bytes_eq(local,
		    identity_local(&b->all->v[i].id)))
			return false;
	return true;
}

/*
 * "dr.martin.2027", or with the domain for the second dr.martin: the register
 * only grows, so a name is the same whenever a batch is run.  A leading dash
 * would look like an option.
 */
static enum rc
set_paths(struct batch *b, const struct member *w, struct err *e)
{
	struct bytes s = is_first(b, w) ? identity_local(&w->id) :
	    identity_address(&w->id);
	const char *safe = s.p[0] == '-' ? "_" : "";
	int n, k;

	n = snprintf(b->key_path, PATH_MAX, "%s/%s%.*s.%u.cle", b->keys_dir,
	    safe, (int)s.len, (const char *)s.p, b->plan->year);
	k = snprintf(b->letter_path, PATH_MAX, "%s/%s%.*s.%u.txt",
	    b->letters_dir, safe, (int)s.len, (const char *)s.p,
	    b->plan->year);
	if (n < 0 || n >= PATH_MAX - 16 || k < 0 || k >= PATH_MAX - 16)
		return err_set(e, RC_CONF, _("%s: the name is too long"),
		    b->plan->out);
	return RC_OK;
}

/* ---- a key file --------------------------------------------------------- */

struct key_sink {
	int		 fd;
	uint64_t	 n;
	struct kdf_hash	 hash;
};

static enum rc
sink_put(void *ctx, const uint8_t *p, size_t len, struct err *e)
{
	struct key_sink *s = ctx;

	if (!write_all(s->fd, p, len))
		return err_sys(e, _("writing a key file"));
	kdf_hash_add(&s->hash, p, len);
	s->n += len;
	return RC_OK;
}

static enum rc
seal_key(struct batch *b, struct batch_done *d, struct key_sink *s,
    struct err *e)
{
	const struct member *w = d->member;
	struct keyfile_plan p = { .source = ENV_CODE, .at = b->at,
	    .issuer = b->plan->desk->issuer, .key = b->code_key,
	    .roles = b->roles, .nroles = b->nroles, .next = ring_walk_next,
	    .ctx = &b->walk };

	p.self = (struct rec_self){ b->plan->year, d->dates.from_at,
	    d->dates.send_until_at, d->dates.read_until_at,
	    b->keys + (size_t)(w - b->all->v) * KDF_KEY_BYTES, w->id };
	b->walk.me = w;
	return keyfile_write(&p, (struct env_sink){ sink_put, s }, e);
}

static enum rc
write_key(struct batch *b, struct batch_done *d, const char *tmp,
    struct key_sink *s, struct err *e)
{
	uint8_t hash[KDF_KEY_BYTES];
	enum rc rc;

	kdf_hash_init(&s->hash);
	if ((rc = seal_key(b, d, s, e)) != RC_OK)
		return err_ctx(e, "%s", d->member->id.s);
	if (!file_sync(s->fd) || rename(tmp, b->key_path) != 0 ||
	    !dir_sync(b->keys_dir))
		return err_sys(e, "%s", b->key_path);
	kdf_hash_end(&s->hash, hash);
	hex_format(hash, (LETTER_DIGITS_BYTES - 1) / 2, d->digits);
	d->bytes = s->n;
	d->grants = b->walk.grants;
	d->entries = b->walk.entries;
	return RC_OK;
}

static enum rc
make_key(struct batch *b, struct batch_done *d, struct err *e)
{
	struct key_sink s = { .fd = -1 };
	char tmp[PATH_MAX];
	enum rc rc;

	snprintf(tmp, sizeof(tmp), "%.*s.tmpXXXXXX", PATH_MAX - 12,
	    b->key_path);
	if ((s.fd = mkstemp(tmp)) < 0)
		return err_sys(e, "%s", b->key_path);
	rc = write_key(b, d, tmp, &s, e);
	close(s.fd);
	if (rc != RC_OK)
		unlink(tmp);
	return rc;
}

/* ---- a member ----------------------------------------------------------- */

static enum rc
make_letter(struct batch *b, const struct batch_done *d, struct err *e)
{
	const char *slash = strrchr(b->key_path, '/');
	const struct letter l = { .assoc = b->all->assoc,
	    .call = b->all->call, .to = d->member,
	    .issuer = &b->plan->desk->issuer, .year = b->plan->year,
	    .dates = d->dates, .at = b->at, .code = b->code_text,
	    .digits = d->digits, .key_file = slash + 1,
	    .english = b->plan->english };
	struct buf text = BUF_INIT;
	enum rc rc;

	if (letter_format(&l, &text))
		rc = file_write(b->letter_path, text.p, text.len, 0600, e);
	else
		rc = err_set(e, RC_NOMEM, _("no memory left"));
	buf_free(&text);
	return rc;
}

/* The key file first: a letter says that its key file is whole. */
static enum rc
make_pair(struct batch *b, struct batch_done *d, struct err *e)
{
	enum rc rc;

	random_bytes(b->code, sizeof(b->code));
	code_format(b->code, b->code_text);
	kdf_code(b->code_key, b->plan->year, b->code);
	rc = make_key(b, d, e);
	FAULT("batch.letter.before");
	if (rc == RC_OK)
		rc = make_letter(b, d, e);
	FAULT("batch.letter.after");
	wipe(b->code, sizeof(b->code));
	wipe(b->code_text, sizeof(b->code_text));
	wipe(b->code_key, sizeof(b->code_key));
	d->made = rc == RC_OK;
	return rc;
}

static enum rc
do_member(struct batch *b, struct batch_done *d, struct err *e)
{
	enum rc rc;

	b->at = clock_now();
	d->dates = desk_dates(b->plan->year, b->at);
	if ((rc = set_paths(b, d->member, e)) != RC_OK)
		return rc;
	d->key_path = b->key_path;
	d->letter_path = b->letter_path;
	d->made = access(b->letter_path, F_OK) != 0;
	if (d->made && b->plan->really)
		rc = make_pair(b, d, e);
	return rc;
}

static bool
is_served(const struct member *w)
{
	return !w->excluded && w->kind != MEMBER_ISSUER;
}

static enum rc
do_all(struct batch *b, batch_each *each, void *ctx, struct err *e)
{
	enum rc rc = RC_OK;
	size_t at = 0;

	for (size_t i = 0; i < b->all->n && rc == RC_OK; i++) {
		struct batch_done d = { .member = &b->all->v[i],
		    .of = b->of };

		if (!is_served(d.member))
			continue;
		d.at = ++at;
		if ((rc = do_member(b, &d, e)) == RC_OK)
			rc = each(ctx, &d, e);
	}
	return rc;
}

/* Of all letters that are there, those of former runs too. */
static enum rc
gather(struct batch *b, struct err *e)
{
	const struct sheets_plan plan = { b->plan->out, b->letters_dir,
	    b->all->assoc, b->plan->year, b->plan->english };
	struct sheets *s = NULL;
	enum rc rc = sheets_open(&plan, &s, e);

	for (size_t i = 0; i < b->all->n && rc == RC_OK; i++) {
		const struct member *w = &b->all->v[i];

		if (is_served(w) && (rc = set_paths(b, w, e)) == RC_OK)
			rc = sheets_add(s, w, b->letter_path, e);
	}
	return sheets_close(&s, rc, e);
}

/* ---- the whole ---------------------------------------------------------- */

/* "x.cle.tmpA1b2C3", "print-001.html.tmp": what a crash left. */
static bool
is_leftover(const char *name)
{
	size_t len = strlen(name);

	return file_temporary(name) ||
	    (len > 10 && memcmp(name + len - 10, ".tmp", 4) == 0);
}

/* A half letter holds a code: away with it. */
static void
sweep(const char *dir)
{
	DIR *d = opendir(dir);
	const struct dirent *entry;

	if (d == NULL)
		return;
	while ((entry = readdir(d)) != NULL)
		if (is_leftover(entry->d_name))
			(void)unlinkat(dirfd(d), entry->d_name, 0);
	closedir(d);
}

static enum rc
set_folder(const struct batch *b, const char *name, char out[PATH_MAX],
    struct err *e)
{
	enum rc rc;
	int n = snprintf(out, PATH_MAX, "%s/%s", b->plan->out, name);

	if (n < 0 || n >= PATH_MAX)
		return err_set(e, RC_CONF, _("%s: the name is too long"),
		    b->plan->out);
	if (!b->plan->really)
		return RC_OK;
	if ((rc = file_mkdirs(out, 0700, e)) != RC_OK ||
	    (rc = file_private(out, e)) != RC_OK)
		return rc;
	sweep(out);
	return RC_OK;
}

static void
set_roles(struct batch *b)
{
	static const struct {
		enum member_kind kind;
		enum rec_role_kind role;
	} of[] = { { MEMBER_ISSUER, REC_ROLE_ISSUER },
	    { MEMBER_WATCH, REC_ROLE_WATCH }, { MEMBER_HUB, REC_ROLE_HUB } };
	const struct member *w;

	for (size_t i = 0; i < 3; i++)
		if ((w = members_desk(b->all, of[i].kind)) != NULL)
			b->roles[b->nroles++] = (struct rec_role){
			    of[i].role, w->id };
}

/* K of everybody, and who has which local part. */
static enum rc
derive(struct batch *b, const uint8_t *root, uint8_t *keys, struct err *e)
{
	for (size_t i = 0; i < b->all->n; i++) {
		if (b->plan->really)
			kdf_member(keys + i * KDF_KEY_BYTES, root,
			    b->plan->year, &b->all->v[i].id);
		b->of += is_served(&b->all->v[i]);
		if (!index_add(&b->by_local, (uint32_t)i, local_hash_at,
		    b->all))
			return err_set(e, RC_NOMEM, _("no memory left"));
	}
	return RC_OK;
}

static enum rc
check(const struct batch_plan *p, struct err *e)
{
	const struct members *m = p->desk->members;

	if (!desk_knows(p->desk, p->year))
		return err_set(e, RC_CONF, _("there is no root for %u here"),
		    p->year);
	BUG_ON(p->really && desk_root(p->desk, p->year) == NULL);
	if (clock_now() >= desk_dates(p->year, 0).send_until_at)
		return err_set(e, RC_CONF, _("nobody could write with keys "
		    "of %u any more"), p->year);
	if (m->policy == MEMBERS_GATEWAY &&
	    members_desk(m, MEMBER_HUB) == NULL)
		return err_set(e, RC_CONF, _("with the policy gateway members "
		    "reach one another through a hub, and there is none: add "
		    "a line of kind hub"));
	return RC_OK;
}

enum rc
batch_run(const struct batch_plan *plan, batch_each *each, void *ctx,
    struct err *e)
{
	const struct members *all = plan->desk->members;
	struct batch *b = NULL;
	uint8_t *keys = NULL;
	enum rc rc;

	if ((rc = check(plan, e)) != RC_OK)
		return rc;
	b = secret_alloc(sizeof(*b));
	keys = secret_alloc(all->n * KDF_KEY_BYTES);
	if (b == NULL || keys == NULL) {
		rc = err_set(e, RC_NOMEM, _("no memory left"));
		goto out;
	}
	b->plan = plan;
	b->all = all;
	b->keys = keys;
	b->walk.all = all;
	b->walk.keys = keys;
	b->walk.year = plan->year;
	set_roles(b);
	if ((rc = derive(b, desk_root(plan->desk, plan->year), keys, e)) ==
	    RC_OK &&
	    (rc = set_folder(b, "keys", b->keys_dir, e)) == RC_OK &&
	    (rc = set_folder(b, "letters", b->letters_dir, e)) == RC_OK)
		rc = do_all(b, each, ctx, e);
	if (rc == RC_OK && plan->really)
		rc = gather(b, e);
out:
	if (b != NULL)
		index_free(&b->by_local);
	secret_free(&keys);
	secret_free(&b);
	return rc;
}
