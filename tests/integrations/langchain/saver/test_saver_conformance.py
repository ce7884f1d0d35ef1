"""LangGraph's own conformance suite for checkpointers, on every store."""

from __future__ import annotations

import asyncio

import pytest
from langgraph.checkpoint.conformance import checkpointer_test, validate
from langgraph.checkpoint.conformance.capabilities import ALL_CAPABILITIES

from langchain_threadkeep import ThreadkeepSaver
from tests.backends.conftest import REQUIRED, STORES
from threadkeep import connect

SHOWN = [name for name in STORES if name not in ("sqlite-memory", "mysql9", "oracle-on-h2")]


@pytest.fixture(params=SHOWN)
def store(request, tmp_path):
    try:
        return STORES[request.param](tmp_path)
    except pytest.skip.Exception as skipped:
        if request.param in REQUIRED:
            pytest.fail(f"{request.param} was promised by THREADKEEP_TEST_REQUIRE: {skipped}")
        raise


@pytest.mark.proves("D16")
def test_conformance_suite_passes_whole(store):
    backend = store.open()

    async def savers():
        with connect(backend) as memory:
            yield ThreadkeepSaver(memory)

    registered = checkpointer_test("ThreadkeepSaver")(savers)
    report = asyncio.run(validate(registered))
    backend.close()
    failures = {name: entry.failures for name, entry in report.results.items() if entry.failures}
    passed = {name for name, entry in report.results.items() if entry.passed}
    assert not failures
    assert passed == {capability.value for capability in ALL_CAPABILITIES}
