"""Detect how much of a transcript that a client resends with every request is stored already."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from itertools import chain
from types import MappingProxyType
from typing import Any, NamedTuple

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage

from langchain_threadkeep.codec import is_notice
from threadkeep import Item

Utterance = tuple[str, str]
"""A role and a text."""


class SpokenMessage:
    """A message of a transcript that somebody spoke.

    It is redacted only where it is not stored as it is, so that a transcript costs the redactor
    what is new and what was redacted.

    Attributes:
        index: of the message in the transcript.
        utterance: the role, and the text as it was sent.
    """

    def __init__(
        self, index: int, role: str, texts: Sequence[str], stored_text: Callable[[str], str]
    ) -> None:
        self.index = index
        self.utterance: Utterance = (role, "\n".join(texts))
        self._texts, self._stored_text = texts, stored_text

    @cached_property
    def redacted(self) -> Utterance:
        """The role, and the text as the store has it."""
        return (self.utterance[0], "\n".join(map(self._stored_text, self._texts)))

    def is_stored_as(self, utterance: Utterance) -> bool:
        """Whether a stored item says the same."""
        return utterance == self.utterance or utterance == self.redacted


class StoredUtterances:
    """What the items of a session say, and where."""

    def __init__(self, utterances: Sequence[Utterance]) -> None:
        self.utterances = utterances
        self._indexes_by_utterance: dict[Utterance, list[int]] = {}
        for index, utterance in enumerate(utterances):
            self._indexes_by_utterance.setdefault(utterance, []).append(index)

    def indexes_of(self, message: SpokenMessage) -> list[int]:
        """Where a message is stored, newest first."""
        utterances = {message.utterance, message.redacted}
        indexes = (self._indexes_by_utterance.get(utterance, ()) for utterance in utterances)
        return sorted(chain.from_iterable(indexes), reverse=True)


class StoredPrefix(NamedTuple):
    """The leading messages of a transcript that are stored.

    Attributes:
        length: how many they are.
        last_item: the item of the last of them that was spoken.
        items: the item of each that could be matched, by the index of the message.
    """

    length: int
    last_item: Item | None = None
    items: Mapping[int, Item] = MappingProxyType({})


def stored_prefix(
    messages: Sequence[BaseMessage],
    items: Sequence[Item],
    stored_text: Callable[[str], str],
    *,
    continues: bool = False,
) -> StoredPrefix:
    """Find the stored prefix of a transcript without ids by comparing texts; tools are ignored.

    The prefix must match stored items word for word and contain an answer, unless it only repeats
    a final question that has no answer yet.

    Args:
        messages: the transcript.
        items: the newest of the session.
        stored_text: gives a text as the store has it, so that what was redacted is recognised.
        continues: whether messages with ids precede it. Then it must hold a question and its
            answer, or nothing but a final question: two middlewares may say the same, one after
            the other.
    """
    spoken_messages = [
        spoken_message
        for message_index, message in enumerate(messages)
        if (spoken_message := _spoken(message_index, message, stored_text))
    ]
    item_utterances = [(item, utterance) for item in items if (utterance := _item_utterance(item))]
    stored = StoredUtterances([utterance for _, utterance in item_utterances])
    for count in range(len(spoken_messages), 0, -1):
        match_end_index = _last_match(
            spoken_messages[:count],
            stored,
            may_repeat=not continues or count == len(spoken_messages),
            needed_roles={"user", "assistant"} if continues else {"assistant"},
        )
        if match_end_index is not None:
            prefix_length = _skip_stored_tools(
                spoken_messages[count - 1].index + 1, messages, items
            )
            item_by_index = {
                spoken_message.index: item
                for spoken_message, (item, _) in zip(
                    reversed(spoken_messages[:count]),
                    reversed(item_utterances[: match_end_index + 1]),
                    strict=False,
                )
            }
            return StoredPrefix(
                prefix_length,
                item_utterances[match_end_index][0],
                {**_matching_tools(messages[:prefix_length], items), **item_by_index},
            )
    return StoredPrefix(0)


def _matching_tools(messages: Sequence[BaseMessage], items: Sequence[Item]) -> dict[int, Item]:
    """The items of tool calls and results, matched by the ids of the calls."""
    item_by_call_id = {tool_call.get("id"): item for item in items for tool_call in item.tool_calls}
    item_by_result_id = {item.tool_call_id: item for item in items if item.tool_call_id}
    item_by_index: dict[int, Item] = {}
    for message_index, message in enumerate(messages):
        item = None
        if isinstance(message, AIMessage) and message.tool_calls:
            item = item_by_call_id.get(message.tool_calls[0]["id"])
        elif isinstance(message, ToolMessage):
            item = item_by_result_id.get(message.tool_call_id)
        if item is not None:
            item_by_index[message_index] = item
    return item_by_index


def _last_match(
    spoken_messages: Sequence[SpokenMessage],
    stored: StoredUtterances,
    *,
    may_repeat: bool,
    needed_roles: set[str],
) -> int | None:
    """The last stored index at which the messages end, compared back to the start of either.

    Args:
        may_repeat: a final question alone is enough.
        needed_roles: the roles that must speak otherwise.
    """
    for stored_index in stored.indexes_of(spoken_messages[-1]):
        earlier_pairs = zip(
            reversed(spoken_messages[:-1]), reversed(stored.utterances[:stored_index]), strict=False
        )
        if not all(message.is_stored_as(utterance) for message, utterance in earlier_pairs):
            continue
        overlap = spoken_messages[-stored_index - 1 :]
        has_needed_roles = needed_roles <= {message.utterance[0] for message in overlap}
        is_repeated = (
            may_repeat
            and len(overlap) == len(spoken_messages)
            and stored_index == len(stored.utterances) - 1
        )
        if has_needed_roles or is_repeated:
            return stored_index
    return None


def _skip_stored_tools(index: int, messages: Sequence[BaseMessage], items: Sequence[Item]) -> int:
    """Advance the index past tool calls and results that are stored too."""
    call_ids = {tool_call.get("id") for item in items for tool_call in item.tool_calls}
    result_ids = {item.tool_call_id for item in items if item.tool_call_id}
    while index < len(messages):
        message = messages[index]
        tool_calls = message.tool_calls if isinstance(message, AIMessage) else []
        if not (
            (tool_calls and all(tool_call["id"] in call_ids for tool_call in tool_calls))
            or (isinstance(message, ToolMessage) and message.tool_call_id in result_ids)
        ):
            break
        index += 1
    return index


def _spoken(
    index: int, message: BaseMessage, stored_text: Callable[[str], str]
) -> SpokenMessage | None:
    if is_notice(message):
        return None
    if isinstance(message, HumanMessage):
        return SpokenMessage(index, "user", _texts(message.content), stored_text)
    if isinstance(message, AIMessage) and message.text:
        return SpokenMessage(index, "assistant", _texts(message.content), stored_text)
    return None


def _item_utterance(item: Item) -> Utterance | None:
    if item.type != "message" or item.role not in ("user", "assistant"):
        return None
    return None if item.role == "assistant" and not item.text else (item.role, item.text)


def _texts(content: Any) -> list[str]:
    if isinstance(content, str):
        return [content]
    texts = (part if isinstance(part, str) else part.get("text") for part in content)
    return [text for text in texts if isinstance(text, str)]
