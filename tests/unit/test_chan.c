#include "config.h"

#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/chan.h"
#include "base/secret.h"
#include "unit.h"

static void
pair(struct chan *a, struct chan *b)
{
	struct err e = ERR_INIT;
	int fds[2];

	T_RC(chan_pair(fds, &e), RC_OK);
	chan_init(a, fds[0]);
	chan_init(b, fds[1]);
}

static void
test_frames_keep_their_edges(void **state)
{
	struct err e = ERR_INIT;
	struct chan a, b;
	struct frame f;

	(void)state;
	pair(&a, &b);
	T_RC(chan_send(&a, 7, 0x01020304, "abc", 3, &e), RC_OK);
	T_RC(chan_send(&a, 8, 0, NULL, 0, &e), RC_OK);
	T_RC(chan_recv(&b, &f, &e), RC_OK);
	T_CHECK(f.type == 7 && f.job == 0x01020304);
	T_CHECK(bytes_eqs(f.body, "abc"));
	T_CHECK(chan_ready(&b));
	T_RC(chan_recv(&b, &f, &e), RC_OK);
	T_CHECK(f.type == 8 && f.body.len == 0);
	T_CHECK(!chan_ready(&b));
	chan_close(&a);
	T_RC(chan_recv(&b, &f, &e), RC_TEMP);
	chan_close(&b);
}

static void
test_held_frames_go_with_the_next(void **state)
{
	static uint8_t large[CHAN_DATA_BYTES];
	struct err e = ERR_INIT;
	struct chan a, b;
	struct frame f;

	(void)state;
	pair(&a, &b);
	T_RC(chan_hold(&a, 1, 1, "one", 3, &e), RC_OK);
	T_RC(chan_hold(&a, 2, 2, NULL, 0, &e), RC_OK);
	T_CHECK(!chan_waiting(&b));
	T_RC(chan_send(&a, 3, 3, "three", 5, &e), RC_OK);
	for (uint8_t n = 1; n <= 3; n++) {
		T_RC(chan_recv(&b, &f, &e), RC_OK);
		T_CHECK(f.type == n && f.job == n);
	}
	T_CHECK(bytes_eqs(f.body, "three") && !chan_waiting(&b));
	T_RC(chan_hold(&a, 4, 4, "four", 4, &e), RC_OK);
	T_RC(chan_unhold(&a, &e), RC_OK);
	T_RC(chan_unhold(&a, &e), RC_OK);
	T_RC(chan_recv(&b, &f, &e), RC_OK);
	T_CHECK(bytes_eqs(f.body, "four"));
	/* What is too large to be held takes along what was. */
	T_RC(chan_hold(&a, 5, 0, "five", 4, &e), RC_OK);
	T_RC(chan_hold(&a, 6, 0, large, sizeof(large), &e), RC_OK);
	T_RC(chan_recv(&b, &f, &e), RC_OK);
	T_CHECK(f.type == 5);
	T_RC(chan_recv(&b, &f, &e), RC_OK);
	T_CHECK(f.type == 6 && f.body.len == sizeof(large));
	T_CHECK(chan_pending(&a) == 0);
	chan_close(&a);
	chan_close(&b);
}

/* A reader that does not read: the writer is not kept waiting. */
static void
test_flush_never_waits(void **state)
{
	static uint8_t large[CHAN_DATA_BYTES];
	struct err e = ERR_INIT;
	struct chan a, b;
	struct frame f;
	int n = 64;

	(void)state;
	pair(&a, &b);
	for (int i = 0; i < n; i++)
		T_RC(chan_put(&a, 7, (uint32_t)i, large, sizeof(large), &e),
		    RC_OK);
	T_RC(chan_flush(&a, &e), RC_OK);
	T_CHECK(chan_pending(&a) > 0);
	for (int i = 0; i < n; i++) {
		T_RC(chan_flush(&a, &e), RC_OK);
		T_RC(chan_recv(&b, &f, &e), RC_OK);
		T_CHECK(f.job == (uint32_t)i);
	}
	T_CHECK(chan_pending(&a) == 0);
	chan_close(&a);
	chan_close(&b);
}

static void
test_too_long_a_frame_is_refused(void **state)
{
	const uint8_t head[CHAN_HEAD_BYTES] = { 0xff, 0xff, 0xff, 0xff, 1 };
	struct err e = ERR_INIT;
	struct chan a, b;
	struct frame f;
	enum rc rc;

	(void)state;
	pair(&a, &b);
	T_CHECK(write(a.fd, head, sizeof(head)) == sizeof(head));
	T_RC(chan_recv(&b, &f, &e), RC_TEMP);
	chan_close(&a);
	chan_close(&b);
	pair(&a, &b);
	T_RC(chan_nonblock(&b, &e), RC_OK);
	T_CHECK(write(a.fd, head, sizeof(head)) == sizeof(head));
	T_RC(chan_fill(&b, &e), RC_OK);
	T_CHECK(!chan_next(&b, &f, &rc, &e));
	T_RC(rc, RC_TEMP);
	chan_close(&a);
	chan_close(&b);
}

static void
test_one_octet_at_a_time(void **state)
{
	const uint8_t wire[] = { 0, 0, 0, 2, 9, 0, 0, 0, 5, 'h', 'i' };
	struct err e = ERR_INIT;
	struct chan a, b;
	struct frame f;
	enum rc rc;

	(void)state;
	pair(&a, &b);
	T_RC(chan_nonblock(&b, &e), RC_OK);
	for (size_t i = 0; i < sizeof(wire); i++) {
		T_CHECK(!chan_next(&b, &f, &rc, &e));
		T_CHECK(write(a.fd, wire + i, 1) == 1);
		T_RC(chan_fill(&b, &e), RC_OK);
	}
	T_CHECK(chan_next(&b, &f, &rc, &e));
	T_CHECK(f.type == 9 && f.job == 5 && bytes_eqs(f.body, "hi"));
	chan_close(&a);
	chan_close(&b);
}

static void
test_a_descriptor_travels(void **state)
{
	struct err e = ERR_INIT;
	struct chan a, b;
	struct frame f;
	char got[4] = "";
	int p[2];

	(void)state;
	pair(&a, &b);
	T_CHECK(pipe(p) == 0);
	T_RC(chan_send_fd(&a, 1, 1, "x", 1, p[0], &e), RC_OK);
	close(p[0]);
	T_RC(chan_recv(&b, &f, &e), RC_OK);
	T_CHECK(b.got_fd >= 0);
	T_CHECK((fcntl(b.got_fd, F_GETFD) & FD_CLOEXEC) != 0);
	T_CHECK(write(p[1], "abc", 3) == 3);
	T_CHECK(read(b.got_fd, got, 3) == 3);
	T_STR(got, "abc");
	close(p[1]);
	chan_close(&a);
	chan_close(&b);
}

/* A slow reader: what waits stays small, and all of it arrives. */
static void
test_the_waiting_does_not_grow(void **state)
{
	static uint8_t data[CHAN_DATA_BYTES];
	struct err e = ERR_INIT;
	struct chan a, b;
	struct frame f;
	size_t sent = 0, got = 0, cap = 0;
	enum rc rc;

	(void)state;
	pair(&a, &b);
	T_RC(chan_nonblock(&a, &e), RC_OK);
	T_RC(chan_nonblock(&b, &e), RC_OK);
	while (got < 500) {
		while (sent < 500 && chan_pending(&a) < 4 * sizeof(data)) {
			data[0] = (uint8_t)sent;
			T_RC(chan_put(&a, 1, (uint32_t)sent++, data,
			    sizeof(data), &e), RC_OK);
		}
		T_RC(chan_flush(&a, &e), RC_OK);
		cap = a.out.cap > cap ? a.out.cap : cap;
		T_RC(chan_fill(&b, &e), RC_OK);
		while (chan_next(&b, &f, &rc, &e)) {
			T_CHECK(f.job == got && f.body.len == sizeof(data));
			T_CHECK(f.body.p[0] == (uint8_t)got);
			got++;
		}
		T_RC(rc, RC_OK);
	}
	T_CHECK(cap <= 32 * sizeof(data));
	chan_close(&a);
	chan_close(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_frames_keep_their_edges),
		cmocka_unit_test(test_held_frames_go_with_the_next),
		cmocka_unit_test(test_flush_never_waits),
		cmocka_unit_test(test_too_long_a_frame_is_refused),
		cmocka_unit_test(test_one_octet_at_a_time),
		cmocka_unit_test(test_a_descriptor_travels),
		cmocka_unit_test(test_the_waiting_does_not_grow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
