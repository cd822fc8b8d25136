/* libesmtp, called where it has been loaded (base/late.h). */
#ifndef SC_WIRE_LATE_ESMTP_H
#define SC_WIRE_LATE_ESMTP_H

/* libesmtp.h declares some functions only when it sees these. */
#include <openssl/ssl.h>
#include <auth-client.h>
#include <libesmtp.h>

#include "base/late.h"

/* late_esmtp_load(e): as late_load(). */
enum rc late_esmtp_load(struct err *e);

#ifdef SC_LATE
#define LATE_ESMTP(F) \
	F(auth_create_context) \
	F(auth_destroy_context) \
	F(auth_set_interact_cb) \
	F(auth_set_mechanism) \
	F(auth_set_mechanism_flags) \
	F(smtp_add_message) \
	F(smtp_add_recipient) \
	F(smtp_auth_set_context) \
	F(smtp_create_session) \
	F(smtp_destroy_session) \
	F(smtp_errno) \
	F(smtp_get_server_name) \
	F(smtp_message_set_application_data_release) \
	F(smtp_message_transfer_status) \
	F(smtp_recipient_check_complete) \
	F(smtp_recipient_status) \
	F(smtp_reverse_path_status) \
	F(smtp_set_eventcb) \
	F(smtp_set_hostname) \
	F(smtp_set_messagecb) \
	F(smtp_set_monitorcb) \
	F(smtp_set_reverse_path) \
	F(smtp_set_server) \
	F(smtp_set_timeout) \
	F(smtp_size_set_estimate) \
	F(smtp_start_session) \
	F(smtp_starttls_enable) \
	F(smtp_starttls_set_ctx) \
	F(smtp_strerror)

struct late_esmtp {
	LATE_ESMTP(LATE_MEMBER)
};

/* late_esmtp(): as late_calls(). */
const struct late_esmtp *late_esmtp(void);

#define auth_create_context(...) late_esmtp()->auth_create_context(__VA_ARGS__)
#define auth_destroy_context(...) \
    late_esmtp()->auth_destroy_context(__VA_ARGS__)
#define auth_set_interact_cb(...) \
    late_esmtp()->auth_set_interact_cb(__VA_ARGS__)
#define auth_set_mechanism(...) late_esmtp()->auth_set_mechanism(__VA_ARGS__)
#define auth_set_mechanism_flags(...) \
    late_esmtp()->auth_set_mechanism_flags(__VA_ARGS__)
#define smtp_add_message(...) late_esmtp()->smtp_add_message(__VA_ARGS__)
#define smtp_add_recipient(...) late_esmtp()->smtp_add_recipient(__VA_ARGS__)
#define smtp_auth_set_context(...) \
    late_esmtp()->smtp_auth_set_context(__VA_ARGS__)
#define smtp_create_session(...) late_esmtp()->smtp_create_session(__VA_ARGS__)
#define smtp_destroy_session(...) \
    late_esmtp()->smtp_destroy_session(__VA_ARGS__)
#define smtp_errno(...) late_esmtp()->smtp_errno(__VA_ARGS__)
#define smtp_get_server_name(...) \
    late_esmtp()->smtp_get_server_name(__VA_ARGS__)
#define smtp_message_set_application_data_release(...) \
    late_esmtp()->smtp_message_set_application_data_release(__VA_ARGS__)
#define smtp_message_transfer_status(...) \
    late_esmtp()->smtp_message_transfer_status(__VA_ARGS__)
#define smtp_recipient_check_complete(...) \
    late_esmtp()->smtp_recipient_check_complete(__VA_ARGS__)
#define smtp_recipient_status(...) \
    late_esmtp()->smtp_recipient_status(__VA_ARGS__)
#define smtp_reverse_path_status(...) \
    late_esmtp()->smtp_reverse_path_status(__VA_ARGS__)
#define smtp_set_eventcb(...) late_esmtp()->smtp_set_eventcb(__VA_ARGS__)
#define smtp_set_hostname(...) late_esmtp()->smtp_set_hostname(__VA_ARGS__)
#define smtp_set_messagecb(...) late_esmtp()->smtp_set_messagecb(__VA_ARGS__)
#define smtp_set_monitorcb(...) late_esmtp()->smtp_set_monitorcb(__VA_ARGS__)
#define smtp_set_reverse_path(...) \
    late_esmtp()->smtp_set_reverse_path(__VA_ARGS__)
#define smtp_set_server(...) late_esmtp()->smtp_set_server(__VA_ARGS__)
#define smtp_set_timeout(...) late_esmtp()->smtp_set_timeout(__VA_ARGS__)
#define smtp_size_set_estimate(...) \
    late_esmtp()->smtp_size_set_estimate(__VA_ARGS__)
#define smtp_start_session(...) late_esmtp()->smtp_start_session(__VA_ARGS__)
#define smtp_starttls_enable(...) \
    late_esmtp()->smtp_starttls_enable(__VA_ARGS__)
#define smtp_starttls_set_ctx(...) \
    late_esmtp()->smtp_starttls_set_ctx(__VA_ARGS__)
#define smtp_strerror(...) late_esmtp()->smtp_strerror(__VA_ARGS__)
#endif

#endif
