/* For whom a laboratory's file is. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/lang.h"
#include "flow/clerk_outbox.h"

/* Several ways to say it, which must say the same. */
struct saying {
	const char	*address;	/* lent; NULL: nobody so far */
	bool		 differ;
};

static bool
copy(char *out, size_t size, struct bytes s)
{
	if (s.len >= size || memchr(s.p, '\0', s.len) != NULL)
		return false;
	memcpy(out, s.p, s.len);
	out[s.len] = '\0';
	return true;
}

static void
say(struct saying *s, const char *address)
{
	if (s->address == NULL)
		s->address = address;
	else if (strcasecmp(s->address, address) != 0)
		s->differ = true;
}

static enum rc
say_alias(struct saying *s, const struct alias_table *t, struct bytes name,
    struct err *e)
{
	const char *address = NULL;
	enum rc rc = name.len == 0 ? RC_OK : alias_find(t, name, &address, e);

	if (rc == RC_OK && address != NULL)
		say(s, address);
	return rc;
}

/* "<x@y>" too. */
static struct bytes
bare(struct bytes s)
{
	if (s.len > 2 && s.p[0] == '<' && s.p[s.len - 1] == '>')
		s = (struct bytes){ s.p + 1, s.len - 2 };
	return s;
}

/* Code, name and whole line by the table, an address as it stands; where none
 * of them says anything, the name is looked up in the directory. */
static enum rc
by_party(const struct alias_table *t, const struct hprim_patient *p,
    struct outwhom *w, const char **wrong, struct err *e)
{
	const struct hprim_party *to = &p->recipient;
	struct bytes line = p->field[HPRIM_RECIPIENT];
	struct bytes name = to->name.len > 0 ? to->name : line;
	char address[GATE_ROUTE_BYTES] = "";
	struct saying s = { NULL, false };
	enum rc rc;

	w->line = p->line + HPRIM_RECIPIENT;
	if ((rc = say_alias(&s, t, to->code, e)) != RC_OK ||
	    (rc = say_alias(&s, t, to->name, e)) != RC_OK ||
	    (rc = say_alias(&s, t, line, e)) != RC_OK)
		return rc;
	if (to->address.len > 0 && copy(address, sizeof(address),
	    bare(to->address)))
		say(&s, address);
	if (line.len == 0 || (s.address == NULL &&
	    (!copy(w->who, sizeof(w->who), name) ||
	    !copy(w->other, sizeof(w->other), line))))
		*wrong = N_("it says nobody to whom it could be sent; write "
		    "the recipient's code, name or address");
	else if (s.differ)
		*wrong = N_("code, name and address in it mean different "
		    "recipients; correct it, or the file of aliases");
	w->shown = s.address == NULL;
	if (s.address != NULL)
		snprintf(w->who, sizeof(w->who), "%s", s.address);
	return RC_OK;
}

/* Each patient's, or the one for whom all of them are. */
static enum rc
by_report(const struct alias_table *t, struct outjob *j, struct err *e)
{
	size_t doc = j->report - 1;
	enum rc rc = RC_OK;

	if ((j->whom = calloc(j->h.n, sizeof(*j->whom))) == NULL)
		return err_nomem(e);
	for (unsigned i = 0; rc == RC_OK && i < j->h.n; i++) {
		struct outwhom one = { .line = 0 };
		const char *wrong = NULL;

		rc = by_party(t, &j->h.patient[i], &one, &wrong, e);
		if (rc == RC_OK && wrong == NULL && !j->split && i > 0 &&
		    (one.shown != j->whom[0].shown ||
		    strcasecmp(one.who, j->whom[0].who) != 0))
			wrong = N_("it is for another recipient than the "
			    "first patient's; write split = yes into the "
			    "outbox, or one file for each");
		if (rc == RC_OK && wrong != NULL && !outjob_wrong(j, doc,
		    one.line, "recipient", _(wrong)))
			rc = err_nomem(e);
		if (j->split || i == 0)
			j->whom[j->nwhom++] = one;
	}
	return rc;
}

/* The same recipient for each message. */
static enum rc
for_all(struct outjob *j, const struct outwhom *one, struct err *e)
{
	j->nwhom = j->split ? j->h.n : 1;
	if ((j->whom = calloc(j->nwhom, sizeof(*j->whom))) == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < j->nwhom; i++)
		j->whom[i] = *one;
	return RC_OK;
}

/* The sub-folder is an address, a name of the table or of the directory. */
static enum rc
by_folder(const struct alias_table *t, struct outjob *j, struct err *e)
{
	const char *folder = j->g.entry->folder, *address = NULL;
	const struct bytes name = { (const uint8_t *)folder, strlen(folder) };
	struct outwhom one = { .line = 0 };
	enum rc rc = alias_find(t, name, &address, e);

	if (rc != RC_OK)
		return rc;
	if (folder[0] == '\0')
		return outjob_wrong(j, 0, 0, "folder", _("it lies in no "
		    "recipient's folder; put it into the one that bears the "
		    "recipient's address, code or name")) ? RC_OK :
		    err_nomem(e);
	if (address != NULL)
		folder = address;
	one.shown = strchr(folder, '@') == NULL;
	snprintf(one.who, sizeof(one.who), "%s", folder);
	return for_all(j, &one, e);
}

enum rc
outroute(const struct alias_table *t, const struct conf_outbox *conf,
    struct outjob *j, struct err *e)
{
	struct outwhom one = { .line = 0 };

	if (conf->to != NULL) {
		snprintf(one.who, sizeof(one.who), "%s", conf->to);
		return for_all(j, &one, e);
	}
	if (conf->route == CONF_OUTBOX_FOLDER)
		return by_folder(t, j, e);
	if (j->report > 0)
		return by_report(t, j, e);
	return outjob_wrong(j, 0, 0, "recipient", _("no HPRIM report of this "
	    "name says for whom it is; give it the name of its report, but "
	    "for the end")) ? RC_OK : err_nomem(e);
}
