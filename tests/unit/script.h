/* A mail server of the tests': a process that answers each line by a table,
 * in clear, on loopback; what it heard is kept. */
#ifndef SC_TESTS_SCRIPT_H
#define SC_TESTS_SCRIPT_H

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit.h"

#define SCRIPT_LINE 2048

/* The first whose ${word} is in the line answers it; "%T" is the line's first
 * word.  ${times} in each connection, then the next row; 0: always. */
struct script_row {
	const char	*word, *answer;	/* NULL: it hangs up */
	int		 times;
};

struct script {
	pid_t		 pid;
	uint16_t	 port;
	int		 listener, heard;
};

static inline void
script_say(int fd, const char *answer, const char *tag)
{
	char room[8192];
	size_t n = 0;

	for (; *answer != '\0' && n + SCRIPT_LINE < sizeof(room); answer++) {
		if (strncmp(answer, "%T", 2) == 0) {
			n += (size_t)snprintf(room + n, SCRIPT_LINE, "%.*s",
			    (int)strcspn(tag, " "), tag);
			answer++;
		} else {
			room[n++] = *answer;
		}
	}
	(void)send(fd, room, n, MSG_NOSIGNAL);
}

/* Answer one line; false: hang up.  ${mail}: between DATA and its dot. */
static inline bool
script_answer(int fd, struct script_row *rows, const char *line, char *tag,
    bool *mail)
{
	if (*mail && strcmp(line, ".") != 0)
		return true;
	*mail = false;
	if (strcmp(line, "DONE") != 0)
		snprintf(tag, SCRIPT_LINE, "%s", line);
	for (; rows->word != NULL; rows++) {
		if (strstr(line, rows->word) == NULL || rows->times < 0)
			continue;
		if (rows->times > 0 && --rows->times == 0)
			rows->times = -1;
		if (rows->answer == NULL)
			return false;
		*mail = strncmp(rows->answer, "354", 3) == 0;
		script_say(fd, rows->answer, tag);
		return true;
	}
	return false;
}

static inline void
script_serve(int fd, int heard, const char *greeting,
    const struct script_row *rows)
{
	char line[SCRIPT_LINE], tag[SCRIPT_LINE] = "";
	struct script_row mine[32];
	bool mail = false, more = true;
	size_t n = 0;

	for (n = 0; n < 31 && rows[n].word != NULL; n++)
		mine[n] = rows[n];
	memset(&mine[n], 0, sizeof(mine[n]));
	script_say(fd, greeting, "");
	for (n = 0; more && n < sizeof(line) &&
	    recv(fd, line + n, 1, 0) == 1;) {
		if (line[n++] != '\n')
			continue;
		(void)!write(heard, line, n);
		line[n - (n > 1 && line[n - 2] == '\r' ? 2 : 1)] = '\0';
		more = script_answer(fd, mine, line, tag, &mail);
		n = 0;
	}
}

/* ${rows} ends with one without a word. */
static inline void
script_start(struct script *s, const char *greeting,
    const struct script_row *rows)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);
	int pipes[2];

	s->listener = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(s->listener, (void *)&a, len), 0);
	assert_int_equal(listen(s->listener, 16), 0);
	assert_int_equal(getsockname(s->listener, (void *)&a, &len), 0);
	s->port = ntohs(a.sin_port);
	assert_int_equal(pipe(pipes), 0);
	assert_int_equal(fcntl(pipes[0], F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(fcntl(pipes[1], F_SETFL, O_NONBLOCK), 0);
	s->heard = pipes[0];
	if ((s->pid = fork()) == 0) {
		struct pollfd p[2] = { { s->listener, POLLIN, 0 },
		    { pipes[1], 0, 0 } };

		close(pipes[0]);
		/* Until nobody would read what it heard. */
		while (poll(p, 2, -1) > 0 && p[1].revents == 0) {
			int fd = accept(s->listener, NULL, NULL);

			script_serve(fd, pipes[1], greeting, rows);
			close(fd);
		}
		_exit(0);
	}
	assert_true(s->pid > 0);
	close(pipes[1]);
}

/* What it heard since it was asked last, as far as ${room} goes. */
static inline const char *
script_heard(struct script *s, char *room, size_t cap)
{
	ssize_t n = read(s->heard, room, cap - 1);

	room[n > 0 ? n : 0] = '\0';
	return room;
}

static inline void
script_stop(struct script *s)
{
	kill(s->pid, SIGKILL);
	waitpid(s->pid, NULL, 0);
	close(s->listener);
	close(s->heard);
}

#endif
