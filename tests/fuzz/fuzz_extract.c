/*
 * The documents of any mail: within the limits of parts and depth, under names
 * that stay in their folder; the same twice, and from memory, where some need
 * no parser.
 */
/* links: document base */
#include "config.h"

#include <sys/mman.h>

#include "fuzz.h"
#include "document/extract.h"

struct docs {
	size_t	n;
	size_t	open;
	int	fd;
	size_t	sum;
};

static void
check_name(const char *s, const char *more)
{
	for (; *s != '\0'; s++)
		BUG_ON(!(*s >= 'a' && *s <= 'z') &&
		    !(*s >= 'A' && *s <= 'Z') && !(*s >= '0' && *s <= '9') &&
		    strchr(more, *s) == NULL);
}

static enum rc
begin(void *arg, const struct extract_doc *d, int *fd, struct err *e)
{
	struct docs *docs = arg;

	(void)e;
	BUG_ON(d->n != docs->n || docs->open++ != 0 ||
	    d->n >= EXTRACT_PARTS_MAX);
	BUG_ON(memchr(d->name, '\0', sizeof(d->name)) == NULL ||
	    memchr(d->ext, '\0', sizeof(d->ext)) == NULL);
	BUG_ON(d->name[0] == '.' || (d->ext[0] != '.' && d->ext[0] != '\0'));
	check_name(d->name, ".-_");
	check_name(d->ext, ".-");
	for (const char *s = d->name; *s != '\0'; s++)
		docs->sum = docs->sum * 31 + (unsigned char)*s;
	BUG_ON(ftruncate(docs->fd, 0) != 0 ||
	    lseek(docs->fd, 0, SEEK_SET) != 0);
	*fd = docs->fd;
	return RC_OK;
}

static void
add_octets(struct docs *docs)
{
	uint8_t room[4096];
	off_t at = 0;
	ssize_t n;

	while ((n = pread(docs->fd, room, sizeof(room), at)) > 0) {
		for (ssize_t i = 0; i < n; i++)
			docs->sum = docs->sum * 31 + room[i];
		at += n;
	}
	docs->sum = docs->sum * 31 + (size_t)at;
}

static enum rc
end(void *arg, const struct extract_doc *d, struct err *e)
{
	struct docs *docs = arg;

	(void)e;
	BUG_ON(d->n != docs->n || --docs->open != 0);
	docs->n++;
	add_octets(docs);
	for (const char *s = d->charset; *s != '\0'; s++)
		docs->sum = docs->sum * 31 + (unsigned char)*s;
	docs->sum = docs->sum * 31 + (size_t)d->least + d->text +
	    2 * d->attachment;
	return RC_OK;
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	static int in = -1, out = -1;
	struct docs a = { .fd = out }, b = a, c = a;
	const struct extract_sink one = { &a, begin, end };
	const struct extract_sink two = { &b, begin, end };
	const struct extract_sink three = { &c, begin, end };
	struct err e = ERR_INIT;
	enum rc rc;

	if (in < 0) {
		BUG_ON(extract_init(&e) != RC_OK);
		in = memfd_create("mail", MFD_CLOEXEC);
		out = memfd_create("document", MFD_CLOEXEC);
		a.fd = b.fd = c.fd = out;
		BUG_ON(in < 0 || out < 0);
	}
	BUG_ON(ftruncate(in, 0) != 0 ||
	    pwrite(in, p, len, 0) != (ssize_t)len);
	rc = extract(in, &one, &e);
	BUG_ON(rc != RC_OK && e.class != EC_POLICY);
	BUG_ON(extract(in, &two, &e) != rc || a.n != b.n || a.sum != b.sum);
	BUG_ON(extract_from((struct bytes){ p, len }, &three, &e) != rc ||
	    a.n != c.n || a.sum != c.sum);
	return 0;
}
