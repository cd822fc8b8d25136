#include "config.h"

#include <dlfcn.h>
#include <string.h>

#include "base/lang.h"
#include "base/late.h"

static enum rc
fail(const struct late *l, struct err *e)
{
	const char *why = dlerror();

	return err_set(e, RC_TEMP, _("the library %s cannot be loaded "
	    "(%s): install it anew; nothing is lost"), l->library,
	    why == NULL ? "?" : why);
}

enum rc
late_load(struct late *l, struct err *e)
{
	void *call;
	size_t n = 0;

	if (l->here)
		return RC_OK;
	/* Where the linker would have put it: among those that everybody
	 * sees, and who was loaded before them is asked first. */
	if (dlopen(l->library, RTLD_LAZY | RTLD_GLOBAL) == NULL)
		return fail(l, e);
	for (; l->names[n] != NULL; n++) {
		BUG_ON((n + 1) * sizeof(call) > l->size);
		if ((call = dlsym(RTLD_DEFAULT, l->names[n])) == NULL)
			return fail(l, e);
		memcpy((char *)l->calls + n * sizeof(call), &call,
		    sizeof(call));
	}
	BUG_ON(n * sizeof(call) != l->size);
	l->here = true;
	return RC_OK;
}

const void *
late_calls(struct late *l)
{
	struct err e = ERR_INIT;

	if (!l->here)
		BUG_ON(late_load(l, &e) != RC_OK);
	return l->calls;
}
