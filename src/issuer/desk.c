#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/lang.h"
#include "issuer/acts.h"
#include "issuer/desk.h"
#include "vault/sealed.h"
#include "base/utf8.h"

#define REC_ROOT 0xe1	/* year(2) root(32); never leaves this machine */
#define ROOT_BYTES (2 + KDF_KEY_BYTES)
#define STORE_MAX 65536
#define PASS_LEVEL ENV_PASS2	/* PROTOCOL 2.6: the level for people */

struct desk_dates
desk_dates(uint16_t year, int64_t issued_at)
{
	struct desk_dates d = { clock_utc(year, 1, 1),
	    clock_utc(year + 1, 2, 1), clock_utc(year + 1, 4, 1) };

	if (issued_at > d.from_at)
		d.from_at = issued_at;
	return d;
}

enum rc
desk_path(const char *dir, const char *name, char out[PATH_MAX], struct err *e)
{
	int n = snprintf(out, PATH_MAX, "%s/%s", dir, name);

	if (n < 0 || n >= PATH_MAX - 16)
		return err_set(e, RC_CONF, _("%s: the name is too long"),
		    dir);
	return RC_OK;
}

/* ---- the store ---------------------------------------------------------- */

static enum rc
emit(void *ctx, struct sealed_writer *w, struct err *e)
{
	const struct desk *d = ctx;
	struct rec r = { .type = REC_META };
	uint8_t value[ROOT_BYTES];
	enum rc rc;

	r.meta = (struct rec_meta){ 0, 0, d->years[d->nyears - 1],
	    ENV_VERSION };
	rc = sealed_rec(w, &r, e);
	for (size_t i = 0; i < d->nyears && rc == RC_OK; i++) {
		put_be16(value, d->years[i]);
		memcpy(value + 2, d->roots + i * KDF_KEY_BYTES,
		    KDF_KEY_BYTES);
		rc = sealed_raw(w, REC_ROOT, (struct bytes){ value,
		    sizeof(value) }, e);
	}
	wipe(value, sizeof(value));
	return rc;
}

static enum rc
sink_put(void *ctx, const uint8_t *p, size_t len, struct err *e)
{
	return buf_add(ctx, p, len) ? RC_OK :
	    err_set(e, RC_NOMEM, _("no memory left"));
}

static enum rc
write_store(struct desk *d, const uint8_t *key, const struct secret *pass,
    struct err *e)
{
	struct sealed_plan s = { .key = key, .pass = pass, .max = STORE_MAX,
	    .emit = emit, .ctx = d };
	struct buf out = BUF_INIT;
	char path[PATH_MAX];
	enum rc rc;

	s.head.source = key != NULL ? ENV_CHANNEL : PASS_LEVEL;
	s.head.year = d->years[d->nyears - 1];
	s.head.from = d->issuer;
	s.head.to = d->issuer;
	rc = sealed_seal(&s, (struct env_sink){ sink_put, &out }, e);
	if (rc == RC_OK &&
	    (rc = desk_path(d->dir, "issuer.store", path, e)) == RC_OK)
		rc = file_write(path, out.p, out.len, 0600, e);
	buf_free(&out);
	return rc;
}

struct reading {
	struct desk	*d;
	const struct secret *pass;
};

static enum rc
machine_key(const struct desk *d, uint8_t key[KDF_KEY_BYTES], struct err *e)
{
	struct buf b = BUF_INIT;
	char path[PATH_MAX];
	enum rc rc;

	if ((rc = desk_path(d->dir, "issuer.key", path, e)) != RC_OK ||
	    (rc = file_private(path, e)) != RC_OK ||
	    (rc = file_read(path, KDF_KEY_BYTES, &b, e)) != RC_OK)
		return rc;
	if (b.len == KDF_KEY_BYTES)
		memcpy(key, b.p, KDF_KEY_BYTES);
	else
		rc = err_set(e, RC_CONF, _("%s does not hold 32 octets"),
		    path);
	buf_free(&b);
	return rc;
}

static enum rc
store_key(void *ctx, const struct env_head *h, uint8_t key[KDF_KEY_BYTES],
    struct err *e)
{
	const struct reading *r = ctx;

	if (!identity_eq(&h->from, &r->d->issuer) ||
	    !identity_eq(&h->to, &r->d->issuer))
		return err_set(e, RC_CONF, _("register and issuer.store are "
		    "not of the same association"));
	if (h->source == ENV_CHANNEL)
		return machine_key(r->d, key, e);
	if (h->source != PASS_LEVEL)
		return err_set(e, RC_CONF, _("issuer.store is not a store"));
	if (r->pass == NULL)
		return err_set(e, RC_CONF, _("this desk is under a "
		    "passphrase: give it by --pass-file"));
	return kdf_pass(key, 2, (struct bytes){
	    (const uint8_t *)r->pass->p, r->pass->len }, h->salt, e);
}

static enum rc
store_record(void *ctx, uint8_t type, struct bytes value, struct err *e)
{
	struct desk *d = ((struct reading *)ctx)->d;

	if (type == REC_META)
		return RC_OK;
	if (type != REC_ROOT || value.len != ROOT_BYTES ||
	    d->nyears == DESK_YEARS_MAX)
		return err_set(e, RC_CONF, _("issuer.store holds what this "
		    "sceau does not know; use a newer one"));
	d->years[d->nyears] = get_be16(value.p);
	memcpy(d->roots + d->nyears * KDF_KEY_BYTES, value.p + 2,
	    KDF_KEY_BYTES);
	d->nyears++;
	return RC_OK;
}

static enum rc
read_store(struct desk *d, const struct secret *pass, struct err *e)
{
	struct reading r = { d, pass };
	const struct sealed_events on = { &r, STORE_MAX, store_key,
	    store_record };
	char path[PATH_MAX];
	enum rc rc;
	int fd;

	if ((rc = desk_path(d->dir, "issuer.store", path, e)) != RC_OK)
		return rc;
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) < 0)
		return err_set(e, RC_CONF, _("%s: %s"), path,
		    lang_errno(errno));
	rc = sealed_read(fd, &on, e);
	close(fd);
	if (rc == RC_INPUT && e->class == EC_HEADER)
		rc = err_set(e, RC_CONF, pass != NULL ?
		    _("wrong passphrase, or %s is damaged") :
		    _("issuer.key does not open %s, or it is damaged"), path);
	else if (rc == RC_INPUT) {
		err_ctx(e, "%s", path);
		e->class = EC_NONE;
		rc = e->rc = RC_CONF;
	}
	if (rc == RC_OK && d->nyears == 0)
		rc = err_set(e, RC_CONF, _("%s holds no root"), path);
	return rc;
}

/* ---- the register ------------------------------------------------------- */

enum rc
desk_save(const struct desk *d, struct err *e)
{
	struct buf out = BUF_INIT;
	char path[PATH_MAX];
	enum rc rc = desk_path(d->dir, "register", path, e);

	if (rc == RC_OK && !members_format(d->members, &out))
		rc = err_set(e, RC_NOMEM, _("no memory left"));
	if (rc == RC_OK)
		rc = file_write(path, out.p, out.len, 0600, e);
	buf_free(&out);
	return rc;
}

static enum rc
read_register(struct desk *d, struct err *e)
{
	const struct member *issuer;
	struct buf in = BUF_INIT;
	char path[PATH_MAX];
	enum rc rc = desk_path(d->dir, "register", path, e);

	if (rc == RC_OK &&
	    (rc = file_read(path, MEMBERS_FILE_MAX, &in, e)) == RC_OK &&
	    (rc = members_parse(in.p, in.len, &d->members, e)) != RC_OK)
		err_ctx(e, "%s", path);
	buf_free(&in);
	if (rc != RC_OK)
		return rc;
	if ((issuer = members_desk(d->members, MEMBER_ISSUER)) == NULL)
		return err_set(e, RC_CONF, _("%s names no issuer"), path);
	d->issuer = issuer->id;
	return RC_OK;
}

/* ---- opening ------------------------------------------------------------ */

static enum rc
desk_new(const char *dir, struct desk **d, struct err *e)
{
	*d = calloc(1, sizeof(**d));
	if (*d != NULL) {
		(*d)->lock = -1;
		(*d)->dir = strdup(dir);
		(*d)->roots = secret_alloc(DESK_YEARS_MAX * KDF_KEY_BYTES);
	}
	if (*d != NULL && (*d)->dir != NULL && (*d)->roots != NULL)
		return RC_OK;
	desk_close(d);
	return err_set(e, RC_NOMEM, _("no memory left"));
}

void
desk_close(struct desk **d)
{
	if (*d == NULL)
		return;
	members_free(&(*d)->members);
	if ((*d)->lock >= 0)
		close((*d)->lock);
	secret_free(&(*d)->roots);
	free((*d)->dir);
	free(*d);
	*d = NULL;
}

/* The folder itself is the lock: nothing of it stays behind. */
static enum rc
lock_folder(struct desk *d, struct err *e)
{
	enum rc rc;

	if ((rc = file_private(d->dir, e)) != RC_OK)
		return rc;
	d->lock = open(d->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (d->lock < 0)
		return err_set(e, RC_CONF, _("%s: %s"), d->dir,
		    lang_errno(errno));
	if (flock(d->lock, LOCK_EX | LOCK_NB) != 0)
		return err_set(e, RC_CONF, _("another sceau is at work in "
		    "%s; wait for it"), d->dir);
	return RC_OK;
}

enum rc
desk_open(const char *dir, const struct secret *pass, struct desk **d,
    struct err *e)
{
	enum rc rc;

	if ((rc = desk_new(dir, d, e)) != RC_OK)
		return rc;
	if ((rc = lock_folder(*d, e)) != RC_OK ||
	    (rc = read_register(*d, e)) != RC_OK ||
	    (rc = read_store(*d, pass, e)) != RC_OK)
		desk_close(d);
	return rc;
}

const uint8_t *
desk_root(const struct desk *d, uint16_t year)
{
	for (size_t i = 0; i < d->nyears; i++)
		if (d->years[i] == year)
			return d->roots + i * KDF_KEY_BYTES;
	return NULL;
}

/* ---- making ------------------------------------------------------------- */

/* An association's name by the grammar of identities, with any address. */
static enum rc
check_assoc(const char *name, struct err *e)
{
	struct identity id;
	char s[IDENTITY_MAX_BYTES];
	int n = snprintf(s, sizeof(s), "%s/name@domain.example", name);

	if (n > 0 && (size_t)n < sizeof(s) && strchr(name, '/') == NULL &&
	    identity_parse_name(s, (size_t)n, &id))
		return RC_OK;
	return err_set(e, RC_CONF, _("--assoc %s: a short name is wanted: "
	    "a letter, then letters, digits and dashes, without accents, in "
	    "lower case, 32 at most"), name);
}

static enum rc
add_desk(struct members *m, enum member_kind kind, const char *address,
    const char *route, const char *show, struct err *e)
{
	const struct member_new w = {
		{ (const uint8_t *)address, strlen(address) },
		{ (const uint8_t *)route, strlen(route) },
		{ (const uint8_t *)show, strlen(show) }, { NULL, 0 }, kind,
		{ NULL, 0 } };
	enum member_add how;

	if (members_add(m, &w, &how, e) == RC_OK)
		return RC_OK;
	err_ctx(e, "%s", address);
	if (e->rc == RC_INPUT)
		e->rc = RC_CONF;
	return e->rc;
}

static enum rc
add_desks(struct members *m, const struct desk_plan *p, struct err *e)
{
	char issuer[512], watch[512];
	enum rc rc;

	snprintf(issuer, sizeof(issuer), "association@%s", p->domain);
	snprintf(watch, sizeof(watch), "veille@%s", p->domain);
	if (p->issuer != NULL)
		snprintf(issuer, sizeof(issuer), "%s", p->issuer);
	if (p->watch != NULL)
		snprintf(watch, sizeof(watch), "%s", p->watch);
	rc = add_desk(m, MEMBER_ISSUER, issuer, issuer, "Association", e);
	if (rc == RC_OK)
		rc = add_desk(m, MEMBER_WATCH, watch, watch, "Veille", e);
	if (rc == RC_OK && p->hub != NULL)
		rc = add_desk(m, MEMBER_HUB, p->hub, p->hub_route,
		    "Passerelle", e);
	return rc;
}

static enum rc
check_year(uint16_t year, struct err *e)
{
	const int64_t now = clock_now();

	if (now >= desk_dates(year, 0).send_until_at)
		return err_set(e, RC_CONF, _("nobody could write with keys "
		    "of %u any more: look at --year and at the clock"), year);
	if (now < clock_utc(year - 2, 1, 1))
		return err_set(e, RC_CONF, _("%u is too far ahead: look at "
		    "--year and at the clock"), year);
	return RC_OK;
}

static enum rc
check_call(const char *call, struct err *e)
{
	const uint8_t *p = (const uint8_t *)call;
	size_t len = strlen(call);
	uint32_t c;

	if (len > MEMBERS_CALL_BYTES)
		return err_set(e, RC_CONF, _("--call has more than %d "
		    "octets"), MEMBERS_CALL_BYTES);
	for (size_t at = 0; at < len; )
		if (!utf8_next(p, len, &at, &c) || utf8_control(c))
			return err_set(e, RC_CONF, _("--call must be one "
			    "line of UTF-8"));
	return RC_OK;
}

/* Not there, or empty. */
static enum rc
check_folder(const char *dir, struct err *e)
{
	DIR *d = opendir(dir);
	const struct dirent *entry;
	bool empty = true;

	if (d == NULL)
		return errno == ENOENT ? RC_OK : err_set(e, RC_CONF,
		    _("%s: %s"), dir, lang_errno(errno));
	while ((entry = readdir(d)) != NULL)
		if (strcmp(entry->d_name, ".") != 0 &&
		    strcmp(entry->d_name, "..") != 0)
			empty = false;
	closedir(d);
	return empty ? file_private(dir, e) : err_set(e, RC_CONF, _("%s is "
	    "not empty; nothing was changed: name a new folder"), dir);
}

static enum rc
note_init(const struct desk *d, const struct desk_plan *p, struct err *e)
{
	char what[64];

	snprintf(what, sizeof(what), "assoc=%s year=%u", p->assoc, p->year);
	return acts_note(d, "init", what, e);
}

static enum rc
make_files(struct desk *d, const struct desk_plan *p, struct err *e)
{
	uint8_t key[KDF_KEY_BYTES];
	char path[PATH_MAX];
	enum rc rc;

	if ((rc = desk_path(p->dir, "issuer.key", path, e)) != RC_OK ||
	    (rc = file_mkdirs(p->dir, 0700, e)) != RC_OK ||
	    (rc = lock_folder(d, e)) != RC_OK)
		return rc;
	random_bytes(d->roots, KDF_KEY_BYTES);
	if (p->pass == NULL) {
		random_bytes(key, sizeof(key));
		rc = file_create(path, key, sizeof(key), 0400, e);
		if (rc == RC_OK)
			rc = write_store(d, key, NULL, e);
		wipe(key, sizeof(key));
	} else
		rc = write_store(d, NULL, p->pass, e);
	/* The register last: with it the desk is there. */
	if (rc == RC_OK && (rc = acts_begin(d, e)) == RC_OK &&
	    (rc = note_init(d, p, e)) == RC_OK)
		rc = desk_save(d, e);
	return rc;
}

enum rc
desk_init(const struct desk_plan *p, bool really, struct err *e)
{
	struct desk *d = NULL;
	enum rc rc;

	if ((rc = check_assoc(p->assoc, e)) != RC_OK ||
	    (p->call != NULL && (rc = check_call(p->call, e)) != RC_OK) ||
	    (rc = check_year(p->year, e)) != RC_OK ||
	    (rc = check_folder(p->dir, e)) != RC_OK ||
	    (rc = desk_new(p->dir, &d, e)) != RC_OK)
		return rc;
	d->years[d->nyears++] = p->year;
	if ((d->members = members_new(p->assoc)) == NULL)
		rc = err_set(e, RC_NOMEM, _("no memory left"));
	else
		rc = add_desks(d->members, p, e);
	if (rc == RC_OK && p->call != NULL)
		snprintf(d->members->call, sizeof(d->members->call), "%s",
		    p->call);
	if (rc == RC_OK) {
		d->issuer = members_desk(d->members, MEMBER_ISSUER)->id;
		rc = really ? make_files(d, p, e) : RC_OK;
	}
	desk_close(&d);
	return rc;
}
