#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/lang.h"
#include "document/patient.h"
#include "flow/alone.h"
#include "flow/composer.h"
#include "flow/patients.h"

#define PATIENT_PACKED (2 + 2 * STORE_PATIENT_BYTES)

/* ---- where names are read ---------------------------------------------- */

bool
patients_form(const struct hprim_patient *p, struct buf *b, unsigned *n)
{
	struct patient who;
	bool ok = patient_of(p, &who) && pack_str(b, who.name) &&
	    pack_str(b, who.birth);

	wipe(&who, sizeof(who));
	*n += ok;
	return ok;
}

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

/* IPC_REPORTS: each of them to ${add}; RC_TEMP: that is none. */
static enum rc
each_form(const struct gate *g, struct bytes body, bool (*add)(
    const struct gate *, struct bytes, struct bytes, struct buf *),
    struct buf *b, bool *ok, struct err *e)
{
	struct rd r = rd_of(body.p, body.len);
	uint32_t n = rd_32(&r);

	for (uint32_t i = 0; *ok && !r.bad && i < n; i++) {
		struct bytes name = unpack_run(&r), birth = unpack_run(&r);

		*ok = add(g, name, birth, b);
	}
	return n > STORE_REPORTS_MAX || (*ok && !rd_done(&r)) ? ipc_bad(e) :
	    RC_OK;
}

enum rc
patients_pass(const struct gate *g, struct pass_ends *x,
    const struct frame *f, struct err *e)
{
	struct buf b = BUF_INIT;
	bool ok = true;
	enum rc rc;

	if (f->type != IPC_REPORTS)
		return ipc_bad(e);
	if ((rc = each_form(g, f->body, add_patient, &b, &ok, e)) != RC_OK) {
		buf_free(&b);
		return rc;
	}
	return ipc_hold(&x->keeper, IPC_PATIENTS, f->job, &b, ok, e);
}

/* The one that says most of who he is. */
static bool
add_one(const struct gate *g, struct bytes name, struct bytes birth,
    struct buf *b)
{
	return name.len == 0 || add_digest(g, birth.len > 0 ?
	    "name and birth" : "name", name, birth, b);
}

enum rc
patients_add(const struct gate *g, struct bytes forms, struct buf *b,
    bool *ok, struct err *e)
{
	return forms.len == 0 ? RC_OK :
	    each_form(g, forms, add_one, b, ok, e);
}

/* ---- in a command ------------------------------------------------------ */

/* D and the length, of a mail that is none, stand before them. */
static enum rc
digests_of(const struct frame *f, struct buf *out, struct err *e)
{
	struct rd r = rd_of(f->body.p, f->body.len);
	enum rc rc = unpack_err(&r, e);

	(void)rd_take(&r, GATE_D_BYTES);
	(void)rd_64(&r);
	if (rc != RC_OK || r.bad || r.left % STORE_PATIENT_BYTES != 0)
		return rc != RC_OK ? rc : ipc_bad(e);
	return buf_add(out, rd_at(&r), r.left) ? RC_OK :
	    err_set(e, RC_NOMEM, _("no memory left"));
}

enum rc
patients_ask(const struct pass *p, struct buf *forms, struct buf *out,
    struct err *e)
{
	struct composer mail = { .spool = { .fd = -1 }, .forms = *forms };
	struct alone a = { .pid = -1, .mail = &mail };
	struct frame f;
	enum rc rc = alone_start(&a, p, e);

	*forms = (struct buf)BUF_INIT;
	if (rc == RC_OK)
		rc = alone_send(&a, IPC_DIGEST, 1, NULL, 0, e);
	if (rc == RC_OK)
		rc = alone_wait(&a, IPC_DIGESTED, 1, &f, e);
	if (rc == RC_OK)
		rc = digests_of(&f, out, e);
	alone_end(&a);
	composer_free(&mail);
	return rc;
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
