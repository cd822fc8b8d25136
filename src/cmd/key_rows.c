#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/lang.h"
#include "base/secret.h"
#include "cmd/key_rows.h"
#include "store/store.h"
#include "vault/gate.h"

/* In secret memory. */
struct opened {
	uint8_t		plain[ROW_MAX_BYTES];
	struct row_peer	peer;
};

struct key_rows {
	const struct keystore *ks;
	struct store	*st;
	struct opened	*o;
	uint8_t		 desk;		/* of the newest complete list */
	struct buf	 key, value;
};

static bool
unseal(struct key_rows *r, const char *key, size_t *len)
{
	return row_unseal(keystore_local(r->ks), keystore_previous(r->ks),
	    key, (struct bytes){ r->value.p, r->value.len }, r->o->plain,
	    len);
}

static enum rc
read_self(struct key_rows *r, struct err *e)
{
	const struct bytes key = { (const uint8_t *)GATE_ROW_SELF,
	    strlen(GATE_ROW_SELF) };
	struct row_self self;
	uint32_t version;
	size_t len;
	enum rc rc = store_row_get(r->st, key, &r->value, &version, e);

	if (rc == RC_OK && version != 0 && unseal(r, GATE_ROW_SELF, &len) &&
	    row_self_parse((struct bytes){ r->o->plain, len }, &self))
		r->desk = self.desk;
	return rc;
}

enum rc
key_rows_open(const struct app *app, const struct keystore *ks,
    struct key_rows **out, struct err *e)
{
	struct key_rows *r = calloc(1, sizeof(*r));
	enum rc rc;

	*out = r;
	if (r == NULL)
		return err_nomem(e);
	r->ks = ks;
	if ((r->o = secret_alloc(sizeof(*r->o))) == NULL)
		rc = err_nomem(e);
	else if ((rc = store_open(app->conf.state, STORE_READ, &r->st, e)) ==
	    RC_OK && (rc = store_read_begin(r->st, e)) == RC_OK)
		rc = read_self(r, e);
	if (rc != RC_OK)
		key_rows_close(out);
	return rc;
}

void
key_rows_close(struct key_rows **r)
{
	if (*r == NULL)
		return;
	store_close(&(*r)->st);
	secret_free(&(*r)->o);
	buf_free(&(*r)->key);
	buf_free(&(*r)->value);
	free(*r);
	*r = NULL;
}

/* The row in r->value. */
static void
fill(struct key_rows *r, const char *key, struct key_row *out)
{
	size_t len;

	out->peer = NULL;
	if (!unseal(r, key, &len) || !row_peer_parse(
	    (struct bytes){ r->o->plain, len }, &r->o->peer))
		return;
	out->peer = &r->o->peer;
	out->min = row_min(out->peer, r->desk);
}

enum rc
key_rows_find(struct key_rows *r, const struct identity *name,
    struct key_row *out, struct err *e)
{
	const struct bytes key = identity_name(name);
	char text[GATE_ID_BYTES];
	uint32_t version;
	enum rc rc = store_row_get(r->st, key, &r->value, &version, e);

	*out = (struct key_row){ .name = *name };
	snprintf(text, sizeof(text), "%.*s", (int)key.len,
	    (const char *)key.p);
	if (rc == RC_OK && version != 0)
		fill(r, text, out);
	return rc;
}

enum rc
key_rows_next(struct key_rows *r, struct key_row *out, struct err *e)
{
	char text[GATE_ID_BYTES];
	uint32_t version;
	enum rc rc;

	*out = (struct key_row){ .peer = NULL };
	for (;;) {
		rc = store_row_next(r->st, NULL, (struct bytes){ r->key.p,
		    r->key.len }, &r->key, &r->value, &version, e);
		if (rc != RC_OK || r->key.len == 0)
			return rc;
		snprintf(text, sizeof(text), "%.*s", (int)r->key.len,
		    (const char *)r->key.p);
		if (identity_parse_name(text, strlen(text), &out->name))
			fill(r, text, out);
		if (out->peer != NULL)
			return RC_OK;
	}
}
