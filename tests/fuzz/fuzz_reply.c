/*
 * What a relay says: the same reply whole or octet by octet, printable, and a
 * verdict; and as the libesmtp engine hears it, whatever the order of commands
 * and words: nothing that was not asked for is believed.
 */
/* links: wire conf mail base */
#include "config.h"

#include "fuzz.h"
#include "wire/relay_esmtp.h"

static enum reply_state
read_reply(struct reply *r, const char *p, size_t len, size_t step,
    size_t *at)
{
	enum reply_state state = REPLY_MORE;
	size_t used;

	for (*at = 0; *at < len && state == REPLY_MORE; *at += used)
		state = reply_read(r, p + *at,
		    len - *at < step ? len - *at : step, &used);
	return state;
}

static void
check_reply(const char *p, size_t len)
{
	struct reply a = REPLY_INIT, b = REPLY_INIT;
	size_t at, bt;
	enum reply_state state = read_reply(&a, p, len, len, &at);

	BUG_ON(read_reply(&b, p, len, 1, &bt) != state);
	if (state != REPLY_DONE)
		return;
	BUG_ON(at != bt || a.result.code != b.result.code ||
	    strcmp(a.result.text, b.result.text) != 0 ||
	    strcmp(a.result.enhanced, b.result.enhanced) != 0);
	BUG_ON(a.result.code < 200 || a.result.code > 599);
	for (const char *s = a.result.text; *s != '\0'; s++)
		BUG_ON(*s < ' ' || *s > '~');
	for (int phase = 0; phase <= REPLY_AT_OTHER; phase++) {
		b = a;
		(void)reply_judge((enum reply_phase)phase, &b.result);
		BUG_ON(b.result.verdict == RELAY_SENT &&
		    (phase != REPLY_AT_CONTENT || a.result.code / 100 != 2));
	}
}

/* 'C' begins a command, 'T' TLS, anything else words of the server. */
static void
converse(struct esmtp *x, struct fuzz *f)
{
	char words[256];
	bool due = true;	/* the greeting */

	while (f->left > 0) {
		uint8_t who = fuzz_8(f);
		struct bytes b = fuzz_run(f, sizeof(words));

		if (b.len == 0)
			continue;
		memcpy(words, b.p, b.len);
		if (who == 'C') {
			esmtp_monitor(words, (int)b.len, SMTP_CB_WRITING, x);
			due = true;
			continue;
		}
		esmtp_monitor(words, (int)b.len, SMTP_CB_READING, x);
		BUG_ON(!x->mailing && !due && !x->tainted);
		due = x->awaited;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	char host[] = "relay.example", user[] = "user";
	const struct conf_relay conf = { .server = { .host = host,
	    .user = user, .timeout_s = 60 } };
	struct relay r = { .conf = &conf };
	struct err e = ERR_INIT;
	static struct esmtp x;
	struct fuzz f = { p, len };

	check_reply((const char *)p, len);
	memset(&x, 0, sizeof(x));
	x.r = &r;
	x.e = &e;
	x.awaited = true;
	x.reply = (struct reply)REPLY_INIT;
	converse(&x, &f);
	return 0;
}
