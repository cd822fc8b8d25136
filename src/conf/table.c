#include "config.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/lang.h"
#include "base/log.h"
#include "conf/table.h"
#include "conf/value.h"

#define TOP(f) offsetof(struct conf, f)
#define ACC(f) offsetof(struct conf_account, f)
#define REL(f) offsetof(struct conf_relay, f)
#define DEL(f) offsetof(struct conf_deliver, f)
#define OUT(f) offsetof(struct conf_outbox, f)

/* In the order of the enums of conf.h and log.h. */
static const char *const w_lang[] = { "fr", "en", NULL };
static const char *const w_level[] = { "error", "warn", "info", "debug",
    NULL };
static const char *const w_protocol[] = { "imap", "pop3", "maildir",
    "folder", NULL };
static const char *const w_tls[] = { "implicit", "starttls", "none", NULL };
static const char *const w_auth[] = { "password", "xoauth2", "none", NULL };
static const char *const w_after[] = { "delete", "move", "keep", NULL };
static const char *const w_engine[] = { "auto", "esmtp", "curl", "sceau",
    NULL };
static const char *const w_unsealed[] = { "leave", "deliver", NULL };
static const char *const w_deliver[] = { "maildir", "folder", "pipe", NULL };
static const char *const w_charset[] = { "keep", "utf-8", "iso-8859-1",
    "windows-1252", "cp850", "macroman", NULL };
static const char *const w_eol[] = { "keep", "lf", "crlf", "cr", NULL };
static const char *const w_file_per[] = { "document", "patient", "message",
    NULL };
static const char *const w_header[] = { "keep", "whole", NULL };
static const char *const w_out_route[] = { "folder", "hprim", NULL };
static const char *const w_ready[] = { "quiet", "rename", "ok", NULL };
static const char *const w_out_after[] = { "delete", "move", NULL };
static const char *const w_oddities[] = { "send", "refuse", NULL };

_Static_assert(CONF_TLS_NONE == 2 && CONF_AUTH_NONE == 2 &&
    CONF_FOLDER == 3 && CONF_AFTER_KEEP == 2 && CONF_ENGINE_SCEAU == 3 &&
    CONF_DELIVER_PIPE == 2 && CONF_CHARSET_MACROMAN == 5 &&
    CONF_EOL_CR == 3 && CONF_FILE_PER_MESSAGE == 2 &&
    CONF_HEADER_WHOLE == 1 && CONF_OUTBOX_HPRIM == 1 &&
    CONF_READY_OK == 2 && CONF_OUTBOX_MOVE == 1 &&
    CONF_ODDITIES_REFUSE == 1 && LOG_L_DEBUG == 3, "the words above");
_Static_assert(sizeof(enum conf_tls) == sizeof(int), "enums are int here");
_Static_assert(TOP(ack_delay_max_s) == TOP(ack_delay_min_s) + sizeof(int),
    "K_RANGE writes two");

/* What an account and a relay have in common. */
#define SERVER(sect, F) \
	{ sect, "host", K_HOST, F(server.host), NULL, 0, 0, NULL, NULL, \
	    N_("Server; its certificate must bear this name.") }, \
	{ sect, "port", K_PORT, F(server.port), NULL, 1, 65535, NULL, \
	    N_("the usual one"), N_("Port of the server.") }, \
	{ sect, "tls", K_WORD, F(server.tls), w_tls, 0, 0, "implicit", NULL, \
	    N_("implicit: from the first octet; starttls: asked for, and " \
	    "required; none: only on this very machine.") }, \
	{ sect, "ca_file", K_PATH, F(server.ca_file), NULL, 0, 0, NULL, \
	    N_("the system's"), N_("Certificates to trust instead of the " \
	    "system's.") }, \
	{ sect, "pin", K_PIN, F(server.pin), NULL, 0, 0, NULL, NULL, \
	    N_("Fingerprint of the server's key, when no known " \
	    "authority vouches for it.") },\
	{ sect, "user", K_TEXT, F(server.user), NULL, 0, 0, NULL, NULL, \
	    N_("Name to log in with.") }, \
	{ sect, "auth", K_WORD, F(server.auth), w_auth, 0, 0, NULL, \
	    N_("xoauth2 with token_command, none without user, else " \
	    "password"), N_("How to log in.") }, \
	{ sect, "password_command", K_COMMAND, F(server.password_command), \
	    NULL, 0, 0, NULL, NULL, N_("Command whose first line of output " \
	    "is the password.") }, \
	{ sect, "password_file", K_SECRET_FILE, F(server.password_file), \
	    NULL, 0, 0, NULL, NULL, N_("File whose first line is the " \
	    "password; nobody else may read it.") }, \
	{ sect, "token_command", K_COMMAND, F(server.token_command), NULL, \
	    0, 0, NULL, NULL, N_("Command whose first line of output is an " \
	    "access token, for xoauth2.") }, \
	{ sect, "timeout", K_TIME, F(server.timeout_s), NULL, 1, 86400, \
	    "60 s", NULL, N_("How long one step may take.") }, \
	{ sect, "session", K_TIME, F(server.session_s), NULL, 1, 86400, \
	    "1 h", NULL, N_("How long one session may take in all.") }

const struct row conf_rows[] = {
	{ S_TOP, "language", K_LANG, TOP(language), w_lang, 0, 0, NULL,
	    N_("the environment's"), N_("Language of messages and mails to "
	    "people, under cron too.") },
	{ S_TOP, "state", K_PATH, TOP(state), NULL, 0, 0, NULL,
	    N_("~/.local/state/sceau, or /var/lib/sceau"),
	    N_("Folder of the store: queue, inbox, registers.") },
	{ S_TOP, "keystore", K_PATH, TOP(keystore), NULL, 0, 0, NULL,
	    N_("keystore in the folder of state"),
	    N_("The local key store.") },
	{ S_TOP, "keystore_key", K_PATH, TOP(keystore_key), NULL, 0, 0, NULL,
	    N_("keystore.key in the folder of state"),
	    N_("The machine key that opens the key store.") },
	{ S_TOP, "route", K_ADDR, TOP(route), NULL, 0, 0, NULL, NULL,
	    N_("Our own mailbox, as others reach it; needed to send.") },
	{ S_TOP, "syslog", K_BOOL, TOP(syslog), NULL, 0, 0, "no", NULL,
	    N_("Log to syslog, not to the standard error.") },
	{ S_TOP, "log_level", K_WORD, TOP(log_level), w_level, 0, 0, NULL,
	    N_("info to syslog, warn to the standard error"),
	    N_("From which level on events are logged.") },
	{ S_TOP, "max_send", K_SIZE, TOP(max_send), NULL, 0, 0, "25 MB", NULL,
	    N_("Largest message that may be sent.") },
	{ S_TOP, "max_receive", K_SIZE, TOP(max_receive), NULL, 0, 0, "64 MB",
	    NULL, N_("Largest sealed message that is fetched.") },
	{ S_TOP, "ack_delay", K_RANGE, TOP(ack_delay_min_s), NULL, 0, 0,
	    "60-300 s", NULL, N_("Acknowledgements alone wait that long, at "
	    "random.") },
	{ S_TOP, "give_up", K_TIME, TOP(give_up_s), NULL, 60, 0, "5 days",
	    NULL, N_("How long a relay is tried before the sender is "
	    "told.") },
	{ S_TOP, "keep_filed", K_TIME, TOP(keep_filed_s), NULL, 0, 0,
	    "30 days", NULL, N_("How long what was filed is kept, sealed, for "
	    "sceau refile.") },
	{ S_TOP, "keep_patients", K_TIME, TOP(keep_patients_s), NULL, 0, 0,
	    "1096 days", NULL, N_("How long the digest of a patient is kept "
	    "who comes no more.") },
	{ S_TOP, "register_patients", K_BOOL, TOP(register_patients), NULL, 0,
	    0, "no", NULL, N_("Digests of patients in the register, of what "
	    "outboxes send.") },
	{ S_TOP, "working_hours", K_HOURS, TOP(working), NULL, 0, 0,
	    HOURS_USUAL, NULL, N_("When people are at work: days and "
	    "hours.") },
	{ S_TOP, "late", K_WAIT, TOP(late), NULL, 60, 0, "24 h", NULL,
	    N_("Alarm when a message has not been received by then.") },
	{ S_TOP, "unopened", K_WAIT, TOP(unopened), NULL, 60, 0, "72 h", NULL,
	    N_("Alarm when a received message has not been opened by "
	    "then.") },
	{ S_TOP, "silent", K_WAIT, TOP(silent), NULL, 60, 0, "3 days", NULL,
	    N_("Alarm when nothing was heard of a correspondent for whom mail "
	    "waits.") },
	{ S_TOP, "parallel", K_INT, TOP(parallel), NULL, 1, 64, "64", NULL,
	    N_("Accounts fetched at once.") },
	{ S_TOP, "hub", K_BOOL, TOP(hub), NULL, 0, 0, "no", NULL,
	    N_("Relay for members: the association's gateway only.") },
	{ S_TOP, "hub_members", K_TEXT, TOP(hub_members), NULL, 0, 0, NULL,
	    N_("every member"), N_("For whom it relays: addresses or names, "
	    "between blanks or commas.") },
	{ S_TOP, "hub_messages", K_INT, TOP(hub_messages), NULL, 0, 1000000,
	    "0", N_("no limit"), N_("How many messages a day it relays for one "
	    "member; the others wait for the next day.") },
	{ S_TOP, "hub_size", K_SIZE, TOP(hub_size), NULL, 0, 0, NULL,
	    N_("no limit"), N_("The same by their size.") },
	{ S_TOP, "hub_archive", K_TIME, TOP(hub_archive_s), NULL, 0, 0, "0",
	    N_("no archive"), N_("How long what it relays is kept, sealed, for "
	    "sceau refile.") },
	{ S_TOP, "alarm_command", K_COMMAND, TOP(alarm_command), NULL, 0, 0,
	    NULL, NULL, N_("Command that gets each alarm on its standard "
	    "input.") },
	{ S_TOP, "digest_to", K_ADDR, TOP(digest_to), NULL, 0, 0, NULL,
	    N_("no such mail"), N_("Who gets the daily mail about "
	    "alarms.") },
	{ S_TOP, "digest_at", K_INT, TOP(digest_at), NULL, 0, 23, "7", NULL,
	    N_("From which hour of the day on it is sent.") },
	{ S_TOP, "digest_command", K_COMMAND, TOP(digest_command), NULL, 0, 0,
	    "/usr/sbin/sendmail -t", NULL, N_("Command that gets the daily "
	    "mail on its standard input.") },
	{ S_TOP, "digest_empty", K_BOOL, TOP(digest_empty), NULL, 0, 0, "no",
	    NULL, N_("Send the daily mail also when there is no alarm.") },
	{ S_TOP, "metrics_file", K_PATH, TOP(metrics_file), NULL, 0, 0, NULL,
	    NULL, N_("File of figures for Prometheus, written at the end of "
	    "each pass.") },

	{ S_ACCOUNT, "protocol", K_WORD, ACC(protocol), w_protocol, 0, 0,
	    NULL, N_("none: it must be written"),
	    N_("How the mail is fetched.") },
	SERVER(S_ACCOUNT, ACC),
	{ S_ACCOUNT, "path", K_PATH, ACC(path), NULL, 0, 0, NULL, NULL,
	    N_("Maildir or folder where another program puts the mail.") },
	{ S_ACCOUNT, "mailbox", K_TEXT, ACC(mailbox), NULL, 0, 0, "INBOX",
	    NULL, N_("IMAP mailbox to fetch from.") },
	{ S_ACCOUNT, "after", K_WORD, ACC(after), w_after, 0, 0, "delete",
	    NULL, N_("What becomes of the server's copy once the mail is "
	    "delivered.") },
	{ S_ACCOUNT, "move_to", K_TEXT, ACC(move_to), NULL, 0, 0, NULL, NULL,
	    N_("IMAP mailbox for after = move.") },
	{ S_ACCOUNT, "keep_days", K_INT, ACC(keep_days), NULL, 0, 3650, "0",
	    NULL, N_("Days before a kept copy is deleted; 0: never.") },
	{ S_ACCOUNT, "unsealed", K_WORD, ACC(unsealed), w_unsealed, 0, 0,
	    "leave", NULL, N_("What becomes of mail that is not sealed.") },
	{ S_ACCOUNT, "unsealed_to", K_TEXT, ACC(unsealed_to), NULL, 0, 0,
	    NULL, N_("left where it is"),
	    N_("IMAP mailbox to which mail that is not sealed is moved.") },
	{ S_ACCOUNT, "idle", K_BOOL, ACC(idle), NULL, 0, 0, "yes", NULL,
	    N_("sceau run: let the IMAP server tell of new mail.") },
	{ S_ACCOUNT, "every", K_TIME, ACC(every_s), NULL, 10, 0, "300 s",
	    NULL, N_("sceau run: time between two looks.") },
	{ S_ACCOUNT, "batch", K_INT, ACC(batch), NULL, 1, 1000, "1000", NULL,
	    N_("Messages asked for in one request.") },

	SERVER(S_RELAY, REL),
	{ S_RELAY, "engine", K_WORD, REL(engine), w_engine, 0, 0, "auto",
	    NULL, N_("Library that speaks SMTP.") },
	{ S_RELAY, "helo", K_HELO, REL(helo), NULL, 0, 0, NULL,
	    N_("the address of this machine"),
	    N_("Name given in EHLO.") },
	{ S_RELAY, "sessions", K_INT, REL(sessions), NULL, 1, 32, "4", NULL,
	    N_("Connections at once, when more than 16 mails wait.") },

	{ S_DELIVER, "kind", K_WORD, DEL(kind), w_deliver, 0, 0, NULL,
	    N_("none: it must be written"),
	    N_("maildir: whole messages; folder: documents for the practice "
	    "software; pipe: whole messages to a command.") },
	{ S_DELIVER, "path", K_PATH, DEL(path), NULL, 0, 0, NULL, NULL,
	    N_("The Maildir or the folder.") },
	{ S_DELIVER, "command", K_COMMAND, DEL(command), NULL, 0, 0, NULL,
	    NULL, N_("Command that gets the message on its standard "
	    "input.") },
	{ S_DELIVER, "from", K_TEXT, DEL(from), NULL, 0, 0, NULL,
	    N_("everybody"),
	    N_("Only from these: addresses, or @domain, with commas.") },
	{ S_DELIVER, "to", K_TEXT, DEL(to), NULL, 0, 0, NULL,
	    N_("everybody"),
	    N_("Only reports whose line 12 names one of these: code, name or "
	    "address, with commas.") },
	{ S_DELIVER, "otherwise", K_BOOL, DEL(otherwise), NULL, 0, 0, "no",
	    NULL, N_("What no delivery with from or to has taken.") },
	{ S_DELIVER, "unsealed", K_BOOL, DEL(unsealed), NULL, 0, 0, "no",
	    NULL, N_("Only mail that is not sealed, marked as such.") },
	{ S_DELIVER, "charset", K_WORD, DEL(charset), w_charset, 0, 0, "keep",
	    NULL, N_("Character set that the practice software reads.") },
	{ S_DELIVER, "line_ends", K_WORD, DEL(line_ends), w_eol, 0, 0, "keep",
	    NULL, N_("How lines end in it.") },
	{ S_DELIVER, "file_per", K_WORD, DEL(file_per), w_file_per, 0, 0,
	    "document", NULL, N_("A file for each document as it came, for "
	    "each patient, or one for the reports of a whole message.") },
	{ S_DELIVER, "header", K_WORD, DEL(header), w_header, 0, 0, "keep",
	    NULL, N_("whole: HPRIM headers are completed and put in "
	    "order.") },
	{ S_DELIVER, "names", K_NAMES, DEL(names), NULL, 0, 0, "%n", NULL,
	    N_("How names of files begin.") },
	{ S_DELIVER, "attachments", K_PATH, DEL(attachments), NULL, 0, 0,
	    NULL, N_("beside the texts"),
	    N_("Folder for PDF, images and all that is no text.") },
	{ S_DELIVER, "remarks", K_PATH, DEL(remarks), NULL, 0, 0, NULL,
	    N_("sceau in path"),
	    N_("Folder for what is to be known of a document.") },
	{ S_DELIVER, "opened", K_BOOL, DEL(opened), NULL, 0, 0, NULL,
	    N_("yes for a folder"),
	    N_("Tell the sender when the practice software has taken the "
	    "document.") },
	{ S_DELIVER, "filed", K_PATH, DEL(filed), NULL, 0, 0, NULL,
	    N_("it vanishes from path"),
	    N_("Folder to which the practice software moves what it has "
	    "taken.") },

	{ S_OUTBOX, "path", K_PATH, OUT(path), NULL, 0, 0, NULL,
	    N_("none: it must be written"),
	    N_("Folder where the laboratory's system drops its files.") },
	{ S_OUTBOX, "route", K_WORD, OUT(route), w_out_route, 0, 0, "folder",
	    NULL, N_("folder: each recipient has a sub-folder; hprim: line "
	    "12 of the report says for whom it is.") },
	{ S_OUTBOX, "to", K_TEXT, OUT(to), NULL, 0, 0, NULL, NULL,
	    N_("One recipient for all that is dropped.") },
	{ S_OUTBOX, "aliases", K_PATH, OUT(aliases), NULL, 0, 0, NULL, NULL,
	    N_("File of lines code or name = address.") },
	{ S_OUTBOX, "from", K_TEXT, OUT(from), NULL, 0, 0, NULL,
	    N_("the only one"),
	    N_("Which of our addresses writes.") },
	{ S_OUTBOX, "ready", K_WORD, OUT(ready), w_ready, 0, 0, "quiet", NULL,
	    N_("How to know that a file is whole: nobody writes to it any "
	    "more, it is given its name, or a file .ok follows.") },
	{ S_OUTBOX, "quiet", K_TIME, OUT(quiet_s), NULL, 1, 86400, "30 s",
	    NULL, N_("ready = quiet: unchanged for that long.") },
	{ S_OUTBOX, "after", K_WORD, OUT(after), w_out_after, 0, 0, "delete",
	    NULL, N_("What becomes of a file once it is sealed and "
	    "queued.") },
	{ S_OUTBOX, "sent", K_PATH, OUT(sent), NULL, 0, 0, NULL,
	    N_("sent in path"), N_("Folder for after = move.") },
	{ S_OUTBOX, "refused", K_PATH, OUT(refused), NULL, 0, 0, NULL,
	    N_("refused in path"),
	    N_("Folder for what cannot be sent, with the reasons.") },
	{ S_OUTBOX, "split", K_BOOL, OUT(split), NULL, 0, 0, "no", NULL,
	    N_("A message for each patient of an HPRIM file.") },
	{ S_OUTBOX, "oddities", K_WORD, OUT(oddities), w_oddities, 0, 0,
	    "send", NULL, N_("What is odd in an HPRIM file and no error: "
	    "send and tell, or refuse.") },
	{ S_OUTBOX, "subject", K_TEXT, OUT(subject), NULL, 0, 0, NULL,
	    N_("Results, in the language of language"),
	    N_("Subject of the sealed message.") },
};

const size_t conf_nrows = sizeof(conf_rows) / sizeof(conf_rows[0]);

const char *
sect_name(enum sect s)
{
	static const char *const names[S_N] = { "", "account", "relay",
	    "deliver", "outbox" };

	return names[s];
}

bool
row_is_string(const struct row *r)
{
	return r->kind <= K_NAMES;
}

/* A password file that others can read is no secret; one that is not there
 * yet is told when it is needed. */
static enum rc
read_secret_file(const char *s, char **out, struct err *e)
{
	enum rc rc = value_path(s, out, e);
	struct stat st;

	if (rc == RC_OK && stat(*out, &st) == 0)
		rc = file_private(*out, e);
	if (rc != RC_OK) {
		free(*out);
		*out = NULL;
	}
	return rc;
}

static enum rc
read_string(const struct row *r, const char *s, char **field, struct err *e)
{
	static enum rc (*const read[])(const char *, char **, struct err *) = {
		[K_TEXT] = value_text, [K_COMMAND] = value_text,
		[K_PATH] = value_path, [K_SECRET_FILE] = read_secret_file,
		[K_HOST] = value_host, [K_HELO] = value_helo,
		[K_ADDR] = value_addr, [K_PIN] = value_pin,
		[K_LANG] = value_text, [K_NAMES] = value_names,
	};
	char *out = NULL;
	int ignored;
	enum rc rc = RC_OK;

	if (r->words != NULL)
		rc = value_word(s, r->words, &ignored, e);
	if (rc != RC_OK || (rc = read[r->kind](s, &out, e)) != RC_OK)
		return rc;
	free(*field);
	*field = out;
	return RC_OK;
}

static enum rc
too_short(const struct row *r, struct err *e)
{
	return err_set(e, RC_CONF, _("it is too short; write at least "
	    "\"%d s\""), r->min);
}

/* A duration of the row's own limits, where it has some. */
static enum rc
read_time(const struct row *r, const char *s, int *out, struct err *e)
{
	int n;
	enum rc rc = value_time(s, &n, e);

	if (rc != RC_OK)
		return rc;
	if (n < r->min)
		return too_short(r, e);
	if (r->max != 0 && n > r->max)
		return err_set(e, RC_CONF, _("it is too long; write at most "
		    "\"%d s\""), r->max);
	*out = n;
	return RC_OK;
}

static enum rc
read_wait(const struct row *r, const char *s, struct conf_wait *out,
    struct err *e)
{
	struct conf_wait w;
	enum rc rc = value_wait(s, &w.s, &w.working, e);

	if (rc == RC_OK && w.s < r->min)
		rc = too_short(r, e);
	if (rc == RC_OK)
		*out = w;
	return rc;
}

static enum rc
read_port(const struct row *r, const char *s, uint16_t *out, struct err *e)
{
	int n;
	enum rc rc = value_int(s, r->min, r->max, &n, e);

	if (rc == RC_OK)
		*out = (uint16_t)n;
	return rc;
}

enum rc
row_read(const struct row *r, const char *s, void *base, struct err *e)
{
	void *field = (char *)base + r->at;
	int *two = field;

	switch (r->kind) {
	case K_TEXT: case K_COMMAND: case K_PATH: case K_SECRET_FILE:
	case K_HOST: case K_HELO: case K_ADDR: case K_PIN: case K_LANG:
	case K_NAMES:
		return read_string(r, s, field, e);
	case K_WORD:
		return value_word(s, r->words, field, e);
	case K_INT:
		return value_int(s, r->min, r->max, field, e);
	case K_TIME:
		return read_time(r, s, field, e);
	case K_RANGE:
		return value_range(s, &two[0], &two[1], e);
	case K_WAIT:
		return read_wait(r, s, field, e);
	case K_HOURS:
		return hours_parse(s, field, e);
	case K_PORT:
		return read_port(r, s, field, e);
	case K_BOOL:
		return value_bool(s, field, e);
	case K_SIZE:
		return value_size(s, field, e);
	}
	return RC_OK;
}

/* "imap | pop3 | maildir" */
static const char *
type_of(const struct row *r, struct buf *b)
{
	static const char *const names[] = {
		[K_TEXT] = N_("text"), [K_COMMAND] = N_("command"),
		[K_PATH] = N_("path"), [K_SECRET_FILE] = N_("path"),
		[K_HOST] = N_("host"), [K_HELO] = N_("host"),
		[K_ADDR] = N_("address"), [K_PIN] = N_("fingerprint"),
		[K_NAMES] = N_("pattern"),
		[K_INT] = N_("number"), [K_TIME] = N_("duration"),
		[K_WAIT] = N_("duration"), [K_HOURS] = N_("days and hours"),
		[K_RANGE] = N_("duration-duration"), [K_PORT] = N_("number"),
		[K_BOOL] = N_("yes | no"), [K_SIZE] = N_("size"),
	};

	if (r->words == NULL)
		return _(names[r->kind]);
	buf_wipe(b);
	for (size_t i = 0; r->words[i] != NULL; i++)
		if (!buf_addf(b, "%s%s", i == 0 ? "" : " | ", r->words[i]))
			return NULL;
	return buf_str(b);
}

enum rc
conf_settings_each(enum rc (*each)(void *arg, const struct conf_setting *s,
    struct err *e), void *arg, struct err *e)
{
	struct buf b = BUF_INIT;
	enum rc rc = RC_OK;

	for (size_t i = 0; i < conf_nrows && rc == RC_OK; i++) {
		const struct row *r = &conf_rows[i];
		struct conf_setting s = { sect_name(r->sect), r->name,
		    type_of(r, &b), "", _(r->help) };

		if (r->say != NULL)
			s.fallback = _(r->say);
		else if (r->dflt != NULL)
			s.fallback = r->dflt;
		rc = s.type == NULL ? err_set(e, RC_NOMEM, _("no memory for "
		    "the configuration")) : each(arg, &s, e);
	}
	buf_free(&b);
	return rc;
}

enum rc
conf_route(const struct conf *c, struct err *e)
{
	return c->route != NULL ? RC_OK : err_set(e, RC_CONF, _("nothing can "
	    "be sent without route = our own mail address; write it into %s"),
	    c->path);
}
