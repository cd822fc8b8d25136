#include "config.h"

#include "wire/imap_talk.h"

/* libetpan's driver over our stream: everything else is refused. */

static struct stream *
under(mailstream_low *low)
{
	return low->data;
}

static ssize_t
io_read(mailstream_low *low, void *p, size_t len)
{
	return stream_read(under(low), p, len);
}

static ssize_t
io_write(mailstream_low *low, const void *p, size_t len)
{
	return stream_write(under(low), p, len);
}

static int
io_close(mailstream_low *low)
{
	(void)low;
	return 0;
}

static int
io_fd(mailstream_low *low)
{
	(void)low;
	return -1;
}

static void
io_free(mailstream_low *low)
{
	free(low);
}

static void
io_cancel(mailstream_low *low)
{
	(void)low;
}

static struct mailstream_cancel *
io_get_cancel(mailstream_low *low)
{
	(void)low;
	return NULL;
}

static carray *
io_chain(mailstream_low *low)
{
	(void)low;
	return NULL;
}

static int
io_no_idle(mailstream_low *low)
{
	(void)low;
	return -1;
}

static mailstream_low_driver driver = {
	.mailstream_read = io_read,
	.mailstream_write = io_write,
	.mailstream_close = io_close,
	.mailstream_get_fd = io_fd,
	.mailstream_free = io_free,
	.mailstream_cancel = io_cancel,
	.mailstream_get_cancel = io_get_cancel,
	.mailstream_get_certificate_chain = io_chain,
	.mailstream_setup_idle = io_no_idle,
	.mailstream_unsetup_idle = io_no_idle,
	.mailstream_interrupt_idle = io_no_idle
};

mailstream *
imap_io(struct stream *s)
{
	mailstream_low *low = mailstream_low_new(s, &driver);
	mailstream *io = low == NULL ? NULL : mailstream_new(low, 32768);

	if (io == NULL && low != NULL)
		mailstream_low_free(low);
	return io;
}
