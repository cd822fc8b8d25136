"""A TCP proxy on loopback that keeps all that passes, and can change it.

    with Proxy(port) as wire:
        ... talk to 127.0.0.1:wire.port ...
        assert b"secret" not in wire.seen
"""

import selectors
import socket
import threading


class Proxy:
    """change(data, to_server): what to pass on instead; None ends the
    connection.  delay_s: how long each piece waits (a slow network).  port: a
    certain one to listen at.  record: keep what passes."""

    def __init__(self, target, change=None, delay_s=0, port=0, record=True):
        self.target, self.change, self.delay_s = target, change, delay_s
        self.record, self._cuts = record, 0
        self.to_server, self.to_client = bytearray(), bytearray()
        self.connections = 0
        self._stop = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", port))
        self.port = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    @property
    def seen(self):
        return bytes(self.to_server + self.to_client)

    def cut(self):
        """The network is gone: whoever is connected no longer is."""
        self._cuts += 1

    def _accept(self):
        self._listener.settimeout(0.1)
        while not self._stop.is_set():
            try:
                client, _ = self._listener.accept()
            except TimeoutError:
                continue
            except OSError:
                return
            self.connections += 1
            thread = threading.Thread(
                target=self._serve, args=(client,), daemon=True)
            self._threads = [t for t in self._threads if t.is_alive()]
            self._threads.append(thread)
            thread.start()

    def _serve(self, client):
        cuts = self._cuts
        with client, selectors.DefaultSelector() as waiting:
            try:
                server = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                return
            with server:
                waiting.register(client, selectors.EVENT_READ, server)
                waiting.register(server, selectors.EVENT_READ, client)
                try:
                    self._pass_on(waiting, client, cuts)
                except OSError:
                    return

    def _pass_on(self, waiting, client, cuts):
        while not self._stop.is_set() and cuts == self._cuts:
            for key, _ in waiting.select(0.1):
                data = key.fileobj.recv(65536)
                up = key.fileobj is client
                if self.record:
                    (self.to_server if up else self.to_client).extend(data)
                if data and self.change:
                    data = self.change(data, up)
                if not data:
                    return
                if self.delay_s:
                    self._stop.wait(self.delay_s)
                key.data.sendall(data)

    def close(self):
        self._stop.set()
        self._listener.close()
        for thread in self._threads:
            thread.join(5)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
