#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/lang.h"
#include "vault/keyfile.h"
#include "vault/payload.h"
#include "vault/sealed.h"

/* ---- writing ----------------------------------------------------------- */

static enum rc
emit(void *ctx, struct sealed_writer *w, struct err *e)
{
	const struct keyfile_plan *plan = *(const struct keyfile_plan **)ctx;
	struct rec r = { .type = REC_META };
	enum rc rc;

	r.meta = (struct rec_meta){ plan->at, plan->bulletin,
	    plan->self.year, ENV_VERSION };
	rc = sealed_rec(w, &r, e);
	if (rc == RC_OK) {
		r = (struct rec){ .type = REC_SELF };
		r.self = plan->self;
		rc = sealed_rec(w, &r, e);
	}
	for (size_t i = 0; i < plan->nroles && rc == RC_OK; i++) {
		r = (struct rec){ .type = REC_ROLE };
		r.role = plan->roles[i];
		rc = sealed_rec(w, &r, e);
	}
	for (size_t i = 0; rc == RC_OK && plan->next(plan->ctx, i, &r); i++)
		rc = sealed_rec(w, &r, e);
	return rc;
}

enum rc
keyfile_write(const struct keyfile_plan *plan, struct env_sink out,
    struct err *e)
{
	struct sealed_plan s = { .key = plan->key, .rnd = plan->rnd,
	    .max = PAYLOAD_KEYFILE_MAX, .emit = emit, .ctx = &plan,
	    .kept = plan->kept, .kept_max = plan->kept_max };

	BUG_ON(plan->source != ENV_CODE && plan->source != ENV_OLD_CODE);
	s.head.source = plan->source;
	s.head.year = plan->self.year;
	s.head.from = plan->issuer;
	s.head.to = plan->self.id;
	return sealed_seal(&s, out, e);
}

/* ---- reading ----------------------------------------------------------- */

struct import {
	struct keystore	*ks;
	const uint8_t	*code;
	struct keyfile_result *res;
	struct env_head	 h;
	bool		 has_self;
	bool		 has_issuer;
	size_t		 self;
	int64_t		 at;
};

static enum rc
open_file(const char *path, int *fd, struct err *e)
{
	*fd = open(path, O_RDONLY | O_CLOEXEC);
	if (*fd < 0)
		return err_set(e, RC_CONF, _("the key file %s cannot be "
		    "read: %s"), path, lang_errno(errno));
	return RC_OK;
}

static enum rc
is_key_file(const struct env_head *h, struct err *e)
{
	if (h->source == ENV_CODE || h->source == ENV_OLD_CODE)
		return RC_OK;
	return err_class(e, EC_FORMAT, h->source == ENV_CHANNEL ?
	    _("this is a sealed message or a machine's store, "
	    "not a key file") :
	    _("this is a key store under a passphrase, not a key file"));
}

static enum rc
wrong_code(struct err *e)
{
	return err_class(e, EC_HEADER, _("wrong code, or a damaged file"));
}

/* K(recipient, Y-1) first (2.19.27), then whatever is held (2.19.11): T says
 * which one it was. */
static enum rc
renewal_key(const struct import *im, uint8_t key[KDF_KEY_BYTES],
    struct err *e)
{
	const struct keystore *ks = im->ks;
	int old = keystore_find(ks, &im->h.to, (uint16_t)(im->h.year - 1));

	for (size_t i = 0; i <= ks->nselves; i++) {
		if (i == 0 && old < 0)
			continue;
		kdf_renewal(key, keystore_key(ks, i == 0 ? (size_t)old : i - 1),
		    im->h.year, im->code);
		if (env_head_verify(&im->h, key))
			return RC_OK;
	}
	wipe(key, KDF_KEY_BYTES);
	if (old < 0)
		return err_class(e, EC_NOKEY, _("this file renews the key of "
		    "%s for %u, which is not held here: import that file "
		    "first, or ask the association for a first key file"),
		    im->h.to.s, im->h.year - 1U);
	return wrong_code(e);
}

static enum rc
import_key(void *ctx, const struct env_head *h, uint8_t key[KDF_KEY_BYTES],
    struct err *e)
{
	struct import *im = ctx;
	enum rc rc;

	im->h = *h;
	if ((rc = is_key_file(h, e)) != RC_OK)
		return rc;
	if (h->source == ENV_OLD_CODE)
		return renewal_key(im, key, e);
	kdf_code(key, h->year, im->code);
	if (env_head_verify(h, key))
		return RC_OK;
	wipe(key, KDF_KEY_BYTES);
	return wrong_code(e);
}

/* The sender must be the issuer of a key held already, by name (2.19.4). */
static bool
known_issuer(const struct import *im)
{
	const struct keystore *ks = im->ks;

	for (size_t i = 0; i < ks->nselves; i++)
		if (keystore_role(ks, i, &im->h.from) &
		    1U << REC_ROLE_ISSUER)
			return true;
	return ks->nselves == 0;
}

static enum rc
import_self(struct import *im, const struct rec_self *s, struct err *e)
{
	struct keyfile_result *res = im->res;
	size_t before = im->ks->nselves;
	enum rc rc;

	if (im->has_self || s->year != im->h.year ||
	    !identity_eq(&s->id, &im->h.to))
		return err_class(e, EC_FORMAT, _("the key inside is not the "
		    "one that the file is labelled with"));
	if (!known_issuer(im))
		return err_class(e, EC_AUTHORITY, _("this key file comes from "
		    "%s, which is not the issuer of the keys held here"),
		    im->h.from.s);
	if (ring_barred(im->ks->ring, &s->id) > s->id.gen)
		return err_class(e, EC_BARRED, _("the association has "
		    "replaced %s: use the newer file"), s->id.s);
	rc = keystore_add_self(im->ks, s, &im->self, e);
	if (rc != RC_OK)
		return rc;
	im->has_self = true;
	res->again = before == im->ks->nselves;
	res->first = before == 0;
	res->self = s->id;
	res->year = s->year;
	res->from_at = s->from_at;
	res->send_until_at = s->send_until_at;
	res->read_until_at = s->read_until_at;
	return RC_OK;
}

static enum rc
import_role(struct import *im, const struct rec_role *r, struct err *e)
{
	if (r->role == REC_ROLE_ISSUER) {
		if (im->res->first && !identity_eq(&r->id, &im->h.from))
			return err_class(e, EC_AUTHORITY, _("this first key "
			    "file names another issuer than its sender"));
		im->has_issuer = true;
	}
	return keystore_add_role(im->ks, im->self, r, e);
}

static enum rc
import_grant(struct import *im, const struct rec_grant *g, struct err *e)
{
	struct keyfile_result *res = im->res;
	enum ring_add how;
	enum rc rc;

	if (g->year != im->h.year)
		return err_class(e, EC_AUTHORITY, _("a key of another year "
		    "stands in the file for %u"), im->h.year);
	if (identity_same_name(&g->peer, &im->h.to))
		return RC_OK;
	rc = ring_add(im->ks->ring, (uint16_t)im->self, &g->peer, g->key,
	    &how, e);
	if (rc != RC_OK)
		return rc;
	res->nkeys += how == RING_ADDED;
	res->nheld += how == RING_HELD;
	if (how == RING_CONFLICT && res->nconflicts++ == 0)
		res->conflict = g->peer;
	return RC_OK;
}

static enum rc
import_bar(struct import *im, const struct rec_bar *b, struct err *e)
{
	im->res->nbars++;
	if (identity_same_name(&b->name, &im->h.to))
		im->res->own_min = b->minimum;
	return ring_bar(im->ks->ring, &b->name, b->minimum, e);
}

static enum rc
import_rec(struct import *im, const struct rec *r, struct err *e)
{
	if (r->type != REC_META && r->type != REC_SELF && !im->has_self &&
	    rec_known(r->type))
		return err_class(e, EC_RECORD,
		    _("the file does not begin with the key itself"));
	switch (r->type) {
	case REC_META:
		im->at = r->meta.sealed_at;
		return RC_OK;
	case REC_SELF:
		return import_self(im, &r->self, e);
	case REC_ROLE:
		return import_role(im, &r->role, e);
	case REC_GRANT:
		return import_grant(im, &r->grant, e);
	case REC_ENTRY:
		im->res->nentries++;
		return ring_enter(im->ks->ring, (uint8_t)r->entry.flag,
		    im->at, &r->entry.id, r->entry.route, r->entry.display,
		    e);
	case REC_BAR:
		return import_bar(im, &r->bar, e);
	default:
		if (!rec_known(r->type))
			return RC_OK;
		return err_class(e, EC_AUTHORITY, _("%s does not belong into "
		    "a key file"), rec_name(r->type));
	}
}

static enum rc
import_record(void *ctx, uint8_t type, struct bytes value, struct err *e)
{
	struct rec r;
	enum rc rc = rec_parse(type, value, &r, e);

	return rc == RC_OK ? import_rec(ctx, &r, e) : rc;
}

enum rc
keyfile_import(struct keystore *ks, const char *path,
    const uint8_t code[KDF_CODE_BYTES], struct keyfile_result *res,
    struct err *e)
{
	struct import im = { .ks = ks, .code = code, .res = res };
	const struct sealed_events on = { &im, PAYLOAD_KEYFILE_MAX,
	    import_key, import_record };
	int fd;
	enum rc rc;

	memset(res, 0, sizeof(*res));
	if ((rc = open_file(path, &fd, e)) != RC_OK)
		return rc;
	rc = sealed_read(fd, &on, e);
	close(fd);
	if (rc != RC_OK)
		return rc;
	if (!im.has_self || !im.has_issuer)
		return err_class(e, EC_RECORD,
		    _("the file names no key or no issuer"));
	res->issuer = im.h.from;
	res->renewal = im.h.source == ENV_OLD_CODE;
	return RC_OK;
}
