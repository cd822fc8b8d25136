/* Mail from a pipe, kept for several passes: a file without a name, sealed
 * under a key that exists only in this process (PROTOCOL 2.10.5). */
#ifndef SC_FLOW_SPOOL_H
#define SC_FLOW_SPOOL_H

#include "base/err.h"
#include "vault/gate.h"

struct spool {
	struct gate_spool	*seal;
	int			 fd;
	uint64_t		 len;	/* octets put in */
};

/* spool_open(s, dir, e): the file is made in ${dir} and unlinked at once;
 * spool_close() after a failure too. */
enum rc spool_open(struct spool *s, const char *dir, struct err *e);
enum rc spool_put(struct spool *s, const void *p, size_t len, struct err *e);
/* spool_turn(s, e): everything is in; from now on spool_read(). */
enum rc spool_turn(struct spool *s, struct err *e);
/* spool_read(s, sink, e): all of it once more, as often as wanted. */
enum rc spool_read(struct spool *s, const struct gate_sink *sink,
    struct err *e);
void spool_close(struct spool *s);

/* spool_file(dir, fd, e): only the file without a name, for what is sealed
 * already. */
enum rc spool_file(const char *dir, int *fd, struct err *e);

#endif
