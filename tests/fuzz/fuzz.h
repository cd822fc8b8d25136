/* What several harnesses share: a folder, octets as a file, envelopes. */
#ifndef SC_TESTS_FUZZ_H
#define SC_TESTS_FUZZ_H

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/secret.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

/* ---- the next octets of the input, 0 when there are none left ---------- */

struct fuzz {
	const uint8_t	*p;
	size_t		 left;
};

static inline uint8_t
fuzz_8(struct fuzz *f)
{
	if (f->left == 0)
		return 0;
	f->left--;
	return *f->p++;
}

/* Up to ${max} octets, their number in the first. */
static inline struct bytes
fuzz_run(struct fuzz *f, size_t max)
{
	size_t n = fuzz_8(f);
	struct bytes b;

	n = n < max ? n : max;
	b = (struct bytes){ f->p, n < f->left ? n : f->left };
	f->p += b.len;
	f->left -= b.len;
	return b;
}

/* The same as a C string, without NUL inside. */
static inline void
fuzz_text(struct fuzz *f, char *out, size_t size)
{
	struct bytes b = fuzz_run(f, size - 1);

	memset(out, 0, size);
	for (size_t i = 0; i < b.len; i++)
		out[i] = b.p[i] != 0 ? (char)b.p[i] : '?';
}

/* ---- a folder of this process, gone at its end -------------------------- */

static char fuzz_dir_path[200];

static inline void
fuzz_dir_remove(void)
{
	DIR *dir = opendir(fuzz_dir_path);
	struct dirent *d;
	char path[512];

	while (dir != NULL && (d = readdir(dir)) != NULL) {
		snprintf(path, sizeof(path), "%s/%s", fuzz_dir_path,
		    d->d_name);
		(void)remove(path);
	}
	if (dir != NULL)
		closedir(dir);
	rmdir(fuzz_dir_path);
}

/* ${name} in it; lent, for good. */
static inline const char *
fuzz_path(const char *name)
{
	static char paths[4][256];
	static size_t n;
	const char *tmp = getenv("TMPDIR");

	if (fuzz_dir_path[0] == '\0') {
		/* In memory where that is possible: files are not the point. */
		if (access("/dev/shm", W_OK) == 0 && tmp == NULL)
			tmp = "/dev/shm";
		snprintf(fuzz_dir_path, sizeof(fuzz_dir_path),
		    "%s/sceau-fuzz-XXXXXX", tmp != NULL ? tmp : "/tmp");
		BUG_ON(mkdtemp(fuzz_dir_path) == NULL);
		atexit(fuzz_dir_remove);
	}
	n = (n + 1) % 4;
	snprintf(paths[n], sizeof(paths[n]), "%s/%s", fuzz_dir_path, name);
	return paths[n];
}

/* A file with these octets, opened again at its start. */
static inline void
fuzz_file(const char *path, const void *p, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	BUG_ON(fd < 0 || write(fd, p, len) != (ssize_t)len);
	close(fd);
}

static inline void
fuzz_start(void)
{
	struct err e = ERR_INIT;

	BUG_ON(secret_init(&e) != RC_OK);
}

static inline enum rc
fuzz_into(void *arg, const uint8_t *p, size_t len, struct err *e)
{
	(void)e;
	BUG_ON(!buf_add(arg, p, len));
	return RC_OK;
}

static inline enum rc
fuzz_sink(void *arg, const void *p, size_t len, struct err *e)
{
	return fuzz_into(arg, p, len, e);
}

#endif
