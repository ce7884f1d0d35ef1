"""Messages and content blocks of Anthropic's Messages API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from threadkeep.messages.schemas.predicates import (
    Check,
    anything,
    kinds,
    link,
    listed,
    mapping,
    match,
    maybe,
    shape,
    some,
    text,
    words,
    written,
)

_CACHE: Final = {"cache_control": anything}
_tool_id = match("[a-zA-Z0-9_-]+")
_written_text = shape({"text": written}, {**_CACHE, "citations": anything})
_SOURCES: Final = {
    "url": shape({"url": link}),
    "file": shape({"file_id": some}),
}
_picture = shape(
    {
        "source": kinds(
            {
                **_SOURCES,
                "base64": shape({"media_type": match("image/(jpeg|png|gif|webp)"), "data": some}),
            }
        )
    },
    _CACHE,
)
_parts = listed(kinds({"text": _written_text, "image": _picture}), least=1)


def _embedded(inner: Any) -> bool:
    return written(inner) or _parts(inner)


_document = shape(
    {
        "source": kinds(
            {
                **_SOURCES,
                "base64": shape({"media_type": match("application/pdf"), "data": some}),
                "text": shape({"media_type": match("text/plain"), "data": some}),
                "content": shape({"content": _embedded}),
            }
        )
    },
    {**_CACHE, "title": maybe(text), "context": maybe(text), "citations": anything},
)
_search_result = shape(
    {
        "source": text,
        "title": text,
        "content": listed(kinds({"text": _written_text}), least=1),
    },
    {**_CACHE, "citations": anything},
)
_FROM_USER: Final = {
    "text": _written_text,
    "image": _picture,
    "document": _document,
    "search_result": _search_result,
}
_tool_result = shape(
    {"tool_use_id": _tool_id},
    {
        **_CACHE,
        "content": words(kinds(_FROM_USER), least=0),
        "is_error": lambda said: isinstance(said, bool),
    },
)
_served = shape({"id": _tool_id, "name": text, "input": anything}, extra=True)
_serving = shape({"tool_use_id": _tool_id, "content": anything}, extra=True)
_SERVED: Final = (
    "web_search_tool_result", "web_fetch_tool_result", "code_execution_tool_result",
    "bash_code_execution_tool_result", "text_editor_code_execution_tool_result",
    "tool_search_tool_result", "mcp_tool_result",
)  # fmt: skip
_BLOCKS: Final[Mapping[str, Check]] = {
    "user": kinds({**_FROM_USER, "tool_result": _tool_result}),
    "assistant": kinds(
        {
            "text": _written_text,
            "thinking": shape({"thinking": text, "signature": some}),
            "redacted_thinking": shape({"data": some}),
            "tool_use": shape(
                {"id": _tool_id, "name": match("[a-zA-Z0-9_-]{1,128}"), "input": mapping},
                {**_CACHE, "caller": anything},
            ),
            "server_tool_use": _served,
            "mcp_tool_use": _served,
            **dict.fromkeys(_SERVED, _serving),
        }
    ),
}


def anthropic(message: Any) -> bool:
    """A message of the Messages API with a list of blocks."""
    role = message.get("role") if isinstance(message, Mapping) else None
    return role in _BLOCKS and listed(_BLOCKS[str(role)], least=1)(message.get("content"))


def anthropic_block(block: Any, role: str) -> bool:
    """A content block of the Messages API, in a message of that role."""
    return _BLOCKS[role](block)
