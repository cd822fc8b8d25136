/*
 * A pass of one member in a folder of its own: the starter and its parts, each
 * in its process, as they are; but for one call of one part, which fails, or
 * one frame that comes to it, which is not as it should be.  Linked with
 * PASS_TROUBLE; no sandbox, so that what was counted can be written.
 */
#ifndef SC_TESTS_PASS_UNIT_H
#define SC_TESTS_PASS_UNIT_H

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "gate_unit.h"
#include "no_memory.h"

#include "base/log.h"
#include "base/sandbox.h"
#include "flow/ipc.h"
#include "flow/starter.h"
#include "mail/wrap.h"

enum trouble_what {
	T_NONE,
	T_MEMORY,	/* an allocation fails */
	T_SQL,		/* a statement of the store */
	T_CALL,		/* a call of the system, of files above all */
	T_SIGNAL,	/* a call is interrupted: no trouble at all */
	T_LIE		/* a frame is not as it should be: ${how} */
};

enum lie { L_EMPTY, L_SHORT, L_LONG, L_TYPE, L_JOB, L_ONES, L_N };

struct trouble {
	enum trouble_what what;
	enum part	 part;	/* PART_N: the starter, or the command */
	long		 nth;
	enum lie	 how;
};

#define ACT_CHILD ((enum part)(PART_N + 1))	/* whom a command forks */

static struct {
	struct trouble	 t;
	bool		 acts;	/* a command, no pass: see fork() */
	long		 left;	/* calls of its class before it; -1: none */
	bool		*fired;	/* for all processes */
} trouble = { .left = -1 };

/* For tests/tools/coverage.c: counters are written without trouble. */
void shim_quiet(void);
void
shim_quiet(void)
{
	memory.left = trouble.left = -1;
}

static inline bool
strikes(enum trouble_what what)
{
	if (trouble.t.what != what || trouble.left < 0 || *trouble.fired ||
	    trouble.left-- > 0)
		return false;
	*trouble.fired = true;
	return true;
}

static inline void
trouble_arm(enum part part)
{
	if (trouble.t.part != part)
		return;
	if (trouble.t.what == T_MEMORY)
		memory.left = trouble.t.nth;
	trouble.left = trouble.t.nth;
}

#include "pass_parts.h"

/* ---- calls that fail --------------------------------------------------- */

#define FAILS(what, ret, name, params, args, failed, why)	\
ret __real_##name params;					\
ret __wrap_##name params;					\
ret								\
__wrap_##name params						\
{								\
	if (!strikes(what))					\
		return __real_##name args;			\
	errno = why;						\
	return failed;						\
}

FAILS(T_SQL, int, sqlite3_step, (sqlite3_stmt *s), (s), SQLITE_IOERR, EIO)
FAILS(T_SQL, int, sqlite3_prepare_v3, (sqlite3 *db, const char *text, int n,
    unsigned how, sqlite3_stmt **s, const char **tail),
    (db, text, n, how, s, tail), (*s = NULL, SQLITE_NOMEM), ENOMEM)
FAILS(T_CALL, int, fstat, (int fd, struct stat *st), (fd, st), -1, EIO)
FAILS(T_CALL, int, fstatat, (int fd, const char *name, struct stat *st,
    int how), (fd, name, st, how), -1, EIO)
FAILS(T_CALL, ssize_t, pread, (int fd, void *p, size_t len, off_t at),
    (fd, p, len, at), -1, EIO)
FAILS(T_CALL, int, renameat, (int fd, const char *name, int to,
    const char *other), (fd, name, to, other), -1, ENOSPC)
FAILS(T_CALL, int, linkat, (int fd, const char *name, int to,
    const char *other, int how), (fd, name, to, other, how), -1, EMLINK)
FAILS(T_CALL, int, unlinkat, (int fd, const char *name, int how),
    (fd, name, how), -1, EIO)
FAILS(T_CALL, int, mkdirat, (int fd, const char *name, mode_t mode),
    (fd, name, mode), -1, ENOSPC)
FAILS(T_CALL, int, fsync, (int fd), (fd), -1, EIO)
FAILS(T_CALL, off_t, lseek, (int fd, off_t at, int how), (fd, at, how), -1,
    EIO)
FAILS(T_CALL, int, unlink, (const char *path), (path), -1, EIO)
FAILS(T_CALL, int, socketpair, (int family, int type, int how, int fds[2]),
    (family, type, how, fds), -1, EMFILE)
FAILS(T_SIGNAL, int, poll, (struct pollfd *p, nfds_t n, int ms), (p, n, ms),
    -1, EINTR)
FAILS(T_SIGNAL, pid_t, waitpid, (pid_t pid, int *status, int how),
    (pid, status, how), -1, EINTR)

pid_t __real_fork(void);
pid_t __wrap_fork(void);
pid_t
__wrap_fork(void)
{
	pid_t pid;

	if (strikes(T_CALL))
		return errno = EAGAIN, -1;
	if ((pid = __real_fork()) == 0 && trouble.acts) {
		shim_quiet();	/* of the command */
		trouble_arm(ACT_CHILD);
	}
	return pid;
}

int __real_openat(int fd, const char *name, int how, ...);
int __wrap_openat(int fd, const char *name, int how, ...);
int
__wrap_openat(int fd, const char *name, int how, ...)
{
	mode_t mode = 0;
	va_list ap;

	if (strikes(T_CALL)) {
		errno = EMFILE;
		return -1;
	}
	va_start(ap, how);
	if ((how & O_CREAT) != 0)
		mode = (mode_t)va_arg(ap, int);
	va_end(ap);
	return __real_openat(fd, name, how, mode);
}

/* ---- frames that lie --------------------------------------------------- */

static inline void
lie(struct frame *f)
{
	static uint8_t body[CHAN_MAX_BYTES + 1];

	/* Without what the starter starts nothing ends: it does not lie. */
	if (f->body.len > CHAN_MAX_BYTES || f->type == IPC_STARTED ||
	    !strikes(T_LIE))
		return;
	if (f->body.len > 0)
		memcpy(body, f->body.p, f->body.len);
	f->body.p = body;
	switch (trouble.t.how) {
	case L_EMPTY:
		f->body.len = 0;
		break;
	case L_SHORT:
		f->body.len -= f->body.len > 0;
		break;
	case L_LONG:
		body[f->body.len++] = 0;
		break;
	case L_TYPE:
		f->type++;
		break;
	case L_JOB:
		f->job += 1000;
		break;
	case L_ONES:
		memset(body, 0xff, f->body.len);
		break;
	case L_N:
		break;
	}
}

bool __real_chan_next(struct chan *c, struct frame *f, enum rc *rc,
    struct err *e);
bool __wrap_chan_next(struct chan *c, struct frame *f, enum rc *rc,
    struct err *e);
bool
__wrap_chan_next(struct chan *c, struct frame *f, enum rc *rc, struct err *e)
{
	bool some = __real_chan_next(c, f, rc, e);

	if (some)
		lie(f);
	return some;
}

enum rc __real_chan_recv(struct chan *c, struct frame *f, struct err *e);
enum rc __wrap_chan_recv(struct chan *c, struct frame *f, struct err *e);
enum rc
__wrap_chan_recv(struct chan *c, struct frame *f, struct err *e)
{
	enum rc rc = __real_chan_recv(c, f, e);

	if (rc == RC_OK)
		lie(f);
	return rc;
}

/* Who waits for what a lie has kept from him waits for ten minutes: of ours,
 * for a second or two. */
int64_t __real_clock_ms(void);
int64_t __wrap_clock_ms(void);
int64_t
__wrap_clock_ms(void)
{
	return __real_clock_ms() * (trouble.t.what == T_LIE ? 500 : 1);
}

/* ---- a member ---------------------------------------------------------- */

struct member {
	char		 dir[64];
	const char	*id;
	struct conf	 conf;
	struct pass	 p;
	unsigned	 n;	/* mails so far */
};

static inline void
path_in(const struct member *m, const char *name, char out[256])
{
	snprintf(out, 256, "%s/%s", m->dir, name);
}

static inline void
put_file(const struct member *m, const char *name, const void *p, size_t len)
{
	char path[256], hidden[300];
	FILE *f;

	path_in(m, name, path);
	snprintf(hidden, sizeof(hidden), "%s.tmp", path);
	f = fopen(hidden, "w");
	assert_non_null(f);
	T_CHECK(fwrite(p, 1, len, f) == len && fclose(f) == 0);
	T_CHECK(rename(hidden, path) == 0);
}

static inline void
make_dir(const struct member *m, const char *name)
{
	char path[256];

	path_in(m, name, path);
	T_CHECK(mkdir(path, 0700) == 0);
}

/* With the keys ${ks}, which are freed; ${more}: of the configuration; "@/x" is
 * x in its folder. */
static inline void
member_with(struct member *m, const char *id, struct keystore *ks,
    const char *more)
{
	char store[256], key[256];
	const struct keystore_at at = { store, key, NULL };
	struct buf text = BUF_INIT;
	struct err e = ERR_INIT;

	memset(m, 0, sizeof(*m));
	m->id = id;
	strcpy(m->dir, access("/dev/shm", W_OK) == 0 ?
	    "/dev/shm/unit-pass-XXXXXX" : "/tmp/unit-pass-XXXXXX");
	assert_non_null(mkdtemp(m->dir));
	path_in(m, "k", store);
	path_in(m, "k.key", key);
	if (keystore_save(ks, &at, &e) != RC_OK)
		fail_msg("%s", e.text);
	keystore_free(&ks);
	make_dir(m, "state");
	T_CHECK(buf_addf(&text, "state = \"%s/state\"\nkeystore = \"%s\"\n"
	    "keystore_key = \"%s\"\n", m->dir, store, key));
	for (const char *s = more; *s != '\0'; s++)
		T_CHECK(strncmp(s, "@/", 2) == 0 ? buf_adds(&text, m->dir) :
		    buf_add8(&text, (uint8_t)*s));
	if (conf_read("test", text.p, text.len, &m->conf, &e) != RC_OK)
		fail_msg("%s", e.text);
	buf_free(&text);
	m->p = (struct pass){ .conf = &m->conf };
}

static inline void
member_open(struct member *m, const char *id, const char *more)
{
	member_with(m, id, assoc_store(id, A_YEAR), more);
}

static inline void
member_close(struct member *m)
{
	char line[128];

	conf_free(&m->conf);
	snprintf(line, sizeof(line), "exec rm -r '%s'", m->dir);
	assert_int_equal(system(line), 0);
}

static inline enum rc
wrapped(void *arg, const uint8_t *p, size_t len, struct err *e)
{
	(void)e;
	T_CHECK(buf_add(arg, p, len));
	return RC_OK;
}

/* A mail with that envelope in the mailbox of ${m}. */
static inline void
post_envelope(struct member *m, const struct buf *env)
{
	char id[64], name[32];
	const struct wrap_head head = { "labo@labo.example",
	    "dr.martin@cabinet.example", NOW, id, NULL };
	struct buf out = BUF_INIT;
	struct err e = ERR_INIT;
	struct wrap w;

	snprintf(id, sizeof(id), "%u@labo.example", ++m->n);
	snprintf(name, sizeof(name), "in/new/%u", m->n);
	T_RC(wrap_begin(&w, &head, (struct sink){ wrapped, &out }, &e), RC_OK);
	T_RC(wrap_add(&w, env->p, env->len, &e), RC_OK);
	T_RC(wrap_end(&w, &e), RC_OK);
	put_file(m, name, out.p, out.len);
	buf_free(&out);
}

/* All octets of the files below ${dir} that have no temporary name. */
static inline void
gather_files(const char *dir, struct buf *all)
{
	DIR *dp = opendir(dir);
	struct dirent *d;

	while (dp != NULL && (d = readdir(dp)) != NULL) {
		char path[600], part[4096];
		struct stat st;
		size_t len;
		FILE *f;

		if (d->d_name[0] == '.' || strcmp(d->d_name, "tmp") == 0)
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, d->d_name);
		T_CHECK(stat(path, &st) == 0);
		if (S_ISDIR(st.st_mode)) {
			gather_files(path, all);
			continue;
		}
		f = fopen(path, "r");
		assert_non_null(f);
		while ((len = fread(part, 1, sizeof(part), f)) > 0)
			T_CHECK(buf_add(all, part, len));
		fclose(f);
	}
	if (dp != NULL)
		closedir(dp);
}

static inline void
member_files(const struct member *m, const char *folder, struct buf *all)
{
	char path[256];

	buf_wipe(all);
	path_in(m, folder, path);
	gather_files(path, all);
}

/* How often that stands in it. */
static inline unsigned
times_in(const struct buf *all, const char *what)
{
	size_t len = strlen(what);
	unsigned n = 0;

	for (size_t i = 0; i + len <= all->len; i++)
		n += memcmp(all->p + i, what, len) == 0;
	return n;
}

static inline void
store_do(const struct member *m, const char *sql)
{
	sqlite3 *db = NULL;
	char path[256];

	path_in(m, "state/sceau.db", path);
	if (access(path, F_OK) != 0)
		return;
	T_CHECK(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL) ==
	    SQLITE_OK);
	T_CHECK(sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK);
	sqlite3_close(db);
}

/* One number out of the store. */
static inline int64_t
store_says(const struct member *m, const char *query)
{
	sqlite3_stmt *s = NULL;
	sqlite3 *db = NULL;
	char path[256];
	int64_t n;

	path_in(m, "state/sceau.db", path);
	T_CHECK(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL) ==
	    SQLITE_OK);
	T_CHECK(sqlite3_prepare_v2(db, query, -1, &s, NULL) == SQLITE_OK);
	T_CHECK(sqlite3_step(s) == SQLITE_ROW);
	n = sqlite3_column_int64(s, 0);
	sqlite3_finalize(s);
	sqlite3_close(db);
	return n;
}

/* ---- a pass ------------------------------------------------------------ */

/* No part has ended by a signal but one that its starter ended. */
static inline void
sound(const struct member *m, const struct trouble *t)
{
	static char text[1 << 20];
	char path[256], *at = text;
	FILE *f;

	path_in(m, "log", path);
	f = fopen(path, "r");
	assert_non_null(f);
	text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
	fclose(f);
	if (getenv("SCEAU_SHOW") != NULL)
		fputs(text, stdout);
	while ((at = strstr(at, "process.crash")) != NULL) {
		char *line = at++;

		line[strcspn(line, "\n")] = '\0';
		if (strstr(line, "signal=9") == NULL)
			fail_msg("%d of part %d, the %ld. (%d): %s", t->what,
			    t->part, t->nth, t->how, line);
	}
	if (strstr(text, "Sanitizer") != NULL ||
	    strstr(text, "runtime error") != NULL)
		fail_msg("%d of part %d, the %ld. (%d): %s", t->what, t->part,
		    t->nth, t->how, text);
}

/* In a minute or two, whatever else the machine has to do. */
static inline bool
ends(pid_t pid, int *status)
{
	int64_t until = __real_clock_ms() + 100 * 1000;

	while (__real_waitpid(pid, status, WNOHANG) != pid) {
		if (__real_clock_ms() > until) {
			kill(-pid, SIGKILL);
			return false;
		}
		__real_poll(NULL, 0, 2);
	}
	return true;
}

/* ${act} in a process of its own, with that trouble; its exit code, and in
 * ${fired} whether the trouble came. */
static inline int
act_with(const struct member *m, struct trouble t, bool *fired,
    int (*act)(const struct member *m))
{
	static bool *shared;
	char path[256];
	int status, fd;
	pid_t pid;

	if (shared == NULL)
		shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	T_CHECK(shared != MAP_FAILED);
	*shared = false;
	trouble.t = t;
	trouble.fired = memory.told = shared;
	fflush(NULL);
	if ((pid = __real_fork()) == 0) {
		setpgid(0, 0);
		/* cmocka would go on with the next test, here. */
		signal(SIGSEGV, SIG_DFL);
		signal(SIGBUS, SIG_DFL);
		signal(SIGFPE, SIG_DFL);
		signal(SIGILL, SIG_DFL);
		path_in(m, "log", path);
		fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
		if (fd < 0 || dup2(fd, STDERR_FILENO) < 0)
			_exit(99);
		trouble_arm(PART_N);
		_exit(act(m));
	}
	T_CHECK(pid > 0);
	if (!ends(pid, &status))
		fail_msg("%d of part %d, the %ld. (%d): it does not end",
		    t.what, t.part, t.nth, t.how);
	trouble.t.what = T_NONE;
	*fired = *shared;
	sound(m, &t);
	if (!WIFEXITED(status))
		fail_msg("%d of part %d, the %ld. (%d): signal %d", t.what,
		    t.part, t.nth, t.how, WTERMSIG(status));
	return WEXITSTATUS(status);
}

static inline int
a_pass(const struct member *m)
{
	struct err e = ERR_INIT;
	int code;
	enum rc rc = starter_run(&m->p, NULL, &code, &e);

	return rc != RC_OK ? rc_exit(rc) : code;
}

/* What a pass may come to: sysexits.h; whatever a keeper says that lies. */
static inline void
code_is(const struct trouble *t, int code)
{
	static const int codes[] = { 0, 65, 69, 71, 75, 77, 78 };

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (code == codes[i] || t->what == T_LIE)
			return;
	fail_msg("%d of part %d, the %ld. (%d): code %d", t->what, t->part,
	    t->nth, t->how, code);
}

/* Without trouble, until all that is there has been seen to. */
static inline void
settle(const struct member *m)
{
	const struct trouble none = { T_NONE, PART_N, 0, L_N };
	bool fired;

	for (int i = 0; i < 3; i++)
		code_is(&none, act_with(m, none, &fired, a_pass));
}

/* Before each pass there is more to do (${more}); it ends with the first that
 * has no such trouble any more.  How many had. */
static inline long
each_trouble(struct member *m, struct trouble t, long step,
    void (*more)(struct member *m), int (*act)(const struct member *m))
{
	const struct trouble none = { T_NONE, PART_N, 0, L_N };
	bool fired = true, ignored;
	long n = 0;

	for (t.nth = 0; fired; t.nth += step) {
		more(m);
		code_is(&t, act_with(m, t, &fired, act));
		n += fired;
		/* What is left of them must not be ever more. */
		if (n % 4 == 0)
			code_is(&none, act_with(m, none, &ignored, a_pass));
	}
	return n;
}

/* Of so many calls one is tried; SCEAU_EACH: of all tests the same, for
 * tests/tools/coverage. */
static inline long
steps(long usual)
{
	const char *each = getenv("SCEAU_EACH");

	return each != NULL && atol(each) > 0 ? atol(each) : usual;
}

#endif
