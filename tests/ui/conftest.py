"""A store that is shown, the pages of it over HTTP, and one browser for all tests of a process."""

from __future__ import annotations

import pytest

from tests.serve.running import serving
from tests.ui import browser as chromium
from tests.ui import fetch
from threadkeep import connect
from threadkeep.serve import Loopback
from threadkeep.serve.keys import add_key
from threadkeep.ui import app

MESSAGES = [
    {"role": "system", "content": "You are a travel agent."},
    {"role": "user", "content": "I am allergic to nuts. Find me a flight to Lisbon."},
    {
        "role": "assistant",
        "content": None,
        "tool_calls": [
            {
                "id": "call_1",
                "type": "function",
                "function": {"name": "search_flights", "arguments": '{"to": "LIS"}'},
            }
        ],
    },
    {"role": "tool", "tool_call_id": "call_1", "content": '{"flights": ["TP761"]}'},
    {"role": "assistant", "content": "TP761 is the cheapest."},
]


@pytest.fixture
def memory(tmp_path):
    with connect(tmp_path / "chat.db") as opened:
        yield opened


@pytest.fixture
def trip(memory):
    """A session of Ada's with a tool call, and what was learned from it."""
    chat = memory.session("trip", user="ada", metadata={"model": "gpt-5"})
    items = chat.add(*MESSAGES)
    chat.update(title="A week in Lisbon")
    ada = memory.user("ada")
    ada.facts.add("Ada is allergic to nuts", sources=[("trip", items[1])], category="diet")
    ada.facts.add("Ada likes green", status="quarantined")
    ada.instructions.add("Answer briefly", sources=[("trip", items[1])])
    return chat


@pytest.fixture(scope="session")
def chromium_process():
    with chromium.running() as started:
        yield started


@pytest.fixture
def browser(chromium_process):
    chromium_process.open("about:blank")  # what the last page still loads is no fault of the next
    chromium_process.faults.clear()
    chromium_process.colours("light")
    chromium_process.send("Network.clearBrowserCookies")
    return chromium_process


class Pages:
    """The pages of a memory, and keys for them."""

    def __init__(self, memory, folder, **options):
        self.keys = folder / "keys.jsonl"
        self.ada = add_key(self.keys, "ada", ["read", "write"])
        self.application = app(memory, keys=self.keys, **options)
        self.url = ""

    def key(self, user, *scopes):
        return add_key(self.keys, user, scopes or ("read", "write"))

    def get(self, path, key=None, **options):
        """Ask for a page, as Ada unless a key says otherwise."""
        headers = {"authorization": f"Bearer {key or self.ada}", **options.pop("headers", {})}
        return fetch.get(self.url + path, headers=headers, **options)


@pytest.fixture
def pages(memory, tmp_path):
    opened = Pages(memory, tmp_path)
    with serving(opened.application) as opened.url:
        yield opened


@pytest.fixture
def open_pages(memory):
    """The URL of pages for everybody on this machine: `--no-token`."""
    with serving(app(memory, keys=Loopback())) as url:
        yield url


@pytest.fixture
def writable_pages(memory):
    """The same with `--write`."""
    with serving(app(memory, keys=Loopback(), write=True)) as url:
        yield url
