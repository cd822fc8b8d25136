noinst_LIBRARIES += src/libflow.a
src_libflow_a_SOURCES = \
	src/flow/alarm_text.c src/flow/alarm_text.h \
	src/flow/alone.c src/flow/alone.h \
	src/flow/barring.c src/flow/barring.h \
	src/flow/clerk.h \
	src/flow/clerk_job.c \
	src/flow/clerk_main.c \
	src/flow/clerk_outbox.c src/flow/clerk_outbox.h \
	src/flow/clerk_outread.c \
	src/flow/clerk_outroute.c \
	src/flow/clerk_outsend.c \
	src/flow/clerk_paper.c \
	src/flow/clerk_report.c src/flow/clerk_report.h \
	src/flow/clerk_route.c src/flow/clerk_route.h \
	src/flow/clerk_unsealed.c \
	src/flow/clerk_watch.c \
	src/flow/composer.c src/flow/composer.h \
	src/flow/fetch_main.c \
	src/flow/field.c src/flow/field.h \
	src/flow/filter.c src/flow/filter.h \
	src/flow/ipc.c src/flow/ipc.h \
	src/flow/keeper.c src/flow/keeper.h \
	src/flow/keeper_accounts.c \
	src/flow/keeper_alarm.c \
	src/flow/keeper_body.c \
	src/flow/keeper_bulletin.c \
	src/flow/keeper_done.c \
	src/flow/keeper_dry.c \
	src/flow/keeper_hub.c \
	src/flow/keeper_in.c \
	src/flow/keeper_loop.c \
	src/flow/keeper_notice.c \
	src/flow/keeper_office.c \
	src/flow/keeper_open.c src/flow/opening.h \
	src/flow/keeper_opening.c \
	src/flow/keeper_out.c \
	src/flow/keeper_outbox.c src/flow/keeper_outbox.h \
	src/flow/keeper_outgroup.c \
	src/flow/keeper_refile.c \
	src/flow/keeper_release.c \
	src/flow/keeper_rows.c \
	src/flow/keeper_seal.c \
	src/flow/keeper_unsealed.c \
	src/flow/keeper_watch.c \
	src/flow/outaway.c src/flow/outaway.h \
	src/flow/metrics.c src/flow/metrics.h \
	src/flow/outgoing.c src/flow/outgoing.h \
	src/flow/outmail.c src/flow/outmail.h \
	src/flow/outprobe.c src/flow/outprobe.h \
	src/flow/outscan.c src/flow/outscan.h \
	src/flow/parts.c \
	src/flow/pass.h \
	src/flow/patients.c src/flow/patients.h \
	src/flow/probe.c src/flow/probe.h \
	src/flow/relay_main.c \
	src/flow/restored.c \
	src/flow/sealing.c src/flow/sealing.h \
	src/flow/spool.c src/flow/spool.h \
	src/flow/starter.c src/flow/starter.h \
	src/flow/starter_lock.c \
	src/flow/submission.h \
	src/flow/suspect.c src/flow/suspect.h \
	src/flow/erase.c src/flow/erase.h \
	src/flow/keeper_erase.c \
	src/flow/tell.c src/flow/tell.h \
	src/flow/vault_facts.c src/flow/vault_facts.h \
	src/flow/vault_main.c
