/*
 * What every driver shares.  The octets of an input end where its memory ends,
 * so that one read beyond them is an alarm.  See run.
 */
#ifndef SC_EVA_H
#define SC_EVA_H

#include "__fc_builtin.h"
#include "base/buf.h"
#include "base/err.h"

/* Any octets, and any number of them from 0 to EVA_MOST (run says how many):
 * the last ones of eva_room.  What may be read ends at eva_end. */
#define eva_end (eva_room + EVA_MOST)
extern uint8_t eva_room[EVA_MOST];
size_t eva_octets(void);

/*
 * Eva knows an interval for each variable, but not how two of them go
 * together.  Where a driver says so, the parser under proof is given these for
 * their namesakes.  eva_rd_take() is the real one, once for each length that
 * it can be asked for, there or not; eva_merge() forgets these cases before
 * the next.  eva_rd_of() is what the real one gives for the inputs of the
 * drivers, whose end is eva_end whatever their length: which is proved, for
 * each length, by eva_reader().
 */
void eva_merge(void);
struct bytes eva_rd_take(struct rd *r, size_t len);
struct rd eva_rd_of(const void *p, size_t len);

#endif
