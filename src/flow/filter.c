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

#include "base/fault.h"
#include "base/file.h"
#include "base/lang.h"
#include "base/lease.h"
#include "flow/filter.h"
#include "flow/spool.h"

#define FILTER_MAX UINT32_MAX	/* 4 GiB (2.19.15) */
#define HELD_MAX ((size_t)4 << 20)	/* as much is kept in memory */
#define MAC_BYTES 16
#define SEAL_BYTES ((size_t)64 * 1024)
/* A whole part of an envelope (PROTOCOL 2.4) is opened where it was read. */
#define READ_BYTES (SEAL_BYTES + MAC_BYTES)

/* What is read to its end. */
struct reading {
	int		 fd;
	const char	*what;
	size_t		 first;		/* of its first run; 0: as next */
	size_t		 next;		/* of the others; READ_BYTES at most */
	bool		 leased;	/* ${fd} is of lease_take() */
};

/* What was read is what stood there when the lease was taken. */
static enum rc
run_put(const struct reading *r, const struct gate_sink *take,
    const uint8_t *p, ssize_t n, struct err *e)
{
	if (n < 0)
		return err_sys(e, "%s", r->what);
	if (r->leased && !lease_kept(r->fd))
		return err_set(e, RC_TEMP, _("%s: somebody has opened it for "
		    "writing meanwhile; try again"), r->what);
	return take->put(take->arg, p, (size_t)n, e);
}

/* Each run of it goes to ${take}; it may be a secret. */
static enum rc
each_run(const struct reading *r, const struct gate_sink *take,
    struct err *e)
{
	size_t want = r->first > 0 ? r->first : r->next;
	uint8_t *p = malloc(READ_BYTES);
	enum rc rc = RC_OK;
	ssize_t n;

	if (p == NULL)
		return err_set(e, RC_NOMEM, _("no memory left"));
	while (rc == RC_OK && (n = read_full(r->fd, p, want)) != 0) {
		rc = run_put(r, take, p, n, e);
		want = r->next;
	}
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
	bool		 file;
	off_t		 at;		/* where it begins in a file */
	int		 lease;		/* of lease_take(), or -1 */
	struct buf	 held;		/* all of it, or its beginning */
	bool		 all;
	struct spool	 spool;		/* of a long pipe; else seal NULL */
	bool		 sure;		/* it is what it was */
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

/* A file is there to be read again. */
static bool
is_file(struct twice *in)
{
	struct stat st;

	return fstat(in->fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    (in->at = lseek(in->fd, 0, SEEK_CUR)) >= 0;
}

/* As it is read now; ${first}: how much at first. */
static struct reading
reading_of(const struct twice *in, size_t first)
{
	return (struct reading){ in->lease >= 0 ? in->lease : in->fd,
	    _("standard input"), first, SEAL_BYTES, false };
}

static enum rc
take_rest(struct twice *in, const char *tmp, struct err *e)
{
	const struct reading from = reading_of(in, 0);
	const struct gate_sink sink = { take_put, in };
	enum rc rc = RC_OK;

	if (!in->file && (rc = spool_open(&in->spool, tmp, e)) == RC_OK)
		rc = spool_put(&in->spool, in->held.p, in->held.len, e);
	buf_free(&in->held);
	if (rc == RC_OK)
		rc = each_run(&from, &sink, e);
	return rc == RC_OK && !in->file ? spool_turn(&in->spool, e) : rc;
}

/* Whoever waits for the file may have it: what is sealed is hashed again. */
static void
give_up(struct twice *in)
{
	if (in->lease >= 0)
		close(in->lease);
	in->lease = -1;
	buf_free(&in->held);
	in->all = false;
}

static enum rc
take(struct twice *in, const char *tmp, struct err *e)
{
	off_t left = 0;
	enum rc rc = RC_OK;

	if ((in->sum = gate_sum_new()) == NULL)
		return err_set(e, RC_NOMEM, _("no memory left"));
	in->file = is_file(in);
	in->lease = in->file ? lease_take(in->fd, &left) : -1;
	if (!in->file || (in->lease >= 0 && left < (off_t)HELD_MAX))
		rc = hold(in->lease >= 0 ? in->lease : in->fd,
		    _("standard input"), &in->held, &in->all, e);
	gate_sum_add(in->sum, in->held.p, in->held.len);
	if (rc == RC_OK && !in->all)
		rc = take_rest(in, tmp, e);
	in->sure = !in->file || (in->lease >= 0 && lease_kept(in->lease));
	if (!in->sure)
		give_up(in);
	if (rc == RC_OK && gate_sum_len(in->sum) > FILTER_MAX)
		rc = err_class(e, EC_TOOBIG, _("more than 4 GiB"));
	return rc;
}

/* A file that has changed has lost its lease; without one it has another D,
 * and gate_seal_end() finds it. */
static enum rc
take_again(struct twice *in, size_t first, const struct gate_sink *sink,
    struct err *e)
{
	struct reading from = reading_of(in, first);

	if (in->spool.seal != NULL)
		return spool_read(&in->spool, sink, e);
	if (in->all)
		return sink->put(sink->arg, in->held.p, in->held.len, e);
	from.leased = in->lease >= 0;
	if (lseek(from.fd, in->at, SEEK_SET) != in->at)
		return err_sys(e, "%s", from.what);
	return each_run(&from, sink, e);
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
		rc = take_again(in, gate_seal_room(x.seal), &sink, e);
	FAULT("filter.sealed");
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
	struct twice mail = { .fd = in, .lease = -1, .held = BUF_INIT,
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
	give_up(&mail);
	spool_close(&mail.spool);
	gate_sum_free(&mail.sum);
	return rc;
}

/* ---- open ----------------------------------------------------------- */

/* A sealed message: all of it held, or in a file: the one that was given, if
 * nobody changes it, or a nameless one. */
struct sealed {
	struct buf	held;
	int		file;		/* -1: held */
	off_t		at;		/* where it begins there */
	bool		leased;
};

/* A file that is too long to be held. */
static bool
take_leased(struct sealed *s, int in)
{
	off_t left;
	int own = lease_take(in, &left);

	if (own >= 0 && left <= (off_t)HELD_MAX) {
		close(own);
		return false;
	}
	s->file = own;
	s->leased = own >= 0;
	s->at = s->leased ? lseek(own, 0, SEEK_CUR) : 0;
	return s->leased;
}

/* What comes from the pipe is sealed: it may lie in a file. */
static enum rc
take_sealed(struct sealed *s, int in, const char *tmp, struct err *e)
{
	struct out to = { -1, _("the temporary file") };
	const struct gate_sink sink = { out_put, &to };
	const struct reading from = { in, _("standard input"), 0, READ_BYTES,
	    false };
	bool all;
	enum rc rc;

	if (take_leased(s, in))
		return RC_OK;
	rc = hold(in, from.what, &s->held, &all, e);
	if (rc != RC_OK || all)
		return rc;
	if ((rc = spool_file(tmp, &s->file, e)) != RC_OK)
		return rc;
	to.fd = s->file;
	rc = out_put(&to, s->held.p, s->held.len, e);
	buf_free(&s->held);
	if (rc == RC_OK)
		rc = each_run(&from, &sink, e);
	return rc;
}

struct opening {
	enum gate_mode		 mode;
	struct gate_open	*open;
	const struct gate_sink	*out;
};

static enum rc
open_put(void *arg, const void *p, size_t len, struct err *e)
{
	struct opening *x = arg;

	return gate_open_body(x->open, p, len, x->out, e);
}

static const char *
sealed_name(const struct sealed *s)
{
	return s->leased ? _("standard input") : _("the temporary file");
}

static enum rc
open_head(struct gate *g, const struct sealed *s, struct gate_head *h,
    struct opening *x, struct err *e)
{
	const struct gate_open_args args = { .mode = x->mode };
	uint8_t first[GATE_HEADER_MAX];
	ssize_t n;
	enum rc rc;

	if (s->file < 0)
		return gate_open_begin(g, &args, s->held.p, s->held.len, h,
		    &x->open, e);
	if (lseek(s->file, s->at, SEEK_SET) != s->at ||
	    (n = read_full(s->file, first, sizeof(first))) < 0)
		return err_sys(e, "%s", sealed_name(s));
	rc = gate_open_begin(g, &args, first, (size_t)n, h, &x->open, e);
	return rc == RC_OK && lseek(s->file, s->at + (off_t)h->len,
	    SEEK_SET) < 0 ? err_sys(e, "%s", sealed_name(s)) : rc;
}

static enum rc
open_run(struct gate *g, const struct sealed *s, const struct gate_sink *out,
    struct gate_head *h, struct gate_verdict *v, struct err *e)
{
	struct opening x = { out == &gate_nowhere ? GATE_LOOK : GATE_RAW,
	    NULL, out };
	const struct reading from = { s->file, sealed_name(s), 0, READ_BYTES,
	    s->leased };
	const struct gate_sink sink = { open_put, &x };
	struct err why = ERR_INIT;
	enum rc rc = open_head(g, s, h, &x, e);

	if (rc == RC_OK)
		rc = s->file < 0 ? open_put(&x, s->held.p + h->len,
		    s->held.len - h->len, e) :
		    each_run(&from, &sink, e);
	FAULT("filter.opened");
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

/* The rest is verified, then opened, by what was known before the first of
 * the two. */
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
	struct sealed s = { .held = BUF_INIT, .file = -1 };
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
