/* Certificates as no authority would give them, and what is said of them; TLS
 * that ends, and what of it waits to be read. */
#include "config.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#include "script.h"

#include "base/clock.h"
#include "wire/net.h"
#include "wire/stream.h"

#define DAY 86400

/* How a server's certificate is, and what it does after the handshake. */
struct server {
	const char	*san;		/* "DNS:x"; NULL: none */
	const char	*name;		/* its common name; NULL: none */
	int		 namelen;
	bool		 past;		/* it has expired */
	bool		 alone;		/* signed by itself */
	const char	*says;		/* then it waits */
	bool		 bye, cut;	/* close_notify; no more than an end */
};

static char ca_file[] = "/tmp/sceau-test-ca-XXXXXX";
static EVP_PKEY *ca_key, *key;
static X509 *ca;
static int serial = 1;

static void
add_extension(X509 *cert, int nid, const char *value)
{
	X509_EXTENSION *x = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	assert_non_null(x);
	assert_int_equal(X509_add_ext(cert, x, -1), 1);
	X509_EXTENSION_free(x);
}

static X509 *
certificate(const struct server *s, EVP_PKEY *of, X509 *issuer, EVP_PKEY *by)
{
	X509 *cert = X509_new();
	X509_NAME *name = X509_get_subject_name(cert);

	X509_set_version(cert, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), serial++);
	X509_gmtime_adj(X509_getm_notBefore(cert), -2 * DAY);
	X509_gmtime_adj(X509_getm_notAfter(cert), s->past ? -DAY : DAY);
	if (s->name != NULL)
		assert_int_equal(X509_NAME_add_entry_by_NID(name,
		    NID_commonName, MBSTRING_ASC, (const uint8_t *)s->name,
		    s->namelen, -1, 0), 1);
	X509_set_pubkey(cert, of);
	X509_set_issuer_name(cert, issuer == NULL ? name :
	    X509_get_subject_name(issuer));
	if (s->san != NULL)
		add_extension(cert, NID_subject_alt_name, s->san);
	if (issuer == NULL)
		add_extension(cert, NID_basic_constraints, "CA:TRUE");
	assert_true(X509_sign(cert, by, EVP_sha256()) > 0);
	return cert;
}

/* In a process of its own: one handshake, and then as it is told. */
static _Noreturn void
serve(int fd, const struct server *s, X509 *cert)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	SSL *ssl;
	char octet;

	SSL_CTX_use_certificate(ctx, cert);
	SSL_CTX_use_PrivateKey(ctx, key);
	ssl = SSL_new(ctx);
	SSL_set_fd(ssl, fd);
	if (SSL_accept(ssl) == 1) {
		if (s->says != NULL)
			SSL_write(ssl, s->says, (int)strlen(s->says));
		if (s->bye)
			SSL_shutdown(ssl);
		if (!s->bye && !s->cut)
			SSL_read(ssl, &octet, 1);
	}
	close(fd);
	_exit(0);
}

struct talk {
	struct tls	*tls;
	struct stream	*stream;
	pid_t		 pid;
	X509		*cert;
};

static struct conf_server conf;

static enum rc
talk_to(const struct server *s, const bool *tainted, struct talk *t,
    struct err *e)
{
	int fd[2];

	*t = (struct talk){ .cert = certificate(s, key, s->alone ? NULL : ca,
	    s->alone ? key : ca_key) };
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	if ((t->pid = fork()) == 0) {
		close(fd[0]);
		serve(fd[1], s, t->cert);
	}
	close(fd[1]);
	T_RC(net_adopt(fd[0], e), RC_OK);
	t->stream = stream_new(fd[0], conf.host, 10, e);
	T_RC(tls_new(&conf, 0, &t->tls, e), RC_OK);
	if (tainted != NULL)
		tls_refuse_if(t->tls, tainted);
	return stream_tls(t->stream, t->tls, e);
}

static void
end(struct talk *t)
{
	stream_free(&t->stream);
	tls_free(&t->tls);
	waitpid(t->pid, NULL, 0);
	X509_free(t->cert);
}

static void
refused(const struct server *s, const char *what)
{
	struct err e = ERR_INIT;
	enum wire_why why;
	struct talk t;

	T_RC(talk_to(s, NULL, &t, &e), RC_TEMP);
	T_CHECK(!stream_verified(t.stream));
	T_RC(stream_error(t.stream, &why, &e), RC_TEMP);
	assert_int_equal(why, WHY_TLS);
	if (strstr(e.text, what) == NULL)
		fail_msg("%s", e.text);
	for (const char *p = e.text; *p != '\0'; p++)
		T_CHECK(*p >= 0x20 && *p < 0x7f);
	end(&t);
}

/* Its name is a stranger's words: short, and nothing but ASCII. */
static void
test_names_of_strangers(void **state)
{
	static const char escape[] = "a\033[2Jb\nc \351";
	char longest[64];

	(void)state;
	memset(longest, 'n', 63);
	longest[63] = '\0';
	refused(&(struct server){ .san = "DNS:other.example" },
	    "is that of other.example;");
	refused(&(struct server){ .san = "email:x@y.example,DNS:b.example" },
	    "is that of b.example;");
	refused(&(struct server){ .san = "email:x@y.example", .name = "common",
	    .namelen = 6 }, "is that of common;");
	refused(&(struct server){ .name = escape,
	    .namelen = sizeof(escape) - 1 }, "is that of a?[2Jb?c??");
	refused(&(struct server){ .name = longest, .namelen = 63 }, longest);
	refused(&(struct server){ .namelen = 0 }, "is that of ?;");
}

static void
test_only_the_first_finding_counts(void **state)
{
	(void)state;
	refused(&(struct server){ .san = "DNS:mail.example", .past = true },
	    "expired on");
	refused(&(struct server){ .san = "DNS:mail.example", .alone = true,
	    .past = true }, "unknown authority");
}

static void
test_the_right_one(void **state)
{
	static char address[] = "192.0.2.1", *name;
	const struct server by_name = { .san = "DNS:mail.example" },
	    by_address = { .san = "IP:192.0.2.1" },
	    common = { .name = "mail.example", .namelen = 12 };
	struct err e = ERR_INIT;
	struct talk t;

	(void)state;
	T_RC(talk_to(&by_name, NULL, &t, &e), RC_OK);
	T_CHECK(stream_verified(t.stream));
	end(&t);
	T_RC(talk_to(&common, NULL, &t, &e), RC_OK);
	end(&t);
	name = conf.host;
	conf.host = address;
	T_RC(talk_to(&by_address, NULL, &t, &e), RC_OK);
	T_CHECK(stream_verified(t.stream));
	end(&t);
	refused(&by_name, "is that of mail.example");
	conf.host = name;
}

static void
test_a_pin_is_for_one_key(void **state)
{
	const struct server own = { .san = "DNS:mail.example",
	    .alone = true }, wrong = { .san = "DNS:other.example",
	    .alone = true };
	char pin[TLS_PIN_CHARS] = "";
	struct err e = ERR_INIT;
	struct talk t;
	X509 *cert = certificate(&own, key, NULL, key);

	(void)state;
	T_CHECK(tls_pin_of(cert, pin));
	X509_free(cert);
	conf.pin = pin;
	T_RC(talk_to(&own, NULL, &t, &e), RC_OK);
	T_CHECK(stream_verified(t.stream));
	end(&t);
	/* Never instead of the name. */
	refused(&wrong, "is that of other.example");
	memset(pin + 8, 'A', 42);
	refused(&own, "another key than the pinned one");
	conf.pin = NULL;
}

static void
test_words_before_it_are_remembered(void **state)
{
	const struct server s = { .san = "DNS:mail.example" };
	const bool no = false, yes = true;
	struct err e = ERR_INIT;
	struct talk t;

	(void)state;
	T_RC(talk_to(&s, &no, &t, &e), RC_OK);
	end(&t);
	T_RC(talk_to(&s, &yes, &t, &e), RC_TEMP);
	assert_non_null(strstr(e.text, "before TLS began"));
	T_CHECK(!stream_verified(t.stream));
	end(&t);
}

/* What was read ahead is there, though the socket has nothing. */
static void
test_what_waits_in_the_library(void **state)
{
	const struct server s = { .san = "DNS:mail.example",
	    .says = "* OK ready\r\n" };
	struct err e = ERR_INIT;
	struct talk t;
	char room[16];

	(void)state;
	T_RC(talk_to(&s, NULL, &t, &e), RC_OK);
	assert_int_equal(stream_read(t.stream, room, 4), 4);
	T_CHECK(stream_wait(t.stream, 10000, -1));
	assert_int_equal(stream_read(t.stream, room, 16), 8);
	T_CHECK(!stream_wait(t.stream, 10, -1));
	T_CHECK(!stream_dead(t.stream));
	end(&t);
}

/* A line that was cut is not an answer that ended. */
static void
test_ends(void **state)
{
	static const struct {
		struct server	 s;
		const char	*said;
	} cases[] = { { { .san = "DNS:mail.example", .bye = true },
	    "it closed the connection" }, { { .san = "DNS:mail.example",
	    .cut = true }, "the connection was lost" } };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct err e = ERR_INIT;
		enum wire_why why;
		struct talk t;
		char octet;

		T_RC(talk_to(&cases[i].s, NULL, &t, &e), RC_OK);
		assert_int_equal(stream_read(t.stream, &octet, 1), -1);
		T_RC(stream_error(t.stream, &why, &e), RC_TEMP);
		assert_int_equal(why, WHY_NETWORK);
		if (strstr(e.text, cases[i].said) == NULL)
			fail_msg("%s", e.text);
		T_CHECK(!stream_verified(t.stream));
		end(&t);
	}
}

static int
set_up(void **state)
{
	const struct server authority = { .name = "Authority", .namelen = 9 };
	static char host[] = "mail.example";
	int fd = mkstemp(ca_file);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "w");

	(void)state;
	ca_key = EVP_EC_gen("P-256");
	key = EVP_EC_gen("P-256");
	if (f == NULL || ca_key == NULL || key == NULL)
		return -1;
	ca = certificate(&authority, ca_key, NULL, ca_key);
	PEM_write_X509(f, ca);
	fclose(f);
	conf = (struct conf_server){ .host = host, .ca_file = ca_file,
	    .tls = CONF_TLS_IMPLICIT };
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	X509_free(ca);
	EVP_PKEY_free(ca_key);
	EVP_PKEY_free(key);
	return unlink(ca_file);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names_of_strangers),
		cmocka_unit_test(test_only_the_first_finding_counts),
		cmocka_unit_test(test_the_right_one),
		cmocka_unit_test(test_a_pin_is_for_one_key),
		cmocka_unit_test(test_words_before_it_are_remembered),
		cmocka_unit_test(test_what_waits_in_the_library),
		cmocka_unit_test(test_ends)
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
