"""A local variable says what it holds: a noun or `is_...`, never an adjective by itself."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
SOURCES = (ROOT / "src", *(ROOT / "integrations").glob("*/src"))
MODULES = sorted(path for source in SOURCES for path in source.rglob("*.py"))

ORDER = """
first last second newest oldest latest newer older earlier later new old before after following
previous preceding late since until recent next_
"""
PLACE_AND_AMOUNT = """
at behind around inside outside near far front over under upto within where more most least less
many few rest other others same low high longest shortest middle whole everything each both here
there
"""
DONE_TO_WHAT = """
added answered asked assigned called changed checked chosen cited cleared coded collected committed
composed converted copied counted covered created cut decoded deleted described dropped edited
encoded ended erased escaped evicted expected expired extracted filled finished folded followed
found forgotten gathered given gone grouped held hidden indexed joined kept known learned left liked
listed loaded located lost made marked matched meant merged moved named needed nested noted numbered
opened ordered packed parsed pinned placed prepared quoted ranked rated read_ received redacted
removed renamed renewed renumbered repaired repeated replaced requested restored rewritten saved
selected sent shared shortened shown signed skipped sorted_ spent split spoken started swept synced
taken tagged told touched typed updated used verified visited waited wanted windowed wrapped written
"""
STATE_OF_WHAT = """
absent active alive anonymous bare broken common complete dead distinct doomed due empty equivalent
fitting flat foreign good incoming incomplete inner intact invalid joint large live local long
matching mine missing native neutral obsolete open optional orphaned ours outdated outer own partial
pending plain present private public raw readable related required short silent single slim stale
supported surplus theirs unchanged unfinished unique unknown unread unreadable valid visible waiting
wrong
"""
ALONE = frozenset(f"{ORDER} {PLACE_AND_AMOUNT} {DONE_TO_WHAT} {STATE_OF_WHAT}".split())
LETTERS = frozenset("_iknvxy")
"""An index, a key and its value, a number, coordinates; others may serve one expression only."""

SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
EXPRESSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


def vague_names(node: ast.AST, *, in_expression: bool = False) -> Iterator[tuple[int, str]]:
    """The lines and names of the variables of one scope that say too little."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, SCOPES):
            continue
        if isinstance(child, ast.Name) and isinstance(child.ctx, ast.Store):
            is_letter = len(child.id) == 1 and child.id not in LETTERS and not in_expression
            if child.id in ALONE or is_letter:
                yield child.lineno, child.id
        is_expression = in_expression or isinstance(child, EXPRESSIONS)
        yield from vague_names(child, in_expression=is_expression)


def vague_locals(source: str) -> list[str]:
    """The same of every function in a source."""
    return [
        f"line {line}: {name} in {node.name}"
        for node in ast.walk(ast.parse(source))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        for line, name in vague_names(node)
    ]


def test_locals_are_nouns():
    vague = {
        str(path.relative_to(ROOT)): found
        for path in MODULES
        if (found := vague_locals(path.read_text("utf-8")))
    }
    assert not vague, "say what they hold, as `changed_items` does"


def test_the_rule_finds_what_it_is_about():
    source = """
def merge(items):
    changed = [i for i in items]
    for e in items:
        last_item = sum(w for w in e)
    return changed, last_item
"""
    assert vague_locals(source) == ["line 3: changed in merge", "line 4: e in merge"]
