"""The pictures of the documentation: `python -m tests.ui.screenshots`, into `docs/images`."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.serve.running import serving
from tests.ui import browser as chromium
from threadkeep import connect
from threadkeep.serve import Loopback
from threadkeep.testing import ScriptedLearner
from threadkeep.ui import app

FOLDER = Path(__file__).parents[2] / "docs" / "images"
PICTURES = (
    ("ui-sessions", "light", "/"),
    ("ui-session", "dark", "/session?id=lisbon"),
    ("ui-window", "light", "/session/window?id=lisbon&max_tokens=110"),
    ("ui-recall", "dark", "/user/recall?id=ada&q=Is+Ada+allergic+to+anything%3F"),
)
MESSAGES = [
    {"role": "system", "content": "You are a travel agent. Be brief."},
    {"role": "user", "content": "I live in Oslo, and I want a week in Lisbon in May."},
    {"role": "assistant", "content": "Lovely. Shall I look for flights on a Saturday?"},
    {"role": "user", "content": "Yes. And I am allergic to nuts, so tell the airline."},
    {
        "role": "assistant",
        "content": None,
        "tool_calls": [
            {
                "id": "call_1",
                "type": "function",
                "function": {
                    "name": "search_flights",
                    "arguments": '{"from": "OSL", "to": "LIS", "day": "Saturday"}',
                },
            }
        ],
    },
    {
        "role": "tool",
        "tool_call_id": "call_1",
        "content": '{"flights": [{"number": "TP761", "price": 129}, {"number": "SK461"}]}',
    },
    {"role": "assistant", "content": "TP761 on Saturday, 129 €, with a meal without nuts."},
    {"role": "user", "content": "Book it, please. Always write prices in euros."},
    {"role": "assistant", "content": "Booked. Your seat is 14A."},
]
OTHERS = (
    ("kitchen", "ada", "A dinner for six"),
    ("garden", "bob", "When to plant tomatoes"),
    ("thesis", "eve", "Chapter 3"),
    ("budget", "bob", "Household 2026"),
)
SCRIPT = ScriptedLearner(
    {"Oslo": "The user lives in Oslo", "nuts": "The user is allergic to nuts"},
    {"euros": "Always write prices in euros"},
)


class Clock:
    """A clock that a story moves on, so that the pictures are the same each time."""

    def __init__(self) -> None:
        self.now = 1_796_000_000.0

    def __call__(self) -> float:
        return self.now


def fill(memory, clock: Clock) -> None:
    """A small store: Ada plans a trip, others talk of other things."""
    for id, user, title in OTHERS:
        clock.now += 3_700
        memory.session(id, user=user).add("Good morning!")
        memory.session(id, user=user).update(title=title)
    chat = memory.session("lisbon", user="ada", agent="travel")
    for message in MESSAGES:
        clock.now += 25
        chat.add(message)
    chat.update(title="A week in Lisbon")
    memory.extract(user="ada")


def main() -> None:
    """Take the pictures."""
    clock = Clock()
    FOLDER.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        connect(Path(folder) / "chat.db", llm=SCRIPT, clock=clock) as memory,
        chromium.running() as browser,
    ):
        fill(memory, clock)
        with serving(app(memory, keys=Loopback())) as url:
            browser.size(1100, 680)
            for name, scheme, path in PICTURES:
                browser.colours(scheme)
                browser.open(url + path)
                browser.evaluate(
                    "document.querySelector('article details')?.setAttribute('open', '')"
                )
                browser.screenshot(FOLDER / f"{name}.png")


if __name__ == "__main__":
    main()
