/* What was learnt since the key files, as the rows of the store hold it. */
#ifndef SC_CMD_KEY_ROWS_H
#define SC_CMD_KEY_ROWS_H

#include "cmd/cmd.h"
#include "vault/keystore.h"
#include "vault/row.h"

/* The rows of one state folder, opened with the keys of one key store. */
struct key_rows;


/*
 * key_rows_open(app, ks, out, e):
 * For reading; a store that is not there has none.  ${ks} is borrowed.
 * ${out}: owned, key_rows_close(&r), which wipes; NULL after a failure.
 */
enum rc key_rows_open(const struct app *app, const struct keystore *ks,
    struct key_rows **out, struct err *e);
void key_rows_close(struct key_rows **r);

/* One name; it holds keys, and is lent until the next is asked for. */
struct key_row {
	struct identity		 name;	/* generation 1 */
	const struct row_peer	*peer;
	uint8_t			 min;	/* generations below are barred */
};

/* key_rows_find(): what is known of that name, ${peer} NULL: nothing. */
enum rc key_rows_find(struct key_rows *r, const struct identity *name,
    struct key_row *out, struct err *e);
/* key_rows_next(): the next name in the order of texts, from the first on;
 * ${peer} NULL: there is no more.  A row that does not open is passed over. */
enum rc key_rows_next(struct key_rows *r, struct key_row *out,
    struct err *e);

#endif
