/* What the tests of the issuer share: folders, members, desks. */
#ifndef SC_TESTS_ISSUER_UNIT_H
#define SC_TESTS_ISSUER_UNIT_H

#include "config.h"

#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/secret.h"
#include "issuer/desk.h"

static inline struct bytes
str(const char *s)
{
	return (struct bytes){ (const uint8_t *)s, strlen(s) };
}

static inline int
remove_one(const char *path, const struct stat *st, int type, struct FTW *f)
{
	(void)st;
	(void)type;
	(void)f;
	return remove(path);
}

/* A folder of the test's own, under ${TMPDIR}. */
static inline void
folder_new(char path[PATH_MAX])
{
	const char *tmp = getenv("TMPDIR");

	snprintf(path, PATH_MAX, "%s/issuer.XXXXXX",
	    tmp != NULL ? tmp : "/tmp");
	T_CHECK(mkdtemp(path) != NULL);
}

static inline void
folder_remove(const char *path)
{
	T_CHECK(nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS) == 0);
}

static inline mode_t
mode_of(const char *path)
{
	struct stat st;

	T_CHECK(stat(path, &st) == 0);
	return st.st_mode & 07777;
}

/* One more member; what members_add() says. */
static inline enum rc
enter(struct members *m, const char *address, const char *lists,
    enum member_kind kind, enum member_add *how, struct err *e)
{
	const struct member_new w = { str(address), str("box@poste.example"),
	    str("Somebody"), str(lists), kind, { NULL, 0 } };

	return members_add(m, &w, how, e);
}

static inline const struct member *
must_enter(struct members *m, const char *address, const char *lists,
    enum member_kind kind)
{
	struct err e = ERR_INIT;
	enum member_add how;

	T_RC(enter(m, address, lists, kind, &how, &e), RC_OK);
	return &m->v[m->n - 1];
}

/* The year of now's keys: what may be issued. */
static inline uint16_t
this_year(void)
{
	uint16_t year = 2026;

	while (clock_now() >= clock_utc(year + 1, 1, 1))
		year++;
	return year;
}

static inline struct desk_plan
plan_of(const char *dir)
{
	return (struct desk_plan){ .dir = dir, .assoc = "essai",
	    .domain = "asso.example", .year = this_year(),
	    .hub = "passerelle@asso.example",
	    .hub_route = "passerelle@poste.example" };
}

/* What custodian ${number} brings. */
static inline struct custody
sheet_of(const char *dir, unsigned number)
{
	struct err e = ERR_INIT;
	struct buf b = BUF_INIT;
	char path[PATH_MAX + 64];
	struct custody c;

	snprintf(path, sizeof(path), "%s/custodians/custodian-%u.%u.txt", dir,
	    number, this_year());
	T_RC(file_read(path, CUSTODY_FILE_MAX, &b, &e), RC_OK);
	T_RC(custody_parse((const char *)b.p, b.len, &c, &e), RC_OK);
	buf_free(&b);
	return c;
}

/* With two custodians at it. */
static inline void
desk_ready(struct desk *d)
{
	const struct custody c[] = { sheet_of(d->dir, 3), sheet_of(d->dir, 1) };
	struct err e = ERR_INIT;

	T_RC(desk_join(d, this_year(), c, 2, &e), RC_OK);
}

static inline struct desk *
desk_of(const char *dir)
{
	const struct desk_plan p = plan_of(dir);
	struct err e = ERR_INIT;
	struct desk *d;

	T_RC(desk_init(&p, true, &e), RC_OK);
	T_RC(desk_open(dir, &d, &e), RC_OK);
	return d;
}

#endif
