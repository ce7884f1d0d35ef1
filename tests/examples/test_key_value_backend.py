"""The example of a backend for a server keeps the contract on a real one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from examples.key_value_backend import KeyValueBackend
from tests.servers import redis
from tests.servers.instances import fresh_table
from threadkeep.testing import BackendContract


@pytest.mark.slow
class TestKeyValueBackend(BackendContract):
    @pytest.fixture
    def reopen(self) -> Callable[[], KeyValueBackend]:
        return partial(KeyValueBackend, redis.url(), prefix=fresh_table())

    @pytest.fixture
    def backend(self, reopen: Any) -> Iterator[KeyValueBackend]:
        backend = reopen()
        yield backend
        backend.close()

    @pytest.fixture
    def share(self) -> float:
        return 0.05  # a commit writes the whole stream, and writers of one stream meet
