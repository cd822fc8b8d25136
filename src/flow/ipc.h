/* What the processes of a pass say to one another: one list of frames. */
#ifndef SC_FLOW_IPC_H
#define SC_FLOW_IPC_H

#include "base/buf.h"
#include "base/chan.h"
#include "base/err.h"

/*
 * The keeper stands in the middle of a star; two direct lines carry what it
 * must not see: vault -> clerk (opened mail) and composer -> vault (mail to
 * be sealed).  "job" is a number that the keeper gives; a token is T(32) and
 * the number of its filing(4).
 */
#define IPC_TOKEN_BYTES 36
#define IPC_UIDS_MAX 8192	/* ids in one frame of the keeper */

enum ipc {
	/* child -> keeper: its last word: an error or RC_OK */
	IPC_DONE = 1,
	IPC_WHY,	/* before it: whose trouble (enum wire_why) */
	IPC_EXIT,	/* keeper -> starter, before it: the exit code */

	/* keeper -> starter, and back with a descriptor */
	IPC_START,	/* part(1) index(4) */
	IPC_STARTED,	/* the same; the descriptor comes along */
	IPC_STOP,	/* starter -> keeper: end after what is under way */
	IPC_TELL,	/* enum tell(1) text: tell.h; answered by: */
	IPC_TOLD,	/* what came of it */

	/* fetch -> keeper */
	IPC_LIST,	/* n times: size(8) id */
	IPC_LISTED,	/* that was all of them: and so many without an id(8) */
	IPC_BEGIN,	/* a mail begins; its end says which */
	IPC_BODY,	/* octets of the envelope in it */
	IPC_END,	/* enum fetched(1) id why Message-ID From */
	IPC_FETCHED,	/* everything wanted so far has been tried */
	IPC_RELEASED,	/* n times: enum source_done(1) id */
	IPC_UP,		/* logged in; shall I list? */
	IPC_WAITED,	/* there may be new mail */
	/* keeper -> fetch */
	IPC_AFTER,	/* the id from which on to list, or nothing: list */
	IPC_WANT,	/* n times: id */
	IPC_WANT_RAW,	/* id: all of it, as it is, for IPC_UNSEALED */
	IPC_RELEASE,	/* enum conf_after(1), not sealed(1), n times: id */
	IPC_WAIT,	/* wait for new mail, then list again */
	IPC_FINISH,	/* leave in good order; with an octet: nobody waits
			 * for your place, so tell us before the server */

	/* keeper -> vault */
	IPC_OPEN,	/* mode(1; 0x80: nothing to the clerk), the envelope's
			 * first octets */
	IPC_GO,		/* flags(1) token: its body follows, deliver it; also
			 * sent before IPC_HEAD has come */
	IPC_AGAIN,	/* route(4) dest: the body again, re-sealed for it */
	IPC_SEALED,	/* octets of the body */
	IPC_SEALED_END,
	IPC_DROP,	/* forget that job, and what was committed */
	IPC_RESOLVE,	/* whom the words mean: enum resolve(1) own, who */
	IPC_DIGEST,	/* take D of the composer's mail */
	IPC_SEAL,	/* seal it, or a control message (struct flow_seal) */
	IPC_SELVES,	/* what keys are held; answered by the same */
	IPC_RESTORED,	/* at(8): answered by the same: result key row */
	IPC_ISSUED,	/* number(4) at(8): the same of our bulletin */
	IPC_BAR,	/* minimum(1) who: result struct gate_barring key row */
	IPC_BARS,	/* what key files bar: n times: name minimum(1) */
	IPC_BAR_LIST,	/* first(1), n times: name minimum(1): to be sealed */
	IPC_MEMBER,	/* nth(8) who: result dest, or nothing at the end */
	/* vault -> keeper */
	IPC_HEAD,	/* steps 2 to 6 done, or why not */
	IPC_VERDICT,	/* the whole is good, or why not */
	IPC_DEST,
	IPC_DIGESTED,	/* result D length(8), n times: digest of a patient */
	IPC_OUT_HEAD,	/* header and T of a sealed envelope */
	IPC_OUT,	/* its octets */
	IPC_OUT_END,
	/* vault -> keeper on the line of rows, and back */
	IPC_ROW_GET,	/* key */
	IPC_ROW,	/* the row, or nothing */

	/* vault -> clerk */
	IPC_MAIL_BEGIN,	/* job, token */
	IPC_MAIL,	/* opened octets, not yet to be believed */
	IPC_MAIL_END,	/* they are good; answered by IPC_REPORTS */
	IPC_MAIL_DROP,	/* they are not */
	/* vault -> composer (`send`; in a pass the clerk) and back */
	IPC_PULL,	/* the mail from its start, please */
	IPC_PUSH,
	IPC_PUSHED,	/* that was all; perhaps as IPC_REPORTS: in it */

	/* clerk -> vault */
	IPC_REPORTS,	/* n(4), n times: name, birth date: struct patient */
	/* vault -> keeper, from them: never a name */
	IPC_PATIENTS,	/* n times: named(1) born(1), two digests */

	/* clerk -> keeper */
	IPC_READY,	/* synced under temporary names; final names, then
			 * flags(4) reports(4) places: struct store_filing */
	IPC_FILED,	/* under their final names, folders synced */
	IPC_FOUND,	/* answer to IPC_LOOK: 1 or 0 */
	IPC_WATCHED,	/* answer to IPC_WATCH: enum watched(1) */
	/* keeper -> clerk */
	IPC_FILE,	/* its intent is noted: to be filed; bits: which
			 * reports have the name of somebody else */
	IPC_SETTLE,	/* file all of those, with one sync for all */
	IPC_CANCEL,	/* not to be filed: forget it */
	IPC_NOTICE,	/* token, mail: ours, to be filed like others */
	IPC_UNSEALED,	/* token: a mail that is not sealed begins */
	IPC_RAW,	/* octets of it */
	IPC_RAW_END,
	IPC_LOOK,	/* token: is it there already, in whole or in part? */
	IPC_WATCH,	/* names: has the practice's software taken them? */
	/* The outboxes, one group of files at a time; see clerk_outbox.c.
	 * keeper -> clerk */
	IPC_BOX_NEXT,	/* first(1) box(4) folder stem: what comes behind? */
	IPC_BOX_COMPOSE,/* n(4) from to date message-id: for IPC_PULL */
	IPC_BOX_CHECK,	/* was all of it read, and is the same still? */
	IPC_BOX_TAKE,	/* one octet a file: it is queued, away with it */
	IPC_BOX_REFUSE,	/* line(4) why: away with all of it */
	/* clerk -> keeper */
	IPC_BOX_FOUND,	/* enum box_found(1), ... */
	IPC_BOX_DONE,	/* error or RC_OK: the answer to the other four */
	/* clerk -> starter and back */
	IPC_PIPE,	/* run that delivery's command on this descriptor */
	IPC_PIPED,

	/* keeper -> relay */
	IPC_SEND,	/* date(8) size(8) from sender to Message-ID
			 * boundary; the
			 * envelope follows in IPC_OUT frames and IPC_OUT_END */
	/* relay -> keeper */
	IPC_SENT,	/* enum relay_verdict(1) code(2) enhanced text */

	/* composer -> keeper and back */
	IPC_SUBMIT,
	IPC_SUBMITTED
};

/* What IPC_END says a fetched mail was. */
enum fetched {
	FETCHED_SEALED,		/* one envelope; its octets were given */
	FETCHED_UNSEALED,	/* none in it */
	FETCHED_FORMAT,		/* damaged, or more than one */
	FETCHED_TOOBIG,
	FETCHED_GONE,		/* no longer there */
	FETCHED_REFUSED		/* there, but the server does not give it */
};

/* What became of delivered files. */
enum watched {
	WATCHED_THERE,		/* or nobody can tell */
	WATCHED_TAKEN,
	WATCHED_FORGET		/* no delivery of today has them */
};

/* What IPC_RESOLVE is about: bits. */
enum resolve {
	RESOLVE_CONTROL = 1,	/* an acknowledgement: no mail */
	RESOLVE_SHOWN = 2,	/* the name that the directory shows */
	RESOLVE_BATCH = 4	/* for a message of the batch being opened */
};

enum box_found {
	BOX_NONE,	/* that was the last outbox */
	BOX_END,	/* box(4) prefix whole(1) error: of this one */
	BOX_GROUP	/* see found_pack() */
};

/* Runs of octets inside a frame: length(4), octets. */
bool pack_run(struct buf *b, const void *p, size_t len);
bool pack_str(struct buf *b, const char *s);	/* NULL packs as "" */
struct bytes unpack_run(struct rd *r);
/* unpack_str(r, out, size): a C string without NUL inside, or r->bad. */
void unpack_str(struct rd *r, char *out, size_t size);

/* The six results and the class travel as rc(1) class(1) text. */
bool pack_err(struct buf *b, enum rc rc, const struct err *e);
enum rc unpack_err(struct rd *r, struct err *e);

/* ipc_bad(e): a frame that our own processes should not have sent. */
enum rc ipc_bad(struct err *e);

/* ipc_done(c, rc, e): the last word of a child; failure to say it is the
 * end all the same. */
void ipc_done(struct chan *c, enum rc rc, const struct err *e);

/* chan_send() of a buffer that was filled without looking: RC_NOMEM when
 * ${ok} is false. The buffer is freed. */
enum rc ipc_send(struct chan *c, enum ipc type, uint32_t job, struct buf *b,
    bool ok, struct err *e);
enum rc ipc_hold(struct chan *c, enum ipc type, uint32_t job, struct buf *b,
    bool ok, struct err *e);
enum rc ipc_put(struct chan *c, enum ipc type, uint32_t job, struct buf *b,
    bool ok, struct err *e);

#endif
