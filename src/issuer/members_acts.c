/* What becomes of a member in the course of the years. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/lang.h"
#include "issuer/members.h"

void
members_touch(struct members *m, struct member *w)
{
	if (m->stamp_at == 0) {
		m->stamp_at = clock_now();
		if (m->stamp_at <= m->changed_at)
			m->stamp_at = m->changed_at + 1;
	}
	w->changed_at = m->changed_at = m->stamp_at;
}

const struct member *
members_desk(const struct members *m, enum member_kind kind)
{
	for (size_t i = 0; i < m->n; i++)
		if (m->v[i].kind == kind && !m->v[i].excluded)
			return &m->v[i];
	return NULL;
}

bool
members_share(const struct member *a, const struct member *b)
{
	for (size_t i = 0; i < a->nlists; i++)
		for (size_t j = 0; j < b->nlists; j++)
			if (a->lists[i] == b->lists[j])
				return true;
	return false;
}

void
members_join(struct members *m, struct member *w, const struct member *as)
{
	w->nlists = as->nlists;
	memcpy(w->lists, as->lists, sizeof(w->lists));
	if (m->policy != MEMBERS_LIST)
		return;
	members_touch(m, w);
	for (size_t i = 0; i < MEMBER_MARKS; i++)
		w->marks[i].told_at = 0;
}

int64_t
member_told(const struct member *w, uint16_t year)
{
	for (size_t i = 0; i < MEMBER_MARKS; i++)
		if (w->marks[i].year == year)
			return w->marks[i].told_at;
	return -1;
}

bool
member_expects(const struct member *w, uint16_t year)
{
	for (size_t i = 0; i < MEMBER_MARKS; i++)
		if (w->marks[i].year != 0 && w->marks[i].year <= year)
			return true;
	return false;
}

void
member_tell(struct member *w, uint16_t year, int64_t at)
{
	struct member_mark *to = &w->marks[0];

	for (size_t i = 0; i < MEMBER_MARKS; i++) {
		if (w->marks[i].year == year) {
			to = &w->marks[i];
			break;
		}
		if (w->marks[i].year < to->year)
			to = &w->marks[i];
	}
	*to = (struct member_mark){ year, at };
}

/* ---- whom a person means ------------------------------------------------ */

enum rc
members_seek(struct members *m, const char *who, struct member **w,
    struct err *e)
{
	char s[2 * IDENTITY_MAX_BYTES + 2];
	const struct member *found;
	struct identity name;
	int n = strchr(who, '/') != NULL ?
	    snprintf(s, sizeof(s), "%s", who) :
	    snprintf(s, sizeof(s), "%s/%s", m->assoc, who);

	for (char *c = s; *c != '\0'; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c - 'A' + 'a');
	if (n > 0 && (size_t)n < sizeof(s) &&
	    identity_parse_name(s, (size_t)n, &name) &&
	    (found = members_find(m, &name)) != NULL) {
		*w = &m->v[found - m->v];
		return RC_OK;
	}
	return err_set(e, RC_INPUT, _("%s is no member's address; nothing was "
	    "changed: look for it in the register"), who);
}

/* ---- another key, or none ----------------------------------------------- */

static enum rc
check_here(const struct member *w, struct err *e)
{
	if (w->kind == MEMBER_ISSUER)
		return err_set(e, RC_INPUT, _("%s is this desk, which has no "
		    "key of its own; nothing was changed"), w->id.s);
	if (w->excluded)
		return err_set(e, RC_INPUT, _("%s has left already; nothing "
		    "was changed"), w->id.s);
	return RC_OK;
}

enum rc
members_reissue(struct members *m, struct member *w, struct err *e)
{
	struct identity next;
	enum rc rc = check_here(w, e);

	if (rc != RC_OK)
		return rc;
	if (!identity_at_gen(&w->id, w->id.gen + 1U, &next))
		return err_set(e, RC_INPUT, _("no generation comes after %s: "
		    "let this member leave, and enter another address for "
		    "the same person"), w->id.s);
	w->id = next;
	members_touch(m, w);
	return RC_OK;
}

enum rc
members_leave(struct members *m, struct member *w, struct err *e)
{
	enum rc rc = check_here(w, e);

	if (rc != RC_OK)
		return rc;
	if (w->kind == MEMBER_HUB || w->kind == MEMBER_WATCH)
		return err_set(e, RC_INPUT, _("%s is in office (%s): every "
		    "key file of the year names it, so it cannot leave; "
		    "nothing was changed. If its computer or its key was "
		    "stolen, give it a new key with sceau issuer reissue; to "
		    "have it stop, switch it off"), w->id.s,
		    members_kind_word(w->kind));
	w->excluded = true;
	members_touch(m, w);
	return RC_OK;
}
