#include "config.h"

#include <string.h>

#include "base/lang.h"
#include "conf/pairs.h"
#include "conf/value.h"

static bool
has(const struct written *w, const char *name)
{
	return written_has(w, name);
}

enum rc
pairs_check(const struct pair *pairs, const void *section,
    const struct written *w, const char **blame, struct err *e)
{
	for (; pairs->wrong != NULL; pairs++)
		if (pairs->wrong(section, w)) {
			*blame = pairs->blame;
			return err_set(e, RC_CONF, "%s", _(pairs->say));
		}
	return RC_OK;
}

static bool
no_host(const void *p, const struct written *w)
{
	(void)p;
	return !has(w, "host");
}

static bool
two_passwords(const void *p, const struct written *w)
{
	(void)p;
	return has(w, "password_command") && has(w, "password_file");
}

static bool
password_and_token(const void *p, const struct written *w)
{
	(void)p;
	return has(w, "token_command") &&
	    (has(w, "password_command") || has(w, "password_file"));
}

static bool
tls_none_far(const void *p, const struct written *w)
{
	const struct conf_server *s = p;

	(void)w;
	return s->tls == CONF_TLS_NONE && !value_loopback(s->host);
}

static bool
tls_none_pin(const void *p, const struct written *w)
{
	const struct conf_server *s = p;

	return s->tls == CONF_TLS_NONE && has(w, "pin");
}

static bool
tls_none_ca(const void *p, const struct written *w)
{
	const struct conf_server *s = p;

	return s->tls == CONF_TLS_NONE && has(w, "ca_file");
}

static bool
xoauth2_no_token(const void *p, const struct written *w)
{
	const struct conf_server *s = p;

	return s->auth == CONF_AUTH_XOAUTH2 && !has(w, "token_command");
}

static bool
token_no_xoauth2(const void *p, const struct written *w)
{
	const struct conf_server *s = p;

	return s->auth != CONF_AUTH_XOAUTH2 && has(w, "token_command");
}

static bool
auth_no_user(const void *p, const struct written *w)
{
	const struct conf_server *s = p;

	return s->auth != CONF_AUTH_NONE && !has(w, "user");
}

static bool
none_with_user(const void *p, const struct written *w)
{
	const struct conf_server *s = p;

	return s->auth == CONF_AUTH_NONE && has(w, "user");
}

static bool
none_with_password(const void *p, const struct written *w)
{
	const struct conf_server *s = p;

	return s->auth == CONF_AUTH_NONE &&
	    (has(w, "password_command") || has(w, "password_file"));
}

static bool
no_password(const void *p, const struct written *w)
{
	const struct conf_server *s = p;

	return s->auth == CONF_AUTH_PASSWORD &&
	    !has(w, "password_command") && !has(w, "password_file");
}

static const struct pair server_pairs[] = {
	{ no_host, NULL, N_("host is missing; write host = "
	    "server.provider.example") },
	{ two_passwords, "password_file", N_("password_command and "
	    "password_file are both there; write one of them") },
	{ password_and_token, "token_command", N_("a password and a token are "
	    "both there; write token_command for xoauth2, or password_command "
	    "or password_file for password") },
	{ tls_none_far, "tls", N_("tls = none would send the password in "
	    "clear over the network; write implicit or starttls (none is for "
	    "localhost only)") },
	{ tls_none_pin, "pin", N_("pin needs a server with a certificate; "
	    "remove it, or write tls = implicit") },
	{ tls_none_ca, "ca_file", N_("ca_file needs a server with a "
	    "certificate; remove it, or write tls = implicit") },
	{ xoauth2_no_token, "auth", N_("auth = xoauth2 needs a token; write "
	    "token_command") },
	{ token_no_xoauth2, "token_command", N_("a token is for xoauth2 only; "
	    "write auth = xoauth2, or remove token_command") },
	{ none_with_password, "auth", N_("a password is given, but neither "
	    "auth nor user asks for one; write user, or remove the "
	    "password") },
	{ none_with_user, "auth", N_("auth = none and user are both there; "
	    "remove one of them") },
	{ auth_no_user, "auth", N_("user is missing; write user = the name to "
	    "log in with") },
	{ no_password, NULL, N_("the password is missing; write "
	    "password_command or password_file (never the password itself)") },
	{ NULL, NULL, NULL }
};

static bool
has_server(const struct conf_account *a)
{
	return a->protocol == CONF_IMAP || a->protocol == CONF_POP3;
}

static bool
no_protocol(const void *p, const struct written *w)
{
	(void)p;
	return !has(w, "protocol");
}

static bool
local_with_server(const void *p, const struct written *w)
{
	static const char *const names[] = { "host", "port", "tls", "ca_file",
	    "pin", "user", "auth", "password_command", "password_file",
	    "token_command" };

	if (has_server(p))
		return false;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (has(w, names[i]))
			return true;
	return false;
}

static bool
local_no_path(const void *p, const struct written *w)
{
	return !has_server(p) && !has(w, "path");
}

static bool
server_with_path(const void *p, const struct written *w)
{
	return has_server(p) && has(w, "path");
}

static bool
fetch_no_auth(const void *p, const struct written *w)
{
	const struct conf_account *a = p;

	return has_server(a) && a->server.auth == CONF_AUTH_NONE &&
	    has(w, "auth");
}

static bool
imap_only(const void *p, const struct written *w)
{
	const struct conf_account *a = p;

	return a->protocol != CONF_IMAP && (has(w, "mailbox") ||
	    has(w, "move_to") || has(w, "unsealed_to") || has(w, "idle"));
}

static bool
move_without_imap(const void *p, const struct written *w)
{
	const struct conf_account *a = p;

	(void)w;
	return a->protocol != CONF_IMAP && a->after == CONF_AFTER_MOVE;
}

static bool
move_nowhere(const void *p, const struct written *w)
{
	const struct conf_account *a = p;

	return a->after == CONF_AFTER_MOVE && !has(w, "move_to");
}

static bool
nothing_to_move(const void *p, const struct written *w)
{
	const struct conf_account *a = p;

	return a->after != CONF_AFTER_MOVE && has(w, "move_to");
}

static bool
same(const char *a, const char *b)
{
	return a != NULL && strcmp(a, b) == 0;
}

static bool
move_in_place(const void *p, const struct written *w)
{
	const struct conf_account *a = p;

	(void)w;
	return a->mailbox != NULL && same(a->move_to, a->mailbox);
}

static bool
unsealed_in_place(const void *p, const struct written *w)
{
	const struct conf_account *a = p;

	(void)w;
	return a->mailbox != NULL && same(a->unsealed_to, a->mailbox);
}

static bool
unsealed_both(const void *p, const struct written *w)
{
	const struct conf_account *a = p;

	return a->unsealed == CONF_UNSEALED_DELIVER && has(w, "unsealed_to");
}

static bool
days_without_keep(const void *p, const struct written *w)
{
	const struct conf_account *a = p;

	return a->after != CONF_AFTER_KEEP && has(w, "keep_days");
}

static const struct pair account_pairs[] = {
	{ no_protocol, NULL, N_("protocol is missing; write protocol = imap, "
	    "pop3, maildir or folder") },
	{ local_with_server, "protocol", N_("a Maildir or folder on this "
	    "machine has no host, user or password; remove them, or write "
	    "protocol = imap or pop3") },
	{ local_no_path, NULL, N_("path is missing; write the path of the "
	    "Maildir or folder") },
	{ server_with_path, "path", N_("path is for maildir and folder; for a "
	    "server remove it") },
	{ fetch_no_auth, "auth", N_("a mailbox is never without a password; "
	    "write auth = password or xoauth2") },
	{ imap_only, "protocol", N_("mailbox, move_to, unsealed_to and idle "
	    "are for imap; remove them, or write protocol = imap") },
	{ move_without_imap, "after", N_("only imap can move mail; write "
	    "after = delete or keep") },
	{ move_nowhere, "after", N_("after = move needs to know where; write "
	    "move_to = \"name of the mailbox\"") },
	{ nothing_to_move, "move_to", N_("move_to is for after = move; write "
	    "that, or remove move_to") },
	{ move_in_place, "move_to", N_("move_to is the mailbox it is fetched "
	    "from; write another one") },
	{ unsealed_in_place, "unsealed_to", N_("unsealed_to is the mailbox it "
	    "is fetched from; write another one, or remove it") },
	{ unsealed_both, "unsealed_to", N_("mail that is not sealed is moved "
	    "or delivered, not both; remove unsealed_to, or unsealed = "
	    "deliver") },
	{ days_without_keep, "keep_days", N_("keep_days is for after = keep; "
	    "write that, or remove keep_days") },
	{ NULL, NULL, NULL }
};

enum rc
pairs_account(const struct conf_account *a, const struct written *w,
    const char **blame, struct err *e)
{
	enum rc rc = pairs_check(account_pairs, a, w, blame, e);

	if (rc != RC_OK || !has_server(a))
		return rc;
	return pairs_check(server_pairs, &a->server, w, blame, e);
}

static bool
esmtp_implicit(const void *p, const struct written *w)
{
	const struct conf_relay *r = p;

	(void)w;
	return r->engine == CONF_ENGINE_ESMTP &&
	    r->server.tls == CONF_TLS_IMPLICIT;
}

static bool
esmtp_token(const void *p, const struct written *w)
{
	const struct conf_relay *r = p;

	(void)w;
	return r->engine == CONF_ENGINE_ESMTP &&
	    r->server.auth == CONF_AUTH_XOAUTH2;
}

static const struct pair relay_pairs[] = {
	{ esmtp_implicit, "engine", N_("engine = esmtp cannot speak TLS from "
	    "the first octet; write engine = auto, or tls = starttls") },
	{ esmtp_token, "engine", N_("engine = esmtp cannot use a token; write "
	    "engine = auto") },
	{ NULL, NULL, NULL }
};

enum rc
pairs_relay(const struct conf_relay *r, const struct written *w,
    const char **blame, struct err *e)
{
	enum rc rc = pairs_check(server_pairs, &r->server, w, blame, e);

	return rc == RC_OK ? pairs_check(relay_pairs, r, w, blame, e) : rc;
}

static bool
relay_no_route(const void *p, const struct written *w)
{
	const struct conf *c = p;

	return c->nrelays > 0 && !has(w, "route");
}

static bool
hub_no_relay(const void *p, const struct written *w)
{
	const struct conf *c = p;

	(void)w;
	return c->hub && c->nrelays == 0;
}

static bool
hub_words_alone(const void *p, const struct written *w)
{
	const struct conf *c = p;

	return !c->hub && (has(w, "hub_members") || has(w, "hub_messages") ||
	    has(w, "hub_size") || has(w, "hub_archive"));
}

static bool
outbox_no_relay(const void *p, const struct written *w)
{
	const struct conf *c = p;

	(void)w;
	return c->noutboxes > 0 && c->nrelays == 0;
}

static bool
no_state(const void *p, const struct written *w)
{
	const struct conf *c = p;

	(void)w;
	return c->state == NULL;
}

static bool
digest_nobody(const void *p, const struct written *w)
{
	(void)p;
	return !has(w, "digest_to") && (has(w, "digest_command") ||
	    has(w, "digest_at") || has(w, "digest_empty"));
}

static const struct pair top_pairs[] = {
	{ relay_no_route, NULL, N_("there is a relay, but route is missing; "
	    "write route = our own mail address, above the sections") },
	{ hub_no_relay, "hub", N_("a hub must send; add a relay section, or "
	    "remove hub") },
	{ hub_words_alone, NULL, N_("hub_members, hub_messages, hub_size and "
	    "hub_archive are the association's gateway's; add hub = yes, or "
	    "remove them") },
	{ outbox_no_relay, NULL, N_("what an outbox takes must be sent; add a "
	    "relay section") },
	{ pairs_unsealed_nowhere, NULL, N_("an account delivers mail that is "
	    "not sealed, and no delivery takes it; add a deliver section with "
	    "unsealed = yes") },
	{ pairs_unsealed_from_nobody, NULL, N_("a delivery is for mail that "
	    "is not sealed, and no account gives it any; write unsealed = "
	    "deliver in an account section") },
	{ pairs_outboxes_overlap, NULL, N_("a folder of one outbox lies in "
	    "another outbox; write folders that stand apart") },
	{ digest_nobody, NULL, N_("the daily mail is for nobody; write "
	    "digest_to = a mail address, or remove the other settings of "
	    "digest") },
	{ no_state, NULL, N_("nobody says where the home folder is; write "
	    "state = a whole path") },
	{ NULL, NULL, NULL }
};

enum rc
pairs_top(const struct conf *c, const struct written *w, const char **blame,
    struct err *e)
{
	return pairs_check(top_pairs, c, w, blame, e);
}
