"""Values of channels as JSON: messages by reference, large values once, the rest as they are.

| form | what it is |
|---|---|
| a text, a number, `true`, `false`, `null` | itself |
| `{"j": ...}` | a plain list or dict |
| `{"m": reference}` | a message |
| `{"t": digest}` | a text that a message says |
| `{"l": [...]}`, `{"d": {...}}` | a list or dict with messages in it |
| `{"S": [node, argument]}` | a `Send` |
| `{"D": ...}` | a snapshot of a `DeltaChannel` |
| `{"r": [[run, length, segment], ...]}` | a long list |
| `{"s": [type, base64]}` | anything else, by LangGraph's serializer |
| `{"v": [digest, parts]}` | one of these forms, stored under its digest |
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, Protocol

from langchain_core.messages import BaseMessage
from langgraph.checkpoint.serde.types import _DeltaSnapshot
from langgraph.types import Send

from langchain_threadkeep.saver import references
from threadkeep.printable import shown

Form = Any
"""A value in one of the forms above."""

MISSING: Final = object()
"""A message, or a part of a value, that is stored nowhere any more."""

_INLINE: Final = 1_000
"""Characters that a form may have in the record that needs it."""

_PART: Final = 500_000
"""Characters of a large value in one record."""

_CONTENT: Final = ("content", "text")
"""The keys of messages and of their parts under which they say something."""

_DEPTH: Final = 60


class Encoder:
    """Encodes values, and collects what has to be stored beside them.

    Args:
        serde: LangGraph's serializer.
        message: gives the reference to a message, and stores it if necessary.

    Attributes:
        large: texts of forms that are stored under their digest, in parts.
        texts: texts of messages, by digest.
    """

    def __init__(self, serde: Any, message: Callable[[BaseMessage], str]) -> None:
        self._serde = serde
        self._message = message
        self._takes_texts = False
        self.large: dict[str, list[str]] = {}
        self.texts: dict[str, str] = {}

    def encode_said(self, value: Any) -> Form:
        """The form of a value that becomes messages, whose texts are stored once with them."""
        self._takes_texts = True
        try:
            return self.encode(value)
        finally:
            self._takes_texts = False

    def encode(self, value: Any) -> Form:
        """The form of a value."""
        return self._aside(self.inline(value))

    def inline(self, value: Any) -> Form:
        """The form of a value, whatever its size."""
        value_type = type(value)
        if (
            value is None
            or value_type in (bool, int)
            or (value_type is float and math.isfinite(value))
        ):
            return value
        if value_type is str:
            return self._text(value)
        if isinstance(value, BaseMessage):
            return {"m": self._message(value)}
        if self._is_container(value):
            return self._container(value)
        if value_type is _DeltaSnapshot:
            return {"D": self.inline(value.value)}
        if value_type in (list, dict) and is_plain(value):
            return {"j": value}
        return _typed_form(*self._serde.dumps_typed(value))

    def encode_typed(self, type_name: str, content: bytes) -> Form:
        """The form of what the serializer made."""
        return self._aside(_typed_form(type_name, content))

    def _is_container(self, value: Any) -> bool:
        """Return True if the parts of a value are encoded one by one."""
        if self._takes_texts and type(value) in (list, tuple, dict):
            return type(value) is not dict or all(type(key) is str for key in value)
        return has_message(value)

    def _text(self, value: str) -> Form:
        """A text of its own, which in a message is what it says."""
        if not self._takes_texts or not value or not _is_encodable(value):
            return value
        text_name = references.digest(value.encode())
        self.texts[text_name] = value
        return {"t": text_name}

    def _container(self, value: Any) -> Form:
        if isinstance(value, Send):
            return {"S": [value.node, self.encode(value.arg)]}
        if isinstance(value, dict):
            return {"d": {key: self._entry(key, element) for key, element in value.items()}}
        if self._takes_texts and len(value) == 2 and type(value[0]) is str:  # a role and a text
            return {"l": [value[0], self.encode(value[1])]}
        # as the serializer, which makes lists of tuples
        return {"l": [self.encode(element) for element in value]}

    def _entry(self, name: str, value: Any) -> Form:
        """A value of a dict; of a message, only its content says something."""
        return value if type(value) is str and name not in _CONTENT else self.encode(value)

    def _aside(self, form: Form) -> Form:
        """Replace a large form by its digest."""
        if not isinstance(form, str | dict) or (isinstance(form, str) and len(form) <= _INLINE):
            return form
        form_json = form_text(form)
        if len(form_json) <= _INLINE:
            return json.loads(form_json)  # a copy: the value may be changed in place later
        value_name = references.digest(form_json.encode())
        value_parts = [
            form_json[part_start : part_start + _PART]
            for part_start in range(0, len(form_json), _PART)
        ]
        self.large[value_name] = value_parts
        return {"v": [value_name, len(value_parts)]}


def _typed_form(type_name: str, content: bytes) -> Form:
    return {"s": [type_name, base64.b64encode(content).decode()]}


def form_text(form: Form) -> str:
    """A form as JSON in ASCII, which any split leaves valid for every store."""
    return json.dumps(form, separators=(",", ":"), allow_nan=False)


class Environment(Protocol):
    """What the decoder looks up."""

    def message(self, reference: str) -> Any:
        """The message of a reference, or `MISSING`."""
        ...

    def text(self, name: str) -> Any:
        """The text stored under a digest, or `MISSING`."""
        ...

    def large(self, name: str, parts: int) -> Form:
        """The form stored under a digest; `None` if it is gone."""
        ...

    def long_list(self, spans: list[list[Any]]) -> list[Any]:
        """The elements of a long list; `MISSING` for each that is gone."""
        ...


class Decoder:
    """Decodes forms.

    Attributes:
        missing: how many messages, large values and elements of lists were stored nowhere.
    """

    def __init__(self, serde: Any, environment: Environment) -> None:
        self._serde = serde
        self._environment = environment
        self.missing = 0

    def decode(self, form: Form) -> Any:
        """The value of a form; `MISSING` if it is gone."""
        if not isinstance(form, dict):
            return form
        ((tag, content),) = form.items()
        if tag == "j":
            return json.loads(json.dumps(content))
        if tag == "s":
            return self._serde.loads_typed((content[0], base64.b64decode(content[1])))
        return self._looked_up(tag, content) if tag in "mrtv" else self._contained(tag, content)

    def _looked_up(self, tag: str, content: Any) -> Any:
        """What is stored elsewhere."""
        if tag == "v" and (large_form := self._environment.large(*content)) is not None:
            return self.decode(large_form)
        if tag == "v":
            self.missing += 1
            return MISSING
        if tag == "r":
            return self._present(self._environment.long_list(content))
        lookup = self._environment.message if tag == "m" else self._environment.text
        stored_value = lookup(content)
        self.missing += stored_value is MISSING
        return stored_value

    def _contained(self, tag: str, content: Any) -> Any:
        """A container of forms."""
        match tag:
            case "l":
                return self._present(map(self.decode, content), counted=True)
            case "d":
                decoded_pairs = (
                    (name, self.decode(element_form)) for name, element_form in content.items()
                )
                return {name: value for name, value in decoded_pairs if value is not MISSING}
            case "S":
                return Send(content[0], self.decode(content[1]))
            case "D":
                return _DeltaSnapshot(self.decode(content))
        raise ValueError(f"the form {shown(tag)} is not known: upgrade langchain-threadkeep")

    def _present(self, values: Iterable[Any], *, counted: bool = False) -> list[Any]:
        present_values = []
        for value in values:
            if value is not MISSING:
                present_values.append(value)
            elif not counted:
                self.missing += 1
        return present_values


def walk(form: Form) -> Iterator[tuple[str, Any]]:
    """Yield what a form refers to: its tags `m`, `r`, `t` and `v`, with their contents."""
    if not isinstance(form, dict):
        return
    ((tag, content),) = form.items()
    match tag:
        case "m" | "v" | "r" | "t":
            yield tag, content
        case "l":
            for element_form in content:
                yield from walk(element_form)
        case "d":
            for element_form in content.values():
                yield from walk(element_form)
        case "S":
            yield from walk(content[1])
        case "D":
            yield from walk(content)


def has_message(value: Any) -> bool:
    """Return True if a list, a dict with text keys or a `Send` has a message in it."""
    return has_part(value, lambda part: isinstance(part, BaseMessage))


def has_part(value: Any, matches: Callable[[Any], bool], depth: int = 0) -> bool:
    """Return True if a value, or a part of a list, a tuple, a dict or a `Send` in it, matches."""
    if matches(value):
        return True
    if depth > _DEPTH:
        return False
    value_type = type(value)
    if value_type is list or value_type is tuple:
        return any(has_part(element, matches, depth + 1) for element in value)
    if value_type is dict:
        return all(type(key) is str for key in value) and any(
            has_part(element, matches, depth + 1) for element in value.values()
        )
    return value_type is Send and value.timeout is None and has_part(value.arg, matches, depth + 1)


def _is_encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:  # lone surrogates
        return False
    return True


def is_plain(value: Any, depth: int = 0) -> bool:
    """Return True if a value comes back from JSON as it is."""
    value_type = type(value)
    if value is None or value_type in (str, bool, int):
        return True
    if value_type is float:
        return math.isfinite(value)
    if depth > _DEPTH:
        return False
    if value_type is list:
        return all(is_plain(element, depth + 1) for element in value)
    return value_type is dict and all(
        type(key) is str and is_plain(element, depth + 1) for key, element in value.items()
    )


__all__ = ["MISSING", "Decoder", "Encoder", "Environment", "Form", "form_text", "walk"]
