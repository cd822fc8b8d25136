"""The least that the work can take: a reader that asks for everything at
once and counts octets, and a writer that waits for the disk once."""

import ctypes
import os
import re
import socket
import ssl

from bench.measure import Failed, timed

PIECE = 1 << 18


def _connect(stand, port):
    context = ssl.create_default_context(cafile=stand.ca.cert)
    return context.wrap_socket(
        socket.create_connection(("127.0.0.1", port)),
        server_hostname="localhost")


def _answer(wire, data, end):
    """Octets until that pattern stands at their end."""
    while not re.search(end, data[-200:]):
        more = wire.recv(PIECE)
        if not more:
            raise Failed("the server hung up")
        data += more
    return data


def _count(wire, data, end):
    """How many octets come until that pattern, which is then the last."""
    total, tail = len(data), data[-200:]
    while not re.search(end, tail):
        more = wire.recv(PIECE)
        if not more:
            raise Failed("the server hung up")
        total += len(more)
        tail = (tail + more)[-200:]
    return total


def _pop3(wire, user, password, n):
    _answer(wire, b"", rb"\r\n$")
    wire.sendall(f"USER {user}\r\nPASS {password}\r\nUIDL\r\n".encode())
    _answer(wire, b"", rb"\r\n\.\r\n$")
    wire.sendall(b"".join(b"RETR %d\r\n" % (i + 1) for i in range(n)) +
                 b"QUIT\r\n")
    return _count(wire, b"", rb"\+OK Logging out[^\n]*\r\n$")


def _imap(wire, user, password, n):
    _answer(wire, b"", rb"\r\n$")
    wire.sendall(f"1 LOGIN {user} {password}\r\n2 SELECT INBOX\r\n".encode())
    _answer(wire, b"", rb"\r\n2 OK [^\n]*\r\n$")
    wire.sendall(b"3 UID FETCH 1:* BODY.PEEK[]\r\n")
    return _count(wire, b"", rb"\r\n3 OK [^\n]*\r\n$")


def reader(stand, protocol, port, user, password, paths):
    """All mails of a mailbox, read and forgotten: a Run."""
    least = sum(p.stat().st_size for p in paths)

    def read():
        with _connect(stand, port) as wire:
            talk = _pop3 if protocol == "pop3" else _imap
            got = talk(wire, user, password, len(paths))
            if got < least:
                raise Failed(f"{got} of {least} octets came")
    return timed(read)


def _sync_all(fd):
    """syncfs(2): the whole file system, once."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.syncfs(fd) != 0:
        raise Failed("syncfs: " + os.strerror(ctypes.get_errno()))


def writer(box, mails):
    """Those octets as files of a Maildir, on the disk after one sync."""
    for part in ("", "tmp", "new"):
        (box / part).mkdir(parents=True, exist_ok=True)
    tmp, new = str(box / "tmp"), str(box / "new")

    def write():
        for number, mail in enumerate(mails):
            fd = os.open(f"{tmp}/{number}", os.O_WRONLY | os.O_CREAT |
                         os.O_EXCL, 0o600)
            os.write(fd, mail)
            os.close(fd)
        folder = os.open(new, os.O_RDONLY)
        _sync_all(folder)
        for number in range(len(mails)):
            os.rename(f"{tmp}/{number}", f"{new}/{number}")
        os.fsync(folder)
        os.close(folder)
    return timed(write)
