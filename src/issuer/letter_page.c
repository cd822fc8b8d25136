/* The letter as a page to be printed. */
#include "config.h"

#include <string.h>

#include "base/secret.h"
#include "issuer/letter.h"
#include "issuer/qr.h"
#include "vault/code.h"

/*
 * In millimetres, since paper goes into envelopes.  The address must show in
 * the windows of DL (220 x 110, paper folded in three) and of C5 (229 x 162,
 * folded in two), which begin 45 to 57 below the top and end 20 from the right,
 * wherever the paper slips to; and nothing else may: from 34 to 103 there is
 * only the address right of 90.  The code keeps off the folds, at 99, 148.5
 * and 198.
 */
static const char style[] =
"@page { size: A4; margin: 0 }\n"
"body { margin: 0; color: #000; background: #fff;\n"
"  font: 10.5pt/1.38 'Liberation Sans', Arial, Helvetica, sans-serif }\n"
"article { position: relative; box-sizing: border-box; width: 210mm;\n"
"  min-height: 296mm; padding: 106mm 20mm 8mm; break-after: page;\n"
"  break-inside: avoid }\n"
"p { margin: 0 0 2.4mm; overflow-wrap: anywhere }\n"
"h1 { font-size: 15pt; font-weight: 700; margin: 0 0 4mm }\n"
"h2 { font-size: 10.5pt; font-weight: 700; margin: 0 0 1.5mm }\n"
".from { position: absolute; left: 20mm; top: 18mm; width: 66mm }\n"
".to { position: absolute; left: 110mm; top: 57mm; width: 80mm;\n"
"  font-size: 10pt; line-height: 3.66mm; white-space: pre-line }\n"
".intro { min-height: 47mm }\n"
".key { display: flex; gap: 5mm; align-items: center;\n"
"  border: 0.4mm solid #000; border-radius: 1.5mm;\n"
"  padding: 2mm 2mm 2mm 5mm; margin: 0 0 5mm; break-inside: avoid }\n"
".key > div { flex: 1; min-width: 0 }\n"
".key p { margin: 0 0 1mm; font-size: 9pt; line-height: 1.3 }\n"
".key .code { font: 700 19pt/1.3 'Liberation Mono', 'Courier New',\n"
"  monospace; white-space: nowrap; margin: 0.5mm 0 1.5mm }\n"
".qr { flex: none; width: 33mm; height: 33mm; margin: -1mm }\n"
".facts td { padding: 0 4mm 0 0; vertical-align: top; font-size: 9.5pt;\n"
"  overflow-wrap: anywhere }\n"
".facts td:first-child { white-space: nowrap }\n"
"table { border-spacing: 0 }\n"
"ol { margin: 0 0 3mm; padding-left: 6mm }\n"
"kbd { font: 700 10pt 'Liberation Mono', 'Courier New', monospace }\n"
".call { border-top: 0.3mm solid #000; padding-top: 2.5mm;\n"
"  margin: 3.5mm 0 0 }\n"
"@media screen {\n"
"  body { background: #ddd }\n"
"  article { background: #fff; margin: 6mm auto } }\n";

/* Before the square and behind it. */
static const char *const fr[2] = {
"<article lang=\"fr\">\n"
"<p class=\"from\"><b>Association {assoc}</b><br/>\n"
"Le {today}</p>\n"
"<div class=\"to\">{to}</div>\n"
"<div class=\"intro\">\n"
"<h1>Votre clé Sceau pour {year}</h1>\n"
"<p>Madame, Monsieur,</p>\n"
"<p>Voici le code qui ouvre votre fichier de clé. Le fichier vous parvient\n"
"par un autre chemin que cette lettre : il ne sert à rien sans le code, ni\n"
"le code sans lui.</p>\n"
"<p>Avec cette clé, vous pourrez écrire du <b>{from}</b> au <b>{send}</b>,\n"
"et lire les messages qui vous auront été adressés jusqu'au\n"
"<b>{read}</b>.</p>\n"
"</div>\n"
"<div class=\"key\"><div>\n"
"<h2>Votre code</h2>\n"
"<p class=\"code\">{code}</p>\n"
"<p>Il n'y a ni O, ni I, ni L : lisez zéro et un. Le dernier signe contrôle\n"
"les autres. Le carré dit le même code à un lecteur branché à l'ordinateur ;\n"
"ne le photographiez pas.</p>\n"
"<table class=\"facts\">\n"
"<tr><td>Fichier</td><td><b>{file}</b></td></tr>\n"
"<tr><td>Son empreinte</td><td><b>{digits}</b></td></tr>\n"
"<tr><td>Votre nom dans Sceau</td><td><b>{address}</b></td></tr>\n"
"</table>\n"
"</div>",
"</div>\n"
"<h2>Ce qu'il faut taper, une seule fois, sur la machine qui relève votre\n"
"courrier</h2>\n"
"<ol>\n"
"<li><kbd>sceau key import {file}</kbd><br/>\n"
"Le code vous est alors demandé. Majuscules et tirets ne comptent pas.</li>\n"
"<li><kbd>sceau check</kbd><br/>\n"
"dit si tout est en ordre.</li>\n"
"</ol>\n"
"<p>Si le code est refusé, comparez d'abord l'empreinte ci-dessus aux huit\n"
"premiers chiffres que donne <kbd>b2sum -l 256 {file}</kbd></p>\n"
"<p>Ne donnez ce code à personne : l'association ne vous le demandera\n"
"jamais. Une fois la clé importée, détruisez cette lettre et le fichier : en\n"
"cas de panne, l'association vous en remettra d'autres. Si la lettre est\n"
"arrivée ouverte, si le fichier manque ou si l'empreinte diffère, n'importez\n"
"rien et appelez.</p>\n"
"<p class=\"call\"><b>Qui appeler : {call}</b></p>\n"
"</article>\n" };

static const char *const en[2] = {
"<article lang=\"en\">\n"
"<p class=\"from\"><b>Association {assoc}</b><br/>\n"
"{today}</p>\n"
"<div class=\"to\">{to}</div>\n"
"<div class=\"intro\">\n"
"<h1>Your Sceau key for {year}</h1>\n"
"<p>Dear member,</p>\n"
"<p>Here is the code that opens your key file. The file reaches you by\n"
"another way than this letter: it is of no use without the code, nor the\n"
"code without it.</p>\n"
"<p>With this key you can write from <b>{from}</b> to <b>{send}</b>, and\n"
"read the messages addressed to you until <b>{read}</b>.</p>\n"
"</div>\n"
"<div class=\"key\"><div>\n"
"<h2>Your code</h2>\n"
"<p class=\"code\">{code}</p>\n"
"<p>There is no O, no I and no L: read zero and one. The last sign checks\n"
"the others. The square says the same code to a scanner that is plugged into\n"
"the computer; take no photograph of it.</p>\n"
"<table class=\"facts\">\n"
"<tr><td>File</td><td><b>{file}</b></td></tr>\n"
"<tr><td>Its fingerprint</td><td><b>{digits}</b></td></tr>\n"
"<tr><td>Your name in Sceau</td><td><b>{address}</b></td></tr>\n"
"</table>\n"
"</div>",
"</div>\n"
"<h2>What to type, once, on the machine that fetches your mail</h2>\n"
"<ol>\n"
"<li><kbd>sceau key import {file}</kbd><br/>\n"
"You are then asked for the code. Capitals and dashes do not matter.</li>\n"
"<li><kbd>sceau check</kbd><br/>\n"
"tells whether all is well.</li>\n"
"</ol>\n"
"<p>If the code is refused, first compare the fingerprint above with the\n"
"first eight digits printed by <kbd>b2sum -l 256 {file}</kbd></p>\n"
"<p>Give this code to nobody: the association will never ask you for it.\n"
"Once the key is imported, destroy this letter and the file: after a\n"
"breakdown the association gives you others. If the letter came opened, if\n"
"the file is missing or if the fingerprint differs, import nothing and\n"
"call.</p>\n"
"<p class=\"call\"><b>Whom to call: {call}</b></p>\n"
"</article>\n" };

const char *
letter_style(void)
{
	return style;
}

static bool
add_square(struct bytes code, struct buf *out)
{
	char text[CODE_TEXT_BYTES];
	bool ok;

	BUG_ON(code.len >= sizeof(text));
	memcpy(text, code.p, code.len);
	text[code.len] = '\0';
	ok = qr_svg(text, out);
	wipe(text, sizeof(text));
	return ok;
}

bool
letter_page(const struct letter_words *w, struct buf *out)
{
	const char *const *part = w->english ? en : fr;

	return words_fill(part[0], w->v, LETTER_NWORDS, WORDS_HTML, out) &&
	    add_square(words_find(w->v, LETTER_NWORDS, "code"), out) &&
	    words_fill(part[1], w->v, LETTER_NWORDS, WORDS_HTML, out);
}
