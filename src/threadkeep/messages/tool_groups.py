"""Which items stand or fall together: a model's output with its tool calls and their results."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from operator import itemgetter

from threadkeep.types import Item, Json

NO_RESULT = "No result: the tool call was interrupted before it answered."
"""What the model reads in place of a result that never came; seen in windows, never stored."""

_HIDDEN = frozenset({"notice", "opaque"})
_SYSTEM = frozenset({"system", "developer"})
_ANSWERS = frozenset({"tool", "function"})
_MODEL_TYPES = frozenset({"reasoning", "tool_call", "function_call", "mcp_call"})
_POSITION = itemgetter(0)
_MODEL = frozenset({"assistant", "ai", "model", "chatbot"})


@dataclass(slots=True)
class ToolGroup:
    """One message, or a run of model output with the results of its calls.

    Attributes:
        heads: the messages, reasoning and calls themselves.
        calls: the tool calls of all heads, in order.
        answers: the result of each call, or `None`.
        order: every item with its position in the conversation.
    """

    heads: list[Item]
    calls: list[dict[str, Json]]
    answers: list[Item | None]
    order: list[tuple[float, Item]]

    @property
    def items(self) -> list[Item]:
        return [item for _, item in self.order]

    @property
    def speaker(self) -> str:
        return speaker(self.heads[0])

    @property
    def open(self) -> bool:
        """Whether a call has no answer yet."""
        return None in self.answers


class Conversation(list[Item]):
    """A sound conversation, which knows its groups; never changed once it is made.

    Attributes:
        tidy: whether each group is a message with the results of its calls right behind it.
        judged: the last judge and what it found, so that it need not look twice.
    """

    __slots__ = ("_groups", "judged", "tidy")

    def __init__(self, items: Iterable[Item], groups: list[ToolGroup] | None = None) -> None:
        super().__init__(items)
        self._groups = groups
        self.tidy = groups is None
        self.judged: tuple[object, list[Item]] | None = None

    @property
    def groups(self) -> list[ToolGroup]:
        if self._groups is None:
            self._groups = _grouped(self)[0]
        return self._groups


def speaker(item: Item) -> str:
    """Who contributes the item: `user`, `assistant`, `system`, or another role as it is."""
    if item.role in _MODEL or item.role in _ANSWERS:
        return "assistant"
    if item.tool_calls or item.type in _MODEL_TYPES:
        return "assistant"  # whatever else it says: nobody but a model calls tools
    return "system" if item.role in _SYSTEM else item.role


def visible(item: Item) -> bool:
    """Whether a model may see it: not a harness notice, nor a record that could not be read."""
    return item.type not in _HIDDEN


def answers(item: Item) -> bool:
    """Whether it is the result of a tool call."""
    return item.role in _ANSWERS and item.type not in _HIDDEN


def results(items: Iterable[Item]) -> list[Item]:
    """The results of tool calls among items."""
    return [item for item in items if item.role in _ANSWERS and item.type not in _HIDDEN]


def group(items: Iterable[Item]) -> tuple[list[ToolGroup], list[Item]]:
    """The groups of a conversation by their first items, and the results without a call.

    A result belongs to the latest call of its id that has none yet, however far back it stands.
    """
    return (items.groups, []) if isinstance(items, Conversation) else _grouped(items)


def _grouped(items: Iterable[Item]) -> tuple[list[ToolGroup], list[Item]]:
    groups: list[ToolGroup] = []
    orphans: list[Item] = []
    waiting: dict[str, list[tuple[ToolGroup, int]]] = {}
    run: ToolGroup | None = None
    kind = ""
    for position, item in enumerate(items):
        if item.role in _ANSWERS:
            if not _answer(item, position, waiting):
                orphans.append(item)
            run = None
            continue
        kind, last = item.type, kind
        if run is not None and not (kind == "message" == last) and _joins(run.heads[-1], item):
            run.heads.append(item)
            run.order.append((position, item))
        else:
            run = ToolGroup([item], [], [], [(position, item)])
            groups.append(run)
        if item.tool_calls:
            _ask(run, item, waiting)
    return groups, orphans


def flat(groups: Iterable[ToolGroup]) -> list[Item]:
    """The items of the groups in the order of the conversation."""
    order = [placed for group_ in groups for placed in group_.order]
    order.sort(key=_POSITION)
    return [item for _, item in order]


def sound(items: Iterable[Item]) -> Conversation:
    """The conversation as a model may see it: every call answered, no result without a call.

    A call that is followed by anything gets a synthetic error result; calls of which none is
    answered stay open at the very end (a pending interrupt).
    """
    shown = [item for item in items if item.type not in _HIDDEN]
    if _is_tidy(shown):
        return Conversation(shown)
    groups, orphans = group(shown)
    torn = [g for g in groups if g.calls and g.open and (g is not groups[-1] or any(g.answers))]
    if not torn and not orphans:
        return Conversation(shown, groups)
    for group_ in torn:
        _close(group_)
    return Conversation(flat(groups), groups)


def turns(groups: Iterable[ToolGroup]) -> list[list[ToolGroup]]:
    """Runs of one speaker, a model's tool results included."""
    found: list[list[ToolGroup]] = []
    for group_ in groups:
        if found and found[-1][0].speaker == group_.speaker:
            found[-1].append(group_)
        else:
            found.append([group_])
    return found


def exchanges(groups: Iterable[ToolGroup]) -> list[list[ToolGroup]]:
    """User turns, each with all that follows until the next; what precedes the first is its own."""
    found: list[list[ToolGroup]] = []
    for turn in turns(groups):
        if found and turn[0].speaker != "user":
            found[-1].extend(turn)
        else:
            found.append(turn)
    return found


def _is_tidy(items: Iterable[Item]) -> bool:
    """Whether each call is followed at once by all its results, as nearly always."""
    open_: list[Json] = []
    for item in items:
        if item.role in _ANSWERS:
            if item.tool_call_id not in open_:
                return False
            open_.remove(item.tool_call_id)
        elif open_ or item.type != "message":
            return False
        elif item.tool_calls:
            open_ = [call.get("id") or "" for call in item.tool_calls]
            if item.role not in _MODEL or "" in open_ or len(set(open_)) < len(open_):
                return False
    return not open_


def _joins(last: Item, item: Item) -> bool:
    # The parts of one model response: providers refuse reasoning without what it led to
    if speaker(item) != "assistant" or speaker(last) != "assistant":
        return False
    if last.type == "reasoning" or (item.tool_calls and item.type != "message"):
        return True
    return item.type == "reasoning" and bool(last.tool_calls) and last.type != "message"


def _ask(run: ToolGroup, item: Item, waiting: dict[str, list[tuple[ToolGroup, int]]]) -> None:
    start = len(run.calls)
    run.calls.extend(item.tool_calls)
    run.answers.extend([None] * len(item.tool_calls))
    # latest output first, but its calls in order: results without ids answer in order
    for index in range(start, len(run.calls)):
        slots = waiting.setdefault(run.calls[index].get("id") or "", [])
        place = len(slots)
        while place and slots[place - 1][0] is run:
            place -= 1
        slots.insert(place, (run, index))


def _answer(item: Item, position: int, waiting: dict[str, list[tuple[ToolGroup, int]]]) -> bool:
    slots = waiting.get(item.tool_call_id or "")
    if not slots:
        return False
    run, index = slots.pop()
    run.answers[index] = item
    run.order.append((position, item))
    return True


def _close(group_: ToolGroup) -> None:
    place = max(position for position, item in group_.order if item.role not in _ANSWERS)
    head = group_.heads[-1]
    for index, call in enumerate(group_.calls):
        if group_.answers[index] is None:
            answer = _no_result(head, call, index)
            group_.answers[index] = answer
            group_.order.append((place + (index + 1) / (len(group_.calls) + 1), answer))
    group_.order.sort(key=_POSITION)


def _no_result(head: Item, call: dict[str, Json], index: int) -> Item:
    return Item(
        id=f"{head.id}:{index}",
        seq=head.seq,
        type="tool_result",
        role="tool",
        name=call.get("name"),
        content=NO_RESULT,
        tool_call_id=call.get("id") or "",
        status="error",
        metadata={"synthetic": True},
        created_at=head.created_at,
    )
