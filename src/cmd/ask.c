#include "config.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/lang.h"
#include "cmd/ask.h"
#include "conf/value.h"

#define TRIES 5

struct ask
ask_begin(bool yes)
{
	setvbuf(stdin, NULL, _IONBF, 0);
	return (struct ask){ yes, isatty(STDIN_FILENO) != 0 };
}

static enum rc
no_answer(const char *question, struct err *e)
{
	return err_set(e, RC_CONF, _("no answer to \"%s\"; nothing was "
	    "written"), question);
}

/* A line without its end. */
static enum rc
line_read(const char *question, char out[ASK_BYTES], struct err *e)
{
	size_t len;

	bool got = fgets(out, ASK_BYTES, stdin) != NULL;

	if (isatty(STDIN_FILENO) == 0)
		fputc('\n', stderr);
	if (!got)
		return no_answer(question, e);
	len = strlen(out);
	if (len == ASK_BYTES - 1 && out[len - 1] != '\n')
		return err_set(e, RC_CONF, _("the answer to \"%s\" is too "
		    "long"), question);
	out[strcspn(out, "\r\n")] = '\0';
	return RC_OK;
}

static enum rc
text_once(const char *question, const char *own,
    enum rc (*good)(const char *s, struct err *e), char out[ASK_BYTES],
    struct err *e)
{
	if (own != NULL)
		fprintf(stderr, "%s [%s] ", question, own);
	else
		fprintf(stderr, "%s ", question);
	if (line_read(question, out, e) != RC_OK)
		return e->rc;
	if (out[0] == '\0' && own == NULL)
		return no_answer(question, e);
	if (out[0] == '\0')
		snprintf(out, ASK_BYTES, "%s", own);
	return good != NULL ? good(out, e) : RC_OK;
}

enum rc
ask_text(const struct ask *a, const char *question, const char *own,
    enum rc (*good)(const char *s, struct err *e), char out[ASK_BYTES],
    struct err *e)
{
	enum rc rc = RC_OK;

	if (a->yes && own != NULL) {
		snprintf(out, ASK_BYTES, "%s", own);
		return good != NULL ? good(out, e) : RC_OK;
	}
	for (int i = 0; i < TRIES; i++) {
		rc = text_once(question, own, good, out, e);
		if (rc == RC_OK || !a->terminal || feof(stdin))
			return rc;
		fprintf(stderr, "%s\n", e->text);
	}
	return rc;
}

static enum rc
good_yes(const char *s, struct err *e)
{
	bool ignored;

	if (strchr("yYoOnN", s[0]) != NULL && s[1] == '\0')
		return RC_OK;
	return value_bool(s, &ignored, e);
}

enum rc
ask_yes(const struct ask *a, const char *question, bool own, bool *out,
    struct err *e)
{
	char answer[ASK_BYTES];
	enum rc rc = ask_text(a, question, own ? _("yes") : _("no"),
	    good_yes, answer, e);

	if (rc == RC_OK && answer[1] == '\0')
		*out = strchr("yYoO", answer[0]) != NULL;
	else if (rc == RC_OK)
		rc = value_bool(answer, out, e);
	return rc;
}

enum rc
ask_choice(const struct ask *a, const char *question,
    const char *const *words, size_t n, size_t *out, struct err *e)
{
	char answer[ASK_BYTES];
	int number = 0;
	enum rc rc;

	for (size_t i = 0; !a->yes && i < n; i++)
		fprintf(stderr, "  %zu  %s\n", i + 1, _(words[i]));
	for (int i = 0; i < TRIES; i++) {
		rc = ask_text(a, question, "1", NULL, answer, e);
		if (rc == RC_OK)
			rc = value_int(answer, 1, (int)n, &number, e);
		if (rc == RC_OK || !a->terminal || feof(stdin))
			break;
		fprintf(stderr, "%s\n", e->text);
	}
	*out = (size_t)(number > 0 ? number - 1 : 0);
	return rc;
}

enum rc
ask_secret(const struct ask *a, const char *question, struct secret *out,
    struct err *e)
{
	struct termios was, quiet;
	char line[ASK_BYTES] = "";
	sigset_t all, before;
	bool shown;
	enum rc rc;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &before);
	shown = !a->terminal || tcgetattr(STDIN_FILENO, &was) != 0;
	if (!shown) {
		quiet = was;
		quiet.c_lflag &= ~(tcflag_t)ECHO;
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
	}
	/* Not before: what is typed at once would be shown, or lost. */
	fprintf(stderr, "%s ", question);
	rc = line_read(question, line, e);
	if (!shown) {
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &was);
		fputc('\n', stderr);
	}
	sigprocmask(SIG_SETMASK, &before, NULL);
	if (rc == RC_OK && line[0] == '\0')
		rc = no_answer(question, e);
	if (rc == RC_OK && !secret_set(out, line, strlen(line)))
		rc = err_set(e, RC_NOMEM, _("no locked memory for a "
		    "password"));
	wipe(line, sizeof(line));
	return rc;
}
