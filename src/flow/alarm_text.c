#include "config.h"

#include <string.h>

#include "base/clock.h"
#include "base/lang.h"
#include "flow/alarm_text.h"
#include "mail/wrap.h"

static const struct {
	const char	*word;
	const char	*label;
	const char	*todo;
} rules[STORE_RULE_N] = {
	[STORE_RULE_CLOCK] = { "clock", N_("clock"),
	    N_("Set the clock of this machine, and let the network keep it "
	    "(NTP).") },
	[STORE_RULE_KEY] = { "key", N_("key ends soon"),
	    N_("Have letter and key file of the next year come? Then: sceau "
	    "key renew. If not, call the association.") },
	[STORE_RULE_BARRED] = { "barred", N_("own key barred"),
	    N_("Call the association. Nothing is sent until its new key file "
	    "is taken in (sceau key import FILE); mail that comes is still "
	    "read.") },
	[STORE_RULE_MISSED] = { "bulletin", N_("bulletin missing"),
	    N_("Call the association: which keys were stolen lately? It ends "
	    "by itself with the next bulletin that comes.") },
	[STORE_RULE_NOBULLETIN] = { "bulletin-silence", N_("no bulletin"),
	    N_("Call the association: does its watch desk work, and which "
	    "keys were stolen lately? It ends by itself with the next "
	    "bulletin that comes.") },
	[STORE_RULE_RELAY] = { "relay", N_("relay down"),
	    N_("Nothing is lost, it is tried again by itself. Look at the "
	    "connection and the password: sceau check") },
	[STORE_RULE_ACCOUNT] = { "account", N_("mailbox down"),
	    N_("Nothing is lost, it is tried again by itself. Look at the "
	    "connection and the password: sceau check") },
	[STORE_RULE_SILENT] = { "silent", N_("no news"),
	    N_("Call the practice: is its machine on, does it fetch its "
	    "mail?") },
	[STORE_RULE_LATE] = { "late", N_("not received"),
	    N_("Call the practice. The list to call: sceau sent --late "
	    "--print") },
	[STORE_RULE_UNOPENED] = { "unopened", N_("not opened"),
	    N_("Call the practice: does its software take the results in?") },
	[STORE_RULE_REFUSED] = { "refused", N_("refused"),
	    N_("Send the results by another way, and tell the "
	    "association.") },
	[STORE_RULE_FAILED] = { "failed", N_("failed"),
	    N_("Mend the cause, then: sceau queue retry --to ADDRESS") },
	[STORE_RULE_NOTSENT] = { "outbox-refused", N_("files refused"),
	    N_("The text beside each file says why. Correct the file in the "
	    "laboratory's system, drop it again, then delete it and its text "
	    "from this folder.") },
	[STORE_RULE_LEFT] = { "outbox-left", N_("files left lying"),
	    N_("Was the export cut short (a temporary name, a .ok that is "
	    "missing)? Drop them again. sceau check looks at the rest.") },
	[STORE_RULE_FILING] = { "delivery", N_("documents not filed"),
	    N_("Nothing is lost: they are kept, and filed by themselves once "
	    "there is room and the folder is in its place. Look: sceau "
	    "check") },
	[STORE_RULE_OUTBOX] = { "outbox", N_("outbox unusable"),
	    N_("Put the folder back in its place (disk, network, rights). "
	    "What is wrong with it: sceau check") },
	[STORE_RULE_LIMIT] = { "limit", N_("limit reached"),
	    N_("Nothing is lost: the rest goes tomorrow. Is so much mail of "
	    "this member right? Ask it; the limits are hub_messages and "
	    "hub_size in sceau.conf.") },
	[STORE_RULE_HELD] = { "held", N_("mail not opened"),
	    N_("Nothing is lost: it is kept sealed. Why, and what to do, of "
	    "each: sceau held list") },
};

const char *
alarm_rule(enum store_rule rule)
{
	return rules[rule].word;
}

const char *
alarm_label(enum store_rule rule)
{
	return _(rules[rule].label);
}

const char *
alarm_todo(enum store_rule rule)
{
	return _(rules[rule].todo);
}

void
alarm_who(const char *name, char out[ALARM_WHO_BYTES])
{
	const char *slash = strchr(name, '/');
	const char *from = slash != NULL ? slash + 1 : name;

	snprintf(out, ALARM_WHO_BYTES, "%.*s", (int)strcspn(from, "#"), from);
}

/* Of a practice: how many messages, and since when. */
static bool
what_of_mail(const struct store_alarm *a, const char *who, const char *when,
    struct buf *out)
{
	unsigned long n = (unsigned long)a->n;

	switch ((int)a->rule) {
	case STORE_RULE_SILENT:
		if (a->since == 0)
			return buf_addf(out, P_("%s: no news ever, though "
			    "%lu message waits for it.", "%s: no news ever, "
			    "though %lu messages wait for it.", n), who, n);
		return buf_addf(out, P_("%s: no news since %s, though %lu "
		    "message waits for it.", "%s: no news since %s, though "
		    "%lu messages wait for it.", n), who, when, n);
	case STORE_RULE_LATE:
		return buf_addf(out, P_("%s: %lu message not received, sent "
		    "%s.", "%s: %lu messages not received, the oldest sent "
		    "%s.", n), who, n, when);
	case STORE_RULE_UNOPENED:
		return buf_addf(out, P_("%s: %lu message received and not "
		    "opened since %s.", "%s: %lu messages received and not "
		    "opened, the oldest since %s.", n), who, n, when);
	case STORE_RULE_REFUSED:
		return buf_addf(out, P_("%s: %lu message refused, %s.",
		    "%s: %lu messages refused, the first %s.", n), who, n,
		    when);
	}
	return buf_addf(out, P_("%s: %lu message could not be handed to the "
	    "relay, given up %s (%s).", "%s: %lu messages could not be handed "
	    "to the relay, the first given up %s (%s).", n), who, n, when,
	    a->text);
}

/* Of an outbox: how many files, since when, in which folder. */
static bool
what_of_files(const struct store_alarm *a, const char *when, struct buf *out)
{
	unsigned long n = (unsigned long)a->n;

	if (a->rule == STORE_RULE_NOTSENT)
		return buf_addf(out, P_("Outbox %s: %lu file refused on %s "
		    "has not left; it lies in %s.", "Outbox %s: %lu files "
		    "refused, the first on %s, have not left; they lie in "
		    "%s.", n), a->subject, n, when, a->text);
	return buf_addf(out, P_("Outbox %s: %lu file lies there since %s and "
	    "is not taken: it is not whole, or cannot be sent yet; in %s.",
	    "Outbox %s: %lu files lie there, the oldest since %s, and are not "
	    "taken: they are not whole, or cannot be sent yet; in %s.", n),
	    a->subject, n, when, a->text);
}

bool
alarm_what(const struct store_alarm *a, struct buf *out)
{
	char who[ALARM_WHO_BYTES], when[CLOCK_SAY_BYTES];

	alarm_who(a->subject, who);
	clock_say(a->since, when);
	switch (a->rule) {
	case STORE_RULE_CLOCK:
		return buf_addf(out, _("The clock of this machine leapt on "
		    "%s: times and alarms may be wrong."), when);
	case STORE_RULE_KEY:
		if (a->level <= 0)
			return buf_addf(out, _("The key of %s was good to "
			    "write until %s: nothing leaves with it any "
			    "more."), who, when);
		return buf_addf(out, _("The key of %s ends in less than %d "
		    "days: it is good to write until %s."), who,
		    (int)a->level, when);
	case STORE_RULE_BARRED:
		return buf_addf(out, _("The association has barred the key of "
		    "%s that is held here."), who);
	case STORE_RULE_MISSED:
		alarm_who(a->text, who);
		return buf_addf(out, _("A bulletin on stolen keys has not "
		    "come here: %s had it on %s."), who, when);
	case STORE_RULE_NOBULLETIN:
		return buf_addf(out, _("No bulletin on stolen keys has come "
		    "since %s; there is one each week."), when);
	case STORE_RULE_LIMIT:
		return buf_addf(out, _("%s has sent through this gateway what "
		    "it may in a day, since %s; more of it waits."), who,
		    when);
	case STORE_RULE_RELAY:
		return buf_addf(out, _("The relay %s has failed since %s "
		    "(%s)."), a->subject, when, a->text);
	case STORE_RULE_ACCOUNT:
		return buf_addf(out, _("The mailbox %s has failed since %s "
		    "(%s)."), a->subject, when, a->text);
	case STORE_RULE_FILING:
		return buf_addf(out, _("Documents that came could not be "
		    "filed since %s (%s)."), when, a->text);
	case STORE_RULE_OUTBOX:
		return buf_addf(out, _("Outbox %s: nothing of it has left "
		    "since %s (%s)."), a->subject, when, a->text);
	case STORE_RULE_HELD:
		return buf_addf(out, P_("%lu sealed mail that came cannot be "
		    "opened, since %s.", "%lu sealed mails that came cannot "
		    "be opened, the first since %s.", (unsigned long)a->n),
		    (unsigned long)a->n, when);
	case STORE_RULE_NOTSENT: case STORE_RULE_LEFT:
		return what_of_files(a, when, out);
	case STORE_RULE_SILENT: case STORE_RULE_LATE:
	case STORE_RULE_UNOPENED: case STORE_RULE_REFUSED:
	case STORE_RULE_FAILED: case STORE_RULE_N:
		break;
	}
	return what_of_mail(a, who, when, out);
}

bool
alarm_say(const struct store_alarm *a, struct buf *out)
{
	char who[ALARM_WHO_BYTES], when[CLOCK_SAY_BYTES];

	if (a->ended_at == 0)
		return buf_adds(out, "- ") && alarm_what(a, out) &&
		    buf_addf(out, "\n  %s\n", alarm_todo(a->rule));
	alarm_who(a->subject, who);
	clock_say(a->ended_at, when);
	return who[0] == '\0' ?
	    buf_addf(out, _("- \"%s\" is over since %s.\n"),
	    alarm_label(a->rule), when) :
	    buf_addf(out, _("- %s: \"%s\" is over since %s.\n"), who,
	    alarm_label(a->rule), when);
}

/* Those that last, or those that ended, under their title. */
static bool
part(const char *title, const struct store_alarm *a, size_t n, bool ended,
    struct buf *out)
{
	bool ok = true, some = false;

	for (size_t i = 0; ok && i < n; i++) {
		if ((a[i].ended_at != 0) != ended)
			continue;
		ok = (some || buf_addf(out, "\n%s\n", title)) &&
		    alarm_say(&a[i], out);
		some = true;
	}
	return ok;
}

bool
alarm_news(const struct store_alarm *a, size_t n, const char *route,
    struct buf *out)
{
	return buf_addf(out, _("Alarms of sceau, %s"),
	    route != NULL ? route : "") && buf_adds(out, "\n") &&
	    part(_("New:"), a, n, false, out) &&
	    part(_("Over:"), a, n, true, out);
}

/* Its words are ASCII in every language: a Subject that needs no coding. */
static bool
mail_head(const struct alarm_digest *d, struct buf *out)
{
	unsigned long n = (unsigned long)d->all;
	char date[CLOCK_5322_BYTES], id[WRAP_ID_BYTES];

	wrap_message_id(d->from, d->random, id);
	clock_5322(d->now, date);
	return buf_addf(out, "From: sceau <%s>\nTo: %s\nDate: %s\n"
	    "Message-ID: <%s>\nSubject: ", d->from, d->to, date, id) &&
	    (n == 0 ? buf_adds(out, _("sceau - no alarm")) :
	    buf_addf(out, P_("sceau - %lu alarm", "sceau - %lu alarms", n),
	    n)) &&
	    buf_adds(out, "\nAuto-Submitted: auto-generated\n"
	    "MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n"
	    "Content-Transfer-Encoding: 8bit\n\n");
}

bool
alarm_mail(const struct alarm_digest *d, struct buf *out)
{
	char now[CLOCK_SAY_BYTES];

	clock_say(d->now, now);
	if (!mail_head(d, out) || !buf_addf(out, _("The day of sceau, %s, "
	    "%s"), d->from, now) || !buf_adds(out, "\n") ||
	    !part(_("Alarms:"), d->alarms, d->n, false, out) ||
	    (d->n == 0 && !buf_addf(out, "\n%s\n", _("No alarm."))))
		return false;
	if (d->all > d->n && !buf_addf(out, _("and %lu more: sceau status"),
	    (unsigned long)(d->all - d->n)))
		return false;
	return part(_("Over since the last mail:"), d->ended, d->nended, true,
	    out) && buf_adds(out, "\n") && buf_addf(out, _("To send: %lu. Not "
	    "yet received: %lu. Held: %lu. In detail: sceau status"),
	    (unsigned long)(d->counts.queued + d->counts.claimed),
	    (unsigned long)d->counts.undelivered,
	    (unsigned long)d->counts.held) && buf_adds(out, "\n");
}
