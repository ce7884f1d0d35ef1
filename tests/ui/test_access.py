"""Who is let in: no token, a rebound name, a foreign page, another user's key; and forged forms."""

from __future__ import annotations

import re
from urllib.parse import urlencode

import pytest

from tests.serve.running import serving
from tests.ui import fetch
from threadkeep.serve import Loopback
from threadkeep.serve.principal import RunKey
from threadkeep.ui import app

SECRET = "the launch code is tangerine"
PUBLIC = {"/static/{name}", "/sign-in", "/sign-out", "/start"}
ASSETS = {"style.css", "icon.svg"}


@pytest.fixture
def bobs(memory):
    """What another user has: a session with an item, a fact, an instruction, a refusal."""
    item = memory.session("bobs", user="bob").add(SECRET)[0]
    bob = memory.user("bob")
    fact = bob.facts.add(f"Bob says {SECRET}", sources=[("bobs", item)], status="quarantined")
    rule = bob.instructions.add(f"Say {SECRET}", sources=[("bobs", item)])
    return {"session": "bobs", "item": item.id, "fact": fact.id, "instruction": rule.id}


def paths(application, bobs):
    """The path of each page, with the ids of what Bob has."""
    ids = {
        "/item": {"session": "bobs", "id": bobs["item"]},
        "/user/fact": {"user": "bob", "id": bobs["fact"]},
        "/user/instruction": {"user": "bob", "id": bobs["instruction"]},
    }
    for route in application.routes:
        if "GET" in route.methods and route.path not in PUBLIC:
            general = {"id": "bob" if route.path.startswith("/user") else "bobs", "q": "code"}
            yield route.path, f"{route.path}?{urlencode(ids.get(route.path, general))}"


def test_without_a_key_every_page_asks_for_one(pages, bobs):
    checked, port = 0, pages.url.rpartition(":")[2]
    cookies = f"threadkeep_ui_{port}=x; threadkeep_session_{port}=x"
    for _, path in paths(pages.application, bobs):
        for headers in ({}, {"authorization": "Bearer tk_wrong"}, {"cookie": cookies}):
            answer = fetch.get(pages.url + path, headers=headers)
            assert answer.status_code == 401, path
            assert "Sign in" in answer.text
            assert SECRET not in answer.text
        checked += 1
    assert checked >= 4


@pytest.mark.proves("D19")
def test_another_users_key_sees_nothing_of_bobs(pages, bobs):
    for template, path in paths(pages.application, bobs):
        for query in ("", "&user=bob"):
            answer = pages.get(path + query)
            assert SECRET not in answer.text, path
            assert answer.status_code == (200 if template == "/" else 404), path
            assert "bobs" not in answer.text.replace('value="bobs"', "")


def test_a_foreign_id_answers_as_a_missing_one(pages, bobs):
    for foreign, missing in (
        ("/session?id=bobs", "/session?id=none"),
        (f"/item?session=bobs&id={bobs['item']}", "/item?session=none&id=none"),
        ("/user?id=bob", "/user?id=none"),
    ):
        first, second = pages.get(foreign), pages.get(missing)
        assert (first.status_code, first.text) == (404, second.text)


def test_an_admin_sees_everybody_and_a_user_themself(pages, bobs, trip):
    admin = pages.key("root", "admin")
    for path in ("/session?id=bobs", f"/item?session=bobs&id={bobs['item']}"):
        assert SECRET in pages.get(path, admin).text
    assert {"ada", "bob"} <= set(re.findall(r"user\?id=(\w+)", pages.get("/users", admin).text))
    mine = pages.get("/").text
    assert "A week in Lisbon" in mine
    assert "bob" not in mine
    writer = pages.key("ada", "write")
    assert pages.get("/", writer).status_code == 403


def test_the_token_is_swapped_for_a_cookie_once(memory, trip):
    run_key = RunKey()
    token = run_key.token
    with serving(app(memory, keys=run_key)) as url, fetch.Client(base_url=url) as browser:
        assert browser.get("/start", params={"token": "wrong"}).status_code == 401
        swapped = browser.get("/start", params={"token": token})
        assert swapped.status_code == 303
        cookie = swapped.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=strict" in cookie
        assert "A week in Lisbon" in browser.get("/").text
        assert fetch.get(f"{url}/start", params={"token": token}).status_code == 401
        assert fetch.get(url).status_code == 401


def test_two_servers_on_one_machine_do_not_sign_each_other_out(memory, trip, browser):
    first, second = RunKey(), RunKey()
    with serving(app(memory, keys=first)) as one, serving(app(memory, keys=second)) as two:
        for url, run_key in ((one, first), (two, second)):
            browser.open(f"{url}/start?token={run_key.token}")
        for url in (one, two):
            browser.open(f"{url}/")
            assert "A week in Lisbon" in browser.text()


def token_of(html, action):
    """The token of a form on a page."""
    form = html[html.index(f'action="{action}"') :]
    return re.search(r'name="form_token" value="(\w+)"', form)[1]


def test_a_browser_signs_in_with_a_key_and_out_again(pages, trip):
    with fetch.Client(base_url=pages.url) as browser:
        token = token_of(browser.get("/sign-in").text, "/sign-in")
        refused = browser.post("/sign-in", data={"form_token": token, "key": "tk_wrong"})
        assert refused.status_code == 401
        entered = browser.post("/sign-in", data={"form_token": token, "key": pages.ada})
        assert entered.status_code == 303
        assert pages.ada not in entered.headers["set-cookie"]
        page = browser.get("/")
        assert "A week in Lisbon" in page.text
        out = token_of(page.text, "/sign-out")
        assert browser.post("/sign-out", data={"form_token": "0" * 64}).status_code == 403
        assert browser.post("/sign-out", data={"form_token": out}).status_code == 303
        assert browser.get("/").status_code == 401


def test_a_key_that_is_taken_away_ends_what_it_opened(pages, trip):
    with fetch.Client(base_url=pages.url) as browser:
        token = token_of(browser.get("/sign-in").text, "/sign-in")
        browser.post("/sign-in", data={"form_token": token, "key": pages.ada})
        assert browser.get("/").status_code == 200
        pages.keys.write_text("")
        assert browser.get("/").status_code == 401


@pytest.mark.parametrize("host", ["evil.org", "127.0.0.1.evil.org", "localhost.", "10.0.0.1"])
def test_a_rebound_name_is_refused(pages, trip, host):
    answer = pages.get("/", headers={"host": host})
    assert answer.status_code == 421
    assert "Lisbon" not in answer.text


@pytest.mark.parametrize("origin", ["https://evil.org", "null", "http://127.0.0.1:1"])
def test_a_foreign_page_cannot_send_a_form(pages, origin):
    form = {"form_token": "0" * 64, "key": pages.ada}
    answer = fetch.post(f"{pages.url}/sign-in", data=form, headers={"origin": origin})
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers
    assert pages.get("/", headers={"sec-fetch-site": "cross-site"}).status_code == 403


def test_a_body_that_is_no_form_is_refused(pages):
    for kind in ("application/json", "text/plain", "multipart/form-data; boundary=x"):
        answer = fetch.post(f"{pages.url}/sign-in", content=b"{}", headers={"content-type": kind})
        assert answer.status_code == 415
    large = fetch.post(f"{pages.url}/sign-in", data={"key": "x" * 17_000_000})
    assert large.status_code == 413


@pytest.mark.proves("D19")
def test_the_policy_of_each_page_allows_no_script(memory, bobs):
    application = app(memory, keys=Loopback())
    with serving(application) as url:
        for _, path in paths(application, bobs):
            answer = fetch.get(url + path)
            policy = answer.headers["content-security-policy"]
            assert "default-src 'none'" in policy
            assert "script-src" not in policy
            assert "unsafe" not in policy
            assert "<script" not in answer.text
            assert not re.search(r"\sstyle=|\son\w+=", answer.text)
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["cache-control"] == "no-store"


def test_static_files_are_those_two(pages):
    assert {fetch.get(f"{pages.url}/static/{name}").status_code for name in ASSETS} == {200}
    for name in ("x.css", "..%2f__init__.py", "%2e%2e/renderer.py"):
        assert fetch.get(f"{pages.url}/static/{name}").status_code == 404
