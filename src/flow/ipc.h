/* What the processes of a pass say to one another: one list of frames. */
#ifndef SC_FLOW_IPC_H
#define SC_FLOW_IPC_H

#include "base/buf.h"
#include "base/chan.h"
#include "base/err.h"

/*
 * The keeper stands in the middle of a star; two direct lines carry what it
 * must not see: vault -> clerk (opened mail) and composer -> vault (mail to
 * be sealed).  "job" is a number that the keeper gives.
 */
enum ipc {
	/* child -> keeper: its last word: an error or RC_OK */
	IPC_DONE = 1,

	/* keeper -> starter, and back with a descriptor */
	IPC_START,	/* part(1) index(4) */
	IPC_STARTED,	/* the same; the descriptor comes along */
	IPC_RESULT,	/* what the pass came to */
	IPC_STOP,	/* starter -> keeper: end after what is under way */

	/* fetch -> keeper */
	IPC_LIST,	/* n times: id, size(8) */
	IPC_LISTED,	/* that was all of them */
	IPC_BEGIN,	/* id: a mail begins */
	IPC_BODY,	/* octets of the envelope in it */
	IPC_END,	/* what it was (enum fetched), log facts */
	IPC_RELEASED,	/* ids that the server no longer has, or keeps */
	/* keeper -> fetch */
	IPC_WANT,	/* n times: id, size(8) */
	IPC_RELEASE,	/* after(1), n times: id */
	IPC_WAIT,	/* wait for new mail, then list again */
	IPC_FINISH,	/* leave in good order */

	/* keeper -> vault */
	IPC_OPEN,	/* header octets and rows */
	IPC_GO,		/* how to open it (struct flow_go) */
	IPC_SEALED,	/* octets of the sealed body */
	IPC_SEALED_END,
	IPC_DROP,	/* forget that job */
	IPC_RESOLVE,	/* whom the words mean */
	IPC_DIGEST,	/* take D of the composer's mail */
	IPC_SEAL,	/* seal it, or a control message */
	/* vault -> keeper */
	IPC_HEAD,	/* steps 2 to 6 done, or why not */
	IPC_VERDICT,	/* the whole is good, or why not */
	IPC_DEST,
	IPC_DIGESTED,
	IPC_OUT_HEAD,	/* header and T of a sealed envelope */
	IPC_OUT,	/* its octets */
	IPC_OUT_END,

	/* vault -> clerk */
	IPC_MAIL_BEGIN,	/* job, token */
	IPC_MAIL,	/* opened octets, not yet to be believed */
	IPC_MAIL_END,	/* they are good */
	IPC_MAIL_DROP,	/* they are not */
	/* vault -> composer and back */
	IPC_PULL,	/* the mail from its start, please */
	IPC_PUSH,
	IPC_PUSHED,

	/* clerk -> keeper */
	IPC_READY,	/* synced under temporary names; final names */
	IPC_FILED,	/* under their final names, folders synced */
	IPC_FOUND,	/* answer to IPC_LOOK: 1 or 0 */
	/* keeper -> clerk */
	IPC_FILE,	/* rename now */
	IPC_LOOK,	/* token: is it there already? */
	/* clerk -> starter and back */
	IPC_PIPE,	/* run that delivery's command on this descriptor */
	IPC_PIPED,

	/* keeper -> relay */
	IPC_SEND,	/* routes, date, ids, size; IPC_OUT frames follow */
	/* relay -> keeper */
	IPC_SENT,	/* enum relay_verdict and what the server said */

	/* composer -> keeper and back */
	IPC_SUBMIT,
	IPC_SUBMITTED
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
enum rc ipc_put(struct chan *c, enum ipc type, uint32_t job, struct buf *b,
    bool ok, struct err *e);

#endif
