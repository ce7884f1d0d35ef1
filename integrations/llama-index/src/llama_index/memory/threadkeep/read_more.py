"""`read_more_tool`: a model reads on in a tool result of which its window shows a part."""

from __future__ import annotations

from llama_index.core.tools import FunctionTool

from llama_index.memory.threadkeep.memory import ThreadkeepMemory
from threadkeep.adapters.arguments import strict_arguments
from threadkeep.adapters.read_more import DESCRIPTION, NAME, ReadMore


@strict_arguments
def read_more_tool(memory: ThreadkeepMemory) -> FunctionTool:
    """The tool `read_more` for `tools=` of an agent; from now on the memory names handles.

    It reads the conversation of this memory, and no other one.
    """
    reader = ReadMore(memory.chat, memory.show_handles())
    return FunctionTool.from_defaults(
        reader.read, async_fn=reader.aread, name=NAME, description=DESCRIPTION
    )
