"""What budgets count and drop as one: groups, turns, exchanges; and what no budget drops."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from threadkeep.errors import ConfigError
from threadkeep.messages.tool_groups import Conversation, ToolGroup, answers
from threadkeep.types import Item

Unit = list[ToolGroup]
Pinned = Callable[[Item], bool]


def nothing(_: Item) -> bool:
    """Pins no item."""
    return False


def each(groups: Sequence[ToolGroup]) -> list[Unit]:
    """Every group on its own."""
    return [[group_] for group_ in groups]


def newest_user_turn(units: Sequence[Unit]) -> set[int]:
    """The places of the newest user turn, which no budget drops; empty if no user spoke."""
    last = len(units) - 1
    while last >= 0 and units[last][0].speaker != "user":
        last -= 1
    if last < 0:
        return set()
    first = last
    # an exchange is closed by what answers it; single messages of one turn stand side by side
    while first and _same_turn(units[first - 1], units[first]):
        first -= 1
    return set(range(first, last + 1))


def last_step(groups: Sequence[ToolGroup]) -> set[int]:
    """The places of the newest calls with their results, where they end the conversation.

    No budget drops them: a model that does not see what it has just obtained asks for it again.
    """
    if not groups:
        return set()
    head = max(place for place, item in groups[-1].order if not answers(item))
    step = {number for number, group_ in enumerate(groups) if group_.order[-1][0] > head}
    return step | {len(groups) - 1} if groups[-1].calls else step


def indispensable(groups: Sequence[ToolGroup]) -> set[int]:
    """The places of all that no budget drops: the newest user turn and the last step."""
    return newest_user_turn(each(groups)) | last_step(groups)


def newest_turn(groups: Sequence[ToolGroup]) -> int:
    """The place of the first group of the newest user turn; -1 if no user spoke."""
    place = len(groups) - 1
    while place >= 0 and groups[place].speaker != "user":
        place -= 1
    while place > 0 and groups[place - 1].speaker == "user":
        place -= 1
    return place


def newest_turn_begins(view: Conversation) -> int:
    """The place of the first item of the newest user turn; -1 if no user spoke."""
    if not view.tidy:
        turn = newest_turn(view.groups)
        first = view.groups[turn].heads[0] if turn >= 0 else None
        return next((place for place, item in enumerate(view) if item is first), -1)
    place = len(view) - 1
    while place >= 0 and view[place].role != "user":
        place -= 1
    while place > 0 and view[place - 1].role == "user":
        place -= 1
    return place


def _same_turn(before: Unit, after: Unit) -> bool:
    return before[-1].speaker == "user" and after[0].speaker == "user"


def positive(name: str, n: int) -> int:
    """The limit, if it is one.

    Raises:
        ConfigError: it is not a whole number above 0.
    """
    if isinstance(n, bool) or not isinstance(n, int) or n < 1:
        raise ConfigError(f"{name} must be a whole number of at least 1, got {n!r}")
    return n


def share(step: float) -> float:
    """The share, if it is one.

    Raises:
        ConfigError: it is not from 0 to below 1.
    """
    if isinstance(step, bool) or not isinstance(step, (int, float)) or not 0 <= step < 1:
        raise ConfigError(f"step must be a number from 0 to below 1, got {step!r}")
    return float(step)
