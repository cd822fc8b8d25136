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
#define READ_BYTES ((size_t)64 * 1024)

/* Each 64 KiB of ${fd} go to ${take}; they may be a secret. */
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
	struct spool	 spool;		/* of a pipe; else seal NULL */
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

static enum rc
take(struct twice *in, const char *tmp, struct err *e)
{
	const struct gate_sink sink = { take_put, in };
	struct stat st;
	enum rc rc = RC_OK;

	if ((in->sum = gate_sum_new()) == NULL)
		return err_set(e, RC_NOMEM, _("no memory left"));
	if (fstat(in->fd, &st) != 0 || !S_ISREG(st.st_mode) ||
	    (in->at = lseek(in->fd, 0, SEEK_CUR)) < 0)
		rc = spool_open(&in->spool, tmp, e);
	if (rc == RC_OK)
		rc = each_run(in->fd, _("standard input"), &sink, e);
	if (rc == RC_OK && in->spool.seal != NULL)
		rc = spool_turn(&in->spool, e);
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
	struct twice mail = { .fd = in, .spool = { .fd = -1 } };
	struct out to_out = { out, _("standard output") };
	const struct gate_sink sink = { out_put, &to_out };
	struct gate *g = NULL;
	enum rc rc;

	signal(SIGPIPE, SIG_IGN);
	rc = take(&mail, tmp, e);
	if (rc == RC_OK && (rc = vault_enter(p, &g, e)) == RC_OK)
		rc = seal_run(g, &mail, to, &sink, e);
	gate_free(&g);
	spool_close(&mail.spool);
	gate_sum_free(&mail.sum);
	return rc;
}

/* ---- open ----------------------------------------------------------- */

/* What comes from the pipe is sealed: it may lie in a file. */
static enum rc
take_sealed(int in, int file, struct err *e)
{
	struct out to = { file, _("the temporary file") };
	const struct gate_sink sink = { out_put, &to };

	return each_run(in, _("standard input"), &sink, e);
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
open_head(struct gate *g, int file, struct gate_head *h,
    struct gate_open **o, struct err *e)
{
	const struct gate_open_args args = { .mode = GATE_RAW };
	uint8_t first[GATE_HEADER_MAX];
	ssize_t n;
	enum rc rc;

	if (lseek(file, 0, SEEK_SET) != 0 ||
	    (n = read_full(file, first, sizeof(first))) < 0)
		return err_sys(e, _("the temporary file"));
	rc = gate_open_begin(g, &args, first, (size_t)n, h, o, e);
	return rc == RC_OK && lseek(file, (off_t)h->len, SEEK_SET) < 0 ?
	    err_sys(e, _("the temporary file")) : rc;
}

static enum rc
open_run(struct gate *g, int file, const struct gate_sink *out,
    struct gate_head *h, struct gate_verdict *v, struct err *e)
{
	struct opening x = { NULL, out };
	const struct gate_sink sink = { open_put, &x };
	struct err why = ERR_INIT;
	enum rc rc = open_head(g, file, h, &x.open, e);

	if (rc == RC_OK)
		rc = each_run(file, _("the temporary file"), &sink, e);
	/* The verdict is of the whole, whatever was found in a part. */
	if (rc == RC_OK)
		rc = gate_open_end(x.open, out, v, e);
	else if (x.open != NULL)
		(void)gate_open_end(x.open, out, v, &why);
	gate_open_free(&x.open);
	return rc;
}

enum rc
filter_open(const struct pass *p, int in, int out, const char *tmp,
    struct gate_head *head, struct gate_verdict *v, struct err *e)
{
	struct out to_out = { out, _("standard output") };
	const struct gate_sink sink = { out_put, &to_out };
	struct gate *g = NULL;
	int file = -1;
	enum rc rc;

	memset(v, 0, sizeof(*v));
	memset(head, 0, sizeof(*head));
	signal(SIGPIPE, SIG_IGN);
	if ((rc = spool_file(tmp, &file, e)) == RC_OK)
		rc = take_sealed(in, file, e);
	if (rc == RC_OK && (rc = vault_enter(p, &g, e)) == RC_OK &&
	    (rc = open_run(g, file, &gate_nowhere, head, v, e)) == RC_OK) {
		/* The second judges by what was known before the first. */
		gate_forget(g);
		rc = open_run(g, file, &sink, head, v, e);
	}
	gate_free(&g);
	if (file >= 0)
		close(file);
	return rc;
}
