/* sceau setup: the configuration, as a person would like to read it. */
#include "config.h"

#include <string.h>

#include "base/clock.h"
#include "base/lang.h"
#include "cmd/setup.h"

#define WIDTH 76

/* Columns of UTF-8: octets that begin a character. */
static size_t
width(const char *s, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		n += ((unsigned char)s[i] & 0xc0) != 0x80;
	return n;
}

/* "# " before each line of ${text}, filled. */
static bool
comment(struct buf *b, const char *indent, const char *text)
{
	size_t at = 0;
	bool ok = true;

	while (ok && *text != '\0') {
		size_t len = strcspn(text, " "), wide = width(text, len);
		bool new = at == 0 || at + 1 + wide > WIDTH;

		if (new)
			ok = buf_addf(b, "%s%s#", at == 0 ? "" : "\n", indent);
		at = new ? 2 * strlen(indent) + 1 : at;
		at += 1 + wide;
		ok = ok && buf_addf(b, " %.*s", (int)len, text);
		text += len + (text[len] == ' ');
	}
	return ok && buf_add8(b, '\n');
}

/* A value that libConfuse gives back as it was: between single quotes where
 * double ones would change it. */
static bool
setting(struct buf *b, const char *indent, const char *name, const char *s)
{
	bool single = strpbrk(s, "\"\\$") != NULL;
	char quote = single ? '\'' : '"';
	bool ok = buf_addf(b, "%s%s = %c", indent, name, quote);

	for (; ok && *s != '\0'; s++) {
		if (single && (*s == '\'' || *s == '\\'))
			ok = buf_add8(b, '\\');
		ok = ok && buf_add8(b, (uint8_t)*s);
	}
	return ok && buf_addf(b, "%c\n", quote);
}

static bool
head(const struct setup_plan *p, struct buf *b)
{
	char now[CLOCK_SAY_BYTES], line[ASK_BYTES + 200];

	clock_say(clock_now(), now);
	snprintf(line, sizeof(line), _("Configuration of %s, written by "
	    "\"sceau setup\": %s."), p->address, now);
	return comment(b, "", line) &&
	    comment(b, "", _("All settings: man sceau.conf. To see whether "
	    "they are in order: sceau check.")) &&
	    buf_adds(b, "\n") &&
	    comment(b, "", _("Language of messages, under cron too.")) &&
	    buf_addf(b, "language = %s\n\n", lang_code()) &&
	    comment(b, "", _("Nothing is printed while all is well: cron "
	    "then sends no mail. \"sceau log\" tells the rest.")) &&
	    buf_adds(b, "log_level = warn\n\n") &&
	    comment(b, "", _("Our own mailbox, as others reach it.")) &&
	    setting(b, "", "route", p->address) &&
	    (!p->lab || (buf_adds(b, "\n") &&
	    comment(b, "", _("Alarm when a result has not been received by "
	    "then, counted while people work (working_hours).")) &&
	    setting(b, "", "late", _("4 working hours"))));
}

static bool
server(const struct setup_plan *p, const struct place *at, bool login,
    struct buf *b)
{
	static const char *const words[] = { "implicit", "starttls", "none" };
	static const char *const proofs[] = { "password_file",
	    "password_command", "token_command" };

	return setting(b, "\t", "host", at->host) &&
	    buf_addf(b, "\tport = %u\n\ttls = %s\n", (unsigned)at->port,
	    words[at->tls]) &&
	    (p->ca_file[0] == '\0' || at->tls == CONF_TLS_NONE ||
	    setting(b, "\t", "ca_file", p->ca_file)) &&
	    (!login || (setting(b, "\t", "user", p->user) &&
	    setting(b, "\t", proofs[p->proof], p->secret)));
}

static bool
account(const struct setup_plan *p, struct buf *b)
{
	return buf_adds(b, "\n") &&
	    comment(b, "", _("Fetching. Nothing leaves the server before the "
	    "opened result is on disk.")) &&
	    buf_addf(b, "account \"%s\" {\n\tprotocol = %s\n",
	    /* TRANSLATORS: the name of a section: a-z and - only */
	    _("our-mailbox"), p->kind == PLACE_IMAP ? "imap" : "pop3") &&
	    server(p, &p->fetch, true, b) &&
	    comment(b, "\t", _("For the first weeks: messages stay on the "
	    "server for 15 days. Later: after = delete.")) &&
	    buf_adds(b, "\tafter = keep\n\tkeep_days = 15\n}\n");
}

static bool
relay(const struct setup_plan *p, struct buf *b)
{
	return buf_adds(b, "\n") &&
	    comment(b, "", _("Sending: results, answers, and the "
	    "acknowledgements.")) &&
	    /* TRANSLATORS: the name of a section: a-z and - only */
	    buf_addf(b, "relay \"%s\" {\n", _("our-provider")) &&
	    server(p, &p->relay, p->relay.tls != CONF_TLS_NONE, b) &&
	    buf_adds(b, "}\n");
}

static bool
deliver(const struct setup_plan *p, struct buf *b)
{
	return buf_adds(b, "\n") &&
	    comment(b, "", p->lab ? _("Answers that were opened, for a mail "
	    "reader.") : _("The folder from which your software imports "
	    "results.")) &&
	    /* TRANSLATORS: names of sections: a-z and - only */
	    buf_addf(b, "deliver \"%s\" {\n\tkind = %s\n",
	    p->lab ? _("opened-answers") : _("opened-results"),
	    p->lab ? "maildir" : "folder") &&
	    setting(b, "\t", "path", p->folder) &&
	    buf_adds(b, "}\n");
}

static bool
outbox(const struct setup_plan *p, struct buf *b)
{
	return p->outbox[0] == '\0' || (buf_adds(b, "\n") &&
	    comment(b, "", _("What is dropped here is sealed and sent: a "
	    "sub-folder for each recipient, named by its address.")) &&
	    /* TRANSLATORS: the name of a section: a-z and - only */
	    buf_addf(b, "outbox \"%s\" {\n", _("sent-results")) &&
	    setting(b, "\t", "path", p->outbox) && buf_adds(b, "}\n"));
}

bool
setup_text(const struct setup_plan *p, struct buf *out)
{
	return head(p, out) && account(p, out) && relay(p, out) &&
	    outbox(p, out) && deliver(p, out);
}
