"""Applies the application's redactor to every text before it is stored or shown to a model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, Protocol

from threadkeep.core.settings import Settings
from threadkeep.errors import ConfigError, InputError
from threadkeep.printable import shown
from threadkeep.types import File, Item, Json, SessionInfo

if TYPE_CHECKING:
    from threadkeep.types.responses import Feedback, Response


class HasSettings(Protocol):
    """What names a redactor: an engine, or settings by themselves."""

    @property
    def settings(self) -> Settings: ...


_VERBATIM_KEYS: Final = frozenset({"type", "id", "role", "base64", "mime_type", "signature"})
"""Keys of content blocks whose values are not text of a person."""

STATE: Final = "state"
"""The key of a raw payload that names the state of a framework in which the message stands."""

_TEXT_FIELDS: Final = ("content", "tool_calls", "metadata", "name")


def redacted(engine: HasSettings, text: str, kind: str) -> str | None:
    """The text as redacted; `None` = it must not be stored.

    Args:
        engine: its settings hold the redactor; without one the text is unchanged.
        text: a text that will be stored or shown to a model.
        kind: what the text belongs to: `item`, `session`, `file`, `response`, `feedback`, `fact`,
            `instruction` or `summary`.

    Raises:
        ConfigError: the redactor returned neither a text nor `None`.
    """
    redactor = engine.settings.redactor
    if redactor is None or not text:
        return text
    redacted_text = redactor(text, kind)
    if redacted_text is not None and not isinstance(redacted_text, str):
        raise ConfigError(
            f"redactor must return a str or None, got {type(redacted_text).__name__} for a text of "
            f"kind {shown(kind)}"
        )
    return redacted_text


def redacted_item(engine: HasSettings, item: Item) -> Item:
    """The item with its texts redacted; if anything changed, without the raw payload."""
    if engine.settings.redactor is None:
        return item
    redacted_fields = {
        field_name: redacted_json(engine, getattr(item, field_name), "item")
        for field_name in _TEXT_FIELDS
    }
    is_unchanged = all(getattr(item, key) == value for key, value in redacted_fields.items())
    if is_unchanged and redacted_json(engine, item.raw, "item") == item.raw:
        return item
    return replace(item, **redacted_fields, raw=identity_of_raw(item.raw))


def identity_of_raw(raw: dict[str, Json] | None) -> dict[str, Json] | None:
    """What is left of a raw payload: whose state the message stands in, and its id there."""
    if raw is None or STATE not in raw:
        return None
    message = raw.get("data")
    identity = {key: message[key] for key in ("id", "type") if key in message} if message else {}
    return {**raw, "data": identity}


def redacted_info(engine: HasSettings, info: SessionInfo) -> SessionInfo:
    """A session's title and metadata, redacted."""
    if engine.settings.redactor is None:
        return info
    title = None if info.title is None else redacted(engine, info.title, "session")
    return replace(info, title=title, metadata=redacted_json(engine, info.metadata, "session"))


def redacted_file(engine: HasSettings, file: File) -> File:
    """A file's metadata, redacted, with its id, which is its url or name."""
    if engine.settings.redactor is None:
        return file
    url = redacted_json(engine, file.url, "file")
    file_name = redacted_json(engine, file.name, "file")
    metadata = redacted_json(engine, file.metadata, "file")
    return replace(file, id=url or file_name or file.id, url=url, name=file_name, metadata=metadata)


def redacted_response(engine: HasSettings, response: Response) -> Response:
    """A response with its input, output and metadata redacted."""
    if engine.settings.redactor is None:
        return response
    field_names = ("input", "output", "tool_calls", "metadata", "extra")
    redacted_fields = {
        field_name: redacted_json(engine, getattr(response, field_name), "response")
        for field_name in field_names
    }
    return replace(response, **redacted_fields)


def redacted_feedback(engine: HasSettings, feedback: Feedback) -> Feedback:
    """Feedback with its comment and metadata redacted."""
    if engine.settings.redactor is None:
        return feedback
    redacted_comment = redacted_json(engine, feedback.comment, "feedback") or None
    return replace(
        feedback,
        comment=redacted_comment,
        metadata=redacted_json(engine, feedback.metadata, "feedback"),
    )


def redacted_json(engine: HasSettings, value: Json, kind: str) -> Any:
    """JSON with its texts redacted, without keys and `_VERBATIM_KEYS`; `None` becomes empty.

    Raises:
        InputError: it is nested too deeply, or holds itself.
    """
    try:
        return _redacted_json(engine, value, kind)
    except RecursionError as error:
        raise InputError(f"{kind} is nested too deeply to be stored as JSON") from error


def _redacted_json(engine: HasSettings, value: Json, kind: str) -> Any:
    if isinstance(value, str):
        return redacted(engine, value, kind) or ""
    if isinstance(value, Mapping):
        return {
            key: child_value if key in _VERBATIM_KEYS else _redacted_json(engine, child_value, kind)
            for key, child_value in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [_redacted_json(engine, child_value, kind) for child_value in value]
    return value
