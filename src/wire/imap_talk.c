#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/lang.h"
#include "wire/imap_talk.h"

static enum rc
refuse(struct imap_talk *t, enum wire_why why, struct err *e)
{
	stream_kill(t->link.stream, why, e);
	t->why = why;
	return e->rc;
}

bool
imap_talk_refused(const struct imap_talk *t, int r)
{
	if (stream_dead(t->link.stream))
		return false;
	return r != MAILIMAP_ERROR_STREAM && r != MAILIMAP_ERROR_PARSE &&
	    r != MAILIMAP_ERROR_MEMORY && r != MAILIMAP_ERROR_FATAL &&
	    r != MAILIMAP_ERROR_PROTOCOL && r != MAILIMAP_ERROR_BAD_STATE &&
	    r != MAILIMAP_ERROR_DONT_ACCEPT_CONNECTION;
}

enum rc
imap_talk_fail(struct imap_talk *t, int r, const char *what, struct err *e)
{
	char said[LINK_SAID_CHARS] = "";
	const char *text = t->session->imap_response;

	if (stream_dead(t->link.stream))
		return stream_error(t->link.stream, &t->why, e);
	if (r == MAILIMAP_ERROR_MEMORY) {
		err_nomem(e);
		return refuse(t, WHY_LOCAL, e);
	}
	if (!imap_talk_refused(t, r)) {
		err_set(e, RC_TEMP, _("%s: it does not answer as an IMAP "
		    "server (%s, %d)"), t->link.server->host, what, r);
		return refuse(t, WHY_SERVER, e);
	}
	if (text != NULL)
		link_said(NULL, text, strlen(text), said);
	t->why = WHY_SERVER;
	return err_set(e, RC_TEMP, _("%s: it refuses %s (\"%s\")"),
	    t->link.server->host, what, said);
}

static enum rc
meddled(struct imap_talk *t, struct err *e)
{
	err_set(e, RC_TEMP, _("%s: somebody on the way added words before TLS "
	    "began; nothing was sent"), t->link.server->host);
	return refuse(t, WHY_TLS, e);
}

static enum rc
greeting(struct imap_talk *t, struct err *e)
{
	int r;

	if ((t->session = mailimap_new(0, NULL)) == NULL ||
	    (t->io = imap_io(t->link.stream)) == NULL) {
		err_nomem(e);
		return refuse(t, WHY_LOCAL, e);
	}
	stream_step(t->link.stream, IMAP_STEP_BYTES);
	r = mailimap_connect(t->session, t->io);
	if (r == MAILIMAP_NO_ERROR_NON_AUTHENTICATED)
		return RC_OK;
	if (r != MAILIMAP_NO_ERROR_AUTHENTICATED)
		return imap_talk_fail(t, r, _("the connection"), e);
	/* STARTTLS is not possible after it: the way to keep us in clear. */
	err_set(e, RC_TEMP, _("%s: it wants no login (PREAUTH), which a server "
	    "for us never does; nothing was sent"), t->link.server->host);
	return refuse(t, WHY_TLS, e);
}

static enum rc
starttls(struct imap_talk *t, struct err *e)
{
	int r;

	if (t->io->read_buffer_len != 0)
		return meddled(t, e);
	stream_step(t->link.stream, IMAP_STEP_BYTES);
	r = mailimap_starttls(t->session);
	if (r != MAILIMAP_NO_ERROR && imap_talk_refused(t, r)) {
		err_set(e, RC_TEMP, _("%s: no STARTTLS is offered, or somebody "
		    "on the way took it out; nothing was sent"),
		    t->link.server->host);
		return refuse(t, WHY_TLS, e);
	}
	if (r != MAILIMAP_NO_ERROR)
		return imap_talk_fail(t, r, "STARTTLS", e);
	/* Whatever is buffered came before TLS: not the server's word. */
	if (t->io->read_buffer_len != 0)
		return meddled(t, e);
	if (stream_tls(t->link.stream, t->link.tls, e) != RC_OK)
		return stream_error(t->link.stream, &t->why, e);
	return RC_OK;
}

/* RFC 5530: the codes that blame the server and not the password. */
static bool
says_unavailable(const struct mailimap_response_info *info)
{
	static const char *const codes[] = { "UNAVAILABLE", "INUSE", "LIMIT",
		"SERVERBUG" };

	for (size_t i = 0; info != NULL && info->rsp_atom != NULL &&
	    i < sizeof(codes) / sizeof(codes[0]); i++)
		if (strcasecmp(info->rsp_atom, codes[i]) == 0)
			return true;
	return false;
}

static enum rc
login_refused(struct imap_talk *t, int r, const struct secret *secret,
    struct err *e)
{
	char said[LINK_SAID_CHARS] = "";
	const char *text = t->session->imap_response;
	bool busy = says_unavailable(t->session->imap_response_info);

	if (!imap_talk_refused(t, r))
		return imap_talk_fail(t, r, "LOGIN", e);
	if (text != NULL)
		link_said(secret, text, strlen(text), said);
	err_set(e, RC_TEMP, busy ?
	    _("%s: not available just now (\"%s\")") :
	    _("%s: refuses the name or password of %s (\"%s\")"),
	    t->link.server->host, busy ? said : t->link.server->user, said);
	return refuse(t, busy ? WHY_SERVER : WHY_LOGIN, e);
}

/* What it said before it knew us, and before TLS, is not to be relied on. */
static void
forget_capabilities(struct imap_talk *t)
{
	struct mailimap_connection_info *info =
	    t->session->imap_connection_info;

	if (info == NULL || info->imap_capability == NULL)
		return;
	mailimap_capability_data_free(info->imap_capability);
	info->imap_capability = NULL;
}

static bool
told_capabilities(const struct imap_talk *t)
{
	const struct mailimap_connection_info *info =
	    t->session->imap_connection_info;

	return info != NULL && info->imap_capability != NULL;
}

static enum rc
login(struct imap_talk *t, const struct secret *secret, struct err *e)
{
	const struct conf_server *server = t->link.server;
	enum rc rc;
	int r;

	BUG_ON(!link_safe(&t->link));
	if ((rc = link_secret(&t->link, secret, e)) != RC_OK)
		return rc;
	forget_capabilities(t);
	stream_step(t->link.stream, IMAP_STEP_BYTES);
	if (server->auth == CONF_AUTH_XOAUTH2)
		r = mailimap_oauth2_authenticate(t->session, server->user,
		    secret->p);
	else
		r = mailimap_login(t->session, server->user, secret->p);
	/* RFC 3501 6.2.3: then it need not be asked. */
	t->capable = r == MAILIMAP_NO_ERROR && told_capabilities(t);
	return r == MAILIMAP_NO_ERROR ? RC_OK :
	    login_refused(t, r, secret, e);
}

static enum rc
select_box(struct imap_talk *t, const char *mailbox, struct err *e)
{
	const struct mailimap_selection_info *info;
	struct buf name = BUF_INIT;
	int r = MAILIMAP_NO_ERROR;
	enum rc rc = imap_name(_("mailbox"), mailbox, &name, e);

	stream_step(t->link.stream, IMAP_STEP_BYTES);
	if (rc == RC_OK)
		r = mailimap_select(t->session, (const char *)name.p);
	buf_free(&name);
	if (rc != RC_OK)
		return rc;
	if (r != MAILIMAP_NO_ERROR) {
		imap_talk_fail(t, r, "SELECT", e);
		return err_ctx(e, _("mailbox %s"), mailbox);
	}
	info = t->session->imap_selection_info;
	if (info == NULL || info->sel_uidvalidity == 0) {
		t->why = WHY_SERVER;
		return err_set(e, RC_CONF, _("%s: this IMAP server gives its "
		    "messages no lasting names (UIDVALIDITY), so nothing "
		    "could be fetched once and only once"),
		    t->link.server->host);
	}
	t->validity = info->sel_uidvalidity;
	t->next = info->sel_uidnext;
	t->exists = info->sel_exists;
	return RC_OK;
}

enum rc
imap_talk_open(struct imap_talk *t, const char *mailbox,
    const struct secret *secret, struct err *e)
{
	enum rc rc;

	if (link_begin(&t->link, e) != RC_OK)
		return stream_error(t->link.stream, &t->why, e);
	if ((rc = greeting(t, e)) != RC_OK)
		return rc;
	if (t->link.server->tls == CONF_TLS_STARTTLS &&
	    (rc = starttls(t, e)) != RC_OK)
		return rc;
	if ((rc = login(t, secret, e)) != RC_OK)
		return rc;
	return select_box(t, mailbox == NULL ? "INBOX" : mailbox, e);
}

void
imap_talk_close(struct imap_talk *t, bool goodbye)
{
	struct err e = ERR_INIT;

	if (t->session != NULL) {
		err_set(&e, RC_TEMP, "closed");
		/* mailimap_free() says LOGOUT by itself: not when dead. */
		if (!goodbye)
			stream_kill(t->link.stream, WHY_NONE, &e);
		stream_step(t->link.stream, IMAP_STEP_BYTES);
		mailimap_free(t->session);
		t->session = NULL;
		t->io = NULL;
	}
	link_free(&t->link);
}

/*
 * CAPABILITY by hand: mailimap_capability() and mailimap_has_extension()
 * crash on an answer without data.  What came is kept in the session.
 */
static int
capability(struct imap_talk *t)
{
	static const char cmd[] = "CAPABILITY\r\n";
	struct mailimap_response *answer = NULL;
	const struct mailimap_response_done *done;
	int r = mailimap_send_current_tag(t->session);

	if (r != MAILIMAP_NO_ERROR)
		return r;
	if (mailstream_write(t->io, cmd, sizeof(cmd) - 1) < 0 ||
	    mailstream_flush(t->io) < 0 ||
	    mailimap_read_line(t->session) == NULL)
		return MAILIMAP_ERROR_STREAM;
	if ((r = mailimap_parse_response(t->session, &answer)) !=
	    MAILIMAP_NO_ERROR)
		return r;
	done = answer->rsp_resp_done;
	if (done->rsp_type != MAILIMAP_RESP_DONE_TYPE_TAGGED)
		r = MAILIMAP_ERROR_FATAL;
	else if (done->rsp_data.rsp_tagged->rsp_cond_state->rsp_type !=
	    MAILIMAP_RESP_COND_STATE_OK)
		r = MAILIMAP_ERROR_CAPABILITY;
	mailimap_response_free(answer);
	return r;
}

static bool
offered(const struct imap_talk *t, const char *what)
{
	const struct mailimap_connection_info *info =
	    t->session->imap_connection_info;
	const struct mailimap_capability_data *data =
	    info == NULL ? NULL : info->imap_capability;

	if (data == NULL || data->cap_list == NULL)
		return false;
	for (clistiter *it = clist_begin(data->cap_list); it != NULL;
	    it = clist_next(it)) {
		const struct mailimap_capability *one = clist_content(it);

		if (one->cap_type == MAILIMAP_CAPABILITY_NAME &&
		    one->cap_data.cap_name != NULL &&
		    strcasecmp(one->cap_data.cap_name, what) == 0)
			return true;
	}
	return false;
}

enum rc
imap_talk_can(struct imap_talk *t, const char *what, bool *can, struct err *e)
{
	int r;

	*can = false;
	if (!t->capable) {
		stream_step(t->link.stream, IMAP_STEP_BYTES);
		if ((r = capability(t)) != MAILIMAP_NO_ERROR)
			return imap_talk_fail(t, r, "CAPABILITY", e);
		t->capable = true;
	}
	*can = offered(t, what);
	return RC_OK;
}
