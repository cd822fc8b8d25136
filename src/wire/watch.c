#include "config.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "wire/watch.h"

/* What a signal handler needs; one relay per process. */
static volatile sig_atomic_t watched = -1;
static volatile sig_atomic_t fired;

static void
on_alarm(int sig)
{
	int was = errno;

	(void)sig;
	fired = 1;
	if (watched >= 0)
		shutdown((int)watched, SHUT_RDWR);
	errno = was;
}

enum rc
watch_new(struct err *e)
{
	struct sigaction sa;

	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = on_alarm;	/* no SA_RESTART: connect(2) must end */
	sigemptyset(&sa.sa_mask);
	if (sigaction(SIGALRM, &sa, NULL) != 0)
		return err_sys(e, "sigaction");
	watch_reset();
	return RC_OK;
}

void
watch_fd(int fd)
{
	watched = fd;
}

void
watch_arm(int s)
{
	struct itimerval t;

	memset(&t, 0, sizeof(t));
	t.it_value.tv_sec = s;
	t.it_interval.tv_sec = s > 0 ? 1 : 0;
	setitimer(ITIMER_REAL, &t, NULL);
}

void
watch_cut(void)
{
	if (watched >= 0)
		shutdown((int)watched, SHUT_RDWR);
}

bool
watch_fired(void)
{
	return fired != 0;
}

void
watch_reset(void)
{
	watched = -1;
	fired = 0;
}
