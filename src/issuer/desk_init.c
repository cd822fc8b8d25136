/* A new desk. */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/lang.h"
#include "base/utf8.h"
#include "issuer/acts.h"
#include "issuer/desk.h"

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
		.address = { (const uint8_t *)address, strlen(address) },
		.route = { (const uint8_t *)route, strlen(route) },
		.show = { (const uint8_t *)show, strlen(show) },
		.kind = kind };
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
	char sheets[PATH_MAX];
	enum rc rc;

	if ((rc = desk_path(p->dir, "custodians", sheets, e)) != RC_OK ||
	    (rc = file_mkdirs(p->dir, 0700, e)) != RC_OK ||
	    (rc = desk_lock(d, e)) != RC_OK ||
	    (rc = acts_begin(d, e)) != RC_OK ||
	    (rc = note_init(d, p, e)) != RC_OK ||
	    (rc = desk_year_make(d, p->year, p->sheets != NULL ? p->sheets :
	    sheets, p->english, e)) != RC_OK)
		return rc;
	/* The register last: with it the desk is there. */
	return desk_save(d, e);
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
