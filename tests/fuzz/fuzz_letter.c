/* The letter of any member that the register takes: printable, it says the code
 * just once, can be read again, and no name puts a mark into its page. */
/* links: issuer vault document conf mail base */
#include "config.h"

#include "fuzz.h"
#include "issuer/letter.h"
#include "base/utf8.h"

static const char code[] = "208H4-4RM2M-B1E60-S38DH-R78Y9";

/* A member who has it as his name, or in his address. */
static bool
says_code(const uint8_t *p, size_t len)
{
	const size_t n = strlen(code);

	for (size_t i = 0; i + n <= len; i++)
		if (memcmp(p + i, code, n) == 0)
			return true;
	return false;
}

static void
check_text(struct buf *out)
{
	const char *s = buf_str(out), *at = strstr(s, code);
	uint32_t c;

	BUG_ON(at == NULL || strstr(at + 1, code) != NULL);
	BUG_ON(strlen(s) != out->len);
	for (size_t i = 0; i < out->len;) {
		BUG_ON(!utf8_next(out->p, out->len, &i, &c));
		BUG_ON(c != '\n' && utf8_control(c));
	}
}

/* Of marks there are as many as in anybody's page. */
static size_t
count(const struct buf *b, char c)
{
	size_t n = 0;

	for (size_t i = 0; i < b->len; i++)
		n += b->p[i] == (uint8_t)c;
	return n;
}

static void
check_page(const struct buf *out, const struct member *to, bool english)
{
	struct letter_words w;
	struct buf page = BUF_INIT, other = BUF_INIT;
	struct bytes name;
	size_t len = strlen(to->show);

	BUG_ON(!letter_read((struct bytes){ out->p, out->len }, &w));
	BUG_ON(w.english != english);
	name = words_find(w.v, LETTER_NWORDS, "to");
	BUG_ON(name.len < len || memcmp(name.p, to->show, len) != 0);
	BUG_ON(!letter_page(&w, &page));
	for (size_t i = 0; i < LETTER_NWORDS; i++)
		if (strcmp(w.v[i].name, "code") != 0)
			w.v[i].value.len = 0;
	BUG_ON(!letter_page(&w, &other));
	BUG_ON(count(&page, '<') != count(&other, '<') ||
	    count(&page, '>') != count(&other, '>') ||
	    count(&page, '"') != count(&other, '"'));
	buf_free(&page);
	buf_free(&other);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	static const char issuer[] = "demo/association@demo.example#1";
	struct fuzz f = { p, len };
	struct identity from;
	struct buf out = BUF_INIT;
	struct err e = ERR_INIT;
	struct letter l = { .assoc = "demo", .call = "", .issuer = &from,
	    .code = code, .digits = "0123abcd", .key_file = "a.2026.cle" };
	struct member_new w = { .kind = MEMBER_PRACTICE };
	struct members *m = members_new("demo");
	enum member_add how;
	uint8_t dates;

	BUG_ON(m == NULL ||
	    !identity_parse(issuer, strlen(issuer), &from));
	l.english = fuzz_8(&f) & 1;
	l.year = (uint16_t)(fuzz_8(&f) << 8 | fuzz_8(&f));
	dates = fuzz_8(&f);
	l.at = (int64_t)dates << 28;
	w.address = fuzz_run(&f, 255);
	w.route = fuzz_run(&f, 255);
	w.lists = fuzz_run(&f, 255);
	w.show = fuzz_run(&f, 255);
	w.post = fuzz_run(&f, 255);
	if (members_add(m, &w, &how, &e) == RC_OK) {
		l.to = &m->v[0];
		BUG_ON(!letter_format(&l, &out));
		if (!says_code(p, len))
			check_text(&out);
		check_page(&out, &m->v[0], l.english);
	}
	buf_free(&out);
	members_free(&m);
	return 0;
}
