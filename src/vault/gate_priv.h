/* What the files of the gate share, and nobody else reads. */
#ifndef SC_VAULT_GATE_PRIV_H
#define SC_VAULT_GATE_PRIV_H

#include "vault/gate.h"
#include "vault/envelope.h"
#include "vault/identity.h"
#include "vault/index.h"
#include "vault/inner.h"
#include "vault/keystore.h"
#include "vault/payload.h"
#include "vault/row.h"

/* In secret memory: one row at a time passes through here. */
struct gate_scratch {
	struct row_peer	peer;		/* as merged */
	struct row_peer	other;
	uint8_t		plain[ROW_MAX_BYTES];
	uint8_t		was[ROW_MAX_BYTES];	/* as the caller has it */
};

/* Rows handed out and perhaps not committed yet. */
struct gate_cache {
	struct gate_row	*rows;
	size_t		 n;
	size_t		 cap;
	struct index	 ix;
};

struct gate {
	struct keystore	*ks;
	struct gate_scratch *scratch;
	struct env_opener *opener;	/* spare: used again; or NULL */
	struct env_sealer *sealer;	/* likewise */
	uint8_t		*room;		/* likewise, for records */
	size_t		 room_len;
	struct gate_cache cache;
	struct gate_cache lent;		/* as the store had them */
	char		 warning[160];
};

/* An envelope being opened; v owns its arrays. */
struct gate_open {
	struct gate	*g;
	struct gate_open_args args;
	struct env_head	 h;
	size_t		 self;		/* whose key opens it */
	bool		 replaced;	/* sealed to an older one of mine */
	unsigned	 roles;		/* the sender's: 1 << rec_role_kind */
	struct row_self	 own;		/* the row about ourselves, merged */
	struct row_self	 own_was;
	struct env_opener *env;		/* NULL after its end */
	struct payload_reader reader;
	struct identity	 author;	/* whom the inner From must name */
	struct inner	 inner;
	bool		 inner_said;	/* judged, one way or the other */
	struct buf	 held;		/* inner header not yet let out */
	const struct gate_sink *sink;	/* of this call */
	unsigned	 flags;		/* enum gate_flag bits */
	struct err	 failed;	/* RC_OK: not yet */
	struct gate_verdict v;
	struct gate_cache changed;	/* v's rows */
	size_t		 cap_acks;
	size_t		 cap_relayed;
	size_t		 cap_routes;
	size_t		 cap_alarms;
	size_t		 nwitness;
};

/* gate_check(o, e): who may say what of all control records (2.11 step 10);
 * collects acks, routes and what is said of relayed mail into o->v. */
enum rc gate_check(struct gate_open *o, struct err *e);
/* gate_check_relayed(o, e): its original sender is not barred; flags. */
enum rc gate_check_relayed(struct gate_open *o, struct err *e);
/* gate_apply(o, e): what is learnt (2.11 step 12), as changed rows. */
enum rc gate_apply(struct gate_open *o, struct err *e);
enum rc gate_alarm(struct gate_open *o, enum gate_alarm_kind kind,
    struct bytes who, struct err *e);

/* gate_typed(g, rows, own, who, name, e): whom a person means; ${own}: an
 * identity of ours, whose association is tried too.  As gate_resolve(). */
enum rc gate_typed(struct gate *g, const struct gate_rows *rows,
    const struct identity *own, const char *who, struct identity *name,
    struct err *e);

/* Identities as texts, GATE_ID_BYTES each. */
void gate_put_id(char *out, const struct identity *id);
void gate_put_name(char *out, const struct identity *id);

/* gate_cache_put(c, key, sealed, e): a copy, replacing what is there. */
enum rc gate_cache_put(struct gate_cache *c, const char *key,
    const struct buf *sealed, struct err *e);
const struct buf *gate_cache_find(const struct gate_cache *c,
    const char *key);
void gate_cache_free(struct gate_cache *c);

/*
 * gate_peer(g, rows, name, damaged, e):
 * Everything known of a name, from the caller's row and our own later copy,
 * into g->scratch->peer; the caller's alone is in scratch->was, ${*was_len}
 * octets, for gate_peer_changed().  Damaged rows count as none.
 */
enum rc gate_peer(struct gate *g, const struct gate_rows *rows,
    const struct identity *name, size_t *was_len, bool *damaged,
    struct err *e);
/* gate_peer_changed(g, name, was_len, out, changed, e): if scratch->peer says
 * more than the caller's row did, seal it into ${out} and remember it. */
enum rc gate_peer_changed(struct gate *g, const struct identity *name,
    size_t was_len, struct buf *out, bool *changed, struct err *e);

/* The same of the row about ourselves. */
enum rc gate_read_self(struct gate *g, const struct gate_rows *rows,
    struct row_self *self, struct row_self *was, struct err *e);
enum rc gate_write_self(struct gate *g, const struct row_self *self,
    struct buf *out, struct err *e);

/* gate_min(g, peer, desk, name): the generation below which ${name} is void,
 * from its row, the ring and the bars of key files. */
uint8_t gate_min(const struct gate *g, const struct row_peer *peer,
    uint8_t desk, const struct identity *name);

/* gate_row_min(g, peer, desk): what that row says of it, when the newest list
 * seen is of that generation of the desk (row_min()); at the desk itself all
 * that it ever noted. */
uint8_t gate_row_min(const struct gate *g, const struct row_peer *peer,
    uint8_t desk);

/* gate_shown(g, show, out, e): the one member whom the directory shows so.
 * RC_OK; RC_PERM: none or several. */
enum rc gate_shown(const struct gate *g, const char *show,
    struct identity *out, struct err *e);

/* gate_time(now): now, or the clock when it is 0. */
int64_t gate_time(int64_t now);

#endif
