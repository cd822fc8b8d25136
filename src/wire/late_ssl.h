/* OpenSSL, called where it has been loaded (base/late.h). */
#ifndef SC_WIRE_LATE_SSL_H
#define SC_WIRE_LATE_SSL_H

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "base/late.h"

/* late_ssl_load(e): as late_load(). */
enum rc late_ssl_load(struct err *e);

#ifdef SC_LATE
#define LATE_SSL(F) \
	F(ASN1_get_object) \
	F(ASN1_STRING_get0_data) \
	F(ASN1_STRING_length) \
	F(ASN1_TIME_to_tm) \
	F(BIO_new) \
	F(BIO_s_mem) \
	F(CRYPTO_free) \
	F(d2i_X509) \
	F(d2i_X509_NAME) \
	F(ERR_clear_error) \
	F(ERR_get_error) \
	F(ERR_peek_error) \
	F(ERR_reason_error_string) \
	F(EVP_Digest) \
	F(EVP_DigestFinal_ex) \
	F(EVP_DigestInit_ex) \
	F(EVP_DigestUpdate) \
	F(EVP_MD_CTX_free) \
	F(EVP_MD_CTX_new) \
	F(EVP_sha256) \
	F(GENERAL_NAMES_free) \
	F(i2d_X509_PUBKEY) \
	F(OPENSSL_init_crypto) \
	F(OPENSSL_sk_num) \
	F(OPENSSL_sk_value) \
	F(SSL_ctrl) \
	F(SSL_CTX_ctrl) \
	F(SSL_CTX_free) \
	F(SSL_CTX_get0_param) \
	F(SSL_CTX_get_cert_store) \
	F(SSL_CTX_get_ex_data) \
	F(SSL_CTX_load_verify_locations) \
	F(SSL_CTX_new) \
	F(SSL_CTX_set_ex_data) \
	F(SSL_CTX_set_info_callback) \
	F(SSL_CTX_set_options) \
	F(SSL_CTX_set_verify) \
	F(SSL_do_handshake) \
	F(SSL_free) \
	F(SSL_get1_peer_certificate) \
	F(SSL_get_error) \
	F(SSL_get_ex_data_X509_STORE_CTX_idx) \
	F(SSL_get_SSL_CTX) \
	F(SSL_get_verify_result) \
	F(SSL_get_version) \
	F(SSL_has_pending) \
	F(SSL_new) \
	F(SSL_peek) \
	F(SSL_read) \
	F(SSL_set_connect_state) \
	F(SSL_set_default_read_buffer_len) \
	F(SSL_set0_rbio) \
	F(SSL_set_fd) \
	F(SSL_set_read_ahead) \
	F(SSL_set_rfd) \
	F(SSL_shutdown) \
	F(SSL_write) \
	F(TLS_client_method) \
	F(X509_check_host) \
	F(X509_check_ip_asc) \
	F(X509_digest) \
	F(X509_free) \
	F(X509_get0_notAfter) \
	F(X509_get0_notBefore) \
	F(X509_get_default_cert_file) \
	F(X509_get_ext_d2i) \
	F(X509_get_subject_name) \
	F(X509_get_X509_PUBKEY) \
	F(X509_LOOKUP_get_method_data) \
	F(X509_LOOKUP_get_store) \
	F(X509_LOOKUP_meth_new) \
	F(X509_LOOKUP_meth_set_free) \
	F(X509_LOOKUP_meth_set_get_by_subject) \
	F(X509_LOOKUP_set_method_data) \
	F(X509_NAME_cmp) \
	F(X509_NAME_ENTRY_get_data) \
	F(X509_NAME_free) \
	F(X509_NAME_get_entry) \
	F(X509_NAME_get_index_by_NID) \
	F(X509_OBJECT_set1_X509) \
	F(X509_STORE_add_cert) \
	F(X509_STORE_add_lookup) \
	F(X509_STORE_CTX_get0_cert) \
	F(X509_STORE_CTX_get_error) \
	F(X509_STORE_CTX_get_error_depth) \
	F(X509_STORE_CTX_get_ex_data) \
	F(X509_STORE_CTX_set_error) \
	F(X509_verify_cert_error_string) \
	F(X509_VERIFY_PARAM_set1_host) \
	F(X509_VERIFY_PARAM_set1_ip_asc) \
	F(X509_VERIFY_PARAM_set_hostflags)

struct late_ssl {
	LATE_SSL(LATE_MEMBER)
};

/* late_ssl(): as late_calls(). */
const struct late_ssl *late_ssl(void);

#define ASN1_get_object(...) late_ssl()->ASN1_get_object(__VA_ARGS__)
#define ASN1_STRING_get0_data(...) \
    late_ssl()->ASN1_STRING_get0_data(__VA_ARGS__)
#define ASN1_STRING_length(...) late_ssl()->ASN1_STRING_length(__VA_ARGS__)
#define ASN1_TIME_to_tm(...) late_ssl()->ASN1_TIME_to_tm(__VA_ARGS__)
#define BIO_new(...) late_ssl()->BIO_new(__VA_ARGS__)
#define BIO_s_mem(...) late_ssl()->BIO_s_mem(__VA_ARGS__)
#define CRYPTO_free(...) late_ssl()->CRYPTO_free(__VA_ARGS__)
#define d2i_X509(...) late_ssl()->d2i_X509(__VA_ARGS__)
#define d2i_X509_NAME(...) late_ssl()->d2i_X509_NAME(__VA_ARGS__)
#define ERR_clear_error(...) late_ssl()->ERR_clear_error(__VA_ARGS__)
#define ERR_get_error(...) late_ssl()->ERR_get_error(__VA_ARGS__)
#define ERR_peek_error(...) late_ssl()->ERR_peek_error(__VA_ARGS__)
#define ERR_reason_error_string(...) \
    late_ssl()->ERR_reason_error_string(__VA_ARGS__)
#define EVP_Digest(...) late_ssl()->EVP_Digest(__VA_ARGS__)
#define EVP_DigestFinal_ex(...) \
    late_ssl()->EVP_DigestFinal_ex(__VA_ARGS__)
#define EVP_DigestInit_ex(...) late_ssl()->EVP_DigestInit_ex(__VA_ARGS__)
#define EVP_DigestUpdate(...) late_ssl()->EVP_DigestUpdate(__VA_ARGS__)
#define EVP_MD_CTX_free(...) late_ssl()->EVP_MD_CTX_free(__VA_ARGS__)
#define EVP_MD_CTX_new(...) late_ssl()->EVP_MD_CTX_new(__VA_ARGS__)
#define EVP_sha256(...) late_ssl()->EVP_sha256(__VA_ARGS__)
#define GENERAL_NAMES_free(...) late_ssl()->GENERAL_NAMES_free(__VA_ARGS__)
#define i2d_X509_PUBKEY(...) late_ssl()->i2d_X509_PUBKEY(__VA_ARGS__)
#define OPENSSL_init_crypto(...) late_ssl()->OPENSSL_init_crypto(__VA_ARGS__)
#define OPENSSL_sk_num(...) late_ssl()->OPENSSL_sk_num(__VA_ARGS__)
#define OPENSSL_sk_value(...) late_ssl()->OPENSSL_sk_value(__VA_ARGS__)
#define SSL_ctrl(...) late_ssl()->SSL_ctrl(__VA_ARGS__)
#define SSL_CTX_ctrl(...) late_ssl()->SSL_CTX_ctrl(__VA_ARGS__)
#define SSL_CTX_free(...) late_ssl()->SSL_CTX_free(__VA_ARGS__)
#define SSL_CTX_get0_param(...) late_ssl()->SSL_CTX_get0_param(__VA_ARGS__)
#define SSL_CTX_get_cert_store(...) \
    late_ssl()->SSL_CTX_get_cert_store(__VA_ARGS__)
#define SSL_CTX_get_ex_data(...) late_ssl()->SSL_CTX_get_ex_data(__VA_ARGS__)
#define SSL_CTX_load_verify_locations(...) \
    late_ssl()->SSL_CTX_load_verify_locations(__VA_ARGS__)
#define SSL_CTX_new(...) late_ssl()->SSL_CTX_new(__VA_ARGS__)
#define SSL_CTX_set_ex_data(...) late_ssl()->SSL_CTX_set_ex_data(__VA_ARGS__)
#define SSL_CTX_set_info_callback(...) \
    late_ssl()->SSL_CTX_set_info_callback(__VA_ARGS__)
#define SSL_CTX_set_options(...) late_ssl()->SSL_CTX_set_options(__VA_ARGS__)
#define SSL_CTX_set_verify(...) late_ssl()->SSL_CTX_set_verify(__VA_ARGS__)
#define SSL_do_handshake(...) late_ssl()->SSL_do_handshake(__VA_ARGS__)
#define SSL_free(...) late_ssl()->SSL_free(__VA_ARGS__)
#define SSL_get1_peer_certificate(...) \
    late_ssl()->SSL_get1_peer_certificate(__VA_ARGS__)
#define SSL_get_error(...) late_ssl()->SSL_get_error(__VA_ARGS__)
#define SSL_get_ex_data_X509_STORE_CTX_idx(...) \
    late_ssl()->SSL_get_ex_data_X509_STORE_CTX_idx(__VA_ARGS__)
#define SSL_get_SSL_CTX(...) late_ssl()->SSL_get_SSL_CTX(__VA_ARGS__)
#define SSL_get_verify_result(...) \
    late_ssl()->SSL_get_verify_result(__VA_ARGS__)
#define SSL_get_version(...) late_ssl()->SSL_get_version(__VA_ARGS__)
#define SSL_has_pending(...) late_ssl()->SSL_has_pending(__VA_ARGS__)
#define SSL_new(...) late_ssl()->SSL_new(__VA_ARGS__)
#define SSL_peek(...) late_ssl()->SSL_peek(__VA_ARGS__)
#define SSL_read(...) late_ssl()->SSL_read(__VA_ARGS__)
#define SSL_set_connect_state(...) \
    late_ssl()->SSL_set_connect_state(__VA_ARGS__)
#define SSL_set_default_read_buffer_len(...) \
    late_ssl()->SSL_set_default_read_buffer_len(__VA_ARGS__)
#define SSL_set0_rbio(...) late_ssl()->SSL_set0_rbio(__VA_ARGS__)
#define SSL_set_fd(...) late_ssl()->SSL_set_fd(__VA_ARGS__)
#define SSL_set_rfd(...) late_ssl()->SSL_set_rfd(__VA_ARGS__)
#define SSL_set_read_ahead(...) late_ssl()->SSL_set_read_ahead(__VA_ARGS__)
#define SSL_shutdown(...) late_ssl()->SSL_shutdown(__VA_ARGS__)
#define SSL_write(...) late_ssl()->SSL_write(__VA_ARGS__)
#define TLS_client_method(...) late_ssl()->TLS_client_method(__VA_ARGS__)
#define X509_check_host(...) late_ssl()->X509_check_host(__VA_ARGS__)
#define X509_check_ip_asc(...) late_ssl()->X509_check_ip_asc(__VA_ARGS__)
#define X509_digest(...) late_ssl()->X509_digest(__VA_ARGS__)
#define X509_free(...) late_ssl()->X509_free(__VA_ARGS__)
#define X509_get0_notAfter(...) late_ssl()->X509_get0_notAfter(__VA_ARGS__)
#define X509_get0_notBefore(...) late_ssl()->X509_get0_notBefore(__VA_ARGS__)
#define X509_get_default_cert_file(...) \
    late_ssl()->X509_get_default_cert_file(__VA_ARGS__)
#define X509_get_ext_d2i(...) late_ssl()->X509_get_ext_d2i(__VA_ARGS__)
#define X509_get_subject_name(...) \
    late_ssl()->X509_get_subject_name(__VA_ARGS__)
#define X509_get_X509_PUBKEY(...) late_ssl()->X509_get_X509_PUBKEY(__VA_ARGS__)
#define X509_LOOKUP_get_method_data(...) \
    late_ssl()->X509_LOOKUP_get_method_data(__VA_ARGS__)
#define X509_LOOKUP_get_store(...) \
    late_ssl()->X509_LOOKUP_get_store(__VA_ARGS__)
#define X509_LOOKUP_meth_new(...) late_ssl()->X509_LOOKUP_meth_new(__VA_ARGS__)
#define X509_LOOKUP_meth_set_free(...) \
    late_ssl()->X509_LOOKUP_meth_set_free(__VA_ARGS__)
#define X509_LOOKUP_meth_set_get_by_subject(...) \
    late_ssl()->X509_LOOKUP_meth_set_get_by_subject(__VA_ARGS__)
#define X509_LOOKUP_set_method_data(...) \
    late_ssl()->X509_LOOKUP_set_method_data(__VA_ARGS__)
#define X509_NAME_cmp(...) late_ssl()->X509_NAME_cmp(__VA_ARGS__)
#define X509_NAME_ENTRY_get_data(...) \
    late_ssl()->X509_NAME_ENTRY_get_data(__VA_ARGS__)
#define X509_NAME_free(...) late_ssl()->X509_NAME_free(__VA_ARGS__)
#define X509_NAME_get_entry(...) late_ssl()->X509_NAME_get_entry(__VA_ARGS__)
#define X509_NAME_get_index_by_NID(...) \
    late_ssl()->X509_NAME_get_index_by_NID(__VA_ARGS__)
#define X509_OBJECT_set1_X509(...) \
    late_ssl()->X509_OBJECT_set1_X509(__VA_ARGS__)
#define X509_STORE_add_cert(...) late_ssl()->X509_STORE_add_cert(__VA_ARGS__)
#define X509_STORE_add_lookup(...) \
    late_ssl()->X509_STORE_add_lookup(__VA_ARGS__)
#define X509_STORE_CTX_get0_cert(...) \
    late_ssl()->X509_STORE_CTX_get0_cert(__VA_ARGS__)
#define X509_STORE_CTX_get_error(...) \
    late_ssl()->X509_STORE_CTX_get_error(__VA_ARGS__)
#define X509_STORE_CTX_get_error_depth(...) \
    late_ssl()->X509_STORE_CTX_get_error_depth(__VA_ARGS__)
#define X509_STORE_CTX_get_ex_data(...) \
    late_ssl()->X509_STORE_CTX_get_ex_data(__VA_ARGS__)
#define X509_STORE_CTX_set_error(...) \
    late_ssl()->X509_STORE_CTX_set_error(__VA_ARGS__)
#define X509_verify_cert_error_string(...) \
    late_ssl()->X509_verify_cert_error_string(__VA_ARGS__)
#define X509_VERIFY_PARAM_set1_host(...) \
    late_ssl()->X509_VERIFY_PARAM_set1_host(__VA_ARGS__)
#define X509_VERIFY_PARAM_set1_ip_asc(...) \
    late_ssl()->X509_VERIFY_PARAM_set1_ip_asc(__VA_ARGS__)
#define X509_VERIFY_PARAM_set_hostflags(...) \
    late_ssl()->X509_VERIFY_PARAM_set_hostflags(__VA_ARGS__)
#endif

#endif
