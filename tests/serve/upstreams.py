"""An upstream that misbehaves on purpose, over real HTTP."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Upstream:
    """Answers each request by `behave(handler, body)`; notes what it was asked."""

    def __init__(self, behave):
        self.behave = behave
        self.requests = []
        self.gone = threading.Event()
        self.url = ""


@contextmanager
def misbehaving(behave):
    """Serve on a free port."""
    upstream = Upstream(behave)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 20

        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["content-length"] or 0)) or b"{}")
            upstream.requests.append((self.path, dict(self.headers), body))
            self.close_connection = True
            try:
                upstream.behave(self, body)
            except OSError:
                upstream.gone.set()

        do_GET = do_POST

        def log_message(self, *args):
            pass

    class Server(ThreadingHTTPServer):
        request_queue_size = 512
        daemon_threads = True

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    upstream.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    try:
        yield upstream
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def start(handler, status=200, kind="text/event-stream", **headers: str):
    handler.send_response(status)
    fields: dict[str, str] = {"content-type": kind, "connection": "close", **headers}
    for name, value in fields.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()


def event(handler, data, name=""):
    text = data if isinstance(data, str) else json.dumps(data)
    label = f"event: {name}\n" if name else ""
    handler.wfile.write(f"{label}data: {text}\n\n".encode())
    handler.wfile.flush()


def chat_chunk(handler, content, finish=None):
    delta = {} if content is None else {"content": content}
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    event(
        handler,
        {
            "id": "chatcmpl-1",
            "object": "chat.completion.chunk",
            "created": 1_700_000_000,
            "model": "m",
            "choices": [choice],
        },
    )


def response_start(handler):
    """The first events of a streamed response, up to a part of its text."""
    body: dict = {
        "id": "resp_upstream",
        "object": "response",
        "created_at": 1_700_000_000,
        "status": "in_progress",
        "model": "m",
        "output": [],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
    }
    item = {"type": "message", "id": "msg_upstream", "role": "assistant", "content": []}
    send: list = [
        ("response.created", {"response": body}),
        (
            "response.output_item.added",
            {"output_index": 0, "item": {**item, "status": "in_progress"}},
        ),
    ]
    delta: dict = {"output_index": 0, "content_index": 0, "item_id": "msg_upstream", "logprobs": []}
    send += [("response.output_text.delta", {**delta, "delta": text}) for text in ("Hel", "lo")]
    for number, (name, data) in enumerate(send):
        event(handler, {"type": name, "sequence_number": number, **data}, name)
