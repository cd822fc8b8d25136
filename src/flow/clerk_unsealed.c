/* Mail that is not sealed: marked as it comes, for deliveries of its own. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/lang.h"
#include "flow/clerk.h"
#include "mail/unsealed.h"

struct clerk_raw {
	struct unsealed	 u;
	struct clerk	*c;
	struct job	*j;
};

static enum rc
raw_put(void *arg, const uint8_t *p, size_t len, struct err *e)
{
	struct clerk_raw *raw = arg;

	return job_write(raw->c, raw->j, p, len, e);
}

enum rc
raw_begin(struct clerk *c, struct job *j, struct err *e)
{
	if ((j->raw = calloc(1, sizeof(*j->raw))) == NULL)
		return err_nomem(e);
	j->raw->c = c;
	j->raw->j = j;
	unsealed_init(&j->raw->u, (struct sink){ raw_put, j->raw });
	return RC_OK;
}

/* What cannot be written is this message's trouble, said at its end. */
void
raw_add(struct job *j, struct bytes s)
{
	if (!j->failed)
		j->failed = unsealed_add(&j->raw->u, s.p, s.len, &j->why) !=
		    RC_OK;
}

void
raw_end(struct job *j)
{
	FAULT_OF("clerk.raw", j->raw->u.claimed);
	if (!j->failed)
		j->failed = unsealed_end(&j->raw->u, &j->why) != RC_OK;
}

const char *
raw_claimed(const struct job *j)
{
	return j->raw->u.claimed;
}

void
raw_free(struct job *j)
{
	if (j->raw != NULL)
		unsealed_free(&j->raw->u);
	free(j->raw);
	j->raw = NULL;
}
