/* sceau setup: where the password is kept, and what was there before. */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/lang.h"
#include "cmd/setup.h"

const struct setup_keep setup_keeps[] = {
	{ "file", N_("a file that only you can read"), NULL, NULL, NULL },
	{ "keychain", N_("the keychain of macOS"), "security",
	    "security add-generic-password -U -s sceau -a '%s' -w",
	    "security find-generic-password -s sceau -a '%s' -w" },
	{ "keyring", N_("the keyring of your session: only while you are "
	    "logged in"), "secret-tool",
	    "secret-tool store --label=Sceau service sceau account '%s'",
	    "secret-tool lookup service sceau account '%s'" },
	{ NULL, NULL, NULL, NULL, NULL }
};

bool
setup_keep_here(const struct setup_keep *k)
{
	const char *dirs = getenv("PATH");
	char path[PATH_MAX];

	if (k->tool == NULL)
		return true;
	while (dirs != NULL && *dirs != '\0') {
		size_t len = strcspn(dirs, ":");

		snprintf(path, sizeof(path), "%.*s/%s", (int)len, dirs,
		    k->tool);
		if (len > 0 && access(path, X_OK) == 0)
			return true;
		dirs += len + (dirs[len] == ':');
	}
	return false;
}

/* On the terminal, which the command asks itself. */
static enum rc
run(const char *command, struct err *e)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(127);
	}
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (pid < 0)
		return err_sys(e, "fork");
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? RC_OK :
	    err_set(e, RC_CONF, _("the password was not kept by: %s; nothing "
	    "was written"), command);
}

static bool
fill(char *out, const char *command, const char *user)
{
	const char *at = strstr(command, "%s");
	int n = snprintf(out, PATH_MAX, "%.*s%s%s", (int)(at - command),
	    command, user, at + 2);

	return n > 0 && n < PATH_MAX;
}

enum rc
setup_keep_put(const struct setup_keep *k, const char *user, char *get,
    struct err *e)
{
	char put[PATH_MAX];

	if (strchr(user, '\'') != NULL || !fill(put, k->put, user) ||
	    !fill(get, k->get, user))
		return err_set(e, RC_CONF, _("%s: this name cannot be kept "
		    "there; choose the file"), user);
	return run(put, e);
}

enum rc
setup_aside(const char *path, struct err *e)
{
	time_t now = (time_t)clock_now();
	char day[32], aside[PATH_MAX + 32];
	struct tm tm;

	if (localtime_r(&now, &tm) == NULL ||
	    strftime(day, sizeof(day), "%Y-%m-%d-%H%M%S", &tm) == 0)
		return err_set(e, RC_TEMP, _("the clock cannot be read"));
	snprintf(aside, sizeof(aside), "%s.%s", path, day);
	if (link(path, aside) != 0)
		return errno == ENOENT ? RC_OK : err_sys(e, "%s", aside);
	fprintf(stderr, _("kept: %s\n"), aside);
	return RC_OK;
}
