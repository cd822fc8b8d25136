/* What the keeper has the starter tell or write for it. */
#ifndef SC_FLOW_TELL_H
#define SC_FLOW_TELL_H

#include "conf/conf.h"

#define TELL_LIMIT_S 30

enum tell {
	TELL_ALARMS,	/* to alarm_command */
	TELL_DIGEST,	/* to digest_command */
	TELL_METRICS,	/* into metrics_file */
	TELL_ERASE	/* erase_run(); the text is 8 octets: its time */
};

/*
 * tell_do(c, what, p, len, e):
 * Give the text ${p} to the command on its standard input, in an environment
 * of PATH, HOME, names, language and time zone alone, for TELL_LIMIT_S at
 * most; or make it the content of the file.  Results of pipe_run(),
 * file_write() and erase_run().
 */
enum rc tell_do(const struct conf *c, enum tell what, const void *p,
    size_t len, struct err *e);

#endif
