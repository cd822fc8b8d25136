/* Every setting there is, one row each. */
#ifndef SC_CONF_TABLE_H
#define SC_CONF_TABLE_H

#include <stddef.h>

#include "conf/conf.h"

enum sect { S_TOP, S_ACCOUNT, S_RELAY, S_DELIVER, S_OUTBOX, S_N };

/* How a value is read, and what it becomes in the struct. */
enum kind {
	K_TEXT, K_COMMAND, K_PATH, K_SECRET_FILE, K_HOST, K_HELO, K_ADDR,
	K_PIN, K_LANG, K_NAMES,	/* char * */
	K_WORD,			/* an enum of conf.h, or int */
	K_INT, K_TIME,		/* int */
	K_RANGE,		/* two int, one after the other */
	K_WAIT,			/* struct conf_wait */
	K_HOURS,		/* struct hours */
	K_PORT,			/* uint16_t */
	K_BOOL,			/* bool */
	K_SIZE			/* uint64_t */
};

struct row {
	enum sect		 sect;
	const char		*name;
	enum kind		 kind;
	size_t			 at;	/* offset in the section's struct */
	const char *const	*words;
	int			 min, max;
	const char		*dflt;	/* read when nothing is written */
	const char		*say;	/* the same for people, if not so
					 * simple */
	const char		*help;
};

extern const struct row conf_rows[];
extern const size_t conf_nrows;

/* sect_name(s): "" for the top, "account" and so on. */
const char *sect_name(enum sect s);
/* row_is_string(r): the struct holds an owned char *. */
bool row_is_string(const struct row *r);
/* row_read(r, s, base, e): read ${s} into the struct at ${base}; a former
 * string is freed.  Results as in value.h. */
enum rc row_read(const struct row *r, const char *s, void *base,
    struct err *e);

#endif
