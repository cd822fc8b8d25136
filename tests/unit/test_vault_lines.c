/*
 * What a keeper or a clerk in a stranger's hands can do to the process that
 * holds the keys: end it, and nothing else.  Each order is given whole, cut,
 * longer and as all ones; it ends in good order, or goes on.
 */
#include "config.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lines.h"

#include "flow/pass.h"
#include "flow/sealing.h"

static const char file[] = TEST_SRCDIR "/keys/demo/labo.central.store";
static char store[sizeof(file)], key[sizeof(file) + sizeof(".key")];
static struct conf conf = { .keystore = store, .keystore_key = key };
static const struct pass pass = { .conf = &conf };

struct vault {
	pid_t		pid;
	struct chan	keeper, rows, clerk, composer;	/* the others' ends */
};

static void
vault_begin(struct vault *v)
{
	struct pass_ends x = { CHAN_INIT, CHAN_INIT, CHAN_INIT, CHAN_INIT,
	    CHAN_INIT, CHAN_INIT };
	struct err e = ERR_INIT;
	enum rc rc;

	line(&v->keeper, &x.keeper);
	line(&v->rows, &x.rows);
	line(&v->clerk, &x.clerk);
	line(&v->composer, &x.composer);
	v->keeper.max = CHAN_VERDICT_BYTES;
	if ((v->pid = fork()) == 0) {
		chan_close(&v->keeper);
		chan_close(&v->rows);
		chan_close(&v->clerk);
		chan_close(&v->composer);
		(void)!freopen("/dev/null", "w", stderr);
		rc = vault_main(&pass, &x, &e);
		ipc_done(&x.keeper, rc, &e);
		_exit(rc_exit(rc));
	}
	T_CHECK(v->pid > 0);
	chan_close(&x.keeper);
	chan_close(&x.rows);
	chan_close(&x.clerk);
	chan_close(&x.composer);
}

/* No row is there, and whatever it asks the others for is nothing. */
static void
attend(struct vault *v)
{
	struct pollfd p[3] = { { v->keeper.fd, POLLIN, 0 },
	    { v->rows.fd, POLLIN, 0 }, { v->composer.fd, POLLIN, 0 } };
	struct err e = ERR_INIT;
	struct frame f;

	while (poll(p, 3, 20000) > 0) {
		if (p[1].revents != 0) {
			if (chan_recv(&v->rows, &f, &e) != RC_OK)
				return;
			(void)chan_send(&v->rows, IPC_ROW, 0, NULL, 0, &e);
		} else if (p[2].revents != 0) {
			if (chan_recv(&v->composer, &f, &e) != RC_OK)
				return;
			(void)chan_send(&v->composer, IPC_PUSHED, 0, "x", 1,
			    &e);
		} else if (chan_recv(&v->keeper, &f, &e) != RC_OK ||
		    f.type == IPC_DONE) {
			return;
		}
	}
	fail_msg("it says nothing");
}

/* The line is cut behind what was sent; how it ends. */
static void
vault_end(struct vault *v, const char *what, unsigned n)
{
	int status;

	(void)shutdown(v->keeper.fd, SHUT_WR);
	attend(v);
	chan_close(&v->keeper);
	chan_close(&v->rows);
	chan_close(&v->clerk);
	chan_close(&v->composer);
	T_CHECK(waitpid(v->pid, &status, 0) == v->pid);
	if (!WIFEXITED(status))
		fail_msg("%s %u: signal %d", what, n, WTERMSIG(status));
	if (WEXITSTATUS(status) != 0 && WEXITSTATUS(status) != 75)
		fail_msg("%s %u: exit %d", what, n, WEXITSTATUS(status));
}

static void
order(const char *what, uint8_t type, const void *p, size_t len)
{
	struct err e = ERR_INIT;
	struct vault v;

	vault_begin(&v);
	/* What can be cut off while it is sent may be. */
	(void)chan_send(&v.keeper, type, 1, p, len, &e);
	vault_end(&v, what, type);
}

static void
test_every_order_of_few_octets(void **state)
{
	static const uint8_t ones[8] = { 255, 255, 255, 255, 255, 255, 255,
		255 };

	(void)state;
	for (unsigned type = 0; type < 256; type++) {
		if (type > IPC_SUBMITTED + 2 && type != 255)
			continue;
		order("nothing", (uint8_t)type, NULL, 0);
		order("zero", (uint8_t)type, "\0", 1);
		order("ones", (uint8_t)type, ones, sizeof(ones));
	}
}

/* Whole, cut, longer, all ones. */
static void
in_each_way(const char *what, uint8_t type, const struct buf *whole)
{
	struct buf b = BUF_INIT;

	order(what, type, whole->p, whole->len);
	for (size_t cut = 1; cut < whole->len; cut += 1 + whole->len / 9)
		order(what, type, whole->p, whole->len - cut);
	T_CHECK(buf_add(&b, whole->p, whole->len) && buf_add8(&b, 0));
	order(what, type, b.p, b.len);
	memset(b.p, 0xff, b.len);
	order(what, type, b.p, b.len);
	order(what, type, b.p, whole->len);
	memset(b.p, 'x', b.len);
	order(what, type, b.p, whole->len);
	buf_free(&b);
}

static void
test_orders_with_much_in_them(void **state)
{
	static struct gate_ack acks[2];
	char routes[2][GATE_ID_BYTES] = { "demo/a@b.example",
		"demo/c@d.example" };
	struct flow_seal s = { .acks = acks, .nacks = 2,
	    .relayed_acks = acks, .nrelayed_acks = 1, .routes = routes,
	    .nroutes = 2, .has_mail = true, .mail_len = 3 };
	struct buf b = BUF_INIT;

	(void)state;
	snprintf(s.dest.own, sizeof(s.dest.own),
	    "demo/labo.central@labo.example#1");
	snprintf(s.dest.to, sizeof(s.dest.to),
	    "demo/dr.martin@cabinet.example#1");
	s.dest.year = 2026;
	T_CHECK(seal_pack(&b, &s));
	in_each_way("seal", IPC_SEAL, &b);
	buf_wipe(&b);
	T_CHECK(buf_add8(&b, 0) && pack_str(&b, "") &&
	    pack_str(&b, "dr.martin@cabinet.example"));
	in_each_way("resolve", IPC_RESOLVE, &b);
	buf_wipe(&b);
	T_CHECK(buf_add8(&b, 0) && buf_adds(&b, "SCEAU"));
	while (b.len < 400)
		T_CHECK(buf_add8(&b, 1));
	in_each_way("open", IPC_OPEN, &b);
	buf_wipe(&b);
	T_CHECK(buf_add64(&b, 0) && pack_str(&b, ""));
	in_each_way("member", IPC_MEMBER, &b);
	buf_wipe(&b);
	T_CHECK(buf_add8(&b, 1));
	for (int i = 0; i < 20; i++)
		T_CHECK(pack_str(&b, "demo/a@b.example") && buf_add8(&b, 2));
	in_each_way("bar list", IPC_BAR_LIST, &b);
	buf_wipe(&b);
	T_CHECK(buf_add8(&b, 2) && pack_str(&b, "demo/a@b.example"));
	in_each_way("bar", IPC_BAR, &b);
	buf_wipe(&b);
	T_CHECK(buf_add32(&b, 7) && buf_add64(&b, 1800000000));
	in_each_way("issued", IPC_ISSUED, &b);
	buf_wipe(&b);
	T_CHECK(buf_add64(&b, 1800000000));
	in_each_way("restored", IPC_RESTORED, &b);
	buf_free(&b);
}

/* Another order than what it asked for, on each of its lines. */
static void
test_answers_to_nothing(void **state)
{
	static const uint8_t types[] = { IPC_ROW_GET, IPC_PUSH, IPC_REPORTS,
		IPC_OPEN, 0, 255 };
	struct err e = ERR_INIT;
	struct buf b = BUF_INIT;
	struct vault v;

	(void)state;
	T_CHECK(buf_add8(&b, 0) && pack_str(&b, "") &&
	    pack_str(&b, "dr.martin@cabinet.example"));
	for (unsigned i = 0; i < sizeof(types); i++) {
		vault_begin(&v);
		(void)chan_send(&v.rows, types[i], 0, "xyz", 3, &e);
		(void)chan_send(&v.keeper, IPC_RESOLVE, 1, b.p, b.len, &e);
		vault_end(&v, "rows", i);
		vault_begin(&v);
		(void)chan_send(&v.composer, types[i], 0, "xyz", 3, &e);
		(void)chan_send(&v.keeper, IPC_DIGEST, 1, NULL, 0, &e);
		vault_end(&v, "composer", i);
	}
	buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_order_of_few_octets),
		cmocka_unit_test(test_orders_with_much_in_them),
		cmocka_unit_test(test_answers_to_nothing),
	};
	struct err e = ERR_INIT;

	snprintf(store, sizeof(store), "%s", file);
	snprintf(key, sizeof(key), "%s.key", file);
	(void)signal(SIGPIPE, SIG_IGN);
	if (secret_init(&e) != RC_OK)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
