"""Messages that are nothing but words, made without validation: there is nothing to validate.

Reading a window is mostly this, and validating takes most of the time. LangChain makes one message
of each class, and the others are made of it, as pydantic copies a model.
"""

from __future__ import annotations

import functools
from typing import Any, Final

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage

from threadkeep import Item

_CLASSES: Final[dict[str, type[BaseMessage]]] = {"user": HumanMessage, "assistant": AIMessage}
_DICTS: Final = frozenset({"additional_kwargs", "response_metadata"})
_LISTS: Final = frozenset({"tool_calls", "invalid_tool_calls"})
_set: Final = object.__setattr__


def message(item: Item) -> BaseMessage | None:
    """The message of an item, if a role and a text are all that LangChain would say of it."""
    if item.type != "message" or item.name or item.usage or item.tool_calls:
        return None
    cls, content = _CLASSES.get(item.role), item.content
    if cls is None or type(content) is not str:
        return None
    said = _said(cls)
    if said is None:
        return cls(content=content)
    values = {**said, "content": content, "additional_kwargs": {}, "response_metadata": {}}
    if cls is AIMessage:
        values["tool_calls"], values["invalid_tool_calls"] = [], []
    made: BaseMessage = cls.__new__(cls)
    _set(made, "__dict__", values)
    _set(made, "__pydantic_fields_set__", {"content"})
    _set(made, "__pydantic_extra__", {})
    _set(made, "__pydantic_private__", None)
    return made


@functools.cache
def _said(cls: type[BaseMessage]) -> dict[str, Any] | None:
    """The fields of a message of a text; `None` if this langchain-core has more than we know of."""
    made = cls(content="")
    values = made.__dict__
    known = _DICTS | (_LISTS if cls is AIMessage else frozenset())
    changeable = {name for name, value in values.items() if isinstance(value, (dict, list, set))}
    beside = made.__pydantic_private__ or made.__pydantic_extra__ or any(values[n] for n in known)
    if beside or changeable != known or made.__pydantic_fields_set__ != {"content"}:
        return None
    return values
