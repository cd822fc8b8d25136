#include "config.h"

#include <string.h>

#include "base/lang.h"
#include "conf/pairs.h"

static bool
no_kind(const void *p, const struct written *w)
{
	(void)p;
	return !written_has(w, "kind");
}

static bool
pipe_no_command(const void *p, const struct written *w)
{
	const struct conf_deliver *d = p;

	return d->kind == CONF_DELIVER_PIPE && !written_has(w, "command");
}

static bool
pipe_path(const void *p, const struct written *w)
{
	const struct conf_deliver *d = p;

	return d->kind == CONF_DELIVER_PIPE && written_has(w, "path");
}

static bool
folder_no_path(const void *p, const struct written *w)
{
	const struct conf_deliver *d = p;

	return d->kind != CONF_DELIVER_PIPE && !written_has(w, "path");
}

static bool
folder_command(const void *p, const struct written *w)
{
	const struct conf_deliver *d = p;

	return d->kind != CONF_DELIVER_PIPE && written_has(w, "command");
}

/* What only a folder has. */
static bool
not_folder(const void *p, const struct written *w)
{
	static const char *const names[] = { "charset", "line_ends",
	    "file_per", "header", "names", "attachments", "remarks", "opened",
	    "filed" };
	const struct conf_deliver *d = p;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (d->kind != CONF_DELIVER_FOLDER && written_has(w, names[i]))
			return true;
	return false;
}

static bool
filed_not_opened(const void *p, const struct written *w)
{
	const struct conf_deliver *d = p;

	return written_has(w, "filed") && !d->opened;
}

static bool
filed_in_path(const void *p, const struct written *w)
{
	const struct conf_deliver *d = p;

	return written_has(w, "filed") && d->path != NULL &&
	    strcmp(d->filed, d->path) == 0;
}

static bool
otherwise_only(const void *p, const struct written *w)
{
	const struct conf_deliver *d = p;

	return d->otherwise && (written_has(w, "from") || written_has(w, "to"));
}

static bool
unsealed_rules(const void *p, const struct written *w)
{
	const struct conf_deliver *d = p;

	return d->unsealed && (written_has(w, "from") || written_has(w, "to") ||
	    d->otherwise || written_has(w, "opened"));
}

/* Each of them has a "@". */
static bool
from_no_address(const void *p, const struct written *w)
{
	const struct conf_deliver *d = p;

	if (!written_has(w, "from"))
		return false;
	for (const char *s = d->from; *s != '\0'; s += *s == ',') {
		size_t n = strcspn(s, ",");

		if (memchr(s, '@', n) == NULL)
			return true;
		s += n;
	}
	return false;
}

static const struct pair deliver_pairs[] = {
	{ no_kind, NULL, N_("kind is missing; write kind = maildir, folder or "
	    "pipe") },
	{ pipe_no_command, "kind", N_("kind = pipe needs a command; write "
	    "command = \"...\"") },
	{ pipe_path, "path", N_("path is for maildir and folder; for a pipe "
	    "remove it") },
	{ folder_no_path, "kind", N_("path is missing; write the path of the "
	    "Maildir or folder") },
	{ folder_command, "command", N_("command is for kind = pipe; write "
	    "that, or remove command") },
	{ otherwise_only, "otherwise", N_("otherwise is for what from and to "
	    "leave; remove it, or remove them") },
	{ unsealed_rules, "unsealed", N_("mail that is not sealed is from "
	    "nobody known, and never acknowledged; remove from, to, otherwise "
	    "and opened, or unsealed") },
	{ from_no_address, "from", N_("from holds addresses, or @ and a "
	    "domain, with commas between them") },
	{ not_folder, "kind", N_("charset, line_ends, file_per, header, "
	    "names, attachments, remarks, opened and filed are for kind = "
	    "folder; write that, or remove them") },
	{ filed_not_opened, "filed", N_("filed says when a document was "
	    "taken; remove it, or opened = no") },
	{ filed_in_path, "filed", N_("filed and path are the same folder; "
	    "write where the practice software moves what it has taken") },
	{ NULL, NULL, NULL }
};

enum rc
pairs_deliver(const struct conf_deliver *d, const struct written *w,
    const char **blame, struct err *e)
{
	return pairs_check(deliver_pairs, d, w, blame, e);
}

static size_t
unsealed_accounts(const struct conf *c)
{
	size_t n = 0;

	for (size_t i = 0; i < c->naccounts; i++)
		n += c->accounts[i].unsealed == CONF_UNSEALED_DELIVER;
	return n;
}

static size_t
unsealed_delivers(const struct conf *c)
{
	size_t n = 0;

	for (size_t i = 0; i < c->ndelivers; i++)
		n += c->delivers[i].unsealed;
	return n;
}

bool
pairs_unsealed_nowhere(const void *p, const struct written *w)
{
	(void)w;
	return unsealed_accounts(p) > 0 && unsealed_delivers(p) == 0;
}

bool
pairs_unsealed_from_nobody(const void *p, const struct written *w)
{
	(void)w;
	return unsealed_accounts(p) == 0 && unsealed_delivers(p) > 0;
}
