"""Cursors go to browsers and come back: whatever comes, nobody sees rows that are not theirs."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

import pytest

from tests.servers import mongodb
from threadkeep import connect
from threadkeep.api.memory import Memory
from threadkeep.backends.memory import MemoryBackend
from threadkeep.errors import InputError, NotFound, NotOwner
from threadkeep.protocols import Backend
from threadkeep.types import Query

NAMESPACES, USERS, SESSIONS = ("a", "b"), ("ada", "eve"), 3
OURS = ("b", "eve")


class Verb(NamedTuple):
    """A verb of the public surface that takes a cursor, and which rows it may give."""

    call: Callable[..., Any]
    users: tuple[str, ...]
    by_id: bool = False


def verbs(memory: Memory, user: str, others: tuple[str, ...]) -> dict[str, Verb]:
    """All that take a cursor: the operator's, and one user's."""
    mine, chat, every = memory.user(user), f"{user}-0", (user, *others)
    return {
        "sessions": Verb(partial(memory.sessions, limit=2), every),
        "sessions of a user": Verb(partial(memory.sessions, user=user, limit=2), (user,)),
        "user.sessions": Verb(partial(mine.sessions, limit=2), (user,)),
        "conversations": Verb(partial(memory.conversations.list, limit=2), every),
        "user.conversations": Verb(partial(mine.conversations.list, limit=2), (user,)),
        "responses": Verb(partial(memory.responses.list, limit=2), every),
        "user.responses": Verb(partial(mine.responses.list, limit=2), (user,)),
        "responses of one": Verb(partial(mine.responses.list, conversation=chat, limit=1), (user,)),
        "feedback": Verb(partial(memory.feedback.list, limit=2), every),
        "user.feedback": Verb(partial(mine.feedback.list, limit=2), (user,)),
        "feedback of one": Verb(partial(mine.feedback.list, conversation=chat, limit=1), (user,)),
        "items": Verb(by_place(mine.session(chat).items, "after", limit=1), (user,), by_id=True),
        "items before": Verb(
            by_place(mine.session(chat).items, "before", limit=1), (user,), by_id=True
        ),
        "conversations.items": Verb(
            by_place(partial(mine.conversations.items, chat), "after", limit=1), (user,), by_id=True
        ),
        "chain": Verb(partial(chained, mine, f"{user}-0-r1"), (user,), by_id=True),
    }


def by_place(verb: Callable[..., Any], name: str, **how: Any) -> Callable[..., Any]:
    return lambda cursor=None: verb(**{name: cursor}, **how)


def chained(user: Any, id: str, cursor: Any = None) -> Any:
    return user.responses.chain(id if cursor is None else cursor, depth=1)


def filled(backend: Backend) -> dict[str, Memory]:
    """Two tenants with the same users, sessions and ids; each row says whose it is."""
    memories = {name: connect(backend, namespace=name) for name in NAMESPACES}
    for namespace, memory in memories.items():
        for user in USERS:
            for n in range(SESSIONS):
                fill(memory.user(user), f"{user}-{n}", f"{namespace}/{user}")
    return memories


def fill(user: Any, id: str, mark: str) -> None:
    user.session(id, metadata={"mark": mark}).add(mark, mark, mark)
    for n in range(2):
        before = {"previous_response_id": f"{id}-r{n - 1}"} if n else {}
        response = {"id": f"{id}-r{n}", "conversation": id, "metadata": {"mark": mark}, **before}
        user.responses.add({"model": "m", "output": [], **response})
        user.feedback.add(f"{id}-r{n}", rating="positive", comment=mark)


def mark(row: Any) -> str:
    return str(getattr(row, "comment", None) or row.metadata.get("mark") or row.text)


def harvest(memories: dict[str, Memory]) -> list[Any]:
    """Real cursors of each verb, for each tenant and user, as JSON brings them back."""
    cursors: list[Any] = []
    for memory in memories.values():
        for user in USERS:
            for verb in verbs(memory, user, ()).values():
                cursor = verb.call().cursor
                cursors += [] if cursor is None else [json.loads(json.dumps(cursor))]
    return cursors


STREAMS = ("a/session/eve-0", "a/sessions/eve", "b/session/eve-0", "b/session/", "a/", "b/", "b/x")
FOREIGN: tuple[Any, ...] = (  # what other stores give, made for the other tenant
    *STREAMS,
    [[], None, 0, ["a/session/eve-0", "a/session/ada-0"], False],
    [[], None, 0, ["a/session/eve-0", "b/session/eve-0"], True],
    [[[], None, 0, ["a/session/eve-1"], False], "a/session/eve-1"],
    [[[[], None, 0, ["a/session/eve-1"], False], "a/session/eve-1"], "eve-1"],
    [[[[], None, 0, ["a/session/eve-1"], False], "a/session/eve-1"], "eve-1", 2**40],
    [None, "a/session/eve-1"],
    [[None, "a/session/eve-1"], "eve-1"],
    [[None, "a/session/eve-1"], "eve-1", 2**40],
    f"00{'0' * 36}.log",
    f"../../a/{'0' * 36}.log",
)
NONSENSE: tuple[Any, ...] = (
    "",
    "x",
    "\0",
    "\ud800",
    "b/session/\0",
    "b/session/\ud800",
    True,
    False,
    1.5,
    -1,
    2**70,
    {},
    {"cursor": 1},
    [],
    [[]],
    [None] * 2,
    [None] * 3,
    [None] * 5,
    [[], None, 0, [1, 2], False],
    [[], None, 2**70, [], False],
    [[], None, True, [], False],
    [[1], None, 0, [], False],
    [[], None, 0, "b/session/eve-0", False],
    [[], None, 0, [], 0],
    [[], 1, 0, [], False],
    [{}, "x"],
    [[{}, "x"], "x"],
    [[{}, "x"], "x", 1],
)
"""What is no cursor of any list: each must say so, and never begin anew."""


def leaf(dice: random.Random) -> Any:
    own = [None, True, False, 0, 1, -1, 2**31, 2**53, 2**64, 1.5, "", "x", "eve-1", "ada-0", "%"]
    return dice.choice([*own, *STREAMS])


def value(dice: random.Random, depth: int = 3) -> Any:
    shape = dice.randrange(4) if depth else 0
    if shape < 2:
        return leaf(dice)
    parts = [value(dice, depth - 1) for _ in range(dice.randrange(6))]
    return parts if shape == 2 else {f"k{n}": part for n, part in enumerate(parts)}


def mutated(dice: random.Random, cursor: Any) -> Any:
    if not isinstance(cursor, list) or not cursor or dice.random() < 0.2:
        return value(dice, 2)
    parts, at = list(cursor), dice.randrange(len(cursor))
    step = dice.randrange(6)
    if step == 0:
        del parts[at]
    elif step == 1:
        parts.insert(at, value(dice, 1))
    else:
        parts[at] = mutated(dice, parts[at])
    return parts


def cursors(dice: random.Random, real: list[Any], count: int) -> Iterator[Any]:
    yield from real
    yield from FOREIGN
    for _ in range(count):
        yield value(dice) if dice.random() < 0.3 else mutated(dice, dice.choice(real))


def outcome(verb: Verb, cursor: Any) -> str:
    """How it ended: rows that are ours, or the refusal. Anything else fails."""
    try:
        rows = verb.call(cursor=cursor)
    except (InputError, NotFound, NotOwner) as error:
        if not verb.by_id and not (isinstance(error, InputError) and "cursor" in str(error)):
            raise
        return "refused"
    theirs = {mark(row) for row in rows} - {f"{OURS[0]}/{user}" for user in verb.users}
    assert not theirs, f"{cursor!r} shows rows of {theirs}"
    return "rows"


@pytest.fixture
def memories(store, request) -> Iterator[dict[str, Memory]]:
    backend = store.open()
    yield filled(backend)
    backend.close()


def test_any_cursor_gives_own_rows_or_is_refused(memories, request):
    slow = "mongodb" in request.node.name and mongodb.share() < 1
    dice = random.Random(request.node.name)
    mine = verbs(memories[OURS[0]], OURS[1], ("ada",))
    ends = {"rows": 0, "refused": 0}
    for cursor in cursors(dice, harvest(memories), 25 if slow else 250):
        for verb in mine.values():
            ends[outcome(verb, cursor)] += 1
    print(request.node.name, ends)
    assert min(ends.values()) > 50, ends


def test_what_is_no_cursor_is_refused_by_every_list(memories):
    for name, verb in verbs(memories["b"], "eve", ("ada",)).items():
        for cursor in NONSENSE:
            if not (verb.by_id and type(cursor) is int):
                assert outcome(verb, cursor) == "refused", f"{name} takes {cursor!r}"


def test_a_cursor_of_one_conversation_is_refused_by_another(memories):
    user = memories["b"].user("eve")
    for book in (user.responses, user.feedback):
        cursor = json.loads(json.dumps(book.list(conversation="eve-0", limit=1).cursor))
        assert len(book.list(conversation="eve-0", cursor=cursor)) == 1
        with pytest.raises(InputError, match="cursor"):
            book.list(conversation="eve-1", cursor=cursor)
        with pytest.raises(InputError, match="cursor"):
            book.list(cursor=cursor)


def test_cursors_lead_through_everything_after_json(memories):
    for name, verb in verbs(memories["b"], "eve", ("ada",)).items():
        rows, page = [], verb.call()
        while True:
            rows += [str(getattr(row, "id", row)) for row in page]
            if page.cursor is None or name == "items before":
                break
            page = verb.call(cursor=json.loads(json.dumps(page.cursor)))
        assert len(rows) == len(set(rows)) >= 1, name


class Careless(MemoryBackend):
    """Somebody's store: it names all streams whatever the prefix, and believes every cursor."""

    def streams(self, prefix: str, *, cursor: Any = None, limit: int = 1000) -> Any:
        every = super().streams("", limit=1000)[0]
        return every[cursor or 0 :][:limit], (cursor or 0) + limit if len(every) > limit else None


@pytest.mark.parametrize("cursor", [None, 0, 1, 5, "x", [1], {}, 1.5])
def test_a_careless_store_shows_no_other_namespace(cursor):
    memories = filled(Careless())
    for verb in verbs(memories["b"], "eve", ("ada",)).values():
        outcome(verb, cursor)


def test_a_record_under_another_name_is_no_row():
    backend = MemoryBackend()
    memory = filled(backend)["b"]
    (page,) = backend.read(Query("a/session/ada-0", "session"), now=0.0)
    backend.commit("b/session/eve-9", put=page.records, now=0.0)
    assert {mark(info) for info in memory.sessions()} == {"b/ada", "b/eve"}
