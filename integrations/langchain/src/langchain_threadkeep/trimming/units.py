"""Units that are kept or dropped together: a message, or tool calls with all their results."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage

from langchain_threadkeep.to_messages import in_reply_order

Unit = list[BaseMessage]
Splitter = Callable[[str], Sequence[str]]


def units(messages: Sequence[BaseMessage]) -> list[Unit]:
    """Group messages into units, without lone results and incompletely answered calls."""
    message_units: list[Unit] = []
    pending_ids: set[str] = set()
    for message in in_reply_order(messages):
        if isinstance(message, ToolMessage):
            if message.tool_call_id in pending_ids:
                message_units[-1].append(message)
                pending_ids.discard(message.tool_call_id)
            continue
        if pending_ids:
            message_units.pop()  # not all of its calls were answered
        message_units.append([message])
        pending_ids = _call_ids(message)
    if pending_ids and len(message_units[-1]) > 1:
        message_units.pop()  # unanswered calls may end a prompt, partly answered ones may not
    return message_units


def newest(all_units: Sequence[Unit], final: BaseMessage) -> set[int]:
    """The indexes that are always kept: the last user message, the final unit and message.

    Args:
        final: the last message as it was given; a result may belong to a call further ahead.
    """
    indexed_units = list(enumerate(all_units))
    question_indexes = [
        unit_index for unit_index, unit in indexed_units if isinstance(unit[0], HumanMessage)
    ]
    final_indexes = [
        unit_index
        for unit_index, unit in indexed_units
        if any(message is final for message in unit)
    ]
    return {*question_indexes[-1:], *final_indexes, len(all_units) - 1} if all_units else set()


def cut(unit: Unit, fits: Callable[[Unit], bool], split: Splitter, *, end: bool) -> Unit | None:
    """Cut a message to the end or beginning of its text that fits; other parts are kept.

    Returns `None` if nothing fits, or for tool calls with results, which cannot be cut.
    """
    message = unit[0]
    if len(unit) > 1 or _call_ids(message):
        return None
    for content in _shortened(message.content, split, end=end):
        shortened_message = message.model_copy(update={"content": content})
        if fits([shortened_message]):
            return [shortened_message]
    return None


def _shortened(
    content: str | list[str | dict[object, object]], split: Splitter, *, end: bool
) -> list[str | list[object]]:
    """Return ever shorter versions of the content, none of them empty."""
    if isinstance(content, str):
        text_pieces = [piece for piece in split(content) if piece]
        cut_sizes = range(1, len(text_pieces))
        return [
            "".join(text_pieces[cut_size:] if end else text_pieces[: len(text_pieces) - cut_size])
            for cut_size in cut_sizes
        ]
    parts: list[object] = list(content)
    variants: list[str | list[object]] = []
    while text_indexes := [index for index, part in enumerate(parts) if _text(part) is not None]:
        index = text_indexes[0] if end else text_indexes[-1]
        preceding_parts, part, following_parts = (parts[:index], parts[index], parts[index + 1 :])
        shortened_texts = _shortened(_text(part) or "", split, end=end)
        variants += [
            [*preceding_parts, _with_text(part, str(text)), *following_parts]
            for text in shortened_texts
        ]
        del parts[index]
        if parts:
            variants.append(list(parts))
    return variants


def _text(part: object) -> str | None:
    if isinstance(part, str):
        return part
    if isinstance(part, dict) and part.get("type") == "text":
        return str(part.get("text") or "")
    return None


def _with_text(part: object, text: str) -> object:
    return {**part, "text": text} if isinstance(part, dict) else text


def _call_ids(message: BaseMessage) -> set[str]:
    if not isinstance(message, AIMessage):
        return set()
    return {call["id"] or "" for call in [*message.tool_calls, *message.invalid_tool_calls]}
