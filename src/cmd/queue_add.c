/* sceau queue add: sealed mails that were made elsewhere, at an issuer's
 * desk: the queue relays them like what was sealed here. */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/lang.h"
#include "base/secret.h"
#include "cmd/cmd.h"
#include "cmd/out.h"
#include "cmd/sent.h"
#include "mail/find.h"
#include "mail/submit.h"
#include "mail/wrap.h"
#include "store/store_out.h"
#include "vault/envelope.h"
#include "vault/index.h"

#define MAIL_MAX (64UL * 1024 * 1024)
#define AT_ONCE 64		/* mails in one transaction */

/* What the queue must know of one mail; its octets are in the store. */
struct sealed_mail {
	char		 file[PATH_MAX];
	char		 to[STORE_IDENTITY_BYTES];
	char		 route[STORE_ROUTE_BYTES];
	char		 date[40];
	char		 message_id[WRAP_ID_BYTES];
	uint8_t		 t[STORE_T_BYTES];
	int64_t		 body;
};

struct adding {
	struct app	*app;
	struct store	*st;
	struct out	*o;		/* JSON only */
	struct sealed_mail mails[AT_ONCE];
	size_t		 n;		/* of mails[] */
	struct buf	 seen;		/* each T of this run, to be queued */
	struct index	 by_t;		/* into seen */
	size_t		 added, known;
	size_t		 sent, failed;	/* of those known */
	struct buf	 mail, envelope;
};

static const struct out_col cols[] = {
	{ "file", NULL, OUT_TEXT }, { "to", NULL, OUT_TEXT },
	{ "t", NULL, OUT_TEXT }, { "queued", NULL, OUT_BOOL },
	{ "id", NULL, OUT_NUMBER }, { "state", NULL, OUT_TEXT },
	{ NULL, NULL, OUT_TEXT }
};

/* ---- one mail ----------------------------------------------------------- */

static enum rc
take_envelope(void *arg, const uint8_t *p, size_t len, struct err *e)
{
	return buf_add(arg, p, len) ? RC_OK : err_nomem(e);
}

/* A line of MIME ends an envelope.  Without one a copy was cut short: queued,
 * it would open nowhere, and keep the whole one of the same T out. */
static bool
is_whole(const struct buf *mail)
{
	const uint8_t *p = mail->p, *end = p + mail->len, *nl;
	bool sealed = false;

	for (; p < end; p = nl + 1) {
		const size_t left = (size_t)(end - p);

		if (sealed && left >= 2 && memcmp(p, "--", 2) == 0)
			return true;
		sealed = sealed || (left >= FIND_MAGIC_LEN &&
		    memcmp(p, FIND_MAGIC, FIND_MAGIC_LEN) == 0);
		if ((nl = memchr(p, '\n', left)) == NULL)
			return false;
	}
	return false;
}

/* The envelope alone goes on, in a mail made anew: whatever else stands in the
 * file goes nowhere. */
static enum rc
find_envelope(struct adding *a, struct env_head *h, struct err *e)
{
	struct find *f = calloc(1, sizeof(*f));
	enum find_result found = FIND_NONE;
	enum rc rc;

	if (f == NULL)
		return err_nomem(e);
	buf_wipe(&a->envelope);
	find_init(f, (struct sink){ take_envelope, &a->envelope }, MAIL_MAX);
	if ((rc = find_add(f, a->mail.p, a->mail.len, e)) == RC_OK)
		rc = find_end(f, &found, e);
	free(f);
	if (rc == RC_OK && found != FIND_ONE)
		rc = err_set(e, RC_INPUT, _("there is no sealed mail in it, "
		    "and nothing goes out in clear"));
	if (rc == RC_OK && !is_whole(&a->mail))
		rc = err_set(e, RC_INPUT, _("it was cut short: copy it anew "
		    "from where it was made"));
	if (rc == RC_OK)
		rc = env_head_parse(a->envelope.p, a->envelope.len, h, e);
	if (rc == RC_OK && h->source != ENV_CHANNEL)
		rc = err_set(e, RC_INPUT, _("that is no mail to a member"));
	return rc;
}

/* Its one To. */
static enum rc
find_route(const struct adding *a, char route[STORE_ROUTE_BYTES],
    struct err *e)
{
	const struct submit_add add = { .from = a->app->conf.route,
	    .message_id = "x@localhost", .recipients = true };
	struct submit s;
	enum rc rc;

	submit_init(&s, MAIL_MAX);
	if ((rc = submit_scan(&s, a->mail.p, a->mail.len, e)) == RC_OK)
		rc = submit_scan_end(&s, &add, e);
	if (rc == RC_OK && s.nrcpts != 1)
		rc = err_set(e, RC_INPUT, _("one recipient is wanted; "
		    "it names %zu"), s.nrcpts);
	if (rc == RC_OK)
		snprintf(route, STORE_ROUTE_BYTES, "%s", s.rcpts[0].s);
	submit_free(&s);
	return rc;
}

/* On disk, and invisible until the row has it. */
static enum rc
keep_envelope(struct adding *a, int64_t *body, struct err *e)
{
	const struct buf *b = &a->envelope;
	enum rc rc = store_body_begin(a->st, body, e);

	for (size_t at = 0, n; at < b->len && rc == RC_OK; at += n) {
		n = b->len - at < STORE_PART_MAX_BYTES ? b->len - at :
		    STORE_PART_MAX_BYTES;
		rc = store_body_append(a->st, *body, b->p + at, n, e);
	}
	return rc;
}

/* A dry run writes no row by which a second one of its T would be found. */
static bool
is_seen(const struct adding *a, const uint8_t t[STORE_T_BYTES])
{
	struct index_at at;
	int64_t i = index_first(&a->by_t, index_hash(t, STORE_T_BYTES), &at);

	while (i >= 0 && memcmp(a->seen.p + (size_t)i * STORE_T_BYTES, t,
	    STORE_T_BYTES) != 0)
		i = index_next(&a->by_t, &at);
	return i >= 0;
}

static bool
note(struct adding *a, const uint8_t t[STORE_T_BYTES])
{
	const size_t n = a->seen.len / STORE_T_BYTES;

	return buf_add(&a->seen, t, STORE_T_BYTES) &&
	    index_add(&a->by_t, (uint32_t)n, index_hash(t, STORE_T_BYTES));
}

/* ${row}: what is there already, or NULL. */
static void
tell(struct adding *a, const struct sealed_mail *m, bool queued,
    const struct store_out *row)
{
	char t[2 * STORE_T_BYTES + 1];

	if (a->o == NULL)
		return;
	hex_format(m->t, sizeof(m->t), t);
	out_text(a->o, "file", m->file);
	out_text(a->o, "to", m->to);
	out_text(a->o, "t", t);
	out_bool(a->o, "queued", queued);
	if (row != NULL) {
		out_number(a->o, "id", row->id);
		out_text(a->o, "state", sent_word(row, true));
	}
	out_row(a->o);
}

/* It is there, and nothing more becomes of it by itself. */
static void
say_failed(const struct sealed_mail *m, const struct store_out *row)
{
	const long long no = (long long)row->id;

	printf(_("%s is there as no. %lld, and has failed: sceau queue retry "
	    "%lld tries it again.\n"), m->file, no, no);
}

static void
pass_over(struct adding *a, const struct sealed_mail *m,
    const struct store_out *row)
{
	a->known++;
	if (row != NULL && row->state == STORE_SENT)
		a->sent++;
	if (row != NULL && row->state == STORE_FAILED) {
		a->failed++;
		if (a->o == NULL)
			say_failed(m, row);
	}
	tell(a, m, false, row);
}

/* ---- the queue ---------------------------------------------------------- */

static enum rc
promise(struct adding *a, struct err *e)
{
	struct store_out_put put[AT_ONCE];
	int64_t submission;
	enum rc rc;

	if (a->n == 0)
		return RC_OK;
	memset(put, 0, sizeof(put));
	for (size_t i = 0; i < a->n; i++) {
		struct sealed_mail *m = &a->mails[i];

		put[i] = (struct store_out_put){ .kind = STORE_CONTROL,
		    .identity = m->to, .from_route = "", .to_route = m->route,
		    .date = m->date, .message_id = m->message_id,
		    .boundary = "", .meta_at = clock_now(),
		    .body = { .id = m->body } };
		memcpy(put[i].t, m->t, STORE_T_BYTES);
	}
	rc = a->app->dry_run ? RC_OK : store_out_submit(a->st, clock_now(),
	    NULL, put, a->n, &submission, e);
	for (size_t i = 0; i < a->n && rc == RC_OK; i++)
		tell(a, &a->mails[i], !a->app->dry_run, NULL);
	a->added += rc == RC_OK ? a->n : 0;
	a->n = 0;
	return rc;
}

static enum rc
add_new(struct adding *a, struct sealed_mail *m, struct err *e)
{
	uint8_t rnd[WRAP_RANDOM_BYTES];
	enum rc rc;

	random_bytes(rnd, sizeof(rnd));
	wrap_message_id(a->app->conf.route, rnd, m->message_id);
	clock_5322(clock_now(), m->date);
	if (!a->app->dry_run && (rc = keep_envelope(a, &m->body, e)) != RC_OK)
		return rc;
	if (!note(a, m->t))
		return err_nomem(e);
	return ++a->n < AT_ONCE ? RC_OK : promise(a, e);
}

static enum rc
add_mail(struct adding *a, const char *path, struct err *e)
{
	struct sealed_mail *m = &a->mails[a->n];
	struct store_out row;
	struct env_head h;
	enum rc rc;

	buf_wipe(&a->mail);
	if ((rc = file_read_regular(path, MAIL_MAX, &a->mail, e)) != RC_OK)
		return rc;
	if ((rc = find_envelope(a, &h, e)) != RC_OK ||
	    (rc = find_route(a, m->route, e)) != RC_OK)
		return err_ctx(e, "%s", path);
	snprintf(m->file, sizeof(m->file), "%s", path);
	snprintf(m->to, sizeof(m->to), "%s", h.to.s);
	memcpy(m->t, h.tag, sizeof(m->t));
	if (is_seen(a, m->t)) {
		pass_over(a, m, NULL);
		return RC_OK;
	}
	if ((rc = store_out_find(a->st, m->t, &row, e)) != RC_OK)
		return rc;
	if (row.id == 0)
		return add_new(a, m, e);
	pass_over(a, m, &row);
	return RC_OK;
}

/* ---- all of them -------------------------------------------------------- */

static int
is_mail(const struct dirent *entry)
{
	const size_t len = strlen(entry->d_name);

	return entry->d_name[0] != '.' && len > 4 &&
	    strcmp(entry->d_name + len - 4, ".eml") == 0;
}

static enum rc
add_folder(struct adding *a, const char *dir, struct err *e)
{
	struct dirent **names = NULL;
	char path[PATH_MAX];
	int n = scandir(dir, &names, is_mail, alphasort);
	enum rc rc = RC_OK;

	if (n < 0)
		return err_set(e, errno == ENOMEM ? RC_NOMEM : RC_CONF,
		    _("%s: %s"), dir, lang_errno(errno));
	for (int i = 0; i < n; i++) {
		if (rc == RC_OK && snprintf(path, PATH_MAX, "%s/%s", dir,
		    names[i]->d_name) >= PATH_MAX)
			rc = err_set(e, RC_CONF, _("%s: the name is too long"),
			    dir);
		if (rc == RC_OK)
			rc = add_mail(a, path, e);
		free(names[i]);
	}
	free(names);
	if (rc == RC_OK && n == 0)
		rc = err_set(e, RC_INPUT, _("%s: no file *.eml is in it"),
		    dir);
	return rc;
}

static enum rc
add_one(struct adding *a, const char *word, struct err *e)
{
	struct stat st;

	return stat(word, &st) == 0 && S_ISDIR(st.st_mode) ?
	    add_folder(a, word, e) : add_mail(a, word, e);
}

static void
say_added(const struct adding *a)
{
	const size_t n = a->added;

	if (a->app->dry_run)
		printf(P_("%zu sealed mail would be queued (there already: "
		    "%zu).\n", "%zu sealed mails would be queued (there "
		    "already: %zu).\n", n), n, a->known);
	else
		printf(P_("%zu sealed mail is queued (there already: %zu); "
		    "the next poll sends it.\n", "%zu sealed mails are queued "
		    "(there already: %zu); the next poll sends them.\n", n),
		    n, a->known);
	if (a->sent + a->failed > 0)
		printf(_("Of those there already: sent %zu, failed %zu.\n"),
		    a->sent, a->failed);
}

/* What stands before a wrong one is queued all the same: given again, the
 * command passes it over. */
static enum rc
add_all(struct adding *a, int n, char **words, struct err *e)
{
	struct err why = ERR_INIT;
	enum rc rc = RC_OK, end;

	for (int i = 0; i < n && rc == RC_OK; i++)
		rc = add_one(a, words[i], e);
	end = promise(a, rc == RC_OK ? e : &why);
	if (rc == RC_OK)
		rc = end;
	if (a->o == NULL && (rc == RC_OK || a->added > 0))
		say_added(a);
	return rc;
}

enum rc
cmd_queue_add(struct app *app, int argc, char **argv, struct err *e)
{
	struct adding *a = calloc(1, sizeof(*a));
	struct err why = ERR_INIT;
	enum rc rc, end = RC_OK;
	int opt;

	if (a == NULL)
		return err_nomem(e);
	while ((rc = app_getopt(app, argc, argv, "", NULL, &opt, e)) ==
	    RC_OK && opt != -1)
		;
	if (rc == RC_OK && optind == argc)
		rc = app_usage(app, e);
	if (rc == RC_OK)
		rc = conf_route(&app->conf, e);
	a->app = app;
	if (rc == RC_OK && app->json &&
	    (a->o = out_new(true, "queued", cols)) == NULL)
		rc = err_nomem(e);
	if (rc == RC_OK && (rc = store_open(app->conf.state, app->dry_run ?
	    STORE_READ : STORE_WRITE, &a->st, e)) == RC_OK)
		rc = add_all(a, argc - optind, argv + optind, e);
	store_close(&a->st);
	if (a->o != NULL)
		end = out_end(&a->o, NULL, rc == RC_OK ? e : &why);
	buf_free(&a->mail);
	buf_free(&a->envelope);
	buf_free(&a->seen);
	index_free(&a->by_t);
	free(a);
	return rc == RC_OK ? end : rc;
}
