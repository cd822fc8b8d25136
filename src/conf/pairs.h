/* Settings that cannot stand together, and those that must. */
#ifndef SC_CONF_PAIRS_H
#define SC_CONF_PAIRS_H

#include "conf/conf.h"

/* Which settings of a section were written, and where. */
struct written {
	/* line_of(arg, name): 0 when it was not */
	int		(*line_of)(const void *arg, const char *name);
	const void	*arg;
};

/* written_has(w, name): that setting was. */
static inline bool
written_has(const struct written *w, const char *name)
{
	return w->line_of(w->arg, name) != 0;
}

/* One thing that is wrong: when, which setting is to blame, what to say. */
struct pair {
	bool		(*wrong)(const void *section, const struct written *w);
	const char	*blame;
	const char	*say;
};

/* pairs_check(): the words of ${pairs}, up to the one without a function. */
enum rc pairs_check(const struct pair *pairs, const void *section,
    const struct written *w, const char **blame, struct err *e);

/*
 * pairs_account(a, w, blame, e), and so on:
 * Check a section whose values have been read and whose defaults are filled
 * in.  RC_OK, or RC_CONF "what is wrong; what to write" with ${blame} naming
 * the setting to be shown, or NULL for the section itself.
 */
enum rc pairs_account(const struct conf_account *a, const struct written *w,
    const char **blame, struct err *e);
enum rc pairs_relay(const struct conf_relay *r, const struct written *w,
    const char **blame, struct err *e);
enum rc pairs_deliver(const struct conf_deliver *d, const struct written *w,
    const char **blame, struct err *e);
enum rc pairs_outbox(const struct conf_outbox *o, const struct written *w,
    const char **blame, struct err *e);
/* Some of pairs_top()'s; of a struct conf. */
bool pairs_outboxes_overlap(const void *conf, const struct written *w);
bool pairs_unsealed_nowhere(const void *conf, const struct written *w);
bool pairs_unsealed_from_nobody(const void *conf, const struct written *w);
enum rc pairs_top(const struct conf *c, const struct written *w,
    const char **blame, struct err *e);

#endif
