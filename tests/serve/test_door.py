"""What must not come in: other web pages, other users, forged cursors, floods and slow senders."""

from __future__ import annotations

import json
import os
import socket
import time
from urllib.parse import quote, urlsplit

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.requests import HTTPConnection
from starlette.routing import Mount

from tests.serve.running import door as open_door
from tests.serve.running import serving
from threadkeep import connect
from threadkeep.errors import ConfigError
from threadkeep.serve import KeyFile, Limits, Loopback, app
from threadkeep.serve.keys import add_key, digest_of
from threadkeep.serve.pages import encode_cursor
from threadkeep.serve.principal import RunKey
from threadkeep.testing import ScriptedModel

SECRET = "the launch code is tangerine"
PUBLIC = {"/health", "/ready"}


def authorized(key, **headers):
    return {"authorization": f"Bearer {key}", **headers}


def answered(door, method, path, key=None, **options):
    headers = authorized(key) if key else {}
    headers |= options.pop("headers", {})
    return httpx.request(method, door.url + path, headers=headers, timeout=20, **options)


@pytest.fixture
def bobs(door):
    return filled_for_bob(door)


def filled_for_bob(door):
    """What another user has: a session, an item, a response; and the paths to them."""
    chat = door.memory.session("bobs", user="bob")
    item = chat.add(SECRET)[0]
    door.memory.responses.add(
        {"id": "resp_bob", "output": [{"role": "assistant", "content": SECRET}], "input": SECRET},
        user="bob",
        conversation="bobs",
    )
    return {
        "id": {"conversations": "bobs", "responses": "resp_bob", "users": "bob"},
        "item": item.id,
    }


def endpoints(door, names):
    """Every method and path of the application, filled with ids."""
    for route in door.application.routes:
        kind = route.path.split("/")[2] if route.path.count("/") > 1 else ""
        path = route.path.replace("{id}", names["id"].get(kind, "x"))
        path = path.replace("{item}", names["item"])
        for method in sorted(route.methods - {"HEAD"}):
            yield method, route.path, path


def test_without_a_key_every_endpoint_but_the_probes_is_closed(door, bobs):
    checked = 0
    for method, template, path in endpoints(door, bobs):
        for key in (None, "tk_wrong", "é" * 300):
            headers = {} if key is None else {"authorization": b"Bearer " + key.encode()}
            sent = {"json": {}} if method == "POST" else {}
            answer = answered(door, method, path, headers=headers, **sent)
            assert answer.status_code == (200 if template in PUBLIC else 401), (method, path)
            assert SECRET not in answer.text
        checked += 1
    assert checked > 15


def test_never_a_byte_of_another_user(memory, tmp_path):
    with (
        ScriptedModel(lambda request: "Hello") as model,
        open_door(memory, tmp_path, upstream=model.base_url) as door,
    ):
        never_a_byte(door, filled_for_bob(door))
        assert SECRET not in str(model.requests)


def never_a_byte(door, bobs):
    for method, template, path in endpoints(door, bobs):
        sent = {"json": {"items": ["x"]} if "items" in path else {}} if method == "POST" else {}
        for query in ("", "?user=bob"):
            answer = answered(door, method, path + query, door.ada, **sent)
            assert SECRET not in answer.text, (method, path)
            if "{" in template or (query and template not in {*PUBLIC, "/"}):
                assert answer.status_code in {400, 403, 404}, (method, path + query, answer.text)
    assert [item.text for item in door.memory.session("bobs", user="bob").items()] == [SECRET]
    assert door.memory.responses.get("resp_bob", user="bob") is not None


def test_a_foreign_id_answers_as_a_missing_one(door, bobs):
    for foreign, missing in (
        ("/v1/conversations/bobs", "/v1/conversations/none"),
        ("/v1/responses/resp_bob", "/v1/responses/resp_none"),
        ("/v1/conversations/bobs/items", "/v1/conversations/none/items"),
    ):
        first, second = (answered(door, "GET", path, door.ada) for path in (foreign, missing))
        assert (first.status_code, first.content) == (404, second.content)


def test_an_admin_reads_another_user(door, bobs):
    admin = door.key("root", "admin")
    assert SECRET in answered(door, "GET", "/v1/conversations/bobs/items?user=bob", admin).text
    assert answered(door, "GET", "/v1/conversations/bobs", admin).status_code == 404
    listed = answered(door, "GET", "/v1/conversations?user=bob", admin).json()
    assert [one["id"] for one in listed["data"]] == ["bobs"]
    found = answered(door, "GET", "/v1/search?user=bob&q=launch+code", admin).json()
    assert found["data"][0]["text"] == SECRET
    report = answered(door, "DELETE", "/v1/users/bob", admin).json()
    assert (report["deleted"], report["sessions"]) == (True, 1)
    assert door.memory.session("bobs").items() == []


def test_search_says_whether_all_was_searched(door, reads_thirty):
    admin = door.key("root", "admin")
    door.memory.session("short", user="bob").add("a red kite")
    for n in range(50):
        door.memory.session(f"s{n}", user="ada").add(f"kite{n}", f"string{n}")
    for user, complete in (("bob", True), ("ada", False)):
        found = answered(door, "GET", f"/v1/search?user={user}&q=kite", admin).json()
        assert found["complete"] is complete


def test_scopes(door):
    reader = door.key("ada", "read")
    assert answered(door, "GET", "/v1/conversations", reader).status_code == 200
    refused = answered(door, "POST", "/v1/conversations", reader, json={})
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "insufficient_scope")
    writer = door.key("ada", "write")
    assert answered(door, "POST", "/v1/conversations", writer, json={}).status_code == 200
    assert answered(door, "GET", "/v1/conversations", writer).status_code == 403


@pytest.mark.parametrize(
    "host",
    ["evil.org", "evil.org:8377", "127.0.0.1.evil.org", "", "[::1", "localhost.", "10.0.0.1"],
)
def test_a_rebound_name_is_refused(door, host):
    for path in ("/health", "/v1/conversations"):
        answer = answered(door, "GET", path, door.ada, headers={"host": host})
        assert answer.status_code == 421
        assert SECRET not in answer.text


@pytest.mark.parametrize("origin", ["https://evil.org", "null", "http://127.0.0.1:1", "file://"])
def test_a_foreign_web_page_is_refused(door, origin):
    headers = {"origin": origin}
    posted = answered(door, "POST", "/v1/conversations", door.ada, json={}, headers=headers)
    assert posted.status_code == 403
    asked = answered(door, "OPTIONS", "/v1/conversations", door.ada, headers=headers)
    assert asked.status_code in {403, 405}
    assert not [name for name in asked.headers if name.startswith("access-control")]


def test_the_own_page_and_named_origins_may_send(memory, tmp_path):
    with open_door(memory, tmp_path, origins=["https://chat.example.org"]) as door:
        for origin in (door.url, "https://chat.example.org"):
            headers = {"origin": origin}
            answer = answered(door, "POST", "/v1/conversations", door.ada, json={}, headers=headers)
            assert answer.status_code == 200
    headers = {"sec-fetch-site": "cross-site"}
    with open_door(memory, tmp_path) as door:
        assert (
            answered(door, "GET", "/v1/conversations", door.ada, headers=headers).status_code == 403
        )


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_a_form_is_no_write(door, kind):
    answer = answered(
        door,
        "POST",
        "/v1/conversations",
        door.ada,
        content=b'{"metadata": {}}',
        headers={"content-type": kind},
    )
    assert answer.status_code == 415


CURSORS = st.one_of(
    st.text(max_size=30),
    st.recursive(
        st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=9), st.just("bobs")),
        lambda inner: st.lists(inner, max_size=3),
        max_leaves=5,
    ).map(encode_cursor),
)


def test_a_forged_cursor_leads_nowhere(door, bobs):
    @settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(cursor=CURSORS)
    def forged(cursor):
        for path in ("/v1/conversations", "/v1/feedback"):
            answer = connection.get(path, params={"cursor": cursor})
            assert answer.status_code in {200, 400}, answer.text
            assert SECRET not in answer.text
            assert "bobs" not in answer.text or "error" in answer.json()
        after = connection.get("/v1/conversations/bobs/items", params={"after": cursor})
        assert after.status_code in {400, 404}

    with httpx.Client(base_url=door.url, headers=authorized(door.ada)) as connection:
        forged()


def test_pages_lead_on_by_their_cursor(door):
    for number in range(5):
        door.memory.conversations.create(f"c{number}", user="ada", metadata={"n": str(number)})
    found, cursor = [], ""
    while True:
        page = answered(door, "GET", f"/v1/conversations?limit=2{cursor}", door.ada).json()
        found += [one["id"] for one in page["data"]]
        if not page["has_more"]:
            break
        cursor = f"&cursor={page['cursor']}"
    assert sorted(found) == [f"c{number}" for number in range(5)]
    only = answered(door, "GET", "/v1/conversations?metadata[n]=3", door.ada).json()
    assert [one["id"] for one in only["data"]] == ["c3"]


SMALL = Limits(body=20_000, headers=4_096, receive_seconds=0.4, concurrency=2)


@pytest.fixture
def narrow(memory, tmp_path):
    with open_door(memory, tmp_path, limits=SMALL) as opened:
        yield opened


def connected(door):
    parts = urlsplit(door.url)
    made = socket.create_connection((parts.hostname, parts.port), timeout=10)
    made.settimeout(10)
    return made


def head(door, *lines, path="/v1/conversations"):
    start = [f"POST {path} HTTP/1.1", "Host: localhost", f"Authorization: Bearer {door.ada}"]
    return "\r\n".join([*start, "Content-Type: application/json", *lines, "", ""]).encode()


def closed_after(connection):
    """What came until the server closed the connection, and the seconds that it took."""
    began, received = time.monotonic(), b""
    try:
        while chunk := connection.recv(65_536):
            received += chunk
    except ConnectionError:
        pass
    return received, time.monotonic() - began


def test_a_gigabyte_is_refused_by_its_length(narrow):
    with connected(narrow) as connection:
        connection.sendall(head(narrow, "Content-Length: 1000000000"))
        assert b" 413 " in connection.recv(4_096)


def test_an_endless_body_is_cut_off(narrow):
    sent = 0
    with connected(narrow) as connection:
        connection.sendall(head(narrow, "Transfer-Encoding: chunked"))
        try:
            while sent < 50_000_000:
                connection.sendall(b"2000\r\n" + b" " * 0x2000 + b"\r\n")
                sent += 0x2000
        except OSError:
            pass
    assert sent < 20_000_000  # what the sockets hold


@pytest.mark.parametrize(
    "lines",
    [["Cookie: " + "x" * 100_000], [f"X-{n}: {'y' * 90}" for n in range(60)]],
    ids=["one", "many"],
)
def test_large_headers_are_refused(narrow, lines):
    with connected(narrow) as connection:
        connection.sendall(head(narrow, "Content-Length: 0", *lines))
        assert connection.recv(4_096).split()[1] in {b"400", b"431"}


@pytest.mark.parametrize(
    "start", [b"", b"POST /v1/conv", b"GET /health HTTP/1.1\r\nHost: localhost\r\nX: "]
)
def test_slow_headers_are_cut_off(narrow, start):
    with connected(narrow) as connection:
        connection.sendall(start)
        assert closed_after(connection)[1] < 5


def test_a_slow_second_request_is_cut_off(narrow):
    with connected(narrow) as connection:
        connection.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert b" 200 " in connection.recv(4_096)
        connection.sendall(b"GET /hea")
        assert closed_after(connection)[1] < 5


def test_a_slow_body_is_cut_off_and_holds_no_place(narrow):
    slow = [connected(narrow) for _ in range(SMALL.concurrency)]
    for connection in slow:
        connection.sendall(head(narrow, "Content-Length: 1000") + b"{")
    time.sleep(0.1)  # until both are worked on
    assert answered(narrow, "GET", "/health").status_code == 503
    for connection in slow:
        assert b" 408 " in connection.recv(4_096)
        connection.close()
    assert answered(narrow, "GET", "/health").status_code == 200


def test_the_file_of_keys_is_read_again_when_it_changes(door):
    key = door.key("bob", "read")
    assert answered(door, "GET", "/v1/conversations", key).status_code == 200
    lines = door.keys.read_text().splitlines(keepends=True)
    door.keys.write_text("".join(line for line in lines if digest_of(key) not in line))
    assert answered(door, "GET", "/v1/conversations", key).status_code == 401
    door.keys.chmod(0o640)
    assert answered(door, "GET", "/v1/conversations", door.ada).status_code == 503
    door.keys.chmod(0o600)
    assert answered(door, "GET", "/v1/conversations", door.ada).status_code == 200


def test_a_file_of_keys_that_others_may_read_is_refused(tmp_path):
    path = tmp_path / "keys"
    key = add_key(path, "ada", ["read"])
    assert path.stat().st_mode & 0o777 == 0o600
    assert key not in path.read_text()
    path.chmod(0o644)
    with pytest.raises(ConfigError, match="chmod 600"):
        KeyFile(path)
    with pytest.raises(ConfigError, match="chmod 600"):
        add_key(path, "ada", ["read"])


DIGEST = "0" * 64


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "not JSON"),
        ("[]", "an object with"),
        ({"user": "ada", "sha256": DIGEST}, "an object with"),
        ({"user": "ada", "sha256": "short", "scopes": ["read"]}, "64 hexadecimal"),
        ({"user": "ada", "sha256": DIGEST, "scopes": []}, "scopes must be"),
        ({"user": "ada", "sha256": DIGEST, "scopes": ["raed"]}, "unknown scope"),
        ({"user": 1, "sha256": DIGEST, "scopes": ["read"]}, "user must be"),
        ({"user": "", "sha256": DIGEST, "scopes": ["read"]}, "user"),
    ],
    ids=["text", "list", "missing", "digest", "none", "typo", "number", "empty"],
)
def test_a_wrong_line_of_keys_is_named(tmp_path, line, reason):
    path = tmp_path / "keys"
    add_key(path, "ada", ["read"])
    with path.open("a") as file:
        file.write(line if isinstance(line, str) else json.dumps(line))
    with pytest.raises(ConfigError, match=reason):
        KeyFile(path)


def test_the_token_is_swapped_for_a_cookie_once(memory):
    run_key = RunKey("ada")
    token = run_key.token
    application = app(memory, keys=run_key)
    with serving(application) as url, httpx.Client(base_url=url) as browser:
        assert browser.get("/", params={"token": "wrong"}).status_code == 401
        swapped = browser.get("/", params={"token": token})
        assert swapped.status_code == 303
        cookie = swapped.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=strict" in cookie
        assert browser.get("/v1/conversations").status_code == 200
        assert httpx.get(url, params={"token": token}).status_code == 401
        assert httpx.get(f"{url}/v1/conversations").status_code == 401
        keyed = httpx.get(f"{url}/v1/conversations", headers=authorized(run_key.key))
        assert keyed.status_code == 200


@pytest.mark.parametrize("make", [RunKey, Loopback])
def test_a_run_for_one_user_reaches_nobody_else(memory, make):
    memory.session("bobs", user="bob").add(SECRET)
    authenticator = make("ada")
    headers = authorized(authenticator.key) if isinstance(authenticator, RunKey) else {}
    with serving(app(memory, keys=authenticator)) as url:
        for path in ("/v1/conversations", "/v1/search"):
            found = httpx.get(f"{url}{path}", params={"user": "bob", "q": "code"}, headers=headers)
            assert found.status_code == 403
        assert httpx.delete(f"{url}/v1/users/bob", headers=headers).status_code == 403
        assert httpx.delete(f"{url}/v1/users/ada", headers=headers).status_code == 200


def test_without_a_token_only_this_machine_comes_in():
    def asked(host):
        return Loopback().authenticate(
            HTTPConnection({"type": "http", "headers": [], "client": (host, 1)})
        )

    assert asked("127.0.0.1")
    assert asked("::1")
    assert asked("192.168.0.4") is None
    assert asked("not-an-address") is None
    assert Loopback().authenticate(HTTPConnection({"type": "http", "headers": []})) is None


def test_probes_say_nothing_of_the_store(door):
    assert answered(door, "GET", "/health").json() == {"status": "ok"}
    assert answered(door, "GET", "/ready").json() == {"status": "ok"}
    door.memory.close()
    assert answered(door, "GET", "/ready").json() == {"status": "unavailable"}
    assert (
        os.fspath(door.keys.parent) not in answered(door, "GET", "/v1/conversations", door.ada).text
    )


def test_feedback_on_a_response(door):
    door.memory.responses.add({"id": "resp_1", "output": [], "model": "m"}, user="ada")
    sent = {"response": "resp_1", "rating": "positive", "comment": "thanks"}
    for _ in range(2):
        added = answered(
            door, "POST", "/v1/feedback", door.ada, json=sent, headers={"idempotency-key": "f1"}
        )
        assert added.json()["id"] == "f1"
    listed = answered(door, "GET", "/v1/feedback?response=resp_1", door.ada).json()
    assert [one["comment"] for one in listed["data"]] == ["thanks"]


def test_an_id_may_have_slashes(door):
    door.memory.session("a/b%2Fc", user="ada").add("Hi")
    path = f"/v1/conversations/{quote('a/b%2Fc', safe='')}"
    assert answered(door, "GET", path, door.ada).json()["id"] == "a/b%2Fc"
    assert answered(door, "GET", path + "%00", door.ada).status_code == 400


def test_answers_do_not_wait_for_acknowledgements(door):
    """A socket without TCP_NODELAY would hold each answer back for 40 ms."""
    with httpx.Client(base_url=door.url) as connection:
        seconds = []
        for _ in range(15):
            began = time.perf_counter()
            connection.get("/v1/conversations", headers=authorized(door.ada))
            seconds.append(time.perf_counter() - began)
    assert min(seconds) < 0.035


def test_mounted_in_another_application(memory, tmp_path):
    inner = app(memory, keys=Loopback("ada"))
    memory.session("a/b", user="ada").add("Hi")
    with serving(Starlette(routes=[Mount("/memory", inner)])) as url:
        assert httpx.get(f"{url}/memory/health").status_code == 200
        found = httpx.get(f"{url}/memory/v1/conversations/a%2Fb/items").json()
        assert [entry["content"][0]["text"] for entry in found["data"]] == ["Hi"]
        assert httpx.get(f"{url}/v1/conversations").status_code == 404


@pytest.mark.parametrize("redactor", [None, lambda text, kind: text], ids=["plain", "redacted"])
@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/conversations", '{"items": [{"role": "user", "content": [{"type": "x", "x": %s}]}]}'),
        ("/v1/conversations", '{"metadata": {"a": %s}}'),
        ("/v1/conversations/s/items", '{"items": [{"type": "x", "x": %s}]}'),
    ],
)
def test_a_body_that_is_nested_too_deeply_is_refused(tmp_path, path, body, redactor):
    with connect("memory://", redactor=redactor) as memory, open_door(memory, tmp_path) as door:
        memory.session("s", user="ada").add("hi")
        stored = memory.user("ada").export()
        for depth in (100, 480, 700, 980, 20_000):
            nested = '{"a":' * depth + "1" + "}" * depth
            sent = {"content": body % nested, "headers": {"content-type": "application/json"}}
            answer = answered(door, "POST", path, door.ada, **sent)
            assert answer.status_code == 400, answer.text
        assert memory.user("ada").export() == stored
