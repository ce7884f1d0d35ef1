"""The list of slow tests names tests that exist."""

from __future__ import annotations

import ast

from tests import slow_tests
from tests.slow_tests import LIST

ROOT = LIST.parent.parent


def names_in(path):
    """The functions and classes of a file; the tests of a class may be those of its base."""
    if not (ROOT / path).exists():
        return set()
    nodes = list(ast.walk(ast.parse((ROOT / path).read_text())))
    kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    defined = {node.name for node in nodes if isinstance(node, kinds)}
    stored = {node.id for node in nodes if isinstance(node, ast.Name)}  # a machine's TestCase
    return defined | stored


def test_all_of_the_list_is_there():
    listed = [name.split("::")[:2] for name in LIST.read_text().split()]
    there = {path: names_in(path) for path, _ in listed}
    assert [(path, name) for path, name in listed if name not in there[path]] == []


def test_a_case_is_slow_if_its_function_is(request):
    (listed, *_) = LIST.read_text().split()
    assert slow_tests.function_name(f"{listed}[a-case::[1]]") == listed
    assert not slow_tests.is_listed(request.node)
