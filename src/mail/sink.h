/* Where octets go, in order, in pieces of any size. */
#ifndef SC_MAIL_SINK_H
#define SC_MAIL_SINK_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/*
 * put(arg, p, len, e):
 * Take the next ${len} octets (never 0), borrowed for the call.  Anything but
 * RC_OK stops the writer, which returns that result with ${e} as put() left
 * it.
 */
struct sink {
	enum rc	(*put)(void *arg, const uint8_t *p, size_t len,
		    struct err *e);
	void	*arg;
};

#endif
