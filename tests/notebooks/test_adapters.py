"""Each adapter in a real kernel: top-level await, a second run of every cell, things shown."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest

from tests.notebooks.running import running

OPEN = "import threadkeep\nmemory = threadkeep.connect('sqlite:///chat.db')"
SHOW = ["memory.session('chat', user='ada')", "memory.session('chat', user='ada').window()"]
ADAPTERS = {
    "langchain": [
        "from langchain_core.messages import HumanMessage\n"
        "from langchain_threadkeep import ThreadkeepChatMessageHistory\n"
        "history = ThreadkeepChatMessageHistory('chat', memory, user='ada')",
        "await history.aadd_messages([HumanMessage('<hello>', id='m1')])\n"
        "history.add_messages([HumanMessage('<hello>', id='m1')])\n"
        "len(await history.aget_messages()), len(history.messages)",
    ],
    "llama_index": [
        "from llama_index.core.base.llms.types import ChatMessage\n"
        "from llama_index.memory.threadkeep import ThreadkeepMemory\n"
        "kept = ThreadkeepMemory.from_defaults(memory=memory, session_id='chat', user='ada')",
        "await kept.aset([ChatMessage(role='user', content='<hello>')])\n"
        "len(await kept.aget()), len(kept.get())",
    ],
    "openai_agents": [
        "from openai_agents_threadkeep import ThreadkeepSession\n"
        "session = ThreadkeepSession('chat', memory, user='ada')",
        "await session.clear_session()\n"
        "await session.add_items([{'role': 'user', 'content': '<hello>'}])\n"
        "len(await session.get_items()), len(memory.session('chat').items())",
    ],
}


@pytest.mark.slow
@pytest.mark.proves("C10")
@pytest.mark.parametrize("adapter", ADAPTERS)
def test_an_adapter_in_a_notebook(adapter: str, folder: Path) -> None:
    cells = [OPEN, *ADAPTERS[adapter], *SHOW]
    notebook = nbformat.v4.new_notebook(cells=list(map(nbformat.v4.new_code_cell, cells)))
    with running(notebook, folder) as kernel:
        for _ in range(2):  # as a reader who runs all cells again
            said = [kernel.cell(number) for number in range(len(cells))]
            assert said[2] == "(1, 1)"
            for shown in said[3:]:
                assert "<table" in shown
                assert "&lt;hello&gt;" in shown
        again = [kernel.cell(2) for _ in range(2)]  # and one who runs one cell again and again
        assert again == ["(1, 1)"] * 2
