"""The history service on every server, by the keys of its configuration."""

import pytest

from tests.servers import mongodb, mysql, postgres, redis
from tests.servers.instances import fresh_table
from threadkeep import HistoryService
from threadkeep.backends.sql.url import from_url


def _sql(db_type, url):
    at = from_url(url)
    where = {"sql_host": f"{at.host}:{at.port}", "sql_database": at.database}
    login = {"sql_user": at.user, "sql_password": at.resolve_password()}
    return {"type": "sql", "db_type": db_type, **where, **login, "table_name": fresh_table()}


def _redis(url):
    _, _, place = url.partition("://")
    host, _, rest = place.partition(":")
    port, _, db = rest.partition("/")
    where = {"redis_host": host, "redis_port": int(port), "redis_db": int(db or 0)}
    return {"type": "redis", **where, "redis_prefix": fresh_table()}


PROVIDERS = {
    "postgres": lambda: _sql("postgres", postgres.url()),
    "mysql": lambda: _sql("mysql", mysql.url()),
    "redis": lambda: _redis(redis.url()),
    "mongodb": lambda: {
        "type": "mongodb", "mongodb_uri": mongodb.url(), "mongodb_collection": fresh_table(),
    },
}  # fmt: skip


ROWS = {"postgres": "A21", "mysql": "A21", "redis": "A19", "mongodb": "A20"}


@pytest.fixture(
    params=[pytest.param(name, marks=pytest.mark.proves(row)) for name, row in ROWS.items()]
)
def config(request):
    return PROVIDERS[request.param]()


def test_what_is_stored_comes_back_in_another_process_and_goes_when_cleared(config):
    service = HistoryService(config, identifier="one")
    for n in range(3):
        service.store_history("s", "user", f"question {n}", identity="ada")
        service.store_history("s", "assistant", {"answer": n}, identity="ada")
    service.store_file("s", {"name": "report.csv", "mime_type": "text/csv"})
    before = service.get_history("s")
    assert before[0] == {"role": "user", "content": "question 0"}
    assert len(before) == 6
    service.close()

    again = HistoryService(config, identifier="one")
    assert again.get_history("s") == before
    assert list(again.get_files("s").keys()) == ["report.csv"]
    again.clear("s", keep_levels=2)
    assert again.get_history("s") == before[-2:]
    again.clear("s")
    assert again.get_history("s") == []
    again.close()


def test_a_policy_deletes_what_is_too_much_and_a_life_ends(config):
    now = 1_750_000_000.0
    policy = {"history_policy": {"max_turns": 4}, "time_to_live": 60}
    service = HistoryService({**config, **policy}, identifier="two", clock=lambda: now)
    for n in range(10):
        service.store_history("s", ("user", "assistant")[n % 2], f"turn {n}")
    assert [turn["content"] for turn in service.get_history("s")] == [
        f"turn {n}" for n in range(6, 10)
    ]
    now += 61
    assert service.get_history("s") == []
    service.close()
