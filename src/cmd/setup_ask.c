/* sceau setup: the questions. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/lang.h"
#include "cmd/setup.h"
#include "conf/value.h"
#include "mail/addr.h"

enum rc
setup_absolute(const char *path, char out[PATH_MAX], struct err *e)
{
	char here[PATH_MAX];
	int n;

	if (path[0] == '/')
		n = snprintf(out, PATH_MAX, "%s", path);
	else if (getcwd(here, sizeof(here)) == NULL)
		return err_sys(e, "getcwd");
	else
		n = snprintf(out, PATH_MAX, "%s/%s", here, path);
	return n < PATH_MAX ? RC_OK :
	    err_set(e, RC_CONF, _("%s: the name is too long"), path);
}

static enum rc
good_address(const char *text, struct err *e)
{
	struct addr a;

	return addr_parse(text, strlen(text), &a, e);
}

static enum rc
good_path(const char *text, struct err *e)
{
	char *path = NULL;
	enum rc rc = value_path(text, &path, e);

	free(path);
	return rc;
}

static enum rc
good_text(const char *text, struct err *e)
{
	char *kept = NULL;
	enum rc rc = value_text(text, &kept, e);

	free(kept);
	return rc;
}

static enum rc
good_fetch(const char *text, struct err *e)
{
	struct place ignored;

	return place_parse(text, place_kind_of(text), &ignored, e);
}

static enum rc
good_smtp(const char *text, struct err *e)
{
	struct place ignored;

	return place_parse(text, PLACE_SMTP, &ignored, e);
}

/* What an option gave, or a person says. */
static enum rc
text_of(const struct setup *s, const char *option, const char *question,
    const char *own, enum rc (*good)(const char *, struct err *),
    char out[ASK_BYTES], struct err *e)
{
	if (option == NULL)
		return ask_text(&s->ask, question, own, good, out, e);
	if (snprintf(out, ASK_BYTES, "%s", option) >= ASK_BYTES)
		return err_set(e, RC_CONF, _("%s: the name is too long"),
		    option);
	if (good(out, e) != RC_OK)
		return err_ctx(e, "%s", option);
	return RC_OK;
}

static enum rc
ask_role(struct setup *s, struct err *e)
{
	static const char *const roles[] = {
		N_("a practice: it receives results"),
		N_("a laboratory: it sends results") };
	static const char *const words[] = { "practice", "laboratory",
	    "cabinet", "laboratoire", NULL };
	const char *role = setup_given(s, OPT_ROLE);
	size_t n = 0;
	int word = 0;
	enum rc rc;

	if (role != NULL && (rc = value_word(role, words, &word, e)) != RC_OK)
		return err_ctx(e, "--role %s", role);
	if (role != NULL)
		n = (size_t)word % 2;
	else if ((rc = ask_choice(&s->ask, _("Who is this?"), roles, 2, &n,
	    e)) != RC_OK)
		return rc;
	s->plan.lab = n == 1;
	return RC_OK;
}

static void
say_place(const char *kind, const struct place *p)
{
	if (p->host[0] != '\0')
		fprintf(stderr, _("  %s  %s, port %u\n"), kind, p->host,
		    (unsigned)p->port);
}

static void
say_found(const struct setup *s, const char *domain)
{
	const struct setup_found *f = &s->found;

	fprintf(stderr, f->source == FROM_TABLE ?
	    _("Servers of %s, a known provider:\n") :
	    _("Servers that %s names:\n"), domain);
	say_place(f->kind == PLACE_IMAP ? "IMAP" : "POP3", &f->fetch);
	say_place("SMTP", &f->relay);
	if (f->foreign)
		fprintf(stderr, _("They are not at %s, and nobody vouches for "
		    "this answer: ask your provider whether the names are "
		    "his.\n"), domain);
}

/* Found servers count only when a person, or --yes, agrees; with --yes those
 * of a stranger do not. */
static enum rc
look_for_servers(struct setup *s, struct err *e)
{
	const char *domain = strchr(s->plan.address, '@') + 1;
	const char *table = setup_given(s, OPT_TABLE);
	bool use = false;
	enum rc rc = setup_find(table != NULL ? table : SCEAU_DATADIR
	    "/providers", domain, &s->found, e);

	if (rc == RC_TEMP || rc == RC_INPUT) {
		fprintf(stderr, _("The servers of %s are not known (%s). Your "
		    "provider tells their names.\n"), domain, e->text);
		return RC_OK;
	}
	if (rc != RC_OK)
		return rc;
	if (s->found.source == FROM_NOWHERE) {
		fprintf(stderr, _("The servers of %s are not known. Your "
		    "provider tells their names.\n"), domain);
		return RC_OK;
	}
	say_found(s, domain);
	rc = ask_yes(&s->ask, _("Use them?"), !s->found.foreign, &use, e);
	if (rc == RC_OK && !use)
		s->found = (struct setup_found){ .source = FROM_NOWHERE };
	return rc;
}

static enum rc
ask_fetch(struct setup *s, struct err *e)
{
	const char *imap = setup_given(s, OPT_IMAP);
	const char *pop3 = setup_given(s, OPT_POP3);
	char answer[ASK_BYTES];

	if (imap != NULL || pop3 != NULL) {
		s->plan.kind = imap != NULL ? PLACE_IMAP : PLACE_POP3;
		if (place_parse(imap != NULL ? imap : pop3, s->plan.kind,
		    &s->plan.fetch, e) != RC_OK)
			return err_ctx(e, imap != NULL ? "--imap %s" :
			    "--pop3 %s", imap != NULL ? imap : pop3);
		return RC_OK;
	}
	if (s->found.fetch.host[0] != '\0') {
		s->plan.kind = s->found.kind;
		s->plan.fetch = s->found.fetch;
		return RC_OK;
	}
	if (ask_text(&s->ask, _("Server to fetch mail from, as your provider "
	    "calls it:"), NULL, good_fetch, answer, e) != RC_OK)
		return err_ctx(e, "%s", _("--imap HOST or --pop3 HOST"));
	s->plan.kind = place_kind_of(answer);
	return place_parse(answer, s->plan.kind, &s->plan.fetch, e);
}

static enum rc
ask_relay(struct setup *s, struct err *e)
{
	const char *smtp = setup_given(s, OPT_SMTP);
	char answer[ASK_BYTES];

	if (smtp == NULL && s->found.relay.host[0] != '\0') {
		s->plan.relay = s->found.relay;
		return RC_OK;
	}
	if (text_of(s, smtp, _("Server to send mail through, as your "
	    "provider calls it:"), NULL, good_smtp, answer, e) != RC_OK)
		return err_ctx(e, "%s", "--smtp HOST");
	return place_parse(answer, PLACE_SMTP, &s->plan.relay, e);
}

static enum rc
ask_servers(struct setup *s, struct err *e)
{
	bool fetch = setup_given(s, OPT_IMAP) != NULL ||
	    setup_given(s, OPT_POP3) != NULL;
	enum rc rc = RC_OK;

	if (!fetch || setup_given(s, OPT_SMTP) == NULL)
		rc = look_for_servers(s, e);
	if (rc == RC_OK)
		rc = ask_fetch(s, e);
	return rc == RC_OK ? ask_relay(s, e) : rc;
}

static enum rc
ask_user(struct setup *s, struct err *e)
{
	char own[ASK_BYTES];

	snprintf(own, sizeof(own), "%.*s", (int)(s->found.name_only ?
	    strcspn(s->plan.address, "@") : strlen(s->plan.address)),
	    s->plan.address);
	return text_of(s, setup_given(s, OPT_USER), _("Name to log in with:"),
	    own, good_text, s->plan.user, e);
}

/* ---- the password ------------------------------------------------------ */

static enum rc
choose_keep(struct setup *s, struct err *e)
{
	const struct setup_keep *here[8], *k;
	const char *says[8], *word = setup_given(s, OPT_KEEP);
	size_t n = 0, chosen = 0;
	enum rc rc = RC_OK;

	for (k = setup_keeps; k->word != NULL; k++)
		if (setup_keep_here(k) && (word == NULL ||
		    strcmp(word, k->word) == 0)) {
			here[n] = k;
			says[n++] = k->say;
		}
	if (n == 0)
		return err_set(e, RC_CONF, _("--keep %s: this machine has "
		    "file%s%s"), word,
		    setup_keep_here(&setup_keeps[1]) ? ", keychain" : "",
		    setup_keep_here(&setup_keeps[2]) ? ", keyring" : "");
	if (n > 1)
		rc = ask_choice(&s->ask, _("Where is the password kept?"),
		    says, n, &chosen, e);
	s->keep = here[chosen];
	return rc;
}

/* Of the file, the password is asked for and kept here until the test. */
static enum rc
take_password(struct setup *s, struct err *e)
{
	snprintf(s->plan.secret, sizeof(s->plan.secret), "%s", s->file);
	if (setup_given(s, OPT_PRINT) != NULL)
		return RC_OK;
	if (s->keep->put != NULL) {
		s->plan.proof = PROOF_COMMAND;
		return setup_keep_put(s->keep, s->plan.user, s->plan.secret,
		    e);
	}
	if (s->found.app)
		fprintf(stderr, "%s\n", _("This provider wants an application "
		    "password: it is made on its website."));
	return ask_secret(&s->ask, _("Password of the mailbox:"),
	    &s->password, e);
}

static enum rc
ask_password(struct setup *s, struct err *e)
{
	const char *command = setup_given(s, OPT_PASSWORD);
	bool token = setup_given(s, OPT_TOKEN) != NULL ||
	    (s->found.token && command == NULL);
	char answer[ASK_BYTES];
	enum rc rc;

	if (!token && command == NULL) {
		rc = choose_keep(s, e);
		return rc == RC_OK ? take_password(s, e) : rc;
	}
	s->plan.proof = token ? PROOF_TOKEN : PROOF_COMMAND;
	rc = text_of(s, token ? setup_given(s, OPT_TOKEN) : command,
	    _("This provider wants an OAuth token. Command that prints "
	    "one:"), NULL, good_text, answer, e);
	snprintf(s->plan.secret, sizeof(s->plan.secret), "%s", answer);
	return rc;
}

/* --outbox "" is a laboratory whose system hands its mails to sceau send. */
static enum rc
ask_outbox(struct setup *s, struct err *e)
{
	const char *given = setup_given(s, OPT_OUTBOX);

	if (given != NULL ? given[0] == '\0' : !s->plan.lab)
		return RC_OK;
	/* TRANSLATORS: the name of a folder: without accents */
	return text_of(s, given, _("Folder where your software drops results "
	    "to be sent:"), _("~/To-send"), good_path, s->plan.outbox, e);
}

static enum rc
ask_folder(struct setup *s, struct err *e)
{
	/* TRANSLATORS: names of folders: without accents */
	return text_of(s, setup_given(s, OPT_FOLDER), s->plan.lab ?
	    _("Maildir for answers:") :
	    _("Folder from which your software imports results:"),
	    s->plan.lab ? _("~/Answers") : _("~/Results"), good_path,
	    s->plan.folder, e);
}

enum rc
setup_ask(struct setup *s, const char *address, struct err *e)
{
	const char *ca = setup_given(s, OPT_CA);
	enum rc rc;

	if ((rc = text_of(s, address, _("Address of the mailbox:"), NULL,
	    good_address, s->plan.address, e)) != RC_OK)
		return rc;
	if (ca != NULL)
		rc = setup_absolute(ca, s->plan.ca_file, e);
	if (rc != RC_OK || (rc = ask_role(s, e)) != RC_OK ||
	    (rc = ask_servers(s, e)) != RC_OK ||
	    (rc = ask_outbox(s, e)) != RC_OK ||
	    (rc = ask_folder(s, e)) != RC_OK ||
	    (rc = ask_user(s, e)) != RC_OK)
		return rc;
	return ask_password(s, e);
}

enum rc
setup_ask_login(struct setup *s, struct err *e)
{
	enum rc rc = ask_user(s, e);

	return rc == RC_OK ? ask_secret(&s->ask, _("Password of the "
	    "mailbox:"), &s->password, e) : rc;
}
