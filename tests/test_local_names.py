"""A local variable says what it holds: a noun or `is_...`, never an adjective by itself.

And its last word says in what form: `_json` or `_text` of a dump, `_bytes` of what was encoded,
`_by_` of nothing but a dict, and what `enumerate` counts is an index, a number or a rank.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
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

COUNTED = frozenset(["_", "n", "index", "number", "seq", "offset", "rank", "distance"])
"""The last words of what `enumerate` counts."""

LISTS = (ast.List, ast.ListComp, ast.Set, ast.SetComp, ast.Tuple)
LIST_CALLS = frozenset(["list", "sorted", "tuple", "set", "frozenset"])
DUMP_WORDS = frozenset(["json", "text", "bytes"])
TEXT_WORDS = frozenset(["json", "text"])

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


def misnamed_form(name: str, value: ast.expr) -> bool:
    """Whether the name says another form than the value has."""
    call = value.func if isinstance(value, ast.Call) else None
    function = getattr(call, "id", None) or getattr(call, "attr", "")
    last_word = name.rpartition("_")[2]
    is_list = isinstance(value, LISTS) or (isinstance(call, ast.Name) and function in LIST_CALLS)
    return (
        ("_by_" in name and is_list)
        or (function == "dumps" and last_word not in DUMP_WORDS)
        or (function == "encode" and isinstance(call, ast.Attribute) and last_word in TEXT_WORDS)
    )


def misnamed_count(loop: ast.For | ast.AsyncFor | ast.comprehension) -> str | None:
    """The name of what `enumerate` counts, if it does not say so."""
    is_counted = (
        isinstance(loop.iter, ast.Call) and getattr(loop.iter.func, "id", "") == "enumerate"
    )
    count = loop.target.elts[0] if is_counted and isinstance(loop.target, ast.Tuple) else None
    is_misnamed = isinstance(count, ast.Name) and count.id.rpartition("_")[2] not in COUNTED
    return count.id if isinstance(count, ast.Name) and is_misnamed else None


def misnamed_locals(source: str) -> list[str]:
    """The names in a source whose last word is of another form than their value."""
    misnamed: list[str] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Assign):
            names = [target.id for target in node.targets if isinstance(target, ast.Name)]
            misnamed += [name for name in names if misnamed_form(name, node.value)]
        elif isinstance(node, ast.AnnAssign | ast.NamedExpr) and isinstance(node.target, ast.Name):
            if node.value is not None and misnamed_form(node.target.id, node.value):
                misnamed.append(node.target.id)
        elif isinstance(node, ast.For | ast.AsyncFor | ast.comprehension):
            misnamed += filter(None, [misnamed_count(node)])
    return misnamed


def names_against(rule: Callable[[str], list[str]]) -> dict[str, list[str]]:
    """What a rule finds, by the modules that hold it."""
    return {
        str(path.relative_to(ROOT)): names
        for path in MODULES
        if (names := rule(path.read_text("utf-8")))
    }


def test_locals_are_nouns():
    assert not names_against(vague_locals), "say what they hold, as `changed_items` does"


def test_the_rule_finds_what_it_is_about():
    source = """
def merge(items):
    changed = [i for i in items]
    for e in items:
        last_item = sum(w for w in e)
    return changed, last_item
"""
    assert vague_locals(source) == ["line 3: changed in merge", "line 4: e in merge"]


def test_last_words_say_the_form():
    assert not names_against(misnamed_locals), (
        "say the form last, as `entry_json`, `name_bytes` and `item_index` do"
    )


def test_the_rule_of_forms_finds_what_it_is_about():
    source = """
def write(items):
    item_by_id = {item.id: item for item in items}
    items_by_age = sorted(items)
    body = json.dumps(item_by_id)
    item_text = body.encode()
    return [place for place, item in enumerate(items_by_age)]
"""
    assert misnamed_locals(source) == ["items_by_age", "body", "item_text", "place"]
