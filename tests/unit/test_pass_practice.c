/*
 * A practice's passes, each of which has another trouble: what was sealed for
 * it is shown in the end, each mail once at each place, and never by half.
 */
#include "config.h"

#include "pass_unit.h"

static const char settings[] =
    "route = \"dr.martin@cabinet.example\"\n"
    "ack_delay = \"0-1 s\"\n"
    "alarm_command = \"cat >/dev/null\"\n"
    "digest_to = \"dr.martin@cabinet.example\"\ndigest_at = 0\n"
    "digest_command = \"cat >/dev/null\"\ndigest_empty = yes\n"
    "metrics_file = \"@/metrics\"\n"
    "account \"in\" {\n protocol = maildir\n path = \"@/in\"\n"
    " unsealed = deliver\n}\n"
    "relay \"r\" {\n host = \"127.0.0.1\"\n port = 1\n tls = none\n"
    " auth = none\n}\n"
    "deliver \"box\" {\n kind = maildir\n path = \"@/box\"\n}\n"
    "deliver \"one\" {\n kind = folder\n path = \"@/one\"\n"
    " attachments = \"@/att\"\n remarks = \"@/rem\"\n file_per = message\n"
    " header = whole\n charset = windows-1252\n line_ends = crlf\n"
    " names = \"%s-%f-%g-%b-%n\"\n filed = \"@/filed\"\n}\n"
    "deliver \"each\" {\n kind = folder\n path = \"@/each\"\n"
    " file_per = patient\n from = \"@labo.example\"\n"
    " to = \"CAB000001, DR MARTIN\"\n}\n"
    "deliver \"rest\" {\n kind = folder\n path = \"@/rest\"\n"
    " otherwise = yes\n}\n"
    "deliver \"clear\" {\n kind = folder\n path = \"@/clear\"\n"
    " unsealed = yes\n}\n";

static const char part[] = "--x\r\nContent-Type: text/plain; "
    "charset=iso-8859-1; name=r.hpr\r\n"
    "Content-Disposition: attachment; filename=r.hpr\r\n\r\n";
static const char form[] = "P0001\r\nDURAND\r\nCAMILLE\r\n3 rue\r\n\r\n"
    "35000 RENNES\r\n%s\r\n\r\n26112300%s\r\n23/11/2026\r\n"
    "LABO00001  LABORATOIRE DU PORT\r\n%s\r\n\r\nMARK-%s-%u.\r\n"
    "****LAB****\r\nRES|Sodium|NA|N|139,5|mmol/l|136|145||F\r\n"
    "****FIN****\r\n";

static struct member martin;

/* Two reports, of which one is for somebody else, a file and a letter. */
static void
post(struct member *m)
{
	struct buf mail = BUF_INIT, env = BUF_INIT;
	const char *all;
	unsigned n = m->n + 1;

	T_CHECK(buf_adds(&mail, "From: labo.central@labo.example\r\n"
	    "To: dr.martin@cabinet.example\r\nSubject: R\r\n"
	    "MIME-Version: 1.0\r\n"
	    "Content-Type: multipart/mixed; boundary=x\r\n\r\n") &&
	    buf_adds(&mail, part) &&
	    buf_addf(&mail, form, "12/05/1961", "41", "CAB000001  DR MARTIN",
	    "a", n) &&
	    buf_addf(&mail, form, "12/05/61", "42", "XYZ  DR INCONNU",
	    "b", n) &&
	    buf_adds(&mail, "****FINFICHIER****\r\n\r\n--x\r\n"
	    "Content-Type: application/pdf; name=f.pdf\r\n\r\n") &&
	    buf_addf(&mail, "%%PDF-%u.\r\n\r\n--x\r\n\r\nLETTER-%u.\r\n"
	    "--x--\r\n", n, n));
	all = buf_str(&mail);
	assert_non_null(all);
	forge_plain(A_LABO, A_MARTIN, all, &env);
	post_envelope(m, &env);
	buf_free(&mail);
	buf_free(&env);
}

static void
post_clear(struct member *m)
{
	char name[32], text[128];

	snprintf(name, sizeof(name), "in/new/%u", ++m->n);
	snprintf(text, sizeof(text), "From: a@b.example\r\n\r\nCLEAR-%u.\r\n",
	    m->n);
	put_file(m, name, text, strlen(text));
}

static int
setup(void **state)
{
	if (gate_setup(state) != 0)
		return -1;
	member_open(&martin, A_MARTIN, settings);
	make_dir(&martin, "in");
	make_dir(&martin, "in/new");
	make_dir(&martin, "in/cur");
	make_dir(&martin, "in/tmp");
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	member_close(&martin);
	return 0;
}

/* One more of each kind; of the last ones it is asked whether somebody has
 * taken them, not of ever more. */
static void
post_both(struct member *m)
{
	store_do(m, "DELETE FROM watch WHERE id + 6 <= "
	    "(SELECT max(id) FROM watch)");
	post(m);
	post_clear(m);
}

/* Each of those from ${from} on, once; ${lied}: or not at all. */
static void
judge(unsigned from, bool lied)
{
	static const struct {
		const char *folder, *mark;
		bool clear;
	} wanted[] = { { "box", "LETTER", false }, { "one", "MARK-a", false },
		{ "one", "MARK-b", false }, { "att", "%PDF", false },
		{ "each", "MARK-a", false }, { "rest", "MARK-b", false },
		{ "clear", "CLEAR", true } };
	struct buf all = BUF_INIT;

	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		member_files(&martin, wanted[i].folder, &all);
		for (unsigned n = from; n <= martin.n; n++) {
			char mark[32];
			unsigned has;

			if ((n % 2 == 0) != wanted[i].clear)
				continue;
			snprintf(mark, sizeof(mark), "%s-%u.",
			    wanted[i].mark, n);
			has = times_in(&all, mark);
			if (has > 1 || (has == 0 && !lied))
				fail_msg("%s: %s %u times",
				    wanted[i].folder, mark, has);
		}
	}
	buf_free(&all);
}

static void
each(enum trouble_what what, enum part who, enum lie how, long step)
{
	const struct trouble t = { what, who, 0, how };
	unsigned from = martin.n + 1;
	long n = each_trouble(&martin, t, step, post_both, a_pass);

	print_message("%d of part %d (%d): %ld\n", what, who, how, n);
	T_CHECK(n > 0);
	settle(&martin);
	judge(from, what == T_LIE);
}

static void
test_undisturbed(void **state)
{
	(void)state;
	post_both(&martin);
	settle(&martin);
	judge(1, false);
}

/* Mail that comes while the clerk is asked what has become of the last does not
 * wait for the keeper's next look, five seconds later: not each time. */
static void
test_no_rest_while_there_is_work(void **state)
{
	const struct trouble none = { T_NONE, PART_N, 0, L_N };
	int64_t began;
	bool fired;
	int slow = 0;

	(void)state;
	for (int i = 0; i < 8; i++) {
		post_both(&martin);
		began = clock_ms();
		(void)act_with(&martin, none, &fired, a_pass);
		slow += clock_ms() - began > 5000;
	}
	T_CHECK(slow < 2);
	judge(1, false);
}

static void
test_memory(void **state)
{
	(void)state;
	each(T_MEMORY, PART_CLERK, L_N, steps(67));
	each(T_MEMORY, PART_VAULT, L_N, steps(17));
	each(T_MEMORY, PART_KEEPER, L_N, steps(29));
	each(T_MEMORY, PART_FETCH, L_N, steps(5));
	each(T_MEMORY, PART_N, L_N, steps(1));
}

static void
test_store(void **state)
{
	(void)state;
	each(T_SQL, PART_KEEPER, L_N, steps(41));
}

static void
test_calls(void **state)
{
	(void)state;
	each(T_CALL, PART_CLERK, L_N, steps(17));
	each(T_CALL, PART_KEEPER, L_N, steps(5));
	each(T_CALL, PART_N, L_N, steps(2));
	each(T_SIGNAL, PART_CLERK, L_N, steps(5));
	each(T_SIGNAL, PART_KEEPER, L_N, steps(23));
	each(T_SIGNAL, PART_N, L_N, steps(7));
}

static void
test_lies(void **state)
{
	(void)state;
	for (enum lie how = L_EMPTY; how < L_N; how++) {
		each(T_LIE, PART_KEEPER, how, steps(13));
		each(T_LIE, PART_CLERK, how, steps(5));
		each(T_LIE, PART_VAULT, how, steps(5));
		each(T_LIE, PART_FETCH, how, steps(3));
		each(T_LIE, PART_N, how, steps(3));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_undisturbed),
		cmocka_unit_test(test_no_rest_while_there_is_work),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_store),
		cmocka_unit_test(test_calls),
		cmocka_unit_test(test_lies),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
