"""The pages on each kind of store: lists page by page, and what is known."""

from __future__ import annotations

import re

import pytest

from tests.serve.conftest import STORES
from tests.serve.running import serving
from tests.ui.test_large import fetched, next_page
from threadkeep import connect
from threadkeep.serve import Loopback
from threadkeep.ui import app

ENCRYPTED = {"key": bytes(range(32))}


@pytest.fixture(params=[*STORES, "file", "memory", "encrypted"])
def stored_memory(request, tmp_path):
    """A memory on each of the stores."""
    make, options = STORES.get(request.param), {}
    if make is not None:
        store = make(tmp_path)
    elif request.param == "encrypted":
        store, options = tmp_path / "secret.db", ENCRYPTED
    else:
        store = "memory://" if request.param == "memory" else f"file://{tmp_path}/chats"
    with connect(store, **options) as opened:
        yield opened
    if make is not None:
        store.close()


def listed(url, start, pattern):
    """What all pages list, from the first one on."""
    names, path = [], start
    while path is not None:
        html = fetched(url, path)
        names += re.findall(pattern, html)
        path = next_page(html)
    return names


def test_lists_of_sessions_and_users_are_complete(stored_memory):
    for number in range(60):
        stored_memory.session(f"s{number}", user=f"u{number % 55}").add("Hello")
    stored_memory.session("mine", user="u1").add("Hello again")
    stored_memory.user("silent").facts.add("Silent never wrote")
    with serving(app(stored_memory, keys=Loopback())) as url:
        sessions = listed(url, "/", r'<td><a href="/session\?id=(\w+)')
        assert sorted(sessions) == sorted(["mine", *(f"s{number}" for number in range(60))])
        users = listed(url, "/users", r'<td><a href="/user\?id=(\w+)')
        assert sorted(users) == sorted(["silent", *(f"u{number}" for number in range(55))])
        assert "Silent never wrote" in fetched(url, "/user?id=silent")
        assert listed(url, "/?user=u1&q=mine", r'<td><a href="/session\?id=(\w+)') == ["mine"]
        assert "Hello again" in fetched(url, "/session?id=mine")
        assert "No responses are stored." in fetched(url, "/user/usage?id=u1")
