#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/lang.h"
#include "conf/value.h"
#include "issuer/members.h"
#include "vault/record.h"
#include "base/utf8.h"

/* ---- finding ------------------------------------------------------------ */

/* What is left of a name once that is gone which people overlook. */
static size_t
fold(const struct identity *id, char out[IDENTITY_MAX_BYTES])
{
	size_t n = 0;

	for (size_t i = 0; i < id->name_len; i++) {
		char c = id->s[i];

		if (c == '-' || c == '_' || (c == '.' && i < id->at))
			continue;
		out[n++] = c;
	}
	return n;
}

static uint32_t
fold_hash(const struct identity *id)
{
	char s[IDENTITY_MAX_BYTES];

	return index_hash(s, fold(id, s));
}

static uint32_t
route_hash(const char *route)
{
	return index_hash(route, strlen(route));
}

static uint32_t
domain_hash(struct bytes domain)
{
	return index_hash(domain.p, domain.len);
}

static bool
fold_same(const struct identity *a, const struct identity *b)
{
	char s[IDENTITY_MAX_BYTES], t[IDENTITY_MAX_BYTES];
	size_t n = fold(a, s);

	return n == fold(b, t) && memcmp(s, t, n) == 0;
}

/* The same name or one that is easily taken for it. */
static struct member *
find_alike(const struct members *m, const struct identity *id)
{
	struct index_at at;
	int64_t i = index_first(&m->by_fold, fold_hash(id), &at);

	while (i >= 0 && !fold_same(&m->v[i].id, id))
		i = index_next(&m->by_fold, &at);
	return i < 0 ? NULL : &m->v[i];
}

const struct member *
members_find(const struct members *m, const struct identity *name)
{
	const struct member *found = find_alike(m, name);

	return found != NULL && identity_same_name(&found->id, name) ?
	    found : NULL;
}

/* Who stands for all that have it; NULL: nobody has. */
static struct member *
route_first(const struct members *m, const char *route)
{
	struct index_at at;
	int64_t i = index_first(&m->by_route, route_hash(route), &at);

	while (i >= 0 && strcmp(m->v[i].route, route) != 0)
		i = index_next(&m->by_route, &at);
	return i < 0 ? NULL : &m->v[i];
}

const struct member *
members_first(const struct members *m, struct bytes domain)
{
	struct index_at at;
	int64_t i = index_first(&m->by_domain, domain_hash(domain), &at);

	while (i >= 0 && !bytes_eq(identity_domain(&m->v[i].id), domain))
		i = index_next(&m->by_domain, &at);
	return i < 0 ? NULL : &m->v[i];
}

/* ---- making ------------------------------------------------------------- */

struct members *
members_new(const char *assoc)
{
	struct members *m = calloc(1, sizeof(*m));

	if (m != NULL)
		snprintf(m->assoc, sizeof(m->assoc), "%s", assoc);
	return m;
}

void
members_free(struct members **m)
{
	if (*m == NULL)
		return;
	for (size_t i = 0; i < (*m)->n; i++)
		free((*m)->v[i].route);
	for (size_t i = 0; i < (*m)->nlists; i++)
		free((*m)->lists[i]);
	free((*m)->v);
	free((*m)->lists);
	index_free(&(*m)->by_fold);
	index_free(&(*m)->by_route);
	index_free(&(*m)->by_list);
	index_free(&(*m)->by_domain);
	free(*m);
	*m = NULL;
}

/* ${*v} of ${*cap} things of ${size} octets, ${n} in use: room for one more.
 * False: memory, nothing changed. */
static bool
grow(void *v, size_t n, size_t *cap, size_t size)
{
	size_t more = *cap == 0 ? 64 : 2 * *cap;
	void *old, *p;

	if (n < *cap)
		return true;
	if ((p = calloc(more, size)) == NULL)
		return false;
	memcpy(&old, v, sizeof(old));
	if (n > 0)
		memcpy(p, old, n * size);
	free(old);
	memcpy(v, &p, sizeof(p));
	*cap = more;
	return true;
}

/* ---- adding ------------------------------------------------------------- */

static bool
lower(struct bytes s, char *out, size_t size)
{
	if (s.len >= size || memchr(s.p, '\0', s.len) != NULL)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		char c = (char)s.p[i];

		out[i] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
	}
	out[s.len] = '\0';
	return true;
}

static enum rc
make_identity(const struct members *m, struct bytes address,
    struct identity *id, struct err *e)
{
	char low[IDENTITY_MAX_BYTES], s[2 * IDENTITY_MAX_BYTES];
	int n;

	if (address.len == 0)
		return err_set(e, RC_INPUT, _("the address is missing"));
	if (lower(address, low, sizeof(low))) {
		n = snprintf(s, sizeof(s), "%s/%s#1", m->assoc, low);
		if (identity_parse(s, (size_t)n, id))
			return RC_OK;
	}
	return err_set(e, RC_INPUT, _("the address must be name@domain with "
	    "letters without accents, digits, dots, dashes and underscores "
	    "only, and a dot in the domain"));
}

static enum rc
check_route(struct bytes route, char out[REC_ROUTE_MAX + 1], struct err *e)
{
	char *kept = NULL;
	enum rc rc;

	if (route.len == 0)
		return err_set(e, RC_INPUT, _("the route is missing: the "
		    "mailbox in which this member receives sealed mail"));
	if (route.len > REC_ROUTE_MAX ||
	    memchr(route.p, '\0', route.len) != NULL)
		return err_set(e, RC_INPUT, _("the route is not a mail "
		    "address, or longer than %d octets"), REC_ROUTE_MAX);
	memcpy(out, route.p, route.len);
	out[route.len] = '\0';
	rc = value_addr(out, &kept, e);
	free(kept);
	if (rc == RC_OK || rc == RC_NOMEM)
		return rc;
	err_ctx(e, _("the route"));
	return e->rc = RC_INPUT;
}

/* A name that is shown may not pass for another (A5). */
static bool
is_plain(struct bytes s, size_t *at)
{
	uint32_t c;

	return utf8_next(s.p, s.len, at, &c) && !utf8_control(c) &&
	    !utf8_hidden(c);
}

static enum rc
check_show(struct bytes show, char out[REC_DISPLAY_MAX + 1], struct err *e)
{
	if (show.len == 0)
		return err_set(e, RC_INPUT, _("the name is missing"));
	if (show.len > REC_DISPLAY_MAX)
		return err_set(e, RC_INPUT, _("the name has %zu octets; %d "
		    "are the most"), show.len, REC_DISPLAY_MAX);
	for (size_t at = 0; at < show.len; )
		if (!is_plain(show, &at))
			return err_set(e, RC_INPUT, _("the name holds a "
			    "control character, or is not UTF-8"));
	memcpy(out, show.p, show.len);
	out[show.len] = '\0';
	return RC_OK;
}

static enum rc
add_post_line(struct bytes line, char *out, size_t *n, struct err *e)
{
	size_t chars = 0;

	for (size_t at = 0; at < line.len; chars++)
		if (!is_plain(line, &at))
			return err_set(e, RC_INPUT, _("the postal address "
			    "holds a control character, or is not UTF-8"));
	if (chars > MEMBER_POST_CHARS)
		return err_set(e, RC_INPUT, _("a line of the postal address "
		    "has %zu characters; %d are the most: put a | where "
		    "another line begins"), chars, MEMBER_POST_CHARS);
	if (*n > 0)
		out[(*n)++] = '|';
	memcpy(out + *n, line.p, line.len);
	*n += line.len;
	return RC_OK;
}

/* Without the lines that are empty and the blanks around others. */
static enum rc
check_post(struct bytes s, char out[MEMBER_POST_BYTES + 1], struct err *e)
{
	size_t n = 0, lines = 0;
	enum rc rc = RC_OK;

	while (s.len > 0 && rc == RC_OK) {
		const uint8_t *end = memchr(s.p, '|', s.len);
		size_t len = end != NULL ? (size_t)(end - s.p) : s.len;
		struct bytes line = bytes_trim((struct bytes){ s.p, len });

		len += end != NULL;
		s.p += len;
		s.len -= len;
		if (line.len == 0)
			continue;
		if (lines++ == MEMBER_POST_LINES)
			return err_set(e, RC_INPUT, _("the postal address "
			    "has more than %d lines"), MEMBER_POST_LINES);
		rc = add_post_line(line, out, &n, e);
	}
	out[n] = '\0';
	return rc;
}

/* The number of a list by name, a new one if need be; -1: memory. */
static int64_t
list_number(struct members *m, const char *name)
{
	uint32_t hash = index_hash(name, strlen(name));
	struct index_at at;
	int64_t i = index_first(&m->by_list, hash, &at);

	while (i >= 0 && strcmp(m->lists[i], name) != 0)
		i = index_next(&m->by_list, &at);
	if (i >= 0)
		return i;
	if (!grow(&m->lists, m->nlists, &m->lists_cap, sizeof(*m->lists)) ||
	    (m->lists[m->nlists] = strdup(name)) == NULL)
		return -1;
	if (!index_add(&m->by_list, (uint32_t)m->nlists, hash)) {
		free(m->lists[m->nlists]);
		return -1;
	}
	return (int64_t)m->nlists++;
}

static enum rc
put_list(struct members *m, struct member *to, struct bytes name,
    struct err *e)
{
	char s[MEMBER_LIST_BYTES + 1];
	int64_t number;

	for (size_t at = 0; at < name.len; )
		if (!is_plain(name, &at))
			return err_set(e, RC_INPUT, _("a list's name holds a "
			    "control character"));
	if (!lower(name, s, sizeof(s)))
		return err_set(e, RC_INPUT, _("a list's name is longer than "
		    "%d octets"), MEMBER_LIST_BYTES);
	if ((number = list_number(m, s)) < 0)
		return err_nomem(e);
	if (number > UINT16_MAX)
		return err_set(e, RC_INPUT, _("too many different lists"));
	for (size_t i = 0; i < to->nlists; i++)
		if (to->lists[i] == number)
			return RC_OK;
	if (to->nlists == MEMBER_LISTS_MAX)
		return err_set(e, RC_INPUT, _("a member can be on %d lists "
		    "at most"), MEMBER_LISTS_MAX);
	to->lists[to->nlists++] = (uint16_t)number;
	return RC_OK;
}

static bool
is_separator(uint8_t c)
{
	return c == '|' || c == ';' || c == ',';
}

static enum rc
put_lists(struct members *m, struct member *to, struct bytes s,
    struct err *e)
{
	enum rc rc = RC_OK;
	size_t len;

	while (s.len > 0 && rc == RC_OK) {
		if (is_separator(*s.p) || *s.p == ' ') {
			s.p++;
			s.len--;
			continue;
		}
		for (len = 0; len < s.len && !is_separator(s.p[len]); len++)
			;
		struct bytes name = { s.p, len };
		while (name.p[name.len - 1] == ' ')
			name.len--;
		rc = put_list(m, to, name, e);
		s.p += len;
		s.len -= len;
	}
	return rc;
}

static bool
is_on(const struct member *w, uint16_t list)
{
	for (size_t i = 0; i < w->nlists; i++)
		if (w->lists[i] == list)
			return true;
	return false;
}

/* Under another name, in another mailbox: somebody else, who is given a used
 * address? */
static bool
is_another(const struct member *held, const struct member *w)
{
	return strcmp(held->show, w->show) != 0 &&
	    strcmp(held->route, w->route) != 0;
}

/* Of somebody in office, who may be on more lists now. */
static bool
same_data(const struct member *held, const struct member *w)
{
	if (held->kind != w->kind || held->excluded || is_another(held, w))
		return false;
	for (size_t i = 0; i < held->nlists; i++)
		if (!is_on(w, held->lists[i]))
			return false;
	return true;
}

static enum rc
refuse_alike(const struct member *held, const struct member *w,
    struct err *e)
{
	struct bytes a = identity_address(&held->id);

	if (!identity_same_name(&held->id, &w->id))
		return err_set(e, RC_INPUT, _("the address is too like that "
		    "of %.*s (%s), people would mistake them: choose another"),
		    (int)a.len, (const char *)a.p, held->show);
	if (held->excluded)
		return err_set(e, RC_INPUT, _("the address belonged to %s, "
		    "who has left; an address is never given again"),
		    held->show);
	if (is_another(held, w))
		return err_set(e, RC_INPUT, _("the address is that of %s, "
		    "with another name and another route: an address is never "
		    "given to somebody else; if he is the same, change one of "
		    "them, and the other after it"), held->show);
	return err_set(e, RC_INPUT, _("the address is that of %s, of "
	    "another kind, or without a list that it is on"), held->show);
}

/* ${w} is taken on RC_OK.  Of those who share a mailbox the first stands for
 * all: there may be thousands. */
static enum rc
append(struct members *m, const struct member *w, struct err *e)
{
	struct bytes domain = identity_domain(&w->id);
	struct member *first;
	uint32_t pos = (uint32_t)m->n;

	if (m->n == MEMBERS_MAX)
		return err_set(e, RC_INPUT, _("an association can have %d "
		    "members at most"), MEMBERS_MAX);
	if (!grow(&m->v, m->n, &m->cap, sizeof(*m->v)))
		return err_nomem(e);
	m->v[pos] = *w;
	if ((first = route_first(m, w->route)) != NULL)
		first->shared = true;
	if (!index_add(&m->by_fold, pos, fold_hash(&w->id)) ||
	    (first == NULL && !index_add(&m->by_route, pos,
	    route_hash(w->route))) ||
	    (members_first(m, domain) == NULL &&
	    !index_add(&m->by_domain, pos, domain_hash(domain))))
		return err_nomem(e);
	m->n++;
	return RC_OK;
}

/* Into ${w}: one block for all texts, owned by ${w->route}. */
static bool
put_texts(struct member *w, const char *route, const char *show,
    const char *post)
{
	size_t n = strlen(route) + 1, k = strlen(show) + 1;
	size_t l = strlen(post) + 1;

	if ((w->route = malloc(n + k + l)) == NULL)
		return false;
	w->show = w->route + n;
	w->post = w->show + k;
	memcpy(w->route, route, n);
	memcpy(w->show, show, k);
	memcpy(w->post, post, l);
	return true;
}

static enum rc
fill(struct members *m, const struct member_new *in, struct member *w,
    struct err *e)
{
	char route[REC_ROUTE_MAX + 1], show[REC_DISPLAY_MAX + 1];
	char post[MEMBER_POST_BYTES + 1];
	enum rc rc;

	memset(w, 0, sizeof(*w));
	w->kind = in->kind;
	if ((rc = make_identity(m, in->address, &w->id, e)) != RC_OK ||
	    (rc = check_route(in->route, route, e)) != RC_OK ||
	    (rc = check_show(in->show, show, e)) != RC_OK ||
	    (rc = check_post(in->post, post, e)) != RC_OK ||
	    (rc = put_lists(m, w, in->lists, e)) != RC_OK)
		return rc;
	return put_texts(w, route, show, post) ? RC_OK : err_nomem(e);
}

/* Somebody else may have the mailbox that he stood for, and stands for it
 * from now on. */
static bool
route_left(struct members *m, const char *route)
{
	for (size_t i = 0; i < m->n; i++) {
		if (strcmp(m->v[i].route, route) != 0)
			continue;
		m->v[i].shared = true;
		return index_add(&m->by_route, (uint32_t)i,
		    route_hash(route));
	}
	return true;
}

/* Of the former route the index may go on speaking: it asks the member.  The
 * one who has the new one already, or NULL, was sought before. */
static bool
route_change(struct members *m, struct member *held, const char *was,
    struct member *first)
{
	const bool shared = held->shared;

	held->shared = false;
	if (first != NULL)
		first->shared = true;
	else if (route_first(m, held->route) == NULL &&
	    !index_add(&m->by_route, (uint32_t)(held - m->v),
	    route_hash(held->route)))
		return false;
	return !shared || route_first(m, was) != NULL || route_left(m, was);
}

/* The texts of ${w}, which gets the former ones. */
static enum rc
move(struct members *m, struct member *held, struct member *w, bool said,
    enum member_add *how, struct err *e)
{
	const bool moved = strcmp(held->route, w->route) != 0;
	const bool renamed = strcmp(held->show, w->show) != 0;
	const char *post = said ? w->post : held->post;
	struct member old = *held, *first;

	if (strcmp(held->post, post) != 0)
		*how |= MEMBER_MOVED;
	if (renamed)
		*how |= MEMBER_RENAMED;
	if (*how == MEMBER_HELD && !moved)
		return RC_OK;
	first = moved ? route_first(m, w->route) : NULL;
	if (!put_texts(held, w->route, w->show, post)) {
		*held = old;
		return err_nomem(e);
	}
	free(w->route);
	w->route = old.route;
	if (moved)
		*how |= MEMBER_REROUTED | (first != NULL ? MEMBER_SHARES : 0);
	if (moved || renamed)
		members_touch(m, held);
	return !moved || route_change(m, held, old.route, first) ? RC_OK :
	    err_nomem(e);
}

/* ${said}: with a postal address, though it be empty. */
static enum rc
place(struct members *m, struct member *w, bool said, enum member_add *how,
    struct err *e)
{
	struct member *held = find_alike(m, &w->id);
	enum rc rc;

	*how = MEMBER_HELD;
	if (held != NULL && identity_same_name(&held->id, &w->id) &&
	    same_data(held, w)) {
		if ((rc = move(m, held, w, said, how, e)) != RC_OK)
			return rc;
		held->listed = true;
		if (w->nlists > held->nlists) {
			members_join(m, held, w);
			*how |= MEMBER_JOINED;
		}
		return RC_OK;
	}
	if (held != NULL)
		return refuse_alike(held, w, e);
	if (w->kind >= MEMBER_HUB && members_desk(m, w->kind) != NULL)
		return err_set(e, RC_INPUT, _("there is one already of kind "
		    "%s: %s"), members_kind_word(w->kind),
		    members_desk(m, w->kind)->id.s);
	*how = MEMBER_ADDED;
	if (route_first(m, w->route) != NULL)
		*how |= MEMBER_SHARES;
	if ((rc = append(m, w, e)) != RC_OK)
		return rc;
	w->route = NULL;
	m->v[m->n - 1].listed = true;
	members_touch(m, &m->v[m->n - 1]);
	return RC_OK;
}

enum rc
members_add(struct members *m, const struct member_new *in,
    enum member_add *how, struct err *e)
{
	struct member w;
	enum rc rc = fill(m, in, &w, e);

	if (rc == RC_OK)
		rc = place(m, &w, in->post.p != NULL, how, e);
	free(w.route);
	return rc;
}
