"""The results of `session.pending_approvals`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from threadkeep.types import Json


@dataclass(frozen=True, slots=True)
class PendingApproval:
    """A tool call at the end of a conversation that nobody has approved, refused or answered.

    Attributes:
        id: what the answer names: `tool_call_id` or `call_id` of the result, or the
            `approval_request_id` of an `mcp_approval_response`.
        tool: the name of the tool.
        arguments: a dict, or the text that the model wrote where that is no JSON object.
        since: when the model asked (aware, UTC); `None` = the item has no date.
        source: `tool_call`, a call of a tool of the application; `mcp`, a call of an MCP server
            that OpenAI makes once it is approved.
        server: the label of the MCP server.
        item: the id of the item that holds the call.
    """

    id: str
    tool: str
    arguments: dict[str, Json] | str
    since: datetime | None
    source: Literal["tool_call", "mcp"]
    server: str | None
    item: str
