#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/lang.h"
#include "base/secret.h"
#include "flow/outgoing.h"

static enum rc
take_first(struct keeper *k, uint32_t job, struct outgoing *o, struct err *e)
{
	struct frame f;
	struct bytes header;
	struct rd r;
	enum rc rc = keeper_wait(k, &k->vault, &f, NULL, e);

	if (rc != RC_OK)
		return rc;
	if (f.type != IPC_OUT_HEAD || f.job != job)
		return keeper_odd(k, e);
	r = rd_of(f.body.p, f.body.len);
	if ((rc = unpack_err(&r, e)) != RC_OK)
		return rc;
	rd_copy(&r, o->t, sizeof(o->t));
	header = unpack_run(&r);
	if (!rd_done(&r) || header.len > CHAN_DATA_BYTES)
		return keeper_odd(k, e);
	return gather_add(k, &o->body, header.p, header.len, e);
}

enum rc
outgoing_take(struct keeper *k, uint32_t job, struct feed *feed,
    struct outgoing *o, struct err *e)
{
	struct frame f;
	struct rd r;
	enum rc rc;

	if ((rc = take_first(k, job, o, e)) != RC_OK)
		return rc;
	for (;;) {
		if ((rc = keeper_wait(k, &k->vault, &f, feed, e)) != RC_OK)
			return rc;
		if (f.job != job)
			return keeper_odd(k, e);
		if (f.type == IPC_OUT_END)
			break;
		if (f.type != IPC_OUT || f.body.len > CHAN_DATA_BYTES)
			return keeper_odd(k, e);
		if ((rc = gather_add(k, &o->body, f.body.p, f.body.len, e)) !=
		    RC_OK)
			return rc;
	}
	r = rd_of(f.body.p, f.body.len);
	if ((rc = unpack_err(&r, e)) != RC_OK)
		return rc;
	return gather_end(k, &o->body, e);
}

void
outgoing_put(struct keeper *k, struct outgoing *o, enum store_kind kind,
    const uint8_t *d, struct store_out_put *put)
{
	uint8_t rnd[WRAP_RANDOM_BYTES];

	random_bytes(rnd, sizeof(rnd));
	wrap_message_id(k->p->conf->route, rnd, o->message_id);
	clock_5322(clock_now(), o->date);
	memset(put, 0, sizeof(*put));
	put->kind = kind;
	memcpy(put->t, o->t, sizeof(put->t));
	if (d != NULL)
		memcpy(put->d, d, sizeof(put->d));
	put->identity = o->dest.to;
	put->from_route = kind == STORE_MAIL ? k->p->conf->route : "";
	put->to_route = o->dest.route[0] != '\0' ? o->dest.route :
	    o->dest.to_address;
	put->date = o->date;
	put->message_id = o->message_id;
	put->boundary = "";
	put->meta_at = o->at;
	put->body = gather_body(&o->body);
	put->routed = o->route_names;
	put->nrouted = o->nroutes;
	put->acks = o->acks;
	put->nacks = o->nacks;
	put->patients = (struct bytes){ o->patients.p, o->patients.len };
}

void
outgoing_free(struct keeper *k, struct outgoing *o)
{
	gather_drop(k, &o->body);
	free(o->acks);
	free(o->routes);
	free(o->route_names);
	buf_free(&o->patients);
	memset(o, 0, sizeof(*o));
}
