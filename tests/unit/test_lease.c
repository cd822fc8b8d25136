#include "config.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/file.h"
#include "base/lease.h"
#include "folder.h"
#include "unit.h"

#define TEXT "INR 2,2\n"

static char disk[] = "/tmp/sceau-lease-XXXXXX";
static char memory[] = "/dev/shm/sceau-lease-XXXXXX";
static char path[128];

static int
text_open(int flags)
{
	int fd = open(path, flags | O_CLOEXEC);

	T_CHECK(fd >= 0);
	return fd;
}

/* The file anew, where leases can be had; or nothing is told of them. */
static void
make_text(void)
{
	const char *const dirs[] = { disk, memory };
	struct err e = ERR_INIT;
	off_t left;
	int fd, lease;

	for (size_t i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "%s/text", dirs[i]);
		if (file_write(path, TEXT, strlen(TEXT), 0600, &e) != RC_OK)
			continue;
		fd = text_open(O_RDONLY);
		lease = lease_take(fd, &left);
		close(fd);
		if (lease < 0)
			continue;
		close(lease);
		return;
	}
	skip();
}

static void
test_it_reads_on_from_the_same_place(void **state)
{
	char got[16];
	off_t left;
	int fd, lease;

	(void)state;
	make_text();
	fd = text_open(O_RDONLY);
	T_CHECK(lseek(fd, 4, SEEK_SET) == 4);
	T_CHECK((lease = lease_take(fd, &left)) >= 0);
	T_CHECK(left == (off_t)strlen(TEXT) - 4);
	T_CHECK(read_full(lease, got, sizeof(got)) == left);
	T_CHECK(memcmp(got, &TEXT[4], (size_t)left) == 0);
	T_CHECK(lseek(fd, 0, SEEK_CUR) == 4);
	T_CHECK(lease_kept(lease));
	close(fd);
	T_CHECK(lease_kept(lease));
	close(lease);
}

/* Who does not wait is sent away, and the lease is lost all the same. */
static void
test_whoever_wants_to_write_is_noticed(void **state)
{
	off_t left;
	int fd, lease;

	(void)state;
	make_text();
	fd = text_open(O_RDONLY);
	T_CHECK((lease = lease_take(fd, &left)) >= 0);
	close(text_open(O_RDONLY));
	T_CHECK(lease_kept(lease));
	T_CHECK(open(path, O_WRONLY | O_NONBLOCK) < 0);
	T_CHECK(!lease_kept(lease));
	close(lease);
	close(text_open(O_WRONLY));
	T_CHECK((lease = lease_take(fd, &left)) >= 0);
	close(lease);
	close(fd);
}

static void
test_none_while_somebody_can_write(void **state)
{
	off_t left;
	int fd, other;
	void *map;

	(void)state;
	make_text();
	fd = text_open(O_RDONLY);
	other = text_open(O_RDWR);
	T_CHECK(lease_take(fd, &left) < 0);
	T_CHECK(lease_take(other, &left) < 0);
	map = mmap(NULL, 4, PROT_READ | PROT_WRITE, MAP_SHARED, other, 0);
	T_CHECK(map != MAP_FAILED);
	close(other);
	T_CHECK(lease_take(fd, &left) < 0);
	munmap(map, 4);
	T_CHECK((other = lease_take(fd, &left)) >= 0);
	close(other);
	close(fd);
}

static void
test_none_of_what_is_no_file(void **state)
{
	off_t left;
	int fds[2];

	(void)state;
	T_CHECK(pipe(fds) == 0);
	T_CHECK(lease_take(fds[0], &left) < 0);
	close(fds[0]);
	T_CHECK(lease_take(fds[0], &left) < 0);
	close(fds[1]);
	T_CHECK((fds[0] = open("/proc/self/status", O_RDONLY)) < 0 ||
	    lease_take(fds[0], &left) < 0);
	if (fds[0] >= 0)
		close(fds[0]);
	T_CHECK(!lease_kept(-1));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_it_reads_on_from_the_same_place),
		cmocka_unit_test(test_whoever_wants_to_write_is_noticed),
		cmocka_unit_test(test_none_while_somebody_can_write),
		cmocka_unit_test(test_none_of_what_is_no_file),
	};
	bool shm = folder_make(memory);
	int failed;

	if (!folder_make(disk))
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	folder_remove(disk);
	if (shm)
		folder_remove(memory);
	return failed;
}
