#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/lang.h"
#include "flow/composer.h"
#include "flow/ipc.h"

#define READ_BYTES 65536

static enum rc
take_some(struct composer *c, const uint8_t *p, size_t len, struct err *e)
{
	enum rc rc = spool_put(&c->spool, p, len, e);

	if (c->sum != NULL)
		gate_sum_add(c->sum, p, len);
	return rc == RC_OK ? submit_scan(&c->mail, p, len, e) : rc;
}

enum rc
composer_take(struct composer *c, int fd, const char *dir, uint64_t max,
    struct err *e)
{
	uint8_t *p = malloc(READ_BYTES);
	enum rc rc;
	ssize_t n;

	submit_init(&c->mail, max);
	if (p == NULL)
		return err_set(e, RC_NOMEM, _("no memory left"));
	rc = spool_open(&c->spool, dir, e);
	while (rc == RC_OK && (n = read_full(fd, p, READ_BYTES)) != 0)
		rc = n < 0 ? err_sys(e, _("standard input")) :
		    take_some(c, p, (size_t)n, e);
	wipe(p, READ_BYTES);
	free(p);
	return rc == RC_OK ? spool_turn(&c->spool, e) : rc;
}

enum rc
composer_ready(struct composer *c, const struct submit_add *add,
    struct err *e)
{
	return submit_scan_end(&c->mail, add, e);
}

enum rc
composer_push(void *arg, const uint8_t *p, size_t len, struct err *e)
{
	struct chan *vault = arg;

	while (len > 0) {
		size_t n = len < CHAN_DATA_BYTES ? len : CHAN_DATA_BYTES;
		enum rc rc = chan_send(vault, IPC_PUSH, 0, p, n, e);

		if (rc != RC_OK)
			return rc;
		p += n;
		len -= n;
	}
	return RC_OK;
}

struct pushing {
	struct composer	*c;
	struct chan	*vault;
};

static enum rc
push_some(void *arg, const void *p, size_t len, struct err *e)
{
	struct pushing *x = arg;

	return submit_copy(&x->c->mail, p, len,
	    (struct sink){ composer_push, x->vault }, e);
}

static enum rc
push_all(struct composer *c, struct chan *vault, struct err *e)
{
	struct pushing x = { c, vault };
	const struct gate_sink sink = { push_some, &x };
	enum rc rc = RC_OK;

	if (c->spool.fd >= 0 &&
	    (rc = spool_read(&c->spool, &sink, e)) == RC_OK)
		rc = submit_copy_end(&c->mail, e);
	return rc == RC_OK ?
	    chan_send(vault, IPC_PUSHED, 0, c->forms.p, c->forms.len, e) : rc;
}

enum rc
composer_serve(void *ctx, struct chan *vault, struct err *e)
{
	struct frame f;

	if (chan_recv(vault, &f, e) != RC_OK) {
		chan_close(vault);
		return RC_OK;
	}
	if (f.type != IPC_PULL)
		return ipc_bad(e);
	return push_all(ctx, vault, e);
}

void
composer_free(struct composer *c)
{
	spool_close(&c->spool);
	gate_sum_free(&c->sum);
	submit_free(&c->mail);
	buf_free(&c->forms);
}
