#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/lang.h"
#include "vault/gate_priv.h"

/* Nobody's identity: such octets are never sent. */
#define SPOOL_ID "spool/x@spool.invalid#1"

/* Lies in secret memory, for its key. */
struct gate_spool {
	uint8_t		 key[KDF_KEY_BYTES];
	struct env_head	 h;
	struct env_sealer *sealer;
	struct env_opener *opener;
	bool		 started;
	size_t		 skip;		/* of the header, when reading */
	const struct gate_sink *sink;
};

static enum rc
put_out(void *ctx, const uint8_t *p, size_t len, struct err *e)
{
	struct gate_spool *s = ctx;

	return s->sink->put(s->sink->arg, p, len, e);
}

struct gate_spool *
gate_spool_new(void)
{
	struct gate_spool *s = secret_alloc(sizeof(*s));

	if (s == NULL)
		return NULL;
	s->sealer = env_sealer_new();
	if (s->sealer == NULL)
		gate_spool_free(&s);
	return s;
}

void
gate_spool_free(struct gate_spool **s)
{
	if (*s == NULL)
		return;
	env_sealer_free(&(*s)->sealer);
	env_opener_free(&(*s)->opener);
	secret_free(s);
}

static enum rc
start(struct gate_spool *s, struct err *e)
{
	const struct env_sink out = { put_out, s };

	if (s->started)
		return RC_OK;
	s->started = true;
	random_bytes(s->key, sizeof(s->key));
	random_bytes(s->h.salt, sizeof(s->h.salt));
	s->h.source = ENV_CHANNEL;
	BUG_ON(!identity_parse(SPOOL_ID, strlen(SPOOL_ID), &s->h.from));
	s->h.to = s->h.from;
	return env_seal_start(s->sealer, &s->h, s->key, out, e);
}

enum rc
gate_spool_put(struct gate_spool *s, const void *p, size_t len,
    const struct gate_sink *sink, struct err *e)
{
	enum rc rc;

	BUG_ON(s->opener != NULL);
	s->sink = sink;
	if ((rc = start(s, e)) != RC_OK)
		return rc;
	return env_seal_put(s->sealer, p, len, e);
}

/* Begin to read, the first time and every other. */
static enum rc
rewind_spool(struct gate_spool *s, struct err *e)
{
	const struct env_sink out = { put_out, s };

	if (s->opener == NULL && (s->opener = env_opener_new()) == NULL)
		return err_set(e, RC_NOMEM, _("no memory for opening"));
	s->skip = s->h.len;
	return env_open_start(s->opener, &s->h, s->key, out, e);
}

enum rc
gate_spool_turn(struct gate_spool *s, const struct gate_sink *sink,
    struct err *e)
{
	enum rc rc;

	s->sink = sink;
	if ((rc = start(s, e)) != RC_OK ||
	    (rc = env_seal_end(s->sealer, e)) != RC_OK)
		return rc;
	return rewind_spool(s, e);
}

enum rc
gate_spool_get(struct gate_spool *s, const void *p, size_t len,
    const struct gate_sink *sink, struct err *e)
{
	size_t n = len < s->skip ? len : s->skip;

	BUG_ON(s->opener == NULL);
	s->sink = sink;
	s->skip -= n;
	return env_open_feed(s->opener, (const uint8_t *)p + n, len - n, e);
}

enum rc
gate_spool_end(struct gate_spool *s, const struct gate_sink *sink,
    struct err *e)
{
	enum rc rc;

	BUG_ON(s->opener == NULL);
	s->sink = sink;
	if ((rc = env_open_end(s->opener, e)) != RC_OK)
		return rc;
	return rewind_spool(s, e);
}
