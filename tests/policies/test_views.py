"""Policies that change how items are shown: media, times; what is stored stays as it is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from tests.window.histories import placed
from tests.window.looking import valid, window
from threadkeep import connect, policies
from threadkeep.errors import ConfigError
from threadkeep.protocols import Policy
from threadkeep.types import Item

IMAGE = {"type": "image", "base64": "A" * 4_000, "mime_type": "image/png"}
LINKED = {"type": "file", "url": "https://example.org/a.pdf"}


def shown(history, *chosen):
    return [
        block.get("text", block["type"])
        for item in window(history, chosen)
        if not isinstance(item.content, str)
        for block in item.content
    ]


def pictures():
    text = {"type": "text", "text": "look"}
    history = [
        Item(content=[text, IMAGE, LINKED]),
        Item(role="assistant", content="nice"),
        Item(content=[IMAGE, text]),
    ]
    return placed(history)


@pytest.mark.parametrize(
    ("n", "expected"),
    [
        (0, ["look", "[image/png, 3 kB, not shown]", "[file, not shown]"]),
        (1, ["look", "[image/png, 3 kB, not shown]", "[file, not shown]", "image", "look"]),
        (2, ["look", "[image/png, 3 kB, not shown]", "file", "image", "look"]),
        (3, ["look", "image", "file", "image", "look"]),
    ],
)
def test_only_the_newest_media_are_shown(n, expected):
    assert shown(pictures(), policies.max_media(n))[: len(expected)] == expected
    valid(window(pictures(), [policies.max_media(n)]))


def test_media_that_are_not_shown_cost_little():
    chosen: list[Policy] = [policies.max_media(0), policies.max_tokens(100)]
    assert window(pictures(), chosen).over == 0


def test_a_payload_with_the_media_goes_with_them():
    raw = {"format": "x/1", "data": {"content": ["..."]}}
    history = placed([Item(content=[IMAGE], raw=raw)])
    assert window(history, [policies.max_media(0)])[0].raw is None
    assert window(history, [policies.max_media(1)])[0].raw == raw


def at(hour, **fields):
    return Item(created_at=datetime(2026, 3, 1, hour, 4, 59, tzinfo=UTC), **fields)


def test_times_stand_before_what_the_user_said():
    history = [
        at(15, id="a", seq=1, content="when?"),
        at(15, id="b", seq=2, role="assistant", content="now"),
        at(16, id="c", seq=3, content=[IMAGE]),
    ]
    found = window(history, [policies.with_times()])
    assert [found[0].text, found[1].text] == ["[2026-03-01 15:04 UTC] when?", "now"]
    assert found[2].content == [{"type": "text", "text": "[2026-03-01 16:04 UTC]"}, IMAGE]
    assert found.changed == {found[0].id, found[2].id}


def test_a_time_of_another_zone_is_said_in_utc():
    zone = timezone(timedelta(hours=9))
    item = Item(id="i", seq=1, content="hi", created_at=datetime(2026, 3, 2, 0, 4, tzinfo=zone))
    assert window([item], [policies.with_times()])[0].text == "[2026-03-01 15:04 UTC] hi"
    undated = Item(id="i", seq=1, content="hi")
    assert window([undated], [policies.with_times()])[0].text == "hi"


def test_times_of_merged_messages_both_stand():
    chosen: list[Policy] = [policies.with_times(), policies.alternate_roles()]
    one = Item(id="a", seq=1, content="one", created_at=at(15).created_at)
    two = Item(id="b", seq=2, content="two", created_at=at(16).created_at)
    assert window([one, two], chosen)[0].text == (
        "[2026-03-01 15:04 UTC] one\n\n[2026-03-01 16:04 UTC] two"
    )


def test_a_payload_gets_the_time_too_and_keeps_its_id():
    raw = {"format": "x/1", "data": {"id": "user", "role": "user", "content": "user"}}
    item = Item(id="i", seq=1, content="user", created_at=at(15).created_at, raw=raw)
    (found,) = window([item], [policies.with_times()])
    assert found.raw
    assert found.raw["data"] == {"id": "user", "role": "user", "content": found.text}


def test_views_have_names_in_a_window_option():
    chosen = {"max_messages": 5, "max_media": 0, "max_tool_result": 100}
    with connect("memory://", window=chosen) as memory:
        chat = memory.session("s")
        chat.add(Item(content=[IMAGE]))
        assert chat.window()[0].text == "[image/png, 3 kB, not shown]"
        assert chat.items()[0].content == [IMAGE]


@pytest.mark.parametrize("wrong", [-1, True, "1", None, 1.0])
def test_a_number_of_media_that_makes_no_sense_is_refused(wrong):
    with pytest.raises(ConfigError, match="max_media must be"):
        policies.max_media(wrong)
