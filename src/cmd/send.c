/*
 * sceau send: sendmail's part.  Reads a mail, seals one envelope for each
 * recipient, promises all of them or none; exit 0 only then.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/lang.h"
#include "base/log.h"
#include "base/secret.h"
#include "cmd/cmd.h"
#include "flow/alone.h"
#include "flow/composer.h"
#include "flow/starter.h"
#include "mail/wrap.h"

enum { OPT_ID = 1000 };

struct sending {
	struct app	*app;
	bool		 read_to;	/* -t */
	const char	*from;		/* -f, or NULL */
	const char	*id;		/* --id, or NULL */
	int		 argc;
	char		**argv;		/* recipients of the command line */
	struct composer	 mail;
	char		 own[GATE_ID_BYTES];
	char		 message_id[WRAP_ID_BYTES];
	struct buf	 submit;
	bool		 refused;	/* the keeper said no: exit 67 */
};

/* -o, -B, -N and their like say nothing to us; msmtp ignores the same.  Of the
 * other things that sendmail can be (-bs, -bp, -bi), we are none. */
static enum rc
options(struct sending *s, int argc, char **argv, struct err *e)
{
	static const struct option longs[] = {
		{ "id", required_argument, NULL, OPT_ID },
		{ NULL, 0, NULL, 0 }
	};
	enum rc rc;
	int opt;

	while ((rc = app_getopt(s->app, argc, argv,
	    "tif:r:b:e:F:o:h:B:N:O:R:V:L:X:GnmvU", longs, &opt, e)) == RC_OK &&
	    opt != -1) {
		if (opt == 't')
			s->read_to = true;
		else if (opt == 'f' || opt == 'r')
			s->from = optarg;
		else if (opt == OPT_ID)
			s->id = optarg;
		else if (opt == 'b' && strcmp(optarg, "m") != 0)
			return app_usage(s->app, e);
	}
	s->argc = argc - optind;
	s->argv = argv + optind;
	return rc;
}

/* A mail without From gets ours: the vault knows the address. */
static enum rc
own_address(struct sending *s, const struct pass *p, struct err *e)
{
	struct gate_self *selves = NULL;
	size_t n = 0;
	enum rc rc = alone_selves(p, &selves, &n, e);

	if (rc == RC_OK && n == 0)
		rc = err_set(e, RC_CONF, _("the key store holds no key"));
	if (rc == RC_OK)
		snprintf(s->own, sizeof(s->own), "%s",
		    selves[n - 1].address);
	free(selves);
	return rc;
}

static enum rc
take_mail(struct sending *s, struct err *e)
{
	const struct conf *c = &s->app->conf;
	enum rc rc = file_mkdirs(c->state, 0700, e);

	if (rc == RC_OK && isatty(STDIN_FILENO) && !s->app->json)
		fprintf(stderr, _("sceau: reading a mail from the terminal; "
		    "end it with Ctrl-D\n"));
	return rc != RC_OK ? rc : composer_take(&s->mail, STDIN_FILENO,
	    c->state, c->max_send, e);
}

static enum rc
ready_mail(struct sending *s, struct err *e)
{
	uint8_t rnd[WRAP_RANDOM_BYTES];
	struct submit_add add = {
	    .from = s->own[0] != '\0' ? s->own : NULL, .date = clock_now(),
	    .message_id = s->message_id, .recipients = s->read_to };

	random_bytes(rnd, sizeof(rnd));
	wrap_message_id(s->app->conf.route, rnd, s->message_id);
	return composer_ready(&s->mail, &add, e);
}

/* The name of this submission: of this mail, to these people, under that id.
 * Whatever else comes under it is another one. */
static bool
pack_once(struct sending *s)
{
	uint8_t once[GATE_D_BYTES];

	if (s->mail.sum == NULL)
		return pack_run(&s->submit, NULL, 0);
	gate_sum_add(s->mail.sum, "", 1);
	gate_sum_add(s->mail.sum, s->id, strlen(s->id) + 1);
	for (int i = 0; i < s->argc; i++)
		gate_sum_add(s->mail.sum, s->argv[i], strlen(s->argv[i]) + 1);
	gate_sum_end(s->mail.sum, once);
	return pack_run(&s->submit, once, sizeof(once));
}

/* What the keeper could not even be told. */
static enum rc
check_recipients(const struct sending *s, struct err *e)
{
	size_t n = (size_t)s->argc + (s->read_to ? s->mail.mail.nrcpts : 0);

	if (n > SUBMIT_RCPT_MAX)
		return err_set(e, RC_INPUT,
		    _("more than %d recipients; nothing was sent"),
		    SUBMIT_RCPT_MAX);
	for (int i = 0; i < s->argc; i++)
		if (strlen(s->argv[i]) >= GATE_ROUTE_BYTES)
			return err_set(e, RC_INPUT, _("%.60s...: longer than "
			    "any address; nothing was sent"), s->argv[i]);
	return RC_OK;
}

static enum rc
pack_submit(struct sending *s, struct err *e)
{
	const struct submit *m = &s->mail.mail;
	const char *from = m->from_added ? s->own : m->from.s;
	bool ok = buf_add8(&s->submit, s->app->dry_run) && pack_once(s) &&
	    pack_str(&s->submit, from) &&
	    pack_str(&s->submit, s->from != NULL ? s->from : from);

	for (int i = 0; ok && i < s->argc; i++)
		ok = pack_str(&s->submit, s->argv[i]);
	for (size_t i = 0; ok && s->read_to && i < m->nrcpts; i++)
		ok = pack_str(&s->submit, m->rcpts[i].s);
	return ok ? RC_OK : err_set(e, RC_NOMEM, _("no memory left"));
}

/* By an earlier run, whose answer the caller did not hear. */
static void
say_promised(const struct sending *s, int64_t id)
{
	if (s->app->json)
		printf("{\"schema\":1,\"submission\":%lld,\"repeated\":true}"
		    "\n", (long long)id);
	else
		fprintf(stderr, _("sceau: promised before, as submission "
		    "%lld; nothing new is sent\n"), (long long)id);
}

static void
say_one(const struct sending *s, int64_t id, const char *name, bool hub)
{
	if (s->app->json)
		printf("{\"schema\":1,\"submission\":%lld,\"to\":\"%s\","
		    "\"via_hub\":%s,\"dry_run\":%s}\n", (long long)id, name,
		    hub ? "true" : "false",
		    s->app->dry_run ? "true" : "false");
	else if (isatty(STDOUT_FILENO) || s->app->dry_run)
		printf(hub ? _("%s  through the association's gateway\n") :
		    _("%s  directly\n"), name);
}

/* IPC_SUBMITTED: see keeper_seal.c. */
static enum rc
result(void *ctx, struct rd *r, struct err *e)
{
	struct sending *s = ctx;
	char name[GATE_ID_BYTES];
	struct err why = ERR_INIT;
	enum rc rc = unpack_err(r, &why);
	int64_t id = (int64_t)rd_64(r);

	if (rc != RC_OK) {
		s->refused = rc == RC_PERM;
		fprintf(stderr, "sceau: %s\n", why.text);
		return RC_OK;
	}
	s->app->promised = !s->app->dry_run;
	if (id != 0 && r->left == 0)
		say_promised(s, id);
	while (r->left > 0 && !r->bad) {
		unpack_str(r, name, sizeof(name));
		say_one(s, id, name, rd_8(r) != 0);
	}
	return rd_done(r) ? RC_OK : ipc_bad(e);
}

static enum rc
send_run(struct sending *s, struct err *e)
{
	struct pass p = app_pass(s->app, PASS_SUBMIT);
	const struct starter_job job = { &s->mail, s, &s->submit,
	    composer_serve, result };
	enum rc rc;

	if (s->id != NULL && (s->mail.sum = gate_sum_new()) == NULL)
		return err_set(e, RC_NOMEM, _("no memory left"));
	if ((rc = take_mail(s, e)) != RC_OK ||
	    (!submit_has_from(&s->mail.mail) &&
	    (rc = own_address(s, &p, e)) != RC_OK) ||
	    (rc = ready_mail(s, e)) != RC_OK ||
	    (rc = check_recipients(s, e)) != RC_OK ||
	    (rc = pack_submit(s, e)) != RC_OK)
		return rc;
	if (s->mail.mail.converted && s->app->debug)
		fprintf(stderr, _("sceau: line ends were LF; they are CRLF "
		    "now\n"));
	rc = starter_run(&p, &job, &s->app->exit, e);
	if (rc == RC_OK && s->refused)
		s->app->exit = EX_NOUSER;
	if (!s->app->promised)
		return rc;
	if (rc != RC_OK)
		LOG(LOG_L_WARN, "pass.failed", LK_S("why", e->text));
	s->app->exit = EX_OK;
	return RC_OK;
}

enum rc
cmd_send(struct app *app, int argc, char **argv, struct err *e)
{
	struct sending s = { .app = app, .mail = { .spool = { .fd = -1 } } };
	enum rc rc = options(&s, argc, argv, e);

	if (rc == RC_OK && s.argc == 0 && !s.read_to)
		return app_usage(app, e);
	if (rc == RC_OK)
		rc = conf_route(&app->conf, e);
	if (rc == RC_OK)
		rc = send_run(&s, e);
	composer_free(&s.mail);
	buf_free(&s.submit);
	return rc;
}
