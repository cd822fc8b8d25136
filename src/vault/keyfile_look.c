/* What a file is that somebody takes for a key file: no key is needed. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/lang.h"
#include "vault/keyfile.h"
#include "vault/payload.h"

#define LOOK_BYTES 4096
#define BASE64_MAGIC "U0NFQVU"		/* of "SCEAU" */

struct look {
	uint8_t		p[LOOK_BYTES];	/* its beginning */
	size_t		len;
	uint64_t	size;
	uint8_t		digest[KDF_KEY_BYTES];
};

/* ---- what it may be instead --------------------------------------------- */

static bool
begins(const struct look *l, size_t at, const char *word)
{
	size_t n = strlen(word);

	return l->len >= at + n &&
	    strncasecmp((const char *)l->p + at, word, n) == 0;
}

/* Past a byte order mark and blanks. */
static size_t
text_start(const struct look *l)
{
	size_t at = begins(l, 0, "\xef\xbb\xbf") ? 3 : 0;

	while (at < l->len && strchr(" \t\r\n", l->p[at]) != NULL)
		at++;
	return at;
}

static bool
is_page(const struct look *l)
{
	size_t at = text_start(l);

	return begins(l, at, "<!doctype") || begins(l, at, "<html") ||
	    begins(l, at, "<head") || begins(l, at, "<?xml");
}

/* Some line begins with a field that every mail has. */
static bool
is_mail(const struct look *l)
{
	static const char *const fields[] = { "Received:", "MIME-Version:",
	    "Message-ID:", "Content-Type:", "Return-Path:" };

	for (size_t at = text_start(l); at < l->len; at++) {
		if (at > 0 && l->p[at - 1] != '\n')
			continue;
		for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
			if (begins(l, at, fields[i]))
				return true;
	}
	return false;
}

static enum rc
say_other(const struct look *l, struct err *e)
{
	if (l->size == 0)
		return err_class(e, EC_TRUNCATED, _("the file is empty: it "
		    "was not wholly downloaded or copied. Nothing was changed. "
		    "Download or copy it again"));
	if (is_page(l))
		return err_class(e, EC_FORMAT, _("this is a web page, not the "
		    "key file: the site asked for a password, or the link "
		    "has run out. Nothing was changed. Open the site, log "
		    "in, and download the file again"));
	if (is_mail(l))
		return err_class(e, EC_FORMAT, _("this is a whole mail, not "
		    "the key file in it. Nothing was changed. Open the mail, "
		    "save its attachment whose name ends in .cle, and take "
		    "that"));
	if (begins(l, text_start(l), BASE64_MAGIC))
		return err_class(e, EC_FORMAT, _("this is a key file as mail "
		    "carries it, in letters. Nothing was changed. Save the "
		    "attachment with the mail program (\"Save as\"), and take "
		    "that"));
	if (begins(l, 0, "PK\x03\x04"))
		return err_class(e, EC_FORMAT, _("this is a compressed folder. "
		    "Nothing was changed. Open it, take the file out whose "
		    "name ends in .cle, and import that"));
	return err_class(e, EC_FORMAT, _("this is not a key file. Nothing was "
	    "changed. The association's file has a name that ends in .cle"));
}

/* ---- what it is ---------------------------------------------------------- */

/* Only some sizes can be those of a whole envelope (2.4, 2.19.8). */
static bool
is_whole(const struct env_head *h, uint64_t size)
{
	uint64_t chunk = ENV_CHUNK_BYTES + ENV_MAC_BYTES, macs, payload;

	if (size < h->len)
		return false;
	macs = (size - h->len) / chunk + 1;
	if (size - h->len < macs * ENV_MAC_BYTES)
		return false;
	payload = size - h->len - macs * ENV_MAC_BYTES;
	return payload_padded(payload) == payload &&
	    env_size(h->len, payload) == size;
}

static enum rc
say_cut(const struct look *l, struct err *e)
{
	return err_class(e, EC_TRUNCATED, _("the file is not whole: of %llu "
	    "octets, which no key file has. Nothing was changed. Download or "
	    "copy it again, to the end; take a stick out only when the system "
	    "allows it"), (unsigned long long)l->size);
}

static enum rc
judge(const struct look *l, const struct env_head *h,
    struct keyfile_head *out, struct err *e)
{
	bool to_self = identity_eq(&h->from, &h->to);

	if (h->source == ENV_CHANNEL)
		return err_class(e, EC_FORMAT, to_self ?
		    _("this is the key store of a machine, which opens on that "
		    "machine alone. Nothing was changed. On that machine: "
		    "sceau key export FILE") :
		    _("this is a sealed message, not a key file. Nothing was "
		    "changed. Messages are opened by sceau poll"));
	out->exported = h->source >= ENV_PASS1;
	if (out->exported != to_self)
		return err_class(e, EC_FORMAT, _("this is not a key file. "
		    "Nothing was changed. The association's file has a name "
		    "that ends in .cle"));
	if (!is_whole(h, l->size))
		return say_cut(l, e);
	out->renewal = h->source == ENV_OLD_CODE;
	out->year = h->year;
	out->issuer = h->from;
	out->member = h->to;
	hex_format(l->digest, KEYFILE_DIGITS / 2, out->digits);
	return RC_OK;
}

static enum rc
read_all(int fd, struct look *l, struct err *e)
{
	struct kdf_hash hash;
	uint8_t more[LOOK_BYTES];
	ssize_t n = read_full(fd, l->p, sizeof(l->p));

	kdf_hash_init(&hash);
	if (n > 0) {
		l->len = (size_t)n;
		kdf_hash_add(&hash, l->p, l->len);
		l->size = l->len;
		while ((n = read_full(fd, more, sizeof(more))) > 0) {
			kdf_hash_add(&hash, more, (size_t)n);
			l->size += (size_t)n;
		}
	}
	kdf_hash_end(&hash, l->digest);
	return n < 0 ? err_set(e, RC_CONF, _("the key file cannot be read: "
	    "%s"), lang_errno(errno)) : RC_OK;
}

static enum rc
look(int fd, struct keyfile_head *out, struct err *e)
{
	struct look l = { .size = 0 };
	struct err why = ERR_INIT;
	struct env_head h;
	enum rc rc;

	if ((rc = read_all(fd, &l, e)) != RC_OK)
		return rc;
	if (!begins(&l, 0, "SCEAU"))
		return say_other(&l, e);
	if (l.len < ENV_HEAD_MIN || env_head_want(l.p, l.len) > l.len)
		return say_cut(&l, e);
	if (env_head_parse(l.p, l.len, &h, &why) == RC_OK)
		return judge(&l, &h, out, e);
	if (why.class == EC_VERSION)
		return err_class(e, EC_VERSION, _("this key file is made for a "
		    "newer sceau. Nothing was changed. Install the newer one, "
		    "then take the file again"));
	return err_class(e, EC_FORMAT, _("the file is damaged at its "
	    "beginning. Nothing was changed. Download or copy it again"));
}

enum rc
keyfile_peek(const char *path, struct keyfile_head *out, struct err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	enum rc rc;

	memset(out, 0, sizeof(*out));
	if (fd < 0)
		return err_set(e, RC_CONF, _("the key file %s cannot be "
		    "read: %s"), path, lang_errno(errno));
	if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode))
		rc = err_set(e, RC_CONF, _("this is a folder: name the key "
		    "file in it, whose name ends in .cle"));
	else
		rc = look(fd, out, e);
	close(fd);
	return rc == RC_OK ? rc : err_ctx(e, "%s", path);
}
