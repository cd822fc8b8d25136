/* What the member's commands about keys share. */
#ifndef SC_CMD_KEY_H
#define SC_CMD_KEY_H

#include "cmd/ask.h"
#include "cmd/cmd.h"
#include "vault/keyfile.h"
#include "vault/keystore.h"

/* One key file on its way into the store. */
struct key_take {
	struct app		*app;
	const char		*path;
	bool			 renew;		/* without path: found */
	const char		*code_file;	/* NULL: asked for */
	const char		*pass_file;	/* the same of an export */
	char			 digits[KEYFILE_DIGITS + 1];	/* or "" */
	struct ask		 ask;
	struct keyfile_head	 head;
	struct keystore		*ks;		/* owned */
	int			 lock;		/* of the store, or -1 */
	struct keyfile_result	 res;
	size_t			 pending;	/* messages waited */
};

/* key_at(app): where the store lies; lent. */
struct keystore_at key_at(const struct app *app);

/* key_load(app, ks, e): the store, or a new one where there is none. */
enum rc key_load(const struct app *app, struct keystore **ks, struct err *e);

/*
 * key_find(ks, year, path, e):
 * The key file of ${year} for whoever ${ks} belongs to, in the folders where
 * people put what came: this one, and that of downloads.  ${path} owned.
 * RC_CONF: none, or several that differ; where it was looked for is said.
 */
enum rc key_find(const struct keystore *ks, uint16_t year, char **path,
    struct err *e);

/* key_digits(s, out, e): the fingerprint as a person typed it; RC_CONF. */
enum rc key_digits(const char *s, char out[KEYFILE_DIGITS + 1],
    struct err *e);
/* key_code(t, code, e): from the file, or asked for once.  RC_INPUT: mistyped,
 * and how. */
enum rc key_code(const struct key_take *t, uint8_t code[KDF_CODE_BYTES],
    struct err *e);
/* key_fits(t, e): what its head and the letter's digits tell before any code
 * is asked for: is it for this store?  RC_INPUT with EC_NOTFORME, EC_NOKEY,
 * EC_EXPIRED, EC_HEADER. */
enum rc key_fits(const struct key_take *t, struct err *e);
/* key_ask_owner(t, e): a first key, and somebody at a terminal: is it his?
 * Another's letter opens another's file.  RC_INPUT with EC_NOTFORME: it is
 * not. */
enum rc key_ask_owner(const struct key_take *t, struct err *e);
/* key_explain(t, e): the sentence of what keyfile_import() said. */
enum rc key_explain(const struct key_take *t, struct err *e);
/* key_ask_digits(t, e): after a code that does not fit: those of the letter
 * are asked for.  RC_INPUT: they are others; nothing helps but another file or
 * letter. */
enum rc key_ask_digits(struct key_take *t, struct err *e);

/* key_load_locked(t, e): the store anew, and nobody else changes it until
 * t->lock is closed; a person has typed by then.  Not with --dry-run. */
enum rc key_load_locked(struct key_take *t, struct err *e);

/* key_take_export(t, e): the file is one of sceau key export; it is told, what
 * is held then is in t->ks. */
enum rc key_take_export(struct key_take *t, struct err *e);

/* key_say_head(t): which file, before the code is typed.  key_say(t, e): what
 * is held now, until when, and what to do. */
void key_say_head(const struct key_take *t);
enum rc key_say(const struct key_take *t, struct err *e);

/*
 * key_keep(t, e):
 * The store as it is now, on disk; what waited for its keys is opened by the
 * next poll: t->pending messages; the alarm of a key that ends is looked at
 * anew.  Nothing of it with --dry-run.
 */
enum rc key_keep(struct key_take *t, struct err *e);

#endif
