#include "config.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "wire/reply.h"

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* "5.1.1 " of RFC 3463, of the same class as the code: its length, or 0. */
static size_t
enhanced_len(int code, const char *s)
{
	size_t i = 2;

	if (code / 100 != s[0] - '0' || s[1] != '.')
		return 0;
	for (int part = 0; part < 2; part++) {
		size_t from = i;

		while (is_digit(s[i]) && i - from < 3)
			i++;
		if (i == from || (part == 0 && s[i++] != '.'))
			return 0;
	}
	return s[i] == ' ' || s[i] == '\0' ? i : 0;
}

/* Words of a stranger: printable ASCII, the rest as \xNN; cut when full. */
static void
escape(char to[RELAY_TEXT_BYTES + 1], const char *s)
{
	size_t n = strlen(to);

	for (; *s != '\0' && n + 4 <= RELAY_TEXT_BYTES; s++) {
		unsigned char c = (unsigned char)*s;

		if (c == '\r' || c == '\n' || c == '\t')
			c = ' ';
		if (c == ' ' && (n == 0 || to[n - 1] == ' '))
			continue;
		if (c >= 0x20 && c < 0x7f && c != '\\')
			to[n++] = (char)c;
		else
			n += (size_t)snprintf(to + n, 5, "\\x%02x", c);
	}
	to[n] = '\0';
}

static void
trim(char *s)
{
	size_t n = strlen(s);

	while (n > 0 && s[n - 1] == ' ')
		s[--n] = '\0';
}

static void
add_text(struct relay_result *res, const char *text)
{
	size_t n = enhanced_len(res->code, text);

	if (n > 0 && n < sizeof(res->enhanced)) {
		memcpy(res->enhanced, text, n);
		res->enhanced[n] = '\0';
		text += n;
	}
	if (res->text[0] != '\0')
		escape(res->text, " ");
	escape(res->text, text);
	trim(res->text);
}

void
reply_set(struct relay_result *res, int code, const char *text)
{
	res->code = code;
	res->enhanced[0] = res->text[0] = '\0';
	add_text(res, text);
}

/* One line without its CRLF. */
static enum reply_state
take_line(struct reply *r)
{
	int code;

	r->line[r->len] = '\0';
	if (r->len < 3 || !is_digit(r->line[0]) || !is_digit(r->line[1]) ||
	    !is_digit(r->line[2]) || strlen(r->line) != r->len ||
	    (r->line[3] != ' ' && r->line[3] != '-' && r->line[3] != '\0') ||
	    ++r->lines > REPLY_LINES)
		return REPLY_BAD;
	code = (r->line[0] - '0') * 100 + (r->line[1] - '0') * 10 +
	    (r->line[2] - '0');
	if (code < 200 || code > 599 ||
	    (r->lines > 1 && code != r->result.code))
		return REPLY_BAD;
	r->result.code = code;
	if (r->len > 4)
		add_text(&r->result, r->line + 4);
	r->len = 0;
	r->done = r->line[3] != '-';
	return r->done ? REPLY_DONE : REPLY_MORE;
}

enum reply_state
reply_read(struct reply *r, const char *p, size_t len, size_t *used)
{
	enum reply_state state = REPLY_MORE;
	size_t i;

	if (r->done)
		*r = (struct reply)REPLY_INIT;
	for (i = 0; i < len && state == REPLY_MORE; i++) {
		if (p[i] != '\n') {
			if (r->len == sizeof(r->line) - 1)
				state = REPLY_BAD;
			else
				r->line[r->len++] = p[i];
			continue;
		}
		if (r->len == 0 || r->line[--r->len] != '\r')
			state = REPLY_BAD;
		else
			state = take_line(r);
	}
	*used = i;
	return state;
}

/*
 * What a reply of 4xx or 5xx means; the first row that fits decides.  The
 * RFCs' own words for the codes: RFC 5321 4.2.2 and 4.3.2.
 */
#define ANY (-1)

static const struct judgement {
	int			phase, from, to;
	const char		*enhanced;	/* "": whatever */
	enum reply_scope	scope;
	enum relay_verdict	verdict;
} judgements[] = {
	/* 5321 3.8: the server closes; 7504: it takes no mail at all */
	{ ANY, 421, 421, "", REPLY_ON_ROUTE, RELAY_DEFERRED },
	{ ANY, 521, 521, "", REPLY_ON_ROUTE, RELAY_DEFERRED },
	/* 4954 6: login needed, lost or too weak; 3207 4: TLS needed */
	{ ANY, 530, 530, "", REPLY_ON_ROUTE, RELAY_DEFERRED },
	{ ANY, 534, 535, "", REPLY_ON_ROUTE, RELAY_DEFERRED },
	{ ANY, 538, 538, "", REPLY_ON_ROUTE, RELAY_DEFERRED },
	{ ANY, 454, 454, "", REPLY_ON_ROUTE, RELAY_DEFERRED },
	{ ANY, 500, 599, "5.7.8", REPLY_ON_ROUTE, RELAY_DEFERRED },
	{ ANY, 500, 599, "5.7.9", REPLY_ON_ROUTE, RELAY_DEFERRED },
	/* 5321 4.2.4: command unknown or out of order: no word on the mail */
	{ ANY, 500, 500, "", REPLY_ON_ROUTE, RELAY_DEFERRED },
	{ ANY, 502, 503, "", REPLY_ON_ROUTE, RELAY_DEFERRED },
	/* Nothing that is said before MAIL is about a mail. */
	{ REPLY_AT_GREETING, 400, 599, "", REPLY_ON_ROUTE, RELAY_DEFERRED },
	{ REPLY_AT_HELLO, 400, 599, "", REPLY_ON_ROUTE, RELAY_DEFERRED },
	{ REPLY_AT_STARTTLS, 400, 599, "", REPLY_ON_ROUTE, RELAY_DEFERRED },
	{ REPLY_AT_AUTH, 400, 599, "", REPLY_ON_ROUTE, RELAY_DEFERRED },
	{ ANY, 400, 499, "", REPLY_ON_MAIL, RELAY_DEFERRED },
	/* 1870 6.1: larger than the server ever takes; 3463 3.4 */
	{ REPLY_AT_MAIL, 552, 552, "", REPLY_ON_MAIL, RELAY_REFUSED },
	{ REPLY_AT_MAIL, 500, 599, "5.3.4", REPLY_ON_MAIL, RELAY_REFUSED },
	/* The sender's address is refused, not the recipient's: the operator
	 * or the provider can mend that, so no bounce. */
	{ REPLY_AT_MAIL, 500, 599, "", REPLY_ON_MAIL, RELAY_DEFERRED },
	/* 5321 4.5.3.1.10: 552 to RCPT is to be read as 452 */
	{ REPLY_AT_RCPT, 552, 552, "", REPLY_ON_MAIL, RELAY_DEFERRED },
	{ REPLY_AT_RCPT, 500, 599, "", REPLY_ON_MAIL, RELAY_REFUSED },
	{ REPLY_AT_DATA, 500, 599, "", REPLY_ON_MAIL, RELAY_REFUSED },
	{ REPLY_AT_CONTENT, 500, 599, "", REPLY_ON_MAIL, RELAY_REFUSED },
	{ REPLY_AT_CONTENT, 200, 299, "", REPLY_ON_MAIL, RELAY_SENT },
};

enum reply_scope
reply_judge(enum reply_phase phase, struct relay_result *res)
{
	for (size_t i = 0; i < sizeof(judgements) / sizeof(judgements[0]);
	    i++) {
		const struct judgement *j = &judgements[i];

		if ((j->phase != ANY && j->phase != (int)phase) ||
		    res->code < j->from || res->code > j->to ||
		    (j->enhanced[0] != '\0' &&
		    strcmp(j->enhanced, res->enhanced) != 0))
			continue;
		res->verdict = j->verdict;
		return j->scope;
	}
	/* A code that has no meaning there (3xx, 2xx too early, 6xx). */
	res->verdict = RELAY_DEFERRED;
	return REPLY_ON_ROUTE;
}

enum reply_phase
reply_phase_of(const char *command, size_t len)
{
	static const struct {
		const char	*verb;
		enum reply_phase phase;
	} verbs[] = {
		{ "EHLO", REPLY_AT_HELLO }, { "HELO", REPLY_AT_HELLO },
		{ "STARTTLS", REPLY_AT_STARTTLS }, { "AUTH", REPLY_AT_AUTH },
		{ "MAIL", REPLY_AT_MAIL }, { "RCPT", REPLY_AT_RCPT },
		{ "DATA", REPLY_AT_DATA }, { "BDAT", REPLY_AT_DATA },
	};

	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		size_t n = strlen(verbs[i].verb);

		if (len > n && strncasecmp(command, verbs[i].verb, n) == 0 &&
		    (command[n] == ' ' || command[n] == '\r'))
			return verbs[i].phase;
	}
	return REPLY_AT_OTHER;
}
