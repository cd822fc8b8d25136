#include "config.h"

#include "base/fault.h"

#ifdef ENABLE_FAULT

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/fault_probe.h"

struct fault {
	char	name[96];
	bool	prefix;
	long	nth;
	char	action[8];
};

static bool
fault_read(struct fault *f)
{
	const char *spec = getenv("SCEAU_FAULT"), *colon;
	char *hash;

	if (spec == NULL || (colon = strrchr(spec, ':')) == NULL ||
	    (size_t)(colon - spec) >= sizeof(f->name) ||
	    strlen(colon + 1) >= sizeof(f->action))
		return false;
	memcpy(f->name, spec, (size_t)(colon - spec));
	f->name[colon - spec] = '\0';
	memcpy(f->action, colon + 1, strlen(colon + 1) + 1);
	f->nth = 1;
	if ((hash = strchr(f->name, '#')) != NULL) {
		f->nth = strtol(hash + 1, NULL, 10);
		*hash = '\0';
	}
	f->prefix = f->name[0] != '\0' &&
	    f->name[strlen(f->name) - 1] == '*';
	if (f->prefix)
		f->name[strlen(f->name) - 1] = '\0';
	return true;
}

/* Opened before a sandbox forbids it, inherited by every child. */
static int
fault_log_fd(void)
{
	static int fd = -2;
	const char *path;

	if (fd == -2)
		fd = (path = getenv("SCEAU_FAULT_LOG")) == NULL ? -1 :
		    open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	return fd;
}

static void
fault_note(const char *name)
{
	char line[128];
	size_t len = strlen(name);

	if (fault_log_fd() < 0 || len >= sizeof(line))
		return;
	memcpy(line, name, len);
	line[len] = '\n';
	if (write(fault_log_fd(), line, len + 1) < 0)
		return;
}

/* Several: an old copy of an address would hide the one. */
static void
fault_leak(void)
{
	void *volatile lost;

	for (size_t i = 0; i < 8; i++)
		lost = malloc(1000 + i);
	lost = NULL;
	(void)lost;
}

static void
fault_pass(const char *name)
{
	static long passed;
	struct fault f;

	if (!fault_read(&f))
		return;
	if (f.prefix ? strncmp(name, f.name, strlen(f.name)) != 0 :
	    strcmp(name, f.name) != 0)
		return;
	if (++passed != f.nth)
		return;
	if (strcmp(f.action, "kill") == 0)
		raise(SIGKILL);
	else if (strcmp(f.action, "stop") == 0)
		raise(SIGSTOP);
	else if (strcmp(f.action, "exit") == 0)
		_exit(EX_TEMPFAIL);
	else if (strcmp(f.action, "core") == 0)
		fault_core();
	else if (strcmp(f.action, "leak") == 0)
		fault_leak();
	else if (strcmp(f.action, "probe") == 0)
		fault_probe(name, fault_log_fd());
}

void
fault_point(const char *name)
{
	fault_note(name);
	fault_pass(name);
}

void
fault_of(const char *name, const char *what)
{
	char both[96];

	snprintf(both, sizeof(both), "%s@%s", name, what);
	fault_pass(both);
}

#else
typedef int fault_points_are_compiled_to_nothing;
#endif
