/*
 * seal and open as filters: no configuration, no store, any octets.  There is
 * nobody to keep the keys from but the message: once all of it is at hand, the
 * command becomes the vault, and can open nothing any more.
 */
#include "config.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/lang.h"
#include "flow/filter.h"
#include "flow/spool.h"

#define FILTER_MAX UINT32_MAX	/* 4 GiB (2.19.15) */
#define HELD_MAX ((size_t)4 << 20)	/* as much is kept in memory */
#define MAC_BYTES 16
/* A whole part of an envelope (PROTOCOL 2.4) is opened where it was read. */
#define READ_BYTES ((size_t)64 * 1024 + MAC_BYTES)

/* Each run of ${fd} goes to ${take}; it may be a secret. */
static enum rc
each_run(int fd, const char *what, const struct gate_sink *take,
    struct err *e)
{
	uint8_t *p = malloc(READ_BYTES);
	enum rc rc = RC_OK;
	ssize_t n;

	if (p == NULL)
		return err_set(e, RC_NOMEM, _("no memory left"));
	while (rc == RC_OK && (n = read_full(fd, p, READ_BYTES)) != 0)
		rc = n < 0 ? err_sys(e, "%s", what) :
		    take->put(take->arg, p, (size_t)n, e);
	wipe(p, READ_BYTES);
	free(p);
	return rc;
}

/* At most HELD_MAX octets of ${fd} into ${b}; ${all}: that was all of it. */
static enum rc
hold(int fd, const char *what, struct buf *b, bool *all, struct err *e)
{
	size_t room = READ_BYTES;
	ssize_t n;

	*all = false;
	while (!*all && b->len < HELD_MAX) {
		if (!buf_reserve(b, room))
			return err_set(e, RC_NOMEM, _("no memory left"));
		/* Only what is full grows: pages not touched cost nothing. */
		room = b->cap - b->len;
		if (room > HELD_MAX - b->len)
			room = HELD_MAX - b->len;
		if ((n = read_full(fd, b->p + b->len, room)) < 0)
			return err_sys(e, "%s", what);
		b->len += (size_t)n;
		*all = (size_t)n < room;
		room = 1;
	}
	return RC_OK;
}

/* The standard output, or another descriptor. */
struct out {
	int		 fd;
	const char	*what;
};

static enum rc
out_put(void *arg, const void *p, size_t len, struct err *e)
{
	const struct out *x = arg;

	return write_all(x->fd, p, len) ? RC_OK : err_sys(e, "%s", x->what);
}

/* ---- seal ----------------------------------------------------------- */

/* What is to be sealed is read twice, for D stands before it. */
struct twice {
	int		 fd;
	off_t		 at;		/* where it begins in a file */
	struct buf	 held;		/* of a pipe: all, or its beginning */
	struct spool	 spool;		/* of a long pipe; else seal NULL */
	bool		 sure;		/* nobody can have changed it since */
	struct gate_sum	*sum;
};

static enum rc
take_put(void *arg, const void *p, size_t len, struct err *e)
{
	struct twice *in = arg;

	gate_sum_add(in->sum, p, len);
	return in->spool.seal == NULL ? RC_OK :
	    spool_put(&in->spool, p, len, e);
}

/* A file is there to be read again, and whether it changes is looked at. */
static bool
is_file(struct twice *in)
{
	struct stat st;

	return fstat(in->fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    (in->at = lseek(in->fd, 0, SEEK_CUR)) >= 0;
}

static enum rc
take_rest(struct twice *in, const char *tmp, struct err *e)
{
	const struct gate_sink sink = { take_put, in };
	enum rc rc;

	if (in->sure && (rc = spool_open(&in->spool, tmp, e)) != RC_OK)
		return rc;
	if (in->held.len > 0 && (rc = spool_put(&in->spool, in->held.p,
	    in->held.len, e)) != RC_OK)
		return rc;
	buf_free(&in->held);
	rc = each_run(in->fd, _("standard input"), &sink, e);
	return rc == RC_OK && in->sure ? spool_turn(&in->spool, e) : rc;
}

static enum rc
take(struct twice *in, const char *tmp, struct err *e)
{
	bool all = false;
	enum rc rc = RC_OK;

	if ((in->sum = gate_sum_new()) == NULL)
		return err_set(e, RC_NOMEM, _("no memory left"));
	in->sure = !is_file(in);
	if (in->sure)
		rc = hold(in->fd, _("standard input"), &in->held, &all, e);
	gate_sum_add(in->sum, in->held.p, in->held.len);
	if (rc == RC_OK && !all)
		rc = take_rest(in, tmp, e);
	if (rc == RC_OK && gate_sum_len(in->sum) > FILTER_MAX)
		rc = err_class(e, EC_TOOBIG, _("more than 4 GiB"));
	return rc;
}

/* A file that has changed has another D: gate_seal_end() finds it. */
static enum rc
take_again(struct twice *in, const struct gate_sink *sink, struct err *e)
{
	if (in->spool.seal != NULL)
		return spool_read(&in->spool, sink, e);
	if (in->sure)
		return sink->put(sink->arg, in->held.p, in->held.len, e);
	if (lseek(in->fd, in->at, SEEK_SET) != in->at)
		return err_sys(e, "%s", _("standard input"));
	return each_run(in->fd, _("standard input"), sink, e);
}

struct sealing {
	struct gate_seal	*seal;
	const struct gate_sink	*out;
};

static enum rc
seal_put(void *arg, const void *p, size_t len, struct err *e)
{
	struct sealing *x = arg;

	return gate_seal_mail(x->seal, p, len, x->out, e);
}

static enum rc
seal_run(struct gate *g, struct twice *in, const char *to,
    const struct gate_sink *out, struct err *e)
{
	struct gate_resolve_args whom = { .who = to };
	struct gate_dest dest;
	struct gate_seal_args args = { .dest = &dest, .has_mail = true };
	struct sealing x = { NULL, out };
	const struct gate_sink sink = { seal_put, &x };
	struct buf header = BUF_INIT;
	uint8_t t[GATE_T_BYTES];
	enum rc rc;

	if ((rc = gate_resolve(g, &whom, &dest, e)) != RC_OK)
		return rc;
	args.mail_len = gate_sum_len(in->sum);
	args.d_sure = in->sure;
	gate_sum_end(in->sum, args.d);
	if ((rc = gate_seal_begin(g, &args, &header, t, &x.seal, e)) == RC_OK)
		rc = out->put(out->arg, header.p, header.len, e);
	if (rc == RC_OK)
		rc = take_again(in, &sink, e);
	if (rc == RC_OK)
		rc = gate_seal_end(x.seal, out, e);
	gate_seal_free(&x.seal);
	buf_free(&header);
	return rc;
}

enum rc
filter_seal(const struct pass *p, const char *to, int in, int out,
    const char *tmp, struct err *e)
{
	struct twice mail = { .fd = in, .held = BUF_INIT,
	    .spool = { .fd = -1 } };
	struct out to_out = { out, _("standard output") };
	const struct gate_sink sink = { out_put, &to_out };
	struct gate *g = NULL;
	enum rc rc;

	signal(SIGPIPE, SIG_IGN);
	rc = take(&mail, tmp, e);
	if (rc == RC_OK && (rc = vault_enter(p, &g, e)) == RC_OK)
		rc = seal_run(g, &mail, to, &sink, e);
	gate_free(&g);
	buf_free(&mail.held);
	spool_close(&mail.spool);
	gate_sum_free(&mail.sum);
	return rc;
}

/* ---- open ----------------------------------------------------------- */

/* A sealed message: all of it held, or in a nameless file. */
struct sealed {
	struct buf	held;
	int		file;		/* -1: held */
};

/* What comes from the pipe is sealed: it may lie in a file. */
static enum rc
take_sealed(struct sealed *s, int in, const char *tmp, struct err *e)
{
	struct out to = { -1, _("the temporary file") };
	const struct gate_sink sink = { out_put, &to };
	bool all;
	enum rc rc = hold(in, _("standard input"), &s->held, &all, e);

	if (rc != RC_OK || all)
		return rc;
	if ((rc = spool_file(tmp, &s->file, e)) != RC_OK)
		return rc;
	to.fd = s->file;
	rc = out_put(&to, s->held.p, s->held.len, e);
	buf_free(&s->held);
	if (rc == RC_OK)
		rc = each_run(in, _("standard input"), &sink, e);
	return rc;
}

struct opening {
	struct gate_open	*open;
	const struct gate_sink	*out;
};

static enum rc
open_put(void *arg, const void *p, size_t len, struct err *e)
{
	struct opening *x = arg;

	return gate_open_body(x->open, p, len, x->out, e);
}

static enum rc
open_head(struct gate *g, const struct sealed *s, struct gate_head *h,
    struct gate_open **o, struct err *e)
{
	const struct gate_open_args args = { .mode = GATE_RAW };
	uint8_t first[GATE_HEADER_MAX];
	ssize_t n;
	enum rc rc;

	if (s->file < 0)
		return gate_open_begin(g, &args, s->held.p, s->held.len, h, o,
		    e);
	if (lseek(s->file, 0, SEEK_SET) != 0 ||
	    (n = read_full(s->file, first, sizeof(first))) < 0)
		return err_sys(e, _("the temporary file"));
	rc = gate_open_begin(g, &args, first, (size_t)n, h, o, e);
	return rc == RC_OK && lseek(s->file, (off_t)h->len, SEEK_SET) < 0 ?
	    err_sys(e, _("the temporary file")) : rc;
}

static enum rc
open_run(struct gate *g, const struct sealed *s, const struct gate_sink *out,
    struct gate_head *h, struct gate_verdict *v, struct err *e)
{
	struct opening x = { NULL, out };
	const struct gate_sink sink = { open_put, &x };
	struct err why = ERR_INIT;
	enum rc rc = open_head(g, s, h, &x.open, e);

	if (rc == RC_OK)
		rc = s->file < 0 ? open_put(&x, s->held.p + h->len,
		    s->held.len - h->len, e) :
		    each_run(s->file, _("the temporary file"), &sink, e);
	/* The verdict is of the whole, whatever was found in a part. */
	if (rc == RC_OK)
		rc = gate_open_end(x.open, out, v, e);
	else if (x.open != NULL)
		(void)gate_open_end(x.open, out, v, &why);
	gate_open_free(&x.open);
	return rc;
}

static enum rc
plain_put(void *arg, const void *p, size_t len, struct err *e)
{
	return buf_add(arg, p, len) ? RC_OK :
	    err_set(e, RC_NOMEM, _("no memory left"));
}

/* What is held is opened once: it goes out when all of it is good. */
static enum rc
open_held(struct gate *g, const struct sealed *s, const struct gate_sink *out,
    struct gate_head *h, struct gate_verdict *v, struct err *e)
{
	struct buf plain = BUF_INIT;
	const struct gate_sink sink = { plain_put, &plain };
	enum rc rc = RC_OK;

	if (!buf_reserve(&plain, s->held.len))
		rc = err_set(e, RC_NOMEM, _("no memory left"));
	if (rc == RC_OK && (rc = open_run(g, s, &sink, h, v, e)) == RC_OK)
		rc = out->put(out->arg, plain.p, plain.len, e);
	buf_free(&plain);
	return rc;
}

/* The rest is opened twice; the second judges by what was known before the
 * first. */
static enum rc
open_twice(struct gate *g, const struct sealed *s,
    const struct gate_sink *out, struct gate_head *h, struct gate_verdict *v,
    struct err *e)
{
	enum rc rc = open_run(g, s, &gate_nowhere, h, v, e);

	if (rc != RC_OK)
		return rc;
	gate_forget(g);
	return open_run(g, s, out, h, v, e);
}

enum rc
filter_open(const struct pass *p, int in, int out, const char *tmp,
    struct gate_head *head, struct gate_verdict *v, struct err *e)
{
	struct out to_out = { out, _("standard output") };
	const struct gate_sink sink = { out_put, &to_out };
	struct sealed s = { BUF_INIT, -1 };
	struct gate *g = NULL;
	enum rc rc;

	memset(v, 0, sizeof(*v));
	memset(head, 0, sizeof(*head));
	signal(SIGPIPE, SIG_IGN);
	if ((rc = take_sealed(&s, in, tmp, e)) == RC_OK &&
	    (rc = vault_enter(p, &g, e)) == RC_OK)
		rc = s.file < 0 ? open_held(g, &s, &sink, head, v, e) :
		    open_twice(g, &s, &sink, head, v, e);
	gate_free(&g);
	buf_free(&s.held);
	if (s.file >= 0)
		close(s.file);
	return rc;
}
