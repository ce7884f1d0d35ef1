"""Read what an application hands to `add`: strict where a guess would store the wrong thing.

One table says which shape is read by whom. An `Item`, an object of an SDK and a dict with a
`format` are read by `parse`, whatever their types and roles; so is what adapters convert.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from threadkeep.errors import InputError, did_you_mean
from threadkeep.messages import langchain, llama_index
from threadkeep.messages.checks import (
    ROLE_ALIASES,
    ROLES,
    check_message,
    check_role,
    check_type,
    with_date,
)
from threadkeep.messages.fast_path import parse_simple
from threadkeep.messages.parse import FORMATS, as_dict, is_response, parse, parse_dict
from threadkeep.printable import shown
from threadkeep.types import Item

Format: TypeAlias = Literal["openai-chat", "openai-responses", "anthropic"]
"""The API that dicts are of."""

_SDKS: Final = frozenset({"openai", "anthropic"})
_Reader = Callable[[Any, str], list[Item]]


class Shape(NamedTuple):
    """What a message looks like, and how it is read.

    Attributes:
        matches: returns True for a message of this shape.
        read: makes items of it; also gets the location, for errors.
    """

    matches: Callable[[Any], bool]
    read: _Reader


def read_all(
    messages: Sequence[object], noun: str = "message", format: str | None = None
) -> list[tuple[int, Item]]:
    """Read messages into items, each with the number of its message.

    Raises:
        InputError: a message cannot be understood; it is numbered, and the field is named.
    """
    _check_call(messages, format)
    numbered_items: list[tuple[int, Item]] = []
    has_langchain_messages = False
    for message_number, message in enumerate(messages):
        if type(message) is dict and (item := parse_simple(message)):
            numbered_items.append((message_number, item))
            continue
        numbered_items += [
            (message_number, item) for item in read(message, f"{noun} {message_number}", format)
        ]
        if not isinstance(message, (str, Item)):
            has_langchain_messages = has_langchain_messages or _is_of_langchain(message)
    return _with_turn_ids(messages, numbered_items) if has_langchain_messages else numbered_items


def read(message: object, location: str = "message", format: str | None = None) -> list[Item]:
    """Read one message into items, most often one.

    Raises:
        InputError: it cannot be understood; `location` and the field are named.
    """
    if isinstance(message, (str, Item)):
        return parse(message, location)
    message_shapes = _DICT_SHAPES if isinstance(message, Mapping) else _OBJECT_SHAPES
    if format is not None:
        message_fields = as_dict(message, location)
        return parse_dict(message_fields, location, format)
    return next(shape for shape in message_shapes if shape.matches(message)).read(message, location)


def with_fields(
    messages: Sequence[object],
    role: str | None,
    name: str | None,
    metadata: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """The one text, or list of content parts, as a message with these fields.

    Raises:
        InputError: it is not one text, or the role is unknown.
    """
    used_options = [
        f"{option}=" for option, value in zip(_FIELDS, (role, name, metadata), strict=True) if value
    ]
    if len(messages) != 1 or not isinstance(messages[0], (str, list, tuple)):
        raise InputError(
            f"{', '.join(used_options) or 'role='} belongs to one text: "
            f"add('hello', role='assistant'); in a dict, the fields are keys of it"
        )
    role = "user" if role is None else role
    check_role(role, "role")
    message_fields = {"role": role, "content": messages[0], "name": name, "metadata": metadata}
    return {key: value for key, value in message_fields.items() if value is not None}


_FIELDS: Final = ("role", "name", "metadata")


def _check_call(messages: Sequence[object], format: str | None) -> None:
    if format is not None and format not in FORMATS:
        raise InputError(f"format {shown(format, 40)} is unknown{did_you_mean(format, FORMATS)}")
    if len(messages) == 2 and type(messages[0]) is str and messages[0] in ROLES:
        role, message_text = messages
        if isinstance(message_text, str):
            raise InputError(
                f"add({shown(role)}, ...) would add {shown(role)} as what a user said: "
                f"for one message of that role, write add(text, role={shown(role)})"
            )


def _parse(message: Any, location: str) -> list[Item]:
    return parse(message, location)


def _parse_checked(message: Mapping[str, Any], location: str) -> list[Item]:
    message_fields = with_date({key: value for key, value in message.items() if value is not None})
    check_message(message_fields, location)
    return parse_dict(message_fields, location)


def _parse_sdk_object(message: Any, location: str) -> list[Item]:
    """Read an SDK's object as it is, unless it is one that stands for no message."""
    message_type = getattr(message, "type", None)
    if type(message).__module__.startswith("anthropic.") and message_type != "message":
        check_type(message_type, location)
    if isinstance(message_type, str) and (message_type in _NO_MESSAGES or "." in message_type):
        check_type(message_type, location)
    return parse(message, location)


_NO_MESSAGES: Final = frozenset(
    {"text", "input_text", "output_text", "refusal", "summary_text", "reasoning_text",
     "input_image", "input_file", "input_audio"}
)  # fmt: skip


def _parse_dumped(message: Any, location: str) -> list[Item]:
    return read(as_dict(message, location), f"{location} ({type(message).__name__})")


def _validated(read_framework: _Reader) -> _Reader:
    """Validate what was read as strictly as an application's own item."""

    def read_validated(message: Any, location: str) -> list[Item]:
        return [
            item
            for framework_item in read_framework(message, location)
            for item in parse(framework_item, location)
        ]

    return read_validated


def _read_pair(message: tuple[str, str], location: str) -> list[Item]:
    role, message_text = message
    return parse({"role": ROLE_ALIASES.get(role, role), "content": message_text}, location)


def _refuse(message: object, location: str) -> list[Item]:
    if isinstance(message, (list, tuple)):
        return parse(message, location)  # which says what to do
    message_class = type(message)
    root_module = message_class.__module__.partition(".")[0]
    hint = _FOREIGN_HINTS.get(root_module, "pass a dict with its role and content")
    class_name = (
        message_class.__qualname__
        if root_module == "builtins"
        else f"{root_module}'s {message_class.__qualname__}"
    )
    raise InputError(
        f"{location} must be a str, a dict, an Item or a message object of OpenAI, Anthropic, "
        f"LangChain or LlamaIndex, got {class_name[:80]}: {hint}"
    )


_FOREIGN_HINTS: Final = {
    "agents": "add what result.to_input_list() gives, or run with the ThreadkeepSession adapter",
    "pydantic_ai": "add the text of its parts, with a role each",
    "google": "add its text, as {'role': 'user' or 'assistant', 'content': text}",
}


def _is_of_sdk(message: object) -> bool:
    return any(base.__module__.partition(".")[0] in _SDKS for base in type(message).__mro__)


def _is_whole_answer(answer: Mapping[str, Any]) -> bool:
    return isinstance(answer.get("choices"), list) or is_response(answer)


def _is_pair(message: object) -> bool:
    return (
        type(message) is tuple
        and len(message) == 2
        and all(isinstance(part, str) for part in message)
        and message[0] in ROLES
    )


def _is_of_langchain(message: object) -> bool:
    return langchain.is_message(message) or (
        isinstance(message, Mapping) and langchain.is_dump(message)
    )


_DICT_SHAPES: Final = (
    Shape(langchain.is_dump, _validated(langchain.read_dump)),
    Shape(llama_index.is_dump, _validated(llama_index.read_dump)),
    Shape(_is_whole_answer, _parse),
    Shape(lambda _: True, _parse_checked),
)
_OBJECT_SHAPES: Final = (
    Shape(langchain.is_message, _validated(langchain.read_message)),
    Shape(llama_index.is_message, _validated(llama_index.read_message)),
    Shape(_is_of_sdk, _parse_sdk_object),
    Shape(_is_pair, _read_pair),
    Shape(lambda message: callable(getattr(message, "model_dump", None)), _parse_dumped),
    Shape(lambda _: True, _refuse),
)


def _with_turn_ids(
    messages: Sequence[object], numbered_items: list[tuple[int, Item]]
) -> list[tuple[int, Item]]:
    """Give LangChain's messages the ids that the adapter gives them, from theirs and the turn's."""
    turn_id: str | None = None
    used_ids: set[str] = set()
    for message_number, item in numbered_items:
        if not _is_of_langchain(messages[message_number]):
            continue
        derived_id = langchain.record_id(item, turn_id)
        while derived_id in used_ids:
            derived_id += "+"  # the same object twice means two messages
        if derived_id:
            used_ids.add(derived_id)
            object.__setattr__(item, "id", derived_id)  # not shared yet
        if langchain.opens_turn(item):
            turn_id = derived_id or None
    return numbered_items
