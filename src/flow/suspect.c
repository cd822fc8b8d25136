#include "config.h"

#include <string.h>

#include "flow/suspect.h"

/* One mail is found after three.  A server that ends sessions for reasons of
 * its own is not asked again and again: so many in a row that bring nothing. */
#define ENDED_MAX 9
#define DIED_MAX (3 * SUSPECT_SKIP_MAX)

static bool
same(const struct store_uid *a, const struct store_uid *b)
{
	return a->len == b->len && memcmp(a->p, b->p, a->len) == 0;
}

size_t
suspect_max(const struct suspect *s, size_t most)
{
	return s->alone > 0 ? 1 : most;
}

bool
suspect_skips(const struct suspect *s, const struct store_uid *uid)
{
	for (size_t i = 0; i < s->nskip; i++)
		if (same(&s->skip[i], uid))
			return true;
	return false;
}

void
suspect_asked(struct suspect *s, const struct store_uid *uids, size_t n)
{
	s->waiting = n;
	s->one.len = 0;
	if (n == 1)
		s->one = uids[0];
}

void
suspect_came(struct suspect *s)
{
	if (s->waiting > 0)
		s->waiting--;
	if (s->alone > 0)
		s->alone--;
	s->came = true;
}

bool
suspect_over(struct suspect *s, bool died, const struct store_uid **found)
{
	*found = NULL;
	if (s->waiting == 0)
		return false;
	if (s->one.len == 0)
		s->alone = s->waiting;
	else if (s->last.len > 0 && same(&s->last, &s->one)) {
		s->alone = 0;
		if (s->nskip == SUSPECT_SKIP_MAX)
			return false;
		s->skip[s->nskip] = s->one;
		*found = &s->skip[s->nskip++];
		/* What came since the last of them shows that it goes on. */
		if (s->came)
			s->ended = 0;
		s->came = false;
	}
	s->last = s->one;
	s->waiting = 0;
	return died ? ++s->died <= DIED_MAX : ++s->ended <= ENDED_MAX;
}
