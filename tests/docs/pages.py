"""Pages of documentation as tests: their code blocks and their links.

Blocks marked `python` and `pycon` are run, and so is `sh` with commands of ours; `py` and `shell`
are for what cannot be.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
PAGES = [
    *(ROOT / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted(ROOT.glob("integrations/*/README.md")),
]

_BLOCK = re.compile(r"^( *)```(\w+)[^\n]*\n(.*?)^\1```$", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
_PICTURE = re.compile(r"!\[[^\]]*\]\(([^)\s]+)\)")
_BRACKETS = re.compile(r"<([a-z]+:[^>\s]*)>")
_REFERENCE = re.compile(r"^\[[^\]]+\]: +(\S+)", re.MULTILINE)
_RUN = frozenset({"python", "pycon"})
_OURS = re.compile(r"^(\w+=\S+ )*threadkeep ", re.MULTILINE)


class Block(NamedTuple):
    """A code block that runs: where its first line stands (from 0), and the code."""

    line: int
    code: str

    @property
    def is_dialogue(self) -> bool:
        return ">>>" in self.code


def blocks(page: Path, *marked: str) -> list[Block]:
    """The blocks of a page with one of the marks; without any, those of Python that run."""
    text = page.read_text("utf-8")
    return [
        Block(text.count("\n", 0, found.start(3)), textwrap.dedent(found[3]))
        for found in _BLOCK.finditer(text)
        if found[2] in (marked or _RUN)
    ]


def commands(page: Path) -> str:
    """The blocks of shell that have a command of ours, as one script."""
    return "\n".join(block.code for block in blocks(page, "sh") if _OURS.search(block.code))


def links(page: Path) -> list[str]:
    """Where the links of a page lead, also those in angle brackets and of references."""
    text = _BLOCK.sub("", page.read_text("utf-8"))
    return [link for form in (_LINK, _BRACKETS, _REFERENCE) for link in form.findall(text)]


def pictures(page: Path) -> list[str]:
    """Where the pictures of a page lie."""
    return _PICTURE.findall(_BLOCK.sub("", page.read_text("utf-8")))


def relative_links(page: Path) -> Iterator[str]:
    for link in links(page):
        if not re.match(r"[a-z]+:|#", link):
            yield link.partition("#")[0]


def external_links(page: Path) -> Iterator[str]:
    for link in links(page):
        if re.match(r"[a-z]+:", link):
            yield link


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))
