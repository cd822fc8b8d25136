/* The code of the letter: asked for, tried, and what is wrong with it. */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/lang.h"
#include "cmd/key.h"
#include "store/store.h"
#include "vault/code.h"

#define CODE_FILE_MAX 4096

/* ---- what is typed -------------------------------------------------- */

static enum rc
code_from_file(const char *path, uint8_t code[KDF_CODE_BYTES], struct err *e)
{
	struct buf b = BUF_INIT;
	enum rc rc = file_read(path, CODE_FILE_MAX, &b, e);
	size_t len = 0;

	while (rc == RC_OK && len < b.len && b.p[len] != '\n' &&
	    b.p[len] != '\r')
		len++;
	if (rc == RC_OK)
		rc = code_parse((const char *)b.p, len, code, e);
	buf_free(&b);
	return rc == RC_OK ? rc : err_ctx(e, "%s", _("nothing was changed"));
}

enum rc
key_code(const struct key_take *t, uint8_t code[KDF_CODE_BYTES],
    struct err *e)
{
	char line[ASK_BYTES];
	enum rc rc;

	if (t->code_file != NULL)
		return code_from_file(t->code_file, code, e);
	rc = ask_text(&t->ask, _("Code on the letter:"), NULL, NULL, line, e);
	if (rc == RC_OK)
		rc = code_parse(line, strlen(line), code, e);
	wipe(line, sizeof(line));
	return rc;
}

enum rc
key_digits(const char *s, char out[KEYFILE_DIGITS + 1], struct err *e)
{
	size_t n = 0;

	for (; *s != '\0' && n <= KEYFILE_DIGITS; s++) {
		if (*s == ' ')
			continue;
		if (n < KEYFILE_DIGITS)
			out[n] = *s >= 'A' && *s <= 'F' ?
			    (char)(*s - 'A' + 'a') : *s;
		if (strchr("0123456789abcdefABCDEF", *s) == NULL)
			break;
		n++;
	}
	out[*s == '\0' && n == KEYFILE_DIGITS ? KEYFILE_DIGITS : 0] = '\0';
	return out[0] != '\0' ? RC_OK : err_set(e, RC_CONF, _("the "
	    "fingerprint on the letter has %d digits, 0 to 9 and a to f"),
	    KEYFILE_DIGITS);
}

static enum rc
good_digits(const char *s, struct err *e)
{
	char ignored[KEYFILE_DIGITS + 1];

	return key_digits(s, ignored, e);
}

/* ---- what is wrong -------------------------------------------------- */

/* The letter's fingerprint is known, and is not that of the file. */
static enum rc
other_letter(const struct key_take *t, struct err *e)
{
	return err_class(e, EC_HEADER, _("the fingerprint on the letter, %s, "
	    "is not that of this file, %s: it is the letter of another file "
	    "(this one is of %s for %u), or the file was damaged on its way. "
	    "Nothing was changed. Compare name and year, fetch the file "
	    "again, or call the association"), t->digits, t->head.digits,
	    t->head.member.s, t->head.year);
}

static enum rc
wrong_code(const struct key_take *t, struct err *e)
{
	if (t->digits[0] != '\0')
		return err_class(e, EC_HEADER, _("the file is that of the "
		    "letter (%s) and is whole, but the code does not open it: "
		    "a symbol is mistyped. Nothing was changed. Type it "
		    "again, group by group; else call the association"),
		    t->digits);
	return err_class(e, EC_HEADER, _("the code does not open this file, "
	    "of %s for %u. Nothing was changed. If the letter shows the "
	    "fingerprint %s, the code is mistyped: try again. If not, it is "
	    "another file's letter, or the file is damaged: fetch it again"),
	    t->head.member.s, t->head.year, t->head.digits);
}

/* A renewal opens with the key before it. */
static enum rc
no_old_key(const struct key_take *t, struct err *e)
{
	return err_class(e, EC_NOKEY, _("this file renews the key of %u, "
	    "which is not held here. Nothing was changed. On a new computer: "
	    "first take in the export of the former one, or the file of %u; "
	    "else ask the association for a first key file"),
	    t->head.year - 1U, t->head.year - 1U);
}

/* By the rule 2.19.26; the day itself stands in the sealed part. */
static int64_t
read_until(uint16_t year)
{
	return clock_utc(year + 1, 4, 1);
}

static enum rc
too_old(const struct key_take *t, uint16_t high, struct err *e)
{
	char now[CLOCK_SAY_BYTES];

	clock_say(clock_now(), now);
	return err_class(e, EC_EXPIRED, _("this is the file of %u, an old "
	    "year: the key of %u is held, and the time to read with this one "
	    "is over (it is %s). Nothing was changed. Take the file of the "
	    "year; if that date is wrong, set the clock first"), t->head.year,
	    high, now);
}

/* False when anything went or came with the keys that are held: there are rows
 * and registers that those alone can read; and when one cannot know. */
static bool
is_unused(const struct key_take *t)
{
	struct err ignored = ERR_INIT;
	struct store *st = NULL;
	bool unused = false;

	if (store_open(t->app->conf.state, STORE_READ, &st, &ignored) ==
	    RC_OK)
		(void)store_unused(st, &unused, &ignored);
	store_close(&st);
	return unused;
}

/* Whoever took in another's file has no other way to learn how it is undone;
 * too long for an error. */
static enum rc
others(const struct key_take *t, struct err *e)
{
	const char *held = t->ks->selves[0].id.s;

	if (is_unused(t))
		fprintf(stderr, _("If the keys of %s, which are held here, are "
		    "not yours: nothing was sent or received with them yet; "
		    "move the file %s away, take your own file in, and tell "
		    "the association whose file and letter you were given.\n"),
		    held, t->app->conf.keystore);
	else
		fprintf(stderr, _("If the keys of %s, which are held here, are "
		    "not yours: something was sent or received with them "
		    "already; leave all as it is, and call the "
		    "association.\n"), held);
	return err_class(e, EC_NOTFORME, _("this key file is of %s, and the "
	    "keys held here are of %s. Nothing was changed. Take your own "
	    "file; each member needs a machine, or a state folder, of its "
	    "own"), t->head.member.s, held);
}

enum rc
key_fits(const struct key_take *t, struct err *e)
{
	const struct keyfile_head *h = &t->head;
	uint16_t low, high;

	if (t->ks->nselves > 0 &&
	    !keystore_years(t->ks, &h->member, &low, &high))
		return others(t, e);
	if (h->exported)
		return RC_OK;
	if (t->ks->nselves == 0 && h->renewal)
		return no_old_key(t, e);
	if (t->ks->nselves > 0 && h->year < high &&
	    clock_now() >= read_until(h->year) &&
	    keystore_find(t->ks, &h->member, h->year) < 0)
		return too_old(t, high, e);
	if (t->digits[0] != '\0' && strcmp(t->digits, h->digits) != 0)
		return other_letter(t, e);
	return RC_OK;
}

enum rc
key_ask_owner(const struct key_take *t, struct err *e)
{
	const struct bytes who = identity_address(&t->head.member);
	char question[ASK_BYTES];
	bool own;

	if (t->code_file != NULL || !t->ask.terminal || t->ks->nselves > 0)
		return RC_OK;
	snprintf(question, sizeof(question), _("Is %.*s your own address?"),
	    (int)who.len, (const char *)who.p);
	if (ask_yes(&t->ask, question, false, &own, e) != RC_OK || own)
		return e->rc;
	return err_class(e, EC_NOTFORME, _("this key file is of %s, and not "
	    "yours. Nothing was changed. Take your own file, and tell the "
	    "association if this one, or its letter, was given to you"),
	    t->head.member.s);
}

enum rc
key_explain(const struct key_take *t, struct err *e)
{
	struct err why = *e;

	switch ((int)why.class) {
	case EC_HEADER:
		return wrong_code(t, e);
	case EC_NOKEY:
		return no_old_key(t, e);
	case EC_BODY: case EC_TRUNCATED: case EC_RECORD:
		return err_class(e, why.class, _("the code is right, but the "
		    "file was damaged on its way (%s). Nothing was changed. "
		    "Fetch it again: its fingerprint must be the letter's; "
		    "else call the association"), why.text);
	}
	return why.class == EC_NONE ? why.rc :
	    err_ctx(e, "%s", _("nothing was changed"));
}

enum rc
key_ask_digits(struct key_take *t, struct err *e)
{
	char line[ASK_BYTES];
	enum rc rc;

	if (t->digits[0] != '\0')
		return RC_OK;
	if ((rc = ask_text(&t->ask, _("Fingerprint on the letter (8 "
	    "digits):"), NULL, good_digits, line, e)) != RC_OK ||
	    (rc = key_digits(line, t->digits, e)) != RC_OK)
		return rc;
	return strcmp(t->digits, t->head.digits) != 0 ? other_letter(t, e) :
	    RC_OK;
}
