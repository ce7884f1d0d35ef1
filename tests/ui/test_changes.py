"""What `--write` allows, by forms that no other page can send; and what is never allowed."""

from __future__ import annotations

import re
from urllib.parse import urlencode

import pytest

from tests.serve.running import serving
from tests.ui import fetch
from tests.ui.conftest import Pages
from tests.ui.test_access import token_of
from threadkeep.ui import app

FORMS = {
    "/user/fact/approve": {"user": "ada", "id": "fact"},
    "/user/fact/forget": {"user": "ada", "id": "fact"},
    "/user/instruction/approve": {"user": "ada", "id": "instruction"},
    "/user/instruction/forget": {"user": "ada", "id": "instruction"},
    "/user/forget": {"id": "ada"},
    "/session/delete": {"id": "trip"},
}


@pytest.fixture
def forms(memory, trip):
    """The URL of each form that changes something, for things that are there."""
    ada = memory.user("ada")
    ids = {"fact": ada.facts.list(status="quarantined")[0].id}
    ids["instruction"] = ada.instructions.list()[0].id
    return [
        f"{path}?{urlencode({name: ids.get(value, value) for name, value in query.items()})}"
        for path, query in FORMS.items()
    ]


def everything(memory):
    return memory.user("ada").export()


def test_every_change_is_known_to_these_tests(memory, pages):
    assert {route.path for route in pages.application.routes if "POST" in route.methods} == {
        "/sign-in",
        "/sign-out",
    }
    writable = app(memory, keys=pages.keys, write=True)
    changes = {route.path for route in writable.routes if "POST" in route.methods}
    assert changes - {"/sign-in", "/sign-out"} == set(FORMS)


def test_without_write_nothing_can_be_changed(pages, memory, forms):
    before = everything(memory)
    for form in forms:
        headers = {"authorization": f"Bearer {pages.ada}"}
        answer = fetch.post(pages.url + form, data={"form_token": "0" * 64}, headers=headers)
        assert answer.status_code in {404, 405}, form
    for page in ("/user?id=ada&status=quarantined", "/session?id=trip"):
        html = pages.get(page).text
        assert "Approve" not in html
        assert "Delete" not in html
    assert everything(memory) == before


@pytest.fixture
def writable(memory, tmp_path):
    """Pages with `--write`, for keys."""
    opened = Pages(memory, tmp_path, write=True)
    with serving(opened.application) as opened.url:
        yield opened


def sent(pages, form, key, token="0" * 64, **headers):
    headers["authorization"] = f"Bearer {key}"
    return fetch.post(pages.url + form, data={"form_token": token}, headers=headers)


@pytest.mark.proves("D19")
def test_a_change_needs_a_token_of_its_own_form_and_the_scope(writable, memory, forms):
    before = everything(memory)
    html = writable.get("/session/delete?id=trip").text
    token = token_of(html, "/session/delete?id=trip")
    for form in forms:
        assert sent(writable, form, writable.ada).status_code == 403, form
        assert sent(writable, form, writable.ada, "é").status_code == 403, form
        if not form.startswith("/session/delete"):
            assert sent(writable, form, writable.ada, token).status_code == 403, form
        assert sent(writable, form, writable.key("ada", "read"), token).status_code == 403, form
        assert sent(writable, form, writable.key("bob"), token).status_code in {403, 404}, form
        assert fetch.post(writable.url + form, data={"form_token": token}).status_code == 401
        cross = {"origin": "https://evil.org"}
        assert sent(writable, form, writable.ada, token, **cross).status_code == 403, form
    assert everything(memory) == before
    assert sent(writable, "/session/delete?id=trip", writable.ada, token).status_code == 303


def test_a_token_is_of_one_browser_and_one_run(memory, tmp_path, trip):
    tokens = []
    for _ in range(2):
        pages = Pages(memory, tmp_path, write=True)
        with serving(pages.application) as pages.url:
            port = pages.url.rpartition(":")[2]
            for cookie in ("", f"threadkeep_ui_{port}=a", f"threadkeep_ui_{port}=b"):
                html = pages.get("/session/delete?id=trip", headers={"cookie": cookie}).text
                tokens.append(token_of(html, "/session/delete?id=trip"))
    assert len(set(tokens)) == 6


def test_a_user_forgets_nobody_else(writable, memory, trip):
    bob = writable.key("bob")
    for page in ("/user/forget?id=ada", "/session/delete?id=trip"):
        assert writable.get(page, bob).status_code == 404
    html = writable.get("/user/forget?id=bob", bob).text
    token = token_of(html, "/user/forget?id=bob")
    assert sent(writable, "/user/forget?id=ada", bob, token).status_code == 403
    assert memory.user("ada").facts.list()


def click(browser, selector):
    browser.follow(lambda: browser.evaluate(f"document.querySelector({selector!r}).click()"))


def test_in_a_browser_a_fact_is_approved_and_another_forgotten(
    writable_pages, memory, trip, browser
):
    ada = memory.user("ada")
    browser.open(f"{writable_pages}/user?id=ada&status=quarantined")
    click(browser, "tbody button")
    assert "Ada likes green" in browser.text()
    assert "Ada likes green" in [fact.text for fact in ada.facts.list()]
    click(browser, "button.danger")
    assert [fact.text for fact in ada.facts.list(status=None)] == ["Ada is allergic to nuts"]
    assert browser.faults == []


def test_in_a_browser_a_session_is_deleted_with_a_receipt(writable_pages, memory, trip, browser):
    browser.open(f"{writable_pages}/session?id=trip")
    click(browser, "p.danger a")
    click(browser, "button.danger")
    text = browser.text()
    assert re.search(r"sessions\s+0\s+items\s+0", text)
    assert re.search(r"facts and instructions from it\s+2", text)
    assert memory.session("trip").info() is None
    browser.follow(lambda: browser.send("Page.reload"))
    assert browser.text() == text


def test_in_a_browser_a_user_is_forgotten_with_a_receipt(writable_pages, memory, trip, browser):
    memory.session("bobs", user="bob").add("Hi")
    browser.open(f"{writable_pages}/user?id=ada")
    click(browser, "p.danger a")
    assert "Forget the user ada?" in browser.text()
    click(browser, "button.danger")
    text = browser.text()
    assert "1 session" in text
    assert re.search(r"sessions\s+0\s+facts\s+0\s+instructions\s+0\s+refusals\s+0", text)
    assert "backups" in text
    assert memory.user("ada").sessions() == []
    assert memory.session("bobs").info() is not None
    browser.open(f"{writable_pages}/user/recall?id=ada&q=nuts")
    assert "Nothing was found." in browser.text()
    assert browser.faults == []


def test_a_receipt_is_of_whoever_asked_for_it(writable, memory, trip):
    html = writable.get("/session/delete?id=trip").text
    token = token_of(html, "/session/delete?id=trip")
    receipt = sent(writable, "/session/delete?id=trip", writable.ada, token).headers["location"]
    assert writable.get(receipt).status_code == 200
    assert writable.get(receipt, writable.key("bob")).status_code == 404
    assert writable.get(receipt, writable.key("root", "admin")).status_code == 200
