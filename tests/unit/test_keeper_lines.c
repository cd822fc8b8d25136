/*
 * What a fetch or relay process in a stranger's hands can do to the keeper:
 * end its own session, and nothing else.
 */
#include "config.h"

#include <sys/wait.h>

#include "flow/outgoing.h"
#include "store_unit.h"

static char name_a[] = "a", name_b[] = "b";
static struct conf_account accounts[] = {
	{ .name = name_a, .protocol = CONF_IMAP, .every_s = 300 },
	{ .name = name_b, .protocol = CONF_IMAP, .every_s = 300 },
};
static struct conf_relay relays[] = { { .name = name_a } };
static struct conf conf = { .accounts = accounts, .naccounts = 2,
    .relays = relays, .nrelays = 1, .parallel = 2 };
static const struct pass pass = { .conf = &conf };

struct bench {
	struct pass_ends ends;
	struct keeper	 k;
	struct chan	 child[3];	/* of two accounts and the relay */
};

static void
plug(struct line *l, struct chan *child)
{
	struct err e = ERR_INIT;
	int fd[2];

	T_RC(chan_pair(fd, &e), RC_OK);
	chan_init(child, fd[0]);
	chan_init(&l->c, fd[1]);
	T_RC(chan_nonblock(&l->c, &e), RC_OK);
	l->open = l->asked = true;
}

static void
bench_open(struct bench *b, struct world *w)
{
	memset(b, 0, sizeof(*b));
	b->ends.starter = (struct chan)CHAN_INIT;
	b->k.p = &pass;
	b->k.x = &b->ends;
	b->k.st = w->st;
	b->k.vault.c = b->k.clerk.c = b->k.rows.c = (struct chan)CHAN_INIT;
	OK(w, accounts_new(&b->k, &w->e));
	OK(w, relays_new(&b->k, &w->e));
	for (size_t i = 0; i < 2; i++) {
		plug(&b->k.accounts[i].line, &b->child[i]);
		b->k.accounts[i].state = AC_ASKED;
	}
	plug(relays_line(&b->k, 0), &b->child[2]);
}

static void
bench_close(struct bench *b)
{
	for (size_t i = 0; i < 3; i++)
		chan_close(&b->child[i]);
	accounts_free(&b->k);
	relays_free(&b->k);
}

static void
say(struct bench *b, size_t who, uint8_t type, const char *p, size_t len)
{
	struct err e = ERR_INIT;

	T_RC(chan_send(&b->child[who], type, 0, p, len, &e), RC_OK);
}

/* Account 0 says it, account 1 goes on: the keeper has ended only one. */
static void
refused(struct world *w, enum account_state state, uint8_t type,
    const char *p, size_t len)
{
	struct bench b;

	bench_open(&b, w);
	b.k.accounts[0].state = state;
	say(&b, 0, type, p, len);
	say(&b, 1, IPC_UP, NULL, 0);
	OK(w, keeper_turn(&b.k, 0, &w->e));
	assert_int_equal(b.k.accounts[0].state, AC_DONE);
	T_CHECK(!b.k.accounts[0].line.open);
	T_RC(b.k.accounts[0].line.rc, RC_TEMP);
	T_CHECK(strstr(b.k.accounts[0].line.err.text,
	    "sent what it should not") != NULL);
	assert_int_equal(b.k.accounts[1].state, AC_LISTING);
	T_CHECK(b.k.exit != 0);
	bench_close(&b);
}

static void
test_only_answers_are_taken(void **state)
{
	static const uint8_t answers[] = { IPC_UP, IPC_LIST, IPC_LISTED,
	    IPC_BEGIN, IPC_BODY, IPC_END, IPC_FETCHED, IPC_RELEASED,
	    IPC_WAITED };

	for (int s = AC_ASKED; s <= AC_LEAVING; s++)
		for (size_t i = 0; i < sizeof(answers); i++) {
			bool due = (s == AC_ASKED && i == 0) ||
			    (s == AC_LISTING && (i == 1 || i == 2)) ||
			    (s == AC_FETCHING && i >= 3 && i <= 6) ||
			    (s == AC_RELEASING && i == 7) ||
			    ((s == AC_WAITING || s == AC_LEAVING) && i == 8);

			if (!due)
				refused(*state, (enum account_state)s,
				    answers[i], NULL, 0);
		}
}

static void
test_frames_of_others_are_refused(void **state)
{
	for (int type = 0; type < 256; type++)
		if ((type < IPC_LIST || type > IPC_WAITED) &&
		    type != IPC_DONE && type != IPC_WHY)
			refused(*state, AC_LISTING, (uint8_t)type, "x", 1);
}

static void
test_malformed_lists_are_refused(void **state)
{
	char long_id[12 + 256] = "\0\0\0\0\0\0\0\1\0\0\1\0";

	refused(*state, AC_LISTING, IPC_LIST, "\0\0\0", 3);
	refused(*state, AC_LISTING, IPC_LIST, "\0\0\0\0\0\0\0\1\0\0\0\0", 12);
	refused(*state, AC_LISTING, IPC_LIST,
	    "\0\0\0\0\0\0\0\1\xff\xff\xff\xff", 12);
	refused(*state, AC_LISTING, IPC_LIST, long_id, sizeof(long_id));
	refused(*state, AC_LISTING, IPC_LISTED, NULL, 0);
	refused(*state, AC_LISTING, IPC_LISTED, "\0\0\0\0\0\0\0", 7);
	refused(*state, AC_LISTING, IPC_LISTED, "\0\0\0\0\0\0\0\0\0", 9);
	refused(*state, AC_LISTING, IPC_LISTED, "\0\0\0\1\0\0\0\0", 8);
	refused(*state, AC_FETCHING, IPC_END, "\0\0\0\0\0", 5);
	refused(*state, AC_RELEASING, IPC_RELEASED, "\0\0\0\0\1u", 6);
}

/* Said once, and known until the next session: keys wait for what is not
 * given. */
static void
test_what_is_listed_without_a_name_is_said(void **state)
{
	struct world *w = *state;
	struct account *a;
	struct bench b;

	bench_open(&b, w);
	a = &b.k.accounts[0];
	say(&b, 0, IPC_UP, NULL, 0);
	OK(w, keeper_turn(&b.k, 0, &w->e));
	say(&b, 0, IPC_LISTED, "\0\0\0\0\0\0\0\3", 8);
	OK(w, keeper_turn(&b.k, 0, &w->e));
	assert_int_equal(a->state, AC_FETCHED);
	assert_int_equal(b.k.exit, 0);
	for (int i = 0; i < 2; i++) {
		account_refused(&b.k, a);
		assert_int_equal(b.k.exit, 75);
		assert_int_equal(a->refused, 3);
		b.k.exit = i == 0 ? 75 : 0;
	}
	account_refused(&b.k, a);
	assert_int_equal(b.k.exit, 0);
	bench_close(&b);
}

static void
test_a_frame_too_long_ends_its_line(void **state)
{
	static const char head[CHAN_HEAD_BYTES] = "\x7f\xff\xff\xff";
	struct world *w = *state;
	struct bench b;

	bench_open(&b, w);
	T_CHECK(write(b.child[0].fd, head, sizeof(head)) == sizeof(head));
	say(&b, 1, IPC_UP, NULL, 0);
	OK(w, keeper_turn(&b.k, 0, &w->e));
	assert_int_equal(b.k.accounts[0].state, AC_DONE);
	T_RC(b.k.accounts[0].line.rc, RC_TEMP);
	assert_int_equal(b.k.accounts[1].state, AC_LISTING);
	bench_close(&b);
}

/* ---- octets of a body -------------------------------------------------- */

static uint8_t octets[CHAN_MAX_BYTES];

/* More than a socket takes at once: a process of its own says it. */
static pid_t
say_large(struct bench *b, struct chan *c, uint8_t type, uint32_t job,
    size_t len)
{
	struct err e = ERR_INIT;
	pid_t pid = fork();

	if (pid == 0) {
		for (size_t i = 0; i < 2; i++)
			close(b->k.accounts[i].line.c.fd);
		close(b->k.vault.c.fd);
		_exit(chan_send(c, type, job, octets, len, &e) != RC_OK);
	}
	T_CHECK(pid > 0);
	return pid;
}

static void
said(pid_t pid)
{
	int status;

	T_CHECK(waitpid(pid, &status, 0) == pid);
	T_CHECK(WIFEXITED(status));
}

/* What account 0 gathers after ${before} octets and then ${len} in one frame;
 * no more: it was refused, and account 1 went on. */
static void
body(struct world *w, enum account_state state, size_t before, size_t len)
{
	bool good = len <= CHAN_DATA_BYTES;
	struct account *a;
	struct bench b;
	pid_t pid;

	bench_open(&b, w);
	a = &b.k.accounts[0];
	a->state = state;
	a->raw_job = 1;
	if (before > 0)
		say(&b, 0, IPC_BODY, (const char *)octets, before);
	pid = say_large(&b, &b.child[0], IPC_BODY, 0, len);
	chan_close(&b.child[0]);
	while (a->line.open)
		OK(w, keeper_turn(&b.k, 1000, &w->e));
	said(pid);
	assert_int_equal(a->state, AC_DONE);
	T_RC(a->line.rc, RC_TEMP);
	T_CHECK((strstr(a->line.err.text, "sent what it should not") ==
	    NULL) == good);
	say(&b, 1, IPC_UP, NULL, 0);
	OK(w, keeper_turn(&b.k, 1000, &w->e));
	assert_int_equal(b.k.accounts[1].state, AC_LISTING);
	bench_close(&b);
}

/* No part of the store may come to hold more than it can, and none nothing:
 * an abort of the keeper ends all. */
static void
test_a_body_comes_in_small_frames(void **state)
{
	static const enum account_state states[] = { AC_FETCHING,
	    AC_UNSEALED };
	static const size_t sizes[] = { 0, 1, CHAN_DATA_BYTES,
	    CHAN_DATA_BYTES + 1, STORE_PART_MAX_BYTES,
	    STORE_PART_MAX_BYTES + 1, CHAN_MAX_BYTES };

	for (size_t s = 0; s < 2; s++)
		for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
			body(*state, states[s], 0, sizes[i]);
			body(*state, states[s], 1, sizes[i]);
		}
}

/* A mail of nothing is kept like any other: what it is the vault will say. */
static void
test_a_body_of_nothing_is_kept(void **state)
{
	struct world *w = *state;
	struct bench b;

	bench_open(&b, w);
	say(&b, 0, IPC_UP, NULL, 0);
	say(&b, 0, IPC_LIST, "\0\0\0\0\0\0\0\1\0\0\0\1u", 13);
	say(&b, 0, IPC_LISTED, "\0\0\0\0\0\0\0\0", 8);
	say(&b, 0, IPC_BEGIN, NULL, 0);
	say(&b, 0, IPC_BODY, NULL, 0);
	say(&b, 0, IPC_END, "\0\0\0\0\1u\0\0\0\0\0\0\0\0\0\0\0\0",
	    18);
	say(&b, 0, IPC_FETCHED, NULL, 0);
	OK(w, keeper_turn(&b.k, 0, &w->e));
	assert_int_equal(b.k.accounts[0].state, AC_FETCHED);
	T_RC(b.k.accounts[0].line.rc, RC_OK);
	assert_int_equal(sql_number(w, "SELECT count(*) FROM body "
	    "WHERE size = 0"), 1);
	bench_close(&b);
}

/* The vault may give an account of so much at once, but no body: neither
 * behind its header nor as one. */
static void
sealed(struct world *w, size_t header, size_t len)
{
	bool good = header <= CHAN_DATA_BYTES && len <= CHAN_DATA_BYTES;
	struct buf first = BUF_INIT;
	struct outgoing o;
	struct chan vault;
	struct bench b;
	pid_t pid;

	bench_open(&b, w);
	memset(&o, 0, sizeof(o));
	plug(&b.k.vault, &vault);
	b.k.vault.c.max = vault.max = CHAN_VERDICT_BYTES;
	T_CHECK(pack_err(&first, RC_OK, &w->e) &&
	    buf_add(&first, octets, GATE_T_BYTES) &&
	    pack_run(&first, octets, header));
	if ((pid = fork()) == 0) {
		close(b.k.vault.c.fd);
		_exit(chan_send(&vault, IPC_OUT_HEAD, 7, first.p, first.len,
		    &w->e) != RC_OK || chan_send(&vault, IPC_OUT, 7, octets,
		    len, &w->e) != RC_OK || ipc_send(&vault, IPC_OUT_END, 7,
		    &b.k.submission, pack_err(&b.k.submission, RC_OK, &w->e),
		    &w->e) != RC_OK);
	}
	T_CHECK(pid > 0);
	chan_close(&vault);
	T_RC(outgoing_take(&b.k, 7, NULL, &o, &w->e), good ? RC_OK : RC_TEMP);
	T_CHECK(good || (b.k.vault.done && strstr(w->e.text,
	    "sent what it should not") != NULL));
	T_CHECK(!good || o.body.size == header + len);
	w->e = (struct err)ERR_INIT;
	chan_close(&b.k.vault.c);
	said(pid);
	outgoing_free(&b.k, &o);
	buf_free(&first);
	bench_close(&b);
}

static void
test_what_is_sealed_comes_in_small_frames(void **state)
{
	static const size_t sizes[] = { 0, CHAN_DATA_BYTES,
	    CHAN_DATA_BYTES + 1, STORE_PART_MAX_BYTES + 1, CHAN_MAX_BYTES };

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		sealed(*state, sizes[i], 1);
		sealed(*state, 1, sizes[i]);
		sealed(*state, 0, sizes[i]);
	}
}

/* ---- others ------------------------------------------------------------ */

/* A verdict on a mail that it was never given. */
static void
test_a_relay_judges_only_what_it_has(void **state)
{
	static const char sent[] = "\0\0\xfa\0\0\0\0\0\0\0\0";
	struct world *w = *state;
	struct bench b;

	bench_open(&b, w);
	say(&b, 2, IPC_SENT, sent, sizeof(sent) - 1);
	say(&b, 1, IPC_UP, NULL, 0);
	OK(w, keeper_turn(&b.k, 0, &w->e));
	T_CHECK(!relays_line(&b.k, 0)->open);
	T_RC(relays_line(&b.k, 0)->rc, RC_TEMP);
	assert_int_equal(b.k.accounts[1].state, AC_LISTING);
	bench_close(&b);
}

/* The vault asks for a row and gets none: it would wait for ever, and whoever
 * asks it next would wait with it. */
static void
test_nobody_waits_for_a_vault_without_its_row(void **state)
{
	struct world *w = *state;
	struct chan vault, rows;
	struct bench b;
	struct frame f;

	for (int i = 0; i < 2; i++) {
		bench_open(&b, w);
		plug(&b.k.vault, &vault);
		plug(&b.k.rows, &rows);
		/* Of no name; and of one, when the store fails. */
		T_RC(chan_send(&rows, IPC_ROW_GET, 0, "self", i == 0 ? 0 : 4,
		    &w->e), RC_OK);
		if (i == 1)
			sql_do(w, "ALTER TABLE row RENAME TO gone");
		T_RC(keeper_turn(&b.k, 0, &w->e), RC_TEMP);
		T_CHECK(b.k.vault.done);
		T_RC(keeper_wait(&b.k, &b.k.vault, &f, NULL, &w->e), RC_TEMP);
		T_CHECK(w->e.text[0] != '\0');
		rows_forget(&b.k);
		chan_close(&b.k.vault.c);
		chan_close(&b.k.rows.c);
		chan_close(&vault);
		chan_close(&rows);
		bench_close(&b);
	}
}

/* An account's frame that the store fails at, while the vault is waited for:
 * that account was not answered, and nobody may believe that it was. */
static void
test_what_fails_in_a_wait_ends_the_pass(void **state)
{
	struct world *w = *state;
	struct chan vault;
	struct bench b;
	struct frame f;

	bench_open(&b, w);
	plug(&b.k.vault, &vault);
	say(&b, 0, IPC_UP, NULL, 0);
	sql_do(w, "ALTER TABLE account RENAME TO gone");
	T_RC(keeper_wait(&b.k, &b.k.vault, &f, NULL, &w->e), RC_TEMP);
	T_CHECK(!b.k.vault.done);
	w->e = (struct err)ERR_INIT;
	T_RC(keeper_turn(&b.k, 0, &w->e), RC_TEMP);
	T_CHECK(strstr(w->e.text, "store") != NULL);
	chan_close(&b.k.vault.c);
	chan_close(&vault);
	bench_close(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(test_only_answers_are_taken),
		WORLD_TEST(test_frames_of_others_are_refused),
		WORLD_TEST(test_malformed_lists_are_refused),
		WORLD_TEST(test_what_is_listed_without_a_name_is_said),
		WORLD_TEST(test_a_frame_too_long_ends_its_line),
		WORLD_TEST(test_a_body_comes_in_small_frames),
		WORLD_TEST(test_a_body_of_nothing_is_kept),
		WORLD_TEST(test_what_is_sealed_comes_in_small_frames),
		WORLD_TEST(test_a_relay_judges_only_what_it_has),
		WORLD_TEST(test_nobody_waits_for_a_vault_without_its_row),
		WORLD_TEST(test_what_fails_in_a_wait_ends_the_pass),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
