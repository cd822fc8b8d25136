#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/lang.h"
#include "flow/outaway.h"
#include "flow/outscan.h"

/* Read beyond OUTSCAN_MAX before the first of all are chosen again. */
#define ROOM (OUTSCAN_MAX / 4)

/* While it grows, names are offsets into s->names. */
struct row {
	size_t			folder, name;
	struct outscan_entry	e;
};

struct listing {
	struct outscan	*s;
	DIR		*dir;
	const char	*name;		/* of the folder, or "" */
	size_t		 folder;	/* offset of it in s->names */
	bool		 top;
	struct stat	 sent, refused, aliases;	/* st_ino 0: none */
};

struct outfile_id
outfile_id(const struct stat *st)
{
#ifdef __APPLE__
	const struct timespec *t = &st->st_mtimespec;
#else
	const struct timespec *t = &st->st_mtim;
#endif

	return (struct outfile_id){ (uint64_t)st->st_ino,
	    (int64_t)t->tv_sec * 1000000000 + t->tv_nsec,
	    (uint64_t)st->st_size };
}

bool
outfile_same(const struct outfile_id *a, const struct outfile_id *b)
{
	return a->ino == b->ino && a->mtime_ns == b->mtime_ns &&
	    a->size == b->size;
}

static bool
same_file(const struct stat *a, const struct stat *b)
{
	return a->st_ino != 0 && a->st_ino == b->st_ino &&
	    a->st_dev == b->st_dev;
}

static bool
ends_in_ok(const char *name)
{
	size_t len = strlen(name);

	return len > 3 && strcasecmp(name + len - 3, ".ok") == 0;
}

/* Up to its last dot, if that is not its first character. */
static size_t
stem_of(const char *name, size_t len)
{
	for (size_t i = len; i-- > 1;)
		if (name[i] == '.')
			return i;
	return len;
}

/* That of the name which a temporary one stands for: "x.pdf.tmp" is x. */
static size_t
stem_of_temporary(const char *name)
{
	size_t len = strlen(name);

	if (name[0] == '.')
		return stem_of(name, len);
	return stem_of(name, name[len - 1] == '~' ? len - 1 :
	    stem_of(name, len));
}

static bool
put_name(struct buf *b, const char *name)
{
	return buf_add(b, name, strlen(name) + 1);
}

static int
compare_stem(const struct outscan_entry *a, const char *folder,
    struct bytes stem)
{
	size_t n = a->stem < stem.len ? a->stem : stem.len;
	int d = strcmp(a->folder, folder);

	if (d == 0)
		d = memcmp(a->name, stem.p, n);
	return d != 0 ? d : a->stem < stem.len ? -1 : a->stem > stem.len;
}

static int
by_stem(const void *a, const void *b)
{
	const struct outscan_entry *x = a, *y = b;
	int d = compare_stem(x, y->folder, (struct bytes){
	    (const uint8_t *)y->name, y->stem });

	return d != 0 ? d : strcmp(x->name, y->name);
}

/* Offsets become names, now that these stay where they are. */
static enum rc
settle(struct outscan *s, struct err *e)
{
	const struct row *r = (const struct row *)(const void *)s->rows.p;

	if (s->n == 0)
		return RC_OK;
	if ((s->entry = calloc(s->n, sizeof(*s->entry))) == NULL)
		return err_set(e, RC_NOMEM, _("no memory left"));
	for (size_t i = 0; i < s->n; i++) {
		s->entry[i] = r[i].e;
		s->entry[i].folder = (const char *)s->names.p + r[i].folder;
		s->entry[i].name = (const char *)s->names.p + r[i].name;
	}
	qsort(s->entry, s->n, sizeof(*s->entry), by_stem);
	buf_free(&s->rows);
	return RC_OK;
}

/* ${s} is full: the first of what was read stay, with their names. */
static enum rc
keep_first(struct listing *l, struct err *e)
{
	struct outscan *s = l->s;
	struct buf names = BUF_INIT, rows = BUF_INIT;
	struct row r = { 0, 0, { .name = NULL } };
	enum rc rc = settle(s, e);
	bool ok = rc == RC_OK && buf_add8(&names, '\0');

	for (size_t i = 0; ok && i < OUTSCAN_MAX; i++) {
		const struct outscan_entry *x = &s->entry[i];

		if (strcmp(x->folder, i == 0 ? "" : x[-1].folder) != 0) {
			r.folder = names.len;
			ok = put_name(&names, x->folder);
		}
		r.name = names.len;
		r.e = *x;
		ok = ok && put_name(&names, x->name) &&
		    buf_add(&rows, &r, sizeof(r));
	}
	l->folder = l->top ? 0 : names.len;
	ok = ok && (l->top || put_name(&names, l->name));
	free(s->entry);
	s->entry = NULL;
	s->n = OUTSCAN_MAX;
	s->more = true;
	buf_free(&s->names);
	buf_free(&s->rows);
	s->names = names;
	s->rows = rows;
	return rc != RC_OK ? rc : ok ? RC_OK :
	    err_set(e, RC_NOMEM, _("no memory left"));
}

/* What was looked at is not looked at again. */
static bool
is_behind(const struct outscan *s, const struct outscan_entry *x)
{
	const char *folder = (const char *)s->after.p;
	size_t len;

	if (s->after.len == 0)
		return true;
	len = strlen(folder) + 1;
	return compare_stem(x, folder, (struct bytes){ s->after.p + len,
	    s->after.len - len }) > 0;
}

static enum rc
add(struct listing *l, const char *name, const struct stat *st,
    enum outscan_kind kind, struct err *e)
{
	struct outscan *s = l->s;
	struct row r = { 0, 0, { .folder = l->name, .kind = kind,
	    .hidden = kind == OUTSCAN_WRITING && name[0] == '.',
	    .id = outfile_id(st), .changed_at = (int64_t)st->st_ctime } };

	name += r.e.hidden;
	r.e.name = name;
	r.e.stem = kind == OUTSCAN_WRITING ? stem_of_temporary(name) :
	    stem_of(name, strlen(name));
	if (!is_behind(s, &r.e))
		return RC_OK;
	if (s->n == OUTSCAN_MAX + ROOM && keep_first(l, e) != RC_OK)
		return e->rc;
	r.folder = l->folder;
	r.name = s->names.len;
	if (!put_name(&s->names, name) ||
	    !buf_add(&s->rows, &r, sizeof(r)))
		return err_set(e, RC_NOMEM, _("no memory left"));
	s->n++;
	return RC_OK;
}

static enum outscan_kind
kind_of(const struct outscan *s, const char *name, const struct stat *st)
{
	if (file_temporary(name))
		return OUTSCAN_WRITING;
	if (!S_ISREG(st->st_mode))
		return OUTSCAN_OTHER;
	return s->conf->ready == CONF_READY_OK && ends_in_ok(name) ?
	    OUTSCAN_OK : OUTSCAN_FILE;
}

static enum rc list_folder(struct listing *l, int fd, struct err *e);

static enum rc
list_below(struct listing *l, const char *name, struct err *e)
{
	struct listing below = *l;
	struct outscan *s = l->s;
	int fd = openat(s->fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW |
	    O_CLOEXEC);

	if (fd < 0) {
		if (errno != ENOENT)
			err_set(&s->trouble, RC_CONF, "%s/%s: %s",
			    s->conf->path, name, lang_errno(errno));
		return RC_OK;
	}
	below.top = false;
	below.name = name;
	below.folder = s->names.len;
	if (!put_name(&s->names, name)) {
		close(fd);
		return err_set(e, RC_NOMEM, _("no memory left"));
	}
	return list_folder(&below, fd, e);
}

static enum rc
list_name(struct listing *l, const char *name, struct err *e)
{
	struct outscan *s = l->s;
	struct stat st;

	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
	    fstatat(dirfd(l->dir), name, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
	    same_file(&st, &l->sent) || same_file(&st, &l->refused) ||
	    same_file(&st, &l->aliases))
		return RC_OK;
	if (!S_ISDIR(st.st_mode))
		return add(l, name, &st, kind_of(s, name, &st), e);
	return l->top && s->conf->to == NULL &&
	    s->conf->route == CONF_OUTBOX_FOLDER && name[0] != '.' ?
	    list_below(l, name, e) : RC_OK;
}

/* Takes ${fd}. */
static enum rc
list_folder(struct listing *l, int fd, struct err *e)
{
	struct outscan *s = l->s;
	struct dirent *d;
	enum rc rc = RC_OK;

	if (!s->dry && faccessat(fd, ".", W_OK | X_OK, 0) != 0) {
		err_set(&s->trouble, RC_CONF, _("%s/%s cannot be written to "
		    "(%s): nothing of it is sent, for it could not be taken "
		    "away"), s->conf->path, l->name, lang_errno(errno));
		close(fd);
		return RC_OK;
	}
	if (!s->dry)
		outaway_recover(fd);
	if ((l->dir = fdopendir(fd)) == NULL) {
		close(fd);
		return err_sys(e, "%s", s->conf->path);
	}
	while (rc == RC_OK && (d = readdir(l->dir)) != NULL)
		rc = list_name(l, d->d_name, e);
	closedir(l->dir);
	return rc;
}

static void
look_at(const char *path, struct stat *st)
{
	if (path == NULL || stat(path, st) != 0)
		memset(st, 0, sizeof(*st));
}

static enum rc
set_after(struct outscan *s, const char *folder, struct bytes stem,
    struct err *e)
{
	buf_wipe(&s->after);
	return put_name(&s->after, folder) &&
	    buf_add(&s->after, stem.p, stem.len) ? RC_OK :
	    err_set(e, RC_NOMEM, _("no memory left"));
}

static bool
begins_with(const struct outscan_entry *x, const struct outscan_entry *with)
{
	return x->stem >= with->stem &&
	    strcmp(x->folder, with->folder) == 0 &&
	    memcmp(x->name, with->name, with->stem) == 0;
}

/* A group stands together: only the last may go on in what was not kept; and
 * "x.hpr.ok" of those that the last begins like, while others go on. */
static enum rc
end_whole(struct outscan *s, struct err *e)
{
	const struct outscan_entry *last = &s->entry[OUTSCAN_MAX - 1];
	const struct bytes stem = { (const uint8_t *)last->name, last->stem };
	size_t ok = 0;

	for (s->n = OUTSCAN_MAX; s->n > 0 && compare_stem(
	    &s->entry[s->n - 1], last->folder, stem) == 0;)
		s->n--;
	while (ok < s->n && s->conf->ready == CONF_READY_OK &&
	    !begins_with(last, &s->entry[ok]))
		ok++;
	if (ok > 0)
		s->n = ok;
	s->more = s->cut = true;
	if (s->n == 0) {
		err_set(&s->trouble, RC_CONF, _("%s/%s: more than %d files "
		    "have one name up to the last dot: none of them is "
		    "sent"), s->conf->path, last->folder, OUTSCAN_MAX - 1);
		return set_after(s, last->folder, stem, e);
	}
	last = &s->entry[s->n - 1];
	return set_after(s, last->folder, (struct bytes){
	    (const uint8_t *)last->name, last->stem }, e);
}

/* The names behind s->after, as many as are kept. */
static enum rc
list(struct outscan *s, struct err *e)
{
	struct listing l = { .s = s, .top = true, .name = "" };
	enum rc rc;

	buf_free(&s->names);
	buf_free(&s->rows);
	free(s->entry);
	s->entry = NULL;
	s->n = s->at = 0;
	s->more = false;
	look_at(s->conf->sent, &l.sent);
	look_at(s->conf->refused, &l.refused);
	look_at(s->conf->aliases, &l.aliases);
	if (!buf_add8(&s->names, '\0'))
		return err_set(e, RC_NOMEM, _("no memory left"));
	rc = list_folder(&l, openat(s->fd, ".", O_RDONLY | O_DIRECTORY |
	    O_CLOEXEC), e);
	if (rc == RC_OK)
		rc = settle(s, e);
	if (rc == RC_OK && (s->more || s->n > OUTSCAN_MAX))
		rc = end_whole(s, e);
	return rc;
}

enum rc
outscan_open(struct outscan *s, const struct conf_outbox *conf, bool dry,
    struct err *e)
{
	struct stat st;

	memset(s, 0, sizeof(*s));
	s->conf = conf;
	s->dry = dry;
	s->now = clock_now();
	s->fd = open(conf->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->fd < 0 || fstat(s->fd, &st) != 0)
		return err_set(e, RC_CONF, _("%s: %s"), conf->path,
		    lang_errno(errno));
	s->ino = (uint64_t)st.st_ino;
	return list(s, e);
}

bool
outscan_more(struct outscan *s)
{
	struct err e = ERR_INIT;

	if (!s->more)
		return false;
	if (list(s, &e) == RC_OK)
		return true;
	s->trouble = e;
	s->more = false;
	s->n = 0;
	return false;
}

enum rc
outscan_seek(struct outscan *s, const char *folder, struct bytes stem,
    struct err *e)
{
	while (s->at < s->n &&
	    compare_stem(&s->entry[s->at], folder, stem) <= 0)
		s->at++;
	return s->more && s->at == s->n ? set_after(s, folder, stem, e) :
	    RC_OK;
}

/* ---- which are whole ------------------------------------------------- */

static bool
is_quiet(const struct outscan *s, const struct outscan_entry *f)
{
	return s->conf->ready != CONF_READY_QUIET ||
	    s->now - f->changed_at >= s->conf->quiet_s;
}

/* ${ok} is "x.ok" or "x.hpr.ok", and no older than the file. */
static bool
vouches(const struct outscan_entry *ok, const struct outscan_entry *f)
{
	return ok->kind == OUTSCAN_OK && strcmp(ok->folder, f->folder) == 0 &&
	    ok->id.mtime_ns >= f->id.mtime_ns &&
	    ((ok->stem == f->stem && memcmp(ok->name, f->name,
	    f->stem) == 0) || (ok->stem == strlen(f->name) &&
	    memcmp(ok->name, f->name, ok->stem) == 0));
}

/* Entries "x..." stand together: those of "x.hpr" are near. */
static bool
is_vouched(const struct outscan *s, size_t at)
{
	const struct outscan_entry *f = &s->entry[at];

	if (s->conf->ready != CONF_READY_OK)
		return true;
	for (size_t i = at; i-- > 0;)
		if (compare_stem(&s->entry[i], f->folder, (struct bytes){
		    (const uint8_t *)f->name, f->stem }) != 0)
			break;
		else if (vouches(&s->entry[i], f))
			return true;
	for (size_t i = at + 1; i < s->n; i++) {
		const struct outscan_entry *x = &s->entry[i];

		if (!begins_with(x, f))
			break;
		if (vouches(x, f))
			return true;
	}
	return false;
}

static bool
is_whole(const struct outscan *s, size_t at)
{
	const struct outscan_entry *f = &s->entry[at];

	switch (f->kind) {
	case OUTSCAN_FILE:
		return is_quiet(s, f) && is_vouched(s, at);
	case OUTSCAN_WRITING:
		return s->now - f->changed_at > OUTSCAN_STALE_S;
	case OUTSCAN_OTHER:
	case OUTSCAN_OK:
		break;
	}
	return true;
}

static bool
next_of_these(struct outscan *s, struct outgroup *g)
{
	while (s->at < s->n) {
		const struct outscan_entry *first = &s->entry[s->at];
		const struct bytes stem = { (const uint8_t *)first->name,
		    first->stem };
		bool whole = true, some = false;

		g->entry = first;
		for (g->n = 0; s->at < s->n && compare_stem(
		    &s->entry[s->at], first->folder, stem) == 0; s->at++) {
			whole = whole && is_whole(s, s->at);
			some = some || outscan_document(&first[g->n]);
			g->n++;
		}
		if (whole && some)
			return true;
	}
	return false;
}

bool
outscan_next(struct outscan *s, struct outgroup *g)
{
	while (!next_of_these(s, g))
		if (!outscan_more(s))
			return false;
	return true;
}

enum rc
outscan_folder(const struct outscan *s, const char *folder, int *fd,
    struct err *e)
{
	*fd = openat(s->fd, folder[0] == '\0' ? "." : folder, O_RDONLY |
	    O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return *fd >= 0 ? RC_OK : err_sys(e, "%s/%s", s->conf->path, folder);
}

void
outscan_close(struct outscan *s)
{
	if (s->fd >= 0)
		close(s->fd);
	buf_free(&s->names);
	buf_free(&s->rows);
	buf_free(&s->after);
	free(s->entry);
	memset(s, 0, sizeof(*s));
	s->fd = -1;
}
