#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/lang.h"
#include "flow/ipc.h"
#include "flow/patients.h"

#define PATIENT_PACKED (2 + 2 * STORE_PATIENT_BYTES)

/* ---- in the vault ------------------------------------------------------ */

/* Of one text under one of two headings, for they must never be the same. */
static bool
add_digest(const struct gate *g, const char *heading, struct bytes name,
    struct bytes birth, struct buf *b)
{
	struct buf text = BUF_INIT;
	uint8_t d[32];
	bool ok = buf_add(&text, heading, strlen(heading) + 1) &&
	    buf_add(&text, name.p, name.len) && buf_add8(&text, '\0') &&
	    buf_add(&text, birth.p, birth.len);

	if (ok)
		gate_digest(g, text.p, text.len, d);
	buf_free(&text);
	return ok && buf_add(b, d, STORE_PATIENT_BYTES);
}

static bool
add_patient(const struct gate *g, struct bytes name, struct bytes birth,
    struct buf *b)
{
	static const uint8_t none[2 * STORE_PATIENT_BYTES];

	if (!buf_add8(b, name.len > 0) ||
	    !buf_add8(b, name.len > 0 && birth.len > 0))
		return false;
	if (name.len == 0)
		return buf_add(b, none, sizeof(none));
	return add_digest(g, "name", name, (struct bytes){ NULL, 0 }, b) &&
	    add_digest(g, "name and birth", name, birth, b);
}

enum rc
patients_pass(const struct gate *g, struct pass_ends *x, uint32_t job,
    struct err *e)
{
	struct buf b = BUF_INIT;
	struct frame f;
	struct rd r;
	uint32_t n;
	bool ok = true;
	enum rc rc = chan_recv(&x->clerk, &f, e);

	if (rc != RC_OK)
		return rc;
	r = rd_of(f.body.p, f.body.len);
	n = rd_32(&r);
	for (uint32_t i = 0; ok && !r.bad && i < n; i++) {
		struct bytes name = unpack_run(&r), birth = unpack_run(&r);

		ok = add_patient(g, name, birth, &b);
	}
	if (f.type != IPC_REPORTS || f.job != job || !rd_done(&r) ||
	    n > STORE_REPORTS_MAX) {
		buf_free(&b);
		return ipc_bad(e);
	}
	return ipc_send(&x->keeper, IPC_PATIENTS, job, &b, ok, e);
}

/* ---- in the keeper ----------------------------------------------------- */

bool
patients_unpack(struct rd *r, struct store_patient **p, size_t *n)
{
	*p = NULL;
	*n = r->left / PATIENT_PACKED;
	if (*n > STORE_REPORTS_MAX) {
		r->bad = true;
		*n = 0;
	}
	if (*n == 0)
		return true;
	if ((*p = calloc(*n, sizeof(**p))) == NULL)
		return false;
	for (size_t i = 0; i < *n; i++) {
		(*p)[i].named = rd_8(r) != 0;
		(*p)[i].born = rd_8(r) != 0;
		rd_copy(r, (*p)[i].name, STORE_PATIENT_BYTES);
		rd_copy(r, (*p)[i].birth, STORE_PATIENT_BYTES);
	}
	return true;
}

unsigned
patients_flags(unsigned flags)
{
	static const struct {
		unsigned	of_gate, of_inbox;
	} pairs[] = {
		{ GATE_F_DUPLICATE, STORE_INBOX_DUPLICATE },
		{ GATE_F_REFILED, STORE_INBOX_AGAIN },
		{ GATE_F_LATE, STORE_INBOX_LATE },
		{ GATE_F_AHEAD, STORE_INBOX_AHEAD },
		{ GATE_F_REPLACED_KEY, STORE_INBOX_REPLACED_KEY },
		{ GATE_F_RELAYED_DIRECT, STORE_INBOX_RELAYED }
	};
	unsigned set = 0;

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		if ((flags & pairs[i].of_gate) != 0)
			set |= pairs[i].of_inbox;
	return set;
}
