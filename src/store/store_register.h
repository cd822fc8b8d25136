/*
 * The register of dissemination: what was sent to whom, what became of it,
 * what came; without content, kept for ten years, and chained so that nothing
 * in it can be changed or left out unseen.
 *
 * Entries are written by the database itself (triggers of schema.c), in the
 * transaction that changes what they speak of; they cannot be changed or
 * deleted there.  Each is chained to the one before by a hash of text that a
 * person can read: see store_register_line().
 */
#ifndef SC_STORE_STORE_REGISTER_H
#define SC_STORE_STORE_REGISTER_H

#include "store/store_inbox.h"

#define STORE_HASH_BYTES 32
#define STORE_HASH_HEX_BYTES (2 * STORE_HASH_BYTES + 1)
#define STORE_REGISTER_YEARS 10

/* The event of an entry that says whose report is in a message, and what
 * stands before the digest (of flow/patients.h) as its "who". */
#define STORE_PATIENT "patient"
#define STORE_PATIENT_MARK "patient:"
#define STORE_PATIENT_WHO_BYTES \
	(sizeof(STORE_PATIENT_MARK) + 2 * STORE_PATIENT_BYTES)

/*
 * store_hash_with(st, hash):
 * Each commit of this handle chains what is new in the register, also what
 * others wrote who had no hash.  hash(p, len, out): BLAKE2b of 32 octets,
 * without a key: anybody can check it.
 */
void store_hash_with(struct store *st, void (*hash)(const void *p, size_t len,
    uint8_t out[STORE_HASH_BYTES]));

struct store_entry {
	int64_t	id;			/* from 1, without gaps */
	int64_t	at;
	bool	in;			/* it came; else we sent it */
	char	event[16];		/* "queued", "sent", "received"... */
	uint8_t	t[STORE_T_BYTES];
	uint8_t	d[STORE_D_BYTES];	/* zeros: not known */
	char	who[STORE_IDENTITY_BYTES];	/* the other side */
	uint8_t	hash[STORE_HASH_BYTES];
	bool	chained;		/* else by the next pass */
};

/* store_register_list(): up to ${max} entries with id > ${after}, in order;
 * of messages whose T begins with the ${len} octets ${t} (0: all). */
enum rc store_register_list(struct store *st, int64_t after, const uint8_t *t,
    size_t len, struct store_entry *out, size_t max, size_t *n,
    struct err *e);

/* store_register_patient(digest, who): the "who" of that patient's entries. */
void store_register_patient(const uint8_t digest[STORE_PATIENT_BYTES],
    char who[STORE_PATIENT_WHO_BYTES]);
/* store_register_of(): as store_register_list(), the entries whose event is
 * STORE_PATIENT and which are of ${who}. */
enum rc store_register_of(struct store *st, int64_t after, const char *who,
    struct store_entry *out, size_t max, size_t *n, struct err *e);

/* What the author of a mail that came left with it: nobody but he and the
 * association can make it, and the association alone can check it (PROTOCOL
 * 2.5 WITNESS; ATTACKS A3).  Kept as long as the register, by our clock. */
struct store_witness {
	bool	 there;
	char	 author[STORE_IDENTITY_BYTES];
	char	 recipient[STORE_IDENTITY_BYTES];	/* as he named us */
	uint16_t year;			/* of the key it is made with */
	int64_t	 at;			/* when he sealed it */
	uint8_t	 d[STORE_D_BYTES];	/* of the mail */
	uint8_t	 proof[STORE_PROOF_BYTES];
};
enum rc store_witness(struct store *st, const uint8_t t[STORE_T_BYTES],
    struct store_witness *out, struct err *e);

/* store_register_line(x, out): the line of an entry as it is hashed, without
 * its end; false: memory. */
bool store_register_line(const struct store_entry *x, struct buf *out);
/* store_register_text(prev, x, out): all that is hashed: the hash before in
 * hexadecimal (zeros for the first), a line end, the line, a line end. */
bool store_register_text(const uint8_t prev[STORE_HASH_BYTES],
    const struct store_entry *x, struct buf *out);

#endif
