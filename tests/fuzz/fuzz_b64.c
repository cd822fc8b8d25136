/* Base64: what is written is read back; any text gives the same octets and the
 * same verdict whole or octet by octet. */
/* links: mail base */
#include "config.h"

#include "fuzz.h"
#include "mail/b64.h"

static bool
decode(const uint8_t *p, size_t len, size_t step, struct buf *out)
{
	struct b64_dec d;
	size_t n;
	bool ok = true;

	b64_dec_init(&d);
	for (size_t i = 0; ok && i < len; i += step) {
		size_t more = len - i < step ? len - i : step;

		BUG_ON(!buf_reserve(out, B64_DEC_BYTES(more)));
		ok = b64_dec_add(&d, p + i, more, out->p + out->len, &n);
		BUG_ON(n > B64_DEC_BYTES(more));
		out->len += n;
	}
	if (ok) {
		BUG_ON(!buf_reserve(out, 3));
		ok = b64_dec_end(&d, out->p + out->len, &n);
		out->len += n;
	}
	BUG_ON(ok != (d.bad == B64_GOOD));
	return ok;
}

static void
encode(const uint8_t *p, size_t len, size_t step, struct buf *out)
{
	struct b64_enc e;

	b64_enc_init(&e);
	for (size_t i = 0; i < len; i += step) {
		size_t more = len - i < step ? len - i : step;

		BUG_ON(!buf_reserve(out, B64_ENC_BYTES(more)));
		out->len += b64_enc_add(&e, p + i, more, out->p + out->len);
	}
	BUG_ON(!buf_reserve(out, B64_LINE_BYTES));
	out->len += b64_enc_end(&e, out->p + out->len);
	BUG_ON(out->len != b64_enc_length(len));
}

static bool
is_same(const struct buf *a, const uint8_t *p, size_t len)
{
	return a->len == len && (len == 0 || memcmp(a->p, p, len) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	struct buf a = BUF_INIT, b = BUF_INIT, text = BUF_INIT;
	size_t step = len > 0 ? p[0] % 80U + 1 : 1;

	BUG_ON(decode(p, len, len + 1, &a) != decode(p, len, 1, &b) ||
	    !is_same(&a, b.p, b.len));
	buf_wipe(&a);
	buf_wipe(&b);
	encode(p, len, step, &text);
	BUG_ON(!decode(text.p, text.len, step, &a) || !is_same(&a, p, len));
	encode(p, len, len + 1, &b);
	BUG_ON(!is_same(&b, text.p, text.len));
	buf_free(&a);
	buf_free(&b);
	buf_free(&text);
	return 0;
}
