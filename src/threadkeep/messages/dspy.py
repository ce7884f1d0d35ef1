"""Convert items to the messages of a `dspy.History`: a dict for each question with its answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from threadkeep.errors import ConfigError
from threadkeep.messages.content import as_blocks, plain_text, spoken_text
from threadkeep.messages.tool_groups import is_tool_result, is_visible, speaker
from threadkeep.printable import shown
from threadkeep.types import Item

_BETWEEN: Final = "\n\n"


def to_dspy(items: Sequence[Item], question: str, answer: str) -> list[dict[str, str]]:
    """As `Window.to_dspy`.

    Raises:
        ConfigError: the names of the fields are no identifiers, or the same.
    """
    _check_names(question, answer)
    turns: list[dict[str, str]] = []
    for item in items:
        field_name = _field_of(item, question, answer)
        field_text = _text(item, is_answer=field_name == answer) if field_name else ""
        if not (field_name and field_text):
            continue
        if field_name == question and (not turns or answer in turns[-1]):
            turns.append({question: field_text})
        elif not turns:
            turns.append({answer: field_text})
        else:
            previous_text = turns[-1].get(field_name)
            turns[-1][field_name] = (
                field_text if previous_text is None else previous_text + _BETWEEN + field_text
            )
    return turns if not turns or answer in turns[-1] else turns[:-1]


def _check_names(question: str, answer: str) -> None:
    for option, field_name in (("question", question), ("answer", answer)):
        if not isinstance(field_name, str) or not field_name.isidentifier():
            raise ConfigError(
                f"{option} must be the name of a signature's field, got {shown(field_name)}"
            )
    if question == answer:
        raise ConfigError(f"question and answer must be two fields, got {shown(question)} twice")


def _field_of(item: Item, question: str, answer: str) -> str | None:
    """The field that an item's text belongs in; `None`: a signature has no field for it."""
    if is_tool_result(item) or not is_visible(item):
        return None
    return {"user": question, "assistant": answer}.get(speaker(item))


def _text(item: Item, *, is_answer: bool) -> str:
    if not is_answer:
        return plain_text(item.content)
    return "\n".join(text for text in map(spoken_text, as_blocks(item.content)) if text)
