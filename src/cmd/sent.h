/* Words for what became of a message. */
#ifndef SC_CMD_SENT_H
#define SC_CMD_SENT_H

#include "store/store_out.h"

/* sent_word(m, json): "queued" "sending" "sent" "relayed" "received" "opened"
 * "refused" "damaged" "returned" "failed" (PROTOCOL 2.12); lent; for people
 * translated. */
const char *sent_word(const struct store_out *m, bool json);
/*
 * sent_list(st, f, who, after, out, max, n, e):
 * As store_out_list() after ${*after}, which moves on; of ${who}, or of all
 * when NULL.  ${who} is a name (ASSOCIATION/ADDRESS) or an address alone; one
 * behind the gateway is found too.
 */
enum rc sent_list(struct store *st, const struct store_filter *f,
    const char *who, int64_t *after, struct store_out *out, size_t max,
    size_t *n, struct err *e);

/* ack_word(state): the same for an acknowledgement alone; "" for none. */
const char *ack_word(uint8_t state, bool json);

#endif
