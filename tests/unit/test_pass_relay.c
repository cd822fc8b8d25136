/*
 * What a laboratory sends by hand and through a relay, each time with another
 * trouble: a submission is in the queue whole and once, however often it was
 * made; what is said to be sent the relay has taken; nothing stays behind; and
 * what is given up is told once.
 */
#include "config.h"

#include "pass_unit.h"
#include "script.h"

#include "flow/composer.h"

static const char settings[] =
    "route = \"labo@labo.example\"\n"
    "relay \"r\" {\n host = \"127.0.0.1\"\n port = %u\n tls = none\n"
    " auth = none\n}\n"
    "deliver \"box\" {\n kind = maildir\n path = \"@/box\"\n}\n";

static const struct script_row takes_all[] = {
	{ "EHLO", "250-here\r\n250 PIPELINING\r\n", 0 },
	{ "MAIL FROM", "250 ok\r\n", 0 },
	{ "RCPT TO", "250 ok\r\n", 0 },
	{ "DATA", "354 go on\r\n", 0 },
	{ "RSET", "250 ok\r\n", 0 },
	{ "QUIT", "221 bye\r\n", 0 },
	{ ".", "250 taken\r\n", 0 },
	{ NULL, NULL, 0 }
};

static struct member labo;
static struct script relay;
static struct buf heard;
static unsigned base;		/* of its mails, what is not asked for again */

static void
open_labo(uint16_t port)
{
	char text[512];

	snprintf(text, sizeof(text), settings, port);
	member_open(&labo, A_LABO, text);
	base = 0;
	labo.p.kind = PASS_SUBMIT;
}

/* ---- a submission ------------------------------------------------------ */

static enum rc
result(void *ctx, struct rd *r, struct err *e)
{
	struct err why = ERR_INIT;
	bool *promised = ctx;

	*promised = unpack_err(r, &why) == RC_OK && (int64_t)rd_64(r) > 0;
	if (!*promised)
		fprintf(stderr, "%s\n", why.text);
	(void)e;
	return RC_OK;
}

static enum rc
send_it(const struct member *m, struct composer *mail, struct buf *order,
    bool *promised, int *code, struct err *e)
{
	const struct submit_add add = { .date = NOW,
	    .message_id = "x@labo.example", .recipients = true };
	const struct starter_job job = { mail, promised, order,
	    composer_serve, result };
	struct pass p = m->p;
	uint8_t once[GATE_D_BYTES] = { (uint8_t)m->n, (uint8_t)(m->n >> 8) };
	char path[256];
	bool ok;
	int fd;
	enum rc rc;

	p.kind = PASS_SUBMIT;
	path_in(m, "mail", path);
	fd = open(path, O_RDONLY);
	rc = composer_take(mail, fd, m->conf.state, m->conf.max_send, e);
	close(fd);
	if (rc != RC_OK || (rc = composer_ready(mail, &add, e)) != RC_OK)
		return rc;
	ok = buf_add8(order, false) && pack_run(order, once, sizeof(once)) &&
	    pack_str(order, mail->mail.from.s) &&
	    pack_str(order, mail->mail.from.s);
	for (size_t i = 0; ok && i < mail->mail.nrcpts; i++)
		ok = pack_str(order, mail->mail.rcpts[i].s);
	return ok ? starter_run(&p, &job, code, e) : err_nomem(e);
}

static int
send_act(const struct member *m)
{
	struct composer mail = { .spool = { .fd = -1 } };
	struct buf order = BUF_INIT;
	struct err e = ERR_INIT;
	bool promised = false;
	int code = 0;
	enum rc rc = send_it(m, &mail, &order, &promised, &code, &e);

	if (rc != RC_OK)
		fprintf(stderr, "%s\n", e.text);
	composer_free(&mail);
	buf_free(&order);
	if (rc != RC_OK)
		return rc_exit(rc);
	return code == 0 && !promised ? 99 : code;
}

/* To two. */
static void
next_mail(struct member *m)
{
	char mail[256];

	m->n++;
	snprintf(mail, sizeof(mail), "From: labo.central@labo.example\r\n"
	    "To: dr.martin@cabinet.example, infirmiere.petit@petit.example\r\n"
	    "Subject: %u\r\n\r\nMARK-%u.\r\n", m->n, m->n);
	put_file(m, "mail", mail, strlen(mail));
}

static int
undisturbed(int (*act)(const struct member *m))
{
	const struct trouble none = { T_NONE, PART_N, 0, L_N };
	bool fired;

	return act_with(&labo, none, &fired, act);
}

static void
all_in_queue(void)
{
	int64_t n = store_says(&labo, "SELECT count(*) FROM queue");

	if (n != 2 * (labo.n - base))
		fail_msg("%lld in the queue of %u mails", (long long)n,
		    labo.n - base);
}

/* Whatever became of it: made again, under the same name, it is there once. */
static void
each_submission(enum trouble_what what, enum part who, enum lie how, long step)
{
	struct trouble t = { what, who, 0, how };
	bool fired = true;
	long n = 0;

	for (; fired; t.nth += step) {
		int code;

		next_mail(&labo);
		code = act_with(&labo, t, &fired, send_act);
		code_is(&t, code);
		if (code == 0 && what != T_LIE)
			all_in_queue();
		assert_int_equal(undisturbed(send_act), 0);
		all_in_queue();
		n += fired;
	}
	print_message("%d of part %d (%d): %ld\n", what, who, how, n);
	T_CHECK(n > 0 || what == T_SIGNAL);
}

static void
test_submissions(void **state)
{
	static const enum part who[] = { PART_N, PART_KEEPER, PART_VAULT };

	(void)state;
	open_labo(1);
	for (size_t i = 0; i < 3; i++)
		each_submission(T_MEMORY, who[i], L_N, steps(11));
	each_submission(T_CALL, PART_N, L_N, 1);
	each_submission(T_SQL, PART_KEEPER, L_N, steps(11));
	each_submission(T_SIGNAL, PART_N, L_N, 1);
	for (enum lie how = L_EMPTY; how < L_N; how++)
		each_submission(T_LIE, PART_VAULT, how, 1);
	member_close(&labo);
}

/* ---- a relay ----------------------------------------------------------- */

static void
more(struct member *m)
{
	/* As if it were time again. */
	store_do(m, "UPDATE queue SET next_at = 0 WHERE state = 2");
	store_do(m, "DELETE FROM relay");
	next_mail(m);
	assert_int_equal(undisturbed(send_act), 0);
}

/* What was heard until now, with what was heard before. */
static void
hear(void)
{
	static char room[1 << 16];

	while (*script_heard(&relay, room, sizeof(room)) != '\0')
		T_CHECK(buf_adds(&heard, room));
}

static int
relay_act(const struct member *m)
{
	struct pass p = m->p;
	struct err e = ERR_INIT;
	int code;
	enum rc rc;

	p.kind = PASS_POLL;
	rc = starter_run(&p, NULL, &code, &e);
	return rc != RC_OK ? rc_exit(rc) : code;
}

/* Each that is said to be sent has been heard, to its end. */
static void
sent_was_heard(void)
{
	char query[128], id[400];
	sqlite3_stmt *s = NULL;
	sqlite3 *db = NULL;

	hear();
	path_in(&labo, "state/sceau.db", id);
	snprintf(query, sizeof(query), "SELECT CAST(message_id AS TEXT) "
	    "FROM queue WHERE state = 4");
	T_CHECK(sqlite3_open_v2(id, &db, SQLITE_OPEN_READWRITE, NULL) ==
	    SQLITE_OK);
	T_CHECK(sqlite3_prepare_v2(db, query, -1, &s, NULL) == SQLITE_OK);
	while (sqlite3_step(s) == SQLITE_ROW) {
		snprintf(id, sizeof(id), "Message-ID: <%s>",
		    (const char *)sqlite3_column_text(s, 0));
		if (times_in(&heard, id) == 0)
			fail_msg("said to be sent, never heard: %s", id);
	}
	sqlite3_finalize(s);
	sqlite3_close(db);
}

static void
each_relayed(enum trouble_what what, enum part who, enum lie how, long step)
{
	struct trouble t = { what, who, 0, how };
	bool fired = true;
	long n = 0;

	for (; fired; t.nth += step) {
		more(&labo);
		/* What a pipe holds is not much: not too many at once. */
		if (n % 4 == 3)
			(void)undisturbed(relay_act);
		hear();
		code_is(&t, act_with(&labo, t, &fired, relay_act));
		sent_was_heard();
		n += fired;
	}
	for (int i = 0; i < 3; i++) {
		more(&labo);
		(void)undisturbed(relay_act);
		sent_was_heard();
	}
	print_message("%d of part %d (%d): %ld\n", what, who, how, n);
	all_in_queue();
	if (what != T_LIE)
		assert_int_equal(store_says(&labo,
		    "SELECT count(*) FROM queue WHERE state <> 4"), 0);
	/* What a liar has spoilt is not asked for again. */
	store_do(&labo, "DELETE FROM queue");
	base = labo.n;
	buf_wipe(&heard);
}

static void
test_a_relay(void **state)
{
	(void)state;
	script_start(&relay, "220 here\r\n", takes_all);
	open_labo(relay.port);
	each_relayed(T_MEMORY, PART_RELAY, L_N, steps(7));
	each_relayed(T_MEMORY, PART_KEEPER, L_N, steps(17));
	each_relayed(T_SQL, PART_KEEPER, L_N, steps(17));
	each_relayed(T_CALL, PART_KEEPER, L_N, steps(5));
	each_relayed(T_SIGNAL, PART_RELAY, L_N, steps(2));
	each_relayed(T_SIGNAL, PART_KEEPER, L_N, steps(5));
	for (enum lie how = L_EMPTY; how < L_N; how++) {
		each_relayed(T_LIE, PART_RELAY, how, steps(2));
		each_relayed(T_LIE, PART_KEEPER, how, steps(3));
	}
	script_stop(&relay);
	member_close(&labo);
}

/* ---- what is given up -------------------------------------------------- */

/* Two that are too old. */
static void
too_old(struct member *m)
{
	next_mail(m);
	assert_int_equal(undisturbed(send_act), 0);
	store_do(m, "UPDATE queue SET since = since - 30 * 86400 "
	    "WHERE state = 2");
}

/* Each has one notice. */
static void
told_once(bool all)
{
	struct buf files = BUF_INIT;
	int64_t failed = store_says(&labo,
	    "SELECT count(*) FROM queue WHERE state = 5");
	unsigned n;

	assert_int_equal(failed, 2 * labo.n);
	member_files(&labo, "box", &files);
	n = times_in(&files, "could not be handed to the relay");
	if (n > failed || (all && n != failed))
		fail_msg("%u told of %lld", n, (long long)failed);
	buf_free(&files);
}

static void
each_given_up(enum trouble_what what, enum part who, enum lie how, long step)
{
	struct trouble t = { what, who, 0, how };
	bool fired = true;
	long n = 0;

	for (; fired; t.nth += step) {
		too_old(&labo);
		code_is(&t, act_with(&labo, t, &fired, relay_act));
		n += fired;
	}
	for (int i = 0; i < 3; i++)
		(void)undisturbed(relay_act);
	print_message("%d of part %d (%d): %ld\n", what, who, how, n);
	told_once(what != T_LIE);
}

static void
test_given_up(void **state)
{
	(void)state;
	open_labo(1);
	each_given_up(T_MEMORY, PART_KEEPER, L_N, steps(17));
	each_given_up(T_MEMORY, PART_CLERK, L_N, steps(17));
	each_given_up(T_SQL, PART_KEEPER, L_N, steps(17));
	each_given_up(T_CALL, PART_CLERK, L_N, steps(7));
	for (enum lie how = L_EMPTY; how < L_N; how++) {
		each_given_up(T_LIE, PART_KEEPER, how, steps(5));
		each_given_up(T_LIE, PART_CLERK, how, steps(3));
	}
	member_close(&labo);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_submissions),
		cmocka_unit_test(test_a_relay),
		cmocka_unit_test(test_given_up),
	};

	return cmocka_run_group_tests(tests, gate_setup, NULL);
}
