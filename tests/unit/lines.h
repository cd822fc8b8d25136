/* A process of a pass, and the other ends of its lines. */
#ifndef SC_UNIT_LINES_H
#define SC_UNIT_LINES_H

#include "unit.h"

#include "flow/ipc.h"

static void
line(struct chan *ours, struct chan *theirs)
{
	struct err e = ERR_INIT;
	int fds[2];

	T_RC(chan_pair(fds, &e), RC_OK);
	chan_init(ours, fds[0]);
	chan_init(theirs, fds[1]);
}

#endif
