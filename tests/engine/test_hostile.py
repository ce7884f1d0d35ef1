"""Names and texts that would break a careless store."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.engine.doubles import Clock, Judge, check_name
from threadkeep import Memory, connect
from threadkeep.backends.memory import MemoryBackend
from threadkeep.backends.sqlite import SqliteBackend
from threadkeep.core import names

NAMES = [
    "\0",
    "a\0b",
    "\ud800",
    "\udfff",
    "a\udc80",
    "🙂",
    "👩‍👩‍👧 🇺🇳",
    "it's",
    '"quoted"',
    "`;--",
    "a/b",
    "a//b",
    "/",
    "..",
    "../../etc/passwd",
    "\\",
    "100%",
    "%2F",
    "%",
    "a%00",
    "%s {x} $x ?1 :x",
    "x" * 512,
    "x" * 513,
    "é" * 256,
    "é" * 257,
    "🙂" * 128,
    "y" * 5_000,
    "z" * 4_999 + "a",
    "z" * 4_999 + "b",
    "chat",
    "Chat",
    "CHAT",
    "chat ",
    " chat",
    "chat\n",
    "chat\t",
    "\u00e1",
    "a\u0301",
    "ß",
    "ss",
    "1",
    "01",
    "null",
    "None",
    "true",
    "_",
    "*",
    "[a-z]?",
    "session",
    "item",
    "default/session/chat",
    "=",
    "=a",
    names.key("y" * 5_000),
    names.key("\0"),
    names.key(names.key("\0")),
    "\u2028\ufeff\uffff",
    "\U0010ffff",
    "שלום",
]

TEXTS = [
    *NAMES,
    "",
    " ",
    "\r\n\t\x01\x1f\x7f\x85",
    "\\u0000",
    "\\ud800",
    "\ud800 alone",
    "\udc00\ud800 in the wrong order",
    "'); DROP TABLE threadkeep;--",
    '{"content": 1}',
    "[" * 500,
    "x" * 100_000,
]

PAIR = "\ud83d\ude00"  # two code points that JSON takes for one


def user(name):
    return {"role": "user", "content": name, "id": name}


def test_the_table_has_no_name_twice():
    assert len(set(NAMES)) == len(NAMES)


@pytest.mark.parametrize("wrap", [Judge], ids=["within limits"])
def test_sessions_of_any_name_are_told_apart(opened, wrap):
    memory = opened(wrap)
    for name in NAMES:
        memory.session(name, user="ada").add(user(name))
    for name in NAMES:
        chat = memory.session(name, user="ada")
        assert [item.content for item in chat.items()] == [name]
        assert chat.info().id == name
    for listing in (memory.sessions(limit=100), memory.sessions(user="ada", limit=100)):
        assert sorted(info.id for info in listing) == sorted(NAMES)
    for name in NAMES[::2]:
        memory.session(name, user="ada").delete()
    left = memory.sessions(user="ada", limit=100)
    assert [info.id for info in left][::-1] == NAMES[1::2]


def test_users_of_any_name_are_told_apart(opened):
    memory = opened(Judge)
    for number, name in enumerate(NAMES):
        memory.session(f"s{number}", user=name).add("x")
    for number, name in enumerate(NAMES):
        assert [info.id for info in memory.user(name).sessions()] == [f"s{number}"]
        assert memory.session(f"s{number}", user=name).info().user == name


def test_items_of_any_id_are_told_apart(opened):
    chat = opened(Judge).session("chat", user="ada")
    chat.add(*map(user, NAMES))
    assert [item.id for item in chat.items()] == NAMES
    assert [item.content for item in chat.items()] == NAMES
    for place, name in enumerate(NAMES):
        assert chat.items(after=name, limit=1) == chat.items()[place + 1 : place + 2]
        assert chat.replace(name, "changed " + name).id == name
    assert [item.content for item in chat.items()] == ["changed " + name for name in NAMES]
    copy = chat.fork("copy")
    assert [item.id for item in copy.rewind(before=NAMES[20])] == NAMES[20:]


def test_files_of_any_key_are_told_apart(opened):
    files = opened(Judge).session("chat", user="ada").files
    for name in NAMES:
        files.add({"url": name, "name": name, name: name})
    assert [(file.id, file.url, file.name) for file in files.list()] == [
        (name, name, name) for name in NAMES
    ]
    for name in NAMES[1:]:
        files.remove(name)
    assert [file.id for file in files.list()] == NAMES[:1]


@pytest.mark.parametrize(
    "name",
    [
        "a/b",
        "%",
        "..",
        "\0",
        "\ud800",
        "x" * 64,
        pytest.param(
            "🙂" * 64,
            id="64 emoji",
        ),
    ],
)
def test_namespaces_of_any_name(opened, name):
    memory = opened(Judge, namespace=name)
    for id in ("s", "y" * 5_000):
        memory.session(id, user="ada").add("x")
    assert len(memory.sessions()) == len(memory.sessions(user="ada")) == 2
    assert opened(namespace="other").sessions() == []


def test_a_name_that_looks_hashed_does_not_meet_the_hashed_one(memory):
    long = "y" * 5_000
    stream = names.stream("default", "session", long)
    posing = stream.rpartition("/")[2]
    memory.session(long, user="ada").add("long")
    memory.session(posing, user="bob").add("posing")
    assert [item.content for item in memory.session(long).items()] == ["long"]


@pytest.mark.parametrize("text", TEXTS)
def test_texts_come_back_exactly(chat, text):
    chat.add(text, {"role": "assistant", "content": [{"type": "text", "text": text}]})
    chat.add({"role": "user", "content": "x", "metadata": {text: [text]}, "name": text or None})
    one, two, three = chat.items()
    assert (one.content, two.text, three.metadata) == (text, text, {text: [text]})
    chat.update(title=text, metadata={text: text})
    assert (chat.info().title, chat.info().metadata) == (text, {text: text})


def test_two_surrogates_come_back_as_the_character_they_spell(memory):
    chat = memory.session(PAIR, user=PAIR)
    (added,) = chat.add({"role": "user", "content": PAIR, "id": PAIR})
    assert added.id == chat.user == chat.id == "\N{GRINNING FACE}"
    assert [(item.id, item.content) for item in chat.items()] == [(added.id, added.id)]
    assert chat.replace(PAIR, "y").seq == added.seq
    assert memory.session("\N{GRINNING FACE}", user="\N{GRINNING FACE}").items()[0].text == "y"


# --- and those that nobody thought of ---

lone = st.characters(codec=None)  # surrogates among them
odd = st.text(st.one_of(lone, st.sampled_from("\0%/.='\" aA🙂é\ud800")), max_size=20)


def unpaired(text):
    return json.loads(json.dumps(text)) == text


id_ = odd.filter(bool).filter(unpaired)
many = settings(
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture(scope="module", params=["memory", "sqlite"])
def store(request):
    """One store for all examples, which each take a namespace of their own."""
    inner = MemoryBackend() if request.param == "memory" else SqliteBackend(":memory:")
    yield Judge(inner)
    inner.close()


spaces = iter(f"example{n}" for n in range(10**9))


def fresh(store) -> Memory:
    return connect(store, clock=Clock(), namespace=next(spaces))


@many
@given(ids=st.lists(id_, min_size=1, max_size=6, unique=True), users=st.lists(id_, min_size=1))
def test_any_names(store, ids, users):
    memory = fresh(store)
    of = {id: users[n % len(users)] for n, id in enumerate(ids)}
    for id, name in of.items():
        memory.session(id, user=name).add({"role": "user", "content": id, "id": id})
    for id, name in of.items():
        (item,) = memory.session(id, user=name).items()
        assert (item.id, item.content) == (id, id)
        assert id in [info.id for info in memory.sessions(user=name)]
    assert sorted(info.id for info in memory.sessions()) == sorted(ids)


@many
@given(ids=st.lists(id_, max_size=8, unique=True))
def test_any_item_ids(store, ids):
    chat = fresh(store).session("chat")
    placed = [id for id in ids if id != "__fake_id__"]
    chat.add(*({"role": "user", "content": "x", "id": id} for id in placed))
    assert [item.id for item in chat.items()] == placed
    for id in placed:
        assert chat.replace(id, "y").id == id
    for place, id in reversed(list(enumerate(placed))):
        assert [item.id for item in chat.rewind(before=id)] == [id]
        assert len(chat.items()) == place


@many
@given(texts=st.lists(odd.filter(unpaired), max_size=8))
def test_any_texts(store, texts):
    chat = fresh(store).session("chat")
    chat.add(*texts)
    assert [item.content for item in chat.items()] == texts


leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    odd.filter(unpaired),
)
trees = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(odd.filter(unpaired), inner, max_size=3)
    ),
    max_leaves=8,
)


@many
@given(metadata=st.dictionaries(odd.filter(unpaired), trees, max_size=3))
def test_any_metadata(store, metadata):
    chat = fresh(store).session("chat")
    chat.add({"role": "user", "content": "x", "metadata": metadata})
    file = chat.files.add({"url": "u", "more": metadata})
    assert chat.items()[0].metadata == metadata
    assert chat.files.list() == [file]
    assert file.metadata["more"] == metadata


@many
@given(namespace=odd.filter(bool), noun=st.sampled_from(["session", "user"]), name=odd)
def test_names_are_safe_and_told_apart(namespace, noun, name):
    stream = names.stream(namespace, noun, name)
    check_name(stream)
    assert stream.startswith(names.noun_prefix(namespace, noun))
    assert stream.isascii()
    assert stream.count("/") == 2
    if name:
        check_name(names.key(name))
