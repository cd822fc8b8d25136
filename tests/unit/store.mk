# unit tests of src/store
UNIT_STORE_LIBS = src/libstore.a $(UNIT_BASE_LIBS) $(SQLITE_LIBS)
UNIT_STORE_CFLAGS = $(UNIT_CFLAGS) $(SQLITE_CFLAGS)
EXTRA_DIST += tests/unit/store_unit.h tests/unit/store_pass.h \
	tests/unit/store_steps.h tests/unit/store_steps_out.h \
	tests/unit/store_steps_all.h

check_PROGRAMS += tests/unit/test_store_in
TESTS += tests/unit/test_store_in
tests_unit_test_store_in_SOURCES = tests/unit/test_store_in.c
tests_unit_test_store_in_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_store_in_CFLAGS = $(UNIT_STORE_CFLAGS)
tests_unit_test_store_in_LDADD = $(UNIT_STORE_LIBS)

check_PROGRAMS += tests/unit/test_store_commits
TESTS += tests/unit/test_store_commits
tests_unit_test_store_commits_SOURCES = tests/unit/test_store_commits.c
tests_unit_test_store_commits_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_store_commits_CFLAGS = $(UNIT_STORE_CFLAGS)
tests_unit_test_store_commits_LDADD = $(UNIT_STORE_LIBS)

check_PROGRAMS += tests/unit/test_store_kept
TESTS += tests/unit/test_store_kept
tests_unit_test_store_kept_SOURCES = tests/unit/test_store_kept.c
tests_unit_test_store_kept_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_store_kept_CFLAGS = $(UNIT_STORE_CFLAGS)
tests_unit_test_store_kept_LDADD = $(UNIT_STORE_LIBS)

check_PROGRAMS += tests/unit/test_store_inbox
TESTS += tests/unit/test_store_inbox
tests_unit_test_store_inbox_SOURCES = tests/unit/test_store_inbox.c
tests_unit_test_store_inbox_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_store_inbox_CFLAGS = $(UNIT_STORE_CFLAGS)
tests_unit_test_store_inbox_LDADD = $(UNIT_STORE_LIBS)

check_PROGRAMS += tests/unit/test_store_out
TESTS += tests/unit/test_store_out
tests_unit_test_store_out_SOURCES = tests/unit/test_store_out.c
tests_unit_test_store_out_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_store_out_CFLAGS = $(UNIT_STORE_CFLAGS)
tests_unit_test_store_out_LDADD = $(UNIT_STORE_LIBS)

check_PROGRAMS += tests/unit/test_store_ack
TESTS += tests/unit/test_store_ack
tests_unit_test_store_ack_SOURCES = tests/unit/test_store_ack.c
tests_unit_test_store_ack_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_store_ack_CFLAGS = $(UNIT_STORE_CFLAGS)
tests_unit_test_store_ack_LDADD = $(UNIT_STORE_LIBS)

check_PROGRAMS += tests/unit/test_store_held
TESTS += tests/unit/test_store_held
tests_unit_test_store_held_SOURCES = tests/unit/test_store_held.c
tests_unit_test_store_held_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_store_held_CFLAGS = $(UNIT_STORE_CFLAGS)
tests_unit_test_store_held_LDADD = $(UNIT_STORE_LIBS)

check_PROGRAMS += tests/unit/test_store_hub
TESTS += tests/unit/test_store_hub
tests_unit_test_store_hub_SOURCES = tests/unit/test_store_hub.c
tests_unit_test_store_hub_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_store_hub_CFLAGS = $(UNIT_STORE_CFLAGS)
tests_unit_test_store_hub_LDADD = $(UNIT_STORE_LIBS)

check_PROGRAMS += tests/unit/test_store_bar
TESTS += tests/unit/test_store_bar
tests_unit_test_store_bar_SOURCES = tests/unit/test_store_bar.c
tests_unit_test_store_bar_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_store_bar_CFLAGS = $(UNIT_STORE_CFLAGS)
tests_unit_test_store_bar_LDADD = $(UNIT_STORE_LIBS)

check_PROGRAMS += tests/unit/test_store_row
TESTS += tests/unit/test_store_row
tests_unit_test_store_row_SOURCES = tests/unit/test_store_row.c
tests_unit_test_store_row_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_store_row_CFLAGS = $(UNIT_STORE_CFLAGS)
tests_unit_test_store_row_LDADD = $(UNIT_STORE_LIBS)

check_PROGRAMS += tests/unit/test_store_open
TESTS += tests/unit/test_store_open
tests_unit_test_store_open_SOURCES = tests/unit/test_store_open.c
tests_unit_test_store_open_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_store_open_CFLAGS = $(UNIT_STORE_CFLAGS)
tests_unit_test_store_open_LDADD = $(UNIT_STORE_LIBS)

check_PROGRAMS += tests/unit/test_store_crash
TESTS += tests/unit/test_store_crash
tests_unit_test_store_crash_SOURCES = tests/unit/test_store_crash.c
tests_unit_test_store_crash_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_store_crash_CFLAGS = $(UNIT_STORE_CFLAGS)
tests_unit_test_store_crash_LDADD = $(UNIT_STORE_LIBS)

check_PROGRAMS += tests/unit/test_store_scale
TESTS += tests/unit/test_store_scale
tests_unit_test_store_scale_SOURCES = tests/unit/test_store_scale.c
tests_unit_test_store_scale_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_store_scale_CFLAGS = $(UNIT_STORE_CFLAGS)
tests_unit_test_store_scale_LDADD = $(UNIT_STORE_LIBS)

check_PROGRAMS += tests/unit/test_store_disk
TESTS += tests/unit/test_store_disk
tests_unit_test_store_disk_SOURCES = tests/unit/test_store_disk.c
tests_unit_test_store_disk_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_store_disk_CFLAGS = $(UNIT_STORE_CFLAGS)
tests_unit_test_store_disk_LDADD = $(UNIT_STORE_LIBS)

check_PROGRAMS += tests/unit/test_store_clock
TESTS += tests/unit/test_store_clock
tests_unit_test_store_clock_SOURCES = tests/unit/test_store_clock.c
tests_unit_test_store_clock_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_store_clock_CFLAGS = $(UNIT_STORE_CFLAGS)
tests_unit_test_store_clock_LDADD = $(UNIT_STORE_LIBS)

check_PROGRAMS += tests/unit/test_store_restored
TESTS += tests/unit/test_store_restored
tests_unit_test_store_restored_SOURCES = tests/unit/test_store_restored.c
tests_unit_test_store_restored_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_store_restored_CFLAGS = $(UNIT_STORE_CFLAGS)
tests_unit_test_store_restored_LDADD = $(UNIT_STORE_LIBS)

check_PROGRAMS += tests/unit/test_store_alarm
TESTS += tests/unit/test_store_alarm
tests_unit_test_store_alarm_SOURCES = tests/unit/test_store_alarm.c
tests_unit_test_store_alarm_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_store_alarm_CFLAGS = $(UNIT_STORE_CFLAGS)
tests_unit_test_store_alarm_LDADD = $(UNIT_STORE_LIBS)

check_PROGRAMS += tests/unit/test_store_outbox
TESTS += tests/unit/test_store_outbox
tests_unit_test_store_outbox_SOURCES = tests/unit/test_store_outbox.c
tests_unit_test_store_outbox_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_store_outbox_CFLAGS = $(UNIT_STORE_CFLAGS)
tests_unit_test_store_outbox_LDADD = $(UNIT_STORE_LIBS)

check_PROGRAMS += tests/unit/test_store_fail
TESTS += tests/unit/test_store_fail
tests_unit_test_store_fail_SOURCES = tests/unit/test_store_fail.c
tests_unit_test_store_fail_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_store_fail_CFLAGS = $(UNIT_STORE_CFLAGS)
tests_unit_test_store_fail_LDADD = $(UNIT_STORE_LIBS)
