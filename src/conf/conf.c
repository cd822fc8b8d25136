#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <confuse.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/lang.h"
#include "conf/fill.h"
#include "conf/pairs.h"
#include "conf/table.h"
#include "conf/value.h"

#define CONF_MAX_BYTES (1024 * 1024)
#define MAX_ROWS 160
/*
 * To libConfuse the end of the file also ends a section and a comment: this
 * setting, put behind the text, is read at the top or something is missing.
 */
#define LAST "last-line-of-the-file"

struct load;

/*
 * libConfuse gives its callbacks no word of ours, but a "simple" option
 * carries a pointer to its text: this struct begins with that text.
 */
struct slot {
	char			*text;
	struct load		*load;
	const struct row	*row;
	int			 line;	/* in the section being read; 0 */
};

struct load {
	struct conf	*c;
	const char	*path;
	struct err	*e;	/* the first complaint; rc RC_OK until then */
	enum sect	 sect;	/* begun and not ended; S_TOP: none */
	int		 nlines;	/* without ours */
	bool		 whole;		/* LAST has been read */
	struct slot	 last;
	struct slot	 slots[MAX_ROWS];
	cfg_opt_t	 opts[S_N][MAX_ROWS];
};

/* "file:line: " before the first complaint; later ones only follow from it. */
static int
complain(struct load *l, int line, const struct err *why)
{
	if (l->e->rc != RC_OK)
		return -1;
	*l->e = *why;
	if (why->rc == RC_CONF)
		err_line(l->e, l->path, line < l->nlines ? line : l->nlines);
	return -1;
}

static int
complain_text(struct load *l, int line, const char *text)
{
	struct err e = ERR_INIT;

	err_set(&e, RC_CONF, "%s", text);
	return complain(l, line, &e);
}

/* The struct a section's rows write to: the last one begun. */
static void *
base_of(struct conf *c, enum sect s)
{
	switch (s) {
	case S_ACCOUNT:
		return &c->accounts[c->naccounts - 1];
	case S_RELAY:
		return &c->relays[c->nrelays - 1];
	case S_DELIVER:
		return &c->delivers[c->ndelivers - 1];
	case S_OUTBOX:
		return &c->outboxes[c->noutboxes - 1];
	case S_TOP:
	case S_N:
		break;
	}
	return c;
}

/* One more, zeroed, at the end of an array. */
static bool
grow(void **array, size_t *n, size_t size)
{
	char *more = calloc(*n + 1, size);

	if (more == NULL)
		return false;
	if (*n > 0)
		memcpy(more, *array, *n * size);
	free(*array);
	*array = more;
	++*n;
	return true;
}

#define GROW(a, n) grow((void **)&(a), &(n), sizeof(*(a)))

static enum rc
section_new(struct load *l, enum sect s, const char *title, struct err *e)
{
	struct conf *c = l->c;
	char *name = strdup(title);
	bool ok = name != NULL;

	if (ok && s == S_ACCOUNT && (ok = GROW(c->accounts, c->naccounts)))
		c->accounts[c->naccounts - 1].name = name;
	else if (ok && s == S_RELAY && (ok = GROW(c->relays, c->nrelays)))
		c->relays[c->nrelays - 1].name = name;
	else if (ok && s == S_DELIVER && (ok = GROW(c->delivers,
	    c->ndelivers)))
		c->delivers[c->ndelivers - 1].name = name;
	else if (ok && s == S_OUTBOX && (ok = GROW(c->outboxes,
	    c->noutboxes)))
		c->outboxes[c->noutboxes - 1].name = name;
	if (ok)
		return RC_OK;
	free(name);
	return err_set(e, RC_NOMEM, _("no memory for the configuration"));
}

static int
section_begin(struct load *l, enum sect s, const char *title, int line)
{
	struct err e = ERR_INIT;

	if (value_title(title, &e) != RC_OK ||
	    section_new(l, s, title, &e) != RC_OK)
		return complain(l, line, &e);
	l->sect = s;
	for (size_t i = 0; i < conf_nrows; i++)
		if (conf_rows[i].sect == s)
			l->slots[i].line = 0;
	return 0;
}

struct lines {
	const struct load	*l;
	enum sect		 sect;
};

static int
line_of(const void *arg, const char *name)
{
	const struct lines *w = arg;

	for (size_t i = 0; i < conf_nrows; i++)
		if (conf_rows[i].sect == w->sect &&
		    strcmp(conf_rows[i].name, name) == 0)
			return w->l->slots[i].line;
	return 0;
}

/* What nobody wrote and is the same for everybody. */
static enum rc
fill_defaults(struct load *l, enum sect s, struct err *e)
{
	for (size_t i = 0; i < conf_nrows; i++) {
		const struct row *r = &conf_rows[i];

		if (r->sect == s && r->dflt != NULL &&
		    l->slots[i].line == 0 &&
		    row_read(r, r->dflt, base_of(l->c, s), e) != RC_OK)
			return e->rc;
	}
	return RC_OK;
}

/* The defaults that depend on other settings, then what cannot be. */
static enum rc
section_check(struct load *l, enum sect s, const struct written *w,
    const char **blame, struct err *e)
{
	void *base = base_of(l->c, s);
	enum rc rc = fill_section(s, base, w, e);

	if (rc != RC_OK)
		return rc;
	switch (s) {
	case S_ACCOUNT:
		return pairs_account(base, w, blame, e);
	case S_RELAY:
		return pairs_relay(base, w, blame, e);
	case S_DELIVER:
		return pairs_deliver(base, w, blame, e);
	case S_OUTBOX:
		return pairs_outbox(base, w, blame, e);
	case S_TOP:
	case S_N:
		break;
	}
	return pairs_top(l->c, w, blame, e);
}

static int
section_end(struct load *l, enum sect s, int line)
{
	struct lines lines = { l, s };
	struct written w = { line_of, &lines };
	struct err e = ERR_INIT;
	const char *blame = NULL;

	l->sect = S_TOP;
	if (fill_defaults(l, s, &e) == RC_OK &&
	    section_check(l, s, &w, &blame, &e) == RC_OK)
		return 0;
	if (blame != NULL && line_of(&lines, blame) != 0)
		line = line_of(&lines, blame);
	return complain(l, line, &e);
}

static int
cut_short(struct load *l)
{
	return complain_text(l, l->nlines, _("the file ends within a setting "
	    "or a section; write what is missing, perhaps a }"));
}

/* libConfuse: our last line has been read. */
static int
on_last(cfg_t *cfg, cfg_opt_t *opt)
{
	struct slot *slot = (struct slot *)(void *)opt->simple_value.string;

	(void)cfg;
	slot->load->whole = true;
	return 0;
}

/* libConfuse: an option has been read. */
static int
on_option(cfg_t *cfg, cfg_opt_t *opt)
{
	struct slot *slot = (struct slot *)(void *)opt->simple_value.string;
	struct load *l = slot->load;
	const struct row *r = slot->row;
	struct err e = ERR_INIT;

	/* "account|host = x" reaches into a section from outside. */
	if (strcmp(r->sect == S_TOP ? "root" : sect_name(r->sect),
	    cfg->name) != 0)
		return complain_text(l, cfg->line, _("a setting of a section "
		    "stands outside of it; write it between the braces"));
	if (r->sect != S_TOP && l->sect == S_TOP &&
	    section_begin(l, r->sect, cfg->title, cfg->line) != 0)
		return -1;
	if (strcmp(slot->text, LAST) == 0)
		return cut_short(l);
	if (slot->line != 0) {
		err_set(&e, RC_CONF, _("%s is there twice (also in line %d); "
		    "remove one of them"), r->name, slot->line);
		return complain(l, cfg->line, &e);
	}
	slot->line = cfg->line;
	if (row_read(r, slot->text, base_of(l->c, r->sect), &e) == RC_OK)
		return 0;
	err_ctx(&e, "%s", r->name);
	return complain(l, cfg->line, &e);
}

/* libConfuse: a section has been read, to its closing brace. */
static int
on_section(cfg_t *cfg, cfg_opt_t *opt)
{
	struct slot *slot = (struct slot *)(void *)
	    cfg->opts[0].simple_value.string;
	struct load *l = slot->load;
	cfg_t *sec = cfg_opt_getnsec(opt, cfg_opt_size(opt) - 1);
	enum sect s = S_ACCOUNT;

	while (strcmp(sect_name(s), opt->name) != 0)
		s++;
	if (l->sect == S_TOP &&
	    section_begin(l, s, sec->title, cfg->line) != 0)
		return -1;
	return section_end(l, s, cfg->line);
}

/* What libConfuse says, in our words. */
static void
on_error(cfg_t *cfg, const char *fmt, va_list ap)
{
	static const struct { const char *theirs, *ours; } says[] = {
		{ "no such option", N_("there is no such setting here; see "
		    "sceau.conf(5) for their names, and write a value of "
		    "several words in quotes") },
		{ "found duplicate title", N_("a second section of this name; "
		    "give it another one") },
		{ "missing equal sign", N_("it stands without a value; write "
		    "name = value") },
		{ "missing title", N_("the section has no name; write one in "
		    "quotes before the {") },
		{ "missing opening brace", N_("the section does not begin; "
		    "write { after its name") },
		{ "unexpected closing brace", N_("a } closes nothing; remove "
		    "it, or write the section it ends") },
		{ "", N_("this cannot be read; write name = value, one to a "
		    "line, with quotes around anything but letters and "
		    "digits") },
	};
	struct slot *slot = (struct slot *)(void *)
	    cfg->opts[0].simple_value.string;
	struct err e = ERR_INIT;
	const char *what = "";
	size_t i = 0;

	while (strncmp(fmt, says[i].theirs, strlen(says[i].theirs)) != 0)
		i++;
	if (*says[i].theirs != '\0' && strstr(fmt, "'%s'") != NULL)
		what = va_arg(ap, const char *);
	if (strcmp(what, LAST) == 0)
		cut_short(slot->load);
	err_set(&e, RC_CONF, "%s%s%s", what, *what != '\0' ? ": " : "",
	    _(says[i].ours));
	complain(slot->load, cfg->line, &e);
}

/* Rows to libConfuse's options: all text, read by us. */
static void
make_options(struct load *l)
{
	size_t n[S_N] = { 0 };
	enum sect s;

	BUG_ON(conf_nrows + S_N + 2 > MAX_ROWS);
	for (size_t i = 0; i < conf_nrows; i++) {
		const struct row *r = &conf_rows[i];
		cfg_opt_t opt = CFG_SIMPLE_STR(r->name, &l->slots[i].text);

		opt.validcb = on_option;
		l->slots[i] = (struct slot){ NULL, l, r, 0 };
		l->opts[r->sect][n[r->sect]++] = opt;
	}
	l->last = (struct slot){ NULL, l, NULL, 0 };
	l->opts[S_TOP][n[S_TOP]] = (cfg_opt_t)CFG_SIMPLE_STR(LAST,
	    &l->last.text);
	l->opts[S_TOP][n[S_TOP]++].validcb = on_last;
	for (s = S_ACCOUNT; s < S_N; s++) {
		cfg_opt_t opt = CFG_SEC(sect_name(s), l->opts[s],
		    CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES);

		opt.validcb = on_section;
		l->opts[S_TOP][n[S_TOP]++] = opt;
	}
	for (s = S_TOP; s < S_N; s++)
		l->opts[s][n[s]] = (cfg_opt_t)CFG_END();
}

static char *
join(const char *a, const char *b)
{
	size_t n = strlen(a) + strlen(b) + 1;
	char *s = malloc(n);

	if (s != NULL)
		snprintf(s, n, "%s%s", a, b);
	return s;
}

/* Paths nobody wrote: in the home folder, or the system's for its own file. */
static enum rc
fill_paths(struct conf *c, struct err *e)
{
	const char *home = value_home();
	bool system = strncmp(c->path, SCEAU_SYSCONFDIR "/",
	    sizeof(SCEAU_SYSCONFDIR)) == 0;

	if (c->state == NULL && system)
		c->state = strdup("/var/lib/sceau");
	else if (c->state == NULL && home != NULL)
		c->state = join(home, "/.local/state/sceau");
	if (c->state == NULL)
		return RC_OK;	/* pairs_top() says so */
	if (c->keystore == NULL)
		c->keystore = join(c->state, "/keystore");
	if (c->keystore_key == NULL)
		c->keystore_key = join(c->state, "/keystore.key");
	if (c->keystore == NULL || c->keystore_key == NULL)
		return err_set(e, RC_NOMEM, _("no memory for the "
		    "configuration"));
	return RC_OK;
}

/* A NUL would hide what follows it. */
static enum rc
check_text(const char *path, const uint8_t *p, size_t len, struct err *e)
{
	const uint8_t *nul = len > 0 ? memchr(p, '\0', len) : NULL;
	int line = 1;

	if (nul == NULL)
		return RC_OK;
	for (; p < nul; p++)
		line += *p == '\n';
	return err_set(e, RC_CONF, _("%s:%d: a NUL octet; this is not a text "
	    "file, write another one"), path, line);
}

static enum rc
parse(struct load *l, const char *text)
{
	cfg_t *cfg;
	int got = CFG_PARSE_ERROR;
	bool nomem;

	make_options(l);
	errno = 0;
	if ((cfg = cfg_init(l->opts[S_TOP], CFGF_NONE)) != NULL) {
		cfg_set_error_function(cfg, on_error);
		got = cfg_parse_buf(cfg, text);
	}
	nomem = got != CFG_SUCCESS && errno == ENOMEM;
	if (nomem) {
		err_set(l->e, RC_NOMEM, _("no memory left"));
	} else if (got == CFG_SUCCESS && !l->whole) {
		cut_short(l);
	} else if (got == CFG_SUCCESS) {
		struct err e = ERR_INIT;

		if (fill_paths(l->c, &e) != RC_OK)
			complain(l, cfg->line, &e);
		else
			section_end(l, S_TOP, cfg->line);
		if (l->e->rc == RC_OK)
			(void)fill_deliveries(l->c, l->e);
	} else if (l->e->rc == RC_OK) {
		complain_text(l, cfg != NULL ? cfg->line : 0, _("this cannot "
		    "be read; write name = value, one to a line"));
	}
	/* libConfuse cannot free what it had no memory to make. */
	if (cfg != NULL && !nomem)
		cfg_free(cfg);
	for (size_t i = 0; i < conf_nrows; i++)
		free(l->slots[i].text);
	free(l->last.text);
	return l->e->rc;
}

static int
count_lines(const uint8_t *p, size_t len)
{
	int n = 1;

	for (size_t i = 0; i + 1 < len; i++)
		n += p[i] == '\n';
	return n;
}

enum rc
conf_read(const char *path, const void *text, size_t len, struct conf *c,
    struct err *e)
{
	struct load *l = calloc(1, sizeof(*l));
	struct buf copy = BUF_INIT;
	const char *s = NULL;
	enum rc rc;

	memset(c, 0, sizeof(*c));
	c->path = strdup(path);
	if (l != NULL && c->path != NULL && buf_add(&copy, text, len) &&
	    buf_adds(&copy, "\n" LAST " = .\n"))
		s = buf_str(&copy);
	if (s == NULL)
		rc = err_set(e, RC_NOMEM, _("no memory for %s"), path);
	else
		rc = check_text(path, copy.p, len, e);
	if (rc == RC_OK) {
		*e = (struct err)ERR_INIT;
		l->c = c;
		l->path = path;
		l->e = e;
		l->nlines = count_lines(copy.p, len);
		rc = parse(l, s);
	}
	buf_free(&copy);
	free(l);
	return rc;
}

/* Who can change it can have commands run as us. */
static enum rc
check_rights(const char *path, struct err *e)
{
	struct stat st;

	if (stat(path, &st) != 0)
		return err_set(e, RC_CONF, _("%s: %s"), path,
		    lang_errno(errno));
	if ((st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return err_set(e, RC_CONF, _("%s:1: others can change this "
		    "file; type: chmod go-w %s"), path, path);
	return RC_OK;
}

static enum rc
find_file(char **path, struct err *e)
{
	const char *home = value_home();
	char *own = NULL;

	if (home != NULL &&
	    (own = join(home, "/.config/sceau/sceau.conf")) != NULL &&
	    access(own, F_OK) == 0) {
		*path = own;
		return RC_OK;
	}
	free(own);
	if (access(SCEAU_SYSCONFDIR "/sceau/sceau.conf", F_OK) == 0 &&
	    (*path = strdup(SCEAU_SYSCONFDIR "/sceau/sceau.conf")) != NULL)
		return RC_OK;
	return err_set(e, RC_CONF, _("there is no configuration; type sceau "
	    "setup, which asks for what it needs, or write "
	    "~/.config/sceau/sceau.conf or %s, see sceau.conf(5)"),
	    SCEAU_SYSCONFDIR "/sceau/sceau.conf");
}

enum rc
conf_load(const char *path, struct conf *c, struct err *e)
{
	struct buf text = BUF_INIT;
	char *found = NULL;
	enum rc rc = RC_OK;

	memset(c, 0, sizeof(*c));
	if (path == NULL && (rc = find_file(&found, e)) != RC_OK)
		return rc;
	if (path == NULL)
		path = found;
	if ((rc = check_rights(path, e)) == RC_OK &&
	    (rc = file_read(path, CONF_MAX_BYTES, &text, e)) == RC_OK)
		rc = conf_read(path, text.p, text.len, c, e);
	if (rc == RC_INPUT || rc == RC_TEMP)
		e->rc = rc = RC_CONF;
	buf_free(&text);
	free(found);
	return rc;
}

int64_t
conf_before(const struct conf *c, const struct conf_wait *w, int64_t now)
{
	return w->working ? hours_before(&c->working, now, w->s) : now - w->s;
}

static void
free_section(struct conf *c, enum sect s)
{
	for (size_t i = 0; i < conf_nrows; i++) {
		const struct row *r = &conf_rows[i];

		if (r->sect == s && row_is_string(r))
			free(*(char **)(void *)((char *)base_of(c, s) +
			    r->at));
	}
}

void
conf_free(struct conf *c)
{
	for (; c->naccounts > 0; c->naccounts--) {
		free_section(c, S_ACCOUNT);
		free(c->accounts[c->naccounts - 1].name);
	}
	for (; c->nrelays > 0; c->nrelays--) {
		free_section(c, S_RELAY);
		free(c->relays[c->nrelays - 1].name);
	}
	c->ndelivers += c->nunsealed;
	for (; c->ndelivers > 0; c->ndelivers--) {
		free_section(c, S_DELIVER);
		free(c->delivers[c->ndelivers - 1].name);
	}
	for (; c->noutboxes > 0; c->noutboxes--) {
		free_section(c, S_OUTBOX);
		free(c->outboxes[c->noutboxes - 1].name);
	}
	free_section(c, S_TOP);
	free(c->path);
	free(c->accounts);
	free(c->relays);
	free(c->delivers);
	free(c->outboxes);
	memset(c, 0, sizeof(*c));
}
