/*
 * Q5: what could not be relayed is told to the local sender, once: a mail
 * without any content of the one that failed, put where mail is delivered
 * here.  A notice never causes another.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/lang.h"
#include "base/secret.h"
#include "flow/keeper.h"
#include "mail/wrap.h"
#include "store/store_out.h"
#include "wire/relay.h"

#define AT_ONCE 16

static bool
has_place(const struct keeper *k)
{
	for (size_t i = 0; i < k->p->conf->ndelivers; i++)
		if (k->p->conf->delivers[i].kind != CONF_DELIVER_FOLDER)
			return true;
	return false;
}

static bool
compose(struct keeper *k, const struct store_out *m, struct buf *b)
{
	const char *to = m->notice_to[0] != '\0' ? m->notice_to :
	    k->p->conf->route;
	char date[CLOCK_5322_BYTES], id[WRAP_ID_BYTES];
	char queued[CLOCK_SAY_BYTES];
	uint8_t rnd[WRAP_RANDOM_BYTES];

	random_bytes(rnd, sizeof(rnd));
	wrap_message_id(k->p->conf->route, rnd, id);
	clock_5322(clock_now(), date);
	clock_say(m->queued_at, queued);
	return buf_addf(b, "From: sceau <%s>\r\nTo: %s\r\nDate: %s\r\n"
	    "Message-ID: <%s>\r\nSubject: =?utf-8?Q?sceau?=\r\n"
	    "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
	    "Content-Type: text/plain; charset=utf-8\r\n"
	    "Content-Transfer-Encoding: 8bit\r\n\r\n",
	    k->p->conf->route, to, date, id) &&
	    buf_addf(b, _("Message no. %lld for %s, queued %s, could not be "
	    "handed to the relay and is given up.\r\n"), (long long)m->id,
	    m->identity, queued) &&
	    buf_addf(b, _("The relay said: %s\r\n"),
	    relay_words(m->text)) &&
	    buf_addf(b, _("Nothing went out in clear; the sealed message is "
	    "kept. Once the cause is mended, type: sceau queue retry "
	    "%lld\r\n"), (long long)m->id);
}

static enum rc
answered(struct keeper *k, enum ipc type, uint32_t job, struct err *e)
{
	enum rc said = RC_OK;
	enum rc rc = keeper_clerk_says(k, type, job, &said, e, e);

	return rc == RC_OK ? said : rc;
}

/* Its file is found again after a crash; that of an earlier failure of the
 * same mail is another. */
static void
notice_token(const struct store_out *m, uint8_t t[GATE_T_BYTES])
{
	memcpy(t, m->t, GATE_T_BYTES);
	for (size_t i = 0; i < 8; i++)
		t[i] ^= (uint8_t)((uint64_t)m->sent_at >> (8 * i));
}

/* The clerk files it like a mail, and not where it sees it already. */
static enum rc
file_notice(struct keeper *k, const struct store_out *m, struct err *e)
{
	uint32_t job = ++k->job;
	uint8_t t[GATE_T_BYTES];
	struct buf b = BUF_INIT;
	bool ok, there;
	enum rc rc;

	notice_token(m, t);
	if ((rc = keeper_look(k, job, t, 0, &there, e)) != RC_OK)
		return rc;
	ok = buf_add(&b, t, sizeof(t)) && buf_add32(&b, 0) &&
	    compose(k, m, &b);
	if ((rc = ipc_put(&k->clerk.c, IPC_NOTICE, job, &b, ok, e)) == RC_OK)
		rc = answered(k, IPC_READY, job, e);
	if (rc == RC_OK)
		rc = chan_put(&k->clerk.c, IPC_FILE, job, NULL, 0, e);
	if (rc == RC_OK)
		rc = chan_put(&k->clerk.c, IPC_SETTLE, 0, NULL, 0, e);
	return rc == RC_OK ? answered(k, IPC_FILED, job, e) : rc;
}

static enum rc
tell_one(struct keeper *k, const struct store_out *m, struct err *e)
{
	struct err why = ERR_INIT;
	enum rc rc = RC_OK;

	if (has_place(k)) {
		if ((rc = keeper_need_vault(k, e)) != RC_OK)
			return rc;
		rc = file_notice(k, m, &why);
	}
	if (rc != RC_OK) {
		keeper_fault(k, "out.notice_failed", rc, WHY_LOCAL, &why);
		return RC_OK;	/* due still: the next pass */
	}
	keeper_event(k, "out.notice", "id=%lld to=%s", (long long)m->id,
	    m->identity);
	return store_notice_done(k->st, &m->id, 1, e);
}

enum rc
notices(struct keeper *k, struct err *e)
{
	struct store_out *m = calloc(AT_ONCE, sizeof(*m));
	int64_t after = 0;
	size_t n = 0;
	enum rc rc = m == NULL ? err_set(e, RC_NOMEM,
	    _("no memory left")) : RC_OK;

	k->notice_more = false;
	do {
		if (rc == RC_OK)
			rc = store_notice_next(k->st, after, m, AT_ONCE, &n,
			    e);
		for (size_t i = 0; rc == RC_OK && i < n; i++) {
			after = m[i].id;
			rc = tell_one(k, &m[i], e);
		}
	} while (rc == RC_OK && n == AT_ONCE);
	free(m);
	return rc;
}
