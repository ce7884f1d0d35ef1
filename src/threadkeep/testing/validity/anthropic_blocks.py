"""Anthropic Messages: what each content block looks like. The rules are named in `anthropic`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from threadkeep.testing.validity.checks import (
    Check,
    any_value,
    array,
    by_type,
    fail,
    instance,
    maybe,
    one_of,
    shape,
    string,
    text_or_list,
)

_TYPE = {"type": any_value}
_CACHE = {"cache_control": any_value}
TOOL_ID = string("call", pattern=r"[a-zA-Z0-9_-]+")
_TOOL_NAME = string("call", pattern=r"[a-zA-Z0-9_-]{1,128}")
_URL = string("source", pattern=r"https?://\S+")
_DATA = string("source", min_length=1)


def visible_text(location: str, value: Any) -> None:
    """A text with something in it besides whitespace."""
    instance(str, "text")(location, value)
    if not value.strip():
        fail("text", location, "a text block must hold more than whitespace")


def _source(kind: str, **fields: Check) -> dict[str, Check]:
    return {kind: shape({**_TYPE, **fields}, rule="source")}


TEXT = shape({**_TYPE, "text": visible_text}, {**_CACHE, "citations": any_value})
_IMAGE_TYPES = one_of("image/jpeg", "image/png", "image/gif", "image/webp", rule="source")
_IMAGE_SOURCES = by_type(
    {
        **_source("base64", media_type=_IMAGE_TYPES, data=_DATA),
        **_source("url", url=_URL),
        **_source("file", file_id=_DATA),
    },
    "source",
)
_IMAGE = shape({**_TYPE, "source": _IMAGE_SOURCES}, {**_CACHE, "transformations": any_value})


def _document_content(location: str, value: Any) -> None:
    """The content of a document that is given as content: a text, or text and image blocks."""
    if isinstance(value, str):
        visible_text(location, value)
    else:
        array(by_type({"text": TEXT, "image": _IMAGE}, "block"), min_length=1, rule="source")(
            location, value
        )


_PDF = one_of("application/pdf", rule="source")
_PLAIN = one_of("text/plain", rule="source")
_DOCUMENT_SOURCES = by_type(
    {
        **_source("base64", media_type=_PDF, data=_DATA),
        **_source("text", media_type=_PLAIN, data=_DATA),
        **_source("content", content=_document_content),
        **_source("url", url=_URL),
        **_source("file", file_id=_DATA),
    },
    "source",
)
_DOCUMENT = shape(
    {**_TYPE, "source": _DOCUMENT_SOURCES},
    {**_CACHE, "title": maybe(string()), "context": maybe(string()), "citations": any_value},
)
_TEXTS = by_type({"text": TEXT}, "block")
_SEARCH_RESULT = shape(
    {**_TYPE, "source": string(), "title": string(), "content": array(_TEXTS, min_length=1)},
    {**_CACHE, "citations": any_value},
)
_REFERENCE = shape({**_TYPE, "tool_name": _TOOL_NAME}, _CACHE)
_RESULT_BLOCKS = by_type(
    {
        "text": TEXT,
        "image": _IMAGE,
        "document": _DOCUMENT,
        "search_result": _SEARCH_RESULT,
        "tool_reference": _REFERENCE,
    },
    "block",
    new=True,
)

_TOOL_USE = shape(
    {**_TYPE, "id": TOOL_ID, "name": _TOOL_NAME, "input": instance(dict, "call")},
    {**_CACHE, "caller": any_value, "toolset_name": any_value},
)
_TOOL_RESULT = shape(
    {**_TYPE, "tool_use_id": TOOL_ID},
    {
        **_CACHE,
        "content": text_or_list(_RESULT_BLOCKS, min_length=0),
        "is_error": instance(bool),
        "toolset_name": any_value,
    },
)
_THINKING = shape(
    {**_TYPE, "thinking": string("thinking"), "signature": string("thinking", min_length=1)},
    rule="thinking",
)
_REDACTED = shape({**_TYPE, "data": string("thinking", min_length=1)}, rule="thinking")
_SERVER_USE = shape({**_TYPE, "id": TOOL_ID, "name": string(), "input": any_value}, extra=True)
_SERVER_RESULT = shape({**_TYPE, "tool_use_id": TOOL_ID, "content": any_value}, extra=True)
_SERVER_RESULTS = (
    "web_search_tool_result",
    "web_fetch_tool_result",
    "code_execution_tool_result",
    "bash_code_execution_tool_result",
    "text_editor_code_execution_tool_result",
    "tool_search_tool_result",
    "mcp_tool_result",
)

BLOCKS: Mapping[str, Mapping[str, Check]] = {
    "user": {
        "text": TEXT,
        "image": _IMAGE,
        "document": _DOCUMENT,
        "search_result": _SEARCH_RESULT,
        "tool_result": _TOOL_RESULT,
        "container_upload": shape({**_TYPE, "file_id": string()}, _CACHE),
    },
    "assistant": {
        "text": TEXT,
        "thinking": _THINKING,
        "redacted_thinking": _REDACTED,
        "tool_use": _TOOL_USE,
        "server_tool_use": _SERVER_USE,
        "mcp_tool_use": _SERVER_USE,
        **dict.fromkeys(_SERVER_RESULTS, _SERVER_RESULT),
        "container_upload": shape({**_TYPE, "file_id": string()}, _CACHE),
        "compaction": shape({**_TYPE, "content": any_value}, extra=True),
    },
}
"""The block types each role may have, with their checks."""
