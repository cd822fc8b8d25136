#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/lang.h"
#include "base/sandbox.h"
#include "flow/erase.h"
#include "flow/ipc.h"
#include "store/store.h"
#include "store/store_in.h"
#include "vault/gate.h"
#include "vault/keystore.h"

#define ROWS_AT_ONCE 64

/* ---- the rows of the store ------------------------------------------ */

struct renewing {
	struct gate	*g;
	struct store	*st;
	struct buf	 after;		/* the key of the last one */
	struct buf	 keys[ROWS_AT_ONCE], values[ROWS_AT_ONCE];
	struct store_row rows[ROWS_AT_ONCE];
	size_t		 n;
};

static void
renewing_empty(struct renewing *r)
{
	for (size_t i = 0; i < r->n; i++) {
		buf_free(&r->keys[i]);
		buf_free(&r->values[i]);
	}
	r->n = 0;
}

/* One more row, renewed; ${end}: there is none.  One that is damaged stays as
 * it is: nobody could read it before either. */
static enum rc
renew_next(struct renewing *r, bool *end, struct err *e)
{
	struct buf *key = &r->keys[r->n], value = BUF_INIT;
	struct store_row *row = &r->rows[r->n];
	char name[GATE_ID_BYTES];
	enum rc rc;

	memset(row, 0, sizeof(*row));
	rc = store_row_next(r->st, NULL, (struct bytes){ r->after.p,
	    r->after.len }, key, &value, &row->version, e);
	*end = key->len == 0;
	buf_wipe(&r->after);
	if (rc == RC_OK && !*end && !buf_add(&r->after, key->p, key->len))
		rc = err_nomem(e);
	if (rc != RC_OK || *end || key->len >= sizeof(name)) {
		buf_free(&value);
		return rc;
	}
	memcpy(name, key->p, key->len);
	name[key->len] = '\0';
	rc = gate_row_renew(r->g, name, &value, &r->values[r->n], e);
	buf_free(&value);
	if (rc == RC_INPUT) {
		buf_free(key);
		return RC_OK;
	}
	row->key = (struct bytes){ key->p, key->len };
	row->value = (struct bytes){ r->values[r->n].p, r->values[r->n].len };
	r->n++;
	return rc;
}

static enum rc
renew_some(struct renewing *r, bool *end, struct err *e)
{
	enum rc rc = RC_OK;

	while (rc == RC_OK && !*end && r->n < ROWS_AT_ONCE)
		rc = renew_next(r, end, e);
	if (rc == RC_OK && r->n > 0)
		rc = store_row_put(r->st, r->rows, r->n, e);
	renewing_empty(r);
	return rc;
}

static enum rc
renew_rows(const struct conf *c, struct store *st, struct err *e)
{
	struct renewing r = { .st = st, .after = BUF_INIT };
	bool end = false;
	enum rc rc = gate_new(c->keystore, c->keystore_key, NULL, &r.g, e);

	while (rc == RC_OK && !end)
		rc = renew_some(&r, &end, e);
	buf_free(&r.after);
	gate_free(&r.g);
	return rc;
}

/* ---- the keys -------------------------------------------------------- */

/* Nothing under the former local key is left: forget it. */
static enum rc
finish(const struct conf *c, const struct keystore_at *at, struct keystore *ks,
    struct store *st, struct err *e)
{
	enum rc rc = renew_rows(c, st, e);

	FAULT("erase.renewed");
	if (rc != RC_OK)
		return rc;
	keystore_drop_previous(ks);
	return keystore_roll(ks, at, e);
}

static enum rc
erase_year(const struct conf *c, const struct keystore_at *at,
    struct keystore *ks, struct store *st, uint16_t year, struct err *e)
{
	enum rc rc;

	if ((rc = keystore_erase(ks, year, e)) != RC_OK ||
	    (rc = keystore_roll(ks, at, e)) != RC_OK)
		return rc;
	FAULT("erase.rolled");
	return finish(c, at, ks, st, e);
}

static enum rc
erase_all(const struct conf *c, struct store *st, int64_t now, struct err *e)
{
	const struct keystore_at at = { c->keystore, c->keystore_key, NULL };
	struct keystore *ks = NULL;
	uint16_t year, low = 0;
	int lock = -1;
	enum rc rc;

	if ((rc = keystore_lock(&at, &lock, e)) == RC_OK)
		rc = keystore_load(&at, &ks, e);
	if (rc == RC_OK && ks->half_rolled)
		rc = keystore_save(ks, &at, e);
	if (rc == RC_OK && keystore_previous(ks) != NULL)
		rc = finish(c, &at, ks, st, e);
	while (rc == RC_OK && (year = keystore_over(ks, now)) != 0)
		rc = erase_year(c, &at, ks, st, year, e);
	for (size_t i = 0; rc == RC_OK && i < ks->nselves; i++)
		if (low == 0 || ks->selves[i].year < low)
			low = ks->selves[i].year;
	if (rc == RC_OK)
		rc = store_erased(st, low - 1, e);
	keystore_free(&ks);
	if (lock >= 0)
		close(lock);
	return rc;
}

/* ---- the process ------------------------------------------------------ */

/* The folder of a path, which is changed. */
static const char *
folder_of(char *path)
{
	char *slash = strrchr(path, '/');

	if (slash == NULL)
		return ".";
	slash[slash == path] = '\0';
	return path;
}

static enum rc
confine(const struct conf *c, struct err *e)
{
	char store[4096], key[4096];
	struct sandbox_path may[] = { { c->state, SB_TREE },
	    { store, SB_TREE }, { key, SB_TREE }, { NULL, SB_TREE } };

	snprintf(store, sizeof(store), "%s", c->keystore);
	snprintf(key, sizeof(key), "%s", c->keystore_key);
	may[1].path = folder_of(store);
	may[2].path = folder_of(key);
	return sandbox_enter(SB_KEEPER, may, e);
}

static _Noreturn void
child(const struct conf *c, int64_t now, int fd)
{
	struct err e = ERR_INIT;
	struct store *st = NULL;
	struct chan parent;
	enum rc rc;

	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	chan_init(&parent, fd);
	rc = confine(c, &e);
	FAULT("erase.confined");
	if (rc == RC_OK &&
	    (rc = store_open(c->state, STORE_WRITE, &st, &e)) == RC_OK)
		rc = erase_all(c, st, now, &e);
	store_close(&st);
	ipc_done(&parent, rc, &e);
	sandbox_leave(rc_exit(rc));
}

/* Its last word; without one it has died. */
static enum rc
last_word(int fd, struct err *e)
{
	struct err gone = ERR_INIT;
	struct chan c;
	struct frame f;
	struct rd r;
	enum rc rc;

	chan_init(&c, fd);
	if (chan_recv(&c, &f, &gone) != RC_OK || f.type != IPC_DONE)
		rc = err_set(e, RC_TEMP, _("a process of sceau has ended "
		    "early"));
	else {
		r = rd_of(f.body.p, f.body.len);
		rc = unpack_err(&r, e);
	}
	chan_close(&c);
	return rc;
}

enum rc
erase_run(const struct conf *c, int64_t now, struct err *e)
{
	int fds[2], status;
	enum rc rc = chan_pair(fds, e);
	pid_t pid;

	if (rc != RC_OK)
		return rc;
	fflush(NULL);
	if ((pid = fork()) < 0)
		rc = err_sys(e, "fork");
	if (pid == 0) {
		close(fds[0]);
		child(c, now, fds[1]);
	}
	close(fds[1]);
	if (pid < 0) {
		close(fds[0]);
		return rc;
	}
	rc = last_word(fds[0], e);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return rc;
}
