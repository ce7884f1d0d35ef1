"""Services over every provider there is, closed after each test, with a clock that stands still."""

from __future__ import annotations

import pytest

from threadkeep.service import HistoryService
from threadkeep.service.history import _open_services


class Clock:
    """A clock that moves only when told to."""

    def __init__(self, now: float = 1_750_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture(autouse=True)
def _closed():
    yield
    for service in list(_open_services.values()):
        service.close()


@pytest.fixture
def serve(tmp_path, clock):
    """Makes services; `path` in a configuration stands in an empty folder of the test."""
    made = iter(range(1_000))

    def make(config=None, identifier=None, **keys):
        return HistoryService(
            {**(config or {}), **keys}, identifier or f"service-{next(made)}", clock=clock
        )

    return make


@pytest.fixture(params=["memory", "sqlite", "file"])
def provider(request, tmp_path):
    """The part of a configuration that names a provider."""
    if request.param == "memory":
        return {"type": "memory"}
    if request.param == "sqlite":
        return {"type": "sqlite", "path": str(tmp_path / "history.db")}
    return {"type": "file", "path": str(tmp_path / "history")}


@pytest.fixture
def service(serve, provider):
    return serve(provider)
