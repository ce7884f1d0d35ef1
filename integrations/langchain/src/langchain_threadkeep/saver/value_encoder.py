"""Encodes values of channels; what is large, and what messages say, is stored beside them."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Callable
from typing import Any, Final

from langchain_core.messages import BaseMessage
from langgraph.checkpoint.serde.types import _DeltaSnapshot
from langgraph.types import Send

from langchain_threadkeep.saver import references
from langchain_threadkeep.saver.values import Form, form_text, has_message, is_plain
from threadkeep.messages import sanitize

_INLINE: Final = 1_000
"""Characters that a form may have in the record that needs it."""

_PART: Final = 500_000
"""Characters of a large value in one record."""

_CONTENT: Final = ("content", "text")
"""The keys of messages and of their parts under which they say something."""


class Encoder:
    """Encodes values, and collects what has to be stored beside them.

    Half of an emoji is `?`, as LangGraph's serializer stores it: no model takes it.

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
            return self._text(sanitize(value))
        if isinstance(value, BaseMessage):
            return {"m": self._message(value)}
        if self._is_container(value):
            return self._container(value)
        if value_type is _DeltaSnapshot:
            return {"D": self.inline(value.value)}
        if value_type in (list, dict):
            if is_plain(value):
                return {"j": value}
            if is_plain(whole_value := sanitize(value)):
                return {"j": whole_value}
        return _typed_form(*self._serde.dumps_typed(value))

    def encode_typed(self, type_name: str, content_bytes: bytes) -> Form:
        """The form of what the serializer made."""
        return self._aside(_typed_form(type_name, content_bytes))

    def _is_container(self, value: Any) -> bool:
        """Return True if the parts of a value are encoded one by one."""
        if self._takes_texts and type(value) in (list, tuple, dict):
            return type(value) is not dict or all(type(key) is str for key in value)
        return has_message(value)

    def _text(self, value: str) -> Form:
        """A text of its own, which in a message is what it says."""
        if not self._takes_texts or not value:
            return value
        text_name = references.digest(value.encode())
        self.texts[text_name] = value
        return {"t": text_name}

    def _container(self, value: Any) -> Form:
        if isinstance(value, Send):
            return {"S": [value.node, self.encode(value.arg)]}
        if isinstance(value, dict):
            return {
                "d": {sanitize(key): self._entry(key, element) for key, element in value.items()}
            }
        if self._takes_texts and len(value) == 2 and type(value[0]) is str:  # a role and a text
            return {"l": [sanitize(value[0]), self.encode(value[1])]}
        # as the serializer, which makes lists of tuples
        return {"l": [self.encode(element) for element in value]}

    def _entry(self, name: str, value: Any) -> Form:
        """A value of a dict; of a message, only its content says something."""
        if type(value) is str and name not in _CONTENT:
            return sanitize(value)
        return self.encode(value)

    def _aside(self, form: Form) -> Form:
        """Replace a large form by its digest."""
        if not isinstance(form, str | dict) or (isinstance(form, str) and len(form) <= _INLINE):
            return form
        form_json = form_text(form)
        if len(form_json) <= _INLINE:
            return json.loads(form_json)  # a copy: the value may be changed in place later
        value_name = references.digest(form_json.encode())
        json_parts = [
            form_json[part_start : part_start + _PART]
            for part_start in range(0, len(form_json), _PART)
        ]
        self.large[value_name] = json_parts
        return {"v": [value_name, len(json_parts)]}


def _typed_form(type_name: str, content_bytes: bytes) -> Form:
    return {"s": [type_name, base64.b64encode(content_bytes).decode()]}
