"""MySQL by its Unix socket: the same promises as by a port."""

import contextlib
import socket
from urllib.parse import quote

import pytest

from tests.backends.sql_servers import fresh_table
from tests.durations import within
from tests.servers import mysql, mysql9
from threadkeep.backends.sql import SqlBackend
from threadkeep.errors import BackendError, BackendTimeout
from threadkeep.testing.contract.common import NOW, ids, items
from threadkeep.types import Query

S = "test/session/socket"
QUERY = Query(S, "item")


@contextlib.contextmanager
def opened(path, **options):
    url = f"mysql://ada:{mysql.ESCAPED}@/chat?unix_socket={quote(str(path))}"
    backend = SqlBackend(url, table_name=fresh_table(), **options)
    try:
        yield backend
        assert backend._pool.in_use == 0, "a connection was not given back"
    finally:
        backend.close()


@pytest.mark.parametrize("server", [mysql, mysql9], ids=["mariadb", "mysql9"])
def test_what_is_written_is_read(server):
    with opened(server.shared().socket) as backend:
        backend.commit(S, put=items("ab"), now=NOW)
        assert ids(backend, S) == ["a", "b"]


@pytest.mark.parametrize("there", [True, False], ids=["nobody-listens", "no-such-file"])
def test_a_socket_that_nobody_answers_is_named_at_once_and_closed(there, tmp_path):
    path = tmp_path / "s.sock"
    with contextlib.ExitStack() as stack:
        if there:
            stack.enter_context(socket.socket(socket.AF_UNIX)).bind(str(path))
        backend = stack.enter_context(opened(path, timeout=5))
        says = rf"chat at {path}: .*whether the server runs"
        with pytest.raises(BackendError, match=says):
            backend.read(QUERY, now=NOW)


def test_a_socket_that_stays_silent_is_given_up_in_time(tmp_path):
    path = tmp_path / "s.sock"
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(path))
        silent.listen()
        with opened(path, timeout=1) as backend, within(3), pytest.raises(BackendTimeout):
            backend.read(QUERY, now=NOW)
