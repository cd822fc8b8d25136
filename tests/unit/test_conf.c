#include "config.h"

#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/log.h"
#include "conf/conf.h"

#define IMAP "protocol = imap\nhost = imap.example\nuser = dr\n" \
	"password_command = \"pass mail\"\n"
#define SMTP "host = smtp.example\nuser = dr\n" \
	"password_command = \"pass mail\"\n"
#define IN(s) "account \"a\" {\n" s "}\n"
#define OUT(s) "route = dr@cabinet.example\nrelay \"r\" {\n" s "}\n"

static enum rc
read_text(const char *text, struct conf *c, struct err *e)
{
	return conf_read("x.conf", text, strlen(text), c, e);
}

static void
test_defaults(void **state)
{
	struct err e = ERR_INIT;
	struct conf c;

	(void)state;
	setenv("HOME", "/dr", 1);
	T_RC(read_text("", &c, &e), RC_OK);
	T_STR(c.path, "x.conf");
	assert_null(c.language);
	T_STR(c.state, "/dr/.local/state/sceau");
	T_STR(c.keystore, "/dr/.local/state/sceau/keystore");
	T_STR(c.keystore_key, "/dr/.local/state/sceau/keystore.key");
	assert_null(c.route);
	assert_int_equal(c.log_level, LOG_L_WARN);
	T_CHECK(!c.syslog && !c.hub);
	T_CHECK(c.max_send == 25U << 20 && c.max_receive == 64U << 20);
	assert_int_equal(c.ack_delay_min_s, 60);
	assert_int_equal(c.ack_delay_max_s, 300);
	assert_int_equal(c.give_up_s, 5 * 86400);
	assert_int_equal(c.late.s, 86400);
	assert_false(c.late.working);
	assert_int_equal(c.unopened.s, 72 * 3600);
	assert_int_equal(c.working.to, 20);
	assert_false(c.working.day[0]);
	assert_int_equal(c.parallel, 64);
	conf_free(&c);
	conf_free(&c);
}

static void
test_account(void **state)
{
	struct err e = ERR_INIT;
	struct conf c;
	struct conf_account *a;

	(void)state;
	T_RC(read_text(IN(IMAP) "account b {\nprotocol = pop3\n"
	    "host = pop.example\nuser = \"dr b\"\npassword_file = \"/none\"\n"
	    "after = keep\nkeep_days = 7\ntls = starttls\n}\n"
	    "account c { protocol = maildir\npath = \"~/Mail\" }\n", &c, &e),
	    RC_OK);
	assert_int_equal(c.naccounts, 3);
	a = &c.accounts[0];
	T_STR(a->name, "a");
	assert_int_equal(a->protocol, CONF_IMAP);
	T_STR(a->server.host, "imap.example");
	T_STR(a->server.password_command, "pass mail");
	assert_int_equal(a->server.port, 993);
	assert_int_equal(a->server.auth, CONF_AUTH_PASSWORD);
	assert_int_equal(a->server.timeout_s, 60);
	T_STR(a->mailbox, "INBOX");
	assert_int_equal(a->after, CONF_AFTER_DELETE);
	assert_int_equal(a->every_s, 300);
	assert_int_equal(a->batch, 1000);
	a++;
	assert_int_equal(a->server.port, 110);
	assert_int_equal(a->server.tls, CONF_TLS_STARTTLS);
	T_STR(a->server.user, "dr b");
	assert_int_equal(a->after, CONF_AFTER_KEEP);
	assert_int_equal(a->keep_days, 7);
	a++;
	T_STR(a->path, "/dr/Mail");
	assert_int_equal(a->protocol, CONF_MAILDIR);
	conf_free(&c);
}

static void
test_relay_deliver(void **state)
{
	struct err e = ERR_INIT;
	struct conf c;

	(void)state;
	T_RC(read_text(OUT(SMTP) "relay s { host = ::1\ntls = none }\n"
	    "relay t { host = smtp.example\nuser = dr\n"
	    "token_command = token\ntls = starttls\nsessions = 2\n"
	    "helo = \"[127.0.0.1]\" }\n"
	    "deliver box { kind = maildir\npath = /m }\n"
	    "deliver docs { kind = folder\npath = \"%h/d\" }\n"
	    "deliver soft { kind = pipe\ncommand = \"import --all\" }\n",
	    &c, &e), RC_OK);
	assert_int_equal(c.nrelays, 3);
	assert_int_equal(c.relays[0].server.port, 465);
	assert_int_equal(c.relays[0].engine, CONF_ENGINE_AUTO);
	assert_int_equal(c.relays[0].sessions, 4);
	assert_int_equal(c.relays[1].server.port, 25);
	assert_int_equal(c.relays[1].server.auth, CONF_AUTH_NONE);
	assert_int_equal(c.relays[2].server.port, 587);
	assert_int_equal(c.relays[2].server.auth, CONF_AUTH_XOAUTH2);
	assert_int_equal(c.relays[2].sessions, 2);
	assert_int_equal(c.ndelivers, 3);
	assert_int_equal(c.delivers[0].kind, CONF_DELIVER_MAILDIR);
	T_STR(c.delivers[1].path, "/dr/d");
	T_STR(c.delivers[2].command, "import --all");
	conf_free(&c);
}

static void
test_outbox(void **state)
{
	struct err e = ERR_INIT;
	struct conf c;

	(void)state;
	T_RC(read_text(OUT(SMTP) "outbox a { path = /o }\n"
	    "outbox b { path = /p\nto = dr@x.example\nready = ok\n"
	    "after = move\nrefused = /r\nsplit = yes\n"
	    "oddities = refuse\nsubject = \"Analyses\" }\n", &c, &e), RC_OK);
	assert_int_equal(c.noutboxes, 2);
	assert_int_equal(c.outboxes[0].route, CONF_OUTBOX_FOLDER);
	assert_int_equal(c.outboxes[0].ready, CONF_READY_QUIET);
	assert_int_equal(c.outboxes[0].quiet_s, 30);
	assert_int_equal(c.outboxes[0].after, CONF_OUTBOX_DELETE);
	T_STR(c.outboxes[0].refused, "/o/refused");
	T_CHECK(c.outboxes[0].sent == NULL && !c.outboxes[0].split);
	T_STR(c.outboxes[1].sent, "/p/sent");
	T_STR(c.outboxes[1].refused, "/r");
	T_CHECK(c.outboxes[1].split);
	assert_int_equal(c.outboxes[1].oddities, CONF_ODDITIES_REFUSE);
	conf_free(&c);
}

/* Every complaint: where, what, and what to write. */
static const struct { const char *text, *says; } complaints[] = {
	/* the language itself */
	{ "\nrotue = a@b\n", "x.conf:2: rotue: there is no such setting" },
	{ "max_send = 25 MB\n", "x.conf:1: MB: there is no such setting" },
	{ "accuont \"a\" {\n}\n", "x.conf:1: accuont: there is no such" },
	{ IN("hots = x\n"), "x.conf:2: hots: there is no such setting" },
	{ IN("hub = yes\n"), "x.conf:2: hub: there is no such setting" },
	{ "host = x\n", "x.conf:1: host: there is no such setting" },
	{ IN(IMAP) IN(IMAP), "x.conf:7: a: a second section of this name" },
	{ "route\nroute = a@b\n", "x.conf:2: route: it stands without a v" },
	{ "account {\n}\n", "x.conf:1: account: the section has no name" },
	{ "account a\n}\n", "x.conf:2: account: the section does not begin" },
	{ "route = a@b\n}\n", "x.conf:2: a } closes nothing" },
	{ "account a {\n", "x.conf:1: the file ends within" },
	{ "route = a@b\n\n/* never ends\n", "x.conf:3: the file ends wi" },
	{ IN(IMAP) "account b {\n" IMAP, "x.conf:11: the file ends within" },
	{ "route =", "x.conf:1: the file ends within" },
	{ "route = {a}\n", "x.conf:1: this cannot be read" },
	{ "route = \"a@b\n", "x.conf:" },
	{ "= a\n", "x.conf:1: this cannot be read" },
	{ "account \"A b\" {\n" IMAP "}\n", "x.conf:2: not a name for a sec" },
	{ "account \"\" {\n}\n", "x.conf:2: not a name for a section" },
	{ "account a {\n}\naccount|host = x\n", "x.conf:2: protocol is mis" },
	{ IN(IMAP) "account|host = x\n", "x.conf:7: a setting of a section" },
	{ "syslog = no\n\nsyslog = yes\n",
	    "x.conf:3: syslog is there twice (also in line 1)" },
	{ IN(IMAP "user = x\n"), "x.conf:6: user is there twice (also in l" },
	/* values */
	{ "language = de\n", "x.conf:1: language: there is no such choice; "
	    "write one of: fr, en" },
	{ "syslog = maybe\n", "x.conf:1: syslog: it is neither yes nor no" },
	{ "log_level = all\n", "x.conf:1: log_level: there is no such cho" },
	{ "max_send = big\n", "x.conf:1: max_send: it is not a size" },
	{ "max_receive = \"5 GB\"\n", "x.conf:1: max_receive: it is not a" },
	{ "ack_delay = 300-60\n", "x.conf:1: ack_delay: it is not a dura" },
	{ "give_up = soon\n", "x.conf:1: give_up: it is not a duration" },
	{ "give_up = 59\n", "x.conf:1: give_up: it is too short; write at "
	    "least \"60 s\"" },
	{ "late = 1\n", "x.conf:1: late: it is too short" },
	{ "late = \"2 working days\"\n", "x.conf:1: late: it is no working "
	    "time" },
	{ "working_hours = \"8-20\"\n", "x.conf:1: working_hours: these are "
	    "not days and hours" },
	{ "digest_at = 24\n", "x.conf:1: digest_at: it is not such a "
	    "number" },
	{ "digest_at = 8\n", "x.conf:1: the daily mail is for nobody" },
	{ "parallel = 0\n", "x.conf:1: parallel: it is not such a number" },
	{ "parallel = 65\n", "x.conf:1: parallel: it is not such a number" },
	{ "route = \"Dr <a@b>\"\n", "x.conf:1: route: it is not a mail a" },
	{ "route = \"a@b\\r\\nRCPT\"\n", "x.conf:1: route: it is not a m" },
	{ "state = here\n", "x.conf:1: state: the path is not a whole one" },
	{ "keystore = \"/a%b\"\n", "x.conf:1: keystore: % is followed" },
	{ "alarm_command = \"\"\n", "x.conf:1: alarm_command: the value is "
	    "empty" },
	{ "alarm_command = \"a\\nb\"\n", "x.conf:1: alarm_command: the val" },
	{ IN("user = \"a\\r\\nb\"\n"), "x.conf:2: user: the value holds a "
	    "control character" },
	{ IN("mailbox = \"a\nb\"\n"), "x.conf:" },
	{ IN("protocol = imap4\n"), "x.conf:2: protocol: there is no such "
	    "choice; write one of: imap, pop3, maildir, folder" },
	{ IN("protocol = stdin\n"), "x.conf:2: protocol: there is no such" },
	{ IN("host = \"a b\"\n"), "x.conf:2: host: it is not the name of a" },
	{ IN("host = a:993\n"), "x.conf:2: host: it is not the name of a" },
	{ IN("port = 0\n"), "x.conf:2: port: it is not such a number" },
	{ IN("port = 65536\n"), "x.conf:2: port: it is not such a number" },
	{ IN("tls = no\n"), "x.conf:2: tls: there is no such choice" },
	{ IN("pin = abc\n"), "x.conf:2: pin: it is not the fingerprint" },
	{ IN("auth = plain\n"), "x.conf:2: auth: there is no such choice" },
	{ IN("timeout = 0\n"), "x.conf:2: timeout: it is too short" },
	{ IN("timeout = \"2 days\"\n"), "x.conf:2: timeout: it is too long" },
	{ IN("after = burn\n"), "x.conf:2: after: there is no such choice" },
	{ IN("every = 9\n"), "x.conf:2: every: it is too short" },
	{ IN("batch = 1001\n"), "x.conf:2: batch: it is not such a number" },
	{ OUT("helo = \"a b\"\n"), "x.conf:3: helo: it is neither the name" },
	{ OUT("engine = x\n"), "x.conf:3: engine: there is no such choice" },
	{ OUT("sessions = 33\n"), "x.conf:3: sessions: it is not such a n" },
	{ "deliver d {\nkind = mbox\n}\n", "x.conf:2: kind: there is no su" },
	/* what must be there */
	{ IN(""), "x.conf:2: protocol is missing" },
	{ IN("protocol = imap\n"), "x.conf:3: host is missing" },
	{ IN("protocol = imap\nhost = a\npassword_command = x\n"),
	    "x.conf:5: user is missing" },
	{ IN("protocol = imap\nhost = a\nuser = b\n"),
	    "x.conf:5: the password is missing" },
	{ IN("protocol = maildir\n"), "x.conf:3: path is missing" },
	{ IN(IMAP "after = move\n"), "x.conf:6: after = move needs to know" },
	{ "relay r {\n" SMTP "}\n", "x.conf:5: there is a relay, but route" },
	{ OUT("user = x\n"), "x.conf:4: host is missing" },
	{ OUT("host = a\nuser = x\n"), "x.conf:5: the password is missing" },
	{ "hub = yes\n", "x.conf:1: a hub must send" },
	{ "hub_messages = 5\n", "x.conf:1: hub_members, hub_messages, " },
	{ "hub_archive = \"5 days\"\n", "x.conf:1: hub_members, hub_mess" },
	{ "deliver d {\n}\n", "x.conf:2: kind is missing" },
	{ "deliver d {\nkind = pipe\n}\n", "x.conf:2: kind = pipe needs a" },
	{ "deliver d {\nkind = folder\n}\n", "x.conf:2: path is missing" },
	{ "deliver d {\nkind = maildir\n}\n", "x.conf:2: path is missing" },
	/* what cannot stand together */
	{ IN(IMAP "path = /m\n"), "x.conf:6: path is for maildir and folder" },
	{ IN(IMAP "move_to = b\n"), "x.conf:6: move_to is for after = move" },
	{ IN(IMAP "after = move\nmove_to = INBOX\n"),
	    "x.conf:7: move_to is the mailbox it is fetched from" },
	{ IN(IMAP "unsealed_to = INBOX\n"),
	    "x.conf:6: unsealed_to is the mailbox it is fetched from" },
	{ IN(IMAP "keep_days = 3\n"), "x.conf:6: keep_days is for after = " },
	{ IN(IMAP "password_file = /none\n"),
	    "x.conf:6: password_command and password_file are both there" },
	{ IN(IMAP "token_command = x\n"), "x.conf:6: a password and a token" },
	{ IN(IMAP "auth = xoauth2\n"), "x.conf:6: auth = xoauth2 needs a t" },
	{ IN("protocol = imap\nhost = a\nuser = b\nauth = password\n"
	    "token_command = x\n"), "x.conf:6: a token is for xoauth2 only" },
	{ IN(IMAP "auth = none\n"), "x.conf:6: a mailbox is never without" },
	{ IN(IMAP "tls = none\n"), "x.conf:6: tls = none would send the p" },
	{ IN("protocol = imap\nhost = localhost.example\ntls = none\n"
	    "user = b\npassword_command = x\n"), "x.conf:4: tls = none wou" },
	{ IN("protocol = imap\nhost = localhost\ntls = none\nuser = b\n"
	    "password_command = x\nca_file = /x\n"),
	    "x.conf:7: ca_file needs a server with a certificate" },
	{ IN("protocol = imap\nhost = localhost\ntls = none\nuser = b\n"
	    "password_command = x\npin = \"sha256//"
	    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\"\n"),
	    "x.conf:7: pin needs a server with a certificate" },
	{ IN("protocol = folder\npath = /m\nhost = a\n"),
	    "x.conf:2: a Maildir or folder on this machine has no host" },
	{ IN("protocol = folder\npath = /m\nmailbox = a\n"),
	    "x.conf:2: mailbox, move_to, unsealed_to and idle are for imap" },
	{ IN("protocol = pop3\nhost = a\nuser = b\npassword_command = c\n"
	    "idle = yes\n"), "x.conf:2: mailbox, move_to, unsealed_to and" },
	{ IN("protocol = pop3\nhost = a\nuser = b\npassword_command = c\n"
	    "after = move\n"), "x.conf:6: only imap can move mail" },
	{ OUT("host = a\npassword_command = x\n"),
	    "x.conf:5: a password is given, but neither auth nor user" },
	{ OUT("host = a\nuser = b\nauth = none\n"),
	    "x.conf:5: auth = none and user are both there" },
	{ OUT(SMTP "tls = none\n"), "x.conf:6: tls = none would send" },
	{ OUT(SMTP "engine = esmtp\n"), "x.conf:6: engine = esmtp cannot s" },
	{ OUT("host = a\nuser = b\ntoken_command = c\ntls = starttls\n"
	    "engine = esmtp\n"), "x.conf:7: engine = esmtp cannot use a t" },
	{ "deliver d {\nkind = pipe\ncommand = x\npath = /m\n}\n",
	    "x.conf:4: path is for maildir and folder; for a pipe remove" },
	{ "deliver d {\nkind = maildir\npath = /m\ncommand = x\n}\n",
	    "x.conf:4: command is for kind = pipe" },
	{ "outbox o {\n}\n", "x.conf:2: path is missing; write the path o" },
	{ "outbox o {\npath = /o\nto = a@b\nroute = hprim\n}\n",
	    "x.conf:4: to and route are both there" },
	{ "outbox o {\npath = /o\nto = a@b\naliases = /a\n}\n",
	    "x.conf:4: aliases is for several recipients" },
	{ "outbox o {\npath = /o\nready = ok\nquiet = \"9 s\"\n}\n",
	    "x.conf:4: quiet is for ready = quiet" },
	{ "outbox o {\npath = /o\nsent = /s\n}\n",
	    "x.conf:3: sent is for after = move" },
	{ "outbox o {\npath = /o\nrefused = /o\n}\n",
	    "x.conf:2: path, sent and refused must be three" },
	{ "outbox o {\npath = /o\n}\n", "x.conf:3: what an outbox takes m" },
	{ OUT(SMTP) "outbox a { path = /o }\noutbox b { path = /o }\n",
	    "x.conf:8: a folder of one outbox lies in another outbox" },
	{ OUT(SMTP) "outbox a { path = /o }\noutbox b { path = /p\n"
	    "refused = /o/r }\n", "x.conf:9: a folder of one outbox lies" },
};

static void
test_complaints(void **state)
{
	struct err e = ERR_INIT;
	struct conf c;

	(void)state;
	for (size_t i = 0; i < sizeof(complaints) / sizeof(complaints[0]);
	    i++) {
		const char *says = complaints[i].says;

		if (read_text(complaints[i].text, &c, &e) != RC_CONF)
			fail_msg("accepted: %s", complaints[i].text);
		if (strncmp(e.text, says, strlen(says)) != 0)
			fail_msg("%s\nsays %s\nnot %s", complaints[i].text,
			    e.text, says);
		if (strstr(e.text, "; ") == NULL)
			fail_msg("does not say what to write: %s", e.text);
		conf_free(&c);
	}
}

static void
test_nul(void **state)
{
	struct err e = ERR_INIT;
	struct conf c;

	(void)state;
	T_RC(conf_read("x.conf", "hub = no\n\n\0x = y", 15, &c, &e), RC_CONF);
	assert_int_equal(strncmp(e.text, "x.conf:3: a NUL octet", 21), 0);
	conf_free(&c);
}

/* No truncation crashes, and each that is refused says where. */
static void
test_truncations(void **state)
{
	static const char text[] = OUT(SMTP) IN(IMAP)
	    "deliver \"d\" { kind = folder /* c */ path = '/x' }\n# end\n";
	struct err e = ERR_INIT;
	struct conf c;

	(void)state;
	T_RC(conf_read("x.conf", text, sizeof(text) - 1, &c, &e), RC_OK);
	conf_free(&c);
	for (size_t n = 0; n < sizeof(text) - 1; n++) {
		if (conf_read("x.conf", text, n, &c, &e) != RC_OK)
			assert_int_equal(strncmp(e.text, "x.conf:", 7), 0);
		conf_free(&c);
	}
}

static void
put_file(const char *path, const char *text, mode_t mode)
{
	struct err e = ERR_INIT;

	T_RC(file_write(path, text, strlen(text), 0600, &e), RC_OK);
	assert_int_equal(chmod(path, mode), 0);
}

/* Files and their rights. */
static void
test_files(void **state)
{
	char dir[] = "/tmp/sceau-conf-XXXXXX", conf[200], pass[200];
	struct buf text = BUF_INIT;
	struct err e = ERR_INIT;
	struct conf c;

	(void)state;
	assert_non_null(mkdtemp(dir));
	setenv("HOME", dir, 1);
	snprintf(conf, sizeof(conf), "%s/.config/sceau", dir);
	snprintf(pass, sizeof(pass), "%s/pass", dir);
	T_RC(conf_load(NULL, &c, &e), RC_CONF);
	assert_non_null(strstr(e.text, "there is no configuration; type "));
	T_RC(file_mkdirs(conf, 0700, &e), RC_OK);
	strncat(conf, "/sceau.conf", sizeof(conf) - strlen(conf) - 1);

	assert_true(buf_addf(&text, "account a {\nprotocol = pop3\n"
	    "host = a\nuser = b\npassword_file = \"%s\"\n}\n", pass));
	put_file(conf, buf_str(&text), 0644);
	/* not there yet: told when it is needed */
	T_RC(conf_load(NULL, &c, &e), RC_OK);
	T_STR(c.path, conf);
	T_STR(c.accounts[0].server.password_file, pass);
	conf_free(&c);
	put_file(pass, "secret\n", 0600);
	T_RC(conf_load(conf, &c, &e), RC_OK);
	conf_free(&c);
	put_file(pass, "secret\n", 0640);
	T_RC(conf_load(conf, &c, &e), RC_CONF);
	assert_non_null(strstr(e.text, "sceau.conf:5: password_file: "));
	assert_non_null(strstr(e.text, "type: chmod go= "));
	assert_null(strstr(e.text, "secret"));
	conf_free(&c);
	put_file(conf, "", 0664);
	T_RC(conf_load(conf, &c, &e), RC_CONF);
	assert_non_null(strstr(e.text, "type: chmod go-w "));
	conf_free(&c);
	T_RC(conf_load(dir, &c, &e), RC_CONF);
	conf_free(&c);
	T_RC(conf_load("/nonexistent", &c, &e), RC_CONF);
	conf_free(&c);

	unlink(conf);
	unlink(pass);
	buf_wipe(&text);
	assert_true(buf_addf(&text, "rm -r '%s'", dir));
	assert_int_equal(system(buf_str(&text)), 0);
	buf_free(&text);
}

static enum rc
count(void *arg, const struct conf_setting *s, struct err *e)
{
	int *n = arg;

	(void)e;
	assert_true(*s->name != '\0' && *s->type != '\0' && *s->help != '\0');
	assert_non_null(s->fallback);
	if (strcmp(s->section, "account") == 0 &&
	    strcmp(s->name, "after") == 0) {
		T_STR(s->type, "delete | move | keep");
		T_STR(s->fallback, "delete");
	}
	++*n;
	return RC_OK;
}

static void
test_settings_each(void **state)
{
	struct err e = ERR_INIT;
	int n = 0;

	(void)state;
	T_RC(conf_settings_each(count, &n, &e), RC_OK);
	assert_true(n > 50);
}

/* The samples people copy are complete, and say what they seem to say. */
static void
test_samples(void **state)
{
	static const char *const names[] = { "labo", "cabinet", "passerelle" };
	struct buf text = BUF_INIT;
	struct err e = ERR_INIT;
	struct conf c;

	(void)state;
	setenv("HOME", "/nonexistent", 1);
	for (size_t i = 0; i < 3; i++) {
		char path[1000];

		snprintf(path, sizeof(path), TEST_SRCDIR
		    "/conf/sceau.conf.%s", names[i]);
		T_RC(file_read(path, 100000, &text, &e), RC_OK);
		if (conf_read(path, text.p, text.len, &c, &e) != RC_OK)
			fail_msg("%s", e.text);
		assert_true(c.naccounts == 1 && c.nrelays == 1);
		assert_true(c.ndelivers > 0);
		assert_int_equal(c.hub, i == 2);
		T_STR(c.language, "fr");
		conf_free(&c);
	}
	buf_free(&text);
}

/* Every setting is in both manuals, and the manuals know no other. */
struct manual {
	struct buf	 text;
	const char	*at;	/* reading on: the order is that of the table */
};

static enum rc
in_manual(void *arg, const struct conf_setting *s, struct err *e)
{
	struct manual *m = arg;
	char item[100];

	(void)e;
	snprintf(item, sizeof(item), "\n.It Ic %s ", s->name);
	m->at = strstr(m->at, item);
	if (m->at == NULL)
		fail_msg("%s %s is not in the manual, or not in its place",
		    s->section, s->name);
	m->at++;
	return RC_OK;
}

/* told once, in the section on servers */
static const char *const server[] = { "host", "port", "tls", "ca_file", "pin",
    "user", "auth", "password_command", "password_file", "token_command",
    "timeout", "session" };
#define SERVER_N ((int)(sizeof(server) / sizeof(server[0])))

static enum rc
server_again(void *arg, const struct conf_setting *s, struct err *e)
{
	if (strcmp(s->section, "relay") == 0)
		for (int i = 0; i < SERVER_N; i++)
			if (strcmp(server[i], s->name) == 0)
				return RC_OK;
	return in_manual(arg, s, e);
}

static void
test_manuals(void **state)
{
	static const char *const pages[] = { "man/sceau.conf.5",
	    "man/fr/sceau.conf.5" };
	struct err e = ERR_INIT;
	const char *p;
	int n, items;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct manual m = { BUF_INIT, NULL };
		char path[1000];

		snprintf(path, sizeof(path), TEST_SRCDIR "/%s", pages[i]);
		T_RC(file_read(path, 200000, &m.text, &e), RC_OK);
		m.at = buf_str(&m.text);
		T_RC(conf_settings_each(server_again, &m, &e), RC_OK);
		items = n = 0;
		p = buf_str(&m.text);
		while ((p = strstr(p, "\n.It Ic ")) != NULL) {
			items++;
			p++;
		}
		T_RC(conf_settings_each(count, &n, &e), RC_OK);
		assert_int_equal(items, n - SERVER_N);
		buf_free(&m.text);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_account),
		cmocka_unit_test(test_relay_deliver),
		cmocka_unit_test(test_outbox),
		cmocka_unit_test(test_complaints),
		cmocka_unit_test(test_nul),
		cmocka_unit_test(test_truncations),
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_settings_each),
		cmocka_unit_test(test_samples),
		cmocka_unit_test(test_manuals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
