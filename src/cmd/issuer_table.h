/* Tables of members, and what is wrong with them. */
#ifndef SC_CMD_ISSUER_TABLE_H
#define SC_CMD_ISSUER_TABLE_H

#include "cmd/cmd.h"
#include "issuer/desk.h"

#define ISSUER_TABLE_WHAT_BYTES 160

/*
 * issuer_table_take(d, path, count, e):
 * The table's members into the register of ${d}, unsaved; every wrong line is
 * told on standard error.  As members_take(); RC_CONF: no such file.
 */
enum rc issuer_table_take(struct desk *d, const char *path,
    struct members_count *count, struct err *e);

/* issuer_table_changes(c): the register is to be saved.
 * issuer_table_what(c, members, what): of the journal, with ${members} in all.
 * issuer_table_say_joined(app, d, c): that for people, if there is any. */
bool issuer_table_changes(const struct members_count *c);
void issuer_table_what(const struct members_count *c, size_t members,
    char what[ISSUER_TABLE_WHAT_BYTES]);
void issuer_table_say_joined(const struct app *app, const struct desk *d,
    const struct members_count *c);

#endif
