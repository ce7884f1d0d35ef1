"""A SQL store on a table of its own, whose connections must all have been given back."""

from __future__ import annotations

import contextlib

from tests.servers.instances import fresh_table
from threadkeep.backends.sql.backend import SqlBackend


@contextlib.contextmanager
def opened(url, **options):
    backend = SqlBackend(url, **{"table_name": fresh_table(), **options})
    try:
        yield backend
        assert backend._pool.in_use == 0, "a connection was not given back"
    finally:
        backend.close()
