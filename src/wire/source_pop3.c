#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/lang.h"
#include "wire/pop3_source.h"
#include "wire/tls.h"

#define ROW_BYTES 128	/* of a listing, on the wire */
#define QUIT_S 10

/* One message on its way to the consumer. */
struct passing {
	const struct source_sink	*sink;
	uint64_t			 left;	/* octets still allowed */
	bool				 cut;
};

static enum rc
said(struct source *s, enum rc rc)
{
	struct pop3 *p = s->impl;

	if (rc != RC_OK)
		s->why = p->talk.why;
	return rc;
}

static enum rc
set_up(struct source *s, struct err *e)
{
	struct pop3 *p = calloc(1, sizeof(*p));
	enum rc rc;

	if ((s->impl = p) == NULL)
		return err_nomem(e);
	p->max_list = s->limits.max_list;
	s->info.one_release = true;
	if ((rc = link_new(&s->account->server, &p->talk.link, e)) !=
	    RC_OK ||
	    (rc = link_join(&p->talk.link, s->limits.until_ms, e)) != RC_OK)
		return rc;
	if ((p->talk.room = malloc(POP3_ROOM_BYTES)) == NULL)
		return err_nomem(e);
	/* Digests of what it has are made without TLS, too. */
	return s->account->server.tls == CONF_TLS_NONE ? tls_load(e) : RC_OK;
}

static enum rc
start(struct source *s, const struct secret *secret, struct err *e)
{
	struct pop3 *p = s->impl;
	enum rc rc = said(s, pop3_talk_open(&p->talk, secret, e));

	p->in = rc == RC_OK;
	s->info.tls = stream_version(p->talk.link.stream);
	return rc;
}

static enum rc
uidl_row(void *arg, struct bytes line, struct err *e)
{
	const struct bytes none = { NULL, 0 };
	struct pop3 *p = arg;
	struct bytes id;
	uint32_t number;

	if (!pop3_uidl(line, &number, &id)) {
		p->odd++;
		return RC_OK;
	}
	if (p->table.n >= p->max_list)
		return err_set(e, RC_TEMP, _("more than %zu messages in the "
		    "mailbox; raise the limit or empty it"), p->max_list);
	if (!idtable_add(&p->table, id, none, number, 0))
		return err_nomem(e);
	return RC_OK;
}

static enum rc
list_row(void *arg, struct bytes line, struct err *e)
{
	struct pop3 *p = arg;
	uint32_t number;
	uint64_t size;
	long at;

	(void)e;
	if (!pop3_list(line, &number, &size))
		return RC_OK;
	if ((at = idtable_number(&p->table, number)) >= 0)
		p->table.rows[at].size = size;
	else
		p->bare++;
	return RC_OK;
}

static enum rc
rows(struct pop3 *p, pop3_row_fn *fn, bool *refused, struct err *e)
{
	enum pop3_status st;
	struct bytes line;
	enum rc rc = pop3_talk_status(&p->talk, &st, &line, e);

	*refused = rc == RC_OK && st != POP3_OK;
	if (rc != RC_OK || *refused)
		return rc;
	stream_step(p->talk.link.stream, (uint64_t)p->max_list * ROW_BYTES);
	rc = pop3_talk_rows(&p->talk, fn, p, e);
	if (rc != RC_OK)	/* in the middle of an answer: out of step */
		stream_kill(p->talk.link.stream, WHY_SERVER, e);
	return rc;
}

static enum rc
no_uidl(struct pop3 *p, struct err *e)
{
	p->talk.why = WHY_SERVER;
	if (p->talk.capa.uidl)
		return err_set(e, RC_TEMP, _("%s: not available just now"),
		    p->talk.link.server->host);
	return err_set(e, RC_CONF, _("%s: this POP3 server gives its messages "
	    "no lasting names (UIDL), so nothing could be fetched once and "
	    "only once; use protocol = imap"), p->talk.link.server->host);
}

/* A message that UIDL names by nonsense is bare in LIST: counted once. */
static size_t
nameless(const struct pop3 *p)
{
	return (p->odd > p->bare ? p->odd : p->bare) + p->aside;
}

/*
 * UIDL and LIST, once in a session; in one go where that is allowed.  LIST
 * tells of the sizes, and of what UIDL does not name.
 */
static enum rc
learn(struct source *s, struct err *e)
{
	struct pop3 *p = s->impl;
	bool both = p->talk.capa.pipelining, refused;
	enum rc rc;

	if (p->listed)
		return RC_OK;
	rc = pop3_talk_cmd(&p->talk, both ? "UIDL\r\nLIST" : "UIDL", e);
	if (rc != RC_OK || (rc = rows(p, uidl_row, &refused, e)) != RC_OK)
		return rc;
	if (refused)
		return no_uidl(p, e);
	idtable_by_number(&p->table);
	if (!both)
		rc = pop3_talk_cmd(&p->talk, "LIST", e);
	if (rc == RC_OK)
		rc = rows(p, list_row, &refused, e);
	if (rc == RC_OK)
		rc = pop3_tell_apart(s, e);
	s->info.nameless = nameless(p);
	p->listed = rc == RC_OK;
	return rc;
}

static enum rc
list(struct source *s, struct bytes after, source_list_fn *fn, void *arg,
    struct err *e)
{
	struct pop3 *p = s->impl;
	enum rc rc = said(s, learn(s, e));

	(void)after;
	if (rc != RC_OK)
		return rc;
	idtable_by_number(&p->table);
	for (size_t i = 0; rc == RC_OK && i < p->table.n; i++)
		if (p->table.rows[i].len > 0)
			rc = fn(arg, idtable_id(&p->table, i),
			    p->table.rows[i].size, e);
	return rc;
}

static enum rc
pass_on(void *arg, const void *octets, size_t len, struct err *e)
{
	struct passing *m = arg;

	m->cut = m->cut || len > m->left;
	if (m->cut)
		return RC_OK;
	m->left -= len;
	return m->sink->data(m->sink->arg, octets, len, e);
}

static enum rc
body(struct pop3 *p, struct passing *m, struct err *e)
{
	struct pop3_talk *t = &p->talk;
	struct pop3_body b = { 0, false };
	enum rc rc = RC_OK;

	while (!b.done) {
		if (t->at == t->len && (rc = pop3_talk_fill(t, e)) != RC_OK)
			return rc;
		t->at += pop3_body_feed(&b, t->room + t->at, t->len - t->at,
		    pass_on, m, &rc, e);
		if (rc != RC_OK) {
			t->why = WHY_LOCAL;
			stream_kill(t->link.stream, WHY_LOCAL, e);
			return rc;
		}
	}
	return RC_OK;
}

/* The answer to one RETR. */
static enum rc
retrieve(struct source *s, struct bytes id, const struct source_sink *sink,
    struct err *e)
{
	struct pop3 *p = s->impl;
	struct passing m = { sink, s->limits.max_message, false };
	enum pop3_status st;
	struct bytes line;
	enum rc rc;

	/* Doubled dots, a server's idea of a size, the answer's own line. */
	stream_step(p->talk.link.stream, s->limits.max_message +
	    s->limits.max_message / 2 + 65536);
	if ((rc = pop3_talk_status(&p->talk, &st, &line, e)) != RC_OK)
		return rc;
	if (st != POP3_OK)
		return sink->end(sink->arg, id, SOURCE_UNREADABLE, e);
	if ((rc = sink->begin(sink->arg, e)) != RC_OK ||
	    (rc = body(p, &m, e)) != RC_OK)
		return rc;
	return sink->end(sink->arg, id, m.cut ? SOURCE_TOO_BIG : SOURCE_GOT,
	    e);
}

void
pop3_plan_free(struct pop3_plan *plan)
{
	free(plan->ids);
	free(plan->numbers);
}

enum rc
pop3_plan_new(size_t n, struct pop3_plan *plan, struct err *e)
{
	plan->ids = calloc(n, sizeof(*plan->ids));
	plan->numbers = calloc(n, sizeof(*plan->numbers));
	plan->n = 0;
	if (plan->ids == NULL || plan->numbers == NULL)
		return err_nomem(e);
	return RC_OK;
}

static enum rc
choose(struct source *s, const struct bytes *ids, size_t n,
    const struct source_sink *sink, struct pop3_plan *plan, struct err *e)
{
	struct pop3 *p = s->impl;

	for (size_t i = 0; i < n; i++) {
		long at = idtable_find(&p->table, ids[i]);
		bool big = at >= 0 &&
		    p->table.rows[at].size > s->limits.max_message;
		enum rc rc;

		if (at >= 0 && !big) {
			plan->ids[plan->n] = &ids[i];
			plan->numbers[plan->n++] = p->table.rows[at].number;
		} else if ((rc = sink->end(sink->arg, ids[i], big ?
		    SOURCE_TOO_BIG : SOURCE_GONE, e)) != RC_OK) {
			return rc;
		}
	}
	return RC_OK;
}

/*
 * Commands from ${*sent} on, so that up to ${window} answers are due: in one
 * write, and only once half of them have come (few packets, never idle).
 */
static enum rc
ask(struct pop3 *p, const char *verb, const struct pop3_plan *plan,
    size_t window, size_t answered, size_t *sent, struct err *e)
{
	struct buf b = BUF_INIT;
	enum rc rc = RC_OK;

	if (*sent == plan->n || *sent - answered > window / 2)
		return RC_OK;
	while (*sent < plan->n && *sent - answered < window &&
	    buf_addf(&b, "%s %u\r\n", verb,
	    (unsigned)plan->numbers[*sent]))
		++*sent;
	if (b.len == 0)
		rc = err_nomem(e);
	else
		rc = pop3_talk_send(&p->talk, &b, e);
	buf_free(&b);
	return rc;
}

static size_t
window_of(const struct source *s)
{
	const struct pop3 *p = s->impl;

	if (!p->talk.capa.pipelining)
		return 1;
	/* Beyond this the commands alone could fill both sockets. */
	return s->account->batch > 1000 ? 1000 :
	    s->account->batch < 1 ? 1 : (size_t)s->account->batch;
}

enum rc
pop3_get(struct source *s, const struct pop3_plan *plan,
    const struct source_sink *sink, struct err *e)
{
	enum rc rc = RC_OK;
	size_t sent = 0;

	for (size_t i = 0; rc == RC_OK && i < plan->n; i++) {
		rc = ask(s->impl, "RETR", plan, window_of(s), i, &sent, e);
		if (rc == RC_OK)
			rc = retrieve(s, *plan->ids[i], sink, e);
	}
	return rc;
}

static enum rc
fetch(struct source *s, const struct bytes *ids, size_t n,
    const struct source_sink *sink, struct err *e)
{
	struct pop3 *p = s->impl;
	struct pop3_plan plan;
	enum rc rc = pop3_plan_new(n, &plan, e);

	p->talk.why = WHY_LOCAL;	/* until the server shows otherwise */
	if (rc == RC_OK && (rc = learn(s, e)) == RC_OK) {
		idtable_by_id(&p->table);
		rc = choose(s, ids, n, sink, &plan, e);
	}
	if (rc == RC_OK)
		rc = pop3_get(s, &plan, sink, e);
	pop3_plan_free(&plan);
	return said(s, rc);
}

/* ${*end}: what has become of those that are marked. */
static enum rc
quit(struct pop3 *p, enum source_done *end, struct err *e)
{
	enum pop3_status st;
	struct bytes line;
	enum rc rc;

	*end = SOURCE_PENDING;
	/* Words that nobody asked for would be taken for the answer. */
	if (p->talk.at != p->talk.len)
		return pop3_talk_odd(&p->talk, e);
	if ((rc = pop3_talk_cmd(&p->talk, "QUIT", e)) == RC_NOMEM)
		return rc;	/* never said */
	/* RFC 1939 6: without +OK, some of them may be gone, or none. */
	*end = SOURCE_UNSURE;
	if (rc != RC_OK ||
	    (rc = pop3_talk_status(&p->talk, &st, &line, e)) != RC_OK)
		return rc;
	if (st == POP3_OK)
		*end = SOURCE_RELEASED;
	return RC_OK;
}

/* DELE for each; ${marked}: the server agreed. */
static enum rc
mark(struct source *s, const struct pop3_plan *plan, bool *marked,
    struct err *e)
{
	struct pop3 *p = s->impl;
	size_t sent = 0;
	enum rc rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && i < plan->n; i++) {
		enum pop3_status st;
		struct bytes line;

		rc = ask(p, "DELE", plan, window_of(s), i, &sent, e);
		if (rc == RC_OK)
			rc = pop3_talk_status(&p->talk, &st, &line, e);
		marked[i] = rc == RC_OK && st == POP3_OK;
	}
	return rc;
}

/* What is to be deleted, once: identical copies have one name, and go
 * together. */
static enum rc
choose_all(struct pop3 *p, const struct bytes *ids, size_t n,
    enum source_done *done, struct pop3_plan *plan, struct err *e)
{
	enum rc rc = pop3_plan_new(p->table.n + 1, plan, e);

	for (size_t i = 0; rc == RC_OK && i < n; i++) {
		long at = idtable_find(&p->table, ids[i]);
		size_t run = at < 0 ? 0 : idtable_run(&p->table, (size_t)at);

		if (run == 0)
			done[i] = SOURCE_RELEASED;
		for (size_t k = 0; k < run; k++) {
			uint32_t *number =
			    &p->table.rows[(size_t)at + k].number;

			if (*number == 0)
				continue;	/* an id given again */
			plan->ids[plan->n] = &ids[i];
			plan->numbers[plan->n++] = *number;
			*number = 0;
		}
	}
	return rc;
}

static enum rc
delete(struct source *s, const struct bytes *ids, size_t n,
    enum source_done *done, struct err *e)
{
	struct pop3_plan plan = { NULL, NULL, 0 };
	struct pop3 *p = s->impl;
	enum source_done end = SOURCE_PENDING;
	bool *marked = NULL;
	enum rc rc;

	if ((rc = learn(s, e)) == RC_OK) {
		idtable_by_id(&p->table);
		rc = choose_all(p, ids, n, done, &plan, e);
	}
	if (rc == RC_OK &&
	    (marked = calloc(plan.n + 1, sizeof(*marked))) == NULL)
		rc = err_nomem(e);
	if (rc == RC_OK && (rc = mark(s, &plan, marked, e)) == RC_OK)
		rc = quit(p, &end, e);
	for (size_t i = 0; end != SOURCE_PENDING && i < plan.n; i++)
		done[plan.ids[i] - ids] = end;
	for (size_t i = 0; end != SOURCE_PENDING && i < plan.n; i++)
		if (!marked[i])
			done[plan.ids[i] - ids] = SOURCE_PENDING;
	if (rc == RC_OK && end != SOURCE_RELEASED)
		rc = err_set(e, RC_TEMP, _("%s: it did not confirm the "
		    "deletions; they will be asked for again"),
		    p->talk.link.server->host);
	pop3_plan_free(&plan);
	free(marked);
	return rc;
}

static enum rc
release(struct source *s, const struct bytes *ids, size_t n,
    enum conf_after after, const char *folder, enum source_done *done,
    struct err *e)
{
	enum rc rc;

	(void)folder;
	if (after == CONF_AFTER_MOVE)
		return err_set(e, RC_CONF, _("POP3 has no folders to move a "
		    "message to; write after = delete or keep"));
	rc = said(s, delete(s, ids, n, done, e));
	s->dead = true;
	return rc;
}

static void
refresh(struct source *s)
{
	const struct pop3 *p = s->impl;

	s->info.in = stream_in(p->talk.link.stream);
	s->info.out = stream_out(p->talk.link.stream);
}

static void
finish(struct source *s)
{
	struct pop3 *p = s->impl;
	struct err ignored = ERR_INIT;
	enum source_done end;

	if (p == NULL)
		return;
	if (p->in && !s->dead) {
		stream_hurry(p->talk.link.stream, QUIT_S);
		(void)quit(p, &end, &ignored);
	}
	link_free(&p->talk.link);
	idtable_free(&p->table);
	free(p->talk.room);
	free(p);
}

const struct source_ops source_pop3 = {
	.set_up = set_up, .open = start, .list = list, .fetch = fetch,
	.release = release, .info = refresh, .close = finish
};
