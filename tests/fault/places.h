/*
 * For shim.c: where the program was when it called.
 */
#ifndef SC_TESTS_PLACES_H
#define SC_TESTS_PLACES_H

#include <execinfo.h>
#include <fcntl.h>
#include <link.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* Where the program was when it called: the last addresses that it comes back
 * to (SCEAU_FAULT_STEPS), of its own text only, hashed.  Those that have failed
 * already, in this run or an earlier one, are in a file (SCEAU_FAULT_PLACES);
 * 0: room. */
enum { PLACES = 1 << 16, DEPTH = 40 };
static uint64_t *places;
static int frames = 7;
static uintptr_t text_from, text_to, text_base;
static volatile bool looking;

static int
text_find(struct dl_phdr_info *info, size_t size, void *arg)
{
	(void)size;
	(void)arg;
	text_base = info->dlpi_addr;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *ph = &info->dlpi_phdr[i];

		if (ph->p_type == PT_LOAD && (ph->p_flags & PF_X) != 0) {
			text_from = text_base + ph->p_vaddr;
			text_to = text_from + ph->p_memsz;
		}
	}
	return 1;	/* the first is the program */
}

/* Nothing is loaded for it later, when a sandbox would forbid that. */
static void
places_map(const char *path)
{
	void *warm[2];
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	void *p = MAP_FAILED;

	if (getenv("SCEAU_FAULT_STEPS") != NULL)
		frames = atoi(getenv("SCEAU_FAULT_STEPS"));
	if (fd >= 0 && ftruncate(fd, PLACES * sizeof(*places)) == 0)
		p = mmap(NULL, PLACES * sizeof(*places),
		    PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (p != MAP_FAILED)
		places = p;
	(void)backtrace(warm, 2);
	(void)dl_iterate_phdr(text_find, NULL);
}

/* Whether it comes back to the program itself. */
static bool
place_ours(const void *at)
{
	return (uintptr_t)at >= text_from && (uintptr_t)at < text_to;
}

/* Whether that has not failed there yet; from now on it has. */
static bool
place_new(uint64_t what)
{
	void *at[DEPTH];
	uint64_t h = UINT64_C(14695981039346656037), none;
	int n, used = 0;

	if (places == NULL || looking)
		return false;
	looking = true;
	n = backtrace(at, DEPTH);
	looking = false;
	for (int i = 0; i < n && used < frames; i++) {
		if (!place_ours(at[i]))
			continue;
		h = (h ^ ((uintptr_t)at[i] - text_base)) *
		    UINT64_C(1099511628211);
		used++;
	}
	if (used == 0)
		return false;
	h = (h ^ what) * UINT64_C(1099511628211) | 1;
	for (size_t i = h >> 20;; i++) {
		none = 0;
		if (__atomic_compare_exchange_n(&places[i % PLACES], &none, h,
		    false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
			return true;
		if (none == h)
			return false;
	}
}

#endif
