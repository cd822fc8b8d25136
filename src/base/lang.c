#include "config.h"

#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "base/lang.h"

static char code[3] = "en";

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
#endif
}

const char *
lang_code(void)
{
	return code;
}
