/* Words for what became of a message. */
#ifndef SC_CMD_SENT_H
#define SC_CMD_SENT_H

#include "store/store_out.h"

/* sent_word(m, json): "queued" "sending" "sent" "relayed" "received" "opened"
 * "refused" "damaged" "returned" "failed" (PROTOCOL 2.12); lent; for people
 * translated. */
const char *sent_word(const struct store_out *m, bool json);
/* ack_word(state): the same for an acknowledgement alone; "" for none. */
const char *ack_word(uint8_t state, bool json);

#endif
