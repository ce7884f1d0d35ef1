"""URLs of PostgreSQL mean to us what they mean to libpq, wherever a keyword stands in them."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import URL

import threadkeep
from tests.backends.sql_servers import fresh_table
from tests.servers import postgres
from threadkeep.backends.sql import SqlBackend
from threadkeep.backends.sql.url import from_url
from threadkeep.errors import BackendError, ConfigError, ThreadkeepError

PLACES = ("host", "port", "user", "password", "dbname")
KEYWORDS = [option.keyword.decode() for option in psycopg.pq.Conninfo.get_defaults()]
SECRETS = [name for name in KEYWORDS if name.endswith(("password", "_secret", "_key"))]
SECRET = "hunter2"
TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8)
HOSTS = st.sampled_from(["db", "127.0.0.1", "::1", "/run/pg", "/cloudsql/a:b:c", "db-2.example"])
PORTS = st.integers(1, 65535).map(str)
VALUES = {"host": HOSTS, "port": PORTS, "sslmode": st.sampled_from(["disable", "prefer"])}


def encoded(text):
    return quote(text, safe="")


def in_authority(host):
    return f"[{host}]" if ":" in host and not host.startswith("/") else encoded(host)


@st.composite
def urls(draw):
    """A URL with hosts, ports and credentials in the authority, the query, both or neither."""
    hosts = draw(st.lists(st.tuples(HOSTS, st.none() | PORTS), max_size=3))
    authority = ",".join(in_authority(h) + (f":{p}" if p else "") for h, p in hosts)
    if user := draw(st.none() | TEXT):
        password = draw(st.none() | TEXT)
        login = encoded(user) + ("" if password is None else f":{encoded(password)}")
        authority = f"{login}@{authority}"
    path = draw(st.sampled_from(["", "/", "/chat", "/%2Fa%20b%3F"]))
    names = draw(st.lists(st.sampled_from([*PLACES, *KEYWORDS]), max_size=4, unique=True))
    pairs = [(name, draw(VALUES.get(name, TEXT))) for name in names]
    query = "&".join(f"{name}={encoded(value)}" for name, value in pairs)
    scheme = draw(st.sampled_from(["postgres", "postgresql"]))
    return f"{scheme}://{authority}{path}{'?' if query else ''}{query}"


def meaning(target):
    """In libpq's keywords; what is empty stands for its default."""
    keywords = {"host": target.host, "port": target.port, "user": target.user}
    keywords |= {
        "password": target.resolve_password(),
        "dbname": target.database,
        **target.parameters,
    }
    return {name: str(value) for name, value in keywords.items() if value not in (None, "")}


def expected(url):
    """As the driver itself reads it."""
    keywords = {name: str(value) for name, value in conninfo_to_dict(url).items()}
    if not keywords.get("port", "").strip(","):
        keywords["port"] = ""
    return {name: value for name, value in keywords.items() if value}


def in_authority_and_query(url, name):
    """Does the URL say it in both places?"""
    place, _, query = url.partition("?")
    return name in conninfo_to_dict(place) and f"{name}=" in f"&{query}"


@settings(max_examples=300)
@given(url=urls())
def test_a_url_means_what_libpq_says(url):
    try:
        meant = expected(url)
    except (psycopg.Error, UnicodeError):
        with pytest.raises(ConfigError):
            from_url(url)
        return
    try:
        assert meaning(from_url(url)) == meant
    except ConfigError as error:
        name = str(error).partition(" is given twice, and differently")[0]
    else:
        return
    assert in_authority_and_query(url, name)


@settings(max_examples=300)
@given(rest=st.text(st.sampled_from("ab:/?&=%@,[]#+ é\0\x01127.5432"), max_size=30))
def test_garbage_is_read_as_libpq_does_or_refused(rest):
    url = f"postgresql://{rest}"
    try:
        backend = SqlBackend(url)
    except ConfigError:
        return
    # An `&` too many harms nobody, and SQLAlchemy writes URLs with spaces.
    place, mark, query = url.replace(" ", "%20").partition("?")
    query = "&".join(filter(None, query.split("&")))
    assert meaning(backend._database._target) == expected(place + mark + query)


@settings(max_examples=100)
@given(user=TEXT, password=TEXT)
def test_a_url_that_sqlalchemy_writes_is_read(user, password):
    how = {"username": user or "ada", "password": password, "host": "db", "database": "chat"}
    written = URL.create("postgresql+psycopg", **how).render_as_string(hide_password=False)
    target = from_url(written)
    assert (target.user, target.resolve_password() or "") == (user or "ada", password)


@pytest.fixture(scope="module")
def server():
    return postgres.shared()


def real(server):
    """What names the real server, by libpq's keywords."""
    where = {"host": "127.0.0.1", "port": str(server.port), "user": "postgres"}
    return where | {"password": postgres.PASSWORD, "dbname": "postgres"}


def url_of(keywords, in_query):
    """The same server, with some of its keywords in the query."""
    place = {name: "" if name in in_query else encoded(keywords[name]) for name in PLACES}
    login = place["user"] + (f":{place['password']}" if place["password"] else "")
    port = f":{place['port']}" if place["port"] else ""
    query = "&".join(f"{name}={encoded(keywords[name])}" for name in in_query)
    at = f"{login}@" if login else ""
    return f"postgresql://{at}{place['host']}{port}/{place['dbname']}?{query}"


def remembers(store):
    with threadkeep.connect(store, timeout=20) as memory:
        chat = memory.session("s")
        chat.add("hi")
        return chat.items()[-1].text == "hi"


@settings(max_examples=25)
@given(in_query=st.sets(st.sampled_from(PLACES)), again=st.booleans(), socket=st.booleans())
def test_the_real_server_is_reached_wherever_its_keywords_stand(server, in_query, again, socket):
    keywords = real(server) | ({"host": str(server.instance.folder)} if socket else {})
    url = url_of(keywords, sorted(in_query))
    if again:  # the same, keywords once more
        url += f"&port={server.port}"
    assert remembers(f"{url}&table_name=urls")


def used(url):
    with threadkeep.connect(url, timeout=5) as memory:
        memory.session("s").add("hi")


@pytest.mark.parametrize("name", PLACES)
def test_a_contradiction_names_the_keyword(server, name):
    keywords = real(server)
    other = {"port": "1"}.get(name, "other")
    url = f"{url_of(keywords, [])}{name}={other}"
    with pytest.raises(ConfigError, match=f"^{name} is given twice, and differently"):
        threadkeep.connect(url)
    option = {"dbname": "database"}.get(name, name)
    url = url_of(keywords, [name])
    with pytest.raises(ConfigError, match=f"{option} is given twice"):
        threadkeep.connect({"url": url, option: other})


def test_several_hosts_are_tried_in_turn(server):
    where = f"127.0.0.1:1,127.0.0.1:{server.port}"
    table = fresh_table()
    login = f"postgres:{postgres.ESCAPED}"
    assert remembers(f"postgresql://{login}@{where}/postgres?table_name={table}")
    fields: dict[str, Any] = {"user": "postgres", "password": postgres.PASSWORD}
    fields["database"] = "postgres"
    store = {"type": "postgres", "host": where, "table_name": table, **fields}
    assert remembers(store)
    assert where in repr(SqlBackend(dialect="postgresql", host=where, **fields))


@settings(max_examples=60)
@given(name=st.sampled_from(KEYWORDS), value=TEXT | st.integers(-5, 9).map(str))
@pytest.mark.parametrize("where", ["query", "option"])
def test_no_keyword_ends_in_an_error_of_the_driver(server, where, name, value):
    url = url_of(real(server), [])
    options: dict[str, Any] = {"table_name": "urls", "timeout": 3}
    try:
        if where == "query":
            backend = SqlBackend(f"{url}&{name}={encoded(value)}", **options)
        else:
            backend = SqlBackend(url, **options, **{name: value})
    except ConfigError:
        return
    try:
        backend.streams("")
    except BackendError:
        pass
    finally:
        backend.close()


@pytest.mark.parametrize("name", SECRETS)
@pytest.mark.parametrize(
    "more", ["", "&keepalives=x", "&sslmode=verify-ca", "&nonsense=1", "&port=x"]
)
def test_a_secret_parameter_is_in_no_error(server, name, more):
    place = f"127.0.0.1:{server.port}/postgres"
    for value in (SECRET, f"{SECRET}%zz", f"{SECRET}%00"):
        url = f"postgresql://postgres@{place}?{name}={value}{more}"
        with pytest.raises(ThreadkeepError) as caught:
            used(url)
        assert SECRET not in str(caught.value) + repr(caught.value)


@pytest.mark.parametrize(
    "password", ["12/hunter2", "a@hunter2", "12?hunter2=", "12#hunter2", "?hunter2"]
)
def test_a_password_that_is_not_encoded_is_not_shown(password):
    for url in (
        f"postgresql://ada:{password}@db/chat",
        f"postgresql://ada:{password}@db:1/chat?a=b",
    ):
        try:
            text = repr(SqlBackend(url))
        except ConfigError as error:
            text = str(error)
        assert SECRET not in text


def test_what_a_callable_password_raises_is_the_applications_own(server):
    def rotating():
        raise LookupError("no token")

    backend = SqlBackend(
        dialect="postgresql", host="127.0.0.1", port=server.port, password=rotating
    )
    with pytest.raises(LookupError, match="no token"):
        backend.streams("")
    backend.close()
