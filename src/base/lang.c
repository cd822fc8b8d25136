#include "config.h"

#include <errno.h>
#include <locale.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#include "base/lang.h"

static char code[3] = "en";

/* The system's own catalogue is seldom installed: what people do meet. */
static const struct {
	int		 err;
	const char	*text;
} errors[] = {
	{ EACCES, N_("Permission denied") },
	{ EADDRNOTAVAIL, N_("Cannot assign requested address") },
	{ ECONNABORTED, N_("Software caused connection abort") },
	{ ECONNREFUSED, N_("Connection refused") },
	{ ECONNRESET, N_("Connection reset by peer") },
	{ EEXIST, N_("File exists") },
	{ EHOSTUNREACH, N_("No route to host") },
	{ EINVAL, N_("Invalid argument") },
	{ EIO, N_("Input/output error") },
	{ EISDIR, N_("Is a directory") },
	{ ELOOP, N_("Too many levels of symbolic links") },
	{ EMFILE, N_("Too many open files") },
	{ ENAMETOOLONG, N_("File name too long") },
	{ ENETUNREACH, N_("Network is unreachable") },
	{ ENOENT, N_("No such file or directory") },
	{ ENOMEM, N_("Cannot allocate memory") },
	{ ENOSPC, N_("No space left on device") },
	{ ENOTDIR, N_("Not a directory") },
	{ ENOTEMPTY, N_("Directory not empty") },
	{ EPERM, N_("Operation not permitted") },
	{ EPIPE, N_("Broken pipe") },
	{ EROFS, N_("Read-only file system") },
	{ ETIMEDOUT, N_("Connection timed out") },
	{ EXDEV, N_("Invalid cross-device link") },
};

static const char *
env_lang(void)
{
	static const char *const names[] = { "LANGUAGE", "LC_ALL",
	    "LC_MESSAGES", "LANG" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *v = getenv(names[i]);

		if (v != NULL && *v != '\0')
			return v;
	}
	return "en";
}

void
lang_set(const char *lang)
{
	const char *want = lang != NULL ? lang : env_lang();

	strcpy(code, strncmp(want, "fr", 2) == 0 ? "fr" : "en");
#ifdef ENABLE_NLS
	const char *dir = getenv("SCEAU_LOCALEDIR");

	/* gettext says nothing in the C locale, and cron has no other. */
	if (setlocale(LC_MESSAGES, "C.UTF-8") == NULL &&
	    setlocale(LC_MESSAGES, "fr_FR.UTF-8") == NULL)
		setlocale(LC_MESSAGES, "en_US.UTF-8");
	setlocale(LC_CTYPE, "C.UTF-8");
	setenv("LANGUAGE", code, 1);
	bindtextdomain("sceau", dir != NULL ? dir : SCEAU_LOCALEDIR);
	bind_textdomain_codeset("sceau", "UTF-8");
	textdomain("sceau");
	/* gettext opens the catalogue at its first word, and a process that
	 * has entered its sandbox opens nothing. */
	(void)gettext("never");
#endif
}

const char *
lang_code(void)
{
	return code;
}

const char *
lang_errno(int err)
{
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		if (errors[i].err == err)
			return _(errors[i].text);
	return strerror(err);
}

const char *
lang_resolver(int err)
{
	switch (err) {
	case EAI_NONAME:
		return _("no machine has this name");
	case EAI_AGAIN:
		return _("the name servers do not answer: is this machine "
		    "connected?");
	default:
		return gai_strerror(err);
	}
}
