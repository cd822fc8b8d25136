#include "config.h"

#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/lang.h"
#include "issuer/begun.h"

#define NAME "reissuing"
#define MAX_BYTES 65536
#define BEGUN_S 86400

static enum rc
begun_read(const struct desk *d, struct buf *b, struct err *e)
{
	char path[PATH_MAX];
	enum rc rc = desk_path(d->dir, NAME, path, e);

	if (rc != RC_OK || access(path, F_OK) != 0)
		return rc;
	return file_read(path, MAX_BYTES, b, e);
}

/* Is it his line?  Then since when: 0, if that cannot be read. */
static bool
is_his(struct bytes line, const struct identity *id, int64_t *at)
{
	struct bytes who = identity_bytes(id);
	char text[CLOCK_3339_BYTES];
	size_t n;

	if (line.len <= who.len || line.p[who.len] != '\t' ||
	    memcmp(line.p, who.p, who.len) != 0)
		return false;
	*at = 0;
	n = line.len - who.len - 1;
	if (n < sizeof(text)) {
		memcpy(text, line.p + who.len + 1, n);
		text[n] = '\0';
		if (!clock_of_3339(text, at))
			*at = 0;
	}
	return true;
}

/* All lines but his; when he was noted, -1: never. */
static enum rc
others(const struct desk *d, const struct identity *id, struct buf *out,
    int64_t *at, struct err *e)
{
	struct buf b = BUF_INIT;
	struct bytes left, line;
	bool ok = true;
	enum rc rc = begun_read(d, &b, e);

	*at = -1;
	left = (struct bytes){ b.p, b.len };
	while (rc == RC_OK && ok && left.len > 0) {
		const uint8_t *nl = memchr(left.p, '\n', left.len);

		line = left;
		line.len = nl != NULL ? (size_t)(nl - left.p) : left.len;
		left.p += line.len + (nl != NULL);
		left.len -= line.len + (nl != NULL);
		if (!is_his(line, id, at))
			ok = buf_add(out, line.p, line.len) &&
			    buf_adds(out, "\n");
	}
	buf_free(&b);
	return rc == RC_OK && !ok ? err_nomem(e) : rc;
}

enum rc
begun_is(const struct desk *d, const struct identity *id, bool *is,
    struct err *e)
{
	struct buf ignored = BUF_INIT;
	int64_t at, now = clock_now();
	enum rc rc = others(d, id, &ignored, &at, e);

	*is = rc == RC_OK && at > now - BEGUN_S && at < now + BEGUN_S;
	buf_free(&ignored);
	return rc;
}

enum rc
begun_note(const struct desk *d, const struct identity *id, struct err *e)
{
	char path[PATH_MAX], now[CLOCK_3339_BYTES];
	struct buf b = BUF_INIT;
	int64_t at;
	enum rc rc = others(d, id, &b, &at, e);

	clock_3339(clock_now(), now);
	if (rc == RC_OK && !buf_addf(&b, "%s\t%s\n", id->s, now))
		rc = err_nomem(e);
	if (rc == RC_OK && (rc = desk_path(d->dir, NAME, path, e)) == RC_OK)
		rc = file_write(path, b.p, b.len, 0600, e);
	buf_free(&b);
	return rc;
}

enum rc
begun_end(const struct desk *d, const struct identity *id, struct err *e)
{
	struct buf b = BUF_INIT;
	char path[PATH_MAX];
	int64_t at;
	enum rc rc = others(d, id, &b, &at, e);

	if (rc == RC_OK && at != -1 &&
	    (rc = desk_path(d->dir, NAME, path, e)) == RC_OK) {
		if (b.len > 0)
			rc = file_write(path, b.p, b.len, 0600, e);
		else if (unlink(path) != 0 || !dir_sync(d->dir))
			rc = err_sys(e, "%s", path);
	}
	buf_free(&b);
	return rc;
}
