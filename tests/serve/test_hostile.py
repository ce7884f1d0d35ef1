"""Hostile requests of drawn shapes to serve and to mcp: refused in bounded time and memory."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.durations import within
from tests.serve.running import Door, serving
from threadkeep import connect
from threadkeep.mcp import app as mcp_app
from threadkeep.serve import Limits
from threadkeep.serve.keys import add_key

SECRET = "the launch code is tangerine"
LIMITS = Limits(body=20_000, headers=4_096, receive_seconds=1, concurrency=8)
DRAWN = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
CALL = {
    "jsonrpc": "2.0", "id": 1, "method": "tools/call",
    "params": {"name": "read_session", "arguments": {"id": "bobs"}},
}  # fmt: skip
KINDS = {"serve": ("GET", "/v1/conversations", None), "mcp": ("POST", "/mcp", CALL)}


class Served:
    """A server of either kind, with a key of ada's, and what bob has."""

    def __init__(self, url, kind, key):
        self.url, self.kind, self.key = url, kind, key

    def ask(self, client, headers=(), **options):
        method, path, body = KINDS[self.kind]
        sent = {"authorization": f"Bearer {self.key}",
                "accept": "application/json, text/event-stream", **dict(headers)}  # fmt: skip
        return client.request(method, path, headers=sent, **{"json": body, **options})


@pytest.fixture(params=KINDS)
def served(request, tmp_path):
    with connect(tmp_path / "chat.db") as memory:
        memory.session("bobs", user="bob").add(SECRET)
        keys = tmp_path / "keys.jsonl"
        if request.param == "serve":
            door = Door(memory, tmp_path, limits=LIMITS)
            application, key = door.application, door.ada
        else:
            key = add_key(keys, "ada", ["read", "write"])
            application = mcp_app(memory, keys=keys, limits=LIMITS)
        with serving(application, LIMITS) as url:
            yield Served(url, request.param, key)


NAME = st.text(st.sampled_from("abcdefghijklmnopqrstuvwxyz0123456789-."), min_size=1, max_size=20)
HOSTS = st.one_of(
    NAME,
    NAME.map("127.0.0.1.{}".format),
    NAME.map("localhost{}".format),
    NAME.map("{}@127.0.0.1".format),
    st.sampled_from(["[::1", "[::1].evil.org", "0.0.0.0", "127.0.0.2", "2130706433", "LOCALHOST."]),
)
OWN = {"127.0.0.1", "localhost", "[::1]"}


def test_any_rebound_host_is_refused(served):
    @DRAWN
    @given(host=HOSTS, port=st.sampled_from(["", ":80", ":x"]))
    def refused(host, port):
        if host.lower() in OWN:
            return
        answer = served.ask(client, {"host": host + port})
        assert answer.status_code in {400, 421}, host
        assert SECRET not in answer.text

    with httpx.Client(base_url=served.url) as client:
        refused()


ORIGINS = st.one_of(
    HOSTS.map("http://{}".format), NAME.map("https://127.0.0.1.{}".format),
    st.sampled_from(["null", "", "file://", "http://127.0.0.1", "https://localhost", "*"]),
    NAME,
)  # fmt: skip


def test_any_foreign_origin_is_refused(served):
    @DRAWN
    @given(origin=ORIGINS)
    def refused(origin):
        answer = served.ask(client, {"origin": origin})
        assert answer.status_code == 403, origin
        assert not [name for name in answer.headers if name.startswith("access-control")]

    with httpx.Client(base_url=served.url) as client:
        refused()


BEARERS = st.one_of(
    st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=60),
    st.sampled_from(["tk_", "Bearer", "null", "' OR 1=1 --", "tk_" + "A" * 43, "A" * 3_000]),
)


def test_no_other_key_opens_anything(served):
    @DRAWN
    @given(key=BEARERS, scheme=st.sampled_from(["Bearer", "Basic", "bearer", ""]))
    def refused(key, scheme):
        answer = served.ask(client, {"authorization": f"{scheme} {key}".strip()})
        assert answer.status_code == 401
        assert SECRET not in answer.text

    with httpx.Client(base_url=served.url) as client:
        refused()


def test_another_users_session_is_answered_as_none(served):
    with httpx.Client(base_url=served.url) as client:
        answer = served.ask(client)
        assert answer.status_code == 200, answer.text
        assert SECRET not in answer.text
        assert served.kind == "serve" or "no such conversation" in answer.text


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.just("bobs"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=6,
)
ARGUMENTS = st.dictionaries(
    st.sampled_from(["id", "query", "limit", "before", "text", "everywhere"]), JSON, max_size=4
)


def test_drawn_calls_of_tools_never_show_another_users_data(tmp_path):
    with connect(tmp_path / "chat.db") as memory:
        memory.session("bobs", user="bob").add(SECRET)
        key = add_key(tmp_path / "keys.jsonl", "ada", ["read", "write"])
        application = mcp_app(memory, keys=tmp_path / "keys.jsonl", limits=LIMITS)

        @DRAWN
        @given(
            tool=st.sampled_from(["recall", "read_session", "sessions", "forget", "none"]),
            arguments=ARGUMENTS,
        )
        def asked(tool, arguments):
            body = {**CALL, "params": {"name": tool, "arguments": arguments}}
            answer = served.ask(client, json=body)
            assert answer.status_code < 500
            assert SECRET not in answer.text

        with serving(application, LIMITS) as url, httpx.Client(base_url=url) as client:
            served = Served(url, "mcp", key)
            asked()


def connected(served):
    parts = urlsplit(served.url)
    made = socket.create_connection((parts.hostname, parts.port), timeout=20)
    made.settimeout(20)
    return made


def request_bytes(served, extra):
    path = "/v1/conversations" if served.kind == "serve" else "/mcp"
    lines = [f"POST {path} HTTP/1.1", "Host: localhost", f"Authorization: Bearer {served.key}",
             "Content-Type: application/json", "Accept: application/json, text/event-stream",
             *extra, "", ""]  # fmt: skip
    return "\r\n".join(lines).encode()


def test_slow_senders_are_cut_off_wherever_they_pause(served):
    whole = request_bytes(served, ["Content-Length: 400"]) + b'{"a": "' + b"x" * 100

    @settings(DRAWN, max_examples=6)
    @given(cut=st.integers(0, len(whole)))
    def cut_off(cut):
        with within(15), connected(served) as connection:
            connection.sendall(whole[:cut])
            try:
                while connection.recv(65_536):
                    pass
            except ConnectionError:
                pass

    cut_off()


CHILD = """
import sys
from threadkeep import connect
from threadkeep.serve import Limits, app
from threadkeep.mcp import app as mcp_app
from threadkeep.serve.server import bind, server
kind, folder = sys.argv[1:]
memory = connect(f"sqlite:///{folder}/chat.db")
limits = Limits(receive_seconds=20)
make = app if kind == "serve" else mcp_app
listener = bind("127.0.0.1", 0)
print(listener.getsockname()[1], flush=True)
server(make(memory, keys=f"{folder}/keys.jsonl", limits=limits), limits).run(sockets=[listener])
"""


@contextmanager
def in_a_process(kind, folder):
    """A server in a process of its own, whose memory can be measured."""
    key = add_key(folder / "keys.jsonl", "ada", ["read", "write"])
    process = subprocess.Popen(
        [sys.executable, "-c", CHILD, kind, str(folder)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        yield Served(f"http://127.0.0.1:{port}", kind, key), process.pid
    finally:
        process.kill()
        process.communicate()


def peak(pid):
    """The most memory that a process had, in bytes."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


@pytest.mark.slow
@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="memory is read from /proc")  # noqa: PTH112
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("is_chunked", [False, True], ids=["length", "chunked"])
def test_a_gigabyte_takes_bounded_memory(tmp_path, kind, is_chunked):
    with in_a_process(kind, tmp_path) as (served, pid):
        with httpx.Client(base_url=served.url, timeout=60) as client:
            assert served.ask(client).status_code == 200
        before, chunk = peak(pid), b" " * 2**20
        how = "Transfer-Encoding: chunked" if is_chunked else "Content-Length: 1073741824"
        with connected(served) as connection:
            try:
                connection.sendall(request_bytes(served, [how]))
                for _ in range(1024):
                    head = f"{len(chunk):x}\r\n".encode() if is_chunked else b""
                    connection.sendall(head + chunk + (b"\r\n" if is_chunked else b""))
            except OSError:
                pass  # cut off
        assert peak(pid) - before < 120_000_000
        with httpx.Client(base_url=served.url, timeout=60) as client:
            assert served.ask(client).status_code == 200


def test_deeply_nested_and_odd_json_is_an_error_of_the_client(served):
    bodies = [b"[" * 19_000, b'{"a":' * 3_000, b'"\xff"', b"{}{}", b"NaN", b"1e999", b"\0"]
    with httpx.Client(base_url=served.url, timeout=20) as client:
        for body in bodies:
            path = "/v1/conversations" if served.kind == "serve" else "/mcp"
            sent = {"authorization": f"Bearer {served.key}", "content-type": "application/json",
                    "accept": "application/json, text/event-stream"}  # fmt: skip
            answer = client.post(path, content=body, headers=sent)
            assert 400 <= answer.status_code < 500, (body[:9], answer.status_code)
            assert len(json.dumps(answer.text)) < 5_000
