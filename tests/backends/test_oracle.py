"""Oracle without an Oracle: its settings, its statements by its grammar, connections that hang."""

from typing import Any

import pytest
import sqlglot
from sqlalchemy.dialects.oracle import dialect
from sqlalchemy.schema import CreateIndex, CreateTable
from sqlglot import exp

import threadkeep
from tests.durations import within
from threadkeep.backends.sql import SqlBackend, names, schema
from threadkeep.backends.sql.oracle import COLUMNS, Oracle
from threadkeep.backends.sql.url import DatabaseTarget
from threadkeep.errors import BackendError, BackendTimeout, ConfigError
from threadkeep.types import Query

# The driver forgets to close the socket of a connection that breaks while it is made.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

NAMES = names.parse("chat")
ORACLE = Oracle(DatabaseTarget("oracle", host="db"), NAMES)


def open_oracle(**options: Any) -> Any:
    """The backend that `connect` makes of a dict; tests look inside."""
    return threadkeep.connect({"type": "oracle", "user": "ada", "password": "pw"} | options).backend


@pytest.fixture(autouse=True)
def no_variables(monkeypatch):
    for name in ("WALLET_PATH", "TNS_ALIAS", "DSN", "USER", "PASSWORD", "EXTERNAL_AUTH"):
        monkeypatch.delenv(f"ATP_{name}", raising=False)
    for name in ("POOL_MIN", "POOL_MAX", "POOL_TIMEOUT_SECS"):
        monkeypatch.delenv(f"ATP_{name}", raising=False)


@pytest.fixture
def wallet(tmp_path):
    (tmp_path / "tnsnames.ora").write_text(
        "chat_high = (DESCRIPTION=(ADDRESS=(PROTOCOL=TCP)(HOST=127.0.0.1)(PORT=1))"
        "(CONNECT_DATA=(SERVICE_NAME=x)))\n"
    )
    return tmp_path


def statements():
    fields = [getattr(ORACLE.sql, name) for name in ORACLE.sql.__dataclass_fields__]
    fields[:] = [
        ORACLE.by_ids(text, {}, ["a", "b", "c"])[0][0] if "(:ids)" in text else text
        for text in fields
    ]
    fields[:] = [ORACLE.by_streams(text, {}, ["a", "b"])[0] for text in fields]
    test, _ = ORACLE.id_condition("i1", ["a"])
    reads = ORACLE.reads.build(2, ((0, True, None), (1, False, test)))
    tables = schema.build_metadata(NAMES, COLUMNS).sorted_tables
    ddl = [CreateTable(t) for t in tables] + [CreateIndex(i) for t in tables for i in t.indexes]
    return [*fields, reads, ORACLE._put, *(str(one.compile(dialect=dialect())) for one in ddl)]


@pytest.mark.parametrize("text", statements())
def test_each_statement_is_of_oracles_grammar(text):
    tree = sqlglot.parse_one(text, dialect="oracle", error_level=sqlglot.ErrorLevel.RAISE)
    assert not isinstance(tree, exp.Command), "not understood"
    assert not tree.find(exp.Limit), "Oracle has no LIMIT"
    assert len(text) < 4000
    assert ":ids)" not in text
    assert ":names)" not in text


def test_so_many_ids_take_few_texts_and_no_list_is_too_long():
    texts = {ORACLE.id_condition("i", ["x"] * n)[0] for n in range(1, 1001)}
    assert len(texts) == 11
    assert max(text.count(":") for text in texts) == 1000
    steps = ORACLE.by_ids(ORACLE.sql.drop_ids, {}, [str(n) for n in range(2500)])
    bound = {v for _, values in steps for name, v in values.items() if name.startswith("ids_")}
    assert len(steps) == 3
    assert bound == {str(n) for n in range(2500)}


@pytest.mark.proves("B50")
def test_a_dsn_wins_over_wallet_and_alias_with_a_warning(wallet):
    how = {"dsn": "db:1521/chat", "wallet_path": str(wallet), "tns_alias": "chat_high"}
    with pytest.warns(UserWarning, match="the dsn is used"):
        backend = open_oracle(user="ada", password="pw", **how)
    assert backend._dialect._connect_options.dsn == "db:1521/chat"
    assert open_oracle(wallet_path=str(wallet), tns_alias="chat_high")._dialect._connect_options[
        :4
    ] == ("chat_high", str(wallet), None, False)


@pytest.mark.proves("B50")
def test_the_environment_says_what_is_not_given(wallet, monkeypatch):
    for name, value in {
        "ATP_WALLET_PATH": str(wallet), "ATP_TNS_ALIAS": "chat_high", "ATP_USER": "ada",
        "ATP_PASSWORD": "hunter2", "ATP_EXTERNAL_AUTH": "false", "ATP_POOL_MIN": "2",
        "ATP_POOL_MAX": "5", "ATP_POOL_TIMEOUT_SECS": "7",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    backend: Any = threadkeep.connect({"type": "oracle"}).backend
    assert backend._database._target.user == "ada"
    assert backend._database._target.resolve_password() == "hunter2"
    assert (backend._pool._size, backend._timeout) == (5, 7.0)
    assert open_oracle(user="bob")._database._target.user == "bob"
    assert "hunter2" not in repr(backend) + repr(threadkeep.connect({"type": "oracle"}))
    monkeypatch.setenv("ATP_DSN", "db/chat")
    with pytest.warns(UserWarning, match="the dsn is used"):
        assert open_oracle()._dialect._connect_options.dsn == "db/chat"
    monkeypatch.setenv("ATP_POOL_MIN", "many")
    with pytest.raises(ConfigError, match="ATP_POOL_MIN must be a whole number of at least 1"):
        open_oracle()


@pytest.mark.proves("B50")
def test_defaults():
    backend = open_oracle(dsn="db/chat")
    assert (backend._pool._size, backend._timeout) == (16, 30.0)
    assert backend._dialect._connect_options.external_auth is False


@pytest.mark.proves("B50")
def test_external_auth_ignores_user_and_password():
    backend = open_oracle(dsn="db/chat", external_auth=True, user="ada", password="pw")
    assert backend._dialect._connect_options.external_auth
    assert backend._database._target.user is None
    assert backend._database._target.resolve_password() is None


@pytest.mark.proves("B50")
@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"pool_min": 0}, "pool_min must be a whole number of at least 1, got 0"),
        (
            {"pool_min": 17},
            "pool_max must be a whole number of at least pool_min, which is 17, got 16",
        ),
        (
            {"pool_min": 5, "pool_max": 4},
            "pool_max must be .* at least pool_min, which is 5, got 4",
        ),
        ({"pool_timeout_secs": 0}, "pool_timeout_secs must be a number of seconds above 0"),
        ({"dns": "db/chat"}, "oracle has no option 'dns'.*dsn"),
    ],
)
def test_limits_that_contradict_each_other_are_refused(options, says):
    with pytest.raises(ConfigError, match=says):
        open_oracle(**{"dsn": "db/chat", **options})


@pytest.mark.proves("B50")
def test_a_wallet_must_hold_its_files(tmp_path):
    with pytest.raises(ConfigError, match=r"holds neither tnsnames\.ora nor sqlnet\.ora"):
        open_oracle(wallet_path=str(tmp_path), tns_alias="x")
    (tmp_path / "sqlnet.ora").write_text("")
    open_oracle(wallet_path=str(tmp_path), tns_alias="x")
    with pytest.raises(ConfigError, match="needs a dsn, a host, or wallet_path with tns_alias"):
        open_oracle(wallet_path=str(tmp_path))


@pytest.mark.proves("B50")
def test_a_connection_attempt_never_hangs_past_its_time_out(silent_port):
    backend = SqlBackend(f"oracle://ada:pw@127.0.0.1:{silent_port}/chat", timeout=1)
    with within(3), pytest.raises(BackendTimeout, match="no connection within 1 s: check host"):
        backend.read(Query("s", "item"), now=1.0)
    backend.close()


@pytest.mark.parametrize(
    ("dsn", "says"),
    [("127.0.0.1:1/chat", "DPY-6005"), ("no-such-host.invalid:1521/chat", "name of the host|DPY")],
)
def test_where_nobody_listens_the_error_is_clear(dsn, says):
    backend = open_oracle(dsn=dsn, user="ada", password="hunter2")
    with pytest.raises(BackendError, match=says) as caught:
        backend.read(Query("s", "item"), now=1.0)
    assert "hunter2" not in str(caught.value)
    backend.close()


def test_an_alias_that_is_not_in_the_wallet_is_named(wallet):
    backend = open_oracle(wallet_path=str(wallet), tns_alias="chat_low", user="a", password="b")
    with pytest.raises(BackendError, match=r"name an alias that tnsnames\.ora has"):
        backend.read(Query("s", "item"), now=1.0)
    backend.close()
