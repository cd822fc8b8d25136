/* Named points where tests kill or fail us; nothing without --enable-fault. */
#ifndef SC_BASE_FAULT_H
#define SC_BASE_FAULT_H

#include "config.h"

/*
 * FAULT("store.commit.before"):
 * With SCEAU_FAULT="NAME[#N]:kill" the N-th passage (1 if not said) of that
 * point by a process is a SIGKILL to itself; ":stop" a SIGSTOP, ":exit" an
 * exit(75); ":probe" tries what a sandbox should refuse and goes on, ":core"
 * leaves one (fault_probe.h); ":leak" loses memory.  A name may end in '*'.
 * SCEAU_FAULT_LOG=FILE: appends each name passed.
 *
 * FAULT_OF("clerk.mail", token): the same for "clerk.mail@TOKEN", one mail
 * among others, whatever the order; not logged.
 */
#ifdef ENABLE_FAULT
void fault_point(const char *name);
void fault_of(const char *name, const char *what);
#define FAULT(name) fault_point(name)
#define FAULT_OF(name, what) fault_of(name, what)
#else
#define FAULT(name) ((void)0)
#define FAULT_OF(name, what) ((void)0)
#endif

#endif
