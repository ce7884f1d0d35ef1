"""`read_more_tool`: a model reads on in a tool result of which its window shows a part."""

from __future__ import annotations

from typing import Any

from agents import FunctionTool, RunContextWrapper, function_tool

from openai_agents_threadkeep.session import ThreadkeepSession
from threadkeep.adapters.read_more import DESCRIPTION, NAME, ReadMore


def read_more_tool(session: ThreadkeepSession) -> FunctionTool:
    """The tool `read_more` for `Agent(tools=)`; from now on the session's windows name handles.

    It reads the session of the run's user, and no other one.

    Args:
        session: a session with a `window`, which cuts large tool results.
    """
    policies = session.show_handles()

    async def read_more(context: RunContextWrapper[Any], handle: str, start: int) -> str:
        return await ReadMore(session.open(context), policies).aread(handle, start)

    return function_tool(read_more, name_override=NAME, description_override=DESCRIPTION)
