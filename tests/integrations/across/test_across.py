"""One conversation begun in any framework and continued in any other."""

from __future__ import annotations

import copy
import itertools

import pytest

import threadkeep
from tests.integrations.across.frameworks import CITIES, FRAMEWORKS, PNG
from tests.integrations.across.google_adk import SESSION

NAMES = list(FRAMEWORKS)
ROTATIONS = [tuple(NAMES[n:] + NAMES[:n]) for n in range(len(NAMES))]
ORDERS = [
    *itertools.permutations(NAMES[:4]),
    *ROTATIONS,
    *(order[::-1] for order in ROTATIONS),
]
"""All orders of four, and of all of them those in which each is first, last, and in between."""

PAIRS = list(itertools.product(FRAMEWORKS, FRAMEWORKS))


@pytest.fixture
def memory():
    with threadkeep.connect("memory://") as memory:
        yield memory


def write(memory, name, tag):
    """One turn by a framework; what it wrote."""
    turn = FRAMEWORKS[name].turn(tag)
    FRAMEWORKS[name].write(memory, copy.deepcopy(turn))
    return turn


@pytest.mark.proves("D22")
@pytest.mark.proves("C5")
@pytest.mark.parametrize(("first", "second"), PAIRS, ids=map(" then ".join, PAIRS))
def test_a_conversation_goes_on_in_another_framework(memory, first, second):
    begun = write(memory, first, "one")
    for framework in FRAMEWORKS.values():
        framework.read(memory)  # which asserts that it is valid
    continued = write(memory, second, "two")
    for name, framework in FRAMEWORKS.items():
        read = framework.read(memory)
        words = framework.words(memory)
        for tag, writer in (("one", first), ("two", second)):
            said = [f"{tag} question", f"{tag} result", f"{tag} answer"]
            said += [f"call_{tag}_{city}" for city in CITIES]
            said += [] if writer in framework.unheard else [f"{tag} thought"]
            assert [word for word in said if word not in words] == [], (name, tag)
        assert words.count(PNG) >= 2
        for turn, writer in ((begun, first), (continued, second)):
            if writer == name:
                assert framework.same(turn, read), f"{name} does not get back what it wrote"


@pytest.mark.slow
@pytest.mark.proves("C5")
@pytest.mark.parametrize("order", ORDERS, ids=" > ".join)
def test_all_of_them_one_after_the_other(memory, order):
    written = {}
    for number, name in enumerate(order):
        written[name] = write(memory, name, f"t{number}")
        for reader, framework in FRAMEWORKS.items():
            read = framework.read(memory)  # which asserts that it is valid
            assert reader not in written or framework.same(written[reader], read), reader
    assert len(memory.session(SESSION).window().to_openai()) == 5 * len(order)


@pytest.mark.parametrize(("first", "second"), PAIRS, ids=map(" then ".join, PAIRS))
def test_a_turn_cut_short_in_one_framework_is_mended_for_the_next(memory, first, second):
    turn = FRAMEWORKS[first].turn("one")
    cut = 4 if first == "openai_agents" else 2  # after the calls: no result was ever written
    FRAMEWORKS[first].write(memory, turn[:cut])
    write(memory, second, "two")
    FRAMEWORKS["plain"].read(memory)
