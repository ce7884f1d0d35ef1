"""Every store, servers too, gives the same answers with the same scores."""

from __future__ import annotations

import pytest

from tests.backends.conftest import MARKS, REQUIRED, STORES
from tests.engine.doubles import Clock
from tests.longterm.recall.conftest import said
from threadkeep import connect

QUESTIONS = ("Which kite did Ada buy in May?", "kites", "What colour?", "number7", "Ben", "nothing")


def answers(memory):
    """What is found before and after changes."""
    clock = memory._engine.settings.clock
    ada = memory.user("ada")
    for n in range(6):
        ada.session(f"s{n}").add(
            *(
                said(f"Kite number{i} of {n}, was it red?", name=["Ada", "Ben"][i % 2])
                for i in range(9)
            ),
            said("I bought a red kite.", name="Ada", at="2024-05-05T00:00:00Z"),
        )
        clock.tick(40)
    ada.facts.add("Ada owns a kite", sources=[("s1", ada.session("s1").items()[3])])
    yield [found(ada, question) for question in QUESTIONS]
    ada.session("s1").rewind(last=4)
    ada.session("s2").delete()
    clock.tick(1)
    ada.session("s3").replace(
        ada.session("s3").items()[0].id, said("A green number7 boat.", name="Ada")
    )
    ada.session("s4").add(said("A new kite.", name="Ben"))
    yield [found(ada, question) for question in QUESTIONS]


def found(user, question):
    return [(hit.session, hit.text, hit.score) for hit in user.recall(question)]


@pytest.fixture(params=[pytest.param(name, marks=MARKS.get(name, [])) for name in STORES])
def backend(request, tmp_path):
    try:
        made = STORES[request.param](tmp_path).open()
    except pytest.skip.Exception as skipped:
        if request.param in REQUIRED:
            pytest.fail(f"{request.param} was promised by THREADKEEP_TEST_REQUIRE: {skipped}")
        raise
    yield made
    made.close()


def test_the_same_answers_as_in_memory(backend):
    with connect("memory://", clock=Clock()) as plain, connect(backend, clock=Clock()) as memory:
        for expected, here in zip(answers(plain), answers(memory), strict=True):
            assert here == expected
            assert any(here)
