#include "unit.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "wire/net.h"
#include "wire/stream.h"

struct pair {
	struct stream	*s;
	int		 other;
};

static struct pair
pair(int timeout_s)
{
	struct err e = ERR_INIT;
	struct pair p;
	int fd[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	T_RC(net_adopt(fd[0], &e), RC_OK);
	p.s = stream_new(fd[0], "host", timeout_s, &e);
	assert_non_null(p.s);
	p.other = fd[1];
	return p;
}

static void
unpair(struct pair *p)
{
	stream_free(&p->s);
	T_CHECK(p->s == NULL);
	if (p->other >= 0)
		close(p->other);
}

static void
test_the_end_is_a_failure_for_ever(void **state)
{
	struct pair p = pair(5);
	struct err e = ERR_INIT;
	enum wire_why why;
	char room[8];

	(void)state;
	assert_int_equal(write(p.other, "ab", 2), 2);
	close(p.other);
	p.other = -1;
	assert_int_equal(stream_read(p.s, room, sizeof(room)), 2);
	for (int i = 0; i < 3; i++)
		assert_int_equal(stream_read(p.s, room, sizeof(room)), -1);
	assert_int_equal(stream_write(p.s, "x", 1), -1);
	T_CHECK(stream_dead(p.s) && !stream_verified(p.s));
	T_RC(stream_error(p.s, &why, &e), RC_TEMP);
	assert_int_equal(why, WHY_NETWORK);
	assert_non_null(strstr(e.text, "host"));
	unpair(&p);
}

static void
test_no_more_than_the_budget(void **state)
{
	struct pair p = pair(5);
	struct err e = ERR_INIT;
	enum wire_why why;
	char room[100];

	(void)state;
	assert_int_equal(write(p.other, "0123456789", 10), 10);
	stream_step(p.s, 9);
	assert_int_equal(stream_read(p.s, room, sizeof(room)), 9);
	assert_int_equal(stream_read(p.s, room, sizeof(room)), -1);
	T_RC(stream_error(p.s, &why, &e), RC_TEMP);
	assert_int_equal(why, WHY_SERVER);
	unpair(&p);
}

static void
test_silence_ends(void **state)
{
	struct pair p = pair(1);
	int64_t began = clock_ms();
	char room[8];

	(void)state;
	assert_int_equal(stream_read(p.s, room, sizeof(room)), -1);
	T_CHECK(clock_ms() - began >= 900 && clock_ms() - began < 5000);
	T_CHECK(stream_dead(p.s));
	unpair(&p);
}

static void
test_who_does_not_read_is_not_waited_for(void **state)
{
	static const char room[4 << 20];
	struct pair p = pair(1);
	int64_t began = clock_ms();

	(void)state;
	assert_int_equal(stream_write(p.s, room, sizeof(room)), -1);
	T_CHECK(clock_ms() - began < 8000);
	unpair(&p);
}

static void
test_the_first_reason_stays(void **state)
{
	struct pair p = pair(5);
	struct err first = ERR_INIT, second = ERR_INIT, e = ERR_INIT;
	enum wire_why why;

	(void)state;
	err_set(&first, RC_TEMP, "first");
	err_set(&second, RC_TEMP, "second");
	stream_kill(p.s, WHY_TLS, &first);
	stream_kill(p.s, WHY_SERVER, &second);
	stream_error(p.s, &why, &e);
	T_STR(e.text, "first");
	assert_int_equal(why, WHY_TLS);
	unpair(&p);
}

static void
test_waiting_wakes(void **state)
{
	struct pair p = pair(5);
	int wake[2];

	(void)state;
	assert_int_equal(pipe(wake), 0);
	T_CHECK(!stream_wait(p.s, 10, -1));
	assert_int_equal(write(wake[1], "x", 1), 1);
	T_CHECK(!stream_wait(p.s, 5000, wake[0]));
	assert_int_equal(write(p.other, "x", 1), 1);
	T_CHECK(stream_wait(p.s, 5000, -1));
	close(wake[0]);
	close(wake[1]);
	unpair(&p);
}

static void
test_words_hold_no_line_end(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	T_RC(net_word("x", NULL, &e), RC_OK);
	T_RC(net_word("x", "caf\303\251 \"%", &e), RC_OK);
	T_RC(net_word("x", "a\nb", &e), RC_CONF);
	T_RC(net_word("x", "a\rb", &e), RC_CONF);
	T_RC(net_word("x", "\177", &e), RC_CONF);
}

#ifdef TCP_QUICKACK
/* Linux: does it acknowledge without delay? */
static bool
is_quick(int fd)
{
	int on = 0;
	socklen_t len = sizeof(on);

	assert_int_equal(getsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &on,
	    &len), 0);
	return on != 0;
}

/* ${fd} connected over TCP, in the state that follows talk to and fro: what it
 * hears it acknowledges late. */
static void
tcp_pair(int *fd, int *other)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
	    .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t len = sizeof(a);
	int off = 0, l = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(bind(l, (struct sockaddr *)&a, len), 0);
	assert_int_equal(listen(l, 1), 0);
	assert_int_equal(getsockname(l, (struct sockaddr *)&a, &len), 0);
	*fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(connect(*fd, (struct sockaddr *)&a, len), 0);
	*other = accept(l, NULL, NULL);
	assert_true(*other >= 0);
	close(l);
	assert_int_equal(setsockopt(*fd, IPPROTO_TCP, TCP_QUICKACK, &off,
	    sizeof(off)), 0);
}

/* Part of an answer is acknowledged before we wait for the rest, and only
 * then: what is about to be answered carries it. */
static void
test_a_part_is_acknowledged(void **state)
{
	struct err e = ERR_INIT;
	char room[8];

	(void)state;
	for (int spoke = 0; spoke < 2; spoke++) {
		struct stream *s;
		int fd, other;

		tcp_pair(&fd, &other);
		T_RC(net_adopt(fd, &e), RC_OK);
		s = stream_new(fd, "host", 5, &e);
		assert_non_null(s);
		assert_int_equal(write(other, "250 ", 4), 4);
		assert_int_equal(stream_read(s, room, sizeof(room)), 4);
		assert_false(is_quick(fd));
		if (spoke)
			assert_int_equal(stream_write(s, "x", 1), 1);
		stream_until(s, clock_ms() + 1);
		assert_int_equal(stream_read(s, room, sizeof(room)), -1);
		assert_int_equal(is_quick(fd), !spoke);
		stream_free(&s);
		close(other);
	}
}
#endif

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_end_is_a_failure_for_ever),
		cmocka_unit_test(test_no_more_than_the_budget),
		cmocka_unit_test(test_silence_ends),
		cmocka_unit_test(test_who_does_not_read_is_not_waited_for),
		cmocka_unit_test(test_the_first_reason_stays),
		cmocka_unit_test(test_waiting_wakes),
#ifdef TCP_QUICKACK
		cmocka_unit_test(test_a_part_is_acknowledged),
#endif
		cmocka_unit_test(test_words_hold_no_line_end)
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
