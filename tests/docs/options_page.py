"""Writes the tables of docs/reference/options.md from the table that the code reads.

`python -m tests.docs.options_page` brings the page up to date.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from tests.docs.pages import ROOT
from threadkeep.config.option_spec import OptionSpec
from threadkeep.config.setting_options import SETTINGS
from threadkeep.config.stores import STORES
from threadkeep.core.option_types import UNCHECKED

PAGE: Final = ROOT / "docs" / "reference" / "options.md"
_MARK: Final = "<!-- Below: written by `python -m tests.docs.options_page`. -->\n"


def text() -> str:
    """The page: what stands above the mark as it is, and the tables."""
    introduction, mark, _ = PAGE.read_text("utf-8").partition(_MARK)
    sections = [introduction + mark, *_section("every store", SETTINGS)]
    for kind, store in STORES.items():
        if store.options:
            sections += _section(f"`{kind}`", store.options)
    return "\n".join(sections)


def _section(title: str, options: tuple[OptionSpec, ...]) -> Iterator[str]:
    yield f"## Options of {title}\n"
    yield "| key and parameter | flag | variable | value | default | |"
    yield "|---|---|---|---|---|---|"
    yield from (_row(option) for option in options)
    yield ""


def _row(option: OptionSpec) -> str:
    keys = ", ".join(f"`{name}`" for name in option.keys)
    if not option.parameters:
        keys += " (not in a URL)"
    expected = "" if option.type is UNCHECKED else option.type.expected
    cells = [keys, _code(option.flag), _code(option.variable), expected]
    return f"| {' | '.join([*cells, _code(option.default), option.help])} |"


def _code(name: str) -> str:
    return f"`{name}`" if name else ""


if __name__ == "__main__":
    PAGE.write_text(text(), "utf-8")
