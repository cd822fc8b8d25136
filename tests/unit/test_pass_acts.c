/*
 * What commands do without a pass, each time with another trouble, of theirs or
 * of a process that they fork: they say so, or it is done as it should be; and
 * done again it is well.
 */
#include "config.h"

#include "pass_unit.h"

#include "document/hprim.h"
#include "flow/alone.h"
#include "flow/barring.h"
#include "flow/erase.h"
#include "flow/filter.h"
#include "flow/patients.h"
#include "flow/probe.h"

#define WRONG 99	/* said to be done, and is not */

static const char settings[] =
    "route = \"us@demo.example\"\n"
    "account \"in\" {\n protocol = maildir\n path = \"@/in\"\n}\n"
    "deliver \"box\" {\n kind = maildir\n path = \"@/box\"\n}\n";

/* Where nobody listens. */
static const char servers[] =
    "account \"pop\" {\n protocol = pop3\n host = \"127.0.0.1\"\n"
    " port = 1\n tls = none\n user = \"u\"\n"
    " password_file = \"@/password\"\n}\n"
    "relay \"r\" {\n host = \"127.0.0.1\"\n port = 1\n tls = none\n"
    " user = \"u\"\n password_file = \"@/password\"\n}\n"
    "relay \"s\" {\n host = \"127.0.0.1\"\n port = 1\n tls = none\n"
    " auth = none\n}\n";

static struct member one;

/* What to leave with; what it said is in its log. */
static int
said(enum rc rc, const struct err *e)
{
	if (rc != RC_OK)
		fprintf(stderr, "%s\n", e->text);
	return rc_exit(rc);
}

/* The path in its folder, until the next call. */
static const char *
at(const char *name)
{
	static char path[256];

	path_in(&one, name, path);
	return path;
}

static void
open_as(const char *id, struct keystore *ks, const char *more)
{
	static const char *const folders[] = { "in", "in/new", "in/cur",
		"in/tmp" };
	char text[1024];

	snprintf(text, sizeof(text), "%s%s", settings, more);
	member_with(&one, id, ks, text);
	for (size_t i = 0; i < 4; i++)
		make_dir(&one, folders[i]);
	put_file(&one, "password", "secret\n", 7);
	T_CHECK(chmod(at("password"), 0600) == 0);
}

static int
once(int (*act)(const struct member *m))
{
	const struct trouble none = { T_NONE, PART_N, 0, L_N };
	bool fired;

	return act_with(&one, none, &fired, act);
}

/* Each trouble of one kind; undisturbed it is done, and when it is only a
 * signal, too.  ${after}: what must hold, with what it said. */
static void
each(struct trouble t, long step, void (*before)(void),
    int (*act)(const struct member *m), void (*after)(int code))
{
	long n = 0;
	bool fired = true;
	int code;

	trouble.acts = true;
	for (t.nth = 0; fired; t.nth += step) {
		if (before != NULL)
			before();
		code = act_with(&one, t, &fired, act);
		code_is(&t, code);
		if ((!fired || t.what == T_SIGNAL) && code != 0)
			fail_msg("%d of part %d, the %ld.: %d", t.what, t.part,
			    t.nth, code);
		if (after != NULL)
			after(code);
		n += fired;
	}
	print_message("%d of part %d (%d): %ld\n", t.what, t.part, t.how, n);
	trouble.acts = false;
}

static void
all(long step, void (*before)(void), int (*act)(const struct member *m),
    void (*after)(int code))
{
	static const enum trouble_what what[] = { T_MEMORY, T_SQL, T_CALL,
		T_SIGNAL };

	for (enum part part = PART_N; part <= ACT_CHILD; part++) {
		for (size_t i = 0; i < 4; i++)
			each((struct trouble){ what[i], part, 0, L_N },
			    what[i] == T_MEMORY ? step : 1, before, act,
			    after);
		for (enum lie how = L_EMPTY; how < L_N; how++)
			each((struct trouble){ T_LIE, part, 0, how }, 1,
			    before, act, after);
	}
}

/* ---- the vault alone --------------------------------------------------- */

static int
selves_act(const struct member *m)
{
	struct gate_self *s;
	struct err e = ERR_INIT;
	size_t n;
	enum rc rc = alone_selves(&m->p, &s, &n, &e);
	bool good = rc != RC_OK || (n == 1 && s[0].year == A_YEAR &&
	    strcmp(s[0].identity, m->id) == 0);

	free(s);
	return good ? said(rc, &e) : WRONG;
}

/* One who has a date of birth, and the same without. */
static int
patients_act(const struct member *m)
{
	struct hprim_patient p = { .birth = "19610512" };
	struct buf forms = BUF_INIT, out = BUF_INIT;
	struct err e = ERR_INIT;
	unsigned n = 0;
	bool good, ok;
	enum rc rc;

	p.field[HPRIM_FAMILY] = (struct bytes){ (const uint8_t *)"DURAND", 6 };
	p.field[HPRIM_GIVEN] = (struct bytes){ (const uint8_t *)"CAMILLE", 7 };
	ok = buf_add32(&forms, 2) && patients_form(&p, &forms, &n);
	p.birth[0] = '\0';
	ok = ok && patients_form(&p, &forms, &n);
	rc = ok ? patients_ask(&m->p, &forms, &out, &e) : err_nomem(&e);
	good = rc != RC_OK || (out.len == 2 * STORE_PATIENT_BYTES &&
	    memcmp(out.p, out.p + STORE_PATIENT_BYTES,
	    STORE_PATIENT_BYTES) != 0);
	buf_free(&forms);
	buf_free(&out);
	return good ? said(rc, &e) : WRONG;
}

static int
put_back_act(const struct member *m)
{
	struct store_restored out;
	struct err e = ERR_INIT;

	return said(alone_restored(&m->p, m->conf.state, clock_now(), &out,
	    &e), &e);
}

/* It is told once each time that it was done, and never if not. */
static void
put_back_judge(int code)
{
	static int64_t before;
	int64_t now = store_says(&one,
	    "SELECT count(*) FROM event WHERE name = 'restored'");

	/* Its last word may have been lost. */
	T_CHECK(now <= before + 1 && (now == before + 1 || code != 0));
	before = now;
}

static int
put_back_dry(const struct member *m)
{
	struct pass p = m->p;
	struct store_restored out;
	struct err e = ERR_INIT;

	p.dry_run = true;
	return said(alone_restored(&p, m->conf.state, clock_now(), &out,
	    &e), &e);
}

static void
nobody_put_it_back(int code)
{
	(void)code;
	T_CHECK(store_says(&one, "SELECT count(*) FROM event "
	    "WHERE name = 'restored'") == 0);
}

static void
test_the_vault_alone(void **state)
{
	(void)state;
	open_as(A_MARTIN, assoc_store(A_MARTIN, A_YEAR), "");
	settle(&one);
	all(steps(3), NULL, selves_act, NULL);
	all(steps(3), NULL, patients_act, NULL);
	all(steps(7), NULL, put_back_dry, nobody_put_it_back);
	all(steps(3), NULL, put_back_act, put_back_judge);
	member_close(&one);
}

/* ---- the watch desk ---------------------------------------------------- */

static unsigned barred;

static int
bar_act(const struct member *m)
{
	struct gate_barring out;
	struct err e = ERR_INIT;
	char who[64];

	snprintf(who, sizeof(who), "demo/x%u@x.example", barred);
	return said(barring_note(&m->p, who, 0, "lost", &out, &e), &e);
}

/* On the list it stands when that was said. */
static void
bar_judge(int code)
{
	char query[128];

	snprintf(query, sizeof(query), "SELECT count(*) FROM bar WHERE "
	    "CAST(name AS TEXT) = 'demo/x%u@x.example'", barred);
	T_CHECK(store_says(&one, query) == 1 || code != 0);
	barred++;
}

/* What was noted here, and what the key file brought. */
static int
bars_act(const struct member *m)
{
	struct store_bar *bars;
	struct err e = ERR_INIT;
	size_t n;
	enum rc rc = barring_list(&m->p, &bars, &n, &e);
	bool good = rc != RC_OK || (n == 2 && bars[0].at != 0 &&
	    bars[1].at == 0 && bars[1].min == 3 &&
	    strcmp(bars[1].name, "demo/cabinet.durand@durand.example") == 0);

	free(bars);
	return good ? said(rc, &e) : WRONG;
}

static void
test_the_desk(void **state)
{
	static const char durand[] = "demo/cabinet.durand@durand.example";
	struct keystore *ks = assoc_store(A_WATCH, A_YEAR);
	struct identity id;
	struct err e = ERR_INIT;

	(void)state;
	T_CHECK(identity_parse_name(durand, strlen(durand), &id));
	T_RC(ring_bar(ks->ring, &id, 3, &e), RC_OK);
	open_as(A_WATCH, ks, "");
	assert_int_equal(once(bar_act), 0);
	all(steps(3), NULL, bars_act, NULL);
	all(steps(3), NULL, bar_act, bar_judge);
	member_close(&one);
}

/* ---- the filters ------------------------------------------------------- */

#define MAIL_BYTES ((size_t)100 * 1000)
static char mail[MAIL_BYTES + 1];

static int
seal_from(const struct member *m, int in)
{
	struct err e = ERR_INIT;
	int out = open(at("sealed"), O_WRONLY | O_CREAT | O_TRUNC, 0600);

	return said(filter_seal(&m->p, "dr.martin@cabinet.example", in,
	    out, m->dir, &e), &e);
}

static int
seal_file(const struct member *m)
{
	return seal_from(m, open(at("mail"), O_RDONLY));
}

static int
seal_pipe(const struct member *m)
{
	char line[300];

	snprintf(line, sizeof(line), "cat '%s'", at("mail"));
	return seal_from(m, fileno(popen(line, "r")));
}

/* By the other. */
static int
open_act(const struct member *m)
{
	char keys[256], key[256];
	const struct conf conf = { .keystore = keys, .keystore_key = key,
	    .state = m->conf.state };
	const struct pass p = { .conf = &conf };
	struct gate_verdict v;
	struct gate_head h;
	struct err e = ERR_INIT;
	int in, out;

	path_in(m, "other", keys);
	path_in(m, "other.key", key);
	in = open(at("sealed"), O_RDONLY);
	out = open(at("opened"), O_WRONLY | O_CREAT | O_TRUNC, 0600);

	return said(filter_open(&p, in, out, m->dir, &h, &v, &e), &e);
}

static void
open_judge(int code)
{
	static char got[MAIL_BYTES + 1];
	FILE *f = fopen(at("opened"), "r");
	size_t len = fread(got, 1, sizeof(got), f);

	fclose(f);
	T_CHECK(memcmp(got, mail, len) == 0);
	T_CHECK(len == MAIL_BYTES || code != 0);
}

/* What was said to be sealed can be opened, and is what was to be sealed. */
static void
seal_judge(int code)
{
	if (code != 0)
		return;
	assert_int_equal(once(open_act), 0);
	open_judge(0);
}

static void
test_the_filters(void **state)
{
	struct keystore *ks = assoc_store(A_MARTIN, A_YEAR);
	char keys[256], key[256];
	const struct keystore_at other = { keys, key, NULL };
	struct err e = ERR_INIT;

	(void)state;
	open_as(A_LABO, assoc_store(A_LABO, A_YEAR), "");
	path_in(&one, "other", keys);
	path_in(&one, "other.key", key);
	T_RC(keystore_save(ks, &other, &e), RC_OK);
	keystore_free(&ks);
	for (size_t i = 0; i < MAIL_BYTES; i++)
		mail[i] = (char)('a' + i * i % 26);
	put_file(&one, "mail", mail, MAIL_BYTES);
	all(steps(3), NULL, seal_file, seal_judge);
	all(steps(3), NULL, seal_pipe, seal_judge);
	all(steps(3), NULL, open_act, open_judge);
	member_close(&one);
}

/* ---- servers ----------------------------------------------------------- */

static int
probe_of(const struct member *m, enum part part, unsigned index, bool there)
{
	enum wire_why why = WHY_NONE;
	struct err e = ERR_INIT;
	enum rc rc = probe(&m->p, part, index, &why, &e);

	if (rc == RC_OK && (why != WHY_NONE || !there))
		return WRONG;
	/* Undisturbed it is not there: no less is wanted of it. */
	if (!there && rc == RC_TEMP && why == WHY_NETWORK)
		return 0;
	return said(rc, &e);
}

static int
probe_maildir(const struct member *m)
{
	return probe_of(m, PART_FETCH, 0, true);
}

static int
probe_pop3(const struct member *m)
{
	return probe_of(m, PART_FETCH, 1, false);
}

static int
probe_relay(const struct member *m)
{
	return probe_of(m, PART_RELAY, 0, false);
}

static int
probe_open_relay(const struct member *m)
{
	return probe_of(m, PART_RELAY, 1, false);
}

static void
test_servers(void **state)
{
	(void)state;
	open_as(A_MARTIN, assoc_store(A_MARTIN, A_YEAR), servers);
	all(1, NULL, probe_maildir, NULL);
	all(1, NULL, probe_pop3, NULL);
	all(1, NULL, probe_relay, NULL);
	all(1, NULL, probe_open_relay, NULL);
	member_close(&one);
}

/* ---- a pass that changes nothing --------------------------------------- */

static void
post(void)
{
	struct buf env = BUF_INIT;

	forge_plain(A_LABO, A_MARTIN, "From: labo.central@labo.example\r\n"
	    "To: dr.martin@cabinet.example\r\n\r\nMARK\r\n", &env);
	post_envelope(&one, &env);
	buf_free(&env);
}

static void
nothing_done(int code)
{
	struct buf files = BUF_INIT;

	(void)code;
	member_files(&one, "box", &files);
	assert_int_equal(times_in(&files, "MARK"), 1);
	member_files(&one, "in/new", &files);
	T_CHECK(files.len > 0);
	buf_free(&files);
}

static void
test_dry_run(void **state)
{
	static const enum part who[] = { PART_KEEPER, PART_VAULT, PART_FETCH };
	struct buf files = BUF_INIT;

	(void)state;
	open_as(A_MARTIN, assoc_store(A_MARTIN, A_YEAR), "");
	post();
	settle(&one);
	post();
	one.p.dry_run = true;
	nothing_done(once(a_pass));
	for (size_t i = 0; i < 3; i++) {
		each((struct trouble){ T_MEMORY, who[i], 0, L_N }, steps(5),
		    NULL, a_pass, nothing_done);
		for (enum lie how = L_EMPTY; how < L_N; how++)
			each((struct trouble){ T_LIE, who[i], 0, how },
			    steps(1), NULL, a_pass, nothing_done);
	}
	one.p.dry_run = false;
	settle(&one);
	member_files(&one, "box", &files);
	assert_int_equal(times_in(&files, "MARK"), 2);
	buf_free(&files);
	member_close(&one);
}

/* ---- the end of a year ------------------------------------------------- */

#define OVER INT64_C(4000000000)

static void
shell(const char *line)
{
	char all_of_it[600];

	snprintf(all_of_it, sizeof(all_of_it), "cd '%s' && %s", one.dir, line);
	assert_int_equal(system(all_of_it), 0);
}

static void
as_it_was(void)
{
	shell("rm -rf state k k.key && cp -a was/* .");
}

static int
erase_act(const struct member *m)
{
	struct err e = ERR_INIT;

	return said(erase_run(&m->conf, OVER + 2 * 86400, &e), &e);
}

/* Every row can be read with the keys that are left; how many. */
static size_t
rows_good(void)
{
	struct buf key = BUF_INIT, value = BUF_INIT, next = BUF_INIT;
	struct err e = ERR_INIT;
	struct store *st = NULL;
	struct gate *g = NULL;
	char name[GATE_ID_BYTES];
	uint32_t version;
	size_t n = 0;

	T_RC(store_open(one.conf.state, STORE_WRITE, &st, &e), RC_OK);
	T_RC(gate_new(one.conf.keystore, one.conf.keystore_key, NULL, &g, &e),
	    RC_OK);
	for (;; n++) {
		T_RC(store_row_next(st, NULL, (struct bytes){ key.p, key.len },
		    &key, &value, &version, &e), RC_OK);
		if (key.len == 0)
			break;
		T_CHECK(key.len < sizeof(name));
		memcpy(name, key.p, key.len);
		name[key.len] = '\0';
		T_RC(gate_row_renew(g, name, &value, &next, &e), RC_OK);
		buf_free(&next);
	}
	gate_free(&g);
	store_close(&st);
	buf_free(&key);
	buf_free(&value);
	return n;
}

static void
erase_judge(int code)
{
	const struct keystore_at here = { one.conf.keystore,
		one.conf.keystore_key, NULL };
	struct keystore *ks = NULL;
	struct err e = ERR_INIT;

	if (code != 0)
		assert_int_equal(once(erase_act), 0);
	T_RC(keystore_load(&here, &ks, &e), RC_OK);
	assert_int_equal(ks->nselves, 1);
	assert_int_equal(ks->selves[0].year, A_YEAR);
	T_CHECK(keystore_previous(ks) == NULL && !ks->half_rolled);
	keystore_free(&ks);
	T_CHECK(rows_good() > 0);
}

static void
test_the_end_of_a_year(void **state)
{
	struct keystore *ks;
	struct err e = ERR_INIT;

	(void)state;
	T_RC(keystore_new(0, &ks, &e), RC_OK);
	assoc_full(ks, assoc_self(ks, A_MARTIN, A_YEAR - 1));
	assoc_full(ks, assoc_self(ks, A_MARTIN, A_YEAR));
	ks->selves[0].send_until_at = ks->selves[0].read_until_at = OVER;
	open_as(A_MARTIN, ks, "");
	post();
	settle(&one);
	shell("mkdir was && cp -a state k k.key was");
	all(steps(3), as_it_was, erase_act, erase_judge);
	member_close(&one);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_vault_alone),
		cmocka_unit_test(test_the_desk),
		cmocka_unit_test(test_the_filters),
		cmocka_unit_test(test_servers),
		cmocka_unit_test(test_dry_run),
		cmocka_unit_test(test_the_end_of_a_year),
	};

	return cmocka_run_group_tests(tests, gate_setup, NULL);
}
