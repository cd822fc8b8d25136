/*
 * wire-relay: one run of a relay, for the tests of src/wire.
 *
 * wire-relay name=value... -- FROM TO FILE [FROM TO FILE]...
 * host port tls(implicit|starttls|none) auth(password|xoauth2|none) user ca
 * pin engine(auto|esmtp|curl|sceau) helo timeout; repeat (all mails, N times),
 * chunk (octets per read), size (said instead of the file's), sandbox=1,
 * check=1 (relay_check(), no mail).  The secret comes in WIRE_SECRET.
 *
 * Prints, tab-separated: "mail" index verdict code enhanced text, for each;
 * at last "end" rc why engine error.
 */
#include "config.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/sandbox.h"
#include "base/secret.h"
#include "wire/relay.h"

struct job {
	char		**args;		/* FROM TO FILE ... */
	int		 n, at, done, repeat;
	size_t		 chunk;
	long long	 size;
	int		 fd;
};

static const char *const verdicts[] = { "sent", "deferred", "refused",
    "uncertain" };
static const char *const rcs[] = { "ok", "temp", "perm", "input", "conf",
    "nomem" };
static const char *const whys[] = { "none", "network", "tls", "login",
    "server", "local" };

static enum rc
job_next(void *arg, struct relay_mail *m, bool *more, struct err *e)
{
	struct job *j = arg;
	char **a = j->args + j->at % (j->n > 0 ? j->n : 1) * 3;
	struct stat st;

	if ((*more = j->at < j->n * j->repeat) == false)
		return RC_OK;
	j->at++;
	if (j->fd >= 0)
		close(j->fd);
	if ((j->fd = open(a[2], O_RDONLY)) < 0 || fstat(j->fd, &st) != 0)
		return err_sys(e, "%s", a[2]);
	m->from = a[0];
	m->to = a[1];
	m->size = j->size >= 0 ? (uint64_t)j->size : (uint64_t)st.st_size;
	return RC_OK;
}

static enum rc
job_read(void *arg, void *p, size_t cap, size_t *len, struct err *e)
{
	struct job *j = arg;
	ssize_t n = read(j->fd, p, cap < j->chunk ? cap : j->chunk);

	if (n < 0)
		return err_sys(e, "read");
	*len = (size_t)n;
	return RC_OK;
}

static enum rc
job_done(void *arg, const struct relay_result *r, struct err *e)
{
	struct job *j = arg;

	(void)e;
	printf("mail\t%d\t%s\t%d\t%s\t%s\n", j->done++, verdicts[r->verdict],
	    r->code, r->enhanced, r->text);
	fflush(stdout);
	return RC_OK;
}

static bool
job_ready(void *arg)
{
	(void)arg;
	return true;
}

static int
choice(const char *v, const char *const *names)
{
	for (int i = 0; names[i] != NULL; i++)
		if (strcmp(v, names[i]) == 0)
			return i;
	fprintf(stderr, "wire-relay: %s?\n", v);
	exit(2);
}

static void
set_server(struct conf_server *s, const char *k, char *v)
{
	static const char *const tls[] = { "implicit", "starttls", "none",
	    NULL };
	static const char *const auth[] = { "password", "xoauth2", "none",
	    NULL };

	if (strcmp(k, "host") == 0)
		s->host = v;
	else if (strcmp(k, "port") == 0)
		s->port = (uint16_t)atoi(v);
	else if (strcmp(k, "tls") == 0)
		s->tls = (enum conf_tls)choice(v, tls);
	else if (strcmp(k, "auth") == 0)
		s->auth = (enum conf_auth)choice(v, auth);
	else if (strcmp(k, "user") == 0)
		s->user = v;
	else if (strcmp(k, "ca") == 0)
		s->ca_file = v;
	else if (strcmp(k, "pin") == 0)
		s->pin = v;
	else if (strcmp(k, "timeout") == 0)
		s->timeout_s = atoi(v);
}

static int
run(struct relay *r, const struct secret *secret, struct job *j, bool check,
    struct err *e)
{
	const struct relay_feed feed = { j, job_next, job_read, job_done,
	    job_ready };
	const struct secret *s = secret->p != NULL ? secret : NULL;
	enum rc rc = check ? relay_check(r, s, e) :
	    relay_run(r, s, &feed, e);

	printf("end\t%s\t%s\t%s\t%s\n", rcs[rc], whys[relay_why(r)],
	    relay_engine(r), e->text);
	return rc == RC_OK ? 0 : 1;
}

int
main(int argc, char **argv)
{
	static const char *const engines[] = { "auto", "esmtp", "curl",
	    "sceau", NULL };
	struct conf_relay c = { .name = (char *)"test", .sessions = 1 };
	struct job j = { .repeat = 1, .chunk = 1 << 20, .size = -1,
	    .fd = -1 };
	struct secret secret = SECRET_INIT;
	struct relay *r = NULL;
	struct err e = ERR_INIT;
	struct sandbox_path mails[2] = { { NULL, SB_TREE } };
	bool sandbox = false, check = false;
	enum rc rc;
	char *v;
	int i, ret;

	c.server.timeout_s = 10;
	c.server.auth = CONF_AUTH_NONE;
	for (i = 1; i < argc && (v = strchr(argv[i], '=')) != NULL; i++) {
		*v++ = '\0';
		set_server(&c.server, argv[i], v);
		if (strcmp(argv[i], "engine") == 0)
			c.engine = (enum conf_engine)choice(v, engines);
		if (strcmp(argv[i], "helo") == 0)
			c.helo = v;
		if (strcmp(argv[i], "repeat") == 0)
			j.repeat = atoi(v);
		if (strcmp(argv[i], "chunk") == 0)
			j.chunk = (size_t)atoi(v);
		if (strcmp(argv[i], "size") == 0)
			j.size = atoll(v);
		sandbox = sandbox || strcmp(argv[i], "sandbox") == 0;
		check = check || strcmp(argv[i], "check") == 0;
	}
	if (i < argc && strcmp(argv[i], "--") == 0)
		i++;
	j.args = argv + i;
	j.n = (argc - i) / 3;
	v = getenv("WIRE_SECRET");
	if (secret_init(&e) != RC_OK ||
	    (v != NULL && !secret_set(&secret, v, strlen(v))))
		return 2;
	if ((rc = relay_new(&c, &r, &e)) != RC_OK) {
		printf("end\t%s\t%s\t-\t%s\n", rcs[rc], whys[relay_why(r)],
		    e.text);
		return 1;
	}
	/* The mails' folder stays readable: only the network side is tried. */
	mails[0].path = getenv("WIRE_MAILS");
	if (sandbox && sandbox_enter(SB_RELAY, mails, &e) != RC_OK) {
		fprintf(stderr, "wire-relay: %s\n", e.text);
		return 2;
	}
	ret = run(r, &secret, &j, check, &e);
	relay_close(&r);
	secret_wipe(&secret);
	if (j.fd >= 0)
		close(j.fd);
	return ret;
}
