#include "config.h"

#include <string.h>

#include "base/clock.h"
#include "base/lang.h"
#include "cmd/register_patient.h"
#include "flow/patients.h"

#define BLANKS " \t"
#define WORDS_MAX 32
#define AT_ONCE 64

static enum rc
no_memory(struct err *e)
{
	return err_set(e, RC_NOMEM, _("no memory left"));
}

/* ---- whom the words may mean ------------------------------------------- */

static size_t
words_of(const char *text, struct bytes word[WORDS_MAX + 1])
{
	size_t n = 0;

	for (text += strspn(text, BLANKS); *text != '\0' && n <= WORDS_MAX;
	    text += strspn(text, BLANKS)) {
		word[n].p = (const uint8_t *)text;
		word[n].len = strcspn(text, BLANKS);
		text += word[n++].len;
	}
	return n;
}

/* A name has no figures; a century is not guessed here. */
static enum rc
take_birth(const struct bytes *word, size_t *n, char birth[DATE_BYTES],
    struct err *e)
{
	struct date today, d;
	enum date_form form;

	birth[0] = '\0';
	if (*n == 0 || strcspn((const char *)word[*n - 1].p, "0123456789") >=
	    word[*n - 1].len)
		return RC_OK;
	date_of(clock_now(), &today);
	form = date_parse(word[--*n], &today, &d);
	if (form != DATE_FULL && form != DATE_OTHER)
		return err_set(e, RC_CONF, _("the last word is no date of "
		    "birth: write it as 1961-05-12 or 12/05/1961"));
	date_format(&d, birth);
	return RC_OK;
}

static struct bytes
run_of(const struct bytes *word, size_t from, size_t to)
{
	if (from == to)
		return (struct bytes){ NULL, 0 };
	return (struct bytes){ word[from].p, (size_t)(word[to - 1].p +
	    word[to - 1].len - word[from].p) };
}

/* Where the surname ends nobody can tell: each way to read the words. */
static enum rc
forms_of(const char *text, struct buf *forms, struct err *e)
{
	struct bytes word[WORDS_MAX + 1];
	struct hprim_patient p;
	size_t n = words_of(text, word);
	unsigned done = 0;
	bool ok;

	memset(&p, 0, sizeof(p));
	if (n > WORDS_MAX)
		return err_set(e, RC_CONF, _("that is no name"));
	if (take_birth(word, &n, p.birth, e) != RC_OK)
		return e->rc;
	if (n == 0)
		return err_set(e, RC_CONF, _("write the surname, the first "
		    "names and the date of birth, such as \"LE GOFF Anne "
		    "1961-05-12\""));
	ok = buf_add32(forms, (uint32_t)n);
	for (size_t i = 1; ok && i <= n; i++) {
		p.field[HPRIM_FAMILY] = run_of(word, 0, i);
		p.field[HPRIM_GIVEN] = run_of(word, i, n);
		ok = patients_form(&p, forms, &done);
	}
	wipe(p.birth, sizeof(p.birth));
	return ok ? RC_OK : no_memory(e);
}

/* In whatever set the terminal is. */
static enum rc
typed(const char *text, struct buf *utf8, struct err *e)
{
	struct charset_loss loss = { .lost = 0 };
	const uint8_t *p = (const uint8_t *)text;
	struct charset_guess g;
	enum rc rc;

	charset_guess(p, strlen(text), &g);
	rc = charset_read(&g, p, strlen(text), utf8, &loss, e);
	return rc == RC_OK && !buf_add8(utf8, '\0') ? no_memory(e) : rc;
}

enum rc
register_patient_who(struct app *app, const char *text, struct buf *who,
    struct err *e)
{
	struct pass p = app_pass(app, PASS_SUBMIT);
	struct buf utf8 = BUF_INIT, forms = BUF_INIT, digests = BUF_INIT;
	char one[STORE_PATIENT_WHO_BYTES];
	enum rc rc = typed(text, &utf8, e);

	if (rc == RC_OK)
		rc = forms_of((const char *)utf8.p, &forms, e);
	if (rc == RC_OK)
		rc = patients_ask(&p, &forms, &digests, e);
	for (size_t i = 0; rc == RC_OK && i < digests.len;
	    i += STORE_PATIENT_BYTES) {
		store_register_patient(digests.p + i, one);
		if (!buf_add(who, one, strlen(one) + 1))
			rc = no_memory(e);
	}
	buf_free(&utf8);
	buf_free(&forms);
	buf_free(&digests);
	return rc;
}

bool
register_patient_is(const struct buf *who, const char *one)
{
	const char *p = (const char *)who->p;

	for (size_t i = 0; i < who->len; i += strlen(p + i) + 1)
		if (strcmp(p + i, one) == 0)
			return true;
	return false;
}

/* ---- where he is ------------------------------------------------------- */

static bool
add_once(struct buf *all, const uint8_t t[STORE_T_BYTES])
{
	for (size_t i = 0; i < all->len; i += STORE_T_BYTES)
		if (memcmp(all->p + i, t, STORE_T_BYTES) == 0)
			return true;
	return buf_add(all, t, STORE_T_BYTES);
}

static enum rc
find_one(struct store *st, const char *who, struct buf *t, struct err *e)
{
	struct store_entry x[AT_ONCE];
	int64_t after = 0;
	size_t n = AT_ONCE;
	enum rc rc = RC_OK;

	while (rc == RC_OK && n == AT_ONCE) {
		rc = store_register_of(st, after, who, x, AT_ONCE, &n, e);
		for (size_t i = 0; rc == RC_OK && i < n; i++) {
			after = x[i].id;
			if (!add_once(t, x[i].t))
				rc = no_memory(e);
		}
	}
	return rc;
}

enum rc
register_patient_find(struct store *st, const struct buf *who, struct buf *t,
    struct err *e)
{
	const char *p = (const char *)who->p;
	enum rc rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && i < who->len; i += strlen(p + i) + 1)
		rc = find_one(st, p + i, t, e);
	return rc;
}
