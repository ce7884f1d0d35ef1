"""An encrypted store keeps every promise of the protocol, whether ids are hidden or not."""

from __future__ import annotations

from functools import partial

import pytest

from tests.wrappers.conftest import INNER, opened
from threadkeep.backends.encrypted import HIDDEN, EncryptedBackend, new_key
from threadkeep.testing import BackendContract

CASES = [(inner, hidden) for inner in INNER for hidden in ("some", "all")]


def encrypted(name, path, key, hidden):
    return EncryptedBackend(opened(name, path), key, hidden=hidden)


class TestEncrypted(BackendContract):
    @pytest.fixture(params=CASES, ids="-".join)
    def opener(self, request, tmp_path):
        name, hidden = request.param
        hides = HIDDEN if hidden == "some" else None
        return name, partial(encrypted, name, tmp_path, new_key(), hides)

    @pytest.fixture
    def backend(self, opener):
        backend = opener[1]()
        yield backend
        pool = getattr(backend.inner, "_pool", None)
        assert pool is None or pool.lent == 0, "a connection was not given back"
        backend.close()

    @pytest.fixture
    def reopen(self, opener):
        name, again = opener
        return None if name == "memory" else again
