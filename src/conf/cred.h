/* The password or token of a server, when it is needed. */
#ifndef SC_CONF_CRED_H
#define SC_CONF_CRED_H

#include "base/err.h"
#include "base/secret.h"
#include "conf/conf.h"

#define CRED_LIMIT_MS 30000

/*
 * cred_get(s, out, e):
 * Put the secret of ${s} (borrowed) in ${out}: the first line of its
 * password_file, or of what its password_command or token_command writes;
 * empty for auth = none.  To be called at each connection, and before the
 * rights to run commands are dropped.
 *
 * RC_OK; RC_CONF: the file cannot be read, or by others too, or the first line
 * is empty, too long or holds a NUL, or there is no such command; RC_TEMP: the
 * command failed or took more than CRED_LIMIT_MS; RC_NOMEM.  The complaint
 * holds neither the secret nor the command, which might contain one.
 */
enum rc cred_get(const struct conf_server *s, struct secret *out,
    struct err *e);

/*
 * cred_command(command, limit_ms, out, e):
 * The same for one command of /bin/sh -c: its standard input is empty, its
 * standard error is ours; it and its children are ended at the limit.
 */
enum rc cred_command(const char *command, int limit_ms, struct secret *out,
    struct err *e);

/* cred_file(path, out, e): the same for one file. */
enum rc cred_file(const char *path, struct secret *out, struct err *e);

#endif
