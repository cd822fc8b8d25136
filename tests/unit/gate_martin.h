/* A practice, its rows, and envelopes said to it. */
#ifndef SC_TESTS_GATE_MARTIN_H
#define SC_TESTS_GATE_MARTIN_H

#include "gate_unit.h"

#define LABO_2 "demo/labo.central@labo.example#2"
#define WATCH_2 "demo/veille@demo.example#2"
#define DURAND "demo/cabinet.durand@durand.example"

static struct gate *martin;
static struct rows rows;
static struct buf env, control;

static inline int
setup(void **state)
{
	if (gate_setup(state) != 0)
		return -1;
	martin = gate_for(A_MARTIN);
	return 0;
}

static inline int
teardown(void **state)
{
	(void)state;
	gate_free(&martin);
	rows_free(&rows);
	buf_free(&env);
	buf_free(&control);
	return 0;
}

static inline int
fresh(void **state)
{
	(void)state;
	rows_free(&rows);
	gate_forget(martin);
	buf_wipe(&control);
	return 0;
}

static inline struct rec
rec_of(uint8_t type)
{
	struct rec r = { .type = type };

	return r;
}

static inline void
add_bar(const char *name, uint8_t min)
{
	struct rec r = rec_of(REC_BAR);

	r.bar.minimum = min;
	T_CHECK(identity_parse_name(name, strlen(name), &r.bar.name));
	rec_to(&control, &r);
}

static inline void
add_grant(const char *peer, uint16_t year, uint8_t fill)
{
	struct rec r = rec_of(REC_GRANT);
	uint8_t key[32];

	memset(key, fill, sizeof(key));
	r.grant = (struct rec_grant){ year, key, assoc_id(peer) };
	rec_to(&control, &r);
}

/* The way to write to ${peer} that ${peer} himself gives. */
static inline void
add_return_key(const char *peer, const char *to)
{
	struct rec r = rec_of(REC_GRANT);
	uint8_t key[32];

	assoc_channel(to, peer, A_YEAR, key);
	r.grant = (struct rec_grant){ A_YEAR, key, assoc_id(peer) };
	rec_to(&control, &r);
}

#define T(f) cmocka_unit_test_setup(f, fresh)

#endif
