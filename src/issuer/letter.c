#include "config.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/secret.h"
#include "issuer/letter.h"
#include "vault/code.h"


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
"{to}\n"
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
"    Membre :     {address}\n"
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
"Vérifiez ensuite que tout est en ordre :\n"
"\n"
"    sceau check\n"
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
"{to}\n"
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
"    Member:       {address}\n"
"\n"
"With this key you can write from {from} to {send},\n"
"and read the messages addressed to you until {read}.\n"
"\n"
"What to type, once, on the machine that fetches your mail:\n"
"\n"
"    sceau key import {file}\n"
"\n"
"You are then asked for the code. Capitals and dashes do not matter. Then see\n"
"whether all is well:\n"
"\n"
"    sceau check\n"
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

/* UTC: the dates of keys are fixed in it. */
void
letter_day(int64_t at, bool english, char out[LETTER_DAY_BYTES])
{
	time_t t = (time_t)at;
	struct tm tm;

	out[0] = '\0';
	if (gmtime_r(&t, &tm) == NULL)
		return;
	if (english)
		snprintf(out, LETTER_DAY_BYTES, "%d %s %d", tm.tm_mday,
		    en_months[tm.tm_mon], tm.tm_year + 1900);
	else
		snprintf(out, LETTER_DAY_BYTES, "%d%s %s %d", tm.tm_mday,
		    tm.tm_mday == 1 ? "er" : "", fr_months[tm.tm_mon],
		    tm.tm_year + 1900);
}

/* The name and the lines of the postal address below it: none is empty, so
 * that the next empty line is the end of them. */
static bool
add_to(const struct member *to, struct buf *out)
{
	if (!buf_adds(out, to->show))
		return false;
	if (to->post[0] != '\0' && !buf_addf(out, "\n%s", to->post))
		return false;
	for (size_t i = out->len - strlen(to->post); i < out->len; i++)
		if (out->p[i] == '|')
			out->p[i] = '\n';
	return true;
}

static struct bytes
text(const char *s)
{
	return (struct bytes){ (const uint8_t *)s, strlen(s) };
}

bool
letter_format(const struct letter *l, struct buf *out)
{
	char today[LETTER_DAY_BYTES], from[LETTER_DAY_BYTES];
	char send[LETTER_DAY_BYTES];
	char read[LETTER_DAY_BYTES], year[8];
	struct buf to = BUF_INIT;
	bool ok;

	letter_day(l->at, l->english, today);
	letter_day(l->dates.from_at, l->english, from);
	/* Ends are excluded: people are told the last day. */
	letter_day(l->dates.send_until_at - 1, l->english, send);
	letter_day(l->dates.read_until_at - 1, l->english, read);
	snprintf(year, sizeof(year), "%u", l->year);
	ok = add_to(l->to, &to);
	const struct word words[] = {
		{ "assoc", text(l->assoc) }, { "today", text(today) },
		{ "to", { to.p, to.len } }, { "year", text(year) },
		{ "address", identity_address(&l->to->id) },
		{ "code", text(l->code) }, { "file", text(l->key_file) },
		{ "digits", text(l->digits) }, { "from", text(from) },
		{ "send", text(send) }, { "read", text(read) },
		{ "call", l->call[0] != '\0' ? text(l->call) :
		    identity_address(l->issuer) }
	};
	ok = ok && words_fill(l->english ? en : fr, words,
	    sizeof(words) / sizeof(words[0]), WORDS_PLAIN, out);
	buf_free(&to);
	return ok;
}

static const char *const places[LETTER_NWORDS] = { "assoc", "today", "to",
    "address", "year", "code", "file", "digits", "from", "send", "read",
    "call" };

static bool
is_code(struct bytes s)
{
	uint8_t code[CODE_BYTES];
	struct err e = ERR_INIT;
	bool ok = s.len == CODE_TEXT_BYTES - 1 &&
	    code_parse((const char *)s.p, s.len, code, &e) == RC_OK;

	wipe(code, sizeof(code));
	return ok;
}

bool
letter_read(struct bytes s, struct letter_words *w)
{
	for (size_t i = 0; i < LETTER_NWORDS; i++)
		w->v[i] = (struct word){ places[i], { NULL, 0 } };
	w->english = !words_read(fr, w->v, LETTER_NWORDS, s);
	return (!w->english || words_read(en, w->v, LETTER_NWORDS, s)) &&
	    is_code(words_find(w->v, LETTER_NWORDS, "code"));
}
