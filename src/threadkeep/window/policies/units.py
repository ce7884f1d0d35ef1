"""The units that budgets count and drop as one, and the groups that no budget drops."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from threadkeep.errors import ConfigError
from threadkeep.messages.tool_groups import Conversation, ToolGroup, is_tool_result
from threadkeep.printable import shown
from threadkeep.types import Item

Unit = list[ToolGroup]
PinPredicate = Callable[[Item], bool]


def pins_nothing(_: Item) -> bool:
    """Pins no item."""
    return False


def single_groups(groups: Sequence[ToolGroup]) -> list[Unit]:
    """Each group as a unit of its own."""
    return [[group] for group in groups]


def newest_user_turn(units: Sequence[Unit]) -> set[int]:
    """The indexes of the newest user turn, which no budget drops; empty without user messages."""
    last = len(units) - 1
    while last >= 0 and units[last][0].speaker != "user":
        last -= 1
    if last < 0:
        return set()
    first = last
    # a unit that ends with an answer is complete; single messages of one turn are adjacent
    while first and _same_turn(units[first - 1], units[first]):
        first -= 1
    return set(range(first, last + 1))


def last_step(groups: Sequence[ToolGroup]) -> set[int]:
    """The indexes of the newest calls with their results, if they end the conversation.

    No budget drops them: a model that does not see a result it just got repeats the call.
    """
    if not groups:
        return set()
    head = max(index for index, item in groups[-1].order if not is_tool_result(item))
    step = {number for number, group in enumerate(groups) if group.order[-1][0] > head}
    return step | {len(groups) - 1} if groups[-1].calls else step


def required_groups(groups: Sequence[ToolGroup]) -> set[int]:
    """The indexes of groups that no budget drops: the newest user turn and the last step."""
    return newest_user_turn(single_groups(groups)) | last_step(groups)


def newest_turn_group(groups: Sequence[ToolGroup]) -> int:
    """The index of the first group of the newest user turn; -1 without user messages."""
    index = len(groups) - 1
    while index >= 0 and groups[index].speaker != "user":
        index -= 1
    while index > 0 and groups[index - 1].speaker == "user":
        index -= 1
    return index


def newest_turn_start(view: Conversation) -> int:
    """The index of the first item of the newest user turn; -1 without user messages."""
    if not view.contiguous:
        turn = newest_turn_group(view.groups)
        first = view.groups[turn].heads[0] if turn >= 0 else None
        return next((index for index, item in enumerate(view) if item is first), -1)
    index = len(view) - 1
    while index >= 0 and view[index].role != "user":
        index -= 1
    while index > 0 and view[index - 1].role == "user":
        index -= 1
    return index


def _same_turn(before: Unit, after: Unit) -> bool:
    return before[-1].speaker == "user" and after[0].speaker == "user"


def positive_int(name: str, n: int) -> int:
    """Return the limit.

    Raises:
        ConfigError: it is not a whole number above 0.
    """
    if isinstance(n, bool) or not isinstance(n, int) or n < 1:
        raise ConfigError(f"{name} must be a whole number of at least 1, got {shown(n)}")
    return n


def check_step(step: float) -> float:
    """Return the step as a float.

    Raises:
        ConfigError: it is not a number from 0 to below 1.
    """
    if isinstance(step, bool) or not isinstance(step, (int, float)) or not 0 <= step < 1:
        raise ConfigError(f"step must be a number from 0 to below 1, got {shown(step)}")
    return float(step)
