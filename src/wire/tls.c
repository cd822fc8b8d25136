#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/lang.h"
#include "base/secret.h"
#include "wire/late_ssl.h"
#include "wire/roots.h"
#include "wire/tls.h"

#define NAME_CHARS 100
#define READ_AHEAD_BYTES 65536

/* What the last verification found wrong with the server's certificate. */
struct finding {
	int	error;		/* X509_V_...; X509_V_OK: nothing */
	int64_t	from, until;
	char	name[NAME_CHARS];	/* the first name it bears */
	char	print[2 * TLS_PIN_BYTES + 1];	/* SHA-256 of it all */
	char	pin[TLS_PIN_CHARS];
};

struct tls {
	SSL_CTX		*ctx;
	char		*host;
	bool		 numeric;
	bool		 pinned;
	uint8_t		 pin[TLS_PIN_BYTES];
	const bool	*tainted;
	struct finding	 found;
};

bool
tls_pin_parse(const char *s, uint8_t pin[TLS_PIN_BYTES])
{
	const char *end;
	size_t len;

	if (strlen(s) != TLS_PIN_CHARS - 1 || strncmp(s, "sha256//", 8) != 0)
		return false;
	return sodium_base642bin(pin, TLS_PIN_BYTES, s + 8, 44, NULL, &len,
	    &end, sodium_base64_VARIANT_ORIGINAL) == 0 &&
	    len == TLS_PIN_BYTES && *end == '\0';
}

static bool
pin_digest(X509 *cert, uint8_t pin[TLS_PIN_BYTES])
{
	uint8_t *der = NULL;
	int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &der);
	bool ok = len > 0 && EVP_Digest(der, (size_t)len, pin, NULL,
	    EVP_sha256(), NULL) == 1;

	OPENSSL_free(der);
	return ok;
}

bool
tls_pin_of(X509 *cert, char out[TLS_PIN_CHARS])
{
	uint8_t pin[TLS_PIN_BYTES];

	out[0] = '\0';
	if (!pin_digest(cert, pin))
		return false;
	memcpy(out, "sha256//", 8);
	sodium_bin2base64(out + 8, TLS_PIN_CHARS - 8, pin, sizeof(pin),
	    sodium_base64_VARIANT_ORIGINAL);
	return true;
}

static int64_t
unix_time(const ASN1_TIME *t)
{
	struct tm tm;

	if (ASN1_TIME_to_tm(t, &tm) != 1)
		return 0;
	return clock_utc(tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday) +
	    tm.tm_hour * 3600 + tm.tm_min * 60 + tm.tm_sec;
}

/* A stranger's bytes: what is not plain ASCII becomes '?'. */
static void
copy_name(char to[NAME_CHARS], const uint8_t *p, int len)
{
	int n = len < NAME_CHARS - 1 ? len : NAME_CHARS - 1;

	for (int i = 0; i < n; i++)
		to[i] = p[i] > 0x20 && p[i] < 0x7f ? (char)p[i] : '?';
	to[n > 0 ? n : 0] = '\0';
}

static void
first_name(X509 *cert, char to[NAME_CHARS])
{
	GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name,
	    NULL, NULL);
	const X509_NAME *subject = X509_get_subject_name(cert);
	const ASN1_STRING *s = NULL;
	int at;

	for (int i = 0; s == NULL && i < sk_GENERAL_NAME_num(names); i++) {
		GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);

		if (name->type == GEN_DNS)
			s = name->d.dNSName;
	}
	at = X509_NAME_get_index_by_NID((X509_NAME *)(uintptr_t)subject,
	    NID_commonName, -1);
	if (s == NULL && at >= 0)
		s = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at));
	if (s == NULL)
		copy_name(to, (const uint8_t *)"?", 1);
	else
		copy_name(to, ASN1_STRING_get0_data(s), ASN1_STRING_length(s));
	GENERAL_NAMES_free(names);
}

/* The first finding counts: later ones follow from it. */
static void
note(struct tls *t, X509_STORE_CTX *x)
{
	struct finding *f = &t->found;
	X509 *leaf = X509_STORE_CTX_get0_cert(x);
	uint8_t digest[TLS_PIN_BYTES];

	if (f->error != X509_V_OK || leaf == NULL)
		return;
	f->error = X509_STORE_CTX_get_error(x);
	f->from = unix_time(X509_get0_notBefore(leaf));
	f->until = unix_time(X509_get0_notAfter(leaf));
	first_name(leaf, f->name);
	if (X509_digest(leaf, EVP_sha256(), digest, NULL) == 1)
		sodium_bin2hex(f->print, sizeof(f->print), digest,
		    sizeof(digest));
	tls_pin_of(leaf, f->pin);
}

static bool
about_authority(int error)
{
	switch (error) {
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
	case X509_V_ERR_CERT_UNTRUSTED:
	case X509_V_ERR_CERT_SIGNATURE_FAILURE:	/* another of that name */
	case X509_V_ERR_CERT_CHAIN_TOO_LONG:
		return true;
	default:
		return false;
	}
}

/* May the pin stand in for what is missing? Never for name and dates. */
static bool
pin_covers(const struct tls *t, X509_STORE_CTX *x)
{
	X509 *leaf = X509_STORE_CTX_get0_cert(x);
	uint8_t pin[TLS_PIN_BYTES];

	if (!t->pinned || leaf == NULL || !pin_digest(leaf, pin) ||
	    !same(pin, t->pin, sizeof(pin)))
		return false;
	return X509_STORE_CTX_get_error_depth(x) > 0 ||
	    about_authority(X509_STORE_CTX_get_error(x));
}

static int
verify(int ok, X509_STORE_CTX *x)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(x,
	    SSL_get_ex_data_X509_STORE_CTX_idx());
	struct tls *t = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));

	if (t->tainted != NULL && *t->tainted) {
		X509_STORE_CTX_set_error(x,
		    X509_V_ERR_APPLICATION_VERIFICATION);
		note(t, x);
		return 0;
	}
	if (ok)
		return 1;
	if (pin_covers(t, x)) {
		X509_STORE_CTX_set_error(x, X509_V_OK);
		return 1;
	}
	note(t, x);
	return 0;
}

/* Opened now: a folder of hashes would be read during the handshake. */
static bool
load_system(SSL_CTX *ctx)
{
	const char *const files[] = { X509_get_default_cert_file(),
	    "/etc/ssl/certs/ca-certificates.crt", "/etc/ssl/cert.pem",
	    "/etc/pki/tls/certs/ca-bundle.crt",
	    "/usr/local/etc/openssl@3/cert.pem" };

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		if (access(files[i], R_OK) == 0 &&
		    (roots_load(ctx, files[i]) ||
		    SSL_CTX_load_verify_locations(ctx, files[i], NULL) == 1))
			return true;
	return false;
}

/* Whether that is why OpenSSL could not; what it says is forgotten. */
static bool
no_memory(void)
{
	unsigned long said;
	bool no = false;

	while ((said = ERR_get_error()) != 0)
		no = no || ERR_GET_REASON(said) == ERR_R_MALLOC_FAILURE;
	return no;
}

static enum rc
load_authorities(struct tls *t, const struct conf_server *s, struct err *e)
{
	bool ok;

	if (s->ca_file != NULL)
		ok = SSL_CTX_load_verify_locations(t->ctx, s->ca_file,
		    NULL) == 1;
	else
		ok = load_system(t->ctx);
	if (no_memory() && !ok)
		return err_nomem(e);
	if (ok || (s->ca_file == NULL && t->pinned))
		return RC_OK;
	if (s->ca_file == NULL)
		return err_set(e, RC_CONF, _("no file of certification "
		    "authorities was found on this machine; install the "
		    "package ca-certificates or set ca_file"));
	return err_set(e, RC_CONF,
	    _("%s: no certificate in PEM form can be read there"), s->ca_file);
}

static bool
is_numeric(const char *host)
{
	uint8_t addr[16];

	return inet_pton(AF_INET, host, addr) == 1 ||
	    inet_pton(AF_INET6, host, addr) == 1;
}

static bool
set_versions(struct tls *t, int max_version)
{
	return SSL_CTX_set_min_proto_version(t->ctx, TLS1_2_VERSION) == 1 &&
	    SSL_CTX_set_max_proto_version(t->ctx, max_version) == 1;
}

/* False: memory. */
static bool
set_rules(struct tls *t)
{
	X509_VERIFY_PARAM *vp = SSL_CTX_get0_param(t->ctx);

	SSL_CTX_set_verify(t->ctx, SSL_VERIFY_PEER, verify);
	SSL_CTX_set_options(t->ctx,
	    SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
	/* A resumed session would not be verified again. */
	SSL_CTX_set_session_cache_mode(t->ctx, SSL_SESS_CACHE_OFF);
	X509_VERIFY_PARAM_set_hostflags(vp,
	    X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	return SSL_CTX_set_app_data(t->ctx, t) == 1 &&
	    (t->numeric ? X509_VERIFY_PARAM_set1_ip_asc(vp, t->host) :
	    X509_VERIFY_PARAM_set1_host(vp, t->host, 0)) == 1;
}

/* The first that this process made, or that it was forked with. */
static SSL_CTX **
spare(void)
{
	static SSL_CTX *first;

	return &first;
}

static SSL_CTX *
new_ctx(void)
{
	SSL_CTX *ctx = *spare();

	*spare() = NULL;
	return ctx != NULL ? ctx : SSL_CTX_new(TLS_client_method());
}

static enum rc
set_up(struct tls *t, const struct conf_server *s, int max_version,
    struct err *e)
{
	if (s->pin != NULL && !tls_pin_parse(s->pin, t->pin))
		return err_set(e, RC_CONF, _("pin: write sha256// and then "
		    "the 44 characters that `sceau check` shows"));
	t->pinned = s->pin != NULL;
	t->host = strdup(s->host);
	t->ctx = new_ctx();
	t->numeric = t->host != NULL && is_numeric(t->host);
	if (t->host == NULL || t->ctx == NULL || !set_rules(t))
		return err_nomem(e);
	if (!set_versions(t, max_version))
		return err_set(e, RC_CONF,
		    _("%s: TLS cannot be set up for it"), t->host);
	ERR_clear_error();
	return load_authorities(t, s, e);
}

enum rc
tls_new(const struct conf_server *server, int max_version, struct tls **t,
    struct err *e)
{
	enum rc rc;

	*t = NULL;
	if ((rc = late_ssl_load(e)) != RC_OK)
		return rc;
	if ((*t = calloc(1, sizeof(**t))) == NULL)
		return err_nomem(e);
	if ((rc = set_up(*t, server, max_version, e)) != RC_OK)
		tls_free(t);
	return rc;
}

enum rc
tls_load(struct err *e)
{
	static bool ready;
	enum rc rc = late_ssl_load(e);

	if (rc != RC_OK || ready)
		return rc;
#ifdef OPENSSL_INIT_NO_ATEXIT
	/* To tidy up takes it as long as to shake hands. */
	OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, NULL);
#endif
	/* It looks its ciphers up with the first, and keeps what it found. */
	if ((*spare() = SSL_CTX_new(TLS_client_method())) == NULL)
		return err_nomem(e);
	ready = true;
	return RC_OK;
}

void
tls_free(struct tls **t)
{
	if (*t == NULL)
		return;
	SSL_CTX_free((*t)->ctx);
	free((*t)->host);
	free(*t);
	*t = NULL;
}

SSL_CTX *
tls_ctx(struct tls *t)
{
	return t->ctx;
}

const char *
tls_sni(const struct tls *t)
{
	return t->numeric ? NULL : t->host;
}

void
tls_refuse_if(struct tls *t, const bool *tainted)
{
	t->tainted = tainted;
}

SSL *
tls_start(struct tls *t, int fd, struct err *e)
{
	SSL *ssl = SSL_new(t->ctx);

	memset(&t->found, 0, sizeof(t->found));
	ERR_clear_error();
	if (ssl == NULL || SSL_set_fd(ssl, fd) != 1 || (!t->numeric &&
	    SSL_set_tlsext_host_name(ssl, t->host) != 1)) {
		SSL_free(ssl);
		err_nomem(e);
		return NULL;
	}
	/* As much as has come in one read(2), not each record in two. */
	SSL_set_read_ahead(ssl, 1);
	SSL_set_default_read_buffer_len(ssl, READ_AHEAD_BYTES);
	SSL_set_connect_state(ssl);
	return ssl;
}

bool
tls_right(const struct tls *t, const SSL *ssl)
{
	X509 *cert = SSL_get_peer_certificate(ssl);
	bool ok;

	if (cert == NULL)
		return false;
	ok = SSL_get_verify_result(ssl) == X509_V_OK &&
	    (t->tainted == NULL || !*t->tainted) &&
	    (t->numeric ? X509_check_ip_asc(cert, t->host, 0) :
	    X509_check_host(cert, t->host, 0,
	    X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS, NULL)) == 1;
	X509_free(cert);
	return ok;
}

static enum rc
why_dates(const struct tls *t, struct err *e)
{
	char when[CLOCK_SAY_BYTES];
	bool past = t->found.error != X509_V_ERR_CERT_NOT_YET_VALID;

	clock_say(past ? t->found.until : t->found.from, when);
	return err_set(e, RC_TEMP, past ?
	    _("%s: its certificate expired on %s; nothing was sent. Its "
	    "keeper must renew it (or is the clock of this machine wrong?)") :
	    _("%s: its certificate is valid only from %s; nothing was sent. "
	    "Is the clock of this machine wrong?"), t->host, when);
}

static enum rc
why_authority(const struct tls *t, struct err *e)
{
	if (t->pinned)
		return err_set(e, RC_TEMP, _("%s: another key than the pinned "
		    "one, from an unknown authority; nothing was sent. If its "
		    "keeper confirms a change, write: pin = \"%s\""),
		    t->host, t->found.pin);
	return err_set(e, RC_TEMP, _("%s: certificate of an unknown "
	    "authority; nothing was sent. If its keeper confirms SHA-256 %s, "
	    "write: pin = \"%s\""), t->host, t->found.print, t->found.pin);
}

static enum rc
why_certificate(const struct tls *t, struct err *e)
{
	switch (t->found.error) {
	case X509_V_ERR_CERT_HAS_EXPIRED:
	case X509_V_ERR_CERT_NOT_YET_VALID:
		return why_dates(t, e);
	case X509_V_ERR_HOSTNAME_MISMATCH:
	case X509_V_ERR_IP_ADDRESS_MISMATCH:
		return err_set(e, RC_TEMP, _("%s: its certificate is that of "
		    "%s; nothing was sent. Is the host name right?"), t->host,
		    t->found.name);
	case X509_V_ERR_APPLICATION_VERIFICATION:
		return err_set(e, RC_TEMP, _("%s: somebody on the way added "
		    "words before TLS began; nothing was sent"), t->host);
	default:
		break;
	}
	if (about_authority(t->found.error))
		return why_authority(t, e);
	return err_set(e, RC_TEMP,
	    _("%s: its certificate is refused (%s); nothing was sent"),
	    t->host, X509_verify_cert_error_string(t->found.error));
}

enum rc
tls_why(struct tls *t, struct err *e)
{
	unsigned long last = ERR_peek_error();
	const char *said = ERR_reason_error_string(last);

	ERR_clear_error();
	if (t->found.error != X509_V_OK)
		return why_certificate(t, e);
	switch (ERR_GET_REASON(last)) {
	case SSL_R_UNSUPPORTED_PROTOCOL:
	case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
		return err_set(e, RC_TEMP, _("%s: it speaks no TLS newer than "
		    "1.1, which is not safe; nothing was sent"), t->host);
	case SSL_R_WRONG_VERSION_NUMBER:
		return err_set(e, RC_TEMP, _("%s: it does not answer in TLS; "
		    "nothing was sent. Is the port right?"), t->host);
	default:
		return err_set(e, RC_TEMP,
		    _("%s: TLS failed (%s); nothing was sent"), t->host,
		    said == NULL ? _("connection closed") : said);
	}
}
