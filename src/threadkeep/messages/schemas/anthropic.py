"""Messages and content blocks of Anthropic's Messages API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from threadkeep.messages.schemas.predicates import (
    Check,
    anything,
    by_type,
    is_url,
    list_of,
    mapping,
    matching,
    nonblank,
    nonempty,
    nullable,
    shape,
    text,
    text_or_parts,
)
from threadkeep.messages.schemas.vocabulary import is_new

_CACHE_FIELDS: Final = {"cache_control": anything}
_tool_id = matching("[a-zA-Z0-9_-]+")
_text_block = shape({"text": nonblank}, {**_CACHE_FIELDS, "citations": anything})
_SOURCES: Final = {
    "url": shape({"url": is_url}),
    "file": shape({"file_id": nonempty}),
}
_image_block = shape(
    {
        "source": by_type(
            {
                **_SOURCES,
                "base64": shape(
                    {"media_type": matching("image/(jpeg|png|gif|webp)"), "data": nonempty}
                ),
            }
        )
    },
    {**_CACHE_FIELDS, "transformations": anything},
)
_content_blocks = list_of(by_type({"text": _text_block, "image": _image_block}), min_length=1)


def _document_content(inner: Any) -> bool:
    return nonblank(inner) or _content_blocks(inner)


_document = shape(
    {
        "source": by_type(
            {
                **_SOURCES,
                "base64": shape({"media_type": matching("application/pdf"), "data": nonempty}),
                "text": shape({"media_type": matching("text/plain"), "data": nonempty}),
                "content": shape({"content": _document_content}),
            }
        )
    },
    {**_CACHE_FIELDS, "title": nullable(text), "context": nullable(text), "citations": anything},
)
_search_result = shape(
    {
        "source": text,
        "title": text,
        "content": list_of(by_type({"text": _text_block}), min_length=1),
    },
    {**_CACHE_FIELDS, "citations": anything},
)
_tool_reference = shape({"tool_name": text}, _CACHE_FIELDS)
_container_upload = shape({"file_id": nonempty}, _CACHE_FIELDS)
_USER_BLOCKS: Final = {
    "text": _text_block,
    "image": _image_block,
    "document": _document,
    "search_result": _search_result,
}
_result_block = by_type({**_USER_BLOCKS, "tool_reference": _tool_reference}, is_new)
_tool_result = shape(
    {"tool_use_id": _tool_id},
    {
        **_CACHE_FIELDS,
        "content": text_or_parts(_result_block, min_length=0),
        "toolset_name": anything,
        "is_error": lambda value: isinstance(value, bool),
    },
)
_server_tool_use = shape({"id": _tool_id, "name": text, "input": anything}, extra=True)
_server_tool_result = shape({"tool_use_id": _tool_id, "content": anything}, extra=True)
_SERVER_RESULTS: Final = (
    "web_search_tool_result", "web_fetch_tool_result", "code_execution_tool_result",
    "bash_code_execution_tool_result", "text_editor_code_execution_tool_result",
    "tool_search_tool_result", "mcp_tool_result",
)  # fmt: skip


def _is_new_and_not_hosted(block: Any) -> bool:
    """Only the assistant uses hosted tools, whatever they will be called."""
    return is_new(block) and not str(block["type"]).endswith(("_tool_use", "_tool_result"))


_ROLE_BLOCKS: Final[Mapping[str, Check]] = {
    "user": by_type(
        {**_USER_BLOCKS, "tool_result": _tool_result, "container_upload": _container_upload},
        _is_new_and_not_hosted,
    ),
    "assistant": by_type(
        {
            "text": _text_block,
            "thinking": shape({"thinking": text, "signature": nonempty}),
            "redacted_thinking": shape({"data": nonempty}),
            "tool_use": shape(
                {"id": _tool_id, "name": matching("[a-zA-Z0-9_-]{1,128}"), "input": mapping},
                {**_CACHE_FIELDS, "caller": anything, "toolset_name": anything},
            ),
            "server_tool_use": _server_tool_use,
            "mcp_tool_use": _server_tool_use,
            **dict.fromkeys(_SERVER_RESULTS, _server_tool_result),
            "container_upload": _container_upload,
            "compaction": shape({"content": nullable(text)}, extra=True),
        },
        is_new,
    ),
}
_WORDS: Final[Mapping[str, Check]] = {
    "user": by_type(
        {**_USER_BLOCKS, "container_upload": _container_upload}, _is_new_and_not_hosted
    ),
    "assistant": _ROLE_BLOCKS["assistant"],
    "result": _result_block,
}
"""The blocks of what a role said; of tools' results each is an item, and paired with its use."""


def is_anthropic_message(message: Any) -> bool:
    """A message of the Messages API with a list of blocks."""
    role = message.get("role") if isinstance(message, Mapping) else None
    return role in _ROLE_BLOCKS and list_of(_ROLE_BLOCKS[str(role)], min_length=1)(
        message.get("content")
    )


def is_anthropic_block(block: Any, role: str, *, new: bool = False) -> bool:
    """A content block of the Messages API, in what a `user`, the `assistant` or a `result` says.

    A block of a type that is not known here only with `new`, for what that API wrote.
    """
    return _WORDS[role](block) and (new or not is_new(block))
