#include "config.h"

#include <stdio.h>
#include <string.h>

#include "base/lang.h"
#include "flow/field.h"

static const struct {
	const char	*name, *say;
} flags[FIELD_FLAGS] = {
	{ "possible-duplicate", N_("these documents may have been filed "
	    "before: compare before you use them") },
	{ "filed-again", N_("these documents were filed before, and are filed "
	    "once more because somebody here asked for it (sceau refile)") },
	{ "late", N_("this message was sealed long ago: look at the dates of "
	    "its documents") },
	{ "dated-ahead", N_("the clock of the sender, or of this machine, is "
	    "wrong: the message seems to come from the future") },
	{ "replaced-key", N_("the sender used a key that the association has "
	    "replaced since") },
	{ "relayed-though-direct", N_("this came through the association's "
	    "gateway, although the sender holds a key for us") },
};

/* The value of "name=" in the field, up to what ends it. */
static bool
value_of(const char *field, const char *name, char *out, size_t size)
{
	const char *p = strstr(field, name);
	size_t n;

	if (p == NULL)
		return false;
	p += strlen(name);
	n = strcspn(p, ";\r\n");
	if (n >= size)
		return false;
	memcpy(out, p, n);
	out[n] = '\0';
	return true;
}

/* Up to the line that does not go on: the rest of the mail is a stranger's. */
static bool
cut_field(char *text)
{
	char *end = text;

	if (strncmp(text, "X-Sceau: ", 9) != 0)
		return false;
	do {
		if ((end = strstr(end, "\r\n")) == NULL)
			return false;
		end += 2;
	} while (*end == '\t' || *end == ' ');
	*end = '\0';
	return true;
}

enum rc
field_read(struct bytes mail, struct field *f, struct err *e)
{
	char text[FIELD_MAX_BYTES + 1], sender[320], names[200] = "";
	const char *at;
	size_t n = mail.len < FIELD_MAX_BYTES ? mail.len : FIELD_MAX_BYTES;

	memset(f, 0, sizeof(*f));
	if (n > 0)
		memcpy(text, mail.p, n);
	text[n] = '\0';
	if (!cut_field(text) ||
	    !value_of(text, "sender=", sender, sizeof(sender)))
		return err_class(e, EC_POLICY, _("not a mail that can be "
		    "read"));
	sender[strcspn(sender, "#")] = '\0';
	at = strchr(sender, '/');
	snprintf(f->address, sizeof(f->address), "%.*s",
	    (int)sizeof(f->address) - 1, at == NULL ? sender : at + 1);
	(void)value_of(text, "flags=", names, sizeof(names));
	for (size_t i = 0; i < FIELD_FLAGS; i++) {
		const char *p = strstr(names, flags[i].name);

		f->flag[i] = p != NULL && (p == names || p[-1] == ',');
	}
	return RC_OK;
}

bool
field_say(const struct field *f, struct buf *out)
{
	bool ok = true;

	for (size_t i = 0; ok && i < FIELD_FLAGS; i++)
		if (f->flag[i])
			ok = buf_adds(out, _(flags[i].say)) &&
			    buf_adds(out, "\n");
	return ok;
}
