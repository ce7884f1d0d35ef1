"""Tell a model when the user said what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import ClassVar

from threadkeep.types import Item, Json
from threadkeep.window.policies.traits import PolicyTraits
from threadkeep.window.shorten.raw import with_texts


@dataclass(frozen=True)
class WithTimes:
    """Puts the time of each user message before its text; see `with_times`."""

    name: ClassVar[str] = "with_times"
    traits: ClassVar[PolicyTraits] = PolicyTraits(sound=True)

    def __call__(self, items: Sequence[Item]) -> list[Item]:
        return [_with_time(item) for item in items]


def with_times() -> WithTimes:
    """Put the time (UTC, to the minute) before each user message, in the window only.

    `[2026-03-01 15:04 UTC] Where is my order?` It is the message's own `created_at`, so the prompt
    stays the same from turn to turn; a message without a date stays as it is. Put it before
    budgets, so that they count it, and before `alternate_roles()`.
    """
    return WithTimes()


def _with_time(item: Item) -> Item:
    if item.role != "user" or item.type != "message" or item.created_at is None:
        return item
    time_label = f"[{item.created_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC]"
    if isinstance(item.content, str):
        timed_text = f"{time_label} {item.content}"
        return with_texts(item, timed_text, {item.content: timed_text})
    time_block: dict[str, Json] = {"type": "text", "text": time_label}
    return with_texts(item, [time_block, *(dict(block) for block in item.content)], None)
