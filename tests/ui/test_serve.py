"""`threadkeep serve --ui`: the pages at `/ui`, beside the API, for the same keys."""

from __future__ import annotations

import re
import signal
import subprocess
import sys

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from tests.serve.running import serving
from tests.serve.test_command import environment
from tests.ui import fetch
from tests.ui.test_access import token_of
from tests.ui.test_browser import visit_all
from threadkeep import connect
from threadkeep.serve import Loopback, app
from threadkeep.serve.keys import add_key
from threadkeep.ui import app as ui_app

SECRET = "the launch code is tangerine"


@pytest.fixture
def keys(tmp_path):
    return tmp_path / "keys.jsonl"


@pytest.fixture
def served(memory, keys, trip):
    """The API with the pages, for keys."""
    memory.session("bobs", user="bob").add(SECRET)
    add_key(keys, "nobody", ["read"])
    with serving(app(memory, keys=keys, ui=ui_app(memory, keys=keys))) as url:
        yield url


def test_a_key_signs_in_to_its_own_users_pages(served, keys, browser):
    browser.open(f"{served}/ui/")
    assert "Sign in" in browser.text()
    browser.faults.clear()  # of the 401
    browser.evaluate("document.querySelector('[name=key]').focus()")
    browser.type(add_key(keys, "ada", ["read"]))
    browser.follow(lambda: browser.press("Enter"))
    assert "A week in Lisbon" in browser.text()
    for path in visit_all(browser, served, "/ui/"):
        assert path.startswith("/ui/"), path
        assert SECRET not in browser.dom(), path
        assert "Sign out" in browser.text(), path
    browser.open(f"{served}/ui/session?id=bobs")
    assert "404" in browser.text()
    browser.faults.clear()
    browser.follow(lambda: browser.evaluate("document.querySelector('header button').click()"))
    assert "Sign in" in browser.text()
    assert browser.faults == []


def test_an_administrator_sees_everybody(served, keys):
    headers = {"authorization": f"Bearer {add_key(keys, 'root', ['admin'])}"}
    assert SECRET in fetch.get(f"{served}/ui/session?id=bobs", headers=headers).text
    assert "bob" in fetch.get(f"{served}/ui/users", headers=headers).text


def test_forms_are_taken_below_the_pages_only(served, keys):
    key = add_key(keys, "ada", ["read", "write"])
    headers = {"authorization": f"Bearer {key}"}
    for path in ("/v1/conversations", "/ui", "/uix/sign-in"):
        answer = fetch.post(f"{served}{path}", data={"metadata": "x"}, headers=headers)
        assert answer.status_code == 415, path
    html = fetch.get(f"{served}/ui/sign-in").text
    form = {"form_token": token_of(html, "/ui/sign-in"), "key": key}
    entered = fetch.post(f"{served}/ui/sign-in", data=form)
    assert entered.status_code == 303
    assert "path=/ui/" in entered.headers["set-cookie"].lower()
    cookie = {"cookie": entered.headers["set-cookie"].partition(";")[0]}
    assert fetch.get(f"{served}/v1/conversations", headers=cookie).status_code == 401


def test_without_it_there_are_no_pages(memory, keys):
    add_key(keys, "ada", ["read"])
    with serving(app(memory, keys=keys)) as url:
        assert fetch.get(f"{url}/ui/").status_code == 404


def test_mounted_in_another_application(memory, trip, browser):
    pages = ui_app(memory, keys=Loopback(), write=True)
    with serving(Starlette(routes=[Mount("/memory", pages)])) as url:
        visited = list(visit_all(browser, url, "/memory/"))
        assert len(visited) > 10
        browser.open(f"{url}/memory/session/delete?id=trip")
        browser.follow(lambda: browser.evaluate("document.querySelector('button.danger').click()"))
        assert "Deleted: session trip" in browser.text()
        assert browser.faults == []


@pytest.mark.slow
def test_the_command_prints_where_the_pages_are(tmp_path):
    with connect(tmp_path / "chat.db") as memory:
        memory.session("chat", user="ada").add("Hi")
    store = ["--history-backend", "sqlite", "--path", str(tmp_path / "chat.db")]
    process = subprocess.Popen(
        [sys.executable, "-m", "threadkeep", "serve", "--ui", "--port", "0", *store],
        stdout=subprocess.PIPE,
        text=True,
        env=environment(),
    )
    try:
        lines = [process.stdout.readline() for _ in range(3)]
        key = {"authorization": f"Bearer {lines[1].split()[-1]}"}
        url = re.search(r"http://127.0.0.1:\d+", lines[0])[0]
        with fetch.Client(follow_redirects=True) as browser:
            assert "ada" in browser.get(lines[2].split()[-1]).text
        assert fetch.get(f"{url}/v1/conversations", headers=key).status_code == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
