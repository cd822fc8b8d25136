#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/lang.h"
#include "conf/value.h"
#include "mail/addr.h"
#include "mail/b64.h"

#define TEN_YEARS_S (3653 * 86400)

static enum rc
no_memory(struct err *e)
{
	return err_set(e, RC_NOMEM, _("no memory for the configuration"));
}

/* CR, LF and their kin have no place in a command to a server. */
static enum rc
printable(const char *s, struct err *e)
{
	if (*s == '\0')
		return err_set(e, RC_CONF, _("the value is empty; write one, "
		    "or remove the line"));
	for (; *s != '\0'; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			return err_set(e, RC_CONF, _("the value holds a "
			    "control character (an end of line, perhaps); "
			    "write it on one line"));
	return RC_OK;
}

static enum rc
keep(const char *s, char **out, struct err *e)
{
	return (*out = strdup(s)) != NULL ? RC_OK : no_memory(e);
}

enum rc
value_bool(const char *s, bool *out, struct err *e)
{
	static const char *const words[] = { "no", "yes", "false", "true",
	    "off", "on", "non", "oui", NULL };
	int i;

	for (i = 0; words[i] != NULL; i++)
		if (strcasecmp(words[i], s) == 0)
			break;
	if (words[i] == NULL)
		return err_set(e, RC_CONF, _("it is neither yes nor no; "
		    "write yes or no"));
	*out = i % 2 == 1;
	return RC_OK;
}

/* Digits, then what follows them without blanks between; false: none. */
static bool
number(const char *s, uint64_t *n, const char **unit)
{
	*n = 0;
	if (*s < '0' || *s > '9')
		return false;
	for (; *s >= '0' && *s <= '9'; s++) {
		if (*n > (UINT64_MAX - 9) / 10)
			return false;
		*n = *n * 10 + (uint64_t)(*s - '0');
	}
	while (*s == ' ')
		s++;
	*unit = s;
	return true;
}

enum rc
value_int(const char *s, int min, int max, int *out, struct err *e)
{
	const char *rest;
	uint64_t n;

	if (!number(s, &n, &rest) || *rest != '\0' || n > INT_MAX ||
	    (int)n < min || (int)n > max)
		return err_set(e, RC_CONF, _("it is not such a number; write "
		    "one from %d to %d"), min, max);
	*out = (int)n;
	return RC_OK;
}

struct unit {
	const char	*name;
	uint64_t	 times;
};

/* ${n} times the unit named, at most ${max}; the first one is for "". */
static bool
scale(uint64_t n, const char *name, const struct unit *units, uint64_t max,
    uint64_t *out)
{
	for (; units->name != NULL; units++)
		if (strcasecmp(units->name, name) == 0)
			break;
	if (units->name == NULL || n > max / units->times)
		return false;
	*out = n * units->times;
	return true;
}

enum rc
value_size(const char *s, uint64_t *out, struct err *e)
{
	static const struct unit units[] = {
		{ "", 1 }, { "B", 1 }, { "o", 1 },
		{ "k", 1U << 10 }, { "kB", 1U << 10 }, { "KiB", 1U << 10 },
		{ "ko", 1U << 10 },
		{ "M", 1U << 20 }, { "MB", 1U << 20 }, { "MiB", 1U << 20 },
		{ "Mo", 1U << 20 },
		{ "G", 1U << 30 }, { "GB", 1U << 30 }, { "GiB", 1U << 30 },
		{ "Go", 1U << 30 }, { NULL, 0 }
	};
	const char *name;
	uint64_t n;

	/* PROTOCOL 2.19.15: nothing above 4 GiB. */
	if (!number(s, &n, &name) ||
	    !scale(n, name, units, (uint64_t)4 << 30, &n) || n == 0)
		return err_set(e, RC_CONF, _("it is not a size up to 4 GB; "
		    "write for example \"25 MB\""));
	*out = n;
	return RC_OK;
}

static const struct unit times[] = {
	{ "", 1 }, { "s", 1 }, { "sec", 1 }, { "second", 1 },
	{ "seconds", 1 }, { "seconde", 1 }, { "secondes", 1 },
	{ "min", 60 }, { "minute", 60 }, { "minutes", 60 },
	{ "h", 3600 }, { "hour", 3600 }, { "hours", 3600 },
	{ "heure", 3600 }, { "heures", 3600 },
	{ "d", 86400 }, { "day", 86400 }, { "days", 86400 },
	{ "j", 86400 }, { "jour", 86400 }, { "jours", 86400 },
	{ "week", 604800 }, { "weeks", 604800 },
	{ "semaine", 604800 }, { "semaines", 604800 }, { NULL, 0 }
};

enum rc
value_time(const char *s, int *out, struct err *e)
{
	const char *name;
	uint64_t n;

	if (!number(s, &n, &name) || !scale(n, name, times, TEN_YEARS_S, &n))
		return err_set(e, RC_CONF, _("it is not a duration; write "
		    "for example \"300 s\", \"24 h\" or \"5 days\""));
	*out = (int)n;
	return RC_OK;
}

/* The unit of time ${name} says, less its word for work, into ${out}. */
static bool
of_work(const char *name, char out[16])
{
	static const char before[] = "working ";
	static const char *const after[] = { " ouvrée", " ouvrées" };
	size_t len = strlen(name);

	if (strncmp(name, before, sizeof(before) - 1) == 0) {
		snprintf(out, 16, "%s", name + sizeof(before) - 1);
		return true;
	}
	for (size_t i = 0; i < 2; i++) {
		size_t n = strlen(after[i]);

		if (len < n || len - n >= 16 ||
		    strcmp(name + len - n, after[i]) != 0)
			continue;
		memcpy(out, name, len - n);
		out[len - n] = '\0';
		return true;
	}
	return false;
}

enum rc
value_wait(const char *s, int *out, bool *working, struct err *e)
{
	const char *name;
	char unit[16];
	uint64_t n;

	*working = number(s, &n, &name) && of_work(name, unit);
	if (!*working)
		return value_time(s, out, e);
	/* A working day has no length of its own. */
	if (!scale(n, unit, times, TEN_YEARS_S, &n) || strchr("mhMH",
	    unit[0]) == NULL)
		return err_set(e, RC_CONF, _("it is no working time; write "
		    "for example \"4 working hours\""));
	*out = (int)n;
	return RC_OK;
}

static bool
range(const char *s, uint64_t *a, uint64_t *b)
{
	const char *rest, *name;

	if (!number(s, a, &rest))
		return false;
	*b = *a;
	name = rest;
	if (*rest == '-') {
		for (rest++; *rest == ' '; rest++)
			;
		if (!number(rest, b, &name))
			return false;
	}
	return *a <= *b && scale(*a, name, times, TEN_YEARS_S, a) &&
	    scale(*b, name, times, TEN_YEARS_S, b);
}

enum rc
value_range(const char *s, int *lo, int *hi, struct err *e)
{
	uint64_t a, b;

	if (!range(s, &a, &b))
		return err_set(e, RC_CONF, _("it is not a duration or a range "
		    "of two; write for example \"60-300 s\" or 0"));
	*lo = (int)a;
	*hi = (int)b;
	return RC_OK;
}

enum rc
value_word(const char *s, const char *const *words, int *out, struct err *e)
{
	char list[200] = "";
	size_t n = 0;

	for (int i = 0; words[i] != NULL; i++) {
		if (strcmp(words[i], s) == 0) {
			*out = i;
			return RC_OK;
		}
		if (n < sizeof(list))
			n += (size_t)snprintf(list + n, sizeof(list) - n,
			    "%s%s", i == 0 ? "" : ", ", words[i]);
	}
	return err_set(e, RC_CONF, _("there is no such choice; write one of: "
	    "%s"), list);
}

enum rc
value_text(const char *s, char **out, struct err *e)
{
	enum rc rc = printable(s, e);

	return rc == RC_OK ? keep(s, out, e) : rc;
}

enum rc
value_names(const char *s, char **out, struct err *e)
{
	for (const char *p = s; *p != '\0'; p++) {
		if (*p == '/')
			return err_set(e, RC_CONF, _("a name of a file holds "
			    "no \"/\"; folders are path, attachments and "
			    "remarks"));
		if (*p != '%' || *++p == '%')
			continue;
		if (*p == '\0' || strchr(VALUE_NAMES, *p) == NULL)
			return err_set(e, RC_CONF, _("behind \"%%\" stands one "
			    "of n f g b e c o s, or a second \"%%\""));
	}
	return value_text(s, out, e);
}

const char *
value_home(void)
{
	const char *home = getenv("HOME");
	struct passwd *pw;

	if (home != NULL && *home == '/')
		return home;
	pw = getpwuid(geteuid());
	return pw != NULL && pw->pw_dir != NULL && *pw->pw_dir == '/' ?
	    pw->pw_dir : NULL;
}

/* "~" first, "%h" anywhere. */
static enum rc
expand(const char *s, struct buf *b, struct err *e)
{
	const char *home = value_home();
	bool tilde = s[0] == '~' && (s[1] == '/' || s[1] == '\0');
	bool ok = true;

	for (const char *p = s; *p != '\0' && ok; p++) {
		bool here = tilde && p == s;

		if (here || (p[0] == '%' && p[1] == 'h')) {
			if (home == NULL)
				return err_set(e, RC_CONF, _("nobody says "
				    "where the home folder is; write a path "
				    "that begins with /"));
			ok = buf_adds(b, home);
			p += here ? 0 : 1;
		} else if (p[0] == '%') {
			if (p[1] != '%')
				return err_set(e, RC_CONF, _("%% is followed "
				    "by something unknown; write %%h for the "
				    "home folder, %%%% for a percent sign"));
			ok = buf_add8(b, *p++ == '%' ? '%' : 0);
		} else {
			ok = buf_add(b, p, 1);
		}
	}
	return ok ? RC_OK : no_memory(e);
}

enum rc
value_path(const char *s, char **out, struct err *e)
{
	struct buf b = BUF_INIT;
	const char *text;
	enum rc rc;

	if ((rc = printable(s, e)) != RC_OK)
		return rc;
	if ((rc = expand(s, &b, e)) != RC_OK)
		goto out;
	if ((text = buf_str(&b)) == NULL)
		rc = no_memory(e);
	else if (*text != '/')
		rc = err_set(e, RC_CONF, _("the path is not a whole one; "
		    "begin it with / or ~/"));
	else if (b.len >= PATH_MAX)
		rc = err_set(e, RC_CONF, _("the path is too long; write one "
		    "of less than %d octets"), PATH_MAX);
	else
		rc = keep(text, out, e);
out:
	buf_free(&b);
	return rc;
}

static bool
is_ip(const char *s)
{
	unsigned char raw[16];

	return inet_pton(AF_INET, s, raw) == 1 ||
	    inet_pton(AF_INET6, s, raw) == 1;
}

/* As the right side of an address: there the grammar stands already. */
static bool
is_domain(const char *s)
{
	char text[ADDR_MAX_BYTES + 1];
	struct err ignored = ERR_INIT;
	struct addr a;
	int n = snprintf(text, sizeof(text), "x@%s", s);

	return n > 0 && (size_t)n < sizeof(text) &&
	    addr_parse(text, (size_t)n, &a, &ignored) == RC_OK;
}

enum rc
value_host(const char *s, char **out, struct err *e)
{
	if (!is_ip(s) && (s[0] == '[' || !is_domain(s)))
		return err_set(e, RC_CONF, _("it is not the name of a server; "
		    "write the name alone, for example imap.provider.example "
		    "(the port has its own line)"));
	return keep(s, out, e);
}

enum rc
value_helo(const char *s, char **out, struct err *e)
{
	if (!is_domain(s))
		return err_set(e, RC_CONF, _("it is neither the name of a "
		    "machine nor an [address]; write for example "
		    "cabinet.example"));
	return keep(s, out, e);
}

enum rc
value_addr(const char *s, char **out, struct err *e)
{
	struct addr a;

	if (addr_parse(s, strlen(s), &a, e) != RC_OK) {
		/* Without an @ the cause says what to write. */
		err_ctx(e, strchr(s, '@') == NULL ?
		    _("it is not a mail address") :
		    _("it is not a mail address; write name@domain alone"));
		e->rc = RC_CONF;
		e->class = EC_NONE;
		return RC_CONF;
	}
	return keep(s, out, e);
}

enum rc
value_pin(const char *s, char **out, struct err *e)
{
	static const char head[] = "sha256//";
	const size_t n = sizeof(head) - 1;
	uint8_t raw[B64_DEC_BYTES(44)], rest[B64_DEC_BYTES(0)];
	struct b64_dec d;
	size_t got = 0, more = 0;

	b64_dec_init(&d);
	if (strncmp(s, head, n) != 0 || strlen(s) != n + 44 ||
	    strpbrk(s, " \t\r\n") != NULL ||
	    !b64_dec_add(&d, (const uint8_t *)s + n, 44, raw, &got) ||
	    !b64_dec_end(&d, rest, &more) || got + more != 32)
		return err_set(e, RC_CONF, _("it is not the fingerprint of a "
		    "public key; write sha256// and its 44 characters of "
		    "base64, as sceau check shows them"));
	return keep(s, out, e);
}

enum rc
value_title(const char *s, struct err *e)
{
	size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_-");

	if (n == 0 || n > 32 || s[n] != '\0')
		return err_set(e, RC_CONF, _("not a name for a section; write "
		    "1 to 32 of a-z, 0-9, _ and -"));
	return RC_OK;
}

bool
value_loopback(const char *host)
{
	unsigned char raw[16];
	static const unsigned char one[16] = { [15] = 1 };

	if (strcasecmp(host, "localhost") == 0)
		return true;
	if (inet_pton(AF_INET, host, raw) == 1)
		return raw[0] == 127;
	return inet_pton(AF_INET6, host, raw) == 1 &&
	    memcmp(raw, one, sizeof(one)) == 0;
}
