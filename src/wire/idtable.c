#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "wire/idtable.h"

void
idtable_free(struct idtable *t)
{
	free(t->rows);
	buf_free(&t->text);
	memset(t, 0, sizeof(*t));
}

static bool
grow(struct idtable *t)
{
	size_t cap = t->cap == 0 ? 256 : t->cap * 2;
	struct idtable_row *rows;

	if (t->n < t->cap)
		return true;
	if (cap > SIZE_MAX / sizeof(*rows) ||
	    (rows = malloc(cap * sizeof(*rows))) == NULL)
		return false;
	if (t->n > 0)
		memcpy(rows, t->rows, t->n * sizeof(*rows));
	free(t->rows);
	t->rows = rows;
	t->cap = cap;
	return true;
}

bool
idtable_add(struct idtable *t, struct bytes id, struct bytes more,
    uint32_t number, uint64_t size)
{
	struct idtable_row *r;

	if (!grow(t) || !buf_reserve(&t->text, id.len + more.len))
		return false;
	r = &t->rows[t->n++];
	*r = (struct idtable_row){ NULL, t->text.len, (uint16_t)id.len,
	    (uint16_t)more.len, number, size };
	return buf_add(&t->text, id.p, id.len) &&
	    (more.len == 0 || buf_add(&t->text, more.p, more.len));
}

struct bytes
idtable_id(const struct idtable *t, size_t row)
{
	return (struct bytes){ t->text.p + t->rows[row].at,
	    t->rows[row].len };
}

struct bytes
idtable_more(const struct idtable *t, size_t row)
{
	return (struct bytes){ t->text.p + t->rows[row].at +
	    t->rows[row].len, t->rows[row].more };
}

bool
idtable_name(struct idtable *t, size_t row, struct bytes id)
{
	t->rows[row].at = t->text.len;
	t->rows[row].len = (uint16_t)id.len;
	t->rows[row].more = 0;
	return id.len == 0 || buf_add(&t->text, id.p, id.len);
}

static int
compare_numbers(const void *a, const void *b)
{
	const struct idtable_row *x = a, *y = b;

	return x->number < y->number ? -1 : x->number > y->number;
}

static int
compare_ids(const void *a, const void *b)
{
	const struct idtable_row *x = a, *y = b;
	size_t len = x->len < y->len ? x->len : y->len;
	int r = memcmp(x->id, y->id, len);

	if (r == 0 && x->len != y->len)
		r = x->len < y->len ? -1 : 1;
	return r != 0 ? r : compare_numbers(a, b);
}

void
idtable_by_number(struct idtable *t)
{
	bool sorted = true;

	for (size_t i = 1; i < t->n && sorted; i++)
		sorted = t->rows[i - 1].number <= t->rows[i].number;
	if (!sorted)
		qsort(t->rows, t->n, sizeof(*t->rows), compare_numbers);
}

long
idtable_number(const struct idtable *t, uint32_t number)
{
	const struct idtable_row key = { .number = number }, *r = NULL;

	if (t->n > 0)
		r = bsearch(&key, t->rows, t->n, sizeof(*t->rows),
		    compare_numbers);
	return r == NULL ? -1 : (long)(r - t->rows);
}

void
idtable_by_id(struct idtable *t)
{
	for (size_t i = 0; i < t->n; i++)
		t->rows[i].id = t->text.p + t->rows[i].at;
	if (t->n > 1)
		qsort(t->rows, t->n, sizeof(*t->rows), compare_ids);
}

long
idtable_find(const struct idtable *t, struct bytes id)
{
	size_t low = 0, high = t->n;
	struct idtable_row key = { .id = id.p, .len = (uint16_t)id.len };

	if (id.len > UINT16_MAX)
		return -1;
	/* Number 0 sorts before every row of the same id. */
	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (compare_ids(&t->rows[mid], &key) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	if (low < t->n && t->rows[low].len == id.len &&
	    memcmp(t->rows[low].id, id.p, id.len) == 0)
		return (long)low;
	return -1;
}

size_t
idtable_run(const struct idtable *t, size_t row)
{
	struct bytes id = idtable_id(t, row);
	size_t n = 1;

	while (row + n < t->n && t->rows[row + n].len == id.len &&
	    memcmp(idtable_id(t, row + n).p, id.p, id.len) == 0)
		n++;
	return n;
}
