/*
 * What one message costs inside the vault: sealed by one gate, opened by
 * another, each as a pass does it (D before, the mail in a sink, one batch of
 * 256 for one gate_forget()), without processes, files and rows.
 * Usage: gate STORE STORE TO OCTETS ROUNDS; each store's machine key lies
 * beside it.  Prints the processor's seconds of one sealing and of one
 * opening; a first round, which makes room for everything, is not counted.
 */
#include "config.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "vault/gate.h"

#define BATCH 256
#define LARGE (1 << 20)	/* one at a time */
#define HEAD "From: labo.central@labo.example\r\n" \
	"To: dr.martin@cabinet.example\r\nSubject: INR\r\n\r\n"

static struct err e = ERR_INIT;

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void
must(enum rc rc, const char *what)
{
	if (rc == RC_OK)
		return;
	fprintf(stderr, "%s: %s\n", what, e.text);
	exit(1);
}

static enum rc
into(void *arg, const void *p, size_t len, struct err *error)
{
	(void)error;
	return buf_add(arg, p, len) ? RC_OK : RC_NOMEM;
}

/* What a large mail goes to when nobody reads it: only its length counts. */
static enum rc
past(void *arg, const void *p, size_t len, struct err *error)
{
	(void)p;
	(void)error;
	*(size_t *)arg += len;
	return RC_OK;
}

static struct gate *
gate_of(const char *store)
{
	struct gate *g;
	char key[4096];

	snprintf(key, sizeof(key), "%s.key", store);
	must(gate_new(store, key, NULL, &g, &e), store);
	return g;
}

static void
seal(struct gate *g, const struct gate_dest *to, const struct buf *mail,
    struct buf *out)
{
	const struct gate_sink sink = { into, out };
	struct gate_seal_args args = { .dest = to, .has_mail = true,
	    .mail_len = mail->len, .d_sure = true };
	struct gate_sum *sum = gate_sum_new();
	uint8_t t[GATE_T_BYTES];
	struct gate_seal *s;

	must(sum == NULL ? RC_NOMEM : RC_OK, "gate_sum_new");
	gate_sum_add(sum, mail->p, mail->len);
	gate_sum_end(sum, args.d);
	gate_sum_free(&sum);
	must(gate_seal_begin(g, &args, out, t, &s, &e), "gate_seal_begin");
	must(gate_seal_mail(s, mail->p, mail->len, &sink, &e), "seal_mail");
	must(gate_seal_end(s, &sink, &e), "gate_seal_end");
	gate_seal_free(&s);
}

static void
open_one(struct gate *g, const struct buf *env, struct gate_sink sink)
{
	const struct gate_open_args args = { .mode = GATE_DELIVER };
	struct gate_verdict v;
	struct gate_head head;
	struct gate_open *o;

	must(gate_open_begin(g, &args, env->p, env->len, &head, &o, &e),
	    "gate_open_begin");
	must(gate_open_body(o, env->p + head.len, env->len - head.len, &sink,
	    &e), "gate_open_body");
	must(gate_open_end(o, &sink, &v, &e), "gate_open_end");
	gate_open_free(&o);
}

/* The mail is all that came out, behind one field of ours. */
static void
check(const struct buf *mail, const struct buf *out)
{
	if (out->len > mail->len && memcmp(out->p + out->len - mail->len,
	    mail->p, mail->len) == 0)
		return;
	fprintf(stderr, "another mail came out\n");
	exit(1);
}

static struct buf
mail_of(size_t octets)
{
	struct buf mail = BUF_INIT;
	bool ok = buf_add(&mail, HEAD, strlen(HEAD));

	while (ok && mail.len + 2 < octets)
		ok = buf_add(&mail, mail.len % 72 < 70 ? "x" : "\r\n",
		    mail.len % 72 < 70 ? 1 : 2);
	must(ok && buf_add(&mail, "\r\n", 2) ? RC_OK : RC_NOMEM, "mail");
	return mail;
}

/* One round: a batch is sealed, then opened; its seconds are added. */
static void
turn(struct gate *from, struct gate *to, const struct gate_dest *dest,
    const struct buf *mail, struct buf *env, size_t n, double took[2])
{
	const bool look = took[0] == 0 || mail->len < LARGE;
	static struct buf out;
	size_t passed = 0;
	double begun = now();

	for (size_t k = 0; k < n; k++)
		seal(from, dest, mail, &env[k]);
	gate_forget(from);
	took[0] += now() - begun;
	begun = now();
	for (size_t k = 0; k < n; k++) {
		buf_wipe(&out);
		open_one(to, &env[k], look ? (struct gate_sink){ into, &out } :
		    (struct gate_sink){ past, &passed });
	}
	gate_forget(to);
	took[1] += now() - begun;
	must(look || passed > mail->len ? RC_OK : RC_INPUT, "less came out");
	if (look)
		check(mail, &out);
}

static void
measure(struct gate *from, struct gate *to, const struct gate_dest *dest,
    const struct buf *mail, long rounds)
{
	const size_t n = mail->len < LARGE ? BATCH : 1;
	double took[2] = { 0, 0 }, first[2];
	struct buf env[BATCH] = { BUF_INIT };

	turn(from, to, dest, mail, env, n, took);
	memcpy(first, took, sizeof(first));
	for (long i = 0; i < rounds; i++)
		turn(from, to, dest, mail, env, n, took);
	printf("%.9f %.9f\n", (took[0] - first[0]) / (double)rounds / (double)n,
	    (took[1] - first[1]) / (double)rounds / (double)n);
	for (size_t k = 0; k < n; k++)
		buf_free(&env[k]);
}

int
main(int argc, char **argv)
{
	struct gate *from, *to;
	struct gate_dest dest;
	struct buf mail;

	if (argc != 6 || sodium_init() < 0 || atol(argv[5]) < 1)
		return 1;
	from = gate_of(argv[1]);
	to = gate_of(argv[2]);
	must(gate_resolve(from, &(struct gate_resolve_args){ .who = argv[3] },
	    &dest, &e), "gate_resolve");
	mail = mail_of(strtoul(argv[4], NULL, 10));
	measure(from, to, &dest, &mail, atol(argv[5]));
	buf_free(&mail);
	gate_free(&from);
	gate_free(&to);
	return 0;
}
