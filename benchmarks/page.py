"""`python -m benchmarks.page figures.json`: the figures of a run, onto the pages that show them.

The file is what `python -m benchmarks --only turn,bulk --json figures.json` has written.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[1]
NAMES: Final = {
    "raw_sqlite": "`sqlite3` by hand",
    "threadkeep_sqlite": "**threadkeep**",
    "threadkeep_langchain": "**threadkeep** as LangChain's chat message history",
    "threadkeep_llama_index": "**threadkeep** as LlamaIndex's memory",
    "threadkeep_agents": "**threadkeep** as OpenAI Agents' session",
    "openai_agents_sqlite": "OpenAI Agents `SQLiteSession`",
    "langchain_community_sqlite": "LangChain `SQLChatMessageHistory`",
    "llama_index_sqlite": "LlamaIndex `SQLAlchemyChatStore`",
}
_PLACE: Final = re.compile(r"(<!-- figures -->\n).*?(\n<!-- end -->)", re.DOTALL)


def main(arguments: list[str]) -> None:
    """Rewrite the figures of the page that compares, and those of the README."""
    (file,) = arguments
    figures = json.loads(Path(file).read_text("utf-8"))
    for name, show in (("docs/explanation/comparison.md", shown), ("README.md", in_short)):
        page = ROOT / name
        text = page.read_text("utf-8")
        page.write_text(_PLACE.sub(rf"\g<1>{show(figures)}\g<2>", text), "utf-8")


def shown(figures: dict[str, Any]) -> str:
    """The conditions of the run, and its tables in Markdown."""
    benches = figures["benches"]
    parts = [_conditions(figures["about"])]
    parts += ["A turn, in milliseconds, by the length of the history:", _turns(benches["turn"])]
    if "bulk" in benches:
        parts += ["An import in batches of 1,000, in messages a second:", _bulk(benches["bulk"])]
    return "\n\n".join(parts)


def in_short(figures: dict[str, Any]) -> str:
    """The table of the turns alone."""
    return _turns(figures["benches"]["turn"])


def _conditions(about: str) -> str:
    summary = about.splitlines()[0].partition(", files in")[0]
    cores, load = re.search(r"(\d+) cores.*load ([\d.]+)", summary).groups()  # type: ignore[union-attr]
    busy = "\nThe machine was busy with other work: look at the ratios."
    return f"{summary}.{busy if float(load) > int(cores) else ''}"


def _turns(turns: list[dict[str, Any]]) -> str:
    medians = {(entry["system"], entry["length"]): entry["median"] for entry in turns}
    lengths = sorted({length for _, length in medians})

    def cell(name: str, length: int) -> str:
        if (name, length) not in medians:
            return "-"
        ratio = medians[name, length] / medians["raw_sqlite", length]
        return f"{medians[name, length] * 1e3:,.2f} ({ratio:,.1f} x)"

    rows = [
        [label, *(cell(name, length) for length in lengths)]
        for name, label in NAMES.items()
        if any(name == system for system, _ in medians)
    ]
    return _table(["", *(f"{length:,}" for length in lengths)], rows)


def _bulk(turns: dict[str, dict[str, float]]) -> str:
    rates = {name: entry["messages_per_second"] for name, entry in turns.items()}
    rows = [
        [label, f"{rates[name]:,.0f} ({rates[name] / rates['raw_sqlite']:.2f} x)"]
        for name, label in NAMES.items()
        if name in rates
    ]
    return _table(["", "messages a second"], rows)


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


if __name__ == "__main__":
    main(sys.argv[1:])
