"""Pages of documentation as tests: their code blocks and their links."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]

_BLOCK = re.compile(r"^( *)```(\w+)[^\n]*\n(.*?)^\1```$", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
_RUN = frozenset({"python", "pycon"})  # what is not to be run is marked `py`


class Block(NamedTuple):
    """A code block that runs: where its first line stands (from 0), and the code."""

    line: int
    code: str

    @property
    def is_dialogue(self) -> bool:
        return ">>>" in self.code


def blocks(page: Path) -> list[Block]:
    text = page.read_text("utf-8")
    return [
        Block(text.count("\n", 0, found.start(3)), textwrap.dedent(found[3]))
        for found in _BLOCK.finditer(text)
        if found[2] in _RUN
    ]


def relative_links(page: Path) -> Iterator[str]:
    text = _BLOCK.sub("", page.read_text("utf-8"))
    for link in _LINK.findall(text):
        if not re.match(r"[a-z]+:|#", link):
            yield link.partition("#")[0]


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))
