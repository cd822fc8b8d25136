/* GMime, called where it has been loaded (base/late.h). */
#ifndef SC_DOCUMENT_LATE_GMIME_H
#define SC_DOCUMENT_LATE_GMIME_H

#include <gmime/gmime.h>

#include "base/late.h"

/* late_gmime_load(e): as late_load(). */
enum rc late_gmime_load(struct err *e);

#ifdef SC_LATE
#define LATE_GMIME(F) \
	F(g_mime_content_type_get_parameter) \
	F(g_mime_content_type_is_type) \
	F(g_mime_data_wrapper_get_encoding) \
	F(g_mime_data_wrapper_get_stream) \
	F(g_mime_data_wrapper_write_to_stream) \
	F(g_mime_init) \
	F(g_mime_message_get_mime_part) \
	F(g_mime_multipart_get_count) \
	F(g_mime_multipart_get_part) \
	F(g_mime_multipart_get_type) \
	F(g_mime_object_get_content_type) \
	F(g_mime_object_write_content_to_stream) \
	F(g_mime_parser_construct_message) \
	F(g_mime_parser_construct_part) \
	F(g_mime_parser_init_with_stream) \
	F(g_mime_parser_new_with_stream) \
	F(g_mime_part_get_content) \
	F(g_mime_part_get_filename) \
	F(g_mime_part_get_type) \
	F(g_mime_stream_fs_new) \
	F(g_mime_stream_length) \
	F(g_mime_stream_mem_get_byte_array) \
	F(g_mime_stream_mem_get_type) \
	F(g_mime_stream_mem_new) \
	F(g_mime_stream_mem_new_with_buffer) \
	F(g_mime_stream_read) \
	F(g_mime_stream_seek) \
	F(g_object_ref) \
	F(g_object_unref) \
	F(g_type_check_instance_cast) \
	F(g_type_check_instance_is_a)

struct late_gmime {
	LATE_GMIME(LATE_MEMBER)
};

/* late_gmime(): as late_calls(). */
const struct late_gmime *late_gmime(void);

#define g_mime_content_type_get_parameter(...) \
    late_gmime()->g_mime_content_type_get_parameter(__VA_ARGS__)
#define g_mime_content_type_is_type(...) \
    late_gmime()->g_mime_content_type_is_type(__VA_ARGS__)
#define g_mime_data_wrapper_get_encoding(...) \
    late_gmime()->g_mime_data_wrapper_get_encoding(__VA_ARGS__)
#define g_mime_data_wrapper_get_stream(...) \
    late_gmime()->g_mime_data_wrapper_get_stream(__VA_ARGS__)
#define g_mime_data_wrapper_write_to_stream(...) \
    late_gmime()->g_mime_data_wrapper_write_to_stream(__VA_ARGS__)
#define g_mime_init(...) late_gmime()->g_mime_init(__VA_ARGS__)
#define g_mime_message_get_mime_part(...) \
    late_gmime()->g_mime_message_get_mime_part(__VA_ARGS__)
#define g_mime_multipart_get_count(...) \
    late_gmime()->g_mime_multipart_get_count(__VA_ARGS__)
#define g_mime_multipart_get_part(...) \
    late_gmime()->g_mime_multipart_get_part(__VA_ARGS__)
#define g_mime_multipart_get_type(...) \
    late_gmime()->g_mime_multipart_get_type(__VA_ARGS__)
#define g_mime_object_get_content_type(...) \
    late_gmime()->g_mime_object_get_content_type(__VA_ARGS__)
#define g_mime_object_write_content_to_stream(...) \
    late_gmime()->g_mime_object_write_content_to_stream(__VA_ARGS__)
#define g_mime_parser_construct_message(...) \
    late_gmime()->g_mime_parser_construct_message(__VA_ARGS__)
#define g_mime_parser_construct_part(...) \
    late_gmime()->g_mime_parser_construct_part(__VA_ARGS__)
#define g_mime_parser_init_with_stream(...) \
    late_gmime()->g_mime_parser_init_with_stream(__VA_ARGS__)
#define g_mime_parser_new_with_stream(...) \
    late_gmime()->g_mime_parser_new_with_stream(__VA_ARGS__)
#define g_mime_part_get_content(...) \
    late_gmime()->g_mime_part_get_content(__VA_ARGS__)
#define g_mime_part_get_filename(...) \
    late_gmime()->g_mime_part_get_filename(__VA_ARGS__)
#define g_mime_part_get_type(...) \
    late_gmime()->g_mime_part_get_type(__VA_ARGS__)
#define g_mime_stream_fs_new(...) \
    late_gmime()->g_mime_stream_fs_new(__VA_ARGS__)
#define g_mime_stream_length(...) \
    late_gmime()->g_mime_stream_length(__VA_ARGS__)
#define g_mime_stream_mem_get_byte_array(...) \
    late_gmime()->g_mime_stream_mem_get_byte_array(__VA_ARGS__)
#define g_mime_stream_mem_get_type(...) \
    late_gmime()->g_mime_stream_mem_get_type(__VA_ARGS__)
#define g_mime_stream_mem_new(...) \
    late_gmime()->g_mime_stream_mem_new(__VA_ARGS__)
#define g_mime_stream_mem_new_with_buffer(...) \
    late_gmime()->g_mime_stream_mem_new_with_buffer(__VA_ARGS__)
#define g_mime_stream_read(...) late_gmime()->g_mime_stream_read(__VA_ARGS__)
#define g_mime_stream_seek(...) late_gmime()->g_mime_stream_seek(__VA_ARGS__)
#undef g_object_ref	/* a cast, and the call */
#define g_object_ref(...) late_gmime()->g_object_ref(__VA_ARGS__)
#define g_object_unref(...) late_gmime()->g_object_unref(__VA_ARGS__)
#define g_type_check_instance_cast(...) \
    late_gmime()->g_type_check_instance_cast(__VA_ARGS__)
#define g_type_check_instance_is_a(...) \
    late_gmime()->g_type_check_instance_is_a(__VA_ARGS__)
#endif

#endif
