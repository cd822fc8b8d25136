#include "config.h"

#include <ctype.h>
#include <string.h>

#include "base/clock.h"
#include "base/lang.h"
#include "base/secret.h"
#include "issuer/custody.h"
#include "issuer/letter.h"
#include "vault/code.h"

#define LINE_BYTES 64		/* a code that was typed, and a NUL */
#define CODE_LIKE 20		/* symbols: what is meant to be a code */

void
custody_of(const struct root_part parts[ROOT_PARTS], unsigned number,
    struct custody *c)
{
	size_t n = 0;

	for (unsigned i = 1; i <= ROOT_PARTS; i++)
		if (i != number)
			c->parts[n++] = parts[i - 1];
}

unsigned
custody_number(const struct custody *c)
{
	unsigned a = c->parts[0].number, b = c->parts[1].number;

	return a == b ? 0 : 1 + 2 + 3 - a - b;
}

void
custody_mark(char out[CUSTODY_MARK_BYTES])
{
	uint8_t rnd[CUSTODY_MARK_BYTES - 1];

	random_bytes(rnd, sizeof(rnd));
	for (size_t i = 0; i < sizeof(rnd); i++)
		out[i] = code_symbol(rnd[i]);
	out[sizeof(rnd)] = '\0';
}

/* ---- the sheet ---------------------------------------------------------- */

static const char fr[] =
"Association %s\n"
"\n"
"Dépositaire %u de 3\n"
"\n"
"Objet : la racine des clés de %u\n"
"Feuille du %s, jeu %s\n"
"\n"
"Madame, Monsieur,\n"
"\n"
"De la racine viennent toutes les clés de l'association pour %u. Elle n'est\n"
"écrite nulle part : elle est partagée en trois parts, et voici les deux\n"
"que vous détenez. Seul, vous ne pouvez rien en faire. Avec un autre\n"
"dépositaire, quel qu'il soit, vous pouvez la reconstituer ; deux feuilles\n"
"suffisent donc aussi à un voleur pour lire tout le courrier de l'année.\n"
"\n"
"    Part %u\n"
"\n"
"        1   %s\n"
"        2   %s\n"
"        3   %s\n"
"\n"
"    Part %u\n"
"\n"
"        4   %s\n"
"        5   %s\n"
"        6   %s\n"
"\n"
"Gardez cette feuille sous clé, loin de celles des deux autres dépositaires,\n"
"et n'en faites ni copie ni photographie. Quand l'association fait des clés,\n"
"apportez-la au bureau d'émission : ces six codes vous y sont demandés, dans\n"
"cet ordre. Majuscules et tirets ne comptent pas.\n"
"\n"
"Deux feuilles ne vont ensemble que si elles sont du même jeu. Si une feuille\n"
"plus récente vous est remise pour %u, détruisez aussitôt celle-ci.\n"
"\n"
"Si elle est perdue, ou si quelqu'un a pu la lire, prévenez aussitôt\n"
"l'association. Après le 31 mars %u, quand elle vous aura dit que la racine\n"
"est détruite à son bureau, détruisez cette feuille vous-même : tant que deux\n"
"feuilles existent, le courrier de %u peut être lu.\n"
"\n"
"Qui appeler : %s\n";

static const char en[] =
"Association %s\n"
"\n"
"Custodian %u of 3\n"
"\n"
"Subject: the root of the keys of %u\n"
"Sheet of %s, set %s\n"
"\n"
"Dear custodian,\n"
"\n"
"From the root come all keys of the association for %u. It is written\n"
"nowhere: it is split in three parts, and here are the two that you hold.\n"
"Alone you can do nothing with them. With any other custodian you can put it\n"
"together again; so two sheets are also enough for a thief to read all mail\n"
"of that year.\n"
"\n"
"    Part %u\n"
"\n"
"        1   %s\n"
"        2   %s\n"
"        3   %s\n"
"\n"
"    Part %u\n"
"\n"
"        4   %s\n"
"        5   %s\n"
"        6   %s\n"
"\n"
"Keep this sheet under lock, far from those of the two other custodians, and\n"
"make no copy or photograph of it. When the association makes keys, bring it\n"
"to the issuer's desk: you are asked for these six codes, in this order.\n"
"Capitals and dashes do not matter.\n"
"\n"
"Two sheets go together only when they are of the same set. When you are\n"
"given a newer sheet of %u, destroy this one at once.\n"
"\n"
"If it is lost, or if anybody may have read it, tell the association at once.\n"
"After 31 March %u, when it has told you that the root is destroyed at its\n"
"desk, destroy this sheet yourself: as long as two sheets exist, the mail of\n"
"%u can be read.\n"
"\n"
"Whom to call: %s\n";

bool
custody_format(const struct custody_sheet *s, const struct custody *c,
    struct buf *out)
{
	char t[CUSTODY_PARTS][ROOT_PART_CODES][CODE_TEXT_BYTES];
	char day[LETTER_DAY_BYTES];
	const unsigned year = s->year;
	bool ok;

	letter_day(clock_local(s->at), s->english, day);
	for (size_t i = 0; i < CUSTODY_PARTS; i++)
		root_part_format(&c->parts[i], t[i]);
	ok = buf_addf(out, s->english ? en : fr, s->assoc, custody_number(c),
	    year, day, s->mark, year, c->parts[0].number, t[0][0], t[0][1],
	    t[0][2], c->parts[1].number, t[1][0], t[1][1], t[1][2], year,
	    year + 1, year, s->call);
	wipe(t, sizeof(t));
	return ok;
}

/* ---- and back ----------------------------------------------------------- */

enum rc
custody_codes(const char *const codes[CUSTODY_CODES], struct custody *c,
    struct err *e)
{
	uint8_t ignored[CODE_BYTES];
	enum rc rc = RC_OK;

	for (size_t i = 0; i < CUSTODY_CODES && rc == RC_OK; i++)
		if (code_parse(codes[i], strlen(codes[i]), ignored, e) !=
		    RC_OK)
			rc = err_ctx(e, _("code %zu"), i + 1);
	wipe(ignored, sizeof(ignored));
	for (size_t i = 0; i < CUSTODY_PARTS && rc == RC_OK; i++)
		rc = root_part_parse(codes + i * ROOT_PART_CODES,
		    &c->parts[i], e);
	if (rc == RC_OK && (custody_number(c) == 0 ||
	    !same(c->parts[0].check, c->parts[1].check, KDF_ROOTCK_BYTES)))
		rc = err_set(e, RC_INPUT, _("these six codes are not of one "
		    "sheet"));
	if (rc != RC_OK)
		wipe(c, sizeof(*c));
	return rc;
}

/* One word, meant to be a code: well typed or not. */
static bool
is_code(struct bytes s)
{
	size_t dashes = 0, digits = 0;

	for (size_t i = 0; i < s.len; i++) {
		if (s.p[i] != '-' && !isalnum(s.p[i]))
			return false;
		dashes += s.p[i] == '-';
		digits += isdigit(s.p[i]) != 0;
	}
	return s.len - dashes >= CODE_LIKE && (dashes > 2 || digits > 0) &&
	    s.len < LINE_BYTES;
}

/* A line without the number before it and the blanks around it. */
static struct bytes
line_word(struct bytes s)
{
	struct bytes rest = bytes_trim(s);
	size_t n = 0;

	if (rest.len > 0 && rest.p[rest.len - 1] == '\r')
		rest.len--;
	while (n < rest.len && isdigit(rest.p[n]))
		n++;
	if (n > 0 && n < 3 && n < rest.len && strchr(" \t.):", rest.p[n])) {
		rest.p += n + 1;
		rest.len -= n + 1;
	}
	return bytes_trim(rest);
}

static size_t
find_codes(struct bytes left, char (*lines)[LINE_BYTES])
{
	struct bytes line;
	size_t n = 0;

	while (left.len > 0) {
		const uint8_t *nl = memchr(left.p, '\n', left.len);

		line = left;
		line.len = nl != NULL ? (size_t)(nl - left.p) : left.len;
		left.p += line.len + (nl != NULL);
		left.len -= line.len + (nl != NULL);
		line = line_word(line);
		if (!is_code(line))
			continue;
		if (n < CUSTODY_CODES)
			memcpy(lines[n], line.p, line.len);
		n++;
	}
	return n;
}

enum rc
custody_parse(const char *text, size_t len, struct custody *c,
    struct err *e)
{
	char (*lines)[LINE_BYTES] = secret_alloc(CUSTODY_CODES * LINE_BYTES);
	const char *codes[CUSTODY_CODES];
	enum rc rc;
	size_t n;

	if (lines == NULL)
		return err_nomem(e);
	n = find_codes((struct bytes){ (const uint8_t *)text, len }, lines);
	for (size_t i = 0; i < CUSTODY_CODES; i++)
		codes[i] = lines[i];
	if (n == CUSTODY_CODES)
		rc = custody_codes(codes, c, e);
	else
		rc = err_set(e, RC_INPUT, _("six codes are wanted, one a line, "
		    "as on a custodian's sheet; found: %zu"), n);
	secret_free(&lines);
	return rc;
}
