#include "config.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "issuer/letter.h"

#define DATE_BYTES 40

static const char *const fr_months[12] = { "janvier", "février", "mars",
    "avril", "mai", "juin", "juillet", "août", "septembre", "octobre",
    "novembre", "décembre" };
static const char *const en_months[12] = { "January", "February", "March",
    "April", "May", "June", "July", "August", "September", "October",
    "November", "December" };

/* In braces: what is put in, see words() below. */
static const char fr[] =
"Association {assoc}\n"
"Le {today}\n"
"\n"
"{name}\n"
"{address}\n"
"\n"
"Objet : votre clé Sceau pour {year}\n"
"\n"
"Madame, Monsieur,\n"
"\n"
"Voici le code qui ouvre votre fichier de clé. Le fichier vous parvient par\n"
"un autre chemin que cette lettre : il ne sert à rien sans le code, ni le\n"
"code sans lui.\n"
"\n"
"    Code :       {code}\n"
"    Fichier :    {file}\n"
"    Empreinte :  {digits}\n"
"\n"
"Avec cette clé, vous pourrez écrire du {from} au {send},\n"
"et lire les messages qui vous auront été adressés jusqu'au {read}.\n"
"\n"
"Ce qu'il faut taper, une seule fois, sur la machine qui relève votre\n"
"courrier :\n"
"\n"
"    sceau key import {file}\n"
"\n"
"Le code vous est alors demandé. Majuscules et tirets ne comptent pas.\n"
"\n"
"Si le code est refusé, comparez d'abord l'empreinte ci-dessus aux huit\n"
"premiers chiffres que donne :\n"
"\n"
"    b2sum -l 256 {file}\n"
"\n"
"Ne donnez ce code à personne : l'association ne vous le demandera jamais.\n"
"Une fois la clé importée, détruisez cette lettre et le fichier : en cas de\n"
"panne, l'association vous en remettra d'autres. Si la lettre est arrivée\n"
"ouverte, si le fichier manque ou si l'empreinte diffère, n'importez rien et\n"
"appelez.\n"
"\n"
"Qui appeler : {call}\n";

static const char en[] =
"Association {assoc}\n"
"{today}\n"
"\n"
"{name}\n"
"{address}\n"
"\n"
"Subject: your Sceau key for {year}\n"
"\n"
"Dear member,\n"
"\n"
"Here is the code that opens your key file. The file reaches you by another\n"
"way than this letter: it is of no use without the code, nor the code without\n"
"it.\n"
"\n"
"    Code:         {code}\n"
"    File:         {file}\n"
"    Fingerprint:  {digits}\n"
"\n"
"With this key you can write from {from} to {send},\n"
"and read the messages addressed to you until {read}.\n"
"\n"
"What to type, once, on the machine that fetches your mail:\n"
"\n"
"    sceau key import {file}\n"
"\n"
"You are then asked for the code. Capitals and dashes do not matter.\n"
"\n"
"If the code is refused, first compare the fingerprint above with the first\n"
"eight digits printed by:\n"
"\n"
"    b2sum -l 256 {file}\n"
"\n"
"Give this code to nobody: the association will never ask you for it. Once\n"
"the key is imported, destroy this letter and the file: after a breakdown\n"
"the association gives you others. If the letter came opened, if the file is\n"
"missing or if the fingerprint differs, import nothing and call.\n"
"\n"
"Whom to call: {call}\n";

/* The day of ${at} in UTC, in which the dates of keys are fixed. */
static void
say_day(int64_t at, bool english, char out[DATE_BYTES])
{
	time_t t = (time_t)at;
	struct tm tm;

	out[0] = '\0';
	if (gmtime_r(&t, &tm) == NULL)
		return;
	if (english)
		snprintf(out, DATE_BYTES, "%d %s %d", tm.tm_mday,
		    en_months[tm.tm_mon], tm.tm_year + 1900);
	else
		snprintf(out, DATE_BYTES, "%d%s %s %d", tm.tm_mday,
		    tm.tm_mday == 1 ? "er" : "", fr_months[tm.tm_mon],
		    tm.tm_year + 1900);
}

struct word {
	const char	*name;
	const char	*value;
};

#define NWORDS 12

static const char *
find(const struct word words[NWORDS], const char *name, size_t len)
{
	for (size_t i = 0; i < NWORDS; i++)
		if (strlen(words[i].name) == len &&
		    memcmp(words[i].name, name, len) == 0)
			return words[i].value;
	return "";
}

/* ${text} with the words put in: once, so braces in a name stay. */
static bool
expand(const char *text, const struct word words[NWORDS], struct buf *out)
{
	const char *open, *close;

	while ((open = strchr(text, '{')) != NULL) {
		close = strchr(open, '}');
		BUG_ON(close == NULL);
		if (!buf_add(out, text, (size_t)(open - text)) ||
		    !buf_adds(out, find(words, open + 1,
		    (size_t)(close - open - 1))))
			return false;
		text = close + 1;
	}
	return buf_adds(out, text);
}

bool
letter_format(const struct letter *l, struct buf *out)
{
	char today[DATE_BYTES], from[DATE_BYTES], send[DATE_BYTES];
	char read[DATE_BYTES], year[8], address[IDENTITY_MAX_BYTES + 1];
	char issuer[IDENTITY_MAX_BYTES + 1];
	struct bytes to = identity_address(&l->to->id);
	struct bytes by = identity_address(l->issuer);
	const struct word words[NWORDS] = {
		{ "assoc", l->assoc }, { "today", today },
		{ "name", l->to->show }, { "address", address },
		{ "year", year }, { "code", l->code },
		{ "file", l->key_file }, { "digits", l->digits },
		{ "from", from }, { "send", send }, { "read", read },
		{ "call", l->call[0] != '\0' ? l->call : issuer }
	};

	say_day(l->at, l->english, today);
	say_day(l->dates.from_at, l->english, from);
	/* Ends are excluded: people are told the last day. */
	say_day(l->dates.send_until_at - 1, l->english, send);
	say_day(l->dates.read_until_at - 1, l->english, read);
	snprintf(year, sizeof(year), "%u", l->year);
	snprintf(address, sizeof(address), "%.*s", (int)to.len,
	    (const char *)to.p);
	snprintf(issuer, sizeof(issuer), "%.*s", (int)by.len,
	    (const char *)by.p);
	return expand(l->english ? en : fr, words, out);
}
