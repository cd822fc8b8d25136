#include "config.h"

#include <sodium.h>
#include <string.h>
#include <sys/resource.h>
#ifdef HAVE_SYS_PRCTL_H
#include <sys/prctl.h>
#endif
#ifdef ENABLE_FAULT
#include <stdlib.h>
#endif

#include "base/lang.h"
#include "base/secret.h"

static bool unlocked;	/* once is enough */

enum rc
secret_init(struct err *e)
{
	const struct rlimit none = { 0, 0 };

	if (sodium_init() < 0)
		return err_set(e, RC_NOMEM, _("libsodium did not start"));
	if (setrlimit(RLIMIT_CORE, &none) != 0)
		return err_sys(e, _("core dumps cannot be turned off"));
#ifdef PR_SET_DUMPABLE
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
		return err_sys(e, _("core dumps cannot be turned off"));
#endif
	return RC_OK;
}

bool
secret_set(struct secret *s, const void *p, size_t len)
{
	char *copy;

	if (len > SECRET_MAX_BYTES || (copy = secret_alloc(len + 1)) == NULL)
		return false;
	if (len > 0)
		memcpy(copy, p, len);
	copy[len] = '\0';
	secret_wipe(s);
	s->p = copy;
	s->len = len;
	return true;
}

void
secret_wipe(struct secret *s)
{
	secret_free(&s->p);
	s->len = 0;
}

void *
secret_alloc(size_t len)
{
	void *p = sodium_malloc(len);

	if (p == NULL)
		return NULL;
	memset(p, 0, len);
	/* sodium_malloc() has tried, and says nothing when it could not. */
	if (len > 0 && sodium_mlock(p, len) != 0)
		unlocked = true;
	return p;
}

bool
secret_locked(void)
{
	return !unlocked;
}

void
secret_free_(void **p)
{
	sodium_free(*p);
	*p = NULL;
}

void
wipe(void *p, size_t len)
{
	sodium_memzero(p, len);
}

void
wipe_stack(size_t len)
{
	sodium_stackzero(len);
}

bool
same(const void *a, const void *b, size_t len)
{
	return sodium_memcmp(a, b, len) == 0;
}

void
random_bytes(void *p, size_t len)
{
#ifdef ENABLE_FAULT
	const char *fixed = getenv("SCEAU_FAULT_RANDOM");

	if (fixed != NULL) {
		memset(p, (int)strtol(fixed, NULL, 10), len);
		return;
	}
#endif
	randombytes_buf(p, len);
}
