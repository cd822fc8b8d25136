/* Patients on their way from the clerk, who reads names, through the vault to
 * the keeper, who may know digests alone. */
#ifndef SC_FLOW_PATIENTS_H
#define SC_FLOW_PATIENTS_H

#include "document/hprim.h"
#include "flow/pass.h"
#include "store/store_inbox.h"
#include "vault/gate.h"

/* patients_form(p, b, n): whose a report is, packed as in IPC_REPORTS behind
 * the ${*n} that are in ${b}; false: memory. */
bool patients_form(const struct hprim_patient *p, struct buf *b, unsigned *n);

/*
 * patients_pass(g, x, f, e):
 * In the vault, once it has said that the mail of a job is good: what the
 * clerk said of it in ${f} goes to the keeper as IPC_PATIENTS, held for now.
 * RC_TEMP: it is not IPC_REPORTS as it should be.
 */
enum rc patients_pass(const struct gate *g, struct pass_ends *x,
    const struct frame *f, struct err *e);

/*
 * patients_add(g, forms, b, ok, e):
 * In the vault: of each patient in ${forms} (as IPC_REPORTS, or nothing), one
 * digest behind what is in ${b}: of name and birth date, of the name when
 * there is no date; none without a name.  ${ok}: false: memory.  RC_TEMP:
 * whoever pushed it says what it should not.
 */
enum rc patients_add(const struct gate *g, struct bytes forms, struct buf *b,
    bool *ok, struct err *e);

/* patients_ask(p, forms, out, e): in a command, of a vault of its own: these
 * digests, STORE_PATIENT_BYTES each.  ${forms}: as above; taken, and wiped. */
enum rc patients_ask(const struct pass *p, struct buf *forms, struct buf *out,
    struct err *e);

/* patients_unpack(r, p, n): in the keeper; ${*p} owned.  False: memory; what
 * is not right is r->bad. */
bool patients_unpack(struct rd *r, struct store_patient **p, size_t *n);

/* patients_flags(flags): what the vault has put on a mail (enum gate_flag), as
 * flags of the inbox. */
unsigned patients_flags(unsigned flags);

#endif
