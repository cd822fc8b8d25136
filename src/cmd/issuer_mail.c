/* Sealed mails that the issuer's desk makes for members. */
#include "config.h"

#include "base/clock.h"
#include "base/lang.h"
#include "cmd/issuer_mail.h"
#include "mail/wrap.h"

static enum rc
into_mail(void *arg, const uint8_t *p, size_t len, struct err *e)
{
	return buf_add(arg, p, len) ? RC_OK :
	    err_set(e, RC_NOMEM, _("no memory left"));
}

enum rc
issuer_mail_wrap(const struct desk *d, const struct member *to,
    struct bytes envelope, struct buf *out, struct err *e)
{
	const char *from = members_desk(d->members, MEMBER_ISSUER)->route;
	uint8_t rnd[WRAP_RANDOM_BYTES];
	char id[WRAP_ID_BYTES];
	struct wrap_head head = { .from = from, .to = to->route,
	    .date = clock_now(), .message_id = id };
	struct wrap w;
	enum rc rc;

	random_bytes(rnd, sizeof(rnd));
	wrap_message_id(from, rnd, id);
	buf_wipe(out);
	if ((rc = wrap_begin(&w, &head, (struct sink){ into_mail, out },
	    e)) != RC_OK ||
	    (rc = wrap_add(&w, envelope.p, envelope.len, e)) != RC_OK ||
	    (rc = wrap_end(&w, e)) != RC_OK)
		return err_ctx(e, "%s", to->id.s);
	return RC_OK;
}
