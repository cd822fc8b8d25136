noinst_LIBRARIES += src/libstore.a
src_libstore_a_SOURCES = \
	src/store/body.c src/store/commits.c src/store/db.c src/store/db.h \
	src/store/peer.c src/store/schema.c src/store/slot.c \
	src/store/store.c src/store/store.h \
	src/store/store_ack.c src/store/store_ack.h src/store/store_acked.c \
	src/store/store_alarm.c src/store/store_alarm.h \
	src/store/store_follow.c src/store/store_pass.c \
	src/store/store_ask.c src/store/store_clock.c \
	src/store/store_bar.c src/store/store_bar.h \
	src/store/store_done.c src/store/store_event.c \
	src/store/store_held.c src/store/store_hub.c src/store/store_hub.h \
	src/store/store_in.c src/store/store_in.h \
	src/store/store_inbox.c src/store/store_inbox.h \
	src/store/store_kept.c src/store/store_kept.h src/store/store_list.c \
	src/store/store_out.c src/store/store_out.h \
	src/store/store_register.c src/store/store_register.h \
	src/store/store_relay.c \
	src/store/store_outbox.c src/store/store_outbox.h \
	src/store/store_mend.c src/store/store_restored.c \
	src/store/store_row.c src/store/store_submit.c src/store/sweep.c
src_libstore_a_CFLAGS = $(AM_CFLAGS) $(SQLITE_CFLAGS)
