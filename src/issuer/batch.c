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
#include "base/file.h"
#include "base/lang.h"
#include "issuer/batch.h"
#include "issuer/group.h"
#include "issuer/names.h"
#include "issuer/ring_walk.h"
#include "issuer/sheets.h"
#include "vault/code.h"
#include "vault/keyfile.h"

#define SAVE_MS 10000	/* the register, which is large, not for each */

/* A running batch; in secret memory. */
struct batch {
	const struct batch_plan *plan;
	struct members	*all;
	uint16_t	 year;
	const uint8_t	*root;		/* of the year */
	const uint8_t	*before;	/* of the year before: renewals */
	uint8_t		*keys;
	uint8_t		*kept;
	struct ring_walk walk;
	uint8_t		 code[CODE_BYTES];
	char		 code_text[CODE_TEXT_BYTES];
	uint8_t		 code_key[KDF_KEY_BYTES];
	char		 out_dir[PATH_MAX];
	char		 keys_dir[PATH_MAX];
	char		 letters_dir[PATH_MAX];
	char		 key_path[PATH_MAX];
	char		 letter_path[PATH_MAX];
	char		 name[NAMES_BYTES];
	struct names	 names;
	struct rings	 rings;
	struct group	*group;		/* pairs that have no names yet */
	struct batch_done pending[GROUP_MAX];	/* they, and who is between */
	size_t		 npending;
	struct rec_role	 roles[3];
	size_t		 nroles;
	int64_t		 at;
	size_t		 done, of, nmade;
	bool		 unsaved;
	int64_t		 saved_ms;
};

/* ---- names of files ----------------------------------------------------- */

static enum rc
set_paths(struct batch *b, const struct member *w, struct err *e)
{
	int n, k;

	names_of(&b->names, w, b->year, b->name);
	n = snprintf(b->key_path, PATH_MAX, "%s/%s.cle", b->keys_dir,
	    b->name);
	k = snprintf(b->letter_path, PATH_MAX, "%s/%s.txt", b->letters_dir,
	    b->name);
	if (n < 0 || n >= PATH_MAX - 16 || k < 0 || k >= PATH_MAX - 16)
		return err_set(e, RC_CONF, _("%s: the name is too long"),
		    b->keys_dir);
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
	struct keyfile_plan p = { .source = d->renewal ? ENV_OLD_CODE :
	    ENV_CODE, .at = b->at,
	    .issuer = b->plan->desk->issuer, .key = b->code_key,
	    .roles = b->roles, .nroles = b->nroles, .next = ring_walk_next,
	    .ctx = &b->walk, .kept = b->kept,
	    .kept_max = ring_walk_kept(b->all) };

	p.self = (struct rec_self){ b->year, d->dates.from_at,
	    d->dates.send_until_at, d->dates.read_until_at,
	    b->keys + (size_t)(w - b->all->v) * KDF_KEY_BYTES, w->id };
	b->walk.me = w;
	return keyfile_write(&p, (struct env_sink){ sink_put, s }, e);
}

static enum rc
make_key(struct batch *b, struct batch_done *d, struct err *e)
{
	struct key_sink s = { .fd = -1 };
	uint8_t hash[KDF_KEY_BYTES];
	enum rc rc;

	rc = group_file(b->group, GROUP_KEY, b->name, &s.fd, e);
	if (rc != RC_OK)
		return rc;
	kdf_hash_init(&s.hash);
	if ((rc = seal_key(b, d, &s, e)) != RC_OK)
		err_ctx(e, "%s", d->member->id.s);
	kdf_hash_end(&s.hash, hash);
	if (close(s.fd) != 0 && rc == RC_OK)
		rc = err_sys(e, "%s", b->key_path);
	hex_format(hash, (LETTER_DIGITS_BYTES - 1) / 2, d->digits);
	d->bytes = s.n;
	d->grants = b->walk.grants;
	d->entries = b->walk.entries;
	return rc;
}

/* ---- a member ----------------------------------------------------------- */

static enum rc
write_letter(struct batch *b, const struct buf *text, struct err *e)
{
	enum rc rc;
	bool ok;
	int fd;

	rc = group_file(b->group, GROUP_LETTER, b->name, &fd, e);
	if (rc != RC_OK)
		return rc;
	ok = write_all(fd, text->p, text->len);
	if (!ok)
		err_sys(e, "%s", b->letter_path);
	if (close(fd) != 0 && ok)
		ok = err_sys(e, "%s", b->letter_path) == RC_OK;
	return ok ? RC_OK : e->rc;
}

static enum rc
make_letter(struct batch *b, const struct batch_done *d, struct err *e)
{
	const char *slash = strrchr(b->key_path, '/');
	const struct letter l = { .assoc = b->all->assoc,
	    .call = b->all->call, .to = d->member,
	    .issuer = &b->plan->desk->issuer, .year = b->year,
	    .dates = d->dates, .at = b->at, .code = b->code_text,
	    .digits = d->digits, .key_file = slash + 1,
	    .english = b->plan->english };
	struct buf text = BUF_INIT;
	enum rc rc;

	if (letter_format(&l, &text))
		rc = write_letter(b, &text, e);
	else
		rc = err_set(e, RC_NOMEM, _("no memory left"));
	buf_free(&text);
	return rc;
}

/* What the key file is sealed under. */
static void
make_code(struct batch *b, const struct batch_done *d)
{
	uint8_t old[KDF_KEY_BYTES];

	random_bytes(b->code, sizeof(b->code));
	code_format(b->code, b->code_text);
	if (!d->renewal) {
		kdf_code(b->code_key, b->year, b->code);
		return;
	}
	kdf_member(old, b->before, (uint16_t)(b->year - 1), &d->member->id);
	kdf_renewal(b->code_key, old, b->year, b->code);
	wipe(old, sizeof(old));
}

/* Whole, but under temporary names: see settle(). */
static enum rc
make_pair(struct batch *b, struct batch_done *d, struct err *e)
{
	enum rc rc;

	make_code(b, d);
	if ((rc = make_key(b, d, e)) == RC_OK)
		rc = make_letter(b, d, e);
	if (rc == RC_OK)
		group_put(b->group, b->name, d->bytes);
	else
		group_drop(b->group, b->name);
	wipe(b->code, sizeof(b->code));
	wipe(b->code_text, sizeof(b->code_text));
	wipe(b->code_key, sizeof(b->code_key));
	return rc;
}

/* The register's own: it is to remember him. */
static void
note(struct batch *b, const struct batch_done *d)
{
	struct member *w = &b->all->v[d->member - b->all->v];

	if (d->made)
		member_tell(w, b->year, b->all->changed_at);
	else if (member_told(w, b->year) < 0)
		member_tell(w, b->year, 0);
	else
		return;
	b->unsaved = true;
}

static enum rc
do_member(struct batch *b, struct batch_done *d, struct err *e)
{
	enum rc rc;

	b->at = clock_now();
	d->dates = desk_dates(b->year, b->at);
	d->renewal = b->plan->whom == BATCH_RENEW &&
	    desk_knows(b->plan->desk, (uint16_t)(b->year - 1)) &&
	    member_told(d->member, (uint16_t)(b->year - 1)) >= 0;
	if ((rc = set_paths(b, d->member, e)) != RC_OK)
		return rc;
	d->made = access(b->letter_path, F_OK) != 0;
	if (!b->plan->really)
		return RC_OK;
	BUG_ON(d->made && b->root == NULL);
	return d->made ? make_pair(b, d, e) : RC_OK;
}

static bool
is_served(const struct batch_plan *p, const struct member *w, uint16_t year)
{
	if (w->excluded || w->kind == MEMBER_ISSUER)
		return false;
	switch (p->whom) {
	case BATCH_ALL:
		return true;
	case BATCH_ONE:
		return w == p->one;
	case BATCH_TABLE:
		return w->listed && member_told(w, year) < 0;
	case BATCH_RENEW:
		return member_told(w, year) < 0;
	}
	return false;
}

static enum rc
save(struct batch *b, struct err *e)
{
	b->unsaved = false;
	b->saved_ms = clock_ms();
	return desk_save(b->plan->desk, e);
}

static enum rc
tell(struct batch *b, struct batch_done *d, batch_each *each, void *ctx,
    struct err *e)
{
	enum rc rc = set_paths(b, d->member, e);

	d->key_path = b->key_path;
	d->letter_path = b->letter_path;
	return rc == RC_OK ? each(ctx, d, e) : rc;
}

/* The register hears of a pair only once it is there for good. */
static enum rc
settle(struct batch *b, batch_each *each, void *ctx, struct err *e)
{
	size_t n = b->npending;
	enum rc rc = RC_OK;

	b->npending = 0;
	if (b->plan->really && (rc = group_settle(b->group, e)) != RC_OK)
		return rc;
	for (size_t i = 0; i < n && b->plan->really; i++) {
		b->nmade += b->pending[i].made;
		note(b, &b->pending[i]);
	}
	for (size_t i = 0; i < n && rc == RC_OK; i++) {
		b->pending[i].more = i + 1 < n;
		rc = tell(b, &b->pending[i], each, ctx, e);
	}
	if (rc == RC_OK && b->unsaved && b->plan->whom != BATCH_ONE &&
	    clock_ms() - b->saved_ms >= SAVE_MS)
		rc = save(b, e);
	return rc;
}

static enum rc
take_up(struct batch *b, const struct member *w, batch_each *each, void *ctx,
    struct err *e)
{
	struct batch_done *d = &b->pending[b->npending];
	enum rc rc;

	*d = (struct batch_done){ .member = w, .year = b->year,
	    .at = ++b->done, .of = b->of };
	if ((rc = do_member(b, d, e)) != RC_OK)
		return rc;
	b->npending++;
	return b->npending == GROUP_MAX ||
	    (b->plan->really && group_full(b->group)) ?
	    settle(b, each, ctx, e) : RC_OK;
}

/* Who was before a member that fails keeps his pair. */
static enum rc
do_all(struct batch *b, batch_each *each, void *ctx, struct err *e)
{
	struct err why = ERR_INIT;
	enum rc rc = RC_OK;

	if (b->plan->really && (rc = group_open(b->keys_dir, b->letters_dir,
	    &b->group, e)) != RC_OK)
		return rc;
	for (size_t i = 0; i < b->all->n && rc == RC_OK; i++)
		if (is_served(b->plan, &b->all->v[i], b->year))
			rc = take_up(b, &b->all->v[i], each, ctx, e);
	if (rc == RC_OK)
		rc = settle(b, each, ctx, e);
	else
		(void)settle(b, each, ctx, &why);
	group_close(&b->group);
	return rc;
}

/* The letters of one year that are there. */
static enum rc
gather_year(struct batch *b, struct sheets *s, uint16_t year, struct err *e)
{
	enum rc rc = RC_OK;

	b->year = year;
	for (size_t i = 0; i < b->all->n && rc == RC_OK; i++) {
		const struct member *w = &b->all->v[i];

		if (!w->excluded && w->kind != MEMBER_ISSUER &&
		    (rc = set_paths(b, w, e)) == RC_OK &&
		    access(b->letter_path, F_OK) == 0)
			rc = sheets_add(s, w, b->letter_path, e);
	}
	return rc;
}

/* All that lie in the folder, those of former runs too. */
static enum rc
gather(struct batch *b, struct err *e)
{
	const struct batch_plan *p = b->plan;
	const struct sheets_plan plan = { b->out_dir, b->letters_dir,
	    b->all->assoc, b->year, p->english, b->nmade == 0 };
	struct sheets *s = NULL;
	enum rc rc = sheets_open(&plan, &s, e);

	if (rc == RC_OK && p->out == NULL)
		rc = gather_year(b, s, b->year, e);
	for (size_t i = 0; i < p->nyears && rc == RC_OK && p->out != NULL; i++)
		rc = gather_year(b, s, p->years[i], e);
	return sheets_close(&s, rc, e);
}

/* ---- the whole ---------------------------------------------------------- */

/* What a crash left; a letter, though half, holds a code. */
static void
sweep(const char *dir)
{
	DIR *d = opendir(dir);
	const struct dirent *entry;

	if (d == NULL)
		return;
	while ((entry = readdir(d)) != NULL)
		if (file_temporary(entry->d_name))
			(void)unlinkat(dirfd(d), entry->d_name, 0);
	closedir(d);
}

static enum rc
set_out(struct batch *b, struct err *e)
{
	const struct batch_plan *p = b->plan;
	int n = p->out != NULL ? snprintf(b->out_dir, PATH_MAX, "%s", p->out) :
	    snprintf(b->out_dir, PATH_MAX, "%s/%u", p->desk->dir, b->year);

	return n >= 0 && n < PATH_MAX ? RC_OK : err_set(e, RC_CONF,
	    _("%s: the name is too long"), p->out != NULL ? p->out :
	    p->desk->dir);
}

static enum rc
set_folder(const struct batch *b, const char *name, char out[PATH_MAX],
    struct err *e)
{
	enum rc rc;
	int n = snprintf(out, PATH_MAX, "%s/%s", b->out_dir, name);

	if (n < 0 || n >= PATH_MAX)
		return err_set(e, RC_CONF, _("%s: the name is too long"),
		    b->out_dir);
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

static void
derive(struct batch *b)
{
	for (size_t i = 0; i < b->all->n && b->root != NULL; i++)
		kdf_member(b->keys + i * KDF_KEY_BYTES, b->root, b->year,
		    &b->all->v[i].id);
}

static enum rc
check_year(const struct batch_plan *p, uint16_t year, struct err *e)
{
	if (!desk_knows(p->desk, year))
		return err_set(e, RC_CONF, _("there is no root for %u here"),
		    year);
	if (clock_now() >= desk_dates(year, 0).send_until_at)
		return err_set(e, RC_CONF, _("nobody could write with keys "
		    "of %u any more"), year);
	return RC_OK;
}

enum rc
batch_check(const struct batch_plan *p, struct err *e)
{
	const struct members *m = p->desk->members;
	enum rc rc = RC_OK;

	if (p->nyears == 0)
		return err_set(e, RC_CONF, _("there is no root of a year in "
		    "which one can write: look at the clock, or begin the "
		    "year with sceau issuer renew"));
	for (size_t i = 0; i < p->nyears && rc == RC_OK; i++)
		rc = check_year(p, p->years[i], e);
	if (rc == RC_OK && m->policy == MEMBERS_GATEWAY &&
	    members_desk(m, MEMBER_HUB) == NULL)
		return err_set(e, RC_CONF, _("with the policy gateway members "
		    "reach one another through a hub, and there is none: add "
		    "a line of kind hub"));
	return rc;
}

/* Whoever gets his first key is news to the others, however long ago he was
 * entered: they were not given it before. */
static void
set_keyless(struct batch *b)
{
	for (size_t i = 0; i < b->all->n; i++) {
		struct member *w = &b->all->v[i];
		bool served = is_served(b->plan, w, b->year);

		w->keyless = !served && !member_expects(w, b->year);
		if (b->plan->really && served && !member_expects(w, b->year))
			members_touch(b->all, w);
	}
}

static enum rc
do_year(struct batch *b, uint16_t year, batch_each *each, void *ctx,
    struct err *e)
{
	enum rc rc;

	b->year = b->walk.year = year;
	b->root = desk_root(b->plan->desk, year);
	b->before = desk_root(b->plan->desk, (uint16_t)(year - 1));
	derive(b);
	set_keyless(b);
	if ((rc = set_out(b, e)) != RC_OK ||
	    (rc = set_folder(b, "keys", b->keys_dir, e)) != RC_OK ||
	    (rc = set_folder(b, "letters", b->letters_dir, e)) != RC_OK ||
	    (rc = do_all(b, each, ctx, e)) != RC_OK)
		return rc;
	return b->plan->really ? gather(b, e) : RC_OK;
}

static enum rc
do_years(struct batch *b, batch_each *each, void *ctx, struct err *e)
{
	const struct batch_plan *p = b->plan;
	struct err why = ERR_INIT;
	enum rc rc = RC_OK;

	if (!names_init(&b->names, b->all) || !rings_init(&b->rings, b->all))
		return err_set(e, RC_NOMEM, _("no memory left"));
	set_roles(b);
	b->saved_ms = clock_ms();
	for (size_t i = 0; i < p->nyears; i++)
		for (size_t k = 0; k < b->all->n; k++)
			b->of += is_served(p, &b->all->v[k], p->years[i]);
	for (size_t i = 0; i < p->nyears && rc == RC_OK; i++)
		rc = do_year(b, p->years[i], each, ctx, e);
	if (rc == RC_OK)
		return b->unsaved ? save(b, e) : RC_OK;
	if (b->unsaved && p->whom != BATCH_ONE)
		(void)save(b, &why);
	return rc;
}

enum rc
batch_run(const struct batch_plan *plan, batch_each *each, void *ctx,
    struct err *e)
{
	struct members *all = plan->desk->members;
	struct batch *b = NULL;
	uint8_t *keys = NULL, *kept = NULL;
	enum rc rc;

	if ((rc = batch_check(plan, e)) != RC_OK)
		return rc;
	b = secret_alloc(sizeof(*b));
	keys = secret_alloc(all->n * KDF_KEY_BYTES);
	kept = secret_alloc(ring_walk_kept(all));
	if (b == NULL || keys == NULL || kept == NULL)
		rc = err_set(e, RC_NOMEM, _("no memory left"));
	else {
		b->plan = plan;
		b->all = all;
		b->walk.rings = &b->rings;
		b->walk.all = all;
		b->walk.keys = b->keys = keys;
		b->kept = kept;
		rc = do_years(b, each, ctx, e);
		names_wipe(&b->names);
		rings_wipe(&b->rings);
	}
	secret_free(&keys);
	secret_free(&kept);
	secret_free(&b);
	return rc;
}

size_t
batch_years(const struct desk *d, uint16_t years[BATCH_YEARS_MAX])
{
	size_t n = 0;

	for (size_t i = 0; i < d->nyears && n < BATCH_YEARS_MAX; i++)
		if (clock_now() < desk_dates(d->years[i], 0).send_until_at)
			years[n++] = d->years[i];
	return n;
}
