/* keystore_roll(): cut off, and met by others at work (2.7, 2.19.10). */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit.h"
#include "assoc.h"
#include "base/file.h"
#include "vault/keystore.h"

static char dir[] = "/tmp/sceau-test-XXXXXX";
static char store[64], machine[64], store_new[80], key_new[80];
static const struct keystore_at at = { store, machine, NULL };

static int
setup(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	if (mkdtemp(dir) == NULL || secret_init(&e) != RC_OK)
		return -1;
	snprintf(store, sizeof(store), "%s/store", dir);
	snprintf(machine, sizeof(machine), "%s/store.key", dir);
	snprintf(store_new, sizeof(store_new), "%s.new", store);
	snprintf(key_new, sizeof(key_new), "%s.new", machine);
	return 0;
}

static int
clean(void **state)
{
	(void)state;
	unlink(store);
	unlink(machine);
	unlink(store_new);
	unlink(key_new);
	return 0;
}

static int
teardown(void **state)
{
	clean(state);
	return rmdir(dir);
}

static struct keystore *
load(void)
{
	struct keystore *ks;
	struct err e = ERR_INIT;

	if (keystore_load(&at, &ks, &e) != RC_OK)
		fail_msg("%s", e.text);
	return ks;
}

/* The new key is in its place, the new store not yet. */
static void
put_half_rolled(void)
{
	const struct keystore_at next = { store_new, key_new, NULL };
	struct keystore *ks = assoc_store(A_LABO, 2026);
	struct err e = ERR_INIT;

	T_RC(keystore_save(ks, &at, &e), RC_OK);
	T_RC(keystore_save(ks, &next, &e), RC_OK);
	keystore_free(&ks);
	ks = load();		/* before the first rename */
	keystore_free(&ks);
	T_CHECK(rename(key_new, machine) == 0);
}

static void
wait_for(pid_t pid)
{
	int status;

	T_CHECK(waitpid(pid, &status, 0) == pid);
}

/* Whoever reads it renames nothing: the one that rolls may be at work still,
 * and so may another reader. */
static void
test_a_store_half_rolled_is_read_and_left_alone(void **state)
{
	struct keystore *ks;
	struct err e = ERR_INIT;

	(void)state;
	put_half_rolled();
	for (int i = 0; i < 2; i++) {
		ks = load();
		T_CHECK(access(store_new, F_OK) == 0);
		if (i == 0)
			keystore_free(&ks);
	}
	T_RC(keystore_save(ks, &at, &e), RC_OK);
	keystore_free(&ks);
	T_CHECK(access(store_new, F_OK) != 0 && errno == ENOENT);
	ks = load();
	keystore_free(&ks);
}

/* The roll that follows one that was cut off is cut off too. */
static void
test_a_roll_that_dies_twice_leaves_a_store(void **state)
{
	const char *const points[] = { "keystore.roll.written:kill",
	    "keystore.roll.key:kill" };
	struct keystore *ks;
	struct err e = ERR_INIT;
	pid_t pid;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		put_half_rolled();
		ks = load();
		if ((pid = fork()) == 0) {
			setenv("SCEAU_FAULT", points[i], 1);
			(void)keystore_roll(ks, &at, &e);
			_exit(0);
		}
		wait_for(pid);
		keystore_free(&ks);
		ks = load();
		T_RC(keystore_roll(ks, &at, &e), RC_OK);
		keystore_free(&ks);
		T_CHECK(access(store_new, F_OK) != 0 && errno == ENOENT);
		ks = load();
		keystore_free(&ks);
		clean(NULL);
	}
}

/* The machine key is a pipe: who has read it from there goes on only when both
 * have new ones in their place. */
static void
test_a_store_that_is_rolled_while_it_is_read(void **state)
{
	struct keystore *ks = assoc_store(A_LABO, 2026);
	const struct keystore_at next = { store_new, key_new, NULL };
	struct buf key = BUF_INIT;
	struct err e = ERR_INIT;
	pid_t pid;
	int fd;

	(void)state;
	T_RC(keystore_save(ks, &at, &e), RC_OK);
	T_RC(keystore_save(ks, &next, &e), RC_OK);
	T_RC(file_read(machine, 32, &key, &e), RC_OK);
	keystore_free(&ks);
	T_CHECK(unlink(machine) == 0 && mkfifo(machine, 0600) == 0);
	if ((pid = fork()) == 0) {
		fd = open(machine, O_WRONLY);
		_exit(fd < 0 || write(fd, key.p, 32) != 32 ||
		    rename(key_new, machine) != 0 ||
		    rename(store_new, store) != 0);
	}
	ks = load();
	wait_for(pid);
	keystore_free(&ks);
	buf_free(&key);
}

#define T(f) cmocka_unit_test_teardown(f, clean)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_a_store_half_rolled_is_read_and_left_alone),
		T(test_a_roll_that_dies_twice_leaves_a_store),
		T(test_a_store_that_is_rolled_while_it_is_read),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
