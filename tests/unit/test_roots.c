#include "config.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "unit.h"
#include "base/file.h"
#include "wire/roots.h"

#define DAY_S 86400L

struct id {
	EVP_PKEY	*key;
	X509		*cert;
};

static EVP_PKEY *
new_key(void)
{
	EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_id(EVP_PKEY_ED25519, NULL);
	EVP_PKEY *key = NULL;

	T_CHECK(EVP_PKEY_keygen_init(c) == 1 && EVP_PKEY_keygen(c, &key) == 1);
	EVP_PKEY_CTX_free(c);
	return key;
}

static void
add_name(X509_NAME *name, int as, const char *text)
{
	T_CHECK(X509_NAME_add_entry_by_txt(name, "O", as,
	    (const unsigned char *)text, -1, -1, 0) == 1);
}

static void
extend(X509 *cert, X509 *by, int what, const char *text)
{
	X509_EXTENSION *x;
	X509V3_CTX c;

	X509V3_set_ctx(&c, by, cert, NULL, NULL, 0);
	x = X509V3_EXT_conf_nid(NULL, &c, what, text);
	T_CHECK(x != NULL && X509_add_ext(cert, x, -1) == 1);
	X509_EXTENSION_free(x);
}

/* Named ${name}, written as ${as}; by itself or by ${by}, whose name may be
 * written in another way. */
static struct id
made(const char *name, int as, const struct id *by, const char *by_name)
{
	struct id id = { new_key(), X509_new() };
	static long number;

	X509_set_version(id.cert, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(id.cert), ++number);
	X509_gmtime_adj(X509_getm_notBefore(id.cert), -DAY_S);
	X509_gmtime_adj(X509_getm_notAfter(id.cert), DAY_S);
	X509_set_pubkey(id.cert, id.key);
	add_name(X509_get_subject_name(id.cert), as, name);
	add_name(X509_get_issuer_name(id.cert), MBSTRING_UTF8, by_name);
	/* Which key is meant, when two bear the name. */
	if (by == NULL) {
		extend(id.cert, id.cert, NID_basic_constraints,
		    "critical,CA:TRUE");
		extend(id.cert, id.cert, NID_subject_key_identifier, "hash");
	} else {
		extend(id.cert, by->cert, NID_authority_key_identifier,
		    "keyid:always");
	}
	T_CHECK(X509_sign(id.cert, by == NULL ? id.key : by->key, NULL) > 0);
	return id;
}

static void
id_free(struct id *id)
{
	EVP_PKEY_free(id->key);
	X509_free(id->cert);
}

static int
verified(SSL_CTX *ctx, X509 *cert)
{
	X509_STORE_CTX *c = X509_STORE_CTX_new();
	int ok;

	T_CHECK(X509_STORE_CTX_init(c, SSL_CTX_get_cert_store(ctx), cert,
	    NULL) == 1);
	(void)X509_verify_cert(c);
	ok = X509_STORE_CTX_get_error(c);
	X509_STORE_CTX_free(c);
	return ok;
}

static const char *
file_of(const char *before, const struct id *ids, size_t n, const char *after)
{
	static char path[] = "roots.XXXXXX";
	FILE *f;

	strcpy(path, "roots.XXXXXX");
	f = fdopen(mkstemp(path), "w");
	fputs(before, f);
	for (size_t i = 0; i < n; i++)
		PEM_write_X509(f, ids[i].cert);
	fputs(after, f);
	fclose(f);
	return path;
}

/* Two of one name, and one whose name is written in another type and case
 * than in what it signed: RFC 5280 7.1. */
static void
test_who_signed_is_found(void **state)
{
	struct id r[] = { made("First", MBSTRING_UTF8, NULL, "First"),
	    made("Twice", MBSTRING_UTF8, NULL, "Twice"),
	    made("Twice", MBSTRING_UTF8, NULL, "Twice"),
	    made("OTHER", V_ASN1_PRINTABLESTRING, NULL, "other") };
	struct id l[] = { made("l", MBSTRING_UTF8, &r[0], "First"),
	    made("l", MBSTRING_UTF8, &r[1], "Twice"),
	    made("l", MBSTRING_UTF8, &r[2], "Twice"),
	    made("l", MBSTRING_UTF8, &r[3], "Other") };
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	SSL_CTX *theirs = SSL_CTX_new(TLS_client_method());
	const char *path = file_of("# what they are\n\n", r, 4, "\n# end\n");

	(void)state;
	T_CHECK(roots_load(ctx, path));
	T_CHECK(SSL_CTX_load_verify_locations(theirs, path, NULL) == 1);
	unlink(path);
	for (size_t round = 0; round < 2; round++)
		for (size_t i = 0; i < 4; i++) {
			T_CHECK(verified(ctx, l[i].cert) == X509_V_OK);
			T_CHECK(verified(ctx, r[i].cert) ==
			    verified(theirs, r[i].cert));
		}
	SSL_CTX_free(ctx);
	SSL_CTX_free(theirs);
	for (size_t i = 0; i < 4; i++) {
		id_free(&r[i]);
		id_free(&l[i]);
	}
}

static void
test_nobody_else_is(void **state)
{
	struct id one = made("One", MBSTRING_UTF8, NULL, "One");
	struct id same = made("One", MBSTRING_UTF8, NULL, "One");
	struct id two = made("Two", MBSTRING_UTF8, NULL, "Two");
	struct id l[] = { made("l", MBSTRING_UTF8, &same, "One"),
	    made("l", MBSTRING_UTF8, &two, "Two"),
	    /* says so, and was not signed by anybody of that name */
	    made("l", MBSTRING_UTF8, &two, "One"),
	    made("l", MBSTRING_UTF8, &one, "One") };
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	const char *path = file_of("", &one, 1, "");

	(void)state;
	T_CHECK(roots_load(ctx, path));
	unlink(path);
	for (size_t i = 0; i < 3; i++)
		T_CHECK(verified(ctx, l[i].cert) != X509_V_OK);
	T_CHECK(verified(ctx, two.cert) != X509_V_OK);
	T_CHECK(verified(ctx, same.cert) != X509_V_OK);
	T_CHECK(verified(ctx, l[3].cert) == X509_V_OK);
	SSL_CTX_free(ctx);
	id_free(&one);
	id_free(&same);
	id_free(&two);
	for (size_t i = 0; i < 4; i++)
		id_free(&l[i]);
}

/* OpenSSL reads it instead, and says what it thinks of it. */
static void
test_what_is_not_understood_is_left_to_others(void **state)
{
	static const char *const bad[] = { "",
	    "-----BEGIN CERTIFICATE-----\n",
	    "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
	    "-----BEGIN CERTIFICATE-----\n*\n-----END CERTIFICATE-----\n",
	    "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n",
	    "-----BEGIN TRUSTED CERTIFICATE-----\n" };
	struct id one = made("One", MBSTRING_UTF8, NULL, "One");
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const char *path = file_of(bad[i], &one, i > 0, bad[i]);

		T_CHECK(!roots_load(ctx, path));
		unlink(path);
	}
	T_CHECK(!roots_load(ctx, "/nonexistent"));
	T_CHECK(verified(ctx, one.cert) != X509_V_OK);
	SSL_CTX_free(ctx);
	id_free(&one);
}

/* Whatever stands in the file of this machine is found as OpenSSL finds it. */
static void
test_all_of_this_machine(void **state)
{
	const char *path = "/etc/ssl/certs/ca-certificates.crt";
	SSL_CTX *ours = SSL_CTX_new(TLS_client_method());
	SSL_CTX *theirs = SSL_CTX_new(TLS_client_method());
	FILE *f = fopen(path, "r");
	X509 *x;

	(void)state;
	if (f == NULL)
		f = fopen(path = "/etc/ssl/cert.pem", "r");	/* macOS */
	T_CHECK(f != NULL);
	T_CHECK(roots_load(ours, path));
	T_CHECK(SSL_CTX_load_verify_locations(theirs, path, NULL) == 1);
	while ((x = PEM_read_X509(f, NULL, NULL, NULL)) != NULL) {
		T_CHECK(verified(ours, x) == verified(theirs, x));
		X509_free(x);
	}
	fclose(f);
	SSL_CTX_free(ours);
	SSL_CTX_free(theirs);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_who_signed_is_found),
		cmocka_unit_test(test_nobody_else_is),
		cmocka_unit_test(
		    test_what_is_not_understood_is_left_to_others),
		cmocka_unit_test(test_all_of_this_machine)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
