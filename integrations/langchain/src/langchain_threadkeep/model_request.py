"""Build the messages of a model request: the session's window, as the request has it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from langchain.agents.middleware.types import (
    ExtendedModelResponse,
    ModelCallResult,
    ModelResponse,
)
from langchain_core.messages import AIMessage, BaseMessage, SystemMessage, ToolMessage

from langchain_threadkeep.codec import chunks_to_messages, is_notice, is_summary
from langchain_threadkeep.inject import with_text_after
from langchain_threadkeep.state_view import RequestView
from langchain_threadkeep.to_messages import in_order, in_reply_order, to_messages, with_items
from langchain_threadkeep.turn import AgentTurn
from threadkeep import Item, Window
from threadkeep.adapters import memory_lines, windows
from threadkeep.adapters.revise import has_redactor


class Prompt(NamedTuple):
    """The messages for a model, and the session's items behind them."""

    messages: list[BaseMessage]
    window: Window


def prompt(
    turn: AgentTurn,
    policies: windows.Policies,
    state: Sequence[BaseMessage],
    request: Sequence[BaseMessage],
) -> Prompt:
    """Return the messages to send to the model.

    They are those of the request, without those that the window leaves out, and with the items of
    the session that were never in the state.

    Args:
        turn: the current turn; the store is in step with its state.
        policies: the window's policies.
        state: the messages of the graph's state.
        request: the messages of the request; differences from the state are changes that other
            middleware made for this call, and are kept.
    """
    request_view = RequestView(turn, request, policies)
    window = turn.chat.window(policy=[request_view, *policies])
    is_question_in_request = any(message.id == turn.opening for message in request)
    if is_question_in_request and turn.turn not in request_view.stored_ids:
        return Prompt(list(request), window)  # a store that keeps nothing: use the state
    merged_messages = _Merge(
        turn, request_view, window, {message.id for message in state}
    ).messages(request)
    return Prompt(in_reply_order(merged_messages) if in_order(request) else merged_messages, window)


def answer_messages(response: ModelCallResult[Any]) -> list[BaseMessage]:
    """The model's answers; those without an id are stored once the state has given them one."""
    if isinstance(response, ExtendedModelResponse):
        response = response.model_response
    messages = response.result if isinstance(response, ModelResponse) else [response]
    return [message for message in chunks_to_messages(messages) if message.id]


def with_files(system: SystemMessage | None, files: Sequence[Any]) -> SystemMessage | None:
    """Append a list of the session's files to the system message."""
    if not files:
        return system
    lines = ["Files of this conversation:", *memory_lines.file_lines(files)]
    return with_text_after(system, "\n".join(lines))


def hydrated(
    turn: AgentTurn, policies: windows.Policies, state: Sequence[BaseMessage]
) -> list[BaseMessage] | None:
    """Return the state's messages with those of the window that it lacks; `None` = it lacks none.

    The turn holds them from then on, as messages of the state.
    """
    request_view = RequestView(turn, state)
    window = turn.chat.window(policy=[request_view, *policies])
    merge = _Merge(turn, request_view, window, {message.id for message in state}, for_state=True)
    merged_messages = merge.messages(state)
    if not merge.added:
        return None
    for message, items in merge.added:
        turn.hold(message, [item.id for item in items])
    return merged_messages


class _Merge:
    """Merges a window into a request, in the order of the request.

    Args:
        turn: the current turn.
        view: the first policy of the window.
        window: the items of the window.
        state: the ids of the state's messages.
        for_state: leave no message out, since the state holds all; give ids to those it gets.
    """

    def __init__(
        self,
        turn: AgentTurn,
        view: RequestView,
        window: Window,
        state: set[str | None],
        *,
        for_state: bool = False,
    ) -> None:
        self._for_state = for_state
        self.added: list[tuple[BaseMessage, list[Item]]] = []
        self._turn, self._view, self._state = turn, view, state
        # a window is never empty, so it may hold what the view does not show
        self._window = {item.id: item for item in window if item.id in view.shown}
        self._cut = window.changed
        self._covered = {part_id for part_ids in turn.parts.values() for part_id in part_ids}
        self._covered |= {held_message.record for held_message in turn.held.values()}
        self._records = {message_id: message.record for message_id, message in turn.held.items()}
        self._redacts = has_redactor(turn.chat)

    def messages(self, request: Sequence[BaseMessage]) -> list[BaseMessage]:
        """The request's messages, each followed by the items of the window that come after it."""
        message_pairs = list(self._pairs(request))
        messages_by_anchor = self._others(message_pairs)
        front_index = self._front(message_pairs)
        merged_messages: list[BaseMessage] = []
        for pair_index, (original, sent_message) in enumerate(message_pairs):
            if pair_index == front_index:
                merged_messages += messages_by_anchor.pop(None, [])
            merged_messages.append(sent_message)
            merged_messages += messages_by_anchor.pop(self._records.get(original.id or ""), [])
        return merged_messages + messages_by_anchor.pop(None, [])

    def _pairs(self, request: Sequence[BaseMessage]) -> Iterator[tuple[BaseMessage, BaseMessage]]:
        """The request's messages that the window has room for, each with what is sent of it."""
        if self._for_state:
            yield from ((message, message) for message in request)
            return
        left_out_call_ids: set[str | None] = set()
        for message in request:
            record_id = self._records.get(message.id or "")
            if is_notice(message) or (record_id is None and message.id not in self._turn.repeated):
                if not (
                    isinstance(message, ToolMessage) and message.tool_call_id in left_out_call_ids
                ):
                    yield message, message
            elif (item := self._window.get(record_id or "")) is not None:
                yield message, self._sent(message, item)
            elif isinstance(message, AIMessage):
                left_out_calls = [*message.tool_calls, *message.invalid_tool_calls]
                left_out_call_ids |= {call["id"] for call in left_out_calls}

    def _sent(self, message: BaseMessage, item: Item) -> BaseMessage:
        """The request's own message, unless its item was changed or cut, or an older one redacted.

        A redactor keeps from the model what it took out of the store.
        """
        is_cut = item.id in self._cut and item.id not in self._view.edited
        is_redacted = self._redacts and item.seq < self._turn.since
        if is_cut or is_redacted or self._view.is_changed(item):
            [item_message] = to_messages([item], ids=True)
            item_message.id = message.id
            return item_message
        return message

    def _others(
        self, message_pairs: Sequence[tuple[BaseMessage, BaseMessage]]
    ) -> dict[str | None, list[BaseMessage]]:
        """The items that are not in the request, by the record that each run of them follows."""
        answered_call_ids = {
            sent_message.tool_call_id
            for _, sent_message in message_pairs
            if isinstance(sent_message, ToolMessage)
        }
        sent_record_ids = {self._records.get(original.id or "") for original, _ in message_pairs}
        items_by_anchor: dict[str | None, list[Item]] = {}
        anchor_id: str | None = None
        for item in self._window.values():
            if item.id in sent_record_ids:
                anchor_id = item.id
            elif not self._is_covered(item, answered_call_ids):
                items_by_anchor.setdefault(anchor_id, []).append(item)
        return {anchor_id: self._converted(items) for anchor_id, items in items_by_anchor.items()}

    def _is_covered(self, item: Item, answered_call_ids: set[str]) -> bool:
        """Return True for an item that the request has in another form."""
        if _is_synthetic(item):
            return self._for_state or item.tool_call_id in answered_call_ids
        return item.id in self._covered

    def _converted(self, items: Sequence[Item]) -> list[BaseMessage]:
        """Their messages: a summary first, since it stands for what was said before them."""
        message_items = with_items(items, ids=self._for_state)
        message_items.sort(key=lambda pair: not is_summary(pair[0]))
        if not self._for_state:
            return [message for message, _ in message_items]
        for message, source_items in message_items:
            # ids come again, those of records do not
            if message.id in self._state and source_items:
                message.id = f"{source_items[0].id}@"
            self._state.add(message.id)
        self.added += message_items
        return [message for message, _ in message_items]

    def _front(self, message_pairs: Sequence[tuple[BaseMessage, BaseMessage]]) -> int:
        """Where older items go: behind what other middleware put before the state's messages."""
        state_indexes = (
            pair_index
            for pair_index, (original, _) in enumerate(message_pairs)
            if original.id in self._state
        )
        return next(state_indexes, 0)


def _is_synthetic(item: Item) -> bool:
    return bool(item.metadata.get("synthetic"))
