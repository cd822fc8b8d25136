#include "config.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#ifdef __APPLE__
#include <mach-o/dyld.h>
#endif

#include "base/lang.h"
#include "cmd/cmd.h"

#define NAME "sceau-pass"

bool
cmd_self(char path[PATH_MAX])
{
#ifdef __APPLE__
	uint32_t size = PATH_MAX;

	return _NSGetExecutablePath(path, &size) == 0;
#else
	ssize_t n = readlink("/proc/self/exe", path, PATH_MAX - 1);

	path[n > 0 ? n : 0] = '\0';
	return n > 0;
#endif
}

/* In a build folder both lie side by side, and are of one owner: others may
 * put files into a folder without replacing what is there (sticky bit), or a
 * link to sceau into their own. */
static bool
beside(char path[PATH_MAX])
{
	struct stat self, other;
	char *slash = cmd_self(path) ? strrchr(path, '/') : NULL;

	if (slash == NULL || slash + sizeof("/" NAME) > path + PATH_MAX ||
	    stat(path, &self) != 0)
		return false;
	memcpy(slash + 1, NAME, sizeof(NAME));
	return access(path, X_OK) == 0 && stat(path, &other) == 0 &&
	    other.st_uid == self.st_uid && (other.st_mode & S_IWOTH) == 0;
}

enum rc
cmd_elsewhere(char **argv, struct err *e)
{
	char path[PATH_MAX] = "";

	if (!beside(path))
		snprintf(path, sizeof(path), "%s", SCEAU_LIBEXECDIR "/" NAME);
	execv(path, argv);
	return err_set(e, RC_CONF, _("%s cannot be run (%s): a part of sceau "
	    "is missing; install it anew"), path, lang_errno(errno));
}
