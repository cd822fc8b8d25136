#include "config.h"

#include <qrencode.h>

#include "base/secret.h"
#include "issuer/qr.h"

#define BORDER 4	/* modules, ISO/IEC 18004 */

static bool
is_dark(const QRcode *q, int x, int y)
{
	return (q->data[y * q->width + x] & 1) != 0;
}

/* Runs of dark modules, each a rectangle. */
static bool
add_line(const QRcode *q, int y, struct buf *out)
{
	int x = 0, end;

	while (x < q->width) {
		if (!is_dark(q, x, y)) {
			x++;
			continue;
		}
		for (end = x; end < q->width && is_dark(q, end, y); end++)
			;
		if (!buf_addf(out, "M%d %dh%dv1h-%dz", x + BORDER,
		    y + BORDER, end - x, end - x))
			return false;
		x = end;
	}
	return true;
}

static bool
add_all(const QRcode *q, struct buf *out)
{
	int size = q->width + 2 * BORDER;

	if (!buf_addf(out, "<svg class=\"qr\" viewBox=\"0 0 %d %d\" "
	    "shape-rendering=\"crispEdges\"><path d=\"", size, size))
		return false;
	for (int y = 0; y < q->width; y++)
		if (!add_line(q, y, out))
			return false;
	return buf_adds(out, "\"/></svg>");
}

bool
qr_svg(const char *text, struct buf *out)
{
	QRcode *q = QRcode_encodeString(text, 2, QR_ECLEVEL_Q, QR_MODE_8, 1);
	bool ok = q != NULL && add_all(q, out);

	if (q != NULL)
		wipe(q->data, (size_t)(q->width * q->width));
	QRcode_free(q);
	return ok;
}
