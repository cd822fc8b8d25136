/* Named points where tests kill or fail us; nothing without --enable-fault. */
#ifndef SC_BASE_FAULT_H
#define SC_BASE_FAULT_H

#include "config.h"

/*
 * FAULT("store.commit.before"):
 * With SCEAU_FAULT="NAME[#N]:kill" the N-th passage (1 if not said) of that
 * point by a process is a SIGKILL to itself; ":stop" a SIGSTOP, ":exit" an
 * exit(75).  A name may end in '*'.  SCEAU_FAULT_LOG=FILE: appends each name
 * passed.
 */
#ifdef ENABLE_FAULT
void fault_point(const char *name);
#define FAULT(name) fault_point(name)
#else
#define FAULT(name) ((void)0)
#endif

#endif
