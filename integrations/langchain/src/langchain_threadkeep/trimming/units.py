"""What is kept or dropped as one: a message, or a call of tools with all its results."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage

from langchain_threadkeep.to_messages import in_reply_order

Unit = list[BaseMessage]
Splitter = Callable[[str], Sequence[str]]


def units(messages: Sequence[BaseMessage]) -> list[Unit]:
    """The units in order; results without their call, and calls cut off their results, are none."""
    found: list[Unit] = []
    asked: set[str] = set()
    for message in in_reply_order(messages):
        if isinstance(message, ToolMessage):
            if message.tool_call_id in asked:
                found[-1].append(message)
                asked.discard(message.tool_call_id)
            continue
        if asked:
            found.pop()  # not all of its calls were answered before something else was said
        found.append([message])
        asked = _calls(message)
    if asked and len(found[-1]) > 1:
        found.pop()  # a call that nobody answered yet may stand at the end, half an answer may not
    return found


def newest(found: Sequence[Unit]) -> set[int]:
    """The places that no budget drops: what a person said last, and what stands at the end."""
    spoken = [n for n, unit in enumerate(found) if isinstance(unit[0], HumanMessage)]
    return {*spoken[-1:], len(found) - 1} if found else set()


def cut(unit: Unit, fits: Callable[[Unit], bool], split: Splitter, *, end: bool) -> Unit | None:
    """As much of a message's text as fits, its end or its beginning; other parts stay.

    `None` if nothing fits, or it is a call with its results, which cannot be cut.
    """
    message = unit[0]
    if len(unit) > 1 or _calls(message):
        return None
    for kept in _shorter(message.content, split, end=end):
        found = message.model_copy(update={"content": kept})
        if fits([found]):
            return [found]
    return None


def _shorter(
    content: str | list[str | dict[object, object]], split: Splitter, *, end: bool
) -> list[str | list[object]]:
    """Ever shorter contents; never empty ones."""
    if isinstance(content, str):
        pieces = [piece for piece in split(content) if piece]
        sizes = range(1, len(pieces))
        return ["".join(pieces[n:] if end else pieces[: len(pieces) - n]) for n in sizes]
    parts: list[object] = list(content)
    found: list[str | list[object]] = []
    while texts := [n for n, part in enumerate(parts) if _text(part) is not None]:
        place = texts[0] if end else texts[-1]
        before, part, behind = parts[:place], parts[place], parts[place + 1 :]
        words = _shorter(_text(part) or "", split, end=end)
        found += [[*before, _with(part, str(text)), *behind] for text in words]
        del parts[place]
        if parts:
            found.append(list(parts))
    return found


def _text(part: object) -> str | None:
    if isinstance(part, str):
        return part
    if isinstance(part, dict) and part.get("type") == "text":
        return str(part.get("text") or "")
    return None


def _with(part: object, text: str) -> object:
    return {**part, "text": text} if isinstance(part, dict) else text


def _calls(message: BaseMessage) -> set[str]:
    if not isinstance(message, AIMessage):
        return set()
    return {call["id"] or "" for call in [*message.tool_calls, *message.invalid_tool_calls]}
