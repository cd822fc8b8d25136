/* A group of files as a mail, and away when it is queued or refused. */
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/lang.h"
#include "base/secret.h"
#include "flow/clerk_outbox.h"
#include "flow/outaway.h"

#define NOTE ".txt"

/* Whatever set the file system's names are in. */
static enum rc
add_name(struct outjob *j, const char *name, struct err *e)
{
	struct charset_loss loss = { .lost = 0 };
	struct charset_guess g;
	const uint8_t *p = (const uint8_t *)name;

	charset_guess(p, strlen(name), &g);
	if (charset_read(&g, p, strlen(name), &j->names, &loss, e) != RC_OK)
		return e->rc;
	return buf_add8(&j->names, '\0') ? RC_OK :
	    err_set(e, RC_NOMEM, _("no memory left"));
}

static const char *
type_of(const struct outdoc *d)
{
	static const struct { const char *end, *type; } types[] = {
		{ "pdf", "application/pdf" }, { "zip", "application/zip" },
		{ "jpg", "image/jpeg" }, { "jpeg", "image/jpeg" },
		{ "png", "image/png" }, { "tif", "image/tiff" },
		{ "tiff", "image/tiff" }, { "xml", "application/xml" }
	};
	const char *dot = strrchr(d->e->name, '.');

	if (d->kind == HPRIM_MEDECIN || d->kind == HPRIM_TEXT)
		return "text/plain";
	for (size_t i = 0; dot != NULL &&
	    i < sizeof(types) / sizeof(types[0]); i++)
		if (strcasecmp(dot + 1, types[i].end) == 0)
			return types[i].type;
	return "application/octet-stream";
}

/* The report of one patient, in the set and with the line ends of all. */
static enum rc
write_patient(struct outjob *j, size_t n, struct err *e)
{
	struct charset_loss loss = { .lost = 0 };
	enum charset set = j->h.guess.set < CHARSET_WRITTEN ?
	    j->h.guess.set : CHARSET_UTF8;
	struct outmail_part *p = &j->part[0];
	enum rc rc;

	buf_wipe(&j->octets_of);
	rc = hprim_write(&j->h.patient[n], set, j->h.guess.eol,
	    &j->octets_of, &loss, e);
	buf_wipe(&j->forms);
	j->nforms = 0;
	if (rc == RC_OK && !outjob_forms(j, &j->h.patient[n], 1))
		rc = err_set(e, RC_NOMEM, _("no memory left"));
	if (rc == RC_OK && loss.lost > 0)
		rc = err_set(e, RC_TEMP, "charset");
	p->fd = -1;
	p->octets = (struct bytes){ j->octets_of.p, j->octets_of.len };
	if (set != j->h.guess.set)
		p->charset = charset_name(set);
	return rc;
}

enum rc
outjob_compose(struct outroom *r, struct outjob *j, size_t n, struct err *e)
{
	const char *subject = r->scan.conf->subject;
	uint8_t rnd[16];
	size_t at = 0;

	j->pulled = (struct err)ERR_INIT;
	buf_wipe(&j->names);
	for (size_t i = 0; i < j->ndocs; i++)
		if (add_name(j, j->doc[i].e->name, e) != RC_OK)
			return e->rc;
	for (size_t i = 0; i < j->ndocs; i++) {
		j->part[i] = (struct outmail_part){ .name =
		    (const char *)j->names.p + at, .type =
		    type_of(&j->doc[i]), .charset = j->doc[i].charset,
		    .fd = j->doc[i].fd, .size = j->doc[i].id.size };
		at += strlen(j->part[i].name) + 1;
	}
	random_bytes(rnd, sizeof(rnd));
	hex_format(rnd, sizeof(rnd), j->boundary);
	j->mail = (struct outmail){ .from = j->from, .to = j->to,
	    .date = j->date, .message_id = j->message_id,
	    .boundary = j->boundary, .parts = j->part, .nparts = j->ndocs,
	    .subject = subject != NULL ? subject : _("Results") };
	return j->split ? write_patient(j, n, e) : RC_OK;
}

enum rc
outjob_check(struct outroom *r, struct outjob *j, struct err *e)
{
	struct outfile_id is;
	struct stat st;

	(void)r;
	if (j->pulled.rc != RC_OK)
		return err_set(e, RC_TEMP, "%s", j->pulled.text);
	for (size_t i = 0; i < j->ndocs; i++) {
		if (fstat(j->doc[i].fd, &st) != 0)
			return err_sys(e, "fstat");
		is = outfile_id(&st);
		if (!outfile_same(&is, &j->doc[i].id))
			return err_set(e, RC_TEMP, _("the file changes while "
			    "it is read"));
	}
	return RC_OK;
}

/* ---- away ------------------------------------------------------------ */

static enum rc
away(const struct outjob *j, const char *name, const struct outfile_id *id,
    const char *to, const char *as, struct err *e)
{
	char fresh[NAME_MAX + 1];
	struct outaway_to where = { to, j->g.entry->folder, as };
	enum rc rc = RC_OK;

	if (to == NULL)
		return outaway(j->folder, name, id, NULL, e);
	if (as == NULL) {
		rc = outaway_name(to, where.folder, name, "", fresh, e);
		where.name = fresh;
	}
	return rc != RC_OK ? rc : outaway(j->folder, name, id, &where, e);
}

/* What said that they were whole, and what was begun and never ended. */
static enum rc
away_others(struct outroom *r, struct outjob *j, struct err *e)
{
	static const char *const ends[] = { ".ok", ".OK" };
	char name[NAME_MAX + 1];
	enum rc rc = RC_OK;

	if (r->scan.conf->ready != CONF_READY_OK)
		return RC_OK;
	for (size_t i = 0; rc == RC_OK && i < j->g.n; i++)
		if (j->g.entry[i].kind == OUTSCAN_OK)
			rc = away(j, j->g.entry[i].name, &j->g.entry[i].id,
			    NULL, NULL, e);
	for (size_t i = 0; rc == RC_OK && i < 2 * j->ndocs; i++)
		if (snprintf(name, sizeof(name), "%s%s", j->doc[i / 2].e->name,
		    ends[i % 2]) < (int)sizeof(name))
			rc = away(j, name, NULL, NULL, NULL, e);
	return rc;
}

enum rc
outjob_take(struct outroom *r, struct outjob *j, struct bytes mask,
    struct err *e)
{
	const struct conf_outbox *conf = r->scan.conf;
	bool all = true;
	enum rc rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && i < j->ndocs && i < mask.len; i++) {
		all = all && mask.p[i] != 0;
		if (mask.p[i] != 0)
			rc = away(j, j->doc[i].e->name, &j->doc[i].id,
			    conf->after == CONF_OUTBOX_MOVE ? conf->sent :
			    NULL, NULL, e);
	}
	return rc == RC_OK && all ? away_others(r, j, e) : rc;
}

static bool
write_note(const struct outroom *r, struct outjob *j, struct buf *b)
{
	const char *folder = j->g.entry->folder;
	bool ok = buf_adds(b, j->ndocs > 1 ? _("These files were not sent:") :
	    _("This file was not sent:"));

	for (size_t i = 0; ok && i < j->ndocs; i++)
		ok = buf_addf(b, "%s %s", i > 0 ? "," : "",
		    j->doc[i].e->name);
	ok = ok && buf_adds(b, "\n\n") &&
	    buf_add(b, j->reasons.p, j->reasons.len);
	if (ok && j->nreasons > OUTLINES_MAX)
		ok = buf_addf(b, _("and %u more of that kind\n"),
		    j->nreasons - OUTLINES_MAX);
	return ok && buf_addf(b, _("\nNothing of it has left. Correct it and "
	    "drop it again into %s%s%s\n"), r->scan.conf->path,
	    folder[0] != '\0' ? "/" : "", folder);
}

/* The reasons first: a file that lies there has them beside it. */
enum rc
outjob_refuse(struct outroom *r, struct outjob *j, struct err *e)
{
	const char *path = r->scan.conf->refused;
	const struct outscan_entry *wrong = j->doc[j->doubtful > 0 &&
	    j->doubtful <= j->ndocs ? j->doubtful - 1 : 0].e;
	char name[NAME_MAX + 1], note[NAME_MAX + sizeof(NOTE)];
	struct buf b = BUF_INIT;
	enum rc rc = outaway_name(path, j->g.entry->folder,
	    wrong->name, NOTE, name, e);

	snprintf(note, sizeof(note), "%s" NOTE, name);
	if (rc == RC_OK && !write_note(r, j, &b))
		rc = err_set(e, RC_NOMEM, _("no memory left"));
	if (rc == RC_OK)
		rc = outaway_note(path, j->g.entry->folder, note, &b, e);
	buf_free(&b);
	FAULT("outbox.refuse.noted");
	/* All of the group, and the wrong one last: what a failure leaves
	 * behind without it would go by itself. */
	for (size_t i = 0; rc == RC_OK && i < j->g.n; i++)
		if (outscan_document(&j->g.entry[i]) &&
		    &j->g.entry[i] != wrong)
			rc = away(j, j->g.entry[i].name, &j->g.entry[i].id,
			    path, NULL, e);
	if (rc == RC_OK)
		rc = away(j, wrong->name, &wrong->id, path, name, e);
	return rc == RC_OK ? away_others(r, j, e) : rc;
}
