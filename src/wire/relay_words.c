#include "config.h"

#include <string.h>

#include "base/lang.h"
#include "wire/relay.h"

const char *
relay_words(const char *text)
{
	static const char none[] = "0  ";	/* no code, no enhanced one */
	size_t len = sizeof(none) - 1;

	return strncmp(text, none, len) == 0 && text[len] != '\0' ?
	    _(text + len) : text;
}
