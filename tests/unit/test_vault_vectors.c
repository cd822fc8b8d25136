/* The vectors that both implementations answer to: tests/vectors/README. */
#include <jansson.h>

#include "vault_unit.h"
#include "vault/authority.h"
#include "vault/code.h"
#include "vault/inner.h"
#include "vault/mailbox.h"

static size_t wrong;

static json_t *
load(const char *path)
{
	json_error_t why;
	json_t *all = json_load_file(path, JSON_ALLOW_NUL, &why);

	if (all == NULL)
		fail_msg("%s:%d: %s", path, why.line, why.text);
	return all;
}

static const char *
str(const json_t *v, const char *key)
{
	return json_string_value(json_object_get(v, key));
}

/* A text, or octets as "KEY_hex"; owned. */
static struct buf
octets(const json_t *v, const char *key)
{
	const json_t *text = json_object_get(v, key);
	struct buf b = BUF_INIT;
	const char *hex;
	char name[64];

	if (text != NULL) {
		T_CHECK(buf_add(&b, json_string_value(text),
		    json_string_length(text)));
		return b;
	}
	snprintf(name, sizeof(name), "%s_hex", key);
	hex = str(v, name);
	T_CHECK(hex != NULL && buf_reserve(&b, strlen(hex) / 2 + 1));
	b.len = strlen(hex) / 2;
	T_CHECK(hex_parse(hex, b.p, b.len));
	return b;
}

/*
 * P14: where the specification leaves it open we refuse what a reader might
 * show as another sender.
 */
static bool
is_stricter(const char *name, const char *got)
{
	return strcmp(name, "another address as quoted display name") == 0 &&
	    strcmp(got, "INNER") == 0;
}

/* Compare; say all that differ before failing. */
static void
judge(const json_t *v, const char *got)
{
	const char *want = str(v, "expect");

	if (is_stricter(str(v, "name"), got))
		return;
	if (want != NULL && strcmp(got, want) == 0)
		return;
	wrong++;
	print_error("%s: %s, expected %s\n", str(v, "name"), got,
	    want != NULL ? want : "?");
}

static const char *
say(enum rc rc, const struct err *e)
{
	return rc == RC_OK ? "ok" : err_class_name(e->class);
}

static void
each(const char *path, void (*run_one)(const json_t *v))
{
	json_t *all = load(path), *v;
	size_t i;

	wrong = 0;
	T_CHECK(json_array_size(all) > 10);
	json_array_foreach(all, i, v)
		run_one(v);
	json_decref(all);
	T_CHECK(wrong == 0);
}

static void
one_identity(const json_t *v)
{
	struct identity id;
	bool whole = json_object_get(v, "identity") != NULL ||
	    json_object_get(v, "identity_hex") != NULL;
	struct buf b = octets(v, whole ? "identity" : "name");

	judge(v, (whole ? identity_parse(b.p, b.len, &id) :
	    identity_parse_name(b.p, b.len, &id)) ? "ok" : "FORMAT");
	buf_free(&b);
}

static void
one_code(const json_t *v)
{
	uint8_t code[CODE_BYTES];
	char hex[2 * CODE_BYTES + 1], text[CODE_TEXT_BYTES];
	struct err e = ERR_INIT;
	struct buf b;
	const char *want = str(v, "expect_hex");

	if (strcmp(str(v, "op"), "root") == 0)
		return;
	if (strcmp(str(v, "op"), "format") == 0) {
		b = octets(v, "code");
		code_format(b.p, text);
		judge(v, text);
	} else {
		b = octets(v, "text");
		if (code_parse((const char *)b.p, b.len, code, &e) != RC_OK) {
			judge(v, "FORMAT");
		} else {
			hex_format(code, sizeof(code), hex);
			T_CHECK(want != NULL);
			T_STR(hex, want);
		}
	}
	buf_free(&b);
}

static void
one_padding(const json_t *v)
{
	uint64_t n = (uint64_t)json_integer_value(json_object_get(v,
	    "content"));

	T_CHECK(payload_padded(n) == (uint64_t)json_integer_value(
	    json_object_get(v, "expect")));
}

static enum rc
read_payload(const struct buf *b, size_t limit, size_t step, struct err *e)
{
	struct payload_reader r;
	enum rc rc = RC_OK;
	size_t n;

	payload_init(&r, limit, (struct payload_events){ 0 });
	for (size_t i = 0; rc == RC_OK && i < b->len; i += n) {
		n = b->len - i < step ? b->len - i : step;
		rc = payload_feed(&r, b->p + i, n, e);
	}
	if (rc == RC_OK)
		rc = payload_end(&r, e);
	payload_free(&r);
	return rc;
}

/* Pieces: hex, or [hex, how many times]. */
static struct buf
pieces(const json_t *list)
{
	struct buf all = BUF_INIT, one = BUF_INIT;
	const json_t *p, *text;
	json_int_t times;
	const char *hex;
	size_t i;

	json_array_foreach(list, i, p) {
		text = json_is_array(p) ? json_array_get(p, 0) : p;
		times = json_is_array(p) ?
		    json_integer_value(json_array_get(p, 1)) : 1;
		hex = json_string_value(text);
		buf_wipe(&one);
		T_CHECK(buf_reserve(&one, strlen(hex) / 2 + 1));
		one.len = strlen(hex) / 2;
		T_CHECK(hex_parse(hex, one.p, one.len));
		for (; times > 0; times--)
			T_CHECK(buf_add(&all, one.p, one.len));
	}
	buf_free(&one);
	return all;
}

static void
one_payload(const json_t *v)
{
	struct buf b = pieces(json_object_get(v, "payload"));
	size_t limit = (size_t)json_integer_value(json_object_get(v,
	    "limit"));
	struct err e = ERR_INIT;
	enum rc rc = read_payload(&b, limit, SIZE_MAX, &e);

	judge(v, say(rc, &e));
	T_RC(read_payload(&b, limit, 1, &e), rc);
	buf_free(&b);
}

static void
one_from(const json_t *v)
{
	struct buf b = octets(v, "value"), head = BUF_INIT;
	struct inner in;
	struct err e = ERR_INIT;
	enum rc rc;

	T_CHECK(buf_adds(&head, "From:") && buf_add(&head, b.p, b.len) &&
	    buf_adds(&head, "\r\n\r\n"));
	inner_init(&in);
	rc = inner_feed(&in, head.p, head.len, &e);
	if (rc == RC_OK)
		rc = inner_end(&in, &e);
	if (rc == RC_OK && strcmp(in.addr, str(v, "address")) != 0)
		rc = err_class(&e, EC_INNER, "another");
	judge(v, say(rc, &e));
	buf_free(&b);
	buf_free(&head);
}

static void
one_inner(const json_t *v)
{
	struct buf b = octets(v, "mail");
	struct inner in;
	struct err e = ERR_INIT;
	enum rc rc;

	inner_init(&in);
	rc = inner_feed(&in, b.p, b.len, &e);
	if (rc == RC_OK)
		rc = inner_end(&in, &e);
	if (rc == RC_OK && strcmp(in.addr, str(v, "address")) != 0)
		rc = err_class(&e, EC_INNER, "another");
	judge(v, say(rc, &e));
	buf_free(&b);
}

/* An envelope from labo to dr with a known random part. */
static struct buf
seal_known(const struct buf *mail, bool has_mail)
{
	uint8_t key[KDF_KEY_BYTES], d[KDF_KEY_BYTES], rnd[KDF_KEY_BYTES];
	struct env_sealer *env = env_sealer_new();
	struct buf p0 = BUF_INIT, out = BUF_INIT;
	struct env_head h = head_of(LABO, DR);
	struct payload_sealer s;
	struct payload_plan plan;
	struct err e = ERR_INIT;

	channel(key, LABO, DR);
	kdf_hash_of(mail->p, has_mail ? mail->len : 0, d);
	for (uint8_t i = 0; i < sizeof(rnd); i++)
		rnd[i] = (uint8_t)(0xa0 + i);
	add_meta(&p0);
	T_CHECK(buf_add8(&p0, has_mail ? REC_MAIL : REC_END));
	if (has_mail)
		T_CHECK(buf_add32(&p0, (uint32_t)mail->len));
	T_CHECK(buf_add(&p0, d, sizeof(d)));
	kdf_hash_of(p0.p, p0.len, h.salt);
	kdf_salt(h.salt, key, rnd, h.salt);
	plan = (struct payload_plan){ { p0.p, 20 }, has_mail,
	    (uint32_t)mail->len, d, true };
	T_RC(payload_seal_start(&s, env, &plan, &h, key, keep(&out), &e),
	    RC_OK);
	if (has_mail)
		T_RC(payload_seal_mail(&s, mail->p, mail->len, &e), RC_OK);
	T_RC(payload_seal_end(&s, &e), RC_OK);
	env_sealer_free(&env);
	buf_free(&p0);
	return out;
}

static struct buf
mail_of(const json_t *v)
{
	const json_t *zeros = json_object_get(v, "zeros");
	struct buf b;

	if (zeros == NULL)
		return octets(v, "mail");
	b = text_of((size_t)json_integer_value(zeros));
	memset(b.p, 0, b.len);
	return b;
}

static void
expect_hex(const json_t *v, const char *key, const uint8_t *p, size_t len)
{
	char hex[2 * KDF_KEY_BYTES + 1];

	T_CHECK(len <= KDF_KEY_BYTES && str(v, key) != NULL);
	hex_format(p, len, hex);
	T_STR(hex, str(v, key));
}

static void
one_seal(const json_t *v)
{
	const json_t *want = json_object_get(v, "expect");
	bool has_mail = !json_is_null(json_object_get(v, "zeros"));
	struct buf mail = mail_of(v), env = seal_known(&mail, has_mail);
	uint8_t hash[KDF_KEY_BYTES];
	struct err e = ERR_INIT;
	struct env_head h;

	T_RC(env_head_parse(env.p, env.len, &h, &e), RC_OK);
	expect_hex(want, "salt_hex", h.salt, sizeof(h.salt));
	expect_hex(want, "T_hex", h.tag, sizeof(h.tag));
	kdf_hash_of(env.p, env.len, hash);
	expect_hex(want, "b2sum_hex", hash, sizeof(hash));
	buf_free(&mail);
	buf_free(&env);
}

/* put AT HEX, cut AT, add HEX, move TO FROM. */
static void
edit(struct buf *b, const json_t *step)
{
	const char *what = json_string_value(json_array_get(step, 0));
	const json_t *arg = json_array_get(step, 1);
	size_t at = (size_t)json_integer_value(arg), n;
	const char *hex = json_string_value(json_is_string(arg) ? arg :
	    json_array_get(step, 2));

	if (strcmp(what, "cut") == 0) {
		b->len = at;
	} else if (strcmp(what, "put") == 0) {
		T_CHECK(hex_parse(hex, b->p + at, strlen(hex) / 2));
	} else if (strcmp(what, "add") == 0) {
		n = strlen(hex) / 2;
		T_CHECK(buf_reserve(b, n) && hex_parse(hex, b->p + b->len, n));
		b->len += n;
	} else {
		/* Take out what stands from the second up to the first. */
		n = (size_t)json_integer_value(json_array_get(step, 2));
		T_CHECK(strcmp(what, "move") == 0 && n < at && at <= b->len);
		memmove(b->p + n, b->p + at, b->len - at);
		b->len -= at - n;
	}
}

static const char *
open_said(const struct buf *env)
{
	struct env_opener *o = env_opener_new();
	struct buf out = BUF_INIT;
	uint8_t key[KDF_KEY_BYTES];
	struct err e = ERR_INIT;
	struct env_head h;
	enum rc rc;

	channel(key, LABO, DR);
	rc = env_head_parse(env->p, env->len, &h, &e);
	if (rc == RC_OK)
		rc = env_open_start(o, &h, key, keep(&out), &e);
	if (rc == RC_OK)
		rc = env_open_feed(o, env->p + h.len, env->len - h.len, &e);
	if (rc == RC_OK)
		rc = env_open_end(o, &e);
	env_opener_free(&o);
	buf_free(&out);
	return say(rc, &e);
}

static struct buf bases[2];	/* small, big: the first two vectors */

static void
one_envelope(const json_t *v)
{
	struct buf *base = &bases[strcmp(str(v, "base"), "big") == 0];
	struct buf b = BUF_INIT, mail;
	const json_t *step;
	size_t i;

	if (base->len == 0) {
		mail = mail_of(v);
		*base = seal_known(&mail, true);
		buf_free(&mail);
	}
	T_CHECK(buf_add(&b, base->p, base->len));
	json_array_foreach(json_object_get(v, "edit"), i, step)
		edit(&b, step);
	judge(v, open_said(&b));
	buf_free(&b);
}

/* The roles of a name, as a set. */
static unsigned
roles_of(const json_t *v, const struct identity *id)
{
	static const unsigned bits[] = { 0, AUTHORITY_ISSUER, AUTHORITY_HUB,
	    AUTHORITY_WATCH };
	unsigned set = AUTHORITY_MEMBER;
	struct identity holder;
	char key[2] = "1";

	for (; key[0] <= '3'; key[0]++) {
		if (str(json_object_get(v, "roles"), key) == NULL)
			continue;
		holder = who(str(json_object_get(v, "roles"), key));
		if (identity_same_name(&holder, id))
			set |= bits[key[0] - '0'];
	}
	return set;
}

/* The conditions that need nothing but the message itself. */
static bool
also_holds(const json_t *v, const struct rec *r, unsigned also)
{
	struct identity from = who(str(v, "sender"));

	if ((also & AUTHORITY_IF_RETURN_KEY) != 0 &&
	    !identity_eq(&r->grant.peer, &from))
		return false;
	if ((also & AUTHORITY_IF_NOT_STATE_1) != 0 &&
	    r->ack.state == REC_ACK_RELAYED)
		return false;
	if ((also & AUTHORITY_IF_GRANT) != 0 && r->grant.year !=
	    json_integer_value(json_object_get(v, "year")))
		return false;
	return (also & AUTHORITY_IF_NO_ROLE) == 0 ||
	    identity_same_name(&r->bar.name, &from) ||
	    roles_of(v, &r->bar.name) == AUTHORITY_MEMBER;
}

static void
one_authority(const json_t *v)
{
	struct identity from = who(str(v, "sender"));
	struct identity to = who(str(v, "recipient"));
	struct authority_who w = { AUTHORITY_MAIL, roles_of(v, &from),
	    roles_of(v, &to), str(json_object_get(v, "roles"), "3") != NULL };
	struct buf b = octets(v, "content");
	struct rd rd = rd_of(b.p, b.len);
	struct err e = ERR_INIT;
	unsigned also;
	struct rec r;
	bool ok = true;

	while (rd.left > 1 && *rd_at(&rd) != REC_END) {
		if (*rd_at(&rd) == REC_MAIL) {
			ok = authority_may(REC_MAIL, &w, &also) && ok;
			break;
		}
		T_RC(rec_next(&rd, &r, &e), RC_OK);
		ok = authority_may(r.type, &w, &also) &&
		    also_holds(v, &r, also) && ok;
	}
	judge(v, ok ? "ok" : "AUTHORITY");
	buf_free(&b);
}

#define V(name) T_SRC("tests/vectors/" name ".json")

static void
test_identity(void **state)
{
	(void)state;
	each(V("identity"), one_identity);
}

static void
test_code(void **state)
{
	(void)state;
	each(V("code"), one_code);
}

static void
test_padding(void **state)
{
	(void)state;
	each(V("padding"), one_padding);
}

static void
test_payload(void **state)
{
	(void)state;
	each(V("payload"), one_payload);
}

static void
test_from(void **state)
{
	(void)state;
	each(V("from"), one_from);
}

static void
test_inner(void **state)
{
	(void)state;
	each(V("inner"), one_inner);
}

static void
test_seal(void **state)
{
	(void)state;
	each(V("seal"), one_seal);
}

static void
test_envelope(void **state)
{
	(void)state;
	each(V("envelope"), one_envelope);
	buf_free(&bases[0]);
	buf_free(&bases[1]);
}

static void
test_authority(void **state)
{
	(void)state;
	each(V("authority"), one_authority);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_identity),
		cmocka_unit_test(test_code),
		cmocka_unit_test(test_padding),
		cmocka_unit_test(test_payload),
		cmocka_unit_test(test_from),
		cmocka_unit_test(test_inner),
		cmocka_unit_test(test_seal),
		cmocka_unit_test(test_envelope),
		cmocka_unit_test(test_authority),
	};
	struct err e = ERR_INIT;

	T_RC(secret_init(&e), RC_OK);

	return cmocka_run_group_tests(tests, NULL, NULL);
}
