/* Between the two files of the libesmtp engine. */
#ifndef SC_WIRE_RELAY_ESMTP_H
#define SC_WIRE_RELAY_ESMTP_H

#include "wire/late_esmtp.h"
#include "wire/late_ssl.h"
#include "wire/relay_engine.h"
#include "wire/tls.h"

#define ESMTP_CHUNK_BYTES (32 * 1024)

struct esmtp {
	struct relay	*r;
	struct tls	*tls;		/* NULL: none */
	bool		 tainted;	/* no word of it proves anything */
	/* of one session */
	smtp_session_t	 session;
	smtp_message_t	 msg;		/* the item's; NULL: none */
	smtp_recipient_t rcpt;
	struct reply	 reply;
	enum reply_phase phase;
	struct relay_result no;		/* the last 4xx or 5xx before MAIL */
	enum reply_phase no_at;
	bool		 connected, tls_on, logged_in;
	bool		 mailing;	/* the first MAIL was written */
	bool		 awaited;	/* a reply is due */
	bool		 whole;		/* its last words end a line */
	bool		 checking, checked;
	unsigned	 challenges;	/* of the logins */
	unsigned	 settled;	/* verdicts */
	enum rc		 rc;
	struct err	*e;
	char		 chunk[ESMTP_CHUNK_BYTES];
};

/* esmtp_add(x, from, to, size): one more message; false: memory. */
bool esmtp_add(struct esmtp *x, const char *from, const char *to,
    uint64_t size);

/* esmtp_event, esmtp_monitor: what the library tells; ${arg} is ours. */
void esmtp_event(smtp_session_t session, int event, void *arg, ...);
void esmtp_monitor(const char *p, int len, int writing, void *arg);

#endif
