"""Types of parts that are known: what none of the schemas names is passed on to its writer's API.

Every API adds types by the month, and stays the judge of its own. A type that belongs to another
API, or to neutral blocks, is no new one.
"""

from __future__ import annotations

from typing import Any, Final

NEUTRAL: Final = frozenset(
    {"text", "image", "audio", "video", "file", "reasoning", "json", "opaque", "non_standard"}
)
CHAT: Final = frozenset({"text", "image_url", "input_audio", "file", "refusal", "video_url"})
RESPONSES: Final = frozenset(
    {"input_text", "input_image", "input_file", "input_audio", "output_text", "refusal",
     "summary_text", "reasoning_text"}
)  # fmt: skip
ANTHROPIC: Final = frozenset(
    {"text", "image", "document", "search_result", "thinking", "redacted_thinking", "tool_use",
     "tool_result", "server_tool_use", "mcp_tool_use", "container_upload", "compaction",
     "tool_reference", "web_search_tool_result", "web_fetch_tool_result",
     "code_execution_tool_result", "bash_code_execution_tool_result",
     "text_editor_code_execution_tool_result", "tool_search_tool_result", "mcp_tool_result"}
)  # fmt: skip
CALLS: Final = frozenset(
    {"tool_call", "tool_call_chunk", "invalid_tool_call", "function_call", "server_tool_call",
     "server_tool_result", "input_json_delta"}
)  # fmt: skip
_KNOWN: Final = NEUTRAL | CHAT | RESPONSES | ANTHROPIC | CALLS


def is_new(part: Any) -> bool:
    """Return True for a part of a type that no schema knows."""
    part_type = part.get("type") if isinstance(part, dict) else None
    return isinstance(part_type, str) and part_type != "" and part_type not in _KNOWN
