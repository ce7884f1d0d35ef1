"""Values of messages that are not JSON, as JSON and back."""

from __future__ import annotations

import json
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from langchain_threadkeep.json_values import pack, unpack
from tests.integrations.langchain.samples import typed
from threadkeep.core.body import is_too_deep

LEAVES = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
    | st.binary() | st.dates() | st.datetimes() | st.uuids() | st.timedeltas()
    | st.decimals(allow_nan=False)
)  # fmt: skip
KEYS = st.text() | st.integers() | st.just("$threadkeep")
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(KEYS, inner, max_size=3)
        | st.tuples(inner, inner)
        | st.frozensets(st.integers() | st.text(), max_size=3)
    ),
    max_leaves=10,
)


@given(VALUES)
def test_any_value_is_json_and_comes_back(value):
    assert unpack(json.loads(json.dumps(pack(value)))) == value


def test_values_keep_their_types():
    value = {"a": (1, True), "d": date(2026, 1, 1), "u": UUID(int=1), "n": Decimal("1.0")}
    value["t"] = timedelta(days=1, microseconds=2)
    assert typed(unpack(json.loads(json.dumps(pack(value))))) == typed(value)


@given(st.lists(st.sampled_from([list, tuple, dict]), min_size=20, max_size=65))
def test_a_value_of_any_depth_comes_back_from_a_record(wrappers):
    value: object = "leaf"
    for wrapper in wrappers:
        value = {1: value} if wrapper is dict else (value,) if wrapper is tuple else [value]
    packed = pack(value)
    assert not is_too_deep(packed, 56)
    assert unpack(json.loads(json.dumps(packed))) == value
