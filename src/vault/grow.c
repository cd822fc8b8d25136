#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "vault/grow.h"

bool
grow(void **p, size_t *cap, size_t want, size_t size)
{
	size_t more = *cap < 8 ? 8 : *cap + *cap / 2;
	void *q;

	if (want <= *cap)
		return true;
	if (more < want)
		more = want;
	if (more > SIZE_MAX / size || (q = malloc(more * size)) == NULL)
		return false;
	if (*cap > 0)
		memcpy(q, *p, *cap * size);
	free(*p);
	*p = q;
	*cap = more;
	return true;
}
