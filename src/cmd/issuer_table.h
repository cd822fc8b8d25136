/* Tables of members, and what is wrong with them. */
#ifndef SC_CMD_ISSUER_TABLE_H
#define SC_CMD_ISSUER_TABLE_H

#include "issuer/desk.h"

/*
 * issuer_table_take(d, path, count, e):
 * The table's members into the register of ${d}, unsaved; every wrong line is
 * told on standard error.  As members_take(); RC_CONF: no such file.
 */
enum rc issuer_table_take(struct desk *d, const char *path,
    struct members_count *count, struct err *e);

#endif
