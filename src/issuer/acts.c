#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/lang.h"
#include "issuer/acts.h"

#define HEX (2 * CHAIN_HASH_BYTES)
#define TAIL_BYTES 4096		/* more than a line has */

static const char zeros[HEX + 1] = "00000000000000000000000000000000"
    "00000000000000000000000000000000";

/* The hash of a line that follows one with the hash ${before}. */
static bool
hash_of(const char *before, struct bytes text, char out[HEX + 1])
{
	uint8_t hash[CHAIN_HASH_BYTES];
	struct buf b = BUF_INIT;
	bool ok = buf_addf(&b, "%s\n", before) &&
	    buf_add(&b, text.p, text.len) && buf_adds(&b, "\n");

	if (ok) {
		chain_hash(b.p, b.len, hash);
		hex_format(hash, sizeof(hash), out);
	}
	buf_free(&b);
	return ok;
}

/* ---- reading ------------------------------------------------------------ */

/* Of a line that was never confirmed. */
static void
cut_half(struct buf *b)
{
	while (b->len > 0 && b->p[b->len - 1] != '\n')
		b->len--;
}

static enum rc
load(const char *dir, struct buf *b, struct err *e)
{
	char path[PATH_MAX];
	enum rc rc = desk_path(dir, "acts", path, e);

	if (rc == RC_OK)
		rc = file_read(path, ACTS_MAX_BYTES, b, e);
	if (rc != RC_OK)
		return rc;
	cut_half(b);
	return RC_OK;
}

/* The next line, its end now a NUL; NULL: there is none. */
static char *
line_next(struct buf *b, size_t *at, size_t *len)
{
	char *line = (char *)b->p + *at, *nl;

	if (*at >= b->len ||
	    (nl = memchr(line, '\n', b->len - *at)) == NULL)
		return NULL;
	*nl = '\0';
	*len = (size_t)(nl - line);
	*at += *len + 1;
	return line;
}

/* The last field of a line, or NULL when it is no hash. */
static const char *
line_hash(const char *line, size_t len)
{
	uint8_t ignored[CHAIN_HASH_BYTES];

	if (len <= HEX || line[len - HEX - 1] != '\t' ||
	    !hex_parse(line + len - HEX, ignored, sizeof(ignored)))
		return NULL;
	return line + len - HEX;
}

/* Cut the line in its fields, those that are there. */
static void
line_cut(char *line, struct act *a)
{
	char *act = strchr(line, '\t'), *what;

	if (act == NULL)
		return;
	*act++ = '\0';
	if ((what = strchr(act, '\t')) == NULL)
		return;
	*what++ = '\0';
	what[strcspn(what, "\t")] = '\0';
	if (!clock_of_3339(line, &a->at))
		a->at = 0;
	a->act = act;
	a->what = what;
}

static enum rc
line_check(char *line, size_t len, struct acts_sum *sum, struct act *a,
    struct err *e)
{
	const char *before = sum->n == 0 ? zeros : sum->last,
	    *hash = line_hash(line, len);
	char want[HEX + 1] = "";

	*a = (struct act){ .line = ++sum->n, .act = "", .what = line,
	    .hash = "" };
	if (hash != NULL) {
		if (!hash_of(before, (struct bytes){ (const uint8_t *)line,
		    len - HEX - 1 }, want))
			return err_nomem(e);
		a->hash = hash;
		a->whole = strcmp(hash, want) == 0;
	}
	if (!a->whole && sum->broken == 0)
		sum->broken = a->line;
	memcpy(sum->last, hash != NULL ? hash : zeros, HEX + 1);
	line_cut(line, a);
	return RC_OK;
}

enum rc
acts_read(const char *dir, acts_each *each, void *ctx, struct acts_sum *sum,
    struct err *e)
{
	struct buf b = BUF_INIT;
	size_t at = 0, len;
	struct act a;
	char *line;
	enum rc rc = load(dir, &b, e);

	memset(sum, 0, sizeof(*sum));
	while (rc == RC_OK && (line = line_next(&b, &at, &len)) != NULL)
		if ((rc = line_check(line, len, sum, &a, e)) == RC_OK)
			rc = each(ctx, &a, e);
	buf_free(&b);
	return rc;
}

/* ---- writing ------------------------------------------------------------ */

enum rc
acts_begin(const struct desk *d, struct err *e)
{
	char path[PATH_MAX];
	enum rc rc = desk_path(d->dir, "acts", path, e);

	return rc == RC_OK ? file_create(path, "", 0, 0600, e) : rc;
}

static enum rc
read_from(int fd, size_t at, size_t len, struct buf *b)
{
	ssize_t n;

	buf_wipe(b);
	if (!buf_reserve(b, len))
		return RC_NOMEM;
	if (lseek(fd, (off_t)at, SEEK_SET) < 0 ||
	    (n = read_full(fd, b->p, len)) < 0)
		return RC_TEMP;
	b->len = (size_t)n;
	cut_half(b);
	return RC_OK;
}

static size_t
last_line(const struct buf *b)
{
	size_t from = b->len > 0 ? b->len - 1 : 0;

	while (from > 0 && b->p[from - 1] != '\n')
		from--;
	return from;
}

/* The journal from ${*at} on: no more of it than where its last line begins. */
static enum rc
read_end(const char *path, size_t *at, struct buf *b, struct err *e)
{
	size_t len = TAIL_BYTES, size;
	enum rc rc = RC_TEMP;
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return err_set(e, RC_CONF, _("%s: %s"), path,
		    lang_errno(errno));
	if (fstat(fd, &st) == 0)
		do {
			size = (size_t)st.st_size;
			*at = len < size ? size - len : 0;
			rc = read_from(fd, *at, size - *at, b);
			len *= 2;
		} while (rc == RC_OK && *at > 0 && last_line(b) == 0);
	if (rc != RC_OK)
		rc = rc == RC_NOMEM ? err_nomem(e) : err_sys(e, "%s", path);
	close(fd);
	return rc;
}

/* The hash of the last line, and where it ends in the file. */
static enum rc
find_end(const struct desk *d, const char *path, char last[HEX + 1],
    size_t *end, struct err *e)
{
	struct buf b = BUF_INIT;
	const char *hash = zeros;
	size_t at = 0, from;
	enum rc rc = read_end(path, &at, &b, e);

	*end = at + b.len;
	if (rc == RC_OK && b.len > 0) {
		from = last_line(&b);
		b.p[b.len - 1] = '\0';
		hash = line_hash((const char *)b.p + from, b.len - 1 - from);
		if (hash == NULL)
			rc = err_set(e, RC_CONF, _("the last line of the "
			    "journal %s/acts is none of sceau's: look at it, "
			    "and into a backup, before anything else is done "
			    "at this desk"), d->dir);
	}
	if (rc == RC_OK)
		memcpy(last, hash, HEX + 1);
	buf_free(&b);
	return rc;
}

/* What a write that failed, or a power cut, left there is cut off first. */
static enum rc
append(const char *path, size_t end, const struct buf *line, struct err *e)
{
	enum rc rc = RC_OK;
	int fd;

	if ((fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC)) < 0)
		return err_sys(e, "%s", path);
	if (ftruncate(fd, (off_t)end) != 0 ||
	    !write_all(fd, line->p, line->len) || !file_sync(fd))
		rc = err_sys(e, "%s", path);
	close(fd);
	return rc;
}

/* One line: nothing that could be taken for its end, or for a field's. */
static void
make_plain(char *s)
{
	for (; *s != '\0'; s++)
		if ((unsigned char)*s < ' ' || *s == 0x7f)
			*s = '?';
}

static bool
line_make(const char *act, const char *what, const char *before,
    struct buf *line)
{
	char now[CLOCK_3339_BYTES], hash[HEX + 1];
	size_t at;

	clock_3339(clock_now(), now);
	if (!buf_addf(line, "%s\t%s\t", now, act))
		return false;
	at = line->len;
	if (!buf_adds(line, what) || buf_str(line) == NULL)
		return false;
	make_plain((char *)line->p + at);
	return hash_of(before, (struct bytes){ line->p, line->len }, hash) &&
	    buf_addf(line, "\t%s\n", hash);
}

enum rc
acts_note(const struct desk *d, const char *act, const char *what,
    struct err *e)
{
	struct buf line = BUF_INIT;
	char last[HEX + 1], path[PATH_MAX];
	size_t end;
	enum rc rc;

	BUG_ON(act[strspn(act, "abcdefghijklmnopqrstuvwxyz-")] != '\0');
	FAULT("acts.note.before");
	if ((rc = desk_path(d->dir, "acts", path, e)) == RC_OK &&
	    (rc = find_end(d, path, last, &end, e)) == RC_OK &&
	    !line_make(act, what, last, &line))
		rc = err_nomem(e);
	if (rc == RC_OK)
		rc = append(path, end, &line, e);
	buf_free(&line);
	FAULT("acts.note.after");
	return rc;
}
