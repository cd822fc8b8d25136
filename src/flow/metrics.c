#include "config.h"

#include "flow/alarm_text.h"
#include "flow/metrics.h"

static bool
head(struct buf *out, const char *name, const char *help)
{
	return buf_addf(out, "# HELP %s %s\n# TYPE %s gauge\n", name, help,
	    name);
}

static bool
say_messages(const struct store_counts *c, struct buf *out)
{
	static const char name[] = "sceau_messages";
	const struct { const char *state; uint64_t n; } rows[] = {
		{ "queued", c->queued + c->claimed },
		{ "undelivered", c->undelivered }, { "late", c->late },
		{ "failed", c->failed }, { "refused", c->refused },
		{ "damaged", c->damaged }, { "returned", c->bounced },
		{ "to_open", c->to_open }, { "held", c->held },
		{ "acks_waiting", c->acks_waiting },
	};
	bool ok = head(out, name, "Messages in the store, by state.");

	for (size_t i = 0; ok && i < sizeof(rows) / sizeof(rows[0]); i++)
		ok = buf_addf(out, "%s{state=\"%s\"} %llu\n", name,
		    rows[i].state, (unsigned long long)rows[i].n);
	return ok;
}

static bool
say_alarms(const uint64_t *alarms, struct buf *out)
{
	static const char name[] = "sceau_alarms";
	bool ok = head(out, name, "Alarms that last, by rule.");

	for (int i = 1; ok && i < STORE_RULE_N; i++)
		ok = buf_addf(out, "%s{rule=\"%s\"} %llu\n", name,
		    alarm_rule((enum store_rule)i),
		    (unsigned long long)alarms[i]);
	return ok;
}

/* Names are those of identities: nothing in them needs an escape. */
static bool
say_keys(const struct metrics *m, struct buf *out)
{
	static const char name[] = "sceau_key_end_timestamp_seconds";
	bool ok = head(out, name, "Until when a key of ours is good to "
	    "write.");

	for (size_t i = 0; ok && i < m->nkeys; i++)
		ok = buf_addf(out, "%s{name=\"%s\"} %lld\n", name,
		    m->keys[i].name, (long long)m->keys[i].until);
	return ok;
}

static bool
say_one(struct buf *out, const char *name, const char *help, int64_t n)
{
	return head(out, name, help) &&
	    buf_addf(out, "%s %lld\n", name, (long long)n);
}

bool
metrics_say(const struct metrics *m, struct buf *out)
{
	const struct store_pass *p = &m->pass;

	return say_messages(&m->counts, out) && say_alarms(m->alarms, out) &&
	    say_keys(m, out) &&
	    say_one(out, "sceau_oldest_queued_timestamp_seconds",
	    "Since when the oldest message waits to be sent; 0: none.",
	    m->counts.oldest_queued_at) &&
	    say_one(out, "sceau_pass_timestamp_seconds",
	    "When the last pass was at work.", p->seen_at) &&
	    say_one(out, "sceau_pass_duration_seconds",
	    "How long it took.", p->seen_at - p->began_at) &&
	    say_one(out, "sceau_pass_exit_code",
	    "What it came to: 0, or as in sysexits(3).", p->code);
}
