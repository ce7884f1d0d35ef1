"""Find the tool calls of a conversation's last step that nobody has answered yet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from threadkeep.messages.arguments import parse_arguments
from threadkeep.messages.tool_groups import ToolGroup, is_visible, tool_groups
from threadkeep.types import Item
from threadkeep.types.approvals import PendingApproval

_REQUEST: Final = "mcp_approval_request"
_RESPONSE: Final = "mcp_approval_response"


class LastStep:
    """The last step of a conversation: what the model asked for, and what was answered.

    Args:
        items: the newest items of a session, oldest first.

    Attributes:
        heads: the model's output, without the results.
        is_whole: whether no older item can belong to it.
    """

    def __init__(self, items: Sequence[Item]) -> None:
        visible_items = [item for item in items if is_visible(item)]
        self._responded = {
            request_id for item in visible_items for request_id in _responded_ids(item)
        }
        groups, _ = tool_groups(item for item in visible_items if not _is_response(item))
        self._groups = _last_step(groups)
        self.heads = [item for group in self._groups for item in group.heads]
        self.is_whole = len(self._groups) < len(groups)

    def pending(self) -> list[PendingApproval]:
        """The calls without an answer, in the order of the conversation."""
        remaining_answers = iter([answer for group in self._groups for answer in group.answers])
        unanswered_approvals: list[PendingApproval] = []
        for item in self.heads:
            unanswered_calls = [call for call in item.tool_calls if next(remaining_answers) is None]
            unanswered_approvals += [_tool_call(item, call) for call in unanswered_calls]
            unanswered_approvals += self._mcp_requests(item)
        return unanswered_approvals

    def _mcp_requests(self, item: Item) -> list[PendingApproval]:
        requests = [_mcp_request(item, payload) for payload in _payloads(item, _REQUEST)]
        return [request for request in requests if request.id not in self._responded]


def _last_step(groups: Sequence[ToolGroup]) -> list[ToolGroup]:
    """The groups of the model's last output, which may hold calls and requests side by side."""
    step_groups: list[ToolGroup] = []
    for group in reversed(groups):
        if group.speaker != "assistant" or (
            step_groups and not _is_same_output(group, step_groups[0])
        ):
            break
        step_groups.insert(0, group)
    return step_groups


def _is_same_output(group: ToolGroup, following: ToolGroup) -> bool:
    """Return False if the model went on after a group: with a message, or after a result."""
    head_position, first_head = following.order[0]
    is_answered_before = any(
        item in group.answers and item_position < head_position
        for item_position, item in group.order
    )
    return first_head.type != "message" and not is_answered_before


def _tool_call(item: Item, tool_call: Mapping[str, Any]) -> PendingApproval:
    return PendingApproval(
        id=str(tool_call.get("id") or ""),
        tool=str(tool_call.get("name") or ""),
        arguments=parse_arguments(tool_call.get("args")),
        since=item.created_at,
        source="tool_call",
        server=None,
        item=item.id,
    )


def _mcp_request(item: Item, data: Mapping[str, Any]) -> PendingApproval:
    return PendingApproval(
        id=str(data.get("id") or item.id),
        tool=str(data.get("name") or ""),
        arguments=parse_arguments(data.get("arguments")),
        since=item.created_at,
        source="mcp",
        server=data.get("server_label"),
        item=item.id,
    )


def _responded_ids(item: Item) -> list[str]:
    """The ids of the approval requests that an item answers."""
    return [str(payload.get("approval_request_id")) for payload in _payloads(item, _RESPONSE)]


def _is_response(item: Item) -> bool:
    """Return True for an item that holds approval responses, and nothing else."""
    if isinstance(item.content, list):
        return bool(item.content) and len(_responded_ids(item)) == len(item.content)
    return item.type == _RESPONSE


def _payloads(item: Item, kind: str) -> Iterator[Mapping[str, Any]]:
    """What the API wrote of a type: an item of its own, or a part of a framework's message."""
    if item.type == kind:
        raw_data = (item.raw or {}).get("data")
        yield raw_data if isinstance(raw_data, Mapping) else {}
    if isinstance(item.content, list):
        for block in item.content:
            block_value = block.get("value")
            if isinstance(block_value, Mapping) and block_value.get("type") == kind:
                yield block_value
