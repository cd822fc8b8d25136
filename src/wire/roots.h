/* The system's certification authorities, each read when it is asked for. */
#ifndef SC_WIRE_ROOTS_H
#define SC_WIRE_ROOTS_H

#include <openssl/ssl.h>
#include <stdbool.h>

/*
 * roots_load(ctx, path):
 * Give ${ctx} the certificates of the PEM file ${path}, as
 * SSL_CTX_load_verify_locations() would.  That one reads all keys of some 150
 * authorities, which takes longer than a whole pass without mail; here the
 * file is only cut into certificates and names, and one is read when a chain
 * leads to its name.  The verification is OpenSSL's, with the same
 * certificates.  All is in memory then: nothing is opened later.
 * False: there is none, one is not understood, or there is no memory: let
 * OpenSSL read the file, and say what is wrong with it.
 */
bool roots_load(SSL_CTX *ctx, const char *path);

#endif
