#include "config.h"

#include <string.h>

#include "base/lang.h"
#include "base/secret.h"
#include "vault/record.h"
#include "base/utf8.h"

/* One row per record of PROTOCOL 2.5; a value is read whole or refused. */
struct rec_type_row {
	const char	*name;
	bool		(*read)(struct rd *v, struct rec *r);
	bool		(*write)(struct buf *b, const struct rec *r);
};

/* Fields. */

static bool
read_at(struct rd *v, int64_t *at)
{
	uint64_t n = rd_64(v);

	*at = n <= INT64_MAX ? (int64_t)n : 0;
	return n <= INT64_MAX;
}

static const uint8_t *
read_32(struct rd *v)
{
	return rd_take(v, KDF_KEY_BYTES).p;
}

/* All that is left. */
static bool
read_identity(struct rd *v, struct identity *id)
{
	struct bytes s = rd_take(v, v->left);

	return !v->bad && identity_parse(s.p, s.len, id);
}

static bool
read_name(struct rd *v, struct identity *id)
{
	struct bytes s = rd_take(v, v->left);

	return !v->bad && identity_parse_name(s.p, s.len, id);
}

static bool
add_32(struct buf *b, const uint8_t *p)
{
	return buf_add(b, p, KDF_KEY_BYTES);
}

static bool
add_at(struct buf *b, int64_t at)
{
	return buf_add64(b, (uint64_t)at);
}

static bool
add_identity(struct buf *b, const struct identity *id)
{
	return buf_add(b, id->s, id->len);
}

/* Records. */

static bool
read_meta(struct rd *v, struct rec *r)
{
	bool ok = read_at(v, &r->meta.sealed_at);

	r->meta.bulletin = rd_32(v);
	r->meta.year = rd_16(v);
	r->meta.version = rd_8(v);
	return ok;
}

static bool
write_meta(struct buf *b, const struct rec *r)
{
	return add_at(b, r->meta.sealed_at) &&
	    buf_add32(b, r->meta.bulletin) && buf_add16(b, r->meta.year) &&
	    buf_add8(b, r->meta.version);
}

static bool
read_grant(struct rd *v, struct rec *r)
{
	r->grant.year = rd_16(v);
	r->grant.key = read_32(v);
	return read_identity(v, &r->grant.peer);
}

static bool
write_grant(struct buf *b, const struct rec *r)
{
	return buf_add16(b, r->grant.year) && add_32(b, r->grant.key) &&
	    add_identity(b, &r->grant.peer);
}

static bool
read_ack(struct rd *v, struct rec *r)
{
	uint8_t state;
	bool ok;

	r->ack.tag = read_32(v);
	state = rd_8(v);
	r->ack.state = (enum rec_ack_state)state;
	ok = read_at(v, &r->ack.at);
	r->ack.digest = read_32(v);
	memset(&r->ack.name, 0, sizeof(r->ack.name));
	return ok && ((state >= REC_ACK_RELAYED && state <= REC_ACK_OPENED) ||
	    state == REC_ACK_REFUSED || state == REC_ACK_DAMAGED);
}

static bool
write_ack(struct buf *b, const struct rec *r)
{
	return add_32(b, r->ack.tag) && buf_add8(b, (uint8_t)r->ack.state) &&
	    add_at(b, r->ack.at) && add_32(b, r->ack.digest);
}

static bool
read_relayed_ack(struct rd *v, struct rec *r)
{
	return read_ack(v, r) && read_name(v, &r->ack.name);
}

static bool
write_relayed_ack(struct buf *b, const struct rec *r)
{
	return write_ack(b, r) && add_identity(b, &r->ack.name);
}

/* ASK and ROUTE. */
static bool
read_ask(struct rd *v, struct rec *r)
{
	return read_name(v, &r->ask.name);
}

static bool
write_ask(struct buf *b, const struct rec *r)
{
	return add_identity(b, &r->ask.name);
}

static bool
read_deny(struct rd *v, struct rec *r)
{
	uint8_t reason = rd_8(v);

	r->deny.reason = (enum rec_deny_reason)reason;
	return reason >= REC_DENY_UNKNOWN && reason <= REC_DENY_EXCLUDED &&
	    read_name(v, &r->deny.name);
}

static bool
write_deny(struct buf *b, const struct rec *r)
{
	return buf_add8(b, (uint8_t)r->deny.reason) &&
	    add_identity(b, &r->deny.name);
}

static bool
read_bulletin(struct rd *v, struct rec *r)
{
	r->bulletin.number = rd_32(v);
	return true;
}

static bool
write_bulletin(struct buf *b, const struct rec *r)
{
	return buf_add32(b, r->bulletin.number);
}

static bool
read_bar(struct rd *v, struct rec *r)
{
	r->bar.minimum = rd_8(v);
	return r->bar.minimum > 0 && read_name(v, &r->bar.name);
}

static bool
write_bar(struct buf *b, const struct rec *r)
{
	return buf_add8(b, r->bar.minimum) && add_identity(b, &r->bar.name);
}

/* Of RFC 5322 3.2.3, those that no mailbox of ours has. */
static bool
is_special(uint8_t c)
{
	switch (c) {
	case '<': case '>': case '(': case ')': case '\\': case ',':
	case ';': case ':': case '"':
		return true;
	}
	return false;
}

/* A mailbox that can stand in MAIL FROM and in a header as it is, or none:
 * an offline issuer has an entry and nowhere to write to. */
static bool
is_route(struct bytes s)
{
	size_t at = 0, nat = 0;

	if (s.len == 0)
		return true;
	for (size_t i = 0; i < s.len; i++) {
		if (s.p[i] <= ' ' || s.p[i] > '~' || is_special(s.p[i]))
			return false;
		if (s.p[i] == '@') {
			at = i;
			nat++;
		}
	}
	return nat == 1 && at > 0 && at + 1 < s.len && s.len <= REC_ROUTE_MAX;
}

static bool
is_display(struct bytes s)
{
	uint32_t c;

	for (size_t i = 0; i < s.len;)
		if (!utf8_next(s.p, s.len, &i, &c) || utf8_control(c))
			return false;
	return s.len <= REC_DISPLAY_MAX;
}

static bool
read_entry(struct rd *v, struct rec *r)
{
	uint8_t flag = rd_8(v);
	struct bytes id = rd_take(v, rd_8(v));

	r->entry.flag = (enum rec_entry_flag)flag;
	if (v->bad || flag > REC_ENTRY_DESK ||
	    !identity_parse(id.p, id.len, &r->entry.id))
		return false;
	r->entry.route = rd_take(v, rd_8(v));
	if (v->bad || !is_route(r->entry.route))
		return false;
	r->entry.display = rd_take(v, v->left);
	return is_display(r->entry.display);
}

static bool
write_entry(struct buf *b, const struct rec *r)
{
	const struct rec_entry *n = &r->entry;

	return buf_add8(b, (uint8_t)n->flag) && buf_add8(b, n->id.len) &&
	    add_identity(b, &n->id) && buf_add8(b, (uint8_t)n->route.len) &&
	    buf_add(b, n->route.p, n->route.len) &&
	    buf_add(b, n->display.p, n->display.len);
}

static bool
read_self(struct rd *v, struct rec *r)
{
	struct rec_self *s = &r->self;
	bool ok;

	s->year = rd_16(v);
	ok = read_at(v, &s->from_at);
	ok = read_at(v, &s->send_until_at) && ok;
	ok = read_at(v, &s->read_until_at) && ok;
	s->key = read_32(v);
	return read_identity(v, &s->id) && ok &&
	    s->from_at <= s->send_until_at &&
	    s->send_until_at <= s->read_until_at;
}

static bool
write_self(struct buf *b, const struct rec *r)
{
	const struct rec_self *s = &r->self;

	return buf_add16(b, s->year) && add_at(b, s->from_at) &&
	    add_at(b, s->send_until_at) && add_at(b, s->read_until_at) &&
	    add_32(b, s->key) && add_identity(b, &s->id);
}

static bool
read_role(struct rd *v, struct rec *r)
{
	uint8_t role = rd_8(v);

	r->role.role = (enum rec_role_kind)role;
	return role >= REC_ROLE_ISSUER && role <= REC_ROLE_WATCH &&
	    read_identity(v, &r->role.id);
}

static bool
write_role(struct buf *b, const struct rec *r)
{
	return buf_add8(b, (uint8_t)r->role.role) &&
	    add_identity(b, &r->role.id);
}

static bool
read_relayed(struct rd *v, struct rec *r)
{
	bool ok;

	r->relayed.tag = read_32(v);
	ok = read_at(v, &r->relayed.at);
	return read_identity(v, &r->relayed.id) && ok;
}

static bool
write_relayed(struct buf *b, const struct rec *r)
{
	return add_32(b, r->relayed.tag) && add_at(b, r->relayed.at) &&
	    add_identity(b, &r->relayed.id);
}

static bool
read_witness(struct rd *v, struct rec *r)
{
	r->witness.proof = read_32(v);
	return true;
}

static bool
write_witness(struct buf *b, const struct rec *r)
{
	return add_32(b, r->witness.proof);
}

static const struct rec_type_row rows[256] = {
	[REC_END] = { "END", NULL, NULL },
	[REC_META] = { "META", read_meta, write_meta },
	[REC_GRANT] = { "GRANT", read_grant, write_grant },
	[REC_ACK] = { "ACK", read_ack, write_ack },
	[REC_ASK] = { "ASK", read_ask, write_ask },
	[REC_DENY] = { "DENY", read_deny, write_deny },
	[REC_BULLETIN] = { "BULLETIN", read_bulletin, write_bulletin },
	[REC_BAR] = { "BAR", read_bar, write_bar },
	[REC_ENTRY] = { "ENTRY", read_entry, write_entry },
	[REC_SELF] = { "SELF", read_self, write_self },
	[REC_ROLE] = { "ROLE", read_role, write_role },
	[REC_RELAYED] = { "RELAYED", read_relayed, write_relayed },
	[REC_ROUTE] = { "ROUTE", read_ask, write_ask },
	[REC_RELAYED_ACK] = { "RELAYED-ACK", read_relayed_ack,
	    write_relayed_ack },
	[REC_MAIL] = { "MAIL", NULL, NULL },
	[REC_WITNESS] = { "WITNESS", read_witness, write_witness },
};

/* The three doors. */

const char *
rec_name(uint8_t type)
{
	return rows[type].name != NULL ? rows[type].name : "?";
}

bool
rec_known(uint8_t type)
{
	return rows[type].name != NULL;
}

bool
rec_skipped(uint8_t type)
{
	return type >= 0x80 && type < 0xff && !rec_known(type);
}

enum rc
rec_parse(uint8_t type, struct bytes value, struct rec *r, struct err *e)
{
	struct rd v = rd_of(value.p, value.len);

	r->type = type;
	if (rec_skipped(type))
		return RC_OK;
	if (rows[type].read == NULL)
		return err_class(e, EC_RECORD, _("record type 0x%02x is not "
		    "understood here"), type);
	if (!rows[type].read(&v, r) || !rd_done(&v))
		return err_class(e, EC_RECORD,
		    _("a record %s is malformed"), rec_name(type));
	return RC_OK;
}

enum rc
rec_next(struct rd *rd, struct rec *r, struct err *e)
{
	uint8_t type = rd_8(rd);
	struct bytes value = rd_take(rd, rd_32(rd));

	if (rd->bad)
		return err_class(e, EC_RECORD, _("a record is cut short"));
	return rec_parse(type, value, r, e);
}

enum rc
rec_add(struct buf *b, const struct rec *r, struct err *e)
{
	size_t at = b->len;
	struct rd rd;
	struct rec again;
	enum rc rc;

	BUG_ON(rows[r->type].write == NULL);
	BUG_ON(r->type == REC_GRANT && r->grant.peer.gen == 0);
	if (!buf_add8(b, r->type) || !buf_add32(b, 0) ||
	    !rows[r->type].write(b, r)) {
		rc = err_set(e, RC_NOMEM, _("no memory for records"));
	} else {
		put_be32(b->p + at + 1,
		    (uint32_t)(b->len - at - REC_HEAD_BYTES));
		/* What we would refuse from others we do not write.  Of a
		 * GRANT, and most are, nobody could refuse anything. */
		rd = rd_of(b->p + at, b->len - at);
		rc = r->type == REC_GRANT ? RC_OK : rec_next(&rd, &again, e);
	}
	if (rc != RC_OK && b->len > at) {
		wipe(b->p + at, b->len - at);
		b->len = at;
	}
	return rc;
}
