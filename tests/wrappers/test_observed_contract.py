"""An observed store keeps every promise of the protocol."""

from __future__ import annotations

from functools import partial

import pytest

from tests.wrappers.conftest import INNER, opened
from threadkeep.backends.observed import ObservedBackend
from threadkeep.testing import BackendContract


def observed(name, path):
    return ObservedBackend(opened(name, path))


class TestObserved(BackendContract):
    @pytest.fixture(params=INNER)
    def opener(self, request, tmp_path):
        return request.param, partial(observed, request.param, tmp_path)

    @pytest.fixture
    def backend(self, opener):
        backend = opener[1]()
        yield backend
        assert not backend.in_use, "a connection was not given back"
        backend.close()

    @pytest.fixture
    def reopen(self, opener):
        name, again = opener
        return None if name == "memory" else again
