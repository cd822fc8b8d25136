/* A new machine key: two files that change one after the other. */
#include "config.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/file.h"
#include "base/lang.h"
#include "vault/keystore_priv.h"

char *
keystore_path_new(const char *path)
{
	size_t len = strlen(path) + sizeof(".new");
	char *s = malloc(len);

	if (s != NULL)
		snprintf(s, len, "%s.new", path);
	return s;
}

/* Put ${from} in the place of ${to}, durably. */
static enum rc
put_in_place(const char *from, const char *to, struct err *e)
{
	char *dir = strdup(to), *slash;
	enum rc rc = RC_OK;

	if (dir == NULL)
		return err_set(e, RC_NOMEM, _("no memory for a path"));
	if ((slash = strrchr(dir, '/')) != NULL)
		slash[slash == dir] = '\0';
	if (rename(from, to) != 0 || !dir_sync(slash != NULL ? dir : "."))
		rc = err_sys(e, _("renaming %s"), from);
	free(dir);
	return rc;
}

/* "NAME.tmp..." is of who died while he wrote NAME. */
static enum rc
sweep_in(DIR *d, const char *name, struct err *e)
{
	size_t len = strlen(name);
	struct dirent *x;

	while ((x = readdir(d)) != NULL)
		if (strncmp(x->d_name, name, len) == 0 &&
		    strncmp(x->d_name + len, ".tmp", 4) == 0 &&
		    unlinkat(dirfd(d), x->d_name, 0) != 0)
			return err_sys(e, _("cannot remove %s"), x->d_name);
	return RC_OK;
}

/* What a death has left of a key and a store together opens what is erased
 * (P7). */
static enum rc
sweep(const char *path, struct err *e)
{
	const char *slash = strrchr(path, '/');
	char dir[PATH_MAX];
	enum rc rc;
	DIR *d;

	if (snprintf(dir, sizeof(dir), "%.*s", slash == NULL ? 1 :
	    (int)(slash - path) + 1, slash == NULL ? "." : path) >=
	    (int)sizeof(dir))
		return err_set(e, RC_CONF, _("%s: the name is too long"),
		    path);
	if ((d = opendir(dir)) == NULL)
		return err_sys(e, "%s", dir);
	rc = sweep_in(d, slash == NULL ? path : slash + 1, e);
	closedir(d);
	return rc;
}

/*
 * The key is the pivot: before its rename the old pair is whole, after it the
 * new store lies there under STORE.new, and keystore_load() looks for it.  The
 * one that was read from there is put in its place before another takes its.
 */
static enum rc
roll_files(const struct keystore *ks, const struct keystore_at *at,
    const char *store, const char *keyfile, struct err *e)
{
	const struct keystore_at next = { store, keyfile, NULL };
	enum rc rc;

	unlink(keyfile);
	if ((rc = sweep(at->store, e)) != RC_OK ||
	    (rc = sweep(at->key, e)) != RC_OK ||
	    (ks->half_rolled && (rc = keystore_save(ks, at, e)) != RC_OK) ||
	    (rc = keystore_save(ks, &next, e)) != RC_OK)
		return rc;
	FAULT("keystore.roll.written");
	if ((rc = put_in_place(keyfile, at->key, e)) != RC_OK)
		return rc;
	FAULT("keystore.roll.key");
	return put_in_place(store, at->store, e);
}

enum rc
keystore_roll(struct keystore *ks, const struct keystore_at *at,
    struct err *e)
{
	char *store, *keyfile;
	enum rc rc;

	if (at->key == NULL)
		return keystore_save(ks, at, e);
	store = keystore_path_new(at->store);
	keyfile = keystore_path_new(at->key);
	if (store == NULL || keyfile == NULL)
		rc = err_set(e, RC_NOMEM, _("no memory for a path"));
	else
		rc = roll_files(ks, at, store, keyfile, e);
	free(store);
	free(keyfile);
	return rc;
}
