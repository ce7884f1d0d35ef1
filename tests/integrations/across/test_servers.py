"""A conversation of all frameworks on every server."""

from __future__ import annotations

import copy

import pytest

import threadkeep
from tests.backends.conftest import REQUIRED, STORES
from tests.integrations.across.frameworks import FRAMEWORKS


@pytest.fixture(params=["postgres", "mysql", "redis", "redis-cluster", "mongodb"])
def memory(request, tmp_path):
    try:
        backend = STORES[request.param](tmp_path).open()
    except pytest.skip.Exception:
        assert request.param not in REQUIRED, "promised by THREADKEEP_TEST_REQUIRE"
        raise
    with threadkeep.Memory(backend, owned=True) as memory:
        yield memory


def test_each_framework_goes_on_and_gets_back_what_it_wrote(memory):
    written = {}
    for name, framework in FRAMEWORKS.items():
        written[name] = framework.turn(name)
        framework.write(memory, copy.deepcopy(written[name]))
        for reader in FRAMEWORKS.values():
            reader.read(memory)  # which asserts that it is valid
    for name, framework in FRAMEWORKS.items():
        assert framework.same(written[name], framework.read(memory)), name
        words = framework.words(memory)
        for writer in FRAMEWORKS:
            said = [f"{writer} question", f"{writer} result", f"{writer} answer"]
            assert [word for word in said if word not in words] == [], (name, writer)
