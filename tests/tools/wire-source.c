/*
 * wire-source: one account, driven from the command line by the tests.
 *
 *	wire-source key=value ... -- command ...
 *
 * Keys are those of struct conf_server and struct conf_account; password, max
 * (octets) and max-list besides.  Commands, in order: list, list-after=ID,
 * ids=ID,ID (instead of a list), fetch=DIR, fetch-none (counts only), delete,
 * move=FOLDER, keep, wait=SECONDS, memory.  Results are lines on stdout.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/lang.h"
#include "base/log.h"
#include "wire/source.h"

#define IDS_MAX 200000

struct tool {
	struct conf_account	 account;
	struct source_limits	 limits;
	struct secret		 password;
	struct source		*source;
	struct bytes		*ids;
	size_t			 nids;
	const char		*dir;	/* NULL: only count */
	int			 fd;
	uint64_t		 octets;
	size_t			 got;
};

static const char *const whys[] = { "none", "network", "tls", "login",
    "server", "local" };

static int
failed(struct tool *t, const char *what, enum rc rc, const struct err *e)
{
	printf("error %s %d %s %s\n", what, (int)rc,
	    whys[source_why(t->source)], e->text);
	return rc_exit(rc);
}

static enum rc
on_list(void *arg, struct bytes id, uint64_t size, struct err *e)
{
	struct tool *t = arg;
	uint8_t *copy = malloc(id.len);

	if (copy == NULL || t->nids == IDS_MAX)
		return err_set(e, RC_NOMEM, "list");
	memcpy(copy, id.p, id.len);
	t->ids[t->nids++] = (struct bytes){ copy, id.len };
	printf("id %.*s %llu\n", (int)id.len, (const char *)id.p,
	    (unsigned long long)size);
	return RC_OK;
}

static enum rc
on_begin(void *arg, struct err *e)
{
	struct tool *t = arg;
	char path[4096];

	if (t->dir == NULL)
		return RC_OK;
	BUG_ON(t->fd >= 0);
	snprintf(path, sizeof(path), "%s/.part", t->dir);
	t->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	return t->fd < 0 ? err_sys(e, "%s", path) : RC_OK;
}

static enum rc
on_data(void *arg, const void *p, size_t len, struct err *e)
{
	struct tool *t = arg;

	t->octets += len;
	if (t->dir != NULL && !write_all(t->fd, p, len))
		return err_sys(e, "write");
	return RC_OK;
}

static void
file_of(const struct tool *t, struct bytes id, char path[4096])
{
	int n = snprintf(path, 4096, "%s/", t->dir);

	for (size_t i = 0; i < id.len; i++, n++)
		path[n] = id.p[i] == '/' ? '_' : (char)id.p[i];
	path[n] = '\0';
}

static enum rc
on_end(void *arg, struct bytes id, enum source_got got, struct err *e)
{
	static const char *const words[] = { "got", "gone", "too-big",
	    "unreadable" };
	struct tool *t = arg;
	char from[4096], to[4096];

	printf("%s %.*s\n", words[got], (int)id.len, (const char *)id.p);
	t->got += got == SOURCE_GOT;
	if (t->fd >= 0)
		close(t->fd);
	t->fd = -1;
	if (t->dir == NULL || got != SOURCE_GOT)
		return RC_OK;
	snprintf(from, sizeof(from), "%s/.part", t->dir);
	file_of(t, id, to);
	return rename(from, to) == 0 ? RC_OK : err_sys(e, "%s", to);
}

static enum rc
release(struct tool *t, enum conf_after after, const char *folder,
    struct err *e)
{
	static const char *const words[] = { "pending", "released", "unsure",
	    "marked", "kept" };
	enum source_done *done = calloc(t->nids + 1, sizeof(*done));
	enum rc rc;

	BUG_ON(done == NULL);
	rc = source_release(t->source, t->ids, t->nids, after, folder, done,
	    e);
	for (size_t i = 0; i < t->nids; i++)
		printf("%s %.*s\n", words[done[i]], (int)t->ids[i].len,
		    (const char *)t->ids[i].p);
	free(done);
	return rc;
}

/* "VmHWM: 1234 kB" and private dirty pages, as Linux counts them. */
static void
memory(void)
{
	char line[256];
	FILE *f = fopen("/proc/self/status", "r");
	unsigned long dirty = 0, n;

	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		if (strncmp(line, "VmHWM", 5) == 0)
			fputs(line, stdout);
	if (f != NULL)
		fclose(f);
	f = fopen("/proc/self/smaps_rollup", "r");
	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		if (sscanf(line, "Private_Dirty: %lu", &n) == 1)
			dirty = n;
	if (f != NULL)
		fclose(f);
	printf("private %lu kB\n", dirty);
}

static const char *
value(const char *arg, const char *key)
{
	size_t len = strlen(key);

	return strncmp(arg, key, len) == 0 && arg[len] == '=' ?
	    arg + len + 1 : NULL;
}

static void
forget(struct tool *t)
{
	for (size_t i = 0; i < t->nids; i++)
		free((void *)(uintptr_t)t->ids[i].p);
	t->nids = 0;
}

/* "ID,ID,...": instead of what was listed. */
static void
take_ids(struct tool *t, const char *list)
{
	forget(t);
	while (*list != '\0' && t->nids < IDS_MAX) {
		size_t len = strcspn(list, ",");
		uint8_t *copy = malloc(len + 1);

		BUG_ON(copy == NULL);
		memcpy(copy, list, len);
		t->ids[t->nids++] = (struct bytes){ copy, len };
		list += len + (list[len] == ',');
	}
}

static enum rc
command(struct tool *t, const char *word, struct err *e)
{
	const struct source_sink sink = { t, on_begin, on_data, on_end };
	const char *v = value(word, "list-after");
	bool news;
	enum rc rc = RC_OK;

	if (strcmp(word, "list") == 0 || v != NULL) {
		forget(t);
		rc = source_list(t->source, (struct bytes){
		    (const uint8_t *)v, v == NULL ? 0 : strlen(v) }, on_list,
		    t, e);
	} else if ((v = value(word, "ids")) != NULL) {
		take_ids(t, v);
	} else if ((v = value(word, "fetch")) != NULL ||
	    strcmp(word, "fetch-none") == 0) {
		t->dir = v;
		rc = source_fetch(t->source, t->ids, t->nids, &sink, e);
		printf("fetched %zu %llu\n", t->got,
		    (unsigned long long)t->octets);
	} else if (strcmp(word, "delete") == 0) {
		rc = release(t, CONF_AFTER_DELETE, NULL, e);
	} else if (strcmp(word, "keep") == 0) {
		rc = release(t, CONF_AFTER_KEEP, NULL, e);
	} else if ((v = value(word, "move")) != NULL) {
		rc = release(t, CONF_AFTER_MOVE, v, e);
	} else if ((v = value(word, "wait")) != NULL) {
		rc = source_wait(t->source, atoi(v), -1, &news, e);
		printf("news %d\n", (int)news);
	} else if (strcmp(word, "memory") == 0) {
		memory();
	}
	return rc;
}

static bool
server_key(struct conf_server *s, const char *arg)
{
	const char *v;

	if ((v = value(arg, "host")) != NULL)
		s->host = strdup(v);
	else if ((v = value(arg, "port")) != NULL)
		s->port = (uint16_t)atoi(v);
	else if ((v = value(arg, "tls")) != NULL)
		s->tls = v[0] == 'i' ? CONF_TLS_IMPLICIT : v[0] == 's' ?
		    CONF_TLS_STARTTLS : CONF_TLS_NONE;
	else if ((v = value(arg, "ca")) != NULL)
		s->ca_file = strdup(v);
	else if ((v = value(arg, "pin")) != NULL)
		s->pin = strdup(v);
	else if ((v = value(arg, "user")) != NULL)
		s->user = strdup(v);
	else if ((v = value(arg, "auth")) != NULL)
		s->auth = v[0] == 'x' ? CONF_AUTH_XOAUTH2 :
		    CONF_AUTH_PASSWORD;
	else if ((v = value(arg, "timeout")) != NULL)
		s->timeout_s = atoi(v);
	else
		return false;
	return true;
}

static void
key(struct tool *t, const char *arg)
{
	static const char *const protocols[] = { "imap", "pop3", "maildir",
	    "folder", "stdin" };
	struct conf_account *a = &t->account;
	const char *v;

	if (server_key(&a->server, arg))
		return;
	if ((v = value(arg, "protocol")) != NULL) {
		for (int i = 0; i < 5; i++)
			if (strcmp(v, protocols[i]) == 0)
				a->protocol = (enum conf_protocol)i;
	} else if ((v = value(arg, "path")) != NULL) {
		a->path = strdup(v);
	} else if ((v = value(arg, "mailbox")) != NULL) {
		a->mailbox = strdup(v);
	} else if ((v = value(arg, "batch")) != NULL) {
		a->batch = atoi(v);
	} else if (strcmp(arg, "idle=yes") == 0) {
		a->idle = true;
	} else if ((v = value(arg, "password")) != NULL) {
		BUG_ON(!secret_set(&t->password, v, strlen(v)));
	} else if ((v = value(arg, "max")) != NULL) {
		t->limits.max_message = strtoull(v, NULL, 10);
	} else if ((v = value(arg, "max-list")) != NULL) {
		t->limits.max_list = strtoull(v, NULL, 10);
	}
}

static int
work(struct tool *t, int argc, char **argv)
{
	struct err e = ERR_INIT;
	int i = 1;
	enum rc rc;

	for (; i < argc && strcmp(argv[i], "--") != 0; i++)
		key(t, argv[i]);
	rc = source_new(&t->account, &t->limits, &t->source, &e);
	if (rc != RC_OK)
		return failed(t, "new", rc, &e);
	rc = source_open(t->source, &t->password, &e);
	if (rc != RC_OK)
		return failed(t, "open", rc, &e);
	printf("open %s %lu\n", source_info(t->source)->tls == NULL ? "plain" :
	    source_info(t->source)->tls,
	    (unsigned long)source_info(t->source)->uidvalidity);
	for (i++; i < argc; i++)
		if ((rc = command(t, argv[i], &e)) != RC_OK)
			return failed(t, argv[i], rc, &e);
	return 0;
}

static void
free_all(struct tool *t)
{
	struct conf_account *a = &t->account;

	source_close(&t->source);
	forget(t);
	free(t->ids);
	secret_wipe(&t->password);
	free(a->server.host);
	free(a->server.ca_file);
	free(a->server.pin);
	free(a->server.user);
	free(a->path);
	free(a->mailbox);
}

int
main(int argc, char **argv)
{
	struct tool t = { .limits = { .max_message = 64U << 20 }, .fd = -1,
	    .account = { .batch = 100, .server = { .timeout_s = 20,
	    .host = NULL } } };
	struct err e = ERR_INIT;
	int code;

	setvbuf(stdout, NULL, _IOLBF, 0);
	signal(SIGPIPE, SIG_IGN);
	t.ids = calloc(IDS_MAX, sizeof(*t.ids));
	if (t.ids == NULL || secret_init(&e) != RC_OK)
		return 71;
	code = work(&t, argc, argv);
	free_all(&t);
	return code;
}
