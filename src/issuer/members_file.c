/* The register: one line a member, tabs between its fields. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/lang.h"
#include "issuer/members.h"

#define FIRST "sceau register 1"
#define SETTINGS 5	/* lines before the first member's */
/* member, identity, kind, state, changed, told, route, lists, name, post */
#define FIELDS 10

/* ---- words -------------------------------------------------------------- */

static const char *const kinds[] = { "other", "practice", "laboratory",
    "institution", "hub", "watch", "issuer" };
static const char *const policies[] = { "full", "list", "gateway" };

#define NPOLICIES (sizeof(policies) / sizeof(policies[0]))

const char *
members_kind_word(enum member_kind kind)
{
	return kinds[kind];
}

bool
members_kind(struct bytes word, enum member_kind *kind)
{
	if (bytes_eqs(word, "desk:hub")) {
		*kind = MEMBER_HUB;
		return true;
	}
	for (size_t i = 0; i <= MEMBER_HUB; i++)
		if (bytes_eqs(word, kinds[i])) {
			*kind = (enum member_kind)i;
			return true;
		}
	return false;
}

const char *
members_policy_word(enum members_policy policy)
{
	return policies[policy];
}

bool
members_policy(const char *word, enum members_policy *policy)
{
	for (size_t i = 0; i < NPOLICIES; i++)
		if (strcmp(word, policies[i]) == 0) {
			*policy = (enum members_policy)i;
			return true;
		}
	return false;
}

/* ---- writing ------------------------------------------------------------ */

static bool
format_lists(const struct members *m, const struct member *w,
    struct buf *out)
{
	for (size_t i = 0; i < w->nlists; i++)
		if (!buf_addf(out, "%s%s", i > 0 ? "|" : "",
		    m->lists[w->lists[i]]))
			return false;
	return true;
}

/* "2026:1764250000|2027:0" */
static bool
format_marks(const struct member *w, struct buf *out)
{
	const char *bar = "";

	for (size_t i = 0; i < MEMBER_MARKS; i++) {
		if (w->marks[i].year == 0)
			continue;
		if (!buf_addf(out, "%s%u:%lld", bar, w->marks[i].year,
		    (long long)w->marks[i].told_at))
			return false;
		bar = "|";
	}
	return true;
}

static bool
format_member(const struct members *m, const struct member *w,
    struct buf *out)
{
	return buf_addf(out, "member\t%s\t%s\t%s\t%lld\t", w->id.s,
	    members_kind_word(w->kind), w->excluded ? "excluded" : "member",
	    (long long)w->changed_at) && format_marks(w, out) &&
	    buf_addf(out, "\t%s\t", w->route) && format_lists(m, w, out) &&
	    buf_addf(out, "\t%s\t%s\n", w->show, w->post);
}

bool
members_format(const struct members *m, struct buf *out)
{
	if (!buf_addf(out, FIRST "\nassociation\t%s\npolicy\t%s\n"
	    "directory\t%s\ncall\t%s\n", m->assoc,
	    members_policy_word(m->policy), m->names_ring ? "ring" : "all",
	    m->call))
		return false;
	for (size_t i = 0; i < m->n; i++)
		if (!format_member(m, &m->v[i], out))
			return false;
	return true;
}

/* ---- reading ------------------------------------------------------------ */

/* Cut at tabs; how many fields, FIELDS + 1 when there are more. */
static size_t
cut(struct bytes line, struct bytes f[FIELDS])
{
	const uint8_t *tab;
	size_t n = 0;

	for (;;) {
		if (n == FIELDS)
			return FIELDS + 1;
		f[n] = line;
		tab = line.len > 0 ? memchr(line.p, '\t', line.len) : NULL;
		if (tab == NULL)
			return n + 1;
		f[n].len = (size_t)(tab - line.p);
		line.p += f[n].len + 1;
		line.len -= f[n++].len + 1;
	}
}

static bool
kind_of(struct bytes word, enum member_kind *kind)
{
	for (*kind = MEMBER_OTHER; *kind <= MEMBER_ISSUER; (*kind)++)
		if (bytes_eqs(word, members_kind_word(*kind)))
			return true;
	return false;
}

/* Digits up to ${end} or to the end of ${s}, which is moved behind them. */
static bool
number_of(struct bytes *s, char end, int64_t max, int64_t *n)
{
	size_t i = 0;

	for (*n = 0; i < s->len && s->p[i] != (uint8_t)end; i++) {
		if (s->p[i] < '0' || s->p[i] > '9' ||
		    *n > (max - (s->p[i] - '0')) / 10)
			return false;
		*n = *n * 10 + (s->p[i] - '0');
	}
	if (i == 0)
		return false;
	i += i < s->len;
	s->p += i;
	s->len -= i;
	return true;
}

static bool
parse_marks(struct bytes s, struct member_mark marks[MEMBER_MARKS])
{
	int64_t year, at;

	memset(marks, 0, MEMBER_MARKS * sizeof(*marks));
	for (size_t i = 0; s.len > 0; i++) {
		if (i == MEMBER_MARKS ||
		    !number_of(&s, ':', UINT16_MAX, &year) || year == 0 ||
		    !number_of(&s, '|', INT64_MAX, &at))
			return false;
		marks[i] = (struct member_mark){ (uint16_t)year, at };
	}
	return true;
}

static void
put_kept(struct member *w, const struct member *is)
{
	w->id = is->id;
	w->excluded = is->excluded;
	w->listed = false;
	w->changed_at = is->changed_at;
	memcpy(w->marks, is->marks, sizeof(w->marks));
}

/* members_add() judges all but what only the register knows. */
static enum rc
parse_member(struct members *m, const struct bytes f[FIELDS], struct err *e)
{
	struct member is = { .excluded = bytes_eqs(f[3], "excluded") };
	struct member_new w = { .route = f[6], .lists = f[7], .show = f[8],
	    .post = f[9] };
	enum member_add how = MEMBER_HELD;
	struct bytes changed = f[4];
	enum rc rc;

	if (!identity_parse(f[1].p, f[1].len, &is.id) ||
	    !bytes_eqs(identity_assoc(&is.id), m->assoc) ||
	    !kind_of(f[2], &w.kind) ||
	    !number_of(&changed, '\0', INT64_MAX, &is.changed_at) ||
	    !parse_marks(f[5], is.marks))
		return err_set(e, RC_INPUT, _("not a member's line"));
	w.address = identity_address(&is.id);
	if ((rc = members_add(m, &w, &how, e)) != RC_OK)
		return rc;
	if (!(how & MEMBER_ADDED))
		return err_set(e, RC_INPUT, _("the member is there twice"));
	put_kept(&m->v[m->n - 1], &is);
	return RC_OK;
}

/* Reading it changed nobody. */
static void
settle(struct members *m)
{
	m->stamp_at = m->changed_at = 0;
	for (size_t i = 0; i < m->n; i++)
		if (m->v[i].changed_at > m->changed_at)
			m->changed_at = m->v[i].changed_at;
}

static bool
parse_setting(struct members *m, const struct bytes f[FIELDS], unsigned line)
{
	char text[MEMBERS_CALL_BYTES + 1];

	if (f[1].len >= sizeof(text))
		return false;
	memcpy(text, f[1].p, f[1].len);
	text[f[1].len] = '\0';
	switch (line) {
	case 2:
		memcpy(m->assoc, text, sizeof(m->assoc) - 1);
		return bytes_eqs(f[0], "association") &&
		    f[1].len < sizeof(m->assoc);
	case 3:
		return bytes_eqs(f[0], "policy") &&
		    members_policy(text, &m->policy);
	case 4:
		m->names_ring = bytes_eqs(f[1], "ring");
		return bytes_eqs(f[0], "directory") &&
		    (m->names_ring || bytes_eqs(f[1], "all"));
	default:
		memcpy(m->call, text, f[1].len + 1);
		return bytes_eqs(f[0], "call");
	}
}

static enum rc
parse_line(struct members *m, struct bytes line, unsigned number,
    struct err *e)
{
	struct bytes f[FIELDS];
	size_t n;

	if (number == 1)
		return bytes_eqs(line, FIRST) ? RC_OK : err_set(e, RC_INPUT,
		    _("not a register of this version"));
	n = cut(line, f);
	if (number <= SETTINGS)
		return n == 2 && parse_setting(m, f, number) ? RC_OK :
		    err_set(e, RC_INPUT, _("not the setting that stands "
		    "here"));
	if (n != FIELDS || !bytes_eqs(f[0], "member"))
		return err_set(e, RC_INPUT, _("not a member's line"));
	return parse_member(m, f, e);
}

enum rc
members_parse(const void *p, size_t len, struct members **m, struct err *e)
{
	struct bytes left = { p, len }, line;
	unsigned number = 0;
	enum rc rc = RC_OK;

	if ((*m = members_new("")) == NULL)
		return err_set(e, RC_NOMEM, _("no memory left"));
	while (rc == RC_OK && left.len > 0) {
		const uint8_t *nl = memchr(left.p, '\n', left.len);

		number++;
		line = left;
		if (nl == NULL) {
			rc = err_set(e, RC_INPUT, _("the line has no end"));
			break;
		}
		line.len = (size_t)(nl - left.p);
		left.p += line.len + 1;
		left.len -= line.len + 1;
		rc = parse_line(*m, line, number, e);
	}
	if (rc == RC_OK && number < SETTINGS)
		rc = err_set(e, RC_INPUT, _("the register is cut short"));
	if (rc == RC_OK) {
		settle(*m);
		return rc;
	}
	err_ctx(e, _("line %u"), number);
	members_free(m);
	return rc == RC_NOMEM ? rc : (e->rc = RC_CONF);
}
