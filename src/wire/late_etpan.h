/* libetpan, called where it has been loaded (base/late.h). */
#ifndef SC_WIRE_LATE_ETPAN_H
#define SC_WIRE_LATE_ETPAN_H

#include <libetpan/libetpan.h>

#include "base/late.h"

/* late_etpan_load(e): as late_load(). */
enum rc late_etpan_load(struct err *e);

#ifdef SC_LATE
#define LATE_ETPAN(F) \
	F(mailimap_capability_data_free) \
	F(mailimap_connect) \
	F(mailimap_create) \
	F(mailimap_expunge) \
	F(mailimap_fetch) \
	F(mailimap_fetch_att_new_body_peek_section) \
	F(mailimap_fetch_att_new_rfc822_size) \
	F(mailimap_fetch_att_new_uid) \
	F(mailimap_fetch_list_free) \
	F(mailimap_fetch_type_free) \
	F(mailimap_fetch_type_new_fetch_att_list_add) \
	F(mailimap_fetch_type_new_fetch_att_list_empty) \
	F(mailimap_flag_list_add) \
	F(mailimap_flag_list_new_empty) \
	F(mailimap_flag_new_deleted) \
	F(mailimap_free) \
	F(mailimap_idle) \
	F(mailimap_idle_done) \
	F(mailimap_login) \
	F(mailimap_new) \
	F(mailimap_noop) \
	F(mailimap_oauth2_authenticate) \
	F(mailimap_parse_response) \
	F(mailimap_read_line) \
	F(mailimap_response_free) \
	F(mailimap_search_key_free) \
	F(mailimap_search_key_new_all) \
	F(mailimap_search_key_new_uid) \
	F(mailimap_search_result_free) \
	F(mailimap_section_new) \
	F(mailimap_select) \
	F(mailimap_send_current_tag) \
	F(mailimap_set_add_interval) \
	F(mailimap_set_add_single) \
	F(mailimap_set_free) \
	F(mailimap_set_msg_att_handler) \
	F(mailimap_set_msg_body_handler) \
	F(mailimap_set_new_empty) \
	F(mailimap_set_new_interval) \
	F(mailimap_set_progress_callback) \
	F(mailimap_starttls) \
	F(mailimap_store_att_flags_free) \
	F(mailimap_store_att_flags_new_add_flags_silent) \
	F(mailimap_uid_copy) \
	F(mailimap_uid_expunge) \
	F(mailimap_uid_fetch) \
	F(mailimap_uid_move) \
	F(mailimap_uid_search) \
	F(mailimap_uid_store) \
	F(mailstream_flush) \
	F(mailstream_low_free) \
	F(mailstream_low_new) \
	F(mailstream_new) \
	F(mailstream_write)

struct late_etpan {
	LATE_ETPAN(LATE_MEMBER)
};

/* late_etpan(): as late_calls(). */
const struct late_etpan *late_etpan(void);

#define mailimap_capability_data_free(...) \
    late_etpan()->mailimap_capability_data_free(__VA_ARGS__)
#define mailimap_connect(...) late_etpan()->mailimap_connect(__VA_ARGS__)
#define mailimap_create(...) late_etpan()->mailimap_create(__VA_ARGS__)
#define mailimap_expunge(...) late_etpan()->mailimap_expunge(__VA_ARGS__)
#define mailimap_fetch(...) late_etpan()->mailimap_fetch(__VA_ARGS__)
#define mailimap_fetch_att_new_body_peek_section(...) \
    late_etpan()->mailimap_fetch_att_new_body_peek_section(__VA_ARGS__)
#define mailimap_fetch_att_new_rfc822_size(...) \
    late_etpan()->mailimap_fetch_att_new_rfc822_size(__VA_ARGS__)
#define mailimap_fetch_att_new_uid(...) \
    late_etpan()->mailimap_fetch_att_new_uid(__VA_ARGS__)
#define mailimap_fetch_list_free(...) \
    late_etpan()->mailimap_fetch_list_free(__VA_ARGS__)
#define mailimap_fetch_type_free(...) \
    late_etpan()->mailimap_fetch_type_free(__VA_ARGS__)
#define mailimap_fetch_type_new_fetch_att_list_add(...) \
    late_etpan()->mailimap_fetch_type_new_fetch_att_list_add(__VA_ARGS__)
#define mailimap_fetch_type_new_fetch_att_list_empty(...) \
    late_etpan()->mailimap_fetch_type_new_fetch_att_list_empty(__VA_ARGS__)
#define mailimap_flag_list_add(...) \
    late_etpan()->mailimap_flag_list_add(__VA_ARGS__)
#define mailimap_flag_list_new_empty(...) \
    late_etpan()->mailimap_flag_list_new_empty(__VA_ARGS__)
#define mailimap_flag_new_deleted(...) \
    late_etpan()->mailimap_flag_new_deleted(__VA_ARGS__)
#define mailimap_free(...) late_etpan()->mailimap_free(__VA_ARGS__)
#define mailimap_idle(...) late_etpan()->mailimap_idle(__VA_ARGS__)
#define mailimap_idle_done(...) late_etpan()->mailimap_idle_done(__VA_ARGS__)
#define mailimap_login(...) late_etpan()->mailimap_login(__VA_ARGS__)
#define mailimap_new(...) late_etpan()->mailimap_new(__VA_ARGS__)
#define mailimap_noop(...) late_etpan()->mailimap_noop(__VA_ARGS__)
#define mailimap_oauth2_authenticate(...) \
    late_etpan()->mailimap_oauth2_authenticate(__VA_ARGS__)
#define mailimap_parse_response(...) \
    late_etpan()->mailimap_parse_response(__VA_ARGS__)
#define mailimap_read_line(...) late_etpan()->mailimap_read_line(__VA_ARGS__)
#define mailimap_response_free(...) \
    late_etpan()->mailimap_response_free(__VA_ARGS__)
#define mailimap_search_key_free(...) \
    late_etpan()->mailimap_search_key_free(__VA_ARGS__)
#define mailimap_search_key_new_all(...) \
    late_etpan()->mailimap_search_key_new_all(__VA_ARGS__)
#define mailimap_search_key_new_uid(...) \
    late_etpan()->mailimap_search_key_new_uid(__VA_ARGS__)
#define mailimap_search_result_free(...) \
    late_etpan()->mailimap_search_result_free(__VA_ARGS__)
#define mailimap_section_new(...) \
    late_etpan()->mailimap_section_new(__VA_ARGS__)
#define mailimap_select(...) late_etpan()->mailimap_select(__VA_ARGS__)
#define mailimap_send_current_tag(...) \
    late_etpan()->mailimap_send_current_tag(__VA_ARGS__)
#define mailimap_set_add_interval(...) \
    late_etpan()->mailimap_set_add_interval(__VA_ARGS__)
#define mailimap_set_add_single(...) \
    late_etpan()->mailimap_set_add_single(__VA_ARGS__)
#define mailimap_set_free(...) late_etpan()->mailimap_set_free(__VA_ARGS__)
#define mailimap_set_msg_att_handler(...) \
    late_etpan()->mailimap_set_msg_att_handler(__VA_ARGS__)
#define mailimap_set_msg_body_handler(...) \
    late_etpan()->mailimap_set_msg_body_handler(__VA_ARGS__)
#define mailimap_set_new_empty(...) \
    late_etpan()->mailimap_set_new_empty(__VA_ARGS__)
#define mailimap_set_new_interval(...) \
    late_etpan()->mailimap_set_new_interval(__VA_ARGS__)
#define mailimap_set_progress_callback(...) \
    late_etpan()->mailimap_set_progress_callback(__VA_ARGS__)
#define mailimap_starttls(...) late_etpan()->mailimap_starttls(__VA_ARGS__)
#define mailimap_store_att_flags_free(...) \
    late_etpan()->mailimap_store_att_flags_free(__VA_ARGS__)
#define mailimap_store_att_flags_new_add_flags_silent(...) \
    late_etpan()->mailimap_store_att_flags_new_add_flags_silent(__VA_ARGS__)
#define mailimap_uid_copy(...) late_etpan()->mailimap_uid_copy(__VA_ARGS__)
#define mailimap_uid_expunge(...) \
    late_etpan()->mailimap_uid_expunge(__VA_ARGS__)
#define mailimap_uid_fetch(...) late_etpan()->mailimap_uid_fetch(__VA_ARGS__)
#define mailimap_uid_move(...) late_etpan()->mailimap_uid_move(__VA_ARGS__)
#define mailimap_uid_search(...) late_etpan()->mailimap_uid_search(__VA_ARGS__)
#define mailimap_uid_store(...) late_etpan()->mailimap_uid_store(__VA_ARGS__)
#define mailstream_flush(...) late_etpan()->mailstream_flush(__VA_ARGS__)
#define mailstream_low_free(...) late_etpan()->mailstream_low_free(__VA_ARGS__)
#define mailstream_low_new(...) late_etpan()->mailstream_low_new(__VA_ARGS__)
#define mailstream_new(...) late_etpan()->mailstream_new(__VA_ARGS__)
#define mailstream_write(...) late_etpan()->mailstream_write(__VA_ARGS__)
#endif

#endif
