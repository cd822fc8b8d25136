/*
 * engine = sceau: what a relay says, in pieces, to a session with several
 * mails that asks ahead.  A second reader of both sides (replay()) knows which
 * answer is to what: "sent" is a mail of which the dot was given and answered
 * with 2xx, in its turn, by words that came after its content began; each has
 * one verdict, in their order; what may have been taken is never put off as if
 * it had not been given.
 *
 * The input: three octets of settings, then the words; 0x1e ends a piece, which
 * is read at once, 0x1d a connection.
 */
/* links: wire conf mail base */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <sys/socket.h>

#include "fuzz.h"
#include "wire/net.h"

/* In place of the network. */
static enum rc given(const char *host, uint16_t port, int timeout_s, int *fd,
    struct net_peer *peer, struct err *e);
#define net_connect given
#include "wire/relay_smtp.c"
#undef net_connect

#define MAILS 7
#define SIDES 4
#define PIECE_END 0x1e
#define SIDE_END 0x1d
/* Below what one step may read, or a piece would be cut. */
#define SAID_MAX (60 * 1024)

enum { HOW_MAILS = 7, HOW_PASSWORD = 8, HOW_TOKEN = 16, HOW_STARTTLS = 32,
    HOW_SMALL = 64, HOW_LARGE = 128 };
enum { ODD_ADDRESS = 1, ODD_BARE, ODD_SHORT, ODD_READ, ODD_NEXT };

/* One connection, as the relay has it. */
struct side {
	int		fd;
	struct buf	said, heard;
};

struct mail {
	char		from[40], to[40];
	struct buf	text;
	uint64_t	size;
	size_t		at;		/* read so far */
	uint64_t	begun_at;	/* what had come when that began */
	bool		begun;
	unsigned	odd;
};

static struct session {
	struct relay	r;
	struct fuzz	f;
	struct mail	mail[MAILS];
	size_t		n, asked, told;
	struct side	side[SIDES];
	size_t		nsides;
	unsigned	how, ready;
} s;

/* ---- the relay ------------------------------------------------------ */

static void
say(struct side *to, const uint8_t *p, size_t len)
{
	while (len > 0 && to->said.len < SAID_MAX) {
		size_t n = len < SMTP_ROOM_BYTES ? len : SMTP_ROOM_BYTES;

		if (send(to->fd, p, n, MSG_DONTWAIT) != (ssize_t)n)
			return;		/* no more room */
		BUG_ON(!buf_add(&to->said, p, n));
		p += n;
		len -= n;
	}
}

static enum rc
given(const char *host, uint16_t port, int timeout_s, int *fd,
    struct net_peer *peer, struct err *e)
{
	struct side *to = &s.side[s.nsides];
	size_t n = 0;
	int pair[2];

	(void)host;
	(void)port;
	(void)timeout_s;
	if (s.nsides == SIDES || s.f.left == 0)
		return err_set(e, RC_TEMP, "nobody there");
	BUG_ON(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) != 0 ||
	    net_adopt(pair[0], e) != RC_OK);
	s.nsides++;
	*to = (struct side){ pair[1], BUF_INIT, BUF_INIT };
	for (uint8_t c = 0; s.f.left > 0 && c != SIDE_END;) {
		const uint8_t *from = s.f.p;

		for (n = 0; s.f.left > 0; n++)
			if ((c = fuzz_8(&s.f)) == PIECE_END || c == SIDE_END)
				break;
		say(to, from, n);
	}
	shutdown(to->fd, SHUT_WR);
	*peer = (struct net_peer){ "127.0.0.1", 25, true };
	*fd = pair[0];
	return RC_OK;
}

static void
hear(struct side *from)
{
	static uint8_t room[256 * 1024];
	ssize_t n;

	/* Whoever leaves without having read all is an error, once. */
	while ((n = recv(from->fd, room, sizeof(room), MSG_DONTWAIT)) > 0 ||
	    (n < 0 && errno == ECONNRESET))
		BUG_ON(n > 0 && !buf_add(&from->heard, room, (size_t)n));
}

/* Octets of this connection that have come to the engine. */
static uint64_t
come(void)
{
	const struct smtp *x = s.r.engine;

	return x->t.link.stream == NULL ? 0 : stream_in(x->t.link.stream);
}

/* ---- a second reader ------------------------------------------------ */

struct answer {
	size_t	begins, ends;
	int	code;		/* 0: it has not said it */
};

/* Both sides of a connection, read in order. */
struct walk {
	const struct side *side;
	size_t		in, out;	/* read of what was heard, said */
	struct answer	a;		/* to what was read last */
	int		mail;		/* of the transaction; -1: none */
	bool		accepted;	/* its recipient */
	bool		asked;		/* a login goes on */
	bool		login;		/* it has ended well */
};

/* What is looked for, and found. */
struct seen {
	int		mail;
	uint64_t	at;	/* octets of the last connection understood */
	bool		whole;	/* content and dot were given, somewhere */
	/* The answer that ends at ${at}, when it is to something of it: */
	struct answer	a;
	bool		to_dot;
};

/* What bears no code is 1: it is answered, and by nonsense. */
static void
answer(struct walk *w)
{
	const struct buf *said = &w->side->said;
	const char *p = (const char *)said->p;
	size_t at = w->out, n = 0;

	w->a = (struct answer){ at, at, 0 };
	for (bool more = true; more; at += n) {
		const char *lf = at == said->len ? NULL :
		    memchr(p + at, '\n', said->len - at);

		if (lf == NULL)
			return;
		n = (size_t)(lf - p) + 1 - at;
		more = n > 4 && p[at + 3] == '-';
	}
	w->a.ends = w->out = at;
	w->a.code = 1;
	if (n > 4 && p[at - n] >= '2' && p[at - n] <= '5')
		w->a.code = (int)strtol(p + at - n, NULL, 10);
}

static void
about(const struct walk *w, struct seen *v, bool to_dot)
{
	if (w->side != &s.side[s.nsides - 1] || w->mail != v->mail ||
	    w->a.code == 0 || w->a.ends != v->at)
		return;
	v->a = w->a;
	v->to_dot = to_dot;
}

/* The content, to which 354 has led; no more of it than was heard. */
static void
content(struct walk *w, struct seen *v)
{
	const struct buf *heard = &w->side->heard;
	const struct mail *m = &s.mail[w->mail];
	bool begins = true, whole = false;
	size_t at = 0;

	if (w->in == heard->len)
		return;
	BUG_ON(!w->accepted || !m->begun);
	BUG_ON(w->side == &s.side[s.nsides - 1] && m->begun_at < w->a.ends);
	while (w->in < heard->len && !whole) {
		if (begins && heard->p[w->in] == '.') {
			BUG_ON(++w->in == heard->len);
			whole = heard->p[w->in] == '\r';
		}
		if (whole)
			break;
		BUG_ON(at == m->text.len || heard->p[w->in] != m->text.p[at]);
		begins = m->text.p[at++] == '\n';
		w->in++;
	}
	if (!whole)
		return;
	BUG_ON(m->odd != 0 || at != m->text.len);
	BUG_ON(heard->len - w->in < 2 || heard->p[w->in + 1] != '\n');
	w->in += 2;
	v->whole = v->whole || w->mail == v->mail;
	answer(w);
	about(w, v, true);
	w->mail = -1;
	w->accepted = false;
}

static bool
is(struct bytes line, const char *verb)
{
	size_t n = strlen(verb);

	return line.len >= n && memcmp(line.p, verb, n) == 0;
}

/* The mail that an address is of; -1: none. */
static int
mail_of(struct bytes line, const char *before)
{
	size_t n = strlen(before);

	return is(line, before) && line.len > n ? line.p[n] - '0' : -1;
}

/* A command, but for DATA; every line is one, or a word of a login. */
static void
command(struct walk *w, struct bytes line)
{
	bool ours = (s.how & HOW_STARTTLS) == 0;

	if (w->asked)
		return;
	if (is(line, "MAIL ")) {
		BUG_ON(!ours || w->mail >= 0 ||
		    (relay_needs_login(&s.r) && !w->login));
		w->mail = mail_of(line, "MAIL FROM:<s");
		BUG_ON(w->mail < 0 || w->mail >= MAILS ||
		    (size_t)w->mail >= s.asked);
	} else if (is(line, "RCPT ")) {
		BUG_ON(w->mail < 0 ||
		    mail_of(line, "RCPT TO:<r") != w->mail);
		w->accepted = w->a.code / 100 == 2;
	} else if (is(line, "AUTH ")) {
		BUG_ON(!ours || !relay_needs_login(&s.r));
		w->asked = true;
	} else if (is(line, "RSET") || is(line, "EHLO ")) {
		w->mail = -1;
		w->accepted = false;
	} else {
		BUG_ON(!is(line, "DATA") && !is(line, "QUIT") &&
		    !is(line, "STARTTLS"));
	}
}

/* One line of the client's; false: there is no more to be understood. */
static bool
step(struct walk *w, struct seen *v)
{
	const struct buf *heard = &w->side->heard;
	struct bytes line = { NULL, 0 };
	const uint8_t *cr;

	if (w->in == heard->len)
		return false;
	line.p = heard->p + w->in;
	cr = memchr(line.p, '\r', heard->len - w->in);
	BUG_ON(cr == NULL || cr + 1 == heard->p + heard->len || cr[1] != '\n');
	line.len = (size_t)(cr - line.p);
	w->in += line.len + 2;
	answer(w);
	command(w, line);
	about(w, v, false);
	w->login = w->login || (w->asked && w->a.code == 235);
	w->asked = w->asked && w->a.code == 334;
	if (is(line, "DATA") && w->a.code == 354)
		content(w, v);
	/* TLS, which ends badly here. */
	return !is(line, "STARTTLS");
}

static void
replay(struct seen *v)
{
	for (size_t i = 0; i < s.nsides; i++) {
		struct walk w = { .side = &s.side[i], .mail = -1 };

		hear(&s.side[i]);
		answer(&w);		/* the greeting */
		while (step(&w, v))
			;
	}
}

/* ---- the feed ------------------------------------------------------- */

static enum rc
next(void *arg, struct relay_mail *m, bool *more, struct err *e)
{
	const struct mail *mine = &s.mail[s.asked];

	(void)arg;
	BUG_ON(s.asked - s.told > 1);
	*more = s.asked < s.n;
	if (*more && mine->odd == ODD_NEXT)
		return err_set(e, RC_CONF, "there is none");
	if (*more)
		*m = (struct relay_mail){ mine->from, mine->to, mine->size };
	s.asked += *more;
	return RC_OK;
}

static bool
is_ready(void *arg)
{
	(void)arg;
	return ((s.ready >> s.asked) & 1) != 0;
}

static enum rc
give(void *arg, void *p, size_t cap, size_t *len, struct err *e)
{
	const struct smtp *x = s.r.engine;
	struct mail *m = &s.mail[s.asked - 1];
	size_t left = m->text.len - m->at;

	(void)arg;
	BUG_ON(s.asked == 0 || s.asked == s.told);
	BUG_ON(x->t.out.len > 3 * OUT_BYTES);
	hear(&s.side[s.nsides - 1]);
	if (!m->begun)
		m->begun_at = come();
	m->begun = true;
	if (m->odd == ODD_READ && m->at > 0)
		return err_set(e, RC_CONF, "there is no more");
	if ((s.how & HOW_SMALL) != 0 && cap > m->text.len / 16)
		cap = m->text.len / 16;
	*len = left < cap ? left : cap;
	memcpy(p, m->text.p + m->at, *len);
	m->at += *len;
	return RC_OK;
}

static enum rc
done(void *arg, const struct relay_result *res, struct err *e)
{
	const struct smtp *x = s.r.engine;
	const struct mail *m = &s.mail[s.told];
	struct seen v = { .mail = (int)s.told,
	    .at = come() - (x->t.len - x->t.at) };

	(void)arg;
	(void)e;
	BUG_ON(s.told++ == s.asked);
	replay(&v);
	if (res->code == 0) {
		BUG_ON(res->verdict == RELAY_SENT);
		BUG_ON(v.whole && res->verdict != RELAY_UNCERTAIN);
		BUG_ON(res->verdict == RELAY_REFUSED && m->odd == 0);
		return RC_OK;
	}
	BUG_ON(v.a.code != res->code);
	BUG_ON((res->verdict == RELAY_SENT) !=
	    (v.to_dot && res->code / 100 == 2));
	BUG_ON(v.to_dot && v.a.begins < m->begun_at);
	return RC_OK;
}

/* ---- a session ------------------------------------------------------ */

static void
make_mail(struct mail *m, size_t i, unsigned odd)
{
	size_t lines = i == 1 && (s.how & HOW_LARGE) != 0 ? 3000 : 1;

	*m = (struct mail){ .text = BUF_INIT, .odd = odd };
	snprintf(m->from, sizeof(m->from), "s%zu@a.example", i);
	snprintf(m->to, sizeof(m->to), "r%zu@b.example%s", i,
	    odd == ODD_ADDRESS ? " >" : "");
	BUG_ON(!buf_addf(&m->text, "Subject: %zu\r\n\r\n.\r\n", i));
	while (lines-- > 0)
		BUG_ON(!buf_adds(&m->text, ".a dot begins this line\r\n"));
	if (odd == ODD_BARE)
		BUG_ON(!buf_adds(&m->text, "\r\n.\n.\r\n"));
	m->size = m->text.len + (odd == ODD_SHORT);
}

static void
begin(struct conf_relay *conf, const uint8_t *p, size_t len)
{
	struct err e = ERR_INIT;
	unsigned odd;

	memset(&s, 0, sizeof(s));
	s.f = (struct fuzz){ p, len };
	s.how = fuzz_8(&s.f);
	odd = fuzz_8(&s.f);
	s.ready = fuzz_8(&s.f);
	s.n = s.how & HOW_MAILS;
	for (size_t i = 0; i < s.n; i++)
		make_mail(&s.mail[i], i, (odd & 7) == i && odd >> 3 <=
		    ODD_NEXT ? odd >> 3 : 0);
	conf->server.auth = (s.how & HOW_TOKEN) != 0 ? CONF_AUTH_XOAUTH2 :
	    (s.how & HOW_PASSWORD) != 0 ? CONF_AUTH_PASSWORD : CONF_AUTH_NONE;
	s.r = (struct relay){ .conf = conf, .ops = &relay_smtp,
	    .address = { "127.0.0.1" }, .naddresses = 1,
	    .helo = "[127.0.0.1]" };
	BUG_ON(relay_smtp.set_up(&s.r, &e) != RC_OK);
}

/* Certificates are read once. */
static struct tls *
certificates(struct conf_server *server)
{
	static struct tls *tls;
	struct err e = ERR_INIT;

	server->tls = CONF_TLS_STARTTLS;
	BUG_ON(tls == NULL && tls_new(server, 0, &tls, &e) != RC_OK);
	return tls;
}

static void
end(void)
{
	struct smtp *x = s.r.engine;
	struct seen none = { .mail = -2 };

	BUG_ON(s.told != s.asked);
	replay(&none);
	for (size_t i = 0; i < s.nsides; i++) {
		close(s.side[i].fd);
		buf_free(&s.side[i].said);
		buf_free(&s.side[i].heard);
	}
	for (size_t i = 0; i < s.n; i++)
		buf_free(&s.mail[i].text);
	x->t.link.tls = NULL;
	relay_smtp.close(&s.r);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	char host[] = "relay.example", user[] = "user";
	struct conf_relay conf = { .server = { .host = host, .user = user,
	    .tls = CONF_TLS_NONE, .timeout_s = 1 } };
	const struct relay_feed feed = { NULL, next, give, done, is_ready };
	struct secret secret = SECRET_INIT;
	struct err e = ERR_INIT;
	struct smtp *x;

	signal(SIGPIPE, SIG_IGN);
	fuzz_start();
	begin(&conf, p, len);
	x = s.r.engine;
	if ((s.how & HOW_STARTTLS) != 0)
		x->t.link.tls = certificates(&conf.server);
	secret_set(&secret, "secret", 6);
	if (s.n == 0)
		(void)relay_check(&s.r, &secret, &e);
	else
		(void)relay_run(&s.r, &secret, &feed, &e);
	secret_wipe(&secret);
	end();
	return 0;
}
