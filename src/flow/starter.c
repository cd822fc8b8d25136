#include "config.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>
#ifdef HAVE_SYS_PRCTL_H
#include <sys/prctl.h>
#endif

#include "base/clock.h"
#include "base/fault.h"
#include "base/lang.h"
#include "base/log.h"
#include "base/sandbox.h"
#include "flow/ipc.h"
#include "flow/starter.h"
#include "flow/tell.h"
#include "wire/pipe.h"

#define KIDS_MAX 184
#define END_MS 15000	/* how long children may take to leave */

struct kid {
	pid_t		pid;	/* 0: free */
	enum part	part;
};

struct starter {
	const struct pass		*p;
	const struct starter_job	*job;
	struct kid			 kids[KIDS_MAX];
	struct chan			 keeper, clerk, composer;
	bool				 answered;	/* the keeper is done */
	enum rc				 rc;
	int				 code;		/* what it said */
};

static const char *const part_names[PART_N] = { "keeper", "fetch", "relay",
    "vault", "clerk" };

static volatile sig_atomic_t stop_asked;

static void
on_stop(int sig)
{
	(void)sig;
	stop_asked = 1;
}

static void
catch_signals(void)
{
	struct sigaction a;

	memset(&a, 0, sizeof(a));
	a.sa_handler = on_stop;
	sigaction(SIGTERM, &a, NULL);
	sigaction(SIGINT, &a, NULL);
	a.sa_handler = SIG_IGN;
	sigaction(SIGPIPE, &a, NULL);
}

/* A terminal's ^C is for the starter, which ends the others in order. */
static void
child_signals(void)
{
	struct sigaction a;

	memset(&a, 0, sizeof(a));
	a.sa_handler = SIG_IGN;
	sigaction(SIGINT, &a, NULL);
	a.sa_handler = SIG_DFL;
	sigaction(SIGTERM, &a, NULL);
}

static _Noreturn void
child_run(struct starter *s, enum part part, unsigned index,
    struct pass_ends *x)
{
	struct err e = ERR_INIT;
	enum rc rc;

	child_signals();
	chan_close(&s->keeper);
	chan_close(&s->clerk);
	chan_close(&s->composer);
#if defined(HAVE_SYS_PRCTL_H) && defined(PR_SET_NAME)
	{
		char name[16];

		snprintf(name, sizeof(name), "sceau:%s", part_names[part]);
		prctl(PR_SET_NAME, name, 0, 0, 0);
	}
#endif
	rc = part_main(s->p, part, index, x, &e);
	ipc_done(part == PART_KEEPER ? &x->starter : &x->keeper, rc, &e);
	sandbox_leave(rc_exit(rc));
}

static struct kid *
kid_free(struct starter *s)
{
	for (size_t i = 0; i < KIDS_MAX; i++)
		if (s->kids[i].pid == 0)
			return &s->kids[i];
	return NULL;
}

static void
ends_close(struct pass_ends *x)
{
	chan_close(&x->keeper);
	chan_close(&x->clerk);
	chan_close(&x->vault);
	chan_close(&x->rows);
	chan_close(&x->composer);
	chan_close(&x->starter);
}

/* ${theirs} are the child's ends, closed here; ${ours} those of others that
 * it must not hold. */
static enum rc
kid_start(struct starter *s, enum part part, unsigned index,
    struct pass_ends *theirs, const int *others, size_t nothers,
    struct err *e)
{
	struct kid *k = kid_free(s);
	pid_t pid;

	if (k == NULL)
		return err_set(e, RC_TEMP, _("too many processes"));
	fflush(NULL);
	if ((pid = fork()) < 0)
		return err_sys(e, "fork");
	if (pid == 0) {
		for (size_t i = 0; i < nothers; i++)
			if (others[i] >= 0)
				close(others[i]);
		child_run(s, part, index, theirs);
	}
	k->pid = pid;
	k->part = part;
	ends_close(theirs);
	return RC_OK;
}

static struct pass_ends
no_ends(void)
{
	const struct chan none = CHAN_INIT;
	struct pass_ends x = { none, none, none, none, none, none };

	return x;
}

static enum rc
pair(struct chan *one, int *other, struct err *e)
{
	int fds[2];
	enum rc rc = chan_pair(fds, e);

	if (rc != RC_OK)
		return rc;
	chan_init(one, fds[0]);
	*other = fds[1];
	return RC_OK;
}

/* ${*fd} is closed, and -1. */
static enum rc
hand_over(struct starter *s, enum part part, unsigned index, int *fd,
    struct err *e)
{
	uint8_t body[5];
	enum rc rc;

	body[0] = (uint8_t)part;
	put_be32(body + 1, index);
	FAULT("starter.started.before");
	rc = chan_send_fd(&s->keeper, IPC_STARTED, 0, body, sizeof(body), *fd,
	    e);
	close(*fd);
	*fd = -1;
	return rc;
}

/* ${other}: one more end that it must not hold, or -1. */
static enum rc
start_one(struct starter *s, enum part part, unsigned index, int other,
    struct err *e)
{
	struct pass_ends x = no_ends();
	int ours[2] = { -1, other };
	enum rc rc;

	if ((rc = pair(&x.keeper, &ours[0], e)) != RC_OK)
		return rc;
	if ((rc = kid_start(s, part, index, &x, ours, 2, e)) != RC_OK) {
		ends_close(&x);
		close(ours[0]);
		return rc;
	}
	return hand_over(s, part, index, &ours[0], e);
}

/* Whose line to whom: vault, rows, clerk, composer; the keeper's, the
 * clerk's, the starter's ends. */
enum { F_VK, F_RK, F_CK, F_CV, F_XV, F_CS, F_N };

/* A submission opens and delivers nothing. */
static bool
has_clerk(const struct starter *s)
{
	return s->p->kind != PASS_SUBMIT;
}

static enum rc
vault_pairs(struct starter *s, struct pass_ends *v, struct pass_ends *c,
    int fds[F_N], struct err *e)
{
	enum rc rc;

	for (size_t i = 0; i < F_N; i++)
		fds[i] = -1;
	if ((rc = pair(&v->keeper, &fds[F_VK], e)) != RC_OK ||
	    (rc = pair(&v->rows, &fds[F_RK], e)) != RC_OK)
		return rc;
	if (has_clerk(s) &&
	    ((rc = pair(&c->keeper, &fds[F_CK], e)) != RC_OK ||
	    (rc = pair(&v->clerk, &fds[F_CV], e)) != RC_OK ||
	    (rc = pair(&c->starter, &fds[F_CS], e)) != RC_OK))
		return rc;
	if (s->job != NULL || s->p->conf->noutboxes > 0)
		rc = pair(&v->composer, &fds[F_XV], e);
	return rc;
}

/* Asked for anew, the last ones have been sent away; one of them may hang. */
static void
end_last_vault(struct starter *s)
{
	chan_close(&s->clerk);
	chan_close(&s->composer);
	for (size_t i = 0; i < KIDS_MAX; i++) {
		struct kid *k = &s->kids[i];
		int status;

		if (k->pid == 0 || (k->part != PART_VAULT &&
		    k->part != PART_CLERK))
			continue;
		kill(k->pid, SIGKILL);
		while (waitpid(k->pid, &status, 0) < 0 && errno == EINTR)
			;
		k->pid = 0;
	}
}

static enum rc
start_clerk(struct starter *s, struct pass_ends *c, int fds[F_N],
    struct err *e)
{
	int others[F_N];

	chan_init(&c->vault, fds[F_CV]);
	fds[F_CV] = -1;
	/* Who composes: the command that submits, or the clerk. */
	if (s->job == NULL && fds[F_XV] >= 0) {
		chan_init(&c->composer, fds[F_XV]);
		fds[F_XV] = -1;
	}
	memcpy(others, fds, sizeof(others));
	return kid_start(s, PART_CLERK, 0, c, others, F_N, e);
}

/* Vault and clerk come together, with the line between them. */
static enum rc
start_vault(struct starter *s, struct err *e)
{
	struct pass_ends v = no_ends(), c = no_ends();
	int fds[F_N], others[F_N + 4];
	enum rc rc;

	end_last_vault(s);
	if ((rc = vault_pairs(s, &v, &c, fds, e)) != RC_OK)
		goto out;
	memcpy(others, fds, sizeof(fds));
	others[F_N] = c.keeper.fd;
	others[F_N + 1] = c.starter.fd;
	if ((rc = kid_start(s, PART_VAULT, 0, &v, others, F_N + 2, e)) !=
	    RC_OK)
		goto out;
	if (has_clerk(s) && (rc = start_clerk(s, &c, fds, e)) != RC_OK)
		goto out;
	chan_init(&s->clerk, fds[F_CS]);
	fds[F_CS] = -1;
	if (fds[F_XV] >= 0)
		chan_init(&s->composer, fds[F_XV]);
	fds[F_XV] = -1;
	rc = hand_over(s, PART_VAULT, 0, &fds[F_VK], e);
	if (rc == RC_OK)
		rc = hand_over(s, PART_VAULT, 1, &fds[F_RK], e);
	if (rc == RC_OK && has_clerk(s))
		rc = hand_over(s, PART_CLERK, 0, &fds[F_CK], e);
out:
	for (size_t i = 0; i < F_N; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	ends_close(&v);
	ends_close(&c);
	return rc;
}

static enum rc
serve_start(struct starter *s, struct rd *r, struct err *e)
{
	uint8_t part = rd_8(r);
	uint32_t index = rd_32(r);
	enum rc rc;

	if (!rd_done(r))
		return ipc_bad(e);
	if (part == PART_VAULT)
		return start_vault(s, e);
	if (part != PART_FETCH && part != PART_RELAY)
		return ipc_bad(e);
	rc = part_load(s->p, (enum part)part, index, e);
	return rc == RC_OK ? start_one(s, (enum part)part, index, -1, e) : rc;
}

/* The two frames with which it leaves. */
static enum rc
keeper_ends(struct starter *s, const struct frame *f, struct rd *r,
    struct err *e)
{
	if (f->type == IPC_EXIT && f->body.len == 1) {
		s->code = f->body.p[0];
		return RC_OK;
	}
	if (f->type != IPC_DONE)
		return ipc_bad(e);
	s->rc = unpack_err(r, e);
	s->answered = true;
	return r->bad ? ipc_bad(e) : RC_OK;
}

static enum rc
serve_tell(struct starter *s, struct rd *r, struct err *e)
{
	struct buf b = BUF_INIT;
	struct err why = ERR_INIT;
	uint8_t what = rd_8(r);
	bool ok;
	enum rc rc;

	if (r->bad || what > TELL_ERASE)
		return ipc_bad(e);
	FAULT("starter.tell.before");
	rc = tell_do(s->p->conf, (enum tell)what, rd_at(r), r->left, &why);
	FAULT("starter.tell.after");
	ok = pack_err(&b, rc, &why);
	return ipc_send(&s->keeper, IPC_TOLD, 0, &b, ok, e);
}

static enum rc
serve_keeper(struct starter *s, struct err *e)
{
	struct frame f;
	struct rd r;
	enum rc rc = chan_recv(&s->keeper, &f, e);

	if (rc != RC_OK)
		return rc;
	r = rd_of(f.body.p, f.body.len);
	if (f.type == IPC_START)
		return serve_start(s, &r, e);
	if (f.type == IPC_TELL)
		return serve_tell(s, &r, e);
	if (f.type == IPC_SUBMITTED && s->job != NULL)
		return s->job->result(s->job->result_ctx, &r, e);
	return keeper_ends(s, &f, &r, e);
}

/* It cannot be told anything any more: did it say why? */
static enum rc
last_words(struct starter *s, enum rc rc, struct err *e)
{
	struct pollfd p = { s->keeper.fd, POLLIN, 0 };
	struct err said = ERR_INIT, why = ERR_INIT;
	struct frame f;
	struct rd r;

	if (s->keeper.fd >= 0)
		(void)shutdown(s->keeper.fd, SHUT_WR);
	while (!s->answered && s->keeper.fd >= 0 &&
	    (chan_ready(&s->keeper) || poll(&p, 1, END_MS) == 1) &&
	    chan_recv(&s->keeper, &f, &why) == RC_OK) {
		r = rd_of(f.body.p, f.body.len);
		if (f.type == IPC_EXIT || f.type == IPC_DONE)
			(void)keeper_ends(s, &f, &r, &said);
	}
	if (!s->answered || s->rc == RC_OK)
		return rc;
	*e = said;
	return s->rc;
}

/* The clerk cannot run commands: that of a pipe delivery runs here, its
 * standard input the opened file that the clerk hands over. */
static enum rc
serve_clerk(struct starter *s, struct err *e)
{
	struct buf b = BUF_INIT;
	struct err why = ERR_INIT;
	struct frame f;
	enum rc rc = chan_recv(&s->clerk, &f, e);
	uint32_t index;
	bool ok;
	int fd;

	if (rc != RC_OK) {
		chan_close(&s->clerk);
		return RC_OK;	/* the keeper sees its end too */
	}
	fd = s->clerk.got_fd;
	s->clerk.got_fd = -1;
	if (f.type != IPC_PIPE || f.body.len != 4 || fd < 0)
		return ipc_bad(e);
	index = get_be32(f.body.p);
	if (index >= s->p->conf->ndelivers + s->p->conf->nunsealed)
		rc = ipc_bad(&why);
	else
		rc = pipe_run(s->p->conf->delivers[index].command, fd, &why);
	close(fd);
	ok = pack_err(&b, rc, &why);
	return ipc_send(&s->clerk, IPC_PIPED, f.job, &b, ok, e);
}

static void
kid_report(const struct kid *k, int status)
{
	if (WIFSIGNALED(status))
		LOG(LOG_L_ERROR, "process.crash",
		    LK_S("part", part_names[k->part]),
		    LK_N("signal", WTERMSIG(status)));
}

static void
kid_gone(struct kid *k, int status)
{
	kid_report(k, status);
	k->pid = 0;
}

static void
reap(struct starter *s)
{
	for (size_t i = 0; i < KIDS_MAX; i++) {
		struct kid *k = &s->kids[i];
		int status;

		if (k->pid != 0 && waitpid(k->pid, &status, WNOHANG) == k->pid)
			kid_gone(k, status);
	}
}

/* ---- the end -------------------------------------------------------- */

static void
on_beat(int sig)
{
	(void)sig;
}

/* Each second a signal, so that no wait is for ever; 0: none any more, and an
 * alarm kills again, which who is forked later relies on. */
static void
beat(time_t each_s)
{
	const struct itimerval each = { { each_s, 0 }, { each_s, 0 } };
	struct sigaction a;

	setitimer(ITIMER_REAL, &each, NULL);
	memset(&a, 0, sizeof(a));
	a.sa_handler = each_s > 0 ? on_beat : SIG_DFL;
	sigaction(SIGALRM, &a, NULL);
}

static struct kid *
kid_left(struct starter *s, pid_t pid)
{
	for (size_t i = 0; i < KIDS_MAX; i++)
		if (s->kids[i].pid != 0 && (pid == 0 ||
		    s->kids[i].pid == pid))
			return &s->kids[i];
	return NULL;
}

/* Every child leaves when its lines are cut; one that does not is ended. */
static void
end_all(struct starter *s)
{
	int64_t until = clock_ms() + END_MS;

	chan_close(&s->keeper);
	chan_close(&s->clerk);
	chan_close(&s->composer);
	beat(1);
	while (kid_left(s, 0) != NULL) {
		int status;
		pid_t pid = waitpid(-1, &status, 0);
		struct kid *k = pid > 0 ? kid_left(s, pid) : NULL;

		if (pid < 0 && errno != EINTR)
			break;
		if (k != NULL)
			kid_gone(k, status);
		for (size_t i = 0; i < KIDS_MAX && clock_ms() > until; i++)
			if (s->kids[i].pid != 0)
				kill(s->kids[i].pid, SIGKILL);
	}
	beat(0);
}

static enum rc
serve_once(struct starter *s, struct err *e)
{
	struct pollfd fds[3] = { { s->keeper.fd, POLLIN, 0 },
	    { s->clerk.fd, POLLIN, 0 }, { s->composer.fd, POLLIN, 0 } };
	enum rc rc = RC_OK;

	if (poll(fds, 3, chan_ready(&s->keeper) ? 0 : 1000) < 0 &&
	    errno != EINTR)
		return err_sys(e, "poll");
	if (stop_asked == 1) {
		stop_asked = 2;
		rc = chan_send(&s->keeper, IPC_STOP, 0, NULL, 0, e);
	}
	if (rc == RC_OK && fds[2].revents != 0)
		rc = s->job->step(s->job->ctx, &s->composer, e);
	if (rc == RC_OK && fds[1].revents != 0)
		rc = serve_clerk(s, e);
	if (rc == RC_OK && (fds[0].revents != 0 || chan_ready(&s->keeper)))
		rc = serve_keeper(s, e);
	reap(s);
	return rc;
}

static enum rc
start_keeper(struct starter *s, struct err *e)
{
	struct pass_ends x = no_ends();
	int ours = -1;
	enum rc rc;

	if ((rc = pair(&x.starter, &ours, e)) != RC_OK)
		return rc;
	chan_init(&s->keeper, ours);
	/* It is what takes longest. */
	if (pass_ahead(s->p))
		rc = start_one(s, PART_FETCH, 0, x.starter.fd, e);
	if (rc == RC_OK)
		rc = kid_start(s, PART_KEEPER, 0, &x, NULL, 0, e);
	ends_close(&x);
	if (rc == RC_OK && s->job != NULL)
		rc = chan_send(&s->keeper, IPC_SUBMIT, 0, s->job->submit->p,
		    s->job->submit->len, e);
	return rc;
}

enum rc
starter_run(const struct pass *p, const struct starter_job *job, int *code,
    struct err *e)
{
	const struct chan none = CHAN_INIT;
	struct starter s = { .p = p, .job = job, .keeper = none,
	    .clerk = none, .composer = none, .code = EX_TEMPFAIL };
	enum rc rc;

	catch_signals();
	rc = start_keeper(&s, e);
	/* While it opens its store. */
	if (rc == RC_OK && p->kind != PASS_SUBMIT)
		rc = part_load(p, PART_FETCH, 0, e);
	while (rc == RC_OK && !s.answered)
		rc = serve_once(&s, e);
	if (rc != RC_OK)
		rc = last_words(&s, rc, e);
	end_all(&s);
	*code = s.code;
	return rc == RC_OK ? s.rc : rc;
}
