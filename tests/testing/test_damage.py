"""Records of wrong shapes on every embedded store: no other is hidden, no verb is stopped."""

import json
import os
import random

import pytest

from tests.embedded import backend
from threadkeep import connect
from threadkeep.core import body, record_shapes
from threadkeep.core.body import UnreadableRecord
from threadkeep.testing.contract.damage import check_damages
from threadkeep.testing.damage.changes import LITERALS, changed_bodies, field_paths
from threadkeep.testing.damage.check import damageable
from threadkeep.testing.damage.fill import fill, stored_records
from threadkeep.types import Record
from threadkeep.types.record_kinds import KINDS

__all__ = ["backend"]

EXAMPLES = int(os.environ.get("THREADKEEP_TEST_EXAMPLES", "75"))
SHARES = {"memory": 1.2, "sqlite": 0.3, "file": 0.3}
SEED = int(os.environ.get("THREADKEEP_TEST_SEED", "1"))


@pytest.mark.proves("D6")
def test_a_wrong_shape_hides_no_other_record_and_stops_no_verb(backend, request):
    store = request.node.callspec.params["backend"]
    check_damages(backend, round(EXAMPLES * SHARES[store]), SEED)


OF_A_CHECKPOINTER = {
    *("checkpoint", "run", "write", "element"),
    *("value", "namespace", "thread", "lease"),
}
OF_PYDANTIC_AI = {"conversation", "entry", "fork"}
OF_LARGE_MESSAGES = {"blob", "piece"}
OF_UNFINISHED_CHANGES = {"undo"}
OF_LARGE_INDEXES = {"recall_segment", "recall_piece", "recall_gap"}  # of 500 items and more


def test_the_damaged_store_has_records_of_every_kind(memory):
    fill(memory)
    kinds = {stored.record.kind for stored in stored_records(memory)}
    elsewhere = OF_A_CHECKPOINTER | OF_PYDANTIC_AI | OF_LARGE_MESSAGES | OF_LARGE_INDEXES
    elsewhere |= OF_UNFINISHED_CHANGES
    assert kinds == set(KINDS) - {"store", "keyring"} - elsewhere
    assert {stored.record.kind for stored in damageable(memory)} >= kinds - {"fact", "instruction"}


@pytest.fixture
def memory():
    with connect("memory://") as opened:
        yield opened


SHAPES = {
    "session": record_shapes.SESSION,
    "item": record_shapes.ITEM,
    "file": record_shapes.FILE,
    "response": record_shapes.RESPONSE,
    "response_entry": record_shapes.RESPONSE_ENTRY,
    "feedback": record_shapes.FEEDBACK,
    "pointer": record_shapes.POINTER,
    "summary": record_shapes.SUMMARY,
    "fact": record_shapes.FACT,
    "instruction": record_shapes.INSTRUCTION,
}


@pytest.mark.proves("D6")
def test_every_refusal_is_one_bounded_line_that_names_kind_and_field(memory):
    fill(memory)
    rng = random.Random(SEED)
    refusals = []
    for stored in stored_records(memory):
        kind = stored.record.kind
        if kind not in SHAPES or "/sessions/" in stored.stream:
            continue
        changes = list(changed_bodies(stored.record.body))
        for _, text in rng.sample(changes, min(60, len(changes))):
            refusals += refusal(Record(kind, "id", text, 0.0))
    assert len(refusals) > 300
    for kind, error in refusals:
        assert str(error).startswith(kind)
        assert len(str(error)) < 400
        assert str(error).isprintable()
        assert len(error.reason) < 300
        assert "nuts" not in error.reason


def refusal(record):
    """Why a record is refused, if it is."""
    try:
        body.decode(record, SHAPES[record.kind])
    except UnreadableRecord as error:
        return [(record.kind, error)]
    return []


@pytest.mark.parametrize("literal", LITERALS)
def test_what_json_can_say_and_no_store_can_keep_is_no_body(literal):
    text = f'{{"a": {LITERALS[literal]}}}'
    record = Record("summary", "summary", text, 0.0)
    if literal in ("<half a character>", "<NUL>", "<400 digits>"):  # any JSON, in an unknown field
        assert body.decode(record, record_shapes.EMPTY)
        return
    with pytest.raises(UnreadableRecord):
        body.decode(record, record_shapes.EMPTY)


@pytest.mark.parametrize(("levels", "fits"), [(63, True), (64, False)])
def test_a_body_is_nested_at_most_64_deep(levels, fits):
    text = '{"a":' + "[" * levels + "]" * levels + "}"
    assert body.is_too_deep(json.loads(text)) is not fits
    record = Record("item", "i", text, 0.0)
    if fits:
        assert body.decode(record, record_shapes.EMPTY)
        return
    with pytest.raises(UnreadableRecord, match="nested at most 64 deep"):
        body.decode(record, record_shapes.EMPTY)


def test_a_deep_call_stack_is_not_taken_for_damage():
    """Such an error is of the caller's stack: the record is good, and stays so in caches."""
    text = '{"a":' + "[" * 60 + "]" * 60 + "}"
    record = Record("item", "i", text, 0.0)

    def at_depth(frames):
        return at_depth(frames - 1) if frames else body.decode(record, record_shapes.EMPTY)

    outcomes = set()
    for frames in range(700, 1_000, 3):
        try:
            outcomes.add(type(at_depth(frames)))
        except RecursionError:
            outcomes.add(RecursionError)
    assert outcomes == {dict, RecursionError}


def test_field_paths_name_every_field():
    assert set(field_paths({"a": [{"b": 1}], "c": {}})) == {
        ("a",),
        ("a", 0),
        ("a", 0, "b"),
        ("c",),
    }
