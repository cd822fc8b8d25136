#include "config.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

#define LINE_BYTES 2048

static enum log_to target = LOG_TO_STDERR;
static enum log_level threshold = LOG_L_INFO;

static const struct {
	const char	*name;
	int		 syslog;
} levels[] = {
	[LOG_L_ERROR] = { "error", LOG_ERR },
	[LOG_L_WARN] = { "warning", LOG_WARNING },
	[LOG_L_INFO] = { "info", LOG_INFO },
	[LOG_L_DEBUG] = { "debug", LOG_DEBUG },
};

void
log_open(enum log_to to, enum log_level level)
{
	target = to;
	threshold = level;
	/* LOG_NDELAY: the socket must be there before a sandbox is. */
	if (to == LOG_TO_SYSLOG)
		openlog("sceau", LOG_PID | LOG_NDELAY, LOG_MAIL);
}

static size_t
line_add(char *line, size_t at, const char *s)
{
	size_t len = strlen(s);

	if (len > LINE_BYTES - 2 - at)
		len = LINE_BYTES - 2 - at;
	memcpy(line + at, s, len);
	return at + len;
}

static bool
is_plain(const char *s)
{
	if (*s == '\0')
		return false;
	for (; *s != '\0'; s++)
		if (*s <= ' ' || *s > '~' || *s == '"' || *s == '\\' ||
		    *s == '=')
			return false;
	return true;
}

/* Of 2 or 3 octets, and to be seen: no control, no mark that turns the
 * direction of the line or hides something in it. */
static bool
is_visible(uint32_t c)
{
	return (c >= 0xa0 && c < 0x200b) || (c > 0x200f && c < 0x2028) ||
	    (c > 0x202e && c < 0x2060) || (c > 0x206f && c < 0xd800) ||
	    (c > 0xf8ff && c < 0xfeff) || (c > 0xfeff && c < 0xfff0);
}

/* How many octets of ${s} are one character that may stand as it is: our own
 * words are French too; 0: it is to be escaped. */
static size_t
as_it_is(const char *s)
{
	const unsigned char *u = (const unsigned char *)s;
	uint32_t c;

	if (u[0] < 0x80)
		return u[0] >= ' ' && u[0] <= '~' && u[0] != '"' &&
		    u[0] != '\\' ? 1 : 0;
	if ((u[1] & 0xc0) != 0x80)
		return 0;
	if (u[0] >= 0xc2 && u[0] <= 0xdf) {
		c = (uint32_t)(u[0] & 0x1f) << 6 | (u[1] & 0x3f);
		return is_visible(c) ? 2 : 0;
	}
	if (u[0] < 0xe0 || u[0] > 0xef || (u[2] & 0xc0) != 0x80)
		return 0;
	c = (uint32_t)(u[0] & 0x0f) << 12 | (uint32_t)(u[1] & 0x3f) << 6 |
	    (u[2] & 0x3f);
	return c >= 0x800 && is_visible(c) ? 3 : 0;
}

static size_t
line_quote(char *line, size_t at, const char *s)
{
	char word[5];
	size_t n;

	at = line_add(line, at, "\"");
	for (; *s != '\0'; s += n > 0 ? n : 1) {
		if ((n = as_it_is(s)) > 0)
			snprintf(word, sizeof(word), "%.*s", (int)n, s);
		else
			snprintf(word, sizeof(word), "\\x%02x",
			    (unsigned char)*s);
		at = line_add(line, at, word);
	}
	return line_add(line, at, "\"");
}

static size_t
line_kv(char *line, size_t at, const struct log_kv *kv)
{
	char n[24];

	at = line_add(line, at, " ");
	at = line_add(line, at, kv->key);
	at = line_add(line, at, "=");
	if (kv->s == NULL) {
		snprintf(n, sizeof(n), "%lld", (long long)kv->n);
		return line_add(line, at, n);
	}
	return is_plain(kv->s) ? line_add(line, at, kv->s) :
	    line_quote(line, at, kv->s);
}

void
log_event(enum log_level level, const char *event, const struct log_kv *kv)
{
	char line[LINE_BYTES], now[CLOCK_3339_BYTES];
	size_t at = 0;

	if (level > threshold || target == LOG_TO_NONE)
		return;
	if (target == LOG_TO_STDERR) {
		clock_3339(clock_now(), now);
		at = line_add(line, at, now);
		at = line_add(line, at, " ");
	}
	at = line_add(line, at, "level=");
	at = line_add(line, at, levels[level].name);
	at = line_add(line, at, " event=");
	at = line_add(line, at, event);
	for (; kv->key != NULL; kv++)
		at = line_kv(line, at, kv);
	if (target == LOG_TO_SYSLOG) {
		line[at] = '\0';
		syslog(levels[level].syslog, "%s", line);
		return;
	}
	line[at++] = '\n';
	/* One write: lines of several processes do not mix. A log that
	 * cannot be written has nowhere to be complained of. */
	if (write(STDERR_FILENO, line, at) < 0)
		return;
}

void
log_plain(char *s)
{
	size_t n;

	for (; *s != '\0'; s += n > 0 ? n : 1)
		if ((n = as_it_is(s)) == 0 && *s != '"' && *s != '\\')
			*s = '?';
}
