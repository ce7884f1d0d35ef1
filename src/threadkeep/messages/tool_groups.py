"""Tool groups: a model's output with its tool calls and their results, kept or dropped as one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from operator import itemgetter

from threadkeep.types import Item, Json

NO_RESULT = "No result: the tool call was interrupted before it answered."
"""The text of a synthetic result for an unanswered call; in windows only, never stored."""

_HIDDEN_TYPES = frozenset({"notice", "opaque"})
_SYSTEM_ROLES = frozenset({"system", "developer"})
_RESULT_ROLES = frozenset({"tool", "function"})
_MODEL_TYPES = frozenset({"reasoning", "tool_call", "function_call", "mcp_call"})
_FRAMEWORK_TYPES = _HIDDEN_TYPES | _MODEL_TYPES - {"mcp_call"} | {"message", "tool_result"}
_POSITION = itemgetter(0)
_MODEL_ROLES = frozenset({"assistant", "ai", "model", "chatbot"})


@dataclass(slots=True)
class ToolGroup:
    """One message, or a run of model output with the results of its calls.

    Attributes:
        heads: the messages, reasoning and calls themselves.
        calls: the tool calls of all heads, in order.
        answers: the result of each call, or `None`.
        order: every item of the group, with its position in the conversation.
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
        """True if a call has no result yet."""
        return None in self.answers


class Conversation(list[Item]):
    """A repaired, immutable conversation with its tool groups.

    Attributes:
        contiguous: whether each group is one message directly followed by its results.
        cached_choice: the last policy and the items it chose, so that it need not run twice.
    """

    __slots__ = ("_groups", "cached_choice", "contiguous")

    def __init__(self, items: Iterable[Item], groups: list[ToolGroup] | None = None) -> None:
        super().__init__(items)
        self._groups = groups
        self.contiguous = groups is None
        self.cached_choice: tuple[object, list[Item]] | None = None

    @property
    def groups(self) -> list[ToolGroup]:
        if self._groups is None:
            self._groups = _group_items(self)[0]
        return self._groups


def speaker(item: Item) -> str:
    """The contributor of an item: `user`, `assistant`, `system`, or its own role."""
    if item.role in _MODEL_ROLES or item.role in _RESULT_ROLES:
        return "assistant"
    if item.tool_calls or item.type in _MODEL_TYPES:
        return "assistant"  # whatever its role: only a model calls tools
    return "system" if item.role in _SYSTEM_ROLES else item.role


def is_visible(item: Item) -> bool:
    """Return True if a model may see the item: not hidden, no notice and no unreadable record."""
    return item.type not in _HIDDEN_TYPES and not item.hidden


def is_tool_result(item: Item) -> bool:
    """Return True if the item is the result of a tool call."""
    return item.role in _RESULT_ROLES and is_visible(item)


def tool_results(items: Iterable[Item]) -> list[Item]:
    """The tool results among items."""
    return [item for item in items if is_tool_result(item)]


def tool_groups(items: Iterable[Item]) -> tuple[list[ToolGroup], list[Item]]:
    """The groups of a conversation, ordered by first item, and the results without a call.

    A result belongs to the latest unanswered call with its id, however far back.
    """
    return (items.groups, []) if isinstance(items, Conversation) else _group_items(items)


def _group_items(items: Iterable[Item]) -> tuple[list[ToolGroup], list[Item]]:
    groups: list[ToolGroup] = []
    orphans: list[Item] = []
    open_slots_by_id: dict[str, list[tuple[ToolGroup, int]]] = {}
    current_group: ToolGroup | None = None
    item_type = ""
    for item_index, item in enumerate(items):
        if item.role in _RESULT_ROLES:
            if not _attach_result(item, item_index, open_slots_by_id):
                orphans.append(item)
            current_group = None
            continue
        item_type, previous_type = item.type, item_type
        if (
            current_group is not None
            and not (
                item_type == "message" == previous_type
                and current_group.heads[0].type != "reasoning"
            )
            and _is_same_output(current_group.heads, item)
        ):
            current_group.heads.append(item)
            current_group.order.append((item_index, item))
        else:
            current_group = ToolGroup([item], [], [], [(item_index, item)])
            groups.append(current_group)
        if item.tool_calls:
            _register_calls(current_group, item, open_slots_by_id)
    return groups, orphans


def flatten(groups: Iterable[ToolGroup]) -> list[Item]:
    """The items of the groups, in the order of the conversation."""
    positioned_items = [positioned_item for group in groups for positioned_item in group.order]
    positioned_items.sort(key=_POSITION)
    return [item for _, item in positioned_items]


def repair(items: Iterable[Item]) -> Conversation:
    """Repair a conversation for a model: every call answered, no result without a call.

    An unanswered call that is followed by another item gets a synthetic error result. Calls at
    the very end stay open if none of them is answered (a pending interrupt).
    """
    visible_items = [item for item in items if item.type not in _HIDDEN_TYPES and not item.hidden]
    if _is_contiguous(visible_items):
        return Conversation(visible_items)
    groups, orphans = tool_groups(visible_items)
    incomplete_groups = [
        group
        for group in groups
        if group.calls and group.open and (group is not groups[-1] or any(group.answers))
    ]
    if not incomplete_groups and not orphans:
        return Conversation(visible_items, groups)
    for group in incomplete_groups:
        _add_missing_results(group)
    return Conversation(flatten(groups), groups)


def turns(groups: Iterable[ToolGroup]) -> list[list[ToolGroup]]:
    """Runs of one speaker, a model's tool results included."""
    speaker_turns: list[list[ToolGroup]] = []
    for group in groups:
        if speaker_turns and speaker_turns[-1][0].speaker == group.speaker:
            speaker_turns[-1].append(group)
        else:
            speaker_turns.append([group])
    return speaker_turns


def exchanges(groups: Iterable[ToolGroup]) -> list[list[ToolGroup]]:
    """User turns, each with all that follows until the next; anything before is its own unit."""
    exchange_list: list[list[ToolGroup]] = []
    for turn in turns(groups):
        if exchange_list and turn[0].speaker != "user":
            exchange_list[-1].extend(turn)
        else:
            exchange_list.append(turn)
    return exchange_list


def _is_contiguous(items: Iterable[Item]) -> bool:
    """Return True if all results directly follow their calls, as usual."""
    pending_ids: list[Json] = []
    for item in items:
        if item.role in _RESULT_ROLES:
            if item.tool_call_id not in pending_ids:
                return False
            pending_ids.remove(item.tool_call_id)
        elif pending_ids or item.type != "message":
            return False
        elif item.tool_calls:
            pending_ids = [tool_call.get("id") or "" for tool_call in item.tool_calls]
            if (
                item.role not in _MODEL_ROLES
                or "" in pending_ids
                or len(set(pending_ids)) < len(pending_ids)
            ):
                return False
    return not pending_ids


def _is_same_output(heads: list[Item], item: Item) -> bool:
    # The items of one model response: providers reject reasoning without its output, output
    # without its reasoning, and a hosted tool's call without what came of it
    last_head = heads[-1]
    if speaker(item) != "assistant" or speaker(last_head) != "assistant":
        return False
    if last_head.type == "reasoning" or (item.tool_calls and item.type != "message"):
        return True
    if item.type == "reasoning" and last_head.tool_calls and last_head.type != "message":
        return True
    return heads[0].type == "reasoning" or _is_hosted(last_head)


def _is_hosted(item: Item) -> bool:
    """Return True for what a provider's own tools did, which a model goes on from."""
    return item.type not in _FRAMEWORK_TYPES and item.role in _MODEL_ROLES and not item.tool_calls


def _register_calls(
    group: ToolGroup, item: Item, open_slots_by_id: dict[str, list[tuple[ToolGroup, int]]]
) -> None:
    first_call_index = len(group.calls)
    group.calls.extend(item.tool_calls)
    group.answers.extend([None] * len(item.tool_calls))
    # latest output first, but its calls in order: results without ids match calls in order
    for call_index in range(first_call_index, len(group.calls)):
        open_slots = open_slots_by_id.setdefault(group.calls[call_index].get("id") or "", [])
        slot_index = len(open_slots)
        while slot_index and open_slots[slot_index - 1][0] is group:
            slot_index -= 1
        open_slots.insert(slot_index, (group, call_index))


def _attach_result(
    item: Item, position: int, open_slots_by_id: dict[str, list[tuple[ToolGroup, int]]]
) -> bool:
    open_slots = open_slots_by_id.get(item.tool_call_id or "")
    if not open_slots:
        return False
    group, call_index = open_slots.pop()
    group.answers[call_index] = item
    group.order.append((position, item))
    return True


def _add_missing_results(group: ToolGroup) -> None:
    last_head_position = max(
        item_position for item_position, item in group.order if item.role not in _RESULT_ROLES
    )
    head_item = group.heads[-1]
    for call_index, call in enumerate(group.calls):
        if group.answers[call_index] is None:
            answer = _missing_result(head_item, call, call_index)
            group.answers[call_index] = answer
            group.order.append(
                (last_head_position + (call_index + 1) / (len(group.calls) + 1), answer)
            )
    group.order.sort(key=_POSITION)


def _missing_result(head: Item, call: dict[str, Json], call_index: int) -> Item:
    return Item(
        id=f"{head.id}:{call_index}",
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
