"""What can be stored and comes back: entries, files, and whose they are."""

import pytest

from threadkeep.errors import ConfigError, InputError, NotOwner


@pytest.mark.proves("A10")
@pytest.mark.parametrize("role", ["user", "assistant", "system", "tool", "human", "Oracle of Ωδ"])
def test_any_role_comes_back(service, role):
    service.store_history("s", role, "Hello")
    assert service.get_history("s") == [{"role": role, "content": "Hello"}]


@pytest.mark.proves("A10")
@pytest.mark.parametrize("empty", ["", {}, None, []])
def test_empty_content_is_stored_nowhere(service, empty):
    service.store_history("s", "user", empty)
    assert service.get_history("s") == []
    assert service.memory.session("s").info() is None


@pytest.mark.proves("A10", "A25")
@pytest.mark.parametrize(
    "content",
    [
        {"total": 12.5, "rows": [1, None, {"ok": True}]},
        {"type": "text", "text": "not a block"},
        {"role": "user", "content": "not a message"},
        {"": ""},
        ["a", {"b": 1}],
        0,
        False,
        "NUL \0, a lone \ud800, 😀",
        " ",
    ],
)
def test_any_json_comes_back_as_it_was(service, content):
    service.store_history("s", "system", content)
    assert service.get_history("s") == [{"role": "system", "content": content}]


@pytest.mark.proves("A10")
@pytest.mark.parametrize("content", [{1: "a"}, {"a": {1, 2}}, b"bytes", object(), float("nan")])
def test_what_is_no_json_is_refused(service, content):
    with pytest.raises(InputError, match=r"content|JSON"):
        service.store_history("s", "user", content)
    assert service.get_history("s") == []


@pytest.mark.proves("A10")
@pytest.mark.parametrize(
    ("field", "arguments"),
    [
        ("session_id", ("", "user", "Hello")),
        ("session_id", (None, "user", "Hello")),
        ("session_id", (["s"], "user", "Hello")),
        ("role", ("s", "", "Hello")),
        ("role", ("s", 1, "Hello")),
        ("other_history_props", ("s", "user", "Hello", "ada")),
        ("identity", ("s", "user", "Hello", {"identity": 7.0})),
        ("identity", ("s", "user", "Hello", {"identity": ""})),
    ],
)
def test_a_wrong_argument_is_an_error_that_names_it(service, field, arguments):
    error = ConfigError if field == "identity" else InputError
    with pytest.raises(error, match=field):
        service.store_history(*arguments)


@pytest.mark.proves("A12")
def test_what_is_read_is_the_readers_own(service):
    service.store_history("s", "user", {"a": [1]})
    service.store_file("s", {"name": "f", "tags": ["x"]})
    service.get_history("s")[0]["content"]["a"].append(2)
    service.get_history("s").clear()
    service.get_files("s")["f"]["tags"].append("y")
    assert service.get_history("s") == [{"role": "user", "content": {"a": [1]}}]
    assert service.get_files("s") == {"f": {"name": "f", "tags": ["x"]}}


@pytest.mark.proves("A12")
def test_long_term_memory_is_empty_and_asked_for_apart(service):
    service.store_history("s", "user", "I am Ada", identity="ada")
    assert service.get_context("s", identity="ada") == ""
    assert service.get_facts("s", identity="ada") == []
    assert service.get_instructions("s", identity="ada") == []
    assert service.get_summary("s") == ""
    assert service.get_history("s") == [{"role": "user", "content": "I am Ada"}]


@pytest.mark.proves("A10")
@pytest.mark.parametrize(
    "who",
    [
        {"identity": "ada"},
        {"other_history_props": {"identity": "ada"}},
        {"other_history_props": {"identity": "ada", "gateway": "web"}, "identity": "ada"},
    ],
)
def test_an_identity_makes_the_session_its_users(service, who):
    service.store_history("s", "user", "Hello", **who)
    service.store_history("s", "assistant", "Good day")
    assert [info.id for info in service.memory.user("ada").sessions()] == ["s"]
    assert len(service.get_history("s", **who)) == 2
    with pytest.raises(NotOwner):
        service.store_history("s", "user", "Hello", identity="bob")
    with pytest.raises(NotOwner):
        service.get_history("s", {"identity": "bob"})


def test_two_identities_at_once_contradict_each_other(service):
    with pytest.raises(InputError, match="identity is given twice"):
        service.store_history("s", "user", "Hello", {"identity": "bob"}, identity="ada")


@pytest.mark.parametrize("nobody", [{}, {"identity": None}])
def test_anonymous_sessions_share_nothing(service, nobody):
    for session in ("one", "two"):
        service.store_history(session, "user", f"I am in {session}", nobody)
        service.store_file(session, {"name": session})
    assert service.get_history("one", nobody) == [{"role": "user", "content": "I am in one"}]
    assert list(service.get_files("two").keys()) == ["two"]
    assert [info.user for info in service.memory.sessions()] == [None, None]


@pytest.mark.proves("A11", "A13")
def test_files_are_known_by_url_else_by_name(service):
    by_url = {"url": "https://example.com/a", "name": "a", "size": 3}
    by_name = {"name": "a", "schema": {"rows": [1, 2]}, "note": None, "url": ""}
    for file in (by_url, by_name):
        service.store_file("s", file)
    assert service.get_files("s") == {"https://example.com/a": by_url, "a": by_name}


@pytest.mark.proves("A11")
def test_storing_a_file_again_updates_it(service):
    service.store_file("s", {"url": "u", "name": "first", "size": 3, "expiration_timestamp": 9e9})
    service.store_file("s", {"url": "u", "name": "second"})
    assert service.get_files("s") == {"u": {"url": "u", "name": "second"}}


@pytest.mark.proves("A11")
@pytest.mark.parametrize(
    ("field", "file"),
    [
        ("url or a name", {"size": 3}),
        ("file must be a dict", ["name"]),
        ("data", {"name": "a", "data": b"the bytes themselves"}),
        ("url", {"url": 7}),
        ("expiration_timestamp", {"name": "a", "expiration_timestamp": "soon"}),
    ],
)
def test_a_file_that_cannot_be_stored_is_refused(service, field, file):
    with pytest.raises(InputError, match=field):
        service.store_file("s", file)
    assert service.get_files("s") == {}


@pytest.fixture
def told(service):
    for role, content in [("user", "a"), ("user", "b"), ("assistant", "c"), ("user", "d")]:
        service.store_history("s", role, content)
    service.store_file("s", {"name": "f"})
    return service


@pytest.mark.proves("A15")
@pytest.mark.parametrize("keep", [0, 1, 2, 3, 7])
def test_clear_keeps_the_newest_entries_as_they_are_read(told, keep):
    before = told.get_history("s")
    told.clear("s", keep)
    assert told.get_history("s") == (before[-keep:] if keep else [])
    assert told.get_files("s") == {}


@pytest.mark.proves("A15")
def test_clear_history_may_leave_the_files(told):
    told.clear_history("s", keep_levels=1, clear_files=False)
    assert [entry["content"] for entry in told.get_history("s")] == ["d"]
    assert list(told.get_files("s").keys()) == ["f"]
    told.clear_history("s")
    assert (told.get_history("s"), told.get_files("s")) == ([], {})


@pytest.mark.proves("A15")
@pytest.mark.parametrize("wrong", [-1, 1.5, "2", None, True])
def test_keep_levels_is_a_whole_number(told, wrong):
    with pytest.raises(InputError, match="keep_levels"):
        told.clear("s", wrong)
    assert len(told.get_history("s")) == 3


def test_clearing_what_is_not_there_is_no_error(service):
    service.clear("nothing")
    service.clear("nothing", keep_levels=3)
    assert service.memory.session("nothing").info() is None
