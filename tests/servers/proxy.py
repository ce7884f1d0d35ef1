"""A TCP proxy that cuts a connection at the worst moment, or lets nothing through."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Proxy:
    """Stands before a port of this machine.

    Attributes:
        port: where it listens.
        silent: what comes is thrown away, in both directions, and nothing is closed.
    """

    def __init__(self, target: int) -> None:
        self._target = target
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self.silent = False
        self._cut: dict[str, threading.Event] = {
            "request": threading.Event(),
            "reply": threading.Event(),
        }
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self, what: str) -> None:
        """Close the connection instead of passing on the next `request` or `reply`."""
        self._cut[what].set()

    def close(self) -> None:
        """Close everything."""
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        _close(*self._open)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
                server = socket.create_connection(("127.0.0.1", self._target))
            except OSError:
                return
            self._open += [client, server]
            for source, sink, what in ((client, server, "request"), (server, client, "reply")):
                pump = (source, sink, self._cut[what])
                threading.Thread(target=self._pump, args=pump, daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket, cut: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if cut.is_set():
                    cut.clear()
                    break
                if not self.silent:
                    sink.sendall(data)
        _close(source, sink)


def _close(*sockets: socket.socket) -> None:
    for one in sockets:
        with contextlib.suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
        one.close()


@contextmanager
def before(port: int) -> Iterator[Proxy]:
    """A proxy before a port, for a while."""
    proxy = Proxy(port)
    try:
        yield proxy
    finally:
        proxy.close()
