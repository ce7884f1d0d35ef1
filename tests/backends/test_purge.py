"""Erasure on every store: it reports what it cannot reach, and no failure of its own making."""

from contextlib import closing

import pytest

from tests.backends.sql_servers import EVERY_SERVER, fresh_table
from threadkeep import connect
from threadkeep.backends.sql import SqlBackend
from threadkeep.types import Query

FAILED = "deleted rows in the tables ("


@pytest.fixture
def memory(backend):
    opened = connect(backend)
    yield opened
    opened.close()


def test_purge_reports_no_failure(memory):
    memory.session("chat", user="ada").add("Hello")
    for remaining in (memory.purge(), memory.purge()):
        assert not [place for place in remaining if FAILED in place]
        assert len(set(remaining)) == len(remaining)


def test_forget_removes_the_user_and_reports_no_failure(memory):
    chat = memory.session("chat", user="ada")
    chat.add("Hello")
    result = memory.user("ada").forget()
    assert not [place for place in result.beyond if FAILED in place]
    assert memory.sessions(user="ada") == []


@pytest.mark.parametrize("name", EVERY_SERVER)
def test_no_steps_send_nothing_to_any_sql_server(name):
    server = EVERY_SERVER[name]()
    with (
        server.proxied() as (proxy, url),
        closing(SqlBackend(url, table_name=fresh_table())) as backend,
    ):
        backend.read(Query("s", "item"), now=1.0)
        proxy.cut("request")
        assert backend._run(lambda connection: backend._dialect.run(connection, [])) == []
        assert proxy.mended("request"), "something was sent"
