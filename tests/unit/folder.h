/* A folder of a test's own. */
#ifndef SC_TESTS_FOLDER_H
#define SC_TESTS_FOLDER_H

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ${top} ends in six X, or in what an earlier call made of them. */
static inline bool
folder_make(char *top)
{
	strcpy(top + strlen(top) - 6, "XXXXXX");
	return mkdtemp(top) != NULL;
}

/* With all that is in it; as rmdir(2). */
static inline int
folder_remove(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *d;
	char sub[4096];

	while (dir != NULL && (d = readdir(dir)) != NULL) {
		if (strcmp(d->d_name, ".") == 0 ||
		    strcmp(d->d_name, "..") == 0)
			continue;
		if ((size_t)snprintf(sub, sizeof(sub), "%s/%s", path,
		    d->d_name) < sizeof(sub) && unlink(sub) != 0)
			folder_remove(sub);
	}
	if (dir != NULL)
		closedir(dir);
	return rmdir(path);
}

#endif
