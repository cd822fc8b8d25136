#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/lang.h"
#include "issuer/ring_walk.h"
#include "issuer/sister.h"
#include "vault/payload.h"
#include "vault/sealed.h"

#define LIST_HEAD "sceau list 1"

/* ---- who ---------------------------------------------------------------- */

static bool
on_list(const struct members *m, const struct member *w, const char *ring)
{
	for (size_t i = 0; i < w->nlists; i++)
		if (strcasecmp(m->lists[w->lists[i]], ring) == 0)
			return true;
	return false;
}

bool
sister_one_of(const struct members *m, const struct member *w,
    const char *ring)
{
	switch (w->kind) {
	case MEMBER_HUB: case MEMBER_WATCH: case MEMBER_ISSUER:
		return false;
	case MEMBER_PRACTICE: case MEMBER_LABORATORY:
	case MEMBER_INSTITUTION: case MEMBER_OTHER:
		break;
	}
	return !w->excluded && (ring == NULL || on_list(m, w, ring));
}

/* "hopital.example" and "lab.hopital.example" are in "hopital.example". */
const struct member *
sister_owner(const struct members *m, const struct identity *id)
{
	struct bytes s = identity_domain(id);
	const struct member *first = NULL, *w;
	const uint8_t *dot;

	do {
		w = members_first(m, s);
		if (w != NULL && (first == NULL || w < first))
			first = w;
		if ((dot = memchr(s.p, '.', s.len)) != NULL) {
			s.len -= (size_t)(dot + 1 - s.p);
			s.p = dot + 1;
		}
	} while (dot != NULL);
	return first;
}

/* ---- the list ----------------------------------------------------------- */

bool
sister_list_format(const struct members *m, const char *ring, size_t *n,
    struct buf *out)
{
	const struct member *issuer = members_desk(m, MEMBER_ISSUER);
	bool ok = buf_addf(out, "%s\n%s\t%s\n", LIST_HEAD, issuer->id.s,
	    issuer->show);

	*n = 0;
	for (size_t i = 0; i < m->n && ok; i++) {
		if (!sister_one_of(m, &m->v[i], ring))
			continue;
		ok = buf_addf(out, "%s\t%s\n", m->v[i].id.s, m->v[i].show);
		++*n;
	}
	return ok;
}

static struct bytes
line_next(struct bytes *left)
{
	const uint8_t *nl = memchr(left->p, '\n', left->len);
	struct bytes line = *left;

	line.len = nl != NULL ? (size_t)(nl - left->p) : left->len;
	left->p += line.len + (nl != NULL);
	left->len -= line.len + (nl != NULL);
	if (line.len > 0 && line.p[line.len - 1] == '\r')
		line.len--;
	return line;
}

static bool
list_push(struct sister_list *l, const struct identity *id)
{
	size_t cap = l->cap == 0 ? 64 : 2 * l->cap;
	struct identity *v;

	if (l->n == l->cap) {
		if ((v = calloc(cap, sizeof(*v))) == NULL)
			return false;
		if (l->n > 0)
			memcpy(v, l->ids, l->n * sizeof(*v));
		free(l->ids);
		l->ids = v;
		l->cap = cap;
	}
	l->ids[l->n++] = *id;
	return true;
}

static enum rc
list_line(struct sister_list *l, struct bytes line, struct err *e)
{
	const uint8_t *tab = memchr(line.p, '\t', line.len);
	struct identity id;

	if (!identity_parse(line.p, tab != NULL ? (size_t)(tab - line.p) :
	    line.len, &id))
		return err_set(e, RC_INPUT, _("this is no identity"));
	if (l->issuer.len == 0) {
		l->issuer = id;
		return RC_OK;
	}
	if (!bytes_eq(identity_assoc(&id), identity_assoc(&l->issuer)))
		return err_set(e, RC_INPUT, _("%s is not of the association "
		    "whose list this is"), id.s);
	if (l->n == MEMBERS_MAX)
		return err_set(e, RC_INPUT, _("too many members"));
	return list_push(l, &id) ? RC_OK : err_nomem(e);
}

static int
by_octets(const void *a, const void *b)
{
	const struct identity *x = a, *y = b;

	return strcmp(x->s, y->s);
}

enum rc
sister_list_parse(struct bytes text, struct sister_list *l, struct err *e)
{
	struct bytes left = text, line;
	size_t n = 1;
	enum rc rc = RC_OK;

	memset(l, 0, sizeof(*l));
	if (!bytes_eqs(line_next(&left), LIST_HEAD))
		return err_set(e, RC_INPUT, _("this is no list of members "
		    "made by sceau issuer list"));
	while (left.len > 0 && rc == RC_OK) {
		line = line_next(&left);
		n++;
		if (line.len > 0 && (rc = list_line(l, line, e)) != RC_OK)
			rc = err_ctx(e, _("line %zu"), n);
	}
	if (l->n > 0)
		qsort(l->ids, l->n, sizeof(*l->ids), by_octets);
	for (size_t i = 1; i < l->n && rc == RC_OK; i++)
		if (identity_same_name(&l->ids[i - 1], &l->ids[i]))
			rc = err_set(e, RC_INPUT, _("%s stands there twice"),
			    l->ids[i].s);
	if (rc == RC_OK && l->n == 0)
		rc = err_set(e, RC_INPUT, _("nobody stands in the list"));
	return rc;
}

void
sister_list_wipe(struct sister_list *l)
{
	free(l->ids);
	memset(l, 0, sizeof(*l));
}

/* ---- the grants --------------------------------------------------------- */

struct granting {
	const struct sister_grant_plan *p;
	const struct members *all;
	uint8_t		*keys;		/* K of each of ${all}; secret */
	bool		*may;		/* of the list: not refused */
	int64_t		 at;
};

static enum rc
emit_writer(struct granting *g, struct sealed_writer *w,
    const struct identity *id, struct err *e)
{
	uint8_t channel[KDF_KEY_BYTES];
	struct rec r = { .type = REC_ENTRY };
	enum rc rc;

	r.entry.id = *id;
	rc = sealed_rec(w, &r, e);
	for (size_t i = 0; i < g->all->n && rc == RC_OK; i++) {
		if (!sister_one_of(g->all, &g->all->v[i], g->p->ring))
			continue;
		kdf_channel(channel, g->keys + i * KDF_KEY_BYTES, id);
		r = (struct rec){ .type = REC_GRANT };
		r.grant = (struct rec_grant){ g->p->year, channel,
		    g->all->v[i].id };
		rc = sealed_rec(w, &r, e);
	}
	wipe(channel, sizeof(channel));
	return rc;
}

/* Our directory; then of each of theirs an ENTRY, and his keys. */
static enum rc
emit_grants(void *ctx, struct sealed_writer *w, struct err *e)
{
	struct granting *g = ctx;
	const struct sister_list *l = g->p->list;
	struct rec r = { .type = REC_META };
	enum rc rc;

	r.meta = (struct rec_meta){ g->at, 0, g->p->year, ENV_VERSION };
	rc = sealed_rec(w, &r, e);
	for (size_t i = 0; i < g->all->n && rc == RC_OK; i++)
		if (sister_one_of(g->all, &g->all->v[i], g->p->ring)) {
			ring_walk_entry(&g->all->v[i], &r);
			rc = sealed_rec(w, &r, e);
		}
	for (size_t i = 0; i < l->n && rc == RC_OK; i++)
		if (g->may[i])
			rc = emit_writer(g, w, &l->ids[i], e);
	return rc;
}

enum rc
sister_grant_check(const struct sister_grant_plan *p,
    struct sister_count *count, struct err *e)
{
	const struct members *m = p->desk->members;
	const struct member *owner;

	memset(count, 0, sizeof(*count));
	if (bytes_eqs(identity_assoc(&p->list->issuer), m->assoc))
		return err_set(e, RC_INPUT, _("this list is of the "
		    "association %s, which is the one of this desk"),
		    m->assoc);
	for (size_t i = 0; i < p->list->n; i++) {
		owner = sister_owner(m, &p->list->ids[i]);
		count->refused += owner != NULL;
		count->writers += owner == NULL;
		if (owner != NULL)
			p->refuse(p->ctx, &p->list->ids[i], owner);
	}
	for (size_t i = 0; i < m->n; i++)
		count->peers += sister_one_of(m, &m->v[i], p->ring);
	count->grants = count->writers * count->peers;
	if (count->grants == 0)
		return err_set(e, RC_INPUT, count->peers == 0 ? _("there is "
		    "no member here to whom they could write") :
		    _("nobody of the list can get a key"));
	return RC_OK;
}

static enum rc
seal_grants(struct granting *g, const uint8_t code[CODE_BYTES],
    struct env_sink out, struct err *e)
{
	uint8_t key[KDF_KEY_BYTES];
	struct sealed_plan s = { .key = key, .max = PAYLOAD_KEYFILE_MAX,
	    .emit = emit_grants, .ctx = g };
	const struct sister_grant_plan *p = g->p;
	const uint8_t *root = desk_root(p->desk, p->year);
	enum rc rc;

	BUG_ON(root == NULL);
	for (size_t i = 0; i < g->all->n; i++)
		kdf_member(g->keys + i * KDF_KEY_BYTES, root, p->year,
		    &g->all->v[i].id);
	for (size_t i = 0; i < p->list->n; i++)
		g->may[i] = sister_owner(g->all, &p->list->ids[i]) == NULL;
	kdf_code(key, p->year, code);
	s.head.source = ENV_CODE;
	s.head.year = p->year;
	s.head.from = p->desk->issuer;
	s.head.to = p->list->issuer;
	rc = sealed_seal(&s, out, e);
	wipe(key, sizeof(key));
	return rc;
}

enum rc
sister_grant(const struct sister_grant_plan *p,
    const uint8_t code[CODE_BYTES], struct env_sink out, struct err *e)
{
	struct granting g = { .p = p, .all = p->desk->members,
	    .at = clock_now() };
	enum rc rc;

	g.keys = secret_alloc(g.all->n * KDF_KEY_BYTES);
	g.may = calloc(p->list->n, sizeof(*g.may));
	rc = g.keys != NULL && g.may != NULL ?
	    seal_grants(&g, code, out, e) : err_nomem(e);
	free(g.may);
	secret_free(&g.keys);
	return rc;
}

/* ---- the letter --------------------------------------------------------- */

static const char fr[] =
"Association %s\n"
"\n"
"Au bureau d'émission de l'association %s\n"
"\n"
"Objet : clés de %u pour écrire à nos membres\n"
"\n"
"Le fichier %s contient les clés avec lesquelles vos\n"
"membres peuvent écrire aux nôtres. Voici le code qui l'ouvre :\n"
"\n"
"    %s\n"
"\n"
"Le code et le fichier ne doivent pas voyager par le même chemin : qui a les\n"
"deux peut écrire à nos membres au nom des vôtres, et lire ce que les vôtres\n"
"leur écrivent. À votre bureau, tapez :\n"
"\n"
"    sceau issuer accept BUREAU %s --out DOSSIER\n"
"\n"
"Détruisez ensuite cette lettre et le fichier.\n"
"\n"
"Qui appeler : %s\n";

static const char en[] =
"Association %s\n"
"\n"
"To the issuer's desk of the association %s\n"
"\n"
"Subject: keys of %u for writing to our members\n"
"\n"
"The file %s holds the keys with which your members\n"
"can write to ours. This is the code that opens it:\n"
"\n"
"    %s\n"
"\n"
"Code and file must not travel by the same way: whoever has both can write to\n"
"our members in the name of yours, and read what yours write to them. At your\n"
"desk, type:\n"
"\n"
"    sceau issuer accept DESK %s --out FOLDER\n"
"\n"
"Then destroy this letter and the file.\n"
"\n"
"Whom to call: %s\n";

bool
sister_letter(const struct sister_letter *l, struct buf *out)
{
	const struct members *m = l->desk->members;
	struct bytes to = identity_assoc(l->to);
	char assoc[IDENTITY_MAX_BYTES + 1] = "";

	memcpy(assoc, to.p, to.len);
	return buf_addf(out, l->english ? en : fr, m->assoc, assoc, l->year,
	    l->file, l->code, l->file, m->call);
}
