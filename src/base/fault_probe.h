/* What a process tries that it must not do; nothing without --enable-fault. */
#ifndef SC_BASE_FAULT_PROBE_H
#define SC_BASE_FAULT_PROBE_H

/*
 * fault_probe(point, fd):
 * Try every act, write "probe POINT ACT yes", "no" or the number of the error
 * for each to ${fd}, change nothing.  Files are named by the test, a line
 * each, in SCEAU_FAULT_PROBE: "read NAME PATH", "write NAME PATH", "chmod
 * NAME PATH", "make NAME FOLDER"; that act is then called read-NAME and so on.
 * The other process that it turns upon is its parent.
 *
 * "no" is EPERM and EACCES alone: an act that fails otherwise was not refused.
 */
void fault_probe(const char *point, int fd);

/* fault_core(): end with a core, which the kernel writes, for a test that reads
 * it.  Comes back where a sandbox refuses that; the limit is the test's. */
void fault_core(void);

#endif
