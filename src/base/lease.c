#include "config.h"

#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/vfs.h>
#endif

#include "base/lease.h"

#if defined(__linux__) && defined(F_SETLEASE)

/* Whoever writes there asks this kernel: no server, no other machine, no
 * layer beneath. */
static bool
is_local(int fd)
{
	static const uint32_t kinds[] = { 0xef53 /* ext4 */,
	    0x58465342 /* XFS */, 0x9123683e /* btrfs */,
	    0xf2f52010 /* F2FS */, 0x01021994 /* tmpfs */ };
	struct statfs fs;

	if (fstatfs(fd, &fs) != 0)
		return false;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if ((uint32_t)fs.f_type == kinds[i])
			return true;
	return false;
}

/* Not a duplicate: the lease goes when this is closed, whoever else holds
 * what we were given. */
static int
open_again(int fd)
{
	char path[32];

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
}

int
lease_take(int fd, off_t *left)
{
	off_t at = lseek(fd, 0, SEEK_CUR);
	struct stat st, again;
	int own;

	if (at < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) ||
	    !is_local(fd) || (own = open_again(fd)) < 0)
		return -1;
	/* What a lease that is broken says by default ends the process. */
	signal(SIGIO, SIG_IGN);
	if (fcntl(own, F_SETLEASE, F_RDLCK) == 0 &&
	    fstat(own, &again) == 0 && again.st_dev == st.st_dev &&
	    again.st_ino == st.st_ino && lseek(own, at, SEEK_SET) == at) {
		*left = again.st_size > at ? again.st_size - at : 0;
		return own;
	}
	close(own);
	return -1;
}

bool
lease_kept(int fd)
{
	return fcntl(fd, F_GETLEASE) == F_RDLCK;
}

#else

int
lease_take(int fd, off_t *left)
{
	(void)fd;
	(void)left;
	return -1;
}

bool
lease_kept(int fd)
{
	(void)fd;
	return false;
}

#endif
