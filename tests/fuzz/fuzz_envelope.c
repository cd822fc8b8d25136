/* Any octets: header and body are read within bounds, whole or in pieces. */
/* links: vault base */
#include <string.h>

#include "base/secret.h"
#include "vault/envelope.h"

static enum rc
count(void *ctx, const uint8_t *p, size_t len, struct err *e)
{
	(void)p;
	(void)e;
	*(size_t *)ctx += len;
	return RC_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	static struct env_opener *o;
	static const uint8_t key[KDF_KEY_BYTES] = { 1 };
	struct err e = ERR_INIT;
	struct env_head h;
	uint8_t again[ENV_HEAD_MAX], body[KDF_KEY_BYTES];
	size_t out = 0;

	BUG_ON(o == NULL && (secret_init(&e) != RC_OK ||
	    (o = env_opener_new()) == NULL));
	BUG_ON(env_head_want(p, len) > ENV_HEAD_MAX);
	if (env_head_parse(p, len, &h, &e) != RC_OK)
		return 0;
	BUG_ON(env_head_want(p, len) != h.len || h.len > len);
	env_head_format(&h, again);
	BUG_ON(memcmp(again, p, h.len) != 0);
	/* Make T right, so that the body is looked at too. */
	kdf_message(h.tag, body, key, (struct bytes){ p, h.hash_len });
	BUG_ON(env_open_start(o, &h, key, (struct env_sink){ count, &out },
	    &e) != RC_OK);
	for (size_t i = h.len; i < len && env_open_feed(o, p + i, 1, &e) ==
	    RC_OK; i++)
		;
	BUG_ON(env_open_end(o, &e) == RC_OK && out > len - h.len);
	return 0;
}
