"""The application's redactor: it sees every text before it is stored or shown to a model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from threadkeep.core.engine import Engine
from threadkeep.errors import ConfigError
from threadkeep.types import File, Item, Json, SessionInfo
from threadkeep.types.responses import Feedback, Response

_AS_IT_IS: Final = frozenset({"type", "id", "role", "base64", "mime_type", "signature"})
"""Keys of blocks whose values are no words of anybody."""

_PARTS: Final = ("content", "tool_calls", "metadata", "name")


def redacted(engine: Engine, text: str, kind: str) -> str | None:
    """The text as the redactor leaves it; `None` = it must not be kept.

    Args:
        engine: whose settings name the redactor; without one the text stays as it is.
        text: what is about to be stored, or to be shown to a model.
        kind: what it is of: `item`, `session`, `file`, `response`, `feedback`, `fact`,
            `instruction` or `summary`.

    Raises:
        ConfigError: the redactor gave something else than a text or `None`.
    """
    redactor = engine.settings.redactor
    if redactor is None or not text:
        return text
    left = redactor(text, kind)
    if left is not None and not isinstance(left, str):
        raise ConfigError(
            f"redactor must return a str or None, got {type(left).__name__} for a text of kind "
            f"{kind!r}"
        )
    return left


def redacted_item(engine: Engine, item: Item) -> Item:
    """The item, each of its texts redacted; changed, it has no payload of its writer any more."""
    if engine.settings.redactor is None:
        return item
    said = {name: cleaned(engine, getattr(item, name), "item") for name in _PARTS}
    same = all(getattr(item, name) == value for name, value in said.items())
    if same and cleaned(engine, item.raw, "item") == item.raw:
        return item
    return replace(item, **said, raw=None)


def redacted_info(engine: Engine, info: SessionInfo) -> SessionInfo:
    """A session's title and metadata, redacted."""
    if engine.settings.redactor is None:
        return info
    title = None if info.title is None else redacted(engine, info.title, "session")
    return replace(info, title=title, metadata=cleaned(engine, info.metadata, "session"))


def redacted_file(engine: Engine, file: File) -> File:
    """What is known of a file, redacted; its id, which is its url or name, with it."""
    if engine.settings.redactor is None:
        return file
    url, name = cleaned(engine, file.url, "file"), cleaned(engine, file.name, "file")
    metadata = cleaned(engine, file.metadata, "file")
    return replace(file, id=url or name or file.id, url=url, name=name, metadata=metadata)


def redacted_response(engine: Engine, response: Response) -> Response:
    """A response with what was asked, answered and noted redacted."""
    if engine.settings.redactor is None:
        return response
    names = ("input", "output", "tool_calls", "metadata", "extra")
    said = {name: cleaned(engine, getattr(response, name), "response") for name in names}
    return replace(response, **said)


def redacted_feedback(engine: Engine, feedback: Feedback) -> Feedback:
    """Feedback with its comment and metadata redacted."""
    if engine.settings.redactor is None:
        return feedback
    comment = cleaned(engine, feedback.comment, "feedback") or None
    return replace(
        feedback, comment=comment, metadata=cleaned(engine, feedback.metadata, "feedback")
    )


def cleaned(engine: Engine, value: Json, kind: str) -> Any:
    """JSON with every text in it redacted, but for keys and what is no words; not kept = empty."""
    if isinstance(value, str):
        return redacted(engine, value, kind) or ""
    if isinstance(value, Mapping):
        return {
            key: one if key in _AS_IT_IS else cleaned(engine, one, kind)
            for key, one in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [cleaned(engine, one, kind) for one in value]
    return value
