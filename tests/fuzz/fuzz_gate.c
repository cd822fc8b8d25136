/*
 * Any payload under a right T, from every kind of author, through the whole
 * door of the vault: the same verdict whole or in pieces; what an author
 * may not say is never taken, by a second and simpler reading of PROTOCOL
 * 2.5; nothing comes out of what is refused that was not a mail by its author;
 * and what was learnt can be learnt again without harm.
 */
/* links: vault base */
#include "config.h"

#include "gates.h"

#define LABO_2 "demo/labo.central@labo.example#2"
#define STRANGER "demo/zoe@stranger.example#1"

static const char *const authors[] = { A_LABO, A_ISSUER, A_WATCH, A_HUB,
    LABO_2, A_PETIT, STRANGER, A_DURAND };

/* Types that this author may never send in mail, to nobody. */
static bool
is_forbidden(const char *author, uint8_t type)
{
	switch (type) {
	case REC_SELF:
	case REC_ROLE:
		return true;
	case REC_BULLETIN:
		return strcmp(author, A_WATCH) != 0;
	case REC_BAR:
		return strcmp(author, A_WATCH) != 0 &&
		    strcmp(author, A_ISSUER) != 0;
	case REC_ENTRY:
	case REC_DENY:
		return strcmp(author, A_ISSUER) != 0;
	case REC_RELAYED:
	case REC_RELAYED_ACK:
		return strcmp(author, A_HUB) != 0;
	default:
		return false;
	}
}

static void
check_authority(const char *author, bool at_hub, const uint8_t *p, size_t len)
{
	struct rd rd = rd_of(p, len);
	uint8_t type;

	while ((type = rd_8(&rd)) != REC_END && type != REC_MAIL && !rd.bad) {
		struct bytes v = rd_take(&rd, rd_32(&rd));

		BUG_ON(is_forbidden(author, type));
		BUG_ON(!at_hub && (type == REC_ROUTE || type == REC_ASK));
		BUG_ON(type == REC_GRANT && strcmp(author, A_ISSUER) != 0 &&
		    (v.len < 34 || !bytes_eqs((struct bytes){ v.p + 34,
		    v.len - 34 }, author)));
	}
}

/* Whoever looks at it: it is a mail, from its author. */
static void
check_mail(const struct fuzz_opened *x, enum gate_mode mode)
{
	static const char field[] = "X-Sceau: sender=";

	if (mode == GATE_DELIVER && x->mail.len > 0)
		BUG_ON(x->mail.len < sizeof(field) ||
		    memcmp(x->mail.p, field, sizeof(field) - 1) != 0);
	BUG_ON(mode == GATE_DIGEST && x->mail.len > 0);
	if (x->rc == RC_OK && mode == GATE_RELAY)
		BUG_ON(x->mail.len != x->v.mail_len);
	if (x->rc == RC_OK && x->v.has_mail && !x->v.relayed)
		BUG_ON(strcmp(x->v.author, x->head.sender) != 0);
}

static void
check_same(const struct fuzz_opened *a, const struct fuzz_opened *b)
{
	BUG_ON(a->rc != b->rc || a->v.class != b->v.class ||
	    a->v.has_mail != b->v.has_mail || a->v.flags != b->v.flags ||
	    a->v.nrows != b->v.nrows || a->v.nacks != b->v.nacks ||
	    a->v.nroutes != b->v.nroutes ||
	    memcmp(a->v.d, b->v.d, sizeof(a->v.d)) != 0);
	BUG_ON(a->rc == RC_OK && (a->mail.len != b->mail.len ||
	    (a->mail.len > 0 &&
	    memcmp(a->mail.p, b->mail.p, a->mail.len) != 0)));
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	static struct gate *martin, *hub;
	static struct fuzz_rows rows;
	struct env_head h = { .source = ENV_CHANNEL, .year = A_YEAR };
	struct fuzz f = { p, len };
	uint8_t how = fuzz_8(&f), key[KDF_KEY_BYTES];
	const char *author = authors[how & 7];
	bool at_hub = (how & 8) != 0 && strcmp(author, A_HUB) != 0;
	enum gate_mode mode = (enum gate_mode)(how >> 4 & 3);
	struct gate *g;
	struct fuzz_opened a, b;
	struct buf env = BUF_INIT;

	if (martin == NULL) {
		fuzz_start();
		martin = fuzz_gate(A_MARTIN);
		hub = fuzz_gate(A_HUB);
	}
	g = at_hub ? hub : martin;
	h.from = assoc_id(author);
	h.to = assoc_id(at_hub ? A_HUB : A_MARTIN);
	assoc_channel(author, h.to.s, A_YEAR, key);
	fuzz_seal(&h, key, f.p, f.left, (how & 0x40) == 0, &env);
	gate_forget(g);
	fuzz_open(g, &rows, mode, &env, env.len, &a);
	gate_forget(g);
	fuzz_open(g, &rows, mode, &env, 97, &b);
	check_same(&a, &b);
	check_mail(&a, mode);
	if (a.rc == RC_OK) {
		check_authority(author, at_hub, f.p, f.left);
		fuzz_rows_commit(&rows, &a.v);
		fuzz_opened_free(&b);
		gate_forget(g);
		fuzz_open(g, &rows, mode, &env, env.len, &b);
		BUG_ON(b.rc != RC_OK && b.v.class != EC_BARRED);
		BUG_ON(b.rc == RC_OK && b.v.nrows != 0);
	}
	fuzz_opened_free(&a);
	fuzz_opened_free(&b);
	fuzz_rows_free(&rows);
	buf_free(&env);
	return 0;
}
