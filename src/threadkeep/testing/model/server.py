"""The HTTP server of the scripted model: a threading server on loopback that calls a handler."""

from __future__ import annotations

import json
import socketserver
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """An HTTP response: a JSON body, or the events of a stream."""

    status: int
    body: Mapping[str, Any] | Iterable[str]
    headers: Mapping[str, str] = field(default_factory=dict)


RequestHandler = Callable[[str, str, bytes], HttpAnswer]
"""Takes method, path and body of a request, returns its answer."""


class ModelServer(ThreadingHTTPServer):
    """Listens on a free port of 127.0.0.1 once constructed; answers while it `serve_forever`s."""

    request_queue_size = 128

    def __init__(self, answer_request: RequestHandler) -> None:
        self.answer_request = answer_request
        super().__init__(("127.0.0.1", 0), _HttpHandler)

    def server_bind(self) -> None:
        """Bind without the reverse look-up of the host's name, which may take seconds."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = "127.0.0.1", self.socket.getsockname()[1]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore disconnected clients: a test may disconnect on purpose."""
        if not isinstance(sys.exception(), (ConnectionError, TimeoutError)):
            super().handle_error(request, client_address)


class _HttpHandler(BaseHTTPRequestHandler):
    """One request per connection, so that nothing is left open when the server stops."""

    server: ModelServer
    protocol_version = "HTTP/1.1"
    timeout = 30

    def do_GET(self) -> None:
        self._answer(b"")

    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers.get("content-length") or 0)))

    def _answer(self, body: bytes) -> None:
        answer = self.server.answer_request(self.command, self.path.partition("?")[0], body)
        if isinstance(answer.body, Mapping):
            answer_bytes = json.dumps(answer.body).encode()
            self._head(
                answer, {"content-type": "application/json", "content-length": len(answer_bytes)}
            )
            self.wfile.write(answer_bytes)
        else:
            self._head(answer, {"content-type": "text/event-stream; charset=utf-8"})
            for event_text in answer.body:
                self.wfile.write(event_text.encode())

    def _head(self, answer: HttpAnswer, headers: Mapping[str, object]) -> None:
        self.close_connection = True
        self.send_response(answer.status)
        for header_name, header_value in {
            **headers,
            **answer.headers,
            "connection": "close",
        }.items():
            self.send_header(header_name, str(header_value))
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing to standard error."""
