/*
 * Part of shim.so: what the program itself asks libraries and the system for,
 * at places (places.h) only; each fails as it would for want of memory or of
 * descriptors.  Of the headers that declare them none is here.  And statements
 * of the store.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* shim.c */
bool shim_fails_lib(const void *caller);
bool shim_fails_sys(const void *caller);
bool shim_fails_sql(void);

#define NEXT(name) (next_##name != NULL ? next_##name : \
    (*(void **)&next_##name = dlsym(RTLD_NEXT, #name), next_##name))

#define HOOK_OURS(ret, name, params, args, fails, failed)		\
static ret (*next_##name) params;					\
ret name params;							\
ret name params								\
{									\
	return fails(__builtin_return_address(0)) ? failed :		\
	    NEXT(name) args;						\
}
#define LIBRARY(ret, name, params, args, failed)			\
HOOK_OURS(ret, name, params, args, shim_fails_lib, failed)
#define SYSTEM(ret, name, params, args)					\
HOOK_OURS(ret, name, params, args, shim_fails_sys, (ret)-1)

/* --- libcurl, libESMTP, libetpan --------------------------------------- */

enum { CURL_NO_MEMORY = 27 };
LIBRARY(void *, curl_easy_init, (void), (), NULL)
LIBRARY(int, curl_easy_setopt, (void *c, int what, void *p), (c, what, p),
    CURL_NO_MEMORY)
LIBRARY(int, curl_easy_getinfo, (void *c, int what, void *p), (c, what, p),
    CURL_NO_MEMORY)
LIBRARY(void *, curl_slist_append, (void *l, const char *s), (l, s), NULL)

LIBRARY(void *, smtp_create_session, (void), (), NULL)
LIBRARY(void *, smtp_add_message, (void *s), (s), NULL)
LIBRARY(void *, smtp_add_recipient, (void *m, const char *to), (m, to), NULL)
LIBRARY(int, smtp_set_hostname, (void *s, const char *name), (s, name), 0)
LIBRARY(int, smtp_set_server, (void *s, const char *name), (s, name), 0)
LIBRARY(int, smtp_set_reverse_path, (void *m, const char *from), (m, from), 0)
LIBRARY(int, smtp_set_messagecb, (void *m, void *cb, void *arg), (m, cb, arg),
    0)
LIBRARY(int, smtp_set_eventcb, (void *s, void *cb, void *arg), (s, cb, arg), 0)
LIBRARY(int, smtp_set_monitorcb, (void *s, void *cb, void *arg, int h),
    (s, cb, arg, h), 0)
LIBRARY(int, smtp_starttls_enable, (void *s, int how), (s, how), 0)
LIBRARY(int, smtp_starttls_set_ctx, (void *s, void *ctx), (s, ctx), 0)
LIBRARY(int, smtp_auth_set_context, (void *s, void *a), (s, a), 0)
LIBRARY(int, smtp_size_set_estimate, (void *m, unsigned long n), (m, n), 0)
LIBRARY(void *, auth_create_context, (void), (), NULL)
LIBRARY(int, auth_set_interact_cb, (void *a, void *cb, void *arg),
    (a, cb, arg), 0)

enum { MAILIMAP_NO_MEMORY = 7 };
LIBRARY(void *, mailimap_new, (size_t n, void *p), (n, p), NULL)
LIBRARY(void *, mailimap_section_new, (void *p), (p), NULL)
LIBRARY(void *, mailimap_fetch_att_new_body_peek_section, (void *s), (s), NULL)
LIBRARY(void *, mailimap_fetch_att_new_rfc822_size, (void), (), NULL)
LIBRARY(void *, mailimap_fetch_att_new_uid, (void), (), NULL)
LIBRARY(void *, mailimap_fetch_type_new_fetch_att_list_empty, (void), (), NULL)
LIBRARY(int, mailimap_fetch_type_new_fetch_att_list_add, (void *t, void *a),
    (t, a), MAILIMAP_NO_MEMORY)
LIBRARY(void *, mailimap_flag_list_new_empty, (void), (), NULL)
LIBRARY(int, mailimap_flag_list_add, (void *l, void *f), (l, f),
    MAILIMAP_NO_MEMORY)
LIBRARY(void *, mailimap_flag_new_deleted, (void), (), NULL)
LIBRARY(void *, mailimap_search_key_new_all, (void), (), NULL)
LIBRARY(void *, mailimap_search_key_new_uid, (void *s), (s), NULL)
LIBRARY(void *, mailimap_set_new_empty, (void), (), NULL)
LIBRARY(void *, mailimap_set_new_interval, (uint32_t a, uint32_t b), (a, b),
    NULL)
LIBRARY(int, mailimap_set_add_interval, (void *s, uint32_t a, uint32_t b),
    (s, a, b), MAILIMAP_NO_MEMORY)
LIBRARY(int, mailimap_set_add_single, (void *s, uint32_t a), (s, a),
    MAILIMAP_NO_MEMORY)
LIBRARY(void *, mailimap_store_att_flags_new_add_flags_silent, (void *l), (l),
    NULL)
LIBRARY(void *, mailstream_new, (void *low, size_t n), (low, n), NULL)
LIBRARY(void *, mailstream_low_new, (void *data, void *driver), (data, driver),
    NULL)

/* --- OpenSSL, libc ------------------------------------------------------ */

LIBRARY(void *, SSL_CTX_new, (void *method), (method), NULL)
LIBRARY(void *, SSL_new, (void *ctx), (ctx), NULL)
LIBRARY(int, SSL_set_fd, (void *s, int fd), (s, fd), 0)
LIBRARY(int, SSL_CTX_set_ex_data, (void *c, int n, void *p), (c, n, p), 0)
LIBRARY(long, SSL_CTX_ctrl, (void *c, int what, long n, void *p),
    (c, what, n, p), 0)
LIBRARY(long, SSL_ctrl, (void *s, int what, long n, void *p), (s, what, n, p),
    0)
LIBRARY(void *, SSL_get1_peer_certificate, (void *s), (s), NULL)
LIBRARY(int, EVP_Digest, (void *p, size_t n, void *d, void *len, void *m,
    void *e), (p, n, d, len, m, e), 0)
LIBRARY(int, X509_digest, (void *c, void *m, void *d, void *len),
    (c, m, d, len), 0)
LIBRARY(int, i2d_X509_PUBKEY, (void *c, void *p), (c, p), -1)
LIBRARY(void *, X509_get_ext_d2i, (void *c, int n, void *a, void *b),
    (c, n, a, b), NULL)
LIBRARY(int, ASN1_TIME_to_tm, (void *t, void *tm), (t, tm), 0)
LIBRARY(int, X509_VERIFY_PARAM_set1_host, (void *v, const char *s, size_t n),
    (v, s, n), 0)
LIBRARY(int, X509_VERIFY_PARAM_set1_ip_asc, (void *v, const char *s), (v, s),
    0)
LIBRARY(int, getnameinfo, (void *sa, unsigned n, char *h, unsigned nh,
    char *s, unsigned ns, int how), (sa, n, h, nh, s, ns, how), -10)
LIBRARY(void *, opendir, (const char *path), (path), NULL)
LIBRARY(void *, fdopendir, (int fd), (fd), NULL)
LIBRARY(void *, readdir, (void *dir), (dir), NULL)
LIBRARY(char *, realpath, (const char *path, char *to), (path, to), NULL)
LIBRARY(char *, getcwd, (char *to, size_t n), (to, n), NULL)

/* --- The system ---------------------------------------------------------- */

SYSTEM(int, fstat, (int fd, void *st), (fd, st))
SYSTEM(int, stat, (const char *path, void *st), (path, st))
SYSTEM(int, lstat, (const char *path, void *st), (path, st))
SYSTEM(int, fstatat, (int fd, const char *path, void *st, int how),
    (fd, path, st, how))
SYSTEM(int, access, (const char *path, int mode), (path, mode))
SYSTEM(int, faccessat, (int fd, const char *path, int mode, int how),
    (fd, path, mode, how))
SYSTEM(long, lseek, (int fd, long at, int whence), (fd, at, whence))
SYSTEM(int, dup, (int fd), (fd))
SYSTEM(int, dup2, (int fd, int to), (fd, to))
SYSTEM(int, pipe, (int *fds), (fds))
SYSTEM(int, socketpair, (int a, int b, int c, int *fds), (a, b, c, fds))
SYSTEM(int, fork, (void), ())
SYSTEM(int, socket, (int a, int b, int c), (a, b, c))
SYSTEM(int, getsockopt, (int fd, int l, int o, void *p, void *n),
    (fd, l, o, p, n))
SYSTEM(int, setsockopt, (int fd, int l, int o, void *p, unsigned n),
    (fd, l, o, p, n))
SYSTEM(int, getsockname, (int fd, void *sa, void *n), (fd, sa, n))
SYSTEM(int, getpeername, (int fd, void *sa, void *n), (fd, sa, n))
SYSTEM(int, fcntl, (int fd, int what, void *p), (fd, what, p))
SYSTEM(int, ioctl, (int fd, unsigned long what, void *p), (fd, what, p))
SYSTEM(int, fchmod, (int fd, unsigned mode), (fd, mode))
SYSTEM(int, memfd_create, (const char *name, unsigned how), (name, how))
SYSTEM(int, setpgid, (int a, int b), (a, b))
SYSTEM(int, sigaction, (int sig, void *new, void *old), (sig, new, old))
SYSTEM(int, statvfs, (const char *path, void *st), (path, st))

/* --- SQLite -------------------------------------------------------------- */

/* Statements of the store, as SQLite would fail them; errno is the result
 * code.  What a call of ours does inside is not one of ours. */
typedef struct sqlite3 sqlite3;
typedef struct sqlite3_stmt sqlite3_stmt;
static bool in_sql;
static int sql_told;

static bool
hit_sql(void)
{
	sql_told = !in_sql && shim_fails_sql() ? errno : 0;
	return sql_told != 0;
}

#define HOOK_SQL(name, params, args)				\
static int (*next_##name) params;				\
int name params;						\
int name params							\
{								\
	bool was = in_sql;					\
	int code;						\
								\
	if (hit_sql())						\
		return sql_told;				\
	in_sql = true;						\
	code = NEXT(name) args;					\
	in_sql = was;						\
	return code;						\
}

/* What the result code is, when it was ours. */
#define HOOK_CODE(name)						\
static int (*next_##name)(sqlite3 *);				\
int name(sqlite3 *);						\
int name(sqlite3 *db)						\
{								\
	return sql_told != 0 ? sql_told : NEXT(name)(db);	\
}

HOOK_SQL(sqlite3_step, (sqlite3_stmt *s), (s))
HOOK_SQL(sqlite3_prepare_v3, (sqlite3 *db, const char *sql, int len,
    unsigned flags, sqlite3_stmt **s, const char **end), (db, sql, len, flags,
    s, end))
HOOK_CODE(sqlite3_errcode)
HOOK_CODE(sqlite3_extended_errcode)

/* That a ROLLBACK fails has no meaning. */
typedef int sql_row(void *, int, char **, char **);
static int (*next_sqlite3_exec)(sqlite3 *, const char *, sql_row *, void *,
    char **);
int sqlite3_exec(sqlite3 *, const char *, sql_row *, void *, char **);
int
sqlite3_exec(sqlite3 *db, const char *sql, sql_row *row, void *arg, char **e)
{
	bool was = in_sql;
	int code;

	if (strcmp(sql, "ROLLBACK") != 0 && hit_sql())
		return sql_told;
	in_sql = true;
	code = NEXT(sqlite3_exec)(db, sql, row, arg, e);
	in_sql = was;
	return code;
}
