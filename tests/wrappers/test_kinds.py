"""The list of kinds is complete: what walks whole stores must not leave one behind."""

from __future__ import annotations

import ast
import importlib.util
import pkgutil
from pathlib import Path

import threadkeep
from threadkeep.types.record_kinds import KINDS

CALLS = {"Record": 0, "Query": 1}


def test_each_kind_that_the_code_writes_or_reads_is_in_the_list():
    found = set()
    for module in pkgutil.walk_packages(threadkeep.__path__, "threadkeep."):
        if ".testing" in module.name or module.name.endswith("__main__"):
            continue
        path = getattr(importlib.util.find_spec(module.name), "origin", None)
        found |= set(_kinds(module.name, Path(str(path)).read_text("utf-8")))
    assert {"session", "item", "file", "keyring"} <= found
    assert found <= set(KINDS)


def _kinds(module, text):
    for call in ast.walk(ast.parse(text)):
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
            continue
        place = CALLS.get(call.func.id)
        if place is None or len(call.args) <= place:
            continue
        kind = call.args[place]
        if isinstance(kind, ast.Constant):
            yield kind.value
        elif isinstance(kind, ast.Name) and kind.id.isupper():
            yield getattr(importlib.import_module(module), kind.id)
