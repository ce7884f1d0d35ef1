"""What is sent to Redis, read by Redis itself."""

import pytest
import redis as driver
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.servers import redis
from threadkeep.backends.redis.resp import Packer, pack_keys
from threadkeep.types import Record

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)


@pytest.fixture(scope="module")
def shell():
    """Past our code."""
    with driver.Redis.from_url(redis.url()) as client:
        yield client


@given(ids=st.lists(TEXTS, max_size=5))
@settings(max_examples=50)
def test_lua_takes_names_apart_as_they_were(shell, ids):
    records = [Record("item", id, "{}", 1.0) for id in [*ids, "x" * 512, "ü" * 256]]
    told = shell.eval("return cmsgpack.unpack(ARGV[1])", 0, pack_keys(records))
    assert told == [part.encode() for one in records for part in (one.kind, one.id)]


@given(args=st.lists(TEXTS | st.binary() | st.integers() | st.floats(), max_size=5))
@settings(max_examples=50)
def test_commands_are_packed_as_redis_py_packs_them(shell, args):
    command = ("CLIENT SETNAME", *args)
    connection = shell.connection_pool.get_connection()
    expected = connection.pack_command(*command)
    shell.connection_pool.release(connection)
    assert Packer().pack(*command) == [b"".join(expected)]
