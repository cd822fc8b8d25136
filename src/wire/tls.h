/* TLS: the one place that decides which server is the right one. */
#ifndef SC_WIRE_TLS_H
#define SC_WIRE_TLS_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "conf/conf.h"

/*
 * A server is the right one when, in one handshake of TLS 1.2 or later,
 *   - its certificate bears the configured name (or address), and
 *   - today lies within the certificate's dates, and
 *   - the certificate comes from an authority we know (ca_file if set, else
 *     the system's) OR the SHA-256 of its public key is the configured pin.
 *
 * So a pin replaces the authority, and nothing else: the name and the dates
 * of the server's own certificate must still hold, and a certificate from a
 * known authority is accepted whatever the pin says.  It is for providers
 * with a certificate of their own making; it does not narrow trust.
 *
 * There is no switch that turns any of this off.
 */
struct tls;

#define TLS_PIN_BYTES 32	/* SHA-256 of the SubjectPublicKeyInfo */
#define TLS_PIN_CHARS (8 + 44 + 1)	/* "sha256//", base64, NUL */

/*
 * tls_new(server, max_version, t, e):
 * What is needed to verify ${server} (borrowed for this call only).  All
 * certificates are loaded now, so that it can be called before the sandbox.
 * max_version  0, or the highest version to speak (TLS1_2_VERSION)
 * t            owned; tls_free()
 * RC_OK; RC_CONF: the CA file or the pin is unusable; RC_NOMEM; RC_TEMP: as
 * late_load().
 */
enum rc tls_new(const struct conf_server *server, int max_version,
    struct tls **t, struct err *e);
void tls_free(struct tls **t);

/*
 * tls_load(e):
 * Have OpenSSL ready in this process, so that those that it forks need not
 * make it so each for itself; the first tls_new() of each takes what was made
 * here.  Holds nothing of any connection.  As
 * late_load(); RC_NOMEM: this process and those that it forks will never have
 * it, for OpenSSL tries once.
 */
enum rc tls_load(struct err *e);

/*
 * tls_ctx(t):
 * The SSL_CTX, lent: verification (peer, name, dates, authority or pin),
 * versions and options are set in it, so any library may make connections
 * with it; it holds ${t} as its app data.  SNI is per connection: see
 * tls_start(), or call SSL_set_tlsext_host_name(ssl, tls_sni(t)).
 */
SSL_CTX *tls_ctx(struct tls *t);

/* tls_sni(t): the name to send, lent; NULL when it is an address. */
const char *tls_sni(const struct tls *t);

/*
 * tls_refuse_if(t, tainted):
 * Every handshake that ends while *${tainted} is true fails: for whoever
 * learns meanwhile that the bytes before TLS cannot be trusted.  Borrowed
 * until tls_free(); NULL: no such flag.
 */
void tls_refuse_if(struct tls *t, const bool *tainted);

/*
 * tls_start(t, fd, e): a client's SSL over ${fd} (borrowed), with SNI,
 * handshake not begun.  Owned: SSL_free().  NULL: memory, ${e} set.
 */
SSL *tls_start(struct tls *t, int fd, struct err *e);

/*
 * tls_right(t, ssl):
 * After the handshake: this connection was verified and the certificate
 * bears our name.  A second look, for libraries that let one ignore the
 * first: no password and no mail before it is true.
 */
bool tls_right(const struct tls *t, const SSL *ssl);

/*
 * tls_why(t, e):
 * Say why the last handshake with ${t} failed, in words for the operator:
 * expired since, wrong name, unknown authority (with the fingerprint, and the
 * pin to write if it is trusted), too old a version; nothing was sent.  Reads
 * OpenSSL's error queue and empties it.  Returns RC_TEMP always: the route
 * waits, and nothing bounces because a provider forgot to renew.
 */
enum rc tls_why(struct tls *t, struct err *e);

/* tls_pin_parse(s, pin): "sha256//" and 44 characters of base64, or false. */
bool tls_pin_parse(const char *s, uint8_t pin[TLS_PIN_BYTES]);

/* tls_pin_of(cert, out): the pin to write for ${cert}; false: memory. */
bool tls_pin_of(X509 *cert, char out[TLS_PIN_CHARS]);

#endif
