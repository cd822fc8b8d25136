/*
 * What one sceau seals another opens: any mail, with any acknowledgements,
 * direct or through the association's gateway, comes out as it went in; cut at
 * any place it does not, nor with one bit changed.
 */
/* links: vault base */
#include "config.h"

#include "gates.h"

static const char head[] = "From: labo.central@labo.example\r\n\r\n";

struct letter {
	struct gate_ack	acks[4];
	size_t		nacks;
	struct buf	mail;
	bool		via_hub;
};

static void
compose(struct letter *l, struct fuzz *f)
{
	static const uint8_t states[] = { GATE_ACK_RECEIVED, GATE_ACK_OPENED,
	    GATE_ACK_REFUSED, GATE_ACK_DAMAGED };
	uint8_t how = fuzz_8(f);

	memset(l, 0, sizeof(*l));
	l->nacks = how % 5;
	l->via_hub = (how & 8) != 0;
	for (size_t i = 0; i < l->nacks; i++) {
		l->acks[i].state = states[fuzz_8(f) % 4];
		l->acks[i].at = fuzz_8(f) * (int64_t)NOW;
		memset(l->acks[i].t, fuzz_8(f), GATE_T_BYTES);
		memset(l->acks[i].d, fuzz_8(f), GATE_D_BYTES);
	}
	BUG_ON(!buf_adds(&l->mail, head));
	/* Some inputs are repeated, to pass the limits of chunks. */
	for (int n = how & 16 ? 200 : 1; n > 0 && l->mail.len < 150000; n--)
		BUG_ON(!buf_add(&l->mail, f->p, f->left));
}

static void
seal(struct gate *labo, const struct letter *l, size_t step, struct buf *out)
{
	const struct gate_resolve_args who = { .who = l->via_hub ? A_PETIT :
	    A_MARTIN, .now = NOW };
	struct gate_dest dest;
	struct gate_seal_args args = { .dest = &dest, .at = NOW,
	    .acks = l->acks, .nacks = l->nacks, .has_mail = true,
	    .mail_len = l->mail.len };
	const struct gate_sink sink = { fuzz_sink, out };
	struct gate_seal *s;
	struct err e = ERR_INIT;
	uint8_t t[GATE_T_BYTES];

	BUG_ON(gate_resolve(labo, &who, &dest, &e) != RC_OK);
	BUG_ON(dest.via_hub != l->via_hub);
	kdf_hash_of(l->mail.p, l->mail.len, args.d);
	BUG_ON(gate_seal_begin(labo, &args, out, t, &s, &e) != RC_OK);
	for (size_t i = 0; i < l->mail.len; i += step)
		BUG_ON(gate_seal_mail(s, l->mail.p + i, l->mail.len - i <
		    step ? l->mail.len - i : step, &sink, &e) != RC_OK);
	BUG_ON(gate_seal_end(s, &sink, &e) != RC_OK);
	gate_seal_free(&s);
}

static void
check_opened(struct gate *g, const struct letter *l, const struct buf *env)
{
	struct fuzz_rows none = { .n = 0 };
	struct fuzz_opened x;

	gate_forget(g);
	fuzz_open(g, &none, GATE_RELAY, env, 5000, &x);
	BUG_ON(x.rc != RC_OK || x.mail.len != l->mail.len ||
	    memcmp(x.mail.p, l->mail.p, l->mail.len) != 0);
	BUG_ON(x.v.nacks != l->nacks || x.v.nroutes != l->via_hub);
	for (size_t i = 0; i < l->nacks; i++)
		BUG_ON(x.v.acks[i].state != l->acks[i].state ||
		    x.v.acks[i].at != l->acks[i].at ||
		    memcmp(x.v.acks[i].t, l->acks[i].t, GATE_T_BYTES) != 0 ||
		    memcmp(x.v.acks[i].d, l->acks[i].d, GATE_D_BYTES) != 0);
	fuzz_opened_free(&x);
}

/* Cut there, or with that bit changed. */
static void
check_damaged(struct gate *g, struct buf *env, size_t at, uint8_t bit)
{
	struct fuzz_rows none = { .n = 0 };
	struct fuzz_opened x;
	struct buf cut = { env->p, at, env->cap };

	gate_forget(g);
	fuzz_open(g, &none, GATE_RELAY, &cut, 5000, &x);
	BUG_ON(x.rc == RC_OK);
	fuzz_opened_free(&x);
	env->p[at] ^= (uint8_t)(1U << bit % 8);
	gate_forget(g);
	fuzz_open(g, &none, GATE_RELAY, env, 5000, &x);
	BUG_ON(x.rc == RC_OK);
	fuzz_opened_free(&x);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	static struct gate *labo, *martin, *hub;
	struct fuzz f = { p, len };
	struct buf env = BUF_INIT;
	struct gate *g;
	struct letter l;
	size_t at = (size_t)fuzz_8(&f) << 16;

	if (labo == NULL) {
		fuzz_start();
		labo = fuzz_gate(A_LABO);
		martin = fuzz_gate(A_MARTIN);
		hub = fuzz_gate(A_HUB);
	}
	at |= (size_t)fuzz_8(&f) << 8;
	at |= fuzz_8(&f);
	compose(&l, &f);
	seal(labo, &l, 1 + at % 70000, &env);
	g = l.via_hub ? hub : martin;
	check_opened(g, &l, &env);
	check_damaged(g, &env, at % env.len, (uint8_t)at);
	buf_free(&l.mail);
	buf_free(&env);
	return 0;
}
