noinst_LIBRARIES += src/libcmd.a
src_libcmd_a_SOURCES = \
	src/cmd/app.c src/cmd/cmd.h \
	src/cmd/ask.c src/cmd/ask.h \
	src/cmd/bar.c \
	src/cmd/check.c \
	src/cmd/filter.c \
	src/cmd/held.c \
	src/cmd/hprim.c \
	src/cmd/inbox.c \
	src/cmd/issuer.c \
	src/cmd/issuer_audit.c \
	src/cmd/issuer_batch.c \
	src/cmd/issuer_enrol.c \
	src/cmd/issuer_leave.c \
	src/cmd/issuer_mail.c src/cmd/issuer_mail.h \
	src/cmd/issuer_newcomer.c \
	src/cmd/issuer_pairs.c src/cmd/issuer_pairs.h \
	src/cmd/issuer_reissue.c \
	src/cmd/issuer_renew.c \
	src/cmd/issuer_sheets.c \
	src/cmd/issuer_sister.c \
	src/cmd/issuer_table.c src/cmd/issuer_table.h \
	src/cmd/issuer_witness.c \
	src/cmd/issuer_words.c src/cmd/issuer_words.h \
	src/cmd/key.c src/cmd/key.h \
	src/cmd/key_code.c \
	src/cmd/key_export.c \
	src/cmd/key_find.c \
	src/cmd/key_list.c \
	src/cmd/key_rows.c src/cmd/key_rows.h \
	src/cmd/key_say.c \
	src/cmd/log.c \
	src/cmd/open_mda.c \
	src/cmd/out.c src/cmd/out.h \
	src/cmd/queue.c src/cmd/queue_add.c \
	src/cmd/refile.c \
	src/cmd/register.c \
	src/cmd/register_patient.c src/cmd/register_patient.h \
	src/cmd/restored.c \
	src/cmd/schedule.c src/cmd/schedule_text.c src/cmd/schedule_text.h \
	src/cmd/sent.c src/cmd/sent.h \
	src/cmd/sent_rows.c src/cmd/sent_rows.h \
	src/cmd/setup.c src/cmd/setup.h \
	src/cmd/setup_ask.c src/cmd/setup_find.c src/cmd/setup_keep.c \
	src/cmd/setup_text.c \
	src/cmd/status.c src/cmd/status_outbox.c \
	src/cmd/poll.c \
	src/cmd/self.c \
	src/cmd/send.c \
	src/cmd/table.c
src_libcmd_a_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)
