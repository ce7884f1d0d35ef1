"""`read_more_tool`: a model reads on in a tool result of which its window shows a part."""

from __future__ import annotations

from llama_index.core.tools import FunctionTool

from llama_index.memory.threadkeep.memory import ThreadkeepMemory
from threadkeep.adapters.read_more import DESCRIPTION, NAME, ReadMore


def read_more_tool(memory: ThreadkeepMemory) -> FunctionTool:
    """The tool `read_more` for `tools=` of an agent; from now on the memory names handles.

    It reads the conversation of this memory, and no other one.
    """
    pages = ReadMore(memory.chat, memory.show_handles())
    return FunctionTool.from_defaults(
        pages.read, async_fn=pages.aread, name=NAME, description=DESCRIPTION
    )
