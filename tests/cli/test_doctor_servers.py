"""`doctor` at the bedside of a server: what is wrong, and what to do about it."""

import json
import signal
import socket
import time

import pytest
from pymongo import MongoClient
from sqlalchemy import make_url

from tests.backends.sql_servers import SERVERS, fresh_table
from tests.servers import mongodb, redis
from tests.servers.instances import free_port
from threadkeep import connect
from threadkeep.backends.sql.schema import VERSION

pytestmark = [pytest.mark.proves("B57"), pytest.mark.slow]
ENGINES = {"postgres": "PostgreSQL ", "mysql": "MariaDB "}


@pytest.fixture(params=SERVERS)
def server(request):
    return SERVERS[request.param]()


def of(url, **parameters):
    """The URL with more parameters; passwords stay in it."""
    more = {name: str(value) for name, value in parameters.items()}
    return make_url(url).update_query_dict(more).render_as_string(hide_password=False)


@pytest.fixture
def checked(cli):
    """What `doctor` found, by what it looked at."""

    def check(url, *flags):
        said = cli("doctor", "--url", url, "--json", *flags)
        found = {check["about"]: check for check in json.loads(said.out)}
        failed = {name: check for name, check in found.items() if check["state"] == "fail"}
        assert said.code == bool(failed)
        return found, failed

    return check


def test_a_sql_store_in_health(checked, server):
    url = of(server.url, table_name=fresh_table())
    found, failed = checked(url)
    assert not failed
    assert "not yet" in found["exists"]["found"]
    assert found["exists"]["remedy"].endswith("check the tables")
    assert not server.tables(url.partition("table_name=")[2]), "looking made tables"
    with connect(url) as memory:
        memory.session("chat").add("Hello")
    found, failed = checked(url, "--write")
    assert not failed
    assert found["engine"]["found"].startswith(ENGINES[server.type])
    assert found["schema"]["found"] == str(VERSION)
    assert found["tls"]["found"]
    assert " of " in found["connections"]["found"]
    assert " ms " in found["read"]["found"]


def test_a_wrong_password(checked, server):
    url = make_url(server.url).set(password="hunter2").render_as_string(hide_password=False)
    found, failed = checked(url)
    assert failed["store"]["remedy"].startswith("check user and password")
    assert "hunter2" not in str(found)


def test_tables_of_another_program(checked, server):
    table = fresh_table()
    server.run(f"CREATE TABLE {table} (text VARCHAR(20))")
    _, failed = checked(of(server.url, table_name=table))
    assert "not threadkeep's" in failed["store"]["found"]
    assert failed["store"]["remedy"].startswith("pass another table_name")


def test_a_newer_schema(checked, server):
    url = of(server.url, table_name=(table := fresh_table()))
    with connect(url) as memory:
        memory.session("chat").add("Hello")
    server.run(f"UPDATE {table}_meta SET version = {VERSION + 1}")
    _, failed = checked(url)
    assert failed["read"]["remedy"] == "upgrade threadkeep"


def test_a_server_that_takes_calls_and_stays_silent(checked, server):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        place = make_url(server.url).set(host="127.0.0.1", port=silent.getsockname()[1])
        _, failed = checked(of(place.render_as_string(hide_password=False), connect_timeout=1))
    assert "no connection within 1 s, the connect_timeout" in failed["store"]["found"]


@pytest.mark.parametrize("scheme", ["postgresql", "mysql", "redis", "mongodb"])
def test_nobody_listens(checked, scheme):
    place = f"{scheme}://127.0.0.1:{free_port()}/1"
    _, failed = checked(place)
    assert "127.0.0.1" in failed["store"]["found"]
    assert "check" in failed["store"]["remedy"]


def test_another_kind_of_server_than_was_said(checked):
    other = make_url(redis.url())
    _, failed = checked(f"postgresql://127.0.0.1:{other.port}/x?connect_timeout=2")
    assert failed["store"]["remedy"]


def test_redis_in_health_and_about_to_throw_away_sessions(checked):
    server = redis.Redis("--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru")
    try:
        found, failed = checked(server.url(), "--write")
        assert not failed
        assert found["engine"]["found"].startswith(("Redis ", "Valkey "))
        assert found["eviction"]["state"] == "note"
        assert found["eviction"]["remedy"].endswith("set maxmemory-policy to noeviction")
        assert "2592000 s" in found["retention"]["found"], "data expires, which should not surprise"
        server.instance.signal(signal.SIGSTOP)
        _, failed = checked(of(server.url(), timeout=1))
        assert "no connection within 1 s" in failed["store"]["found"]
        assert failed["store"]["remedy"].startswith("check host, port")
        server.instance.signal(signal.SIGCONT)
    finally:
        server.remove()


def test_mongodb_in_health(checked):
    url = of(mongodb.url().rstrip("/") + "/history_db", collection=(name := fresh_table()))
    found, failed = checked(url)
    assert not failed
    assert "not yet" in found["exists"]["found"]
    with connect(url) as memory:
        memory.session("chat").add("Hello")
    found, failed = checked(url)
    assert not failed
    assert found["engine"]["found"].startswith("MongoDB ")
    client: MongoClient = MongoClient(mongodb.url())
    with client:
        there = client["history_db"][name].count_documents({})
    assert found["documents"]["found"] == str(there)


def test_a_clock_that_is_off_is_named(checked, monkeypatch):
    prefix = fresh_table()
    url = f"{redis.url()}?prefix={prefix}"
    with connect(url) as memory:
        memory.session("chat").add("Hello")
    assert checked(url)[0]["clock"]["state"] == "ok"
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() - 7200)
    clock = checked(url)[0]["clock"]
    assert clock["state"] == "note"
    assert clock["found"] == "7200 s behind the server's, whose time is used"
    assert "NTP" in clock["remedy"]
