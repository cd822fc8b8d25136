/* The composer: what `send` submits, fed to the vault when it asks. */
#ifndef SC_FLOW_COMPOSER_H
#define SC_FLOW_COMPOSER_H

#include "base/chan.h"
#include "flow/spool.h"
#include "mail/submit.h"

/*
 * It reads the message once (composer_take), learns what is to be made of it,
 * and gives the MAIL as often as the vault pulls: once for D, once for each
 * recipient.  Without a spool (fd -1) there is none, only the forms.
 */
struct composer {
	struct spool	spool;
	struct submit	mail;
	struct gate_sum	*sum;	/* of the octets as they come; or NULL */
	struct buf	forms;	/* behind it; see IPC_PUSHED */
};

/* composer_take(c, fd, dir, max, e): all of ${fd}, kept sealed in a nameless
 * file in ${dir}. composer_free() after a failure too. */
enum rc composer_take(struct composer *c, int fd, const char *dir,
    uint64_t max, struct err *e);
/* composer_ready(c, add, e): see submit_scan_end(). */
enum rc composer_ready(struct composer *c, const struct submit_add *add,
    struct err *e);
/* composer_serve(ctx, vault, e): ${ctx}: a struct composer; answer the frame
 * that waits on the line to the vault.  RC_OK also when the vault is gone
 * (the line is closed then). */
enum rc composer_serve(void *ctx, struct chan *vault, struct err *e);
void composer_free(struct composer *c);

/* composer_push(vault, p, len, e): a sink's put(): octets of the mail that
 * the vault has asked for; IPC_PUSHED ends it. */
enum rc composer_push(void *vault, const uint8_t *p, size_t len,
    struct err *e);

#endif
