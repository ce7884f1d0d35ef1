"""A TCP proxy that cuts at the worst moment, refuses, delays, or lets nothing through."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager


class Proxy:
    """Stands before a server.

    Attributes:
        port: where it listens.
        silent: what comes is thrown away, in both directions, and nothing is closed.
        delay: seconds that each request and each reply takes longer.
    """

    def __init__(self, target: int, host: str = "127.0.0.1") -> None:
        self._target = (host, target)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self.silent = False
        self.delay = 0.0
        self._spared: dict[str, int] = {}  # how many requests, replies pass before the cut
        self._open: list[socket.socket] = []
        self.take_calls()

    def cut(self, what: str, spare: int = 0) -> None:
        """Close the connection instead of passing on a `request` or `reply`: the next, or later.

        Args:
            spare: so many pass before; a long one counts for several.
        """
        self._spared[what] = spare

    def mended(self, what: str) -> bool:
        """Take the order to cut back; was there one left?"""
        return self._spared.pop(what, None) is not None

    def refuse(self) -> None:
        """Cut all connections and take no new ones."""
        self.take_no_calls()
        _close(*self._open)

    def take_no_calls(self) -> None:
        """Take no new connections; the open ones stay."""
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def take_calls(self) -> None:
        """Take connections, also again."""
        if self._listening.fileno() < 0:
            self._listening = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, args=(self._listening,), daemon=True).start()

    def close(self) -> None:
        """Close everything."""
        self.refuse()

    def _accept(self, listening: socket.socket) -> None:
        while True:
            try:
                client, _ = listening.accept()
                server = socket.create_connection(self._target)
            except OSError:
                return
            self._open += [client, server]
            for source, sink, what in ((client, server, "request"), (server, client, "reply")):
                pump = (source, sink, what)
                threading.Thread(target=self._pump, args=pump, daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket, what: str) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if self._ends(what):
                    break
                time.sleep(self.delay)
                if not self.silent:
                    sink.sendall(data)
        _close(source, sink)

    def _ends(self, what: str) -> bool:
        spared = self._spared.get(what)
        if spared == 0:
            del self._spared[what]
        elif spared is not None:
            self._spared[what] = spared - 1
        return spared == 0


def _close(*sockets: socket.socket) -> None:
    for one in sockets:
        with contextlib.suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
        one.close()


@contextmanager
def before(port: int, host: str = "127.0.0.1") -> Iterator[Proxy]:
    """A proxy before a server, for a while."""
    proxy = Proxy(port, host)
    try:
        yield proxy
    finally:
        proxy.close()
