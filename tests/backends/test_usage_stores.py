"""What calls took is the same on every store."""

from __future__ import annotations

import pytest

from tests.engine.doubles import Clock
from tests.responses.test_usage import GROUPS, Made, naive, pages, written
from threadkeep import connect
from threadkeep.backends.encrypted import new_key
from threadkeep.types.usage import TokenCounts

CALLS = [
    Made("m1", 0, ("look",), TokenCounts(9, 5, 14, 4, 2)),
    Made("m2", 1, ("look", "buy"), None),
    Made("", 2, (), TokenCounts(1, 0, 1, 0, 0)),
]
HISTORY = [
    ("ada", [("items", CALLS), ("responses", CALLS[:2]), ("both", CALLS)]),
    ("bob", [("both", CALLS[1:]), ("items", [])]),
    (None, [("responses", CALLS)]),
]


@pytest.mark.parametrize("options", [{}, {"key": new_key()}], ids=["plain", "encrypted"])
def test_usage_is_the_naive_sum(backend, options):
    memory = connect(backend, clock=Clock(), namespace=(options and "sealed") or "plain", **options)
    truths = written(memory, HISTORY)
    for by in GROUPS:
        rows = pages(memory, 2, by=by)
        assert {(row.session, row.key): row for row in rows} == naive(truths, by)
        of_ada = [truth for truth in truths if truth.user == "ada"]
        rows = pages(memory, 2, by=by, user="ada")
        assert {(row.session, row.key): row for row in rows} == naive(of_ada, by)
