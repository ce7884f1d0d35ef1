"""How a SQL database is named: URLs, dicts, the history service's keys, an Engine; no I/O yet."""

import pytest
from sqlalchemy import create_engine

import threadkeep
from tests.backends.sql_servers import EVERY_SERVER, SERVERS, fresh_table
from threadkeep.backends.sql import SqlBackend
from threadkeep.errors import BackendError, ConfigError
from threadkeep.types import Query

SECRET = "hunter2 is secret"
NOBODY = "postgresql://ada:hunter2%20is%20secret@db.example:5433/chat"


@pytest.fixture(params=EVERY_SERVER)
def server(request):
    return EVERY_SERVER[request.param]()


def remembers(memory):
    """It stores, and gives back."""
    with memory:
        chat = memory.session("s", user="ada")
        chat.add("hi")
        return [item.text for item in chat.items()] == ["hi"]


@pytest.mark.proves("B43")
@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
@pytest.mark.parametrize(
    ("rest", "seen"),
    [
        ("//ada:pw@db:5433/chat", "chat at db:5433"),
        ("//ada@db/chat?application_name=x", "chat at db"),
        ("//db", "at db"),
        ("///chat", "chat at the default host"),
        ("//ada:pw@[::1]:5433/chat", "chat at ::1:5433"),
    ],
)
def test_a_url_of_postgres_may_leave_out_every_part(scheme, rest, seen):
    assert f"PostgreSQL database {seen}," in repr(SqlBackend(f"{scheme}:{rest}"))


def test_the_table_may_stand_in_the_url(server):
    table = fresh_table()
    url = f"{server.url}{'&' if '?' in server.url else '?'}table_name={table}"
    assert remembers(threadkeep.connect(url))
    assert server.tables(table) == {table, f"{table}_streams", f"{table}_meta"}
    with pytest.raises(ConfigError, match="table_name must be a name"):
        threadkeep.connect(f"{url};drop")
    with pytest.raises(ConfigError, match="table_name is given twice"):
        threadkeep.connect({"url": url, "table_name": "other"})


@pytest.mark.proves("A21", "B43")
def test_a_url_a_dict_and_the_keys_of_the_history_service_name_the_same(server):
    target, table = server.target(), fresh_table()
    fields = {"host": target.host, "port": target.port, "user": target.user}
    fields |= {"password": target.password, "database": target.database, "table_name": table}
    for kind in (server.type, "url"):
        how = (
            {"type": kind, **fields} if kind != "url" else {"url": server.url, "table_name": table}
        )
        assert remembers(threadkeep.connect(how | {"namespace": kind}))
    history = {
        "type": "sql",
        "db_type": server.type,
        "sql_host": f"{target.host}:{target.port}",
        "sql_user": target.user,
        "sql_password": target.password,
        "sql_database": target.database,
        "table_name": table,
    }
    with threadkeep.HistoryService(history, identifier=f"{server.type} keys") as service:
        service.store_history("s", "user", "hello")
        assert service.get_history("s") == [{"role": "user", "content": "hello"}]
    assert server.count(table) >= 6


def test_the_tables_are_called_after_table_name(server):
    table = fresh_table()
    with threadkeep.connect({"url": server.url, "table_name": table}) as memory:
        memory.session("s").add("hi")
    assert server.tables(table) == {table, f"{table}_streams", f"{table}_meta"}


@pytest.mark.parametrize(
    "name", ["", "a b", "1a", 'a"b', "a`b", "a;b", "a.b.c", "é", "x" * 49, None]
)
def test_a_table_name_that_is_no_name_is_refused(name):
    with pytest.raises(ConfigError, match="table_name must be a name"):
        SqlBackend("postgresql://db", table_name=name)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"sslmode": "on"}, "sslmode must be one of disable, allow, prefer"),
        ({"aplication_name": "x"}, "aplication_name.*application_name"),
        ({"host": "other"}, "host is given twice"),
        ({"dialect": "mysql"}, "dialect is given twice"),
        ({"dialect": "postgrs"}, "no SQL database of type 'postgrs'.*postgres"),
        ({"password": "x"}, "password is given twice"),
        ({"pool_size": 0}, "pool_size must be a whole number of at least 1"),
        ({"timeout": 0}, "timeout must be a number of seconds above 0"),
        ({"connect_timeout": -1}, "connect_timeout must be a number of seconds above 0"),
        ({"port": 99999}, "port must be a whole number from 1 to 65535"),
    ],
)
def test_what_contradicts_or_is_unknown_is_named(options, says):
    with pytest.raises(ConfigError, match=says) as caught:
        SqlBackend(NOBODY, **options)
    assert SECRET not in str(caught.value)


@pytest.mark.proves("B45")
@pytest.mark.parametrize("kind", ["postgres", "mysql"])
@pytest.mark.parametrize("mode", [None, "disable", "allow", "prefer", "require"])
def test_a_ca_that_would_not_be_relied_on_is_refused(kind, mode):
    mode_option = {} if mode is None else {"sslmode": mode}
    with pytest.raises(ConfigError, match=f"sslmode={mode or 'prefer'} .*write sslmode=verify"):
        threadkeep.connect({"type": kind, "host": "db", "sslrootcert": "ca.pem", **mode_option})
    query = "&".join(["sslrootcert=ca.pem", *(f"{n}={v}" for n, v in mode_option.items())])
    with pytest.raises(ConfigError, match="write sslmode=verify-full"):
        threadkeep.connect(f"{kind}://db/chat?{query}")


@pytest.mark.parametrize("kind", ["postgres", "mysql"])
@pytest.mark.parametrize("mode", ["verify-ca", "verify-full"])
def test_a_ca_goes_with_the_verifying_modes(kind, mode):
    threadkeep.connect(f"{kind}://db/chat?sslrootcert=ca.pem&sslmode={mode}").close()


@pytest.mark.parametrize(
    "url", ["postgresql://ada:hunter2 is secret@db:port/chat", "postgresql://[db/hunter2 is secret"]
)
def test_a_url_that_cannot_be_read_is_not_repeated(url):
    with pytest.raises(ConfigError, match="cannot be read") as caught:
        SqlBackend(url)
    assert SECRET not in str(caught.value)


def test_no_repr_holds_a_password(server):
    backend = SqlBackend(NOBODY)
    memory = threadkeep.connect(NOBODY)
    for thing in (backend, memory, backend.__dict__, backend._database.__dict__):
        assert SECRET not in repr(thing)
        assert "hunter2" not in repr(thing)


def test_a_wrong_password_fails_at_once_and_is_in_no_error(server):
    target = server.target()
    backend = SqlBackend(
        dialect=server.type, host=target.host, port=target.port, user=target.user,
        password=SECRET, database=target.database,
    )  # fmt: skip
    with pytest.raises(BackendError, match="check user and password") as caught:
        backend.read(Query("s", "item"), now=1.0)
    error = caught.value
    while error is not None:
        assert SECRET not in str(error)
        error = error.__cause__ or error.__context__  # type: ignore[assignment]
    backend.close()


def test_a_password_may_be_a_callable_that_is_asked_at_each_connection(server):
    target, asked = server.target(), []

    def rotating():
        asked.append(1)
        return target.password

    backend = SqlBackend(
        dialect=server.type, host=target.host, port=target.port, user=target.user,
        password=rotating, database=target.database, table_name=fresh_table(),
    )  # fmt: skip
    backend.read(Query("s", "item"), now=1.0)
    assert len(asked) == 2, "one for the pool, one to make the tables"
    backend.read(Query("s", "item"), now=1.0)
    assert len(asked) == 2
    backend.close()


@pytest.mark.proves("C14")
def test_an_engine_of_the_applications_own_is_used_and_left_open(server):
    engine = create_engine(server.engine_url, pool_size=3)
    memory = threadkeep.connect(engine)
    assert str(engine.url.host) in repr(memory) or "sql" in repr(memory)
    with engine.connect() as connection:
        before = connection.exec_driver_sql("SELECT 1").scalar()
    backend = SqlBackend(engine, table_name=fresh_table())
    assert remembers(threadkeep.Memory(backend, owned=True))
    with engine.begin() as connection:  # neither closed, nor left to commit by itself
        assert connection.exec_driver_sql("SELECT 1").scalar() == before
        assert connection.connection.driver_connection is not None
    assert engine.pool.checkedout() == 0  # type: ignore[attr-defined]
    memory.close()
    engine.dispose()


def test_an_engine_of_another_encoding_is_refused_before_anything_is_garbled():
    how = {"client_encoding": "LATIN1"}
    engine = create_engine(SERVERS["postgres"]().engine_url, connect_args=how)
    backend = SqlBackend(engine, table_name=fresh_table())
    with pytest.raises(BackendError, match="must use UTF8, not iso8859-1"):
        backend.read(Query("s", "item"), now=1.0)
    engine.dispose()


def test_an_engine_that_cannot_be_used_is_refused():
    engine = create_engine("sqlite://")
    with pytest.raises(ConfigError, match="an Engine for sqlite"):
        SqlBackend(engine)
    with pytest.raises(ConfigError, match="host: an Engine already defines"):
        SqlBackend(create_engine("postgresql+psycopg://"), host="db")


@pytest.mark.proves("A21")
@pytest.mark.parametrize(
    ("url", "loaded", "others"),
    [
        ("postgresql://127.0.0.1:1/x", "psycopg", ("pymysql", "oracledb")),
        ("mysql://127.0.0.1:1/x", "pymysql", ("psycopg", "oracledb")),
    ],
)
def test_only_the_driver_in_use_is_imported(url, loaded, others, run_python):
    told = run_python(f"""
        import sys, threadkeep
        threadkeep.connect({url!r})
        print(*[name for name in {(loaded, *others)!r} if name in sys.modules])
    """)
    assert told.split() == [loaded]


@pytest.mark.proves("A23")
@pytest.mark.parametrize(("url", "driver", "extra"), [
    ("postgresql://db", "psycopg", "postgres"), ("mysql://db", "pymysql", "mysql"),
    ("mysql://db", "sqlalchemy", "mysql"),
])  # fmt: skip
def test_a_missing_driver_names_the_extra(url, driver, extra, run_python):
    told = run_python(f"""
        import sys, threadkeep
        sys.modules[{driver!r}] = None
        try:
            threadkeep.connect({url!r})
        except ImportError as error:
            print(error)
    """)
    assert f'pip install "threadkeep[{extra}]"' in told
