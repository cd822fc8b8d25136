#include "config.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/lang.h"
#include "base/secret.h"
#include "document/extract.h"
#include "document/late_gmime.h"
#include "document/plain.h"

struct state {
	const struct extract_sink	*sink;
	size_t				 nparts, ndocs;
	bool				 spare;	/* in an alternative to what
						 * was chosen: no text of it */
};

enum rc
extract_init(struct err *e)
{
	enum rc rc = late_gmime_load(e);

	if (rc == RC_OK)
		g_mime_init();
	return rc;
}

void
extract_safe_name(const char *s, char name[EXTRACT_NAME_BYTES], char ext[16])
{
	const char *base = s, *dot;
	size_t n = 0;

	for (const char *p = s; *p != '\0'; p++)
		if (*p == '/' || *p == '\\')
			base = p + 1;
	dot = strrchr(base, '.');
	if (dot == base || (dot != NULL && (strlen(dot) > 15 ||
	    strlen(dot) < 2)))
		dot = NULL;
	for (const char *p = base; *p != '\0' && p != dot &&
	    n < EXTRACT_NAME_BYTES - 1 && n < 80; p++) {
		unsigned char c = (unsigned char)*p;
		bool plain = c < 0x80 && (isalnum(c) || c == '_' || c == '-' ||
		    (c == '.' && n > 0));

		if (plain || n == 0 || name[n - 1] != '-')
			name[n++] = plain ? (char)c : '-';
	}
	name[n] = '\0';
	for (n = 0; dot != NULL && dot[n] != '\0' && n < 15; n++) {
		unsigned char c = (unsigned char)dot[n];

		ext[n] = c < 0x80 && (isalnum(c) || (c == '.' && n == 0)) ?
		    (char)tolower(c) : '-';
	}
	ext[n] = '\0';
}

/* What a type is called as a file when nobody gave a name. */
static const char *
ext_of(GMimeContentType *type)
{
	static const struct {
		const char	*type, *sub, *ext;
	} known[] = {
		{ "text", "plain", ".txt" }, { "text", "html", ".html" },
		{ "text", "xml", ".xml" }, { "application", "pdf", ".pdf" },
		{ "application", "xml", ".xml" },
		{ "application", "zip", ".zip" }, { "image", "jpeg", ".jpg" },
		{ "image", "png", ".png" }, { "image", "tiff", ".tif" },
		{ "message", "rfc822", ".eml" },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (g_mime_content_type_is_type(type, known[i].type,
		    known[i].sub))
			return known[i].ext;
	return ".bin";
}

/* Reports travel under names of their own, and as any type. */
static bool
is_text(GMimeContentType *type, const char *ext)
{
	static const char *const exts[] = { ".txt", ".hpr", ".hpm", ".hprim" };

	for (size_t i = 0; i < sizeof(exts) / sizeof(exts[0]); i++)
		if (strcmp(ext, exts[i]) == 0)
			return true;
	return type == NULL ||
	    g_mime_content_type_is_type(type, "text", "plain");
}

/* What is not encoded is as long as it stands in the mail. */
static uint64_t
least_of(GMimeObject *o)
{
	GMimeDataWrapper *w = GMIME_IS_PART(o) ?
	    g_mime_part_get_content(GMIME_PART(o)) : NULL;
	GMimeContentEncoding how;
	gint64 len;

	if (w == NULL)
		return 0;
	how = g_mime_data_wrapper_get_encoding(w);
	if (how == GMIME_CONTENT_ENCODING_BASE64 ||
	    how == GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE ||
	    how == GMIME_CONTENT_ENCODING_UUENCODE)
		return 0;
	len = g_mime_stream_length(g_mime_data_wrapper_get_stream(w));
	return len > 0 ? (uint64_t)len : 0;
}

static void
describe(GMimeObject *o, struct extract_doc *d)
{
	GMimeContentType *type = g_mime_object_get_content_type(o);
	const char *name = NULL, *set = type == NULL ? NULL :
	    g_mime_content_type_get_parameter(type, "charset");

	if (GMIME_IS_PART(o))
		name = g_mime_part_get_filename(GMIME_PART(o));
	d->attachment = name != NULL || type == NULL ||
	    !g_mime_content_type_is_type(type, "text", "*");
	d->name[0] = d->ext[0] = '\0';
	if (name != NULL)
		extract_safe_name(name, d->name, d->ext);
	if (d->ext[0] == '\0')
		snprintf(d->ext, sizeof(d->ext), "%s", type == NULL ?
		    ".txt" : ext_of(type));
	d->text = is_text(type, d->ext);
	d->least = least_of(o);
	if (set == NULL || snprintf(d->charset, sizeof(d->charset), "%s",
	    set) >= (int)sizeof(d->charset))
		d->charset[0] = '\0';
}

static enum rc
write_to(GMimeObject *o, GMimeStream *out, struct err *e)
{
	GMimeDataWrapper *w;
	ssize_t n;

	if (!GMIME_IS_PART(o))
		n = g_mime_object_write_content_to_stream(o, NULL, out);
	else if ((w = g_mime_part_get_content(GMIME_PART(o))) == NULL)
		n = 0;
	else
		n = g_mime_data_wrapper_write_to_stream(w, out);
	return n >= 0 ? RC_OK : err_sys(e, _("a document"));
}

/* GMime closes what its streams hold: it gets a copy of the descriptor.  They
 * keep nothing back, and their flush is an fsync(2): whoever files the
 * document syncs it with those of the other messages. */
static enum rc
leaf_file(struct state *s, GMimeObject *o, const struct extract_doc *d,
    int fd, struct err *e)
{
	GMimeStream *out;
	int copy = dup(fd);
	enum rc rc;

	if (copy < 0)
		return err_sys(e, "dup");
	out = g_mime_stream_fs_new(copy);
	rc = write_to(o, out, e);
	g_object_unref(out);
	return rc == RC_OK ? s->sink->end(s->sink->arg, d, e) : rc;
}

static enum rc
leaf_here(struct state *s, GMimeObject *o, struct extract_doc *d,
    struct err *e)
{
	GMimeStream *out = g_mime_stream_mem_new();
	enum rc rc = write_to(o, out, e);
	GByteArray *octets = g_mime_stream_mem_get_byte_array(
	    GMIME_STREAM_MEM(out));

	d->octets = (struct bytes){ octets->data, octets->len };
	if (rc == RC_OK)
		rc = s->sink->end(s->sink->arg, d, e);
	if (octets->len > 0)
		wipe(octets->data, octets->len);
	g_object_unref(out);
	return rc;
}

static enum rc
leaf(struct state *s, GMimeObject *o, struct err *e)
{
	struct extract_doc d = { .n = s->ndocs };
	enum rc rc;
	int fd = -1;

	describe(o, &d);
	if (s->spare && !d.attachment)
		return RC_OK;
	if ((rc = s->sink->begin(s->sink->arg, &d, &fd, e)) != RC_OK)
		return rc;
	s->ndocs++;
	if (fd == EXTRACT_HERE)
		return leaf_here(s, o, &d, e);
	return fd < 0 ? RC_OK : leaf_file(s, o, &d, fd, e);
}

static GMimeObject *
choose(GMimeMultipart *m)
{
	int n = g_mime_multipart_get_count(m);

	for (int i = 0; i < n; i++) {
		GMimeObject *o = g_mime_multipart_get_part(m, i);
		GMimeContentType *t = g_mime_object_get_content_type(o);

		if (t != NULL && g_mime_content_type_is_type(t, "text",
		    "plain"))
			return o;
	}
	return n > 0 ? g_mime_multipart_get_part(m, n - 1) : NULL;
}

static enum rc
walk(struct state *s, GMimeObject *o, int depth, struct err *e)
{
	GMimeObject *chosen = NULL, *part;
	bool spare = s->spare;
	enum rc rc = RC_OK;

	if (o == NULL)
		return RC_OK;
	if (depth > EXTRACT_DEPTH_MAX || ++s->nparts > EXTRACT_PARTS_MAX)
		return err_class(e, EC_POLICY, _("more than %d parts, or more "
		    "than %d deep"), EXTRACT_PARTS_MAX, EXTRACT_DEPTH_MAX);
	if (!GMIME_IS_MULTIPART(o))
		return leaf(s, o, e);
	if (g_mime_content_type_is_type(g_mime_object_get_content_type(o),
	    "multipart", "alternative"))
		chosen = choose(GMIME_MULTIPART(o));
	for (int i = 0; rc == RC_OK &&
	    i < g_mime_multipart_get_count(GMIME_MULTIPART(o)); i++) {
		part = g_mime_multipart_get_part(GMIME_MULTIPART(o), i);
		s->spare = spare || (chosen != NULL && part != chosen);
		rc = walk(s, part, depth + 1, e);
	}
	s->spare = spare;
	return rc;
}

/* No part to be seen in it, though its sender may have written something. */
static enum rc
whole(struct state *s, GMimeStream *in, struct err *e)
{
	const struct extract_doc d = { .attachment = true, .ext = ".eml" };
	char room[16384];
	ssize_t n;
	int out = -1;
	enum rc rc;

	rc = s->sink->begin(s->sink->arg, &d, &out, e);
	if (rc != RC_OK || out < 0)
		return rc;
	if (g_mime_stream_seek(in, 0, GMIME_STREAM_SEEK_SET) != 0)
		return err_sys(e, _("a document"));
	while ((n = g_mime_stream_read(in, room, sizeof(room))) > 0)
		if (!write_all(out, room, (size_t)n))
			break;
	wipe(room, sizeof(room));
	if (n != 0)
		return err_sys(e, _("a document"));
	return s->sink->end(s->sink->arg, &d, e);
}

/* The part of all parts, owned, NULL when there is none; ${*mail}: it is a
 * mail.  Read as a part, whose addresses and date are left alone; that refuses
 * a line above the header ("From ", of an mbox), which a message may have. */
static GMimeObject *
parse(GMimeStream *in, bool *mail)
{
	GMimeParser *parser = g_mime_parser_new_with_stream(in);
	GMimeObject *o = g_mime_parser_construct_part(parser, NULL);
	GMimeMessage *m = NULL;

	if (o == NULL && g_mime_stream_seek(in, 0, GMIME_STREAM_SEEK_SET) ==
	    0) {
		g_mime_parser_init_with_stream(parser, in);
		m = g_mime_parser_construct_message(parser, NULL);
	}
	*mail = o != NULL || m != NULL;
	if (m != NULL && (o = g_mime_message_get_mime_part(m)) != NULL)
		g_object_ref(o);
	if (m != NULL)
		g_object_unref(m);
	g_object_unref(parser);
	return o;
}

/* ${in}: taken. */
static enum rc
extract_stream(GMimeStream *in, const struct extract_sink *sink,
    struct err *e)
{
	struct state s = { .sink = sink };
	bool mail;
	GMimeObject *o = parse(in, &mail);
	enum rc rc;

	if (!mail)
		rc = err_class(e, EC_POLICY, _("not a mail that can be read"));
	else
		rc = walk(&s, o, 0, e);
	if (rc == RC_OK && s.ndocs == 0)
		rc = whole(&s, in, e);
	if (o != NULL)
		g_object_unref(o);
	g_object_unref(in);
	return rc;
}

enum rc
extract(int fd, const struct extract_sink *sink, struct err *e)
{
	int copy = dup(fd);

	if (copy < 0 || lseek(copy, 0, SEEK_SET) != 0)
		return err_sys(e, _("a document"));
	return extract_stream(g_mime_stream_fs_new(copy), sink, e);
}

/* The text of a mail that has nothing else: no parser is needed. */
static enum rc
plain_text(const struct plain *text, const struct extract_sink *sink,
    struct err *e)
{
	struct extract_doc d = { .ext = ".txt", .text = true,
	    .least = text->text.len };
	int fd = -1;
	enum rc rc;

	memcpy(d.charset, text->charset, sizeof(d.charset));
	rc = sink->begin(sink->arg, &d, &fd, e);
	if (rc != RC_OK || (fd < 0 && fd != EXTRACT_HERE))
		return rc;
	if (fd == EXTRACT_HERE)
		d.octets = text->text;
	else if (!write_all(fd, text->text.p, text->text.len))
		return err_sys(e, _("a document"));
	return sink->end(sink->arg, &d, e);
}

enum rc
extract_from(struct bytes mail, const struct extract_sink *sink,
    struct err *e)
{
	struct plain text;

	if (plain_read(mail, &text))
		return plain_text(&text, sink, e);
	return extract_stream(g_mime_stream_mem_new_with_buffer(
	    (const char *)mail.p, mail.len), sink, e);
}
