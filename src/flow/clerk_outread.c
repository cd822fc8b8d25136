/* A group of files is opened, read and checked before anything is sealed. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/file.h"
#include "base/lang.h"
#include "flow/clerk_outbox.h"
#include "flow/patients.h"

#define SNIFF_BYTES 4096

bool
outjob_wrong(struct outjob *j, size_t doc, unsigned line, const char *code,
    const char *text)
{
	bool ok = true;

	if (j->nreasons++ == 0) {
		j->line = line;
		j->code = code;
		j->doubtful = (unsigned)doc + 1;
		err_class(&j->why, EC_POLICY, "%s", text);
	}
	if (j->nreasons > OUTLINES_MAX)
		return true;
	if (j->ndocs > 1 && doc < j->ndocs)
		ok = buf_addf(&j->reasons, "%s, ", j->doc[doc].e->name);
	if (ok && line > 0)
		ok = buf_addf(&j->reasons, _("line %u: "), line);
	return ok && buf_addf(&j->reasons, "%s\n", text);
}

bool
outjob_forms(struct outjob *j, const struct hprim_patient *p, unsigned n)
{
	bool ok = true;

	for (unsigned i = 0; ok && i < n && j->nforms < STORE_REPORTS_MAX; i++)
		ok = patients_form(&p[i], &j->forms, &j->nforms);
	return ok;
}

/* ---- opening --------------------------------------------------------- */

/* It is left where it is, for now. */
static enum rc
leave(struct outjob *j, const char *text)
{
	err_set(&j->why, RC_TEMP, "%s", text);
	return RC_OK;
}

static enum rc
cannot_open(struct outjob *j, size_t i, struct err *e)
{
	if (errno == ENOENT)
		return leave(j, _("the file has gone"));
	if (errno != EACCES && errno != EPERM && errno != ELOOP &&
	    errno != ENXIO && errno != EISDIR) {
		err_sys(&j->why, _("a file of the outbox"));
		return RC_OK;
	}
	return outjob_wrong(j, i, 0, "unreadable", errno == EACCES ||
	    errno == EPERM ? _("it may not be read; give this program's user "
	    "the right to") : _("it is no file, but a link or something like "
	    "it; put the file itself here")) ? RC_OK : err_nomem(e);
}

/* What was listed must be what is opened: if not, it comes again. */
static enum rc
open_one(struct outjob *j, size_t i, struct err *e)
{
	struct outdoc *d = &j->doc[i];
	struct stat st;

	errno = ELOOP;
	if (d->e->kind == OUTSCAN_OTHER || (d->fd = openat(j->folder,
	    d->e->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY |
	    O_CLOEXEC)) < 0)
		return cannot_open(j, i, e);
	if (fstat(d->fd, &st) != 0)
		return leave(j, lang_errno(errno));
	d->id = outfile_id(&st);
	if (!S_ISREG(st.st_mode) || !outfile_same(&d->id, &d->e->id))
		return leave(j, _("the file has changed meanwhile"));
	j->octets += d->id.size;
	if (d->id.size == 0)
		return outjob_wrong(j, i, 0, "empty", _("the file is "
		    "empty")) ? RC_OK : err_nomem(e);
	return RC_OK;
}

/* All that goes: a stale temporary name and ".ok" are no documents. */
static enum rc
open_all(struct outroom *r, struct outjob *j, struct err *e)
{
	enum rc rc = outscan_folder(&r->scan, j->g.entry->folder, &j->folder,
	    &j->why);

	for (size_t i = 0; rc == RC_OK && i < j->g.n; i++) {
		const struct outscan_entry *x = &j->g.entry[i];

		if (!outscan_document(x))
			continue;
		if (j->ndocs == OUTDOCS_MAX)
			return outjob_wrong(j, 0, 0, "many", _("too many "
			    "files of one name")) ? RC_OK : err_nomem(e);
		j->doc[j->ndocs] = (struct outdoc){ x, x->id, -1,
		    HPRIM_BINARY, NULL };
		j->ndocs++;
	}
	for (size_t i = 0; rc == RC_OK && i < j->ndocs &&
	    (j->why.rc == RC_OK || j->why.rc == RC_INPUT); i++)
		if (open_one(j, i, e) != RC_OK)
			return e->rc;
	return RC_OK;
}

/* ---- reading --------------------------------------------------------- */

static bool
ends_in(const char *name, const char *const *ends)
{
	const char *dot = strrchr(name, '.');

	for (; dot != NULL && *ends != NULL; ends++)
		if (strcasecmp(dot + 1, *ends) == 0)
			return true;
	return false;
}

/* What calls itself HPRIM and is not is refused; another text is a letter. */
static bool
claims_hprim(const char *name)
{
	static const char *const ends[] = { "hpr", "hpm", "hprim", NULL };

	return ends_in(name, ends);
}

static enum rc
remarks(struct outjob *j, const struct conf_outbox *conf, size_t i,
    const struct hprim *h, struct err *e)
{
	for (unsigned n = 0; n < h->nremarks; n++) {
		const struct hprim_remark *m = &h->remark[n];
		bool bad = hprim_is_error(m->what) ||
		    conf->oddities == CONF_ODDITIES_REFUSE;

		if (h->kind == HPRIM_TEXT && !claims_hprim(j->doc[i].e->name))
			continue;
		if (bad && !outjob_wrong(j, i, m->line, hprim_code(m->what),
		    hprim_say(m->what)))
			return err_nomem(e);
		if (!bad && j->oddities++ == 0) {
			j->odd_line = m->line;
			j->odd_code = hprim_code(m->what);
		}
	}
	return RC_OK;
}

/* The first report is kept: it says for whom all of them are. */
static enum rc
check_text(struct outjob *j, const struct conf_outbox *conf, size_t i,
    const struct buf *text, const struct date *today, struct err *e)
{
	struct outdoc *d = &j->doc[i];
	struct hprim h;
	enum rc rc = hprim_read(text->p, text->len, today, &h, e);

	if (rc == RC_OK)
		rc = remarks(j, conf, i, &h, e);
	d->kind = h.kind;
	if (h.kind == HPRIM_MEDECIN || h.kind == HPRIM_TEXT)
		d->charset = h.guess.ascii ? "us-ascii" : h.guess.sure ?
		    charset_name(h.guess.set) : NULL;
	if (rc == RC_OK && h.kind == HPRIM_MEDECIN &&
	    !outjob_forms(j, h.patient, h.n))
		rc = err_nomem(e);
	if (rc == RC_OK && h.kind == HPRIM_MEDECIN && j->report == 0) {
		j->h = h;
		j->report = i + 1;
		return RC_OK;
	}
	hprim_free(&h);
	return rc;
}

static enum rc
read_text(struct outjob *j, size_t i, struct buf *b, struct err *e)
{
	struct outdoc *d = &j->doc[i];
	size_t len = (size_t)d->id.size;
	ssize_t n;

	if (!buf_reserve(b, len + 1))
		return err_nomem(e);
	if ((n = pread(d->fd, b->p, len + 1, 0)) < 0) {
		err_sys(&j->why, _("a file of the outbox"));
		return RC_OK;
	}
	b->len = (size_t)n;
	return b->len == len ? RC_OK :
	    leave(j, _("the file changes while it is read"));
}

/* Only what may be a report is read whole, and only as large as one. */
static enum rc
read_one(struct outjob *j, const struct conf_outbox *conf, size_t i,
    const struct date *today, struct err *e)
{
	struct outdoc *d = &j->doc[i];
	uint8_t first[SNIFF_BYTES];
	struct buf b = BUF_INIT;
	struct hprim h;
	ssize_t n = pread(d->fd, first, sizeof(first), 0);
	enum rc rc = RC_OK;

	if (n < 0) {
		err_sys(&j->why, _("a file of the outbox"));
		return RC_OK;
	}
	if ((rc = hprim_read(first, (size_t)n, today, &h, e)) == RC_OK)
		d->kind = h.kind;
	hprim_free(&h);
	if (rc != RC_OK || (d->kind != HPRIM_MEDECIN && d->kind != HPRIM_TEXT))
		return rc;
	if (d->id.size > HPRIM_FILE_MAX_BYTES) {
		if (claims_hprim(d->e->name) && !outjob_wrong(j, i, 0,
		    "large", _("it is too large for a report")))
			return err_nomem(e);
		return RC_OK;
	}
	if ((rc = read_text(j, i, &b, e)) == RC_OK && j->why.rc != RC_TEMP)
		rc = check_text(j, conf, i, &b, today, e);
	buf_free(&b);
	return rc;
}

static bool
gone_wrong(const struct outjob *j)
{
	return j->why.rc != RC_OK && j->why.rc != RC_INPUT;
}

/* They go to the keeper in one frame, with room for what else is in it. */
static bool
is_much(const struct outjob *j)
{
	size_t n = 0;

	for (size_t i = 0; i < j->nwhom; i++)
		n += strlen(j->whom[i].who) + strlen(j->whom[i].other) + 16;
	return n > CHAN_MAX_BYTES / 2;
}

enum rc
outjob_open(struct outroom *r, const struct pass *p, struct outjob *j,
    struct err *e)
{
	const struct conf_outbox *conf = r->scan.conf;
	struct date today;
	enum rc rc;

	j->begun = true;
	date_of(clock_now(), &today);
	if ((rc = open_all(r, j, e)) != RC_OK)
		return rc;
	if (!gone_wrong(j) && j->octets > p->conf->max_send &&
	    !outjob_wrong(j, 0, 0, "large", _("it is larger than max_send "
	    "lets a message be")))
		return err_nomem(e);
	for (size_t i = 0; rc == RC_OK && i < j->ndocs && !gone_wrong(j) &&
	    j->octets <= p->conf->max_send; i++)
		if (j->doc[i].fd >= 0 && j->doc[i].id.size > 0)
			rc = read_one(j, conf, i, &today, e);
	/* Whose an attachment is nobody could tell. */
	j->split = conf->split && j->ndocs == 1 && j->report > 0 &&
	    j->h.n > 1;
	if (rc == RC_OK && j->why.rc == RC_OK)
		rc = outroute(&r->aliases[r->box], conf, j, e);
	if (rc != RC_OK || !is_much(j))
		return rc;
	j->nwhom = 0;
	return outjob_wrong(j, 0, 0, "large", _("its recipients are too many, "
	    "with lines so long; make several files of it")) ? RC_OK :
	    err_nomem(e);
}

void
outjob_close(struct outjob *j)
{
	if (!j->begun)
		return;
	for (size_t i = 0; i < j->ndocs; i++)
		if (j->doc[i].fd >= 0)
			close(j->doc[i].fd);
	if (j->folder >= 0)
		close(j->folder);
	if (j->report > 0)
		hprim_free(&j->h);
	free(j->whom);
	buf_free(&j->reasons);
	buf_free(&j->octets_of);
	buf_free(&j->forms);
	buf_free(&j->names);
	memset(j, 0, sizeof(*j));
}
