#!/usr/bin/python3
"""A long line on loopback: every octet arrives later, none is held back.

usage: delay.py MILLISECONDS PORT...

Prints the ports to use instead of those, in one line.  A line "turns" on
standard input is answered with how often, since the last one, a client spoke
after it had heard something: round trips, the one of the connection with it.
Ends with its standard input.

What is sent arrives MILLISECONDS later, in both directions, however much is
on its way (up to WINDOW, as a window of TCP would hold it).  The connection
itself costs its round trip too: nothing arrives before it.
"""

import collections
import os
import select
import socket
import sys
import time

WINDOW = 6 << 20        # tcp_rmem[2], as Linux has it
PIECE = 1 << 18


class Way:
    """One direction: what was read, and when it may be written."""

    def __init__(self, source, target, open_at, delay):
        self.source, self.target, self.delay = source, target, delay
        self.open_at = open_at
        self.queue, self.size, self.ended = collections.deque(), 0, False

    def wants(self):
        return not self.ended and self.size < WINDOW

    def read(self, now):
        try:
            data = self.source.recv(PIECE)
        except BlockingIOError:
            return False
        except OSError:
            data = b""
        self.ended = not data
        self.size += len(data)
        self.queue.append((max(now, self.open_at) + self.delay, data))
        return bool(data)

    def due(self):
        return self.queue[0][0] if self.queue else None

    def write(self, now):
        """True when something arrived; an error ends this direction."""
        moved = False
        while self.queue and self.queue[0][0] <= now:
            at, data = self.queue.popleft()
            try:
                if not data:
                    self.target.shutdown(socket.SHUT_WR)
                    continue
                sent = self.target.send(data)
            except BlockingIOError:
                sent = 0
            except OSError:
                self.ended, self.size = True, 0
                self.queue.clear()
                return moved
            self.size -= sent
            moved = moved or sent > 0
            if sent < len(data):
                self.queue.appendleft((at, data[sent:]))
                break
        return moved


class Line:
    """One connection, once its first round trip is over."""

    def __init__(self, client, port, delay):
        now = time.monotonic()
        self.client, self.port, self.server = client, port, None
        self.heard = True
        self.server_at = now + 3 * delay
        client.setblocking(False)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.server = socket.create_connection(("127.0.0.1", port))
        self.server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.server.setblocking(False)
        self.up = Way(client, self.server, now + 2 * delay, delay)
        self.down = Way(self.server, client, self.server_at, delay)

    def over(self):
        return self.up.ended and self.down.ended and \
            not self.up.queue and not self.down.queue

    def close(self):
        self.client.close()
        self.server.close()


class Proxy:
    def __init__(self, delay, ports):
        self.delay, self.lines, self.turns = delay, [], 0
        self.listeners = {}
        for port in ports:
            s = socket.create_server(("127.0.0.1", 0), backlog=256)
            s.setblocking(False)
            self.listeners[s] = port
        print(*(s.getsockname()[1] for s in self.listeners), flush=True)

    def _wait(self):
        """(who can be read, who waits to be written to, the time)."""
        now = time.monotonic()
        reading, writing, first = [sys.stdin, *self.listeners], [], None
        for line in self.lines:
            for way in (line.up, line.down):
                if way.wants():
                    reading.append(way.source)
                at = way.due()
                if at is not None and at <= now:
                    writing.append(way.target)
                elif at is not None:
                    first = at if first is None else min(first, at)
        wait = None if first is None else max(0, first - now)
        got, room, _ = select.select(reading, writing, [], wait)
        return set(got), set(room), time.monotonic()

    def serve(self):
        while True:
            got, _, now = self._wait()
            if sys.stdin in got and not self._answer():
                return
            for listener in got & self.listeners.keys():
                self._accept(listener)
            for line in self.lines:
                self._pass_on(line, got, now)
            for line in [l for l in self.lines if l.over()]:
                line.close()
                self.lines.remove(line)

    def _answer(self):
        if not os.read(0, 100):
            return False
        print(self.turns, flush=True)
        self.turns = 0
        return True

    def _accept(self, listener):
        try:
            client, _ = listener.accept()
            self.lines.append(Line(client, self.listeners[listener],
                                   self.delay))
            self.turns += 1         # of the connection itself
        except OSError:
            return

    def _pass_on(self, line, got, now):
        if line.up.source in got and line.up.read(now):
            if line.heard:
                self.turns += 1
            line.heard = False
        if line.down.source in got:
            line.down.read(now)
        line.up.write(now)
        if line.down.write(now):
            line.heard = True


if __name__ == "__main__":
    Proxy(float(sys.argv[1]) / 1000, map(int, sys.argv[2:])).serve()
