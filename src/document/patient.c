#include "config.h"

#include <string.h>

#include "document/patient.h"

static bool
is_other_name(struct bytes word)
{
	static const char *const words[] = { "NEE", "EPOUSE", "EPSE", "VEUVE",
	    "VVE" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (bytes_eqs(word, words[i]))
			return true;
	return false;
}

static struct bytes
next_word(struct bytes *s)
{
	const uint8_t *end = s->len == 0 ? NULL : memchr(s->p, ' ', s->len);
	size_t n = end == NULL ? s->len : (size_t)(end - s->p);
	struct bytes word = { s->p, n };

	n += end != NULL;
	s->p += n;
	s->len -= n;
	return word;
}

/* ${len} octets stand there already. */
static size_t
put_words(struct bytes words, char name[PATIENT_NAME_BYTES], size_t len)
{
	for (size_t n = 0; words.len > 0; n++) {
		struct bytes word = next_word(&words);
		size_t room = PATIENT_NAME_BYTES - 1 - len;

		if (n > 0 && is_other_name(word))
			break;
		if (word.len < room)
			room = word.len;
		memcpy(name + len, word.p, room);
		len += room;
	}
	name[len] = '\0';
	return len;
}

static struct bytes
before_bracket(struct bytes s)
{
	const uint8_t *end = s.len == 0 ? NULL : memchr(s.p, '(', s.len);

	return (struct bytes){ s.p, end == NULL ? s.len :
	    (size_t)(end - s.p) };
}

static bool
words_of(struct bytes field, struct buf *out)
{
	struct bytes s = before_bracket(field);

	return charset_words(s.p, s.len, out);
}

bool
patient_of(const struct hprim_patient *p, struct patient *out)
{
	struct buf family = BUF_INIT, given = BUF_INIT;
	bool ok = words_of(p->field[HPRIM_FAMILY], &family) &&
	    words_of(p->field[HPRIM_GIVEN], &given);
	size_t len;

	memset(out, 0, sizeof(*out));
	if (ok && family.len > 0) {
		len = put_words((struct bytes){ family.p, family.len },
		    out->name, 0);
		if (len < PATIENT_NAME_BYTES - 1)
			out->name[len++] = ' ';
		(void)put_words((struct bytes){ given.p, given.len },
		    out->name, len);
		memcpy(out->birth, p->birth, sizeof(out->birth));
	}
	buf_free(&family);
	buf_free(&given);
	return ok;
}
