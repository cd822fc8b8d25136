/*
 * What a keeper or a vault in a stranger's hands can do to the clerk, who
 * parses what strangers wrote: end it in good order, and nothing else.
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

static const char mail[] = "X-Sceau: sender=demo/labo@labo.example#1\r\n"
    "From: labo@labo.example\r\nSubject: INR\r\n\r\nINR 2,1\r\n";
static uint8_t token[IPC_TOKEN_BYTES];

static char dir[] = "/tmp/sceau-test-XXXXXX", state_path[64], box[64];
static char name[] = "all";
static struct conf_deliver deliver = { .name = name,
    .kind = CONF_DELIVER_MAILDIR, .path = box };
static struct conf conf = { .delivers = &deliver, .ndelivers = 1,
    .state = state_path };
static const struct pass pass = { .conf = &conf };

struct clerk_end {
	pid_t		pid;
	struct chan	keeper, vault, starter;	/* the others' ends */
};

static void
clerk_begin(struct clerk_end *c)
{
	struct pass_ends x = { CHAN_INIT, CHAN_INIT, CHAN_INIT, CHAN_INIT,
	    CHAN_INIT, CHAN_INIT };
	struct err e = ERR_INIT;
	enum rc rc;

	line(&c->keeper, &x.keeper);
	line(&c->vault, &x.vault);
	line(&c->starter, &x.starter);
	if ((c->pid = fork()) == 0) {
		chan_close(&c->keeper);
		chan_close(&c->vault);
		chan_close(&c->starter);
		(void)!freopen("/dev/null", "w", stderr);
		rc = clerk_main(&pass, &x, &e);
		ipc_done(&x.keeper, rc, &e);
		_exit(rc_exit(rc));
	}
	T_CHECK(c->pid > 0);
	chan_close(&x.keeper);
	chan_close(&x.vault);
	chan_close(&x.starter);
}

/* Both lines are cut behind what was sent; how it ends. */
static void
clerk_end(struct clerk_end *c, const char *what, unsigned n)
{
	struct err e = ERR_INIT;
	struct frame f;
	int status;

	(void)shutdown(c->vault.fd, SHUT_WR);
	(void)shutdown(c->keeper.fd, SHUT_WR);
	while (chan_recv(&c->keeper, &f, &e) == RC_OK && f.type != IPC_DONE)
		;
	chan_close(&c->keeper);
	chan_close(&c->vault);
	chan_close(&c->starter);
	T_CHECK(waitpid(c->pid, &status, 0) == c->pid);
	if (!WIFEXITED(status))
		fail_msg("%s %u: signal %d", what, n, WTERMSIG(status));
	if (WEXITSTATUS(status) != 0 && WEXITSTATUS(status) != 75)
		fail_msg("%s %u: exit %d", what, n, WEXITSTATUS(status));
}

static void
from_vault(struct clerk_end *c, uint8_t type, uint32_t job, const void *p,
    size_t len)
{
	struct err e = ERR_INIT;

	(void)chan_send(&c->vault, type, job, p, len, &e);
}

static void
from_keeper(struct clerk_end *c, uint8_t type, uint32_t job, const void *p,
    size_t len)
{
	struct err e = ERR_INIT;

	(void)chan_send(&c->keeper, type, job, p, len, &e);
}

static void
give(struct clerk_end *c, uint32_t job)
{
	from_vault(c, IPC_MAIL_BEGIN, job, token, sizeof(token));
	from_vault(c, IPC_MAIL, job, mail, sizeof(mail) - 1);
	from_vault(c, IPC_MAIL_END, job, NULL, 0);
}

static void
expect_ready(struct clerk_end *c, uint32_t job)
{
	struct err e = ERR_INIT;
	struct frame f;

	T_RC(chan_recv(&c->keeper, &f, &e), RC_OK);
	assert_int_equal(f.type, IPC_READY);
	assert_int_equal(f.job, job);
}

/* A mail that is ready to be filed, as job 1; until then it is waited for. */
static void
ready(struct clerk_end *c)
{
	give(c, 1);
	expect_ready(c, 1);
}

static void
test_every_order_of_few_octets(void **state)
{
	static const uint8_t ones[IPC_TOKEN_BYTES + 8];
	static const size_t sizes[] = { 0, IPC_TOKEN_BYTES };
	struct clerk_end c;

	(void)state;
	for (unsigned type = 0; type <= IPC_SUBMITTED + 1; type++)
		for (size_t i = 0; i < 2; i++)
			for (uint32_t job = 0; job < 2; job++) {
				clerk_begin(&c);
				from_keeper(&c, (uint8_t)type, job, ones,
				    sizes[i]);
				clerk_end(&c, "keeper", type);
				clerk_begin(&c);
				from_vault(&c, (uint8_t)type, job, ones,
				    sizes[i]);
				clerk_end(&c, "vault", type);
			}
}

/* Of a mail that is ready: each order behind each other one. */
static void
test_orders_about_one_mail(void **state)
{
	static const uint8_t orders[] = { IPC_FILE, IPC_SETTLE, IPC_CANCEL,
		IPC_RAW_END, IPC_UNSEALED };
	static const uint8_t words[] = { IPC_MAIL_BEGIN, IPC_MAIL,
		IPC_MAIL_END, IPC_MAIL_DROP };
	const unsigned n = sizeof(orders), all = n + sizeof(words);
	struct clerk_end c;

	(void)state;
	for (unsigned i = 0; i < all * all; i++) {
		const unsigned said[3] = { i / all, i % all, 1 };

		clerk_begin(&c);
		ready(&c);
		/* The last one files what is left, if anything. */
		for (int k = 0; k < 3; k++)
			if (said[k] < n)
				from_keeper(&c, orders[said[k]], 1, token,
				    orders[said[k]] == IPC_FILE ? 0 :
				    sizeof(token));
			else
				from_vault(&c, words[said[k] - n], 1, token,
				    sizeof(token));
		clerk_end(&c, "orders", i);
	}
}

static void
test_too_many_at_once(void **state)
{
	struct clerk_end c;

	(void)state;
	clerk_begin(&c);
	for (uint32_t job = 1; job < 300; job++)
		from_vault(&c, IPC_MAIL_BEGIN, job, token, sizeof(token));
	clerk_end(&c, "many", 0);
}

/* Those of a batch are to be forgotten, and the first of the next is there
 * before the clerk has read of it. */
static void
test_room_for_the_next_batch(void **state)
{
	struct clerk_end c;

	(void)state;
	clerk_begin(&c);
	for (uint32_t job = 1; job <= 256; job++)
		give(&c, job);
	for (uint32_t job = 1; job <= 256; job++)
		expect_ready(&c, job);
	T_CHECK(kill(c.pid, SIGSTOP) == 0);
	give(&c, 257);
	for (uint32_t job = 1; job <= 256; job++)
		from_keeper(&c, IPC_CANCEL, job, NULL, 0);
	T_CHECK(kill(c.pid, SIGCONT) == 0);
	expect_ready(&c, 257);
	clerk_end(&c, "next", 0);
}

static int
setup(void **state)
{
	(void)state;
	if (mkdtemp(dir) == NULL)
		return -1;
	snprintf(state_path, sizeof(state_path), "%s/state", dir);
	snprintf(box, sizeof(box), "%s/box", dir);
	return 0;
}

static int
teardown(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "exec rm -r '%s'", dir);
	return system(command) == 0 ? 0 : -1;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_order_of_few_octets),
		cmocka_unit_test(test_orders_about_one_mail),
		cmocka_unit_test(test_too_many_at_once),
		cmocka_unit_test(test_room_for_the_next_batch),
	};

	(void)signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, setup, teardown);
}
