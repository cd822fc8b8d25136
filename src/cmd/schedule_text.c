#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/lang.h"
#include "cmd/schedule_text.h"

#define DAYS 7

enum rc
schedule_every(const char *s, struct schedule *out, struct err *e)
{
	char *end;
	long n = strtol(s, &end, 10);

	if (*s == '\0' || *end != '\0' || n < 1 || n > 60 || 60 % n != 0)
		return err_set(e, RC_CONF, _("--every %s: minutes, such that "
		    "an hour is a whole number of them: 1, 5, 10, 15, 20, 30 "
		    "or 60"), s);
	out->every = (int)n;
	return RC_OK;
}

/* ${sep} between the days that are meant, each as ${fmt} of its number or,
 * when NULL, by its name with a capital. */
static bool
days_say(const struct schedule *s, bool named, struct buf *out)
{
	bool ok = true, first = true;

	for (int i = 0; ok && i < DAYS; i++) {
		/* The week begins on Monday. */
		int d = (i + 1) % DAYS;

		if (!s->when.day[d])
			continue;
		ok = (first || buf_adds(out, ",")) &&
		    (named ? buf_addf(out, "%c%s", hours_day(d)[0] - 32,
		    hours_day(d) + 1) : buf_addf(out, "%d", d));
		first = false;
	}
	return ok;
}

/* For sh, in one line of a crontab: there, % is the end of a line. */
static bool
cron_word(const char *word, struct buf *out)
{
	bool ok = buf_adds(out, "'");

	for (; ok && *word != '\0'; word++)
		ok = *word == '\'' ? buf_adds(out, "'\\''") :
		    *word == '%' ? buf_adds(out, "\\%") :
		    buf_add(out, word, 1);
	return ok && buf_adds(out, "'");
}

bool
schedule_cron(const struct schedule *s, struct buf *out)
{
	const struct hours *w = &s->when;
	bool ok = s->every == 60 ? buf_addf(out, "%d", s->minute) :
	    buf_addf(out, "%d-59/%d", s->minute, s->every);

	if (!ok || !buf_addf(out, w->to - w->from > 1 ? " %d-%d * * " :
	    " %d * * ", w->from, w->to - 1) || !days_say(s, false, out) ||
	    !buf_adds(out, " ") || !cron_word(s->program, out))
		return false;
	if (s->conf != NULL && !(buf_adds(out, " -c ") &&
	    cron_word(s->conf, out)))
		return false;
	return buf_adds(out, " poll " SCHEDULE_MARK "\n");
}

/* systemd's own quoting; % begins a specifier, $ a variable. */
static bool
unit_word(const char *word, struct buf *out)
{
	bool ok = buf_adds(out, "\"");

	for (; ok && *word != '\0'; word++)
		ok = *word == '%' ? buf_adds(out, "%%") :
		    *word == '$' ? buf_adds(out, "$$") :
		    *word == '"' || *word == '\\' ?
		    buf_addf(out, "\\%c", *word) : buf_add(out, word, 1);
	return ok && buf_adds(out, "\"");
}

bool
schedule_service(const struct schedule *s, struct buf *out)
{
	return buf_addf(out, "[Unit]\nDescription=%s\n\n[Service]\n"
	    "Type=oneshot\nExecStart=", _("sceau: fetch and relay once")) &&
	    unit_word(s->program, out) && (s->conf == NULL ||
	    (buf_adds(out, " -c ") && unit_word(s->conf, out))) &&
	    buf_adds(out, " poll\n");
}

bool
schedule_timer(const struct schedule *s, struct buf *out)
{
	return buf_addf(out, "[Unit]\nDescription=%s\n\n[Timer]\n"
	    "OnCalendar=", _("sceau: fetch and relay by itself")) &&
	    days_say(s, true, out) &&
	    buf_addf(out, " *-*-* %d..%d:%d/%d:%02d\nAccuracySec=1s\n\n"
	    "[Install]\nWantedBy=timers.target\n", s->when.from, s->when.to - 1,
	    s->minute, s->every, s->second);
}

static bool
xml_string(const char *text, struct buf *out)
{
	bool ok = buf_adds(out, "\t\t<string>");

	for (; ok && *text != '\0'; text++)
		ok = *text == '&' ? buf_adds(out, "&amp;") :
		    *text == '<' ? buf_adds(out, "&lt;") :
		    buf_add(out, text, 1);
	return ok && buf_adds(out, "</string>\n");
}

/* Every moment of a week: launchd knows no steps. */
static bool
moments(const struct schedule *s, struct buf *out)
{
	const struct hours *w = &s->when;
	bool ok = true;

	for (int d = 0; ok && d < DAYS; d++)
		for (int h = w->from; w->day[d] && ok && h < w->to; h++)
			for (int m = s->minute; ok && m < 60; m += s->every)
				ok = buf_addf(out, "\t\t<dict><key>Weekday"
				    "</key><integer>%d</integer><key>Hour"
				    "</key><integer>%d</integer><key>Minute"
				    "</key><integer>%d</integer></dict>\n",
				    d, h, m);
	return ok;
}

bool
schedule_agent(const struct schedule *s, struct buf *out)
{
	return buf_adds(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
	    "<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" "
	    "\"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n"
	    "<plist version=\"1.0\">\n<dict>\n\t<key>Label</key>\n"
	    "\t<string>" SCHEDULE_LABEL "</string>\n"
	    "\t<key>ProgramArguments</key>\n\t<array>\n") &&
	    xml_string(s->program, out) && (s->conf == NULL ||
	    (xml_string("-c", out) && xml_string(s->conf, out))) &&
	    xml_string("poll", out) &&
	    buf_adds(out, "\t</array>\n\t<key>StartCalendarInterval</key>\n"
	    "\t<array>\n") && moments(s, out) &&
	    buf_adds(out, "\t</array>\n</dict>\n</plist>\n");
}
