#include "config.h"

#include <unistd.h>
#ifdef __APPLE__
#include <mach-o/dyld.h>
#endif

#include "cmd/cmd.h"

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
