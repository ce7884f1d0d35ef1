"""Adapters use public names of threadkeep only, and reach past them by attribute neither."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "integrations").glob("*/src/**/*.py"))
NAMED_TUPLE = {"_replace", "_asdict", "_fields", "_make"}


def own_privates(tree: ast.AST) -> set[str]:
    """The private names that a module's own classes define or set on `self`."""
    defined = {
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    stored = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.ctx, ast.Store)
        and ast.unparse(node.value) == "self"
    }
    return defined | stored


def attribute_of(node: ast.AST) -> tuple[str, str] | None:
    """The object and the attribute that a node gets: `x.name`, or `getattr(x, "name")`."""
    if isinstance(node, ast.Attribute):
        return ast.unparse(node.value), node.attr
    match node:
        case ast.Call(func=ast.Name(id="getattr"), args=[owner, ast.Constant(value=str(name)), *_]):
            return ast.unparse(owner), name
    return None


def private_uses(source: str) -> list[str]:
    """Uses of `.engine`, and of private attributes of other objects than the module's own."""
    tree = ast.parse(source)
    allowed = own_privates(tree) | NAMED_TUPLE
    uses = []
    for owner, name in filter(None, map(attribute_of, ast.walk(tree))):
        is_private = name.startswith("_") and not name.startswith("__") and name not in allowed
        if name == "engine" or (is_private and owner not in ("self", "cls")):
            uses.append(f"{owner}.{name}")
    return uses


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: "/".join(path.parts[-2:]))
def test_adapters_reach_nothing_past_public_names(path):
    assert private_uses(path.read_text("utf-8")) == []


def test_the_check_finds_what_it_looks_for():
    source = "memory._engine.now(); memory.engine; getattr(chat, '_stream'); self._memory.window"
    assert sorted(private_uses(source)) == ["chat._stream", "memory._engine", "memory.engine"]
    assert SOURCES
