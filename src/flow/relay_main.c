/*
 * relay: one session with one relay, no key.  The keeper gives it sealed
 * envelopes; the outer mail around each is made here, the same at each try.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/lang.h"
#include "base/sandbox.h"
#include "conf/cred.h"
#include "flow/ipc.h"
#include "flow/pass.h"
#include "mail/addr.h"
#include "mail/wrap.h"
#include "wire/relay.h"

#define ROUTE_BYTES 320

struct relaying {
	struct chan		*keeper;
	struct relay		*r;
	uint32_t		 job[2];	/* without a verdict yet */
	size_t			 njobs;
	bool			 open;	/* IPC_OUT_END has not come yet */
	bool			 finish;	/* IPC_FINISH has come */
	int64_t			 until_ms;
	char			 from[ROUTE_BYTES], sender[ROUTE_BYTES];
	char			 to[ROUTE_BYTES];
	char			 id[WRAP_ID_BYTES], boundary[80];
	struct wrap		 wrap;
	struct buf		 mail;	/* made, not yet asked for */
	size_t			 at;
};

static enum rc
mail_put(void *arg, const uint8_t *p, size_t len, struct err *e)
{
	struct relaying *x = arg;

	return buf_add(&x->mail, p, len) ? RC_OK :
	    err_set(e, RC_NOMEM, _("no memory left"));
}

/* IPC_SEND: date(8) size(8) from sender to Message-ID boundary.  ${from} is
 * of the envelope of SMTP and may be empty; ${sender} of the header. */
static enum rc
take(struct relaying *x, const struct frame *f, struct relay_mail *m,
    struct err *e)
{
	struct rd r = rd_of(f->body.p, f->body.len);
	struct wrap_head head;
	struct addr to;
	uint64_t size;
	enum rc rc;

	head.date = (int64_t)rd_64(&r);
	size = rd_64(&r);
	unpack_str(&r, x->from, sizeof(x->from));
	unpack_str(&r, x->sender, sizeof(x->sender));
	unpack_str(&r, x->to, sizeof(x->to));
	unpack_str(&r, x->id, sizeof(x->id));
	unpack_str(&r, x->boundary, sizeof(x->boundary));
	if (!rd_done(&r))
		return ipc_bad(e);
	head.from = x->sender;
	head.to = x->to;
	head.message_id = x->id;
	head.boundary = x->boundary[0] != '\0' ? x->boundary : NULL;
	FAULT_OF("relay.mail", x->to);
	BUG_ON(x->njobs == 2);
	x->job[x->njobs++] = f->job;
	x->open = true;
	x->at = 0;
	buf_wipe(&x->mail);
	m->from = x->from;
	m->to = x->to;
	/* Of the directory, and no address: refused as such (wire/relay.c). */
	if (addr_parse(x->to, strlen(x->to), &to, e) != RC_OK)
		return RC_OK;
	if ((rc = wrap_length(&head, size, &m->size, e)) != RC_OK ||
	    (rc = wrap_begin(&x->wrap, &head, (struct sink){ mail_put, x },
	    e)) != RC_OK)
		return rc;
	return RC_OK;
}

static enum rc
late(const struct relaying *x, struct err *e)
{
	if (x->until_ms == 0 || clock_ms() < x->until_ms)
		return RC_OK;
	return err_set(e, RC_TEMP, _("the session has taken longer "
	    "than \"session\" allows; the next pass goes on"));
}

static enum rc
next_mail(void *arg, struct relay_mail *m, bool *more, struct err *e)
{
	struct relaying *x = arg;
	struct frame f;
	enum rc rc;

	*more = false;
	if (x->finish)
		return RC_OK;
	if ((rc = late(x, e)) != RC_OK)
		return rc;
	while ((rc = chan_recv(x->keeper, &f, e)) == RC_OK) {
		switch ((int)f.type) {
		case IPC_OUT:		/* of a mail that was refused */
		case IPC_OUT_END:
			break;
		case IPC_SEND:
			*more = true;
			FAULT("relay.mail.begin");
			return take(x, &f, m, e);
		case IPC_FINISH:
			x->finish = true;
			return RC_OK;
		default:
			return ipc_bad(e);
		}
	}
	return rc;
}

static enum rc
more_mail(struct relaying *x, struct err *e)
{
	struct frame f;
	enum rc rc = chan_recv(x->keeper, &f, e);

	if (rc != RC_OK)
		return rc;
	if (f.type == IPC_OUT)
		return wrap_add(&x->wrap, f.body.p, f.body.len, e);
	if (f.type != IPC_OUT_END)
		return ipc_bad(e);
	x->open = false;
	FAULT("relay.mail.end");
	return wrap_end(&x->wrap, e);
}

static enum rc
read_mail(void *arg, void *p, size_t cap, size_t *len, struct err *e)
{
	struct relaying *x = arg;
	size_t n;
	enum rc rc;

	if ((rc = late(x, e)) != RC_OK)
		return rc;
	while (x->at == x->mail.len && x->open) {
		buf_wipe(&x->mail);
		x->at = 0;
		if ((rc = more_mail(x, e)) != RC_OK)
			return rc;
	}
	n = x->mail.len - x->at < cap ? x->mail.len - x->at : cap;
	if (n > 0)
		memcpy(p, x->mail.p + x->at, n);
	x->at += n;
	*len = n;
	return RC_OK;
}

static enum rc
mail_done(void *arg, const struct relay_result *result, struct err *e)
{
	struct relaying *x = arg;
	struct buf b = BUF_INIT;
	bool ok = buf_add8(&b, (uint8_t)result->verdict) &&
	    buf_add16(&b, (uint16_t)result->code) &&
	    pack_str(&b, result->enhanced) && pack_str(&b, result->text);

	uint32_t job = x->job[0];

	FAULT("relay.mail.done");
	x->job[0] = x->job[1];
	x->njobs--;
	return ipc_send(x->keeper, IPC_SENT, job, &b, ok, e);
}

/* The keeper ends a session (IPC_FINISH) only when each mail has its verdict:
 * what has come here while one has none is the next mail. */
static bool
mail_waits(void *arg)
{
	const struct relaying *x = arg;

	return !x->finish && chan_waiting(x->keeper);
}

enum rc
relay_main(const struct pass *p, unsigned relay, struct pass_ends *ends,
    struct err *e)
{
	const struct conf_relay *conf = &p->conf->relays[RELAY_OF(p->conf,
	    relay)];
	struct relaying *x = calloc(1, sizeof(*x));
	struct secret secret = SECRET_INIT;
	struct relay_feed feed;
	struct err ignored = ERR_INIT;
	uint8_t why;
	enum rc rc = RC_OK;

	if (x == NULL)
		return err_set(e, RC_NOMEM, _("no memory left"));
	x->keeper = &ends->keeper;
	x->until_ms = pass_until_ms(p, &conf->server);
	feed = (struct relay_feed){ x, next_mail, read_mail, mail_done,
	    mail_waits };
	if (conf->server.auth != CONF_AUTH_NONE)
		rc = cred_get(&conf->server, &secret, e);
	if (rc == RC_OK)
		rc = relay_new(conf, &x->r, e);
	if (rc == RC_OK)
		rc = sandbox_enter(SB_RELAY, NULL, e);
	if (rc == RC_OK)
		rc = relay_run(x->r, conf->server.auth != CONF_AUTH_NONE ?
		    &secret : NULL, &feed, e);
	secret_wipe(&secret);
	if (rc != RC_OK) {
		why = (uint8_t)relay_why(x->r);
		(void)chan_send(x->keeper, IPC_WHY, 0, &why, 1, &ignored);
	}
	relay_close(&x->r);
	buf_free(&x->mail);
	free(x);
	return rc;
}
