/* A mail that the clerk takes apart: in memory while it is small, in a file
 * for each delivery when it is not. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/lang.h"
#include "flow/clerk.h"
#include "flow/clerk_report.h"

#define SMALL_BYTES (64 * 1024)

/* What is said is mostly of the same one again, or of the one behind it. */
struct job *
job_find(struct clerk *c, uint32_t id)
{
	for (size_t i = 0; i < CLERK_JOBS_MAX; i++) {
		size_t at = (c->last + i) % CLERK_JOBS_MAX;

		if (c->jobs[at].id == id) {
			c->last = at;
			return &c->jobs[at];
		}
	}
	return NULL;
}

void
job_drop(struct clerk *c, struct job *j)
{
	for (size_t i = job_first(c, j); i < job_end(c, j) && j->begun; i++)
		drop_forget(&j->whole[i]);
	for (size_t i = 0; i < j->npapers; i++)
		drop_forget(&j->papers[i].drop);
	buf_free(&j->mail);
	free(j->whole);
	free(j->papers);
	raw_free(j);
	reports_free(&j->reports);
	memset(j, 0, sizeof(*j));
}

static enum rc
write_files(struct clerk *c, struct job *j, const void *p, size_t len,
    struct err *e)
{
	enum rc rc = RC_OK;

	for (size_t i = job_first(c, j); rc == RC_OK && i < job_end(c, j); i++)
		rc = drop_write(&j->whole[i], p, len, e);
	return rc;
}

static enum rc
begin_files(struct clerk *c, struct job *j, struct err *e)
{
	enum rc rc = RC_OK;

	if ((j->whole = calloc(CLERK_DELIVERIES_MAX, sizeof(*j->whole))) ==
	    NULL)
		return err_nomem(e);
	for (size_t i = job_first(c, j); i < job_end(c, j); i++)
		j->whole[i].fd = -1;
	j->begun = true;
	for (size_t i = job_first(c, j); rc == RC_OK && i < job_end(c, j); i++)
		rc = drop_open(&c->places[i], &j->whole[i], e);
	return rc == RC_OK && j->mail.len > 0 ?
	    write_files(c, j, j->mail.p, j->mail.len, e) : rc;
}

enum rc
job_write(struct clerk *c, struct job *j, const void *p, size_t len,
    struct err *e)
{
	enum rc rc = RC_OK;

	if (!j->begun && j->mail.len + len <= SMALL_BYTES)
		return buf_add(&j->mail, p, len) ? RC_OK : err_nomem(e);
	if (!j->begun)
		rc = begin_files(c, j, e);
	buf_free(&j->mail);
	return rc == RC_OK ? write_files(c, j, p, len, e) : rc;
}

enum rc
job_read(const struct job *j, size_t delivery,
    const struct extract_sink *sink, struct err *e)
{
	return j->begun ? extract(j->whole[delivery].fd, sink, e) :
	    extract_from((struct bytes){ j->mail.p, j->mail.len }, sink, e);
}

enum rc
job_field(const struct job *j, struct field *f, struct err *e)
{
	uint8_t room[FIELD_MAX_BYTES];
	struct bytes head = { j->mail.p, j->mail.len };
	ssize_t n;

	if (j->begun) {
		if ((n = pread(j->whole[0].fd, room, sizeof(room), 0)) < 0)
			return err_sys(e, _("a document"));
		head = (struct bytes){ room, (size_t)n };
	}
	return field_read(head, f, e);
}

enum rc
job_take(struct clerk *c, struct job *j, size_t delivery, struct drop *d,
    struct err *e)
{
	enum rc rc;

	if (j->begun) {
		*d = j->whole[delivery];
		j->whole[delivery] = (struct drop)DROP_INIT;
		return RC_OK;
	}
	rc = drop_open(&c->places[delivery], d, e);
	return rc == RC_OK ? drop_write(d, j->mail.p, j->mail.len, e) : rc;
}

void
job_leave(struct job *j, size_t delivery)
{
	if (j->begun)
		drop_forget(&j->whole[delivery]);
}

/* ---- several deliveries into one folder ----------------------------- */

static bool
one_folder(const struct drop_place *a, const struct drop_place *b)
{
	struct err ignored = ERR_INIT;
	uint64_t x = 0, y = 0;

	return a->maildir == b->maildir && (strcmp(a->path, b->path) == 0 ||
	    (drop_inode(a, &x, &ignored) == RC_OK &&
	    drop_inode(b, &y, &ignored) == RC_OK && x == y));
}

void
places_folders(struct clerk *c)
{
	for (size_t i = 0; i < CLERK_PLACES_MAX; i++) {
		c->folder[i] = i;
		for (size_t n = 0; n < i && c->places[i].path != NULL; n++)
			if (c->places[n].path != NULL &&
			    one_folder(&c->places[n], &c->places[i])) {
				c->folder[i] = n;
				c->shared = true;
				break;
			}
	}
}

/* "jour-1-TOKEN.hpr" is "jour-1_2-TOKEN.hpr" then. */
static enum rc
name_apart(const struct job *j, const char *given, unsigned n,
    char name[CLERK_NAME_BYTES], struct err *e)
{
	const char *token = strstr(given, j->token);

	if (token == NULL || token == given || snprintf(name,
	    CLERK_NAME_BYTES, "%.*s_%u-%s", (int)(token - given) - 1, given,
	    n, token) >= CLERK_NAME_BYTES)
		return err_set(e, RC_CONF, _("two deliveries file into one "
		    "folder, under names that are too long"));
	return RC_OK;
}

/* An earlier one of another delivery, which is to lie under that name. */
static const struct paper *
in_the_way(const struct clerk *c, const struct job *j, size_t at)
{
	const struct paper *p = &j->papers[at];

	for (size_t i = 0; i < at; i++) {
		const struct paper *q = &j->papers[i];

		if (q->place != p->place &&
		    c->folder[q->place] == c->folder[p->place] &&
		    strcmp(q->name, p->name) == 0)
			return q;
	}
	return NULL;
}

static enum rc
apart(const struct clerk *c, struct job *j, size_t at, struct err *e)
{
	struct paper *p = &j->papers[at];
	const struct paper *q;
	char given[CLERK_NAME_BYTES];
	bool alike = false;
	enum rc rc = RC_OK;

	memcpy(given, p->name, sizeof(given));
	for (unsigned n = 2; rc == RC_OK && !alike &&
	    (q = in_the_way(c, j, at)) != NULL; n++) {
		rc = drop_alike(&q->drop, &p->drop, &alike, e);
		if (rc == RC_OK && !alike)
			rc = name_apart(j, given, n, p->name, e);
	}
	return rc;
}

enum rc
papers_apart(const struct clerk *c, struct job *j, size_t from,
    struct err *e)
{
	enum rc rc = RC_OK;

	for (size_t i = from; rc == RC_OK && c->shared && i < j->npapers; i++)
		if (j->papers[i].name[0] != '\0')
			rc = apart(c, j, i, e);
	return rc;
}
