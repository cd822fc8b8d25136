/* Where mail goes to: one session with one relay, three engines under it. */
#ifndef SC_WIRE_RELAY_H
#define SC_WIRE_RELAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/secret.h"
#include "conf/conf.h"
#include "wire/why.h"

/*
 * Two kinds of failure never mix:
 *   - what the relay says of one mail is a verdict, told to done();
 *   - what is wrong with the way to the relay (network, TLS, password, a
 *     greeting of 4xx or 5xx) is the rc of relay_run(): the route waits, and
 *     no mail bounces for it.
 */
enum relay_verdict {
	RELAY_SENT,		/* 2xx to the whole of it */
	RELAY_DEFERRED,		/* not taken; the same mail again, later */
	RELAY_REFUSED,		/* never: tell the sender */
	RELAY_UNCERTAIN		/* all octets were given and no answer came: it
				 * may have been taken.  The very same octets
				 * and envelope again, later: the receiver's T
				 * makes it one */
};

#define RELAY_TEXT_BYTES 200	/* of the server's words that are kept */

struct relay_result {
	enum relay_verdict	verdict;
	int	code;		/* SMTP, 0: no answer */
	char	enhanced[12];	/* RFC 3463, "5.1.1"; "": none given */
	char	text[RELAY_TEXT_BYTES + 1];	/* the server's words, or ours
				 * when it said nothing: printable ASCII, the
				 * rest escaped (\xNN), one line */
};

/* One mail for one recipient. */
struct relay_mail {
	const char	*from;	/* addr-spec, "": the null sender <> */
	const char	*to;	/* addr-spec */
	uint64_t	 size;	/* octets that read() will give, exactly */
};

/*
 * Where mails come from and verdicts go to.  One mail after the other: next,
 * read any number of times, done (but see ready()); each mail that next() gave
 * has exactly one done() before relay_run() returns, whatever happens.  read()
 * may not be called at all (recipient refused) or not to its end.
 */
struct relay_feed {
	void	*arg;
	/*
	 * next(arg, m, more, e): ${m} and its strings are lent to the engine
	 * until done().  ${more} false: nothing left, say goodbye.  It may
	 * block, the session stays open meanwhile, but servers hang up after
	 * some minutes.
	 */
	enum rc	(*next)(void *arg, struct relay_mail *m, bool *more,
	    struct err *e);
	/*
	 * read(arg, p, cap, len, e): the mail's next octets, lines ended by
	 * CRLF, the last one too; ${len} 0 only at the end.  A bare CR or LF,
	 * a NUL, a line over 998 octets or another size than announced is
	 * never completed at the server: RELAY_REFUSED, code 0.
	 */
	enum rc	(*read)(void *arg, void *p, size_t cap, size_t *len,
	    struct err *e);
	/* done(arg, result, e): the verdict, as soon as it is known; ${result}
	 * is borrowed. */
	enum rc	(*done)(void *arg, const struct relay_result *result,
	    struct err *e);
	/* ready(arg): next() would not block.  An engine that pipelines then
	 * calls it before the done() of a mail that was read to its end, once;
	 * verdicts keep the order of the mails.  NULL: never. */
	bool	(*ready)(void *arg);
};

struct relay;

/*
 * relay_new(conf, r, e):
 * Set up for ${conf} (borrowed until relay_close()): choose the engine,
 * resolve, load certificates.  Not one octet is read from a stranger: call it
 * before sandbox_enter(), and everything else after.  From now on SIGPIPE is
 * ignored and SIGALRM is ours, in this process: one relay, one thread.
 * r  owned, NULL after a failure; relay_close()
 * RC_OK; RC_TEMP: the name does not resolve now; RC_CONF: no engine of this
 * build can do it, plain text to another machine, unusable CA file or pin.
 */
enum rc relay_new(const struct conf_relay *conf, struct relay **r,
    struct err *e);

/*
 * relay_run(r, secret, feed, e):
 * Ask next(); connect for the first mail; send what comes over as few
 * connections as the relay allows, until next() says there is no more.
 * secret  borrowed; the password or token; NULL when auth is none.  Sent only
 *         to a server that was verified, or to loopback.  No octet of a mail
 *         is sent before the login that conf asks for.
 * RC_OK: next() ran dry.  RC_TEMP: the route waits, relay_why() says whose
 * trouble; RC_CONF, RC_NOMEM; or what a callback returned.
 * Source: RFC 5321, 4954, 3207, 8314.
 */
enum rc relay_run(struct relay *r, const struct secret *secret,
    const struct relay_feed *feed, struct err *e);

/*
 * relay_check(r, secret, e): for `sceau check`: connect, prove the server,
 * log in, leave.  No mail is completed.  Results as relay_run().
 */
enum rc relay_check(struct relay *r, const struct secret *secret,
    struct err *e);

/* relay_why(r): whose trouble the last failure was; NULL (relay_new()
 * failed with RC_TEMP): WHY_NETWORK. */
enum wire_why relay_why(const struct relay *r);

/*
 * relay_words(text):
 * For people: an answer as it is kept, "250 2.0.0 Ok"; what is our own, since
 * the relay said nothing, translated.  Lent.
 */
const char *relay_words(const char *text);

/* relay_engine(r): "sceau", "libesmtp" or "libcurl", lent. */
const char *relay_engine(const struct relay *r);

/* relay_close(r): NULL-safe, clears the pointer. */
void relay_close(struct relay **r);

#endif
