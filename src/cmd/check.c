/* sceau check: is everything in order?  A report without a secret. */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/lang.h"
#include "base/sandbox.h"
#include "base/secret.h"
#include "cmd/cmd.h"
#include "cmd/out.h"
#include "flow/alone.h"
#include "flow/outprobe.h"
#include "flow/probe.h"
#include "store/store_alarm.h"

#define DAYS_WARN 60
#define DAY_S 86400
#define LOCKED_MIN_BYTES 262144
#define ROOM_BYTES 65536	/* of a delivery; less is a full disk */

enum mark { FINE, WARN, BAD };

struct checking {
	struct app	*app;
	struct out	*o;
	enum rc		 worst;
	bool		 login;		/* the worst was a refused login */
};

static const struct out_col cols[] = {
	{ "what", N_("what"), OUT_TEXT },
	{ "result", N_("result"), OUT_TEXT },
	{ "detail", N_("in detail"), OUT_TEXT },
	{ NULL, NULL, OUT_TEXT }
};

static void
say(struct checking *c, enum mark m, const char *what, const char *detail)
{
	static const char *const words[] = { N_("fine"), N_("look"),
	    N_("wrong") };

	out_text(c->o, "what", what);
	out_text(c->o, "result", c->app->json ? words[m] : _(words[m]));
	out_text(c->o, "detail", detail);
	out_row(c->o);
}

static void
say_rc(struct checking *c, enum rc rc, const char *what, const char *fine,
    const struct err *why)
{
	c->worst = rc_worse(c->worst, rc);
	say(c, rc == RC_OK ? FINE : BAD, what, rc == RC_OK ? fine :
	    why->text);
}

/* What the processes go without; NULL: nothing. */
static const char *
not_offered(const char *kind)
{
	if (strcmp(kind, "none") == 0)
		return _("this system offers none: the processes run without "
		    "it");
	if (strcmp(kind, "landlock") == 0)
		return _("this system offers Landlock but no seccomp: files "
		    "are kept from the processes, most system calls are not");
	if (strcmp(kind, "seccomp") == 0)
		return _("this system offers seccomp but no Landlock: system "
		    "calls are kept from the processes, files are not");
	return NULL;
}

/* As much as the vault will take: the size of the store, and room to work. */
static void
check_locking(struct checking *c)
{
	struct stat st = { .st_size = 0 };
	void *p;

	if (c->app->conf.keystore != NULL)
		(void)stat(c->app->conf.keystore, &st);
	p = secret_alloc((size_t)st.st_size + LOCKED_MIN_BYTES);
	if (p != NULL && secret_locked())
		say(c, FINE, _("locked memory"), _("the keys stay out of the "
		    "swap space"));
	else
		say(c, WARN, _("locked memory"), _("too little: the keys may "
		    "be written to the swap space. Raise the limit of locked "
		    "memory (ulimit -l)"));
	secret_free(&p);
}

static void
check_machine(struct checking *c)
{
	const char *kind = sandbox_kind(), *without = not_offered(kind);
	char now[CLOCK_SAY_BYTES];

	say(c, FINE, _("configuration"), c->app->conf.path != NULL ?
	    c->app->conf.path : "");
	say(c, without != NULL ? WARN : FINE, _("confinement"),
	    without != NULL ? without : kind);
	check_locking(c);
	clock_say(clock_now(), now);
	say(c, clock_now() < clock_used() ? BAD : FINE, _("clock"),
	    clock_now() < clock_used() ? _("earlier than this program was "
	    "built: set it") : now);
}

/* The next year's key is held already. */
static bool
is_followed(const struct gate_self *s, const struct gate_self *all, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(all[i].name, s->name) == 0 && !all[i].replaced &&
		    all[i].from_at <= s->send_until_at &&
		    all[i].send_until_at > s->send_until_at)
			return true;
	return false;
}

static void
check_key(struct checking *c, const struct gate_self *s, bool followed)
{
	int64_t left = followed ? INT64_MAX : s->send_until_at - clock_now();
	char line[320], until[CLOCK_SAY_BYTES];

	clock_say(s->send_until_at, until);
	if (s->replaced)
		return;
	if (s->send_until_at == CLOCK_FOREVER)
		snprintf(line, sizeof(line), _("%s, %u: to write without "
		    "end; %zu correspondents"), s->identity, s->year,
		    s->npeers);
	else
		snprintf(line, sizeof(line), _("%s, %u: to write until %s; "
		    "%zu correspondents"), s->identity, s->year, until,
		    s->npeers);
	say(c, left < 0 ? BAD : left < DAYS_WARN * 86400LL ? WARN : FINE,
	    _("key"), line);
	if (left < 0)
		c->worst = rc_worse(c->worst, RC_CONF);
}

static void
check_keys(struct checking *c)
{
	struct pass p = app_pass(c->app, PASS_SUBMIT);
	struct err e = ERR_INIT;
	struct gate_self *s = NULL;
	size_t n = 0;
	enum rc rc = alone_selves(&p, &s, &n, &e);

	if (rc != RC_OK)
		say_rc(c, rc, _("key store"), "", &e);
	for (size_t i = 0; i < n; i++)
		check_key(c, &s[i], is_followed(&s[i], s, n));
	free(s);
}

static void
say_store(struct checking *c, struct store *st, struct err *e)
{
	struct store_counts n;
	char line[160] = "";
	enum rc rc = e->rc;

	if (rc == RC_OK)
		rc = store_check(st, e);
	if (rc == RC_OK && (rc = store_counts(st, conf_before(
	    &c->app->conf, &c->app->conf.late, clock_now()), &n, e)) == RC_OK)
		snprintf(line, sizeof(line), _("%llu to send, %llu late, "
		    "%llu held"), (unsigned long long)(n.queued + n.claimed),
		    (unsigned long long)n.late, (unsigned long long)n.held);
	say_rc(c, rc, _("store"), line, e);
}

/* The last one that failed of ${n}, the newest first; NULL: none did. */
static const struct store_pass *
last_failed(const struct store_pass *p, size_t n, size_t *failed)
{
	const struct store_pass *found = NULL;

	*failed = 0;
	for (size_t i = 0; i < n; i++)
		if (p[i].code != EX_OK || (i > 0 && p[i].ended_at == 0)) {
			found = found == NULL ? &p[i] : found;
			++*failed;
		}
	return found;
}

/* When the last one ran, and what failed; the first is the newest. */
static void
say_passes(struct checking *c, const struct store_pass *p, size_t n)
{
	char line[512], when[CLOCK_SAY_BYTES], bad[CLOCK_SAY_BYTES];
	int64_t now = clock_now();
	const struct store_pass *f;
	size_t failed;

	if (n == 0) {
		say(c, WARN, _("passes"), _("none in the last 7 days: does "
		    "sceau poll run by itself? sceau schedule"));
		return;
	}
	f = last_failed(p, n, &failed);
	clock_say(p[0].seen_at, when);
	clock_say(f != NULL ? f->seen_at : 0, bad);
	if (f == NULL)
		snprintf(line, sizeof(line), _("the last one %s; none of %zu "
		    "failed"), when, n);
	else
		snprintf(line, sizeof(line), P_("the last one %s; %zu of %zu "
		    "failed, on %s: %s", "the last one %s; %zu of %zu "
		    "failed, the last of them on %s: %s", failed), when,
		    failed, n, bad,
		    f->ended_at == 0 ? _("cut short") : f->text[0] != '\0' ?
		    f->text : _("see sceau log"));
	say(c, p[0].code != EX_OK || p[0].seen_at < now - DAY_S ? WARN : FINE,
	    _("passes"), line);
}

static void
check_passes(struct checking *c, struct store *st)
{
	struct store_pass *p = calloc(STORE_PASSES, sizeof(*p));
	struct err e = ERR_INIT;
	size_t n = 0;
	enum rc rc = p == NULL ? err_set(&e, RC_NOMEM, _("no memory left")) :
	    store_pass_list(st, clock_now() - 7 * DAY_S, p, STORE_PASSES, &n,
	    &e);

	if (rc == RC_OK)
		say_passes(c, p, n);
	else
		say_rc(c, rc, _("passes"), "", &e);
	free(p);
}

/* As the last pass found them. */
static void
check_alarms(struct checking *c, struct store *st)
{
	uint64_t by_rule[STORE_RULE_N] = { 0 }, n = 0;
	struct err e = ERR_INIT;
	char line[160];
	enum rc rc;

	if ((rc = store_alarm_counts(st, by_rule, &e)) != RC_OK) {
		say_rc(c, rc, _("alarms"), "", &e);
		return;
	}
	for (size_t i = 0; i < STORE_RULE_N; i++)
		n += by_rule[i];
	snprintf(line, sizeof(line), P_("%llu alarm: sceau status",
	    "%llu alarms: sceau status", n), (unsigned long long)n);
	say(c, n == 0 ? FINE : WARN, _("alarms"), n == 0 ? _("none") : line);
}

static void
check_store(struct checking *c)
{
	struct err e = ERR_INIT;
	struct store *st = NULL;
	enum rc rc = store_open(c->app->conf.state, STORE_READ, &st, &e);

	say_store(c, st, &e);
	if (rc == RC_OK) {
		check_passes(c, st);
		check_alarms(c, st);
	}
	store_close(&st);
}

static void
check_server(struct checking *c, enum part part, unsigned i,
    const char *kind, const char *name)
{
	struct pass p = app_pass(c->app, PASS_POLL);
	enum wire_why why = WHY_NONE;
	struct err e = ERR_INIT;
	char what[96];
	enum rc rc = probe(&p, part, i, &why, &e);

	snprintf(what, sizeof(what), "%s %s", kind, name);
	c->login = c->login || (rc == RC_TEMP && why == WHY_LOGIN);
	say_rc(c, rc, what, _("reached, proved, logged in"), &e);
}

/* Some file systems do not say how large they are. */
static bool
is_full(const char *path)
{
	struct statvfs v;

	return statvfs(path, &v) == 0 && v.f_blocks > 0 &&
	    (uint64_t)v.f_bavail * v.f_frsize < ROOM_BYTES;
}

static void
check_folder(struct checking *c, const char *what, const char *path)
{
	struct err e = ERR_INIT;

	if (access(path, W_OK) == 0 && is_full(path)) {
		err_set(&e, RC_TEMP, _("%s: there is no room left on its "
		    "disk"), path);
		say_rc(c, RC_TEMP, what, NULL, &e);
	} else if (access(path, W_OK) == 0) {
		say(c, FINE, what, path);
	} else if (errno == ENOENT) {
		err_set(&e, RC_OK, _("%s is not there yet; the first poll "
		    "makes it"), path);
		say(c, WARN, what, e.text);
	} else {
		err_set(&e, RC_CONF, _("%s cannot be written to (%s)"), path,
		    lang_errno(errno));
		say_rc(c, RC_CONF, what, NULL, &e);
	}
}

static void
check_deliveries(struct checking *c)
{
	char what[96];

	const struct conf *conf = &c->app->conf;

	for (size_t i = 0; i < conf->ndelivers + conf->nunsealed; i++) {
		const struct conf_deliver *d = &conf->delivers[i];

		snprintf(what, sizeof(what), "%s %s", _("delivery"), d->name);
		if (d->path != NULL)
			check_folder(c, what, d->path);
		else
			say(c, FINE, what, _("a command"));
	}
}

static void
check_outboxes(struct checking *c)
{
	char what[96], line[160];

	for (size_t i = 0; i < c->app->conf.noutboxes; i++) {
		const struct conf_outbox *o = &c->app->conf.outboxes[i];
		struct err e = ERR_INIT;
		struct outprobe p;
		enum rc rc = outprobe(o, &p, &e);

		snprintf(what, sizeof(what), "%s %s", _("outbox"), o->name);
		snprintf(line, sizeof(line), _("files waiting: %zu, "
		    "refused: %zu"), p.waiting, p.refused);
		if (rc == RC_OK && p.refused > 0)
			say(c, WARN, what, line);
		else
			say_rc(c, rc, what, line, &e);
	}
}

enum rc
cmd_check(struct app *app, int argc, char **argv, struct err *e)
{
	struct checking c = { .app = app, .worst = RC_OK };
	enum rc rc = app_no_options(app, argc, argv, 0, e);

	if (rc != RC_OK)
		return rc;
	if ((c.o = out_new(app->json, "check", cols)) == NULL)
		return err_set(e, RC_NOMEM, _("no memory left"));
	check_machine(&c);
	check_keys(&c);
	check_store(&c);
	for (size_t i = 0; i < app->conf.naccounts; i++)
		check_server(&c, PART_FETCH, (unsigned)i, _("account"),
		    app->conf.accounts[i].name);
	for (size_t i = 0; i < app->conf.nrelays; i++)
		check_server(&c, PART_RELAY, (unsigned)i, _("relay"),
		    app->conf.relays[i].name);
	check_deliveries(&c);
	check_outboxes(&c);
	if ((rc = out_end(&c.o, NULL, e)) != RC_OK)
		return rc;
	app->exit = c.worst == RC_TEMP && c.login ? EX_NOPERM :
	    rc_exit(c.worst);
	return RC_OK;
}
