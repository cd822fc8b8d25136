#include "config.h"

#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/lang.h"
#include "base/sandbox.h"
#include "conf/cred.h"
#include "flow/ipc.h"
#include "flow/probe.h"
#include "wire/relay.h"
#include "wire/source.h"

static enum rc
probe_source(const struct conf_account *a, enum wire_why *why,
    struct err *e)
{
	const struct source_limits limits = { .max_message = 0 };
	const struct sandbox_path paths[] = { { a->path, SB_TREE },
	    { NULL, SB_TREE } };
	struct secret secret = SECRET_INIT;
	struct source *s = NULL;
	enum rc rc = RC_OK;

	if (a->protocol == CONF_IMAP || a->protocol == CONF_POP3)
		rc = cred_get(&a->server, &secret, e);
	if (rc == RC_OK)
		rc = source_new(a, &limits, &s, e);
	if (rc == RC_OK)
		rc = sandbox_enter(SB_FETCH, paths, e);
	if (rc == RC_OK)
		rc = source_open(s, &secret, e);
	*why = rc == RC_OK ? WHY_NONE : source_why(s);
	secret_wipe(&secret);
	source_close(&s);
	return rc;
}

static enum rc
probe_relay(const struct conf_relay *c, enum wire_why *why, struct err *e)
{
	struct secret secret = SECRET_INIT;
	struct relay *r = NULL;
	enum rc rc = RC_OK;

	if (c->server.auth != CONF_AUTH_NONE)
		rc = cred_get(&c->server, &secret, e);
	if (rc == RC_OK)
		rc = relay_new(c, &r, e);
	if (rc == RC_OK)
		rc = sandbox_enter(SB_RELAY, NULL, e);
	if (rc == RC_OK)
		rc = relay_check(r, c->server.auth != CONF_AUTH_NONE ?
		    &secret : NULL, e);
	*why = rc == RC_OK ? WHY_NONE : relay_why(r);
	secret_wipe(&secret);
	relay_close(&r);
	return rc;
}

static _Noreturn void
child(const struct pass *p, enum part part, unsigned index, int fd)
{
	struct err e = ERR_INIT, ignored = ERR_INIT;
	enum wire_why why = WHY_NONE;
	struct chan c;
	uint8_t octet;
	enum rc rc;

	chan_init(&c, fd);
	rc = part == PART_FETCH ?
	    probe_source(&p->conf->accounts[index], &why, &e) :
	    probe_relay(&p->conf->relays[index], &why, &e);
	octet = (uint8_t)why;
	(void)chan_send(&c, IPC_WHY, 0, &octet, 1, &ignored);
	ipc_done(&c, rc, &e);
	sandbox_leave(0);
}

static enum rc
listen_to(struct chan *c, enum wire_why *why, struct err *e)
{
	struct frame f;
	struct rd r;
	enum rc rc;

	while ((rc = chan_recv(c, &f, e)) == RC_OK) {
		r = rd_of(f.body.p, f.body.len);
		if (f.type == IPC_WHY)
			*why = (enum wire_why)rd_8(&r);
		else
			return unpack_err(&r, e);
	}
	return rc;
}

enum rc
probe(const struct pass *p, enum part part, unsigned index,
    enum wire_why *why, struct err *e)
{
	struct chan c;
	int fds[2], status;
	pid_t pid;
	enum rc rc;

	*why = WHY_LOCAL;
	if ((rc = chan_pair(fds, e)) != RC_OK)
		return rc;
	if ((pid = fork()) < 0)
		rc = err_sys(e, "fork");
	if (pid == 0) {
		close(fds[0]);
		child(p, part, index, fds[1]);
	}
	close(fds[1]);
	chan_init(&c, fds[0]);
	if (rc == RC_OK)
		rc = listen_to(&c, why, e);
	chan_close(&c);
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return rc;
}
