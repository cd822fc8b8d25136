#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "mail/b64.h"
#include "wire/late_ssl.h"
#include "wire/roots.h"

#define FILE_MAX_BYTES (4 * 1024 * 1024)
#define BEGIN "-----BEGIN "
#define OURS BEGIN "CERTIFICATE-----"
#define END "-----END CERTIFICATE-----"

#if OPENSSL_VERSION_NUMBER < 0x30000000L
#define ASKED X509_NAME
#else
#define ASKED const X509_NAME
#endif

struct root {
	X509_NAME	*subject;
	size_t		 at, len;	/* of the certificate in ${der} */
};

struct roots {
	struct buf	 der;	/* all of them */
	struct root	*root;
	size_t		 n;
};

static void
roots_free(struct roots *r)
{
	for (size_t i = 0; r != NULL && i < r->n; i++)
		X509_NAME_free(r->root[i].subject);
	if (r != NULL) {
		buf_free(&r->der);
		free(r->root);
	}
	free(r);
}

/* ---- reading the file ----------------------------------------------- */

/* One element of DER at ${*p}: step into it or over it. */
static bool
step(const uint8_t **p, const uint8_t *end, bool into)
{
	const uint8_t *body = *p;
	int tag, class;
	long len;

	/* 0x80: not DER; 1: of no told length. */
	if ((ASN1_get_object(&body, &len, &tag, &class, end - *p) & 0x81) !=
	    0)
		return false;
	*p = into ? body : body + len;
	return true;
}

/* RFC 5280 4.1: version, number, algorithm, issuer and dates come before. */
static X509_NAME *
subject_of(const uint8_t *p, size_t len)
{
	const uint8_t *end = p + len;
	bool ok = step(&p, end, true) && step(&p, end, true) && p < end &&
	    (*p != 0xa0 || step(&p, end, false));

	for (int i = 0; ok && i < 4; i++)
		ok = step(&p, end, false);
	return ok ? d2i_X509_NAME(NULL, &p, end - p) : NULL;
}

/* ${from} to ${to}: base64. */
static bool
take(struct roots *r, const char *from, const char *to)
{
	struct b64_dec d;
	size_t room = B64_DEC_BYTES((size_t)(to - from)), len = 0, rest = 0;
	struct root *one = &r->root[r->n];
	uint8_t *out;

	b64_dec_init(&d);
	one->at = r->der.len;
	if (!buf_reserve(&r->der, room))
		return false;
	out = r->der.p + one->at;
	if (!b64_dec_add(&d, (const uint8_t *)from, (size_t)(to - from), out,
	    &len) || !b64_dec_end(&d, out + len, &rest))
		return false;
	one->len = len + rest;
	if ((one->subject = subject_of(out, one->len)) == NULL)
		return false;
	r->der.len += one->len;
	r->n++;
	return true;
}

static size_t
count(const char *text)
{
	size_t n = 0;

	for (; (text = strstr(text, BEGIN)) != NULL; text++)
		n++;
	return n;
}

/* All or none: what stands there in another form is for OpenSSL. */
static bool
take_all(struct roots *r, const char *text)
{
	size_t n = count(text);
	const char *to;

	if (n == 0 || (r->root = calloc(n, sizeof(*r->root))) == NULL ||
	    !buf_reserve(&r->der, strlen(text)))
		return false;
	for (size_t i = 0; i < n; i++) {
		text = strstr(text, BEGIN);
		if (strncmp(text, OURS, sizeof(OURS) - 1) != 0 ||
		    (to = strstr(text, END)) == NULL ||
		    !take(r, text + sizeof(OURS) - 1, to))
			return false;
		text = to;
	}
	return true;
}

static struct roots *
roots_read(const char *path)
{
	struct roots *r = calloc(1, sizeof(*r));
	struct buf file = BUF_INIT;
	struct err ignored = ERR_INIT;
	const char *text;

	if (r == NULL || file_read(path, FILE_MAX_BYTES, &file, &ignored) !=
	    RC_OK || (text = buf_str(&file)) == NULL ||
	    strlen(text) != file.len || !take_all(r, text)) {
		roots_free(r);
		r = NULL;
	}
	buf_free(&file);
	return r;
}

/* ---- OpenSSL asks --------------------------------------------------- */

/* The store keeps what was found, and looks there first the next time; what
 * is put into ${ret} is lent by it. */
static bool
give(X509_LOOKUP *l, const struct roots *r, const struct root *one,
    X509_OBJECT *ret)
{
	const uint8_t *p = r->der.p + one->at;
	X509 *x = d2i_X509(NULL, &p, (long)one->len);
	bool ok = x != NULL &&
	    X509_STORE_add_cert(X509_LOOKUP_get_store(l), x) == 1 &&
	    (ret == NULL || X509_OBJECT_set1_X509(ret, x) == 1);

	if (ok && ret != NULL)
		X509_free(x);
	X509_free(x);
	return ok;
}

/* Several may bear one name: all go to the store, which tries each. */
static int
by_subject(X509_LOOKUP *l, X509_LOOKUP_TYPE type, ASKED *name,
    X509_OBJECT *ret)
{
	const struct roots *r = X509_LOOKUP_get_method_data(l);
	bool found = false;

	for (size_t i = 0; r != NULL && type == X509_LU_X509 && i < r->n;
	    i++)
		if (X509_NAME_cmp(r->root[i].subject, name) == 0 &&
		    give(l, r, &r->root[i], found ? NULL : ret))
			found = true;
	return found;
}

static void
forget(X509_LOOKUP *l)
{
	roots_free(X509_LOOKUP_get_method_data(l));
}

/* Made once, and used by every store of this process. */
static X509_LOOKUP_METHOD *
method(void)
{
	static X509_LOOKUP_METHOD *made;
	X509_LOOKUP_METHOD *m = made != NULL ? made :
	    X509_LOOKUP_meth_new("sceau");

	if (m != NULL && made == NULL &&
	    X509_LOOKUP_meth_set_free(m, forget) == 1 &&
	    X509_LOOKUP_meth_set_get_by_subject(m, by_subject) == 1)
		made = m;
	return made;
}

bool
roots_load(SSL_CTX *ctx, const char *path)
{
	struct roots *r = roots_read(path);
	X509_LOOKUP_METHOD *m = r == NULL ? NULL : method();
	X509_LOOKUP *l = m == NULL ? NULL :
	    X509_STORE_add_lookup(SSL_CTX_get_cert_store(ctx), m);

	if (l == NULL || X509_LOOKUP_set_method_data(l, r) != 1) {
		roots_free(r);
		return false;
	}
	return true;
}
