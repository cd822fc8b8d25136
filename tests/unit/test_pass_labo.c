/*
 * A laboratory's passes, each of which has another trouble: what it drops is
 * queued once, each group whole, and then out of its outbox; or refused, with
 * the reason beside it.
 */
#include "config.h"

#include "pass_unit.h"

static const char settings[] =
    "route = \"labo@labo.example\"\n"
    "register_patients = yes\n"
    "relay \"r\" {\n host = \"127.0.0.1\"\n port = 1\n tls = none\n"
    " auth = none\n}\n"
    "outbox \"lis\" {\n path = \"@/lis\"\n route = hprim\n"
    " aliases = \"@/aliases\"\n ready = ok\n after = move\n split = yes\n}\n"
    "outbox \"far\" {\n path = \"@/far\"\n route = folder\n"
    " aliases = \"@/aliases\"\n ready = rename\n oddities = refuse\n}\n"
    "outbox \"one\" {\n path = \"@/one\"\n ready = rename\n"
    " to = \"dr.martin@cabinet.example\"\n}\n";

static const char form[] = "P0001\r\nDURAND\r\nCAMILLE\r\n3 rue\r\n\r\n"
    "35000 RENNES\r\n%s\r\n\r\n26112300%u\r\n23/11/2026\r\n"
    "LABO00001  LABORATOIRE DU PORT\r\n%s\r\n\r\nMARK-%u.\r\n"
    "****LAB****\r\nRES|Sodium|NA|N|139,5|mmol/l|136|145||F\r\n"
    "****FIN****\r\n";

static struct member labo;
static unsigned queued;		/* envelopes that must be in the queue */
/* Of calls that failed: what vouched for a file that is gone is vain, and its
 * removal is tried once; at most one stays of each. */
static unsigned may_stay;

static void
drop(struct member *m, const char *name, const char *to, const char *other)
{
	struct buf b = BUF_INIT;

	T_CHECK(buf_addf(&b, form, "12/05/1961", m->n, to, m->n));
	if (other != NULL)
		T_CHECK(buf_addf(&b, form, "12/05/1962", m->n, other, m->n));
	T_CHECK(buf_adds(&b, "****FINFICHIER****\r\n"));
	put_file(m, name, b.p, b.len);
	buf_free(&b);
}

/* A report with a file, two reports in one, one for whom nobody is known, and
 * something in a folder. */
static void
more(struct member *m)
{
	char name[64];
	unsigned n = ++m->n;

	snprintf(name, sizeof(name), "lis/a%u.hpr", n);
	drop(m, name, "CAB000001  DR MARTIN", NULL);
	snprintf(name, sizeof(name), "lis/a%u.pdf", n);
	put_file(m, name, "%PDF", 4);
	snprintf(name, sizeof(name), "lis/a%u.ok", n);
	put_file(m, name, "", 0);
	snprintf(name, sizeof(name), "lis/b%u.hpr", n);
	drop(m, name, "CAB000001  DR MARTIN", "IDE  MME PETIT");
	snprintf(name, sizeof(name), "lis/b%u.hpr.ok", n);
	put_file(m, name, "", 0);
	snprintf(name, sizeof(name), "one/c%u.hpr", n);
	drop(m, name, "nobody", NULL);
	snprintf(name, sizeof(name), "far/durand/d%u.hpr", n);
	put_file(m, name, "no report\r\n", 11);
	snprintf(name, sizeof(name), "far/durand/e%u.txt", n);
	put_file(m, name, "a letter\r\n", 10);
	/* a, the two of b, c, e: d is refused */
	queued += 5;
}

static int
setup(void **state)
{
	static const char aliases[] = "CAB000001 = dr.martin@cabinet.example\n"
	    "IDE = infirmiere.petit@petit.example\n"
	    "durand = cabinet.durand@durand.example\n";

	if (gate_setup(state) != 0)
		return -1;
	member_open(&labo, A_LABO, settings);
	make_dir(&labo, "lis");
	make_dir(&labo, "far");
	make_dir(&labo, "far/durand");
	make_dir(&labo, "one");
	put_file(&labo, "aliases", aliases, sizeof(aliases) - 1);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	member_close(&labo);
	return 0;
}

/* Files below it, the folders of what is sent or refused aside; in ${oks} those
 * that vouch for others. */
static unsigned
left_in(const char *path, unsigned *oks)
{
	DIR *dp = opendir(path);
	struct dirent *d;
	unsigned n = 0;

	while (dp != NULL && (d = readdir(dp)) != NULL) {
		char below[600];
		struct stat st;

		if (d->d_name[0] == '.' || strcmp(d->d_name, "sent") == 0 ||
		    strcmp(d->d_name, "refused") == 0)
			continue;
		snprintf(below, sizeof(below), "%s/%s", path, d->d_name);
		T_CHECK(stat(below, &st) == 0);
		if (S_ISDIR(st.st_mode))
			n += left_in(below, oks);
		else if (strcmp(strrchr(d->d_name, '.'), ".ok") == 0)
			++*oks;
		else
			n++;
	}
	if (dp != NULL)
		closedir(dp);
	return n;
}

static void
nothing_in(const char *folder)
{
	char path[256];
	unsigned oks = 0, n;

	path_in(&labo, folder, path);
	if ((n = left_in(path, &oks)) != 0 || oks > may_stay)
		fail_msg("%s: %u left, and %u .ok", folder, n, oks);
}

static void
judge(bool lied)
{
	struct buf all = BUF_INIT;
	int64_t n = store_says(&labo, "SELECT count(*) FROM queue "
	    "WHERE kind = 1");

	if (n > queued || (!lied && n != queued))
		fail_msg("%lld queued, not %u", (long long)n, queued);
	queued = (unsigned)n;
	if (lied)
		return;
	nothing_in("lis");
	nothing_in("far");
	nothing_in("one");
	/* Three reports in two files that were sent, and no other. */
	member_files(&labo, "lis/sent", &all);
	for (unsigned i = 1; i <= labo.n; i++) {
		char mark[32];

		snprintf(mark, sizeof(mark), "MARK-%u.", i);
		assert_int_equal(times_in(&all, mark), 3);
	}
	member_files(&labo, "far/refused", &all);
	assert_int_equal(times_in(&all, "no report"), labo.n);
	T_CHECK(times_in(&all, "This file was not sent:") >= labo.n);
	buf_free(&all);
}

static void
each(enum trouble_what what, enum part who, enum lie how, long step)
{
	const struct trouble t = { what, who, 0, how };
	long n = each_trouble(&labo, t, step, more, a_pass);

	print_message("%d of part %d (%d): %ld\n", what, who, how, n);
	T_CHECK(n > 0);
	if (what == T_CALL)
		may_stay += (unsigned)n;
	settle(&labo);
	judge(what == T_LIE);
}

static void
test_undisturbed(void **state)
{
	(void)state;
	more(&labo);
	settle(&labo);
	judge(false);
}

static void
test_memory(void **state)
{
	(void)state;
	each(T_MEMORY, PART_CLERK, L_N, steps(29));
	each(T_MEMORY, PART_VAULT, L_N, steps(29));
	each(T_MEMORY, PART_KEEPER, L_N, steps(29));
}

static void
test_store(void **state)
{
	(void)state;
	each(T_SQL, PART_KEEPER, L_N, steps(41));
}

static void
test_files(void **state)
{
	(void)state;
	each(T_CALL, PART_CLERK, L_N, steps(17));
	each(T_CALL, PART_N, L_N, steps(2));
	each(T_SIGNAL, PART_CLERK, L_N, steps(17));
	each(T_SIGNAL, PART_KEEPER, L_N, steps(17));
}

static void
test_lies(void **state)
{
	(void)state;
	for (enum lie how = L_EMPTY; how < L_N; how++) {
		each(T_LIE, PART_KEEPER, how, steps(13));
		each(T_LIE, PART_CLERK, how, steps(13));
		each(T_LIE, PART_VAULT, how, steps(13));
		each(T_LIE, PART_N, how, steps(7));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_undisturbed),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_store),
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_lies),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
