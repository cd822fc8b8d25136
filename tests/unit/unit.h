/* What every unit test includes: cmocka, and checks that say what differs. */
#ifndef SC_TESTS_UNIT_H
#define SC_TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/err.h"

/* T_RC(expression giving enum rc, the rc wanted) */
#define T_RC(got, want) assert_int_equal((int)(got), (int)(want))
#define T_CHECK(cond) assert_true(cond)
#define T_STR(got, want) assert_string_equal(got, want)
/* T_SRC("tests/vectors/x"): that file of the source tree */
#define T_SRC(path) (TEST_SRCDIR "/" path)

#endif
