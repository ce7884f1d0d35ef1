"""Every verb that commits, cut after and before each of its commits, on every store.

Whatever is left: a live session is on its owner's list, an export holds all that can be read,
nobody else's data has changed, the verb can be repeated, and after `forget` nothing is left.

Embedded stores are cut everywhere in each run. On a server each verb is cut at one of its commits,
which is another one on the next server; `make soak` cuts them everywhere, too.
"""

from __future__ import annotations

import itertools
import json
import random
from contextlib import suppress
from functools import cache, partial

import pytest

from tests.backends.conftest import REQUIRED, STORES
from tests.responses.conftest import answer
from tests.sampling import SOAK, sampled
from threadkeep import connect
from threadkeep.backends.memory import MemoryBackend
from threadkeep.errors import Conflict, InputError, NotFound
from threadkeep.longterm import restore
from threadkeep.policies import max_messages
from threadkeep.sessions import scan
from threadkeep.types import Query, Record
from threadkeep.types.record_kinds import KINDS

EMBEDDED = ("memory", "file", "sqlite")
SERVERS = ("postgres", "mysql", "redis", "mongodb")
SPACES = (f"case{n}" for n in itertools.count())


class Cut(BaseException):
    """The process dies here."""


class Dying:
    """A store that a process dies at: before its n-th commit, sweep or purge, or right after it."""

    def __init__(self, inner, commits, *, before):
        self.inner, self.blocking = inner, inner.blocking
        self.commits, self.before = commits, before

    def __getattr__(self, name):
        verb = getattr(self.inner, name)
        return partial(self._call, verb) if name in ("sweep", "purge") else verb

    def commit(self, stream, **how):
        return self._call(self.inner.commit, stream, **how)

    def _call(self, verb, *arguments, **how):
        self.commits -= 1
        if self.before and self.commits == 0:
            raise Cut
        done = verb(*arguments, **how)
        if self.commits == 0:
            raise Cut
        return done


@pytest.fixture
def backend(request, tmp_path):
    try:
        made = STORES[request.param](tmp_path).open()
    except pytest.skip.Exception as skipped:
        if request.param in REQUIRED:
            pytest.fail(f"{request.param} was promised: {skipped}")
        raise
    yield made
    made.close()


def exported_elsewhere():
    with connect("memory://") as memory:
        zoe = memory.user("zoe")
        zoe.session("zoe old").add("zoe of old", "zoe said")
        memory.responses.add(answer("zoe old r", user="zoe"), conversation="zoe old")
        zoe.facts.add("zoe was elsewhere")
        return zoe.export()


EXPORT = exported_elsewhere()


def many(count):
    return [f"zoe says {n}" for n in range(count)]


def imported(memory):
    lines = enumerate(map(json.loads, EXPORT.splitlines()), start=1)
    for _ in restore.restore(memory._engine, restore.checked(lines)):
        pass


def first_item(memory):
    return memory.session("zoe 0", user="zoe").items()[0].id


VERBS = {
    "add to a new session": lambda m: m.session("zoe new", user="zoe").add("zoe is new"),
    "add": lambda m: m.session("zoe 0", user="zoe").add("zoe again"),
    "add much": lambda m: m.session("zoe new", user="zoe").add(*many(1_001)),
    "claim": lambda m: m.session("nobodys", user="zoe").add("zoe claims"),
    "claim by a title": lambda m: m.session("nobodys", user="zoe").update(title="zoe's"),
    "delete": lambda m: m.session("zoe 0", user="zoe").delete(),
    "delete as the operator": lambda m: m.session("zoe 0").delete(),
    "delete a conversation": lambda m: m.conversations.delete("zoe 0", user="zoe"),
    "create a conversation": lambda m: m.conversations.create("zoe c", user="zoe", items=many(2)),
    "fork": lambda m: m.session("zoe 0", user="zoe").fork("zoe fork"),
    "fork much": lambda m: m.session("zoe long", user="zoe").fork("zoe fork"),
    "rewind": lambda m: m.session("zoe 0", user="zoe").rewind(last=1),
    "clear": lambda m: m.session("zoe 0", user="zoe").clear(files=True),
    "rewrite": lambda m: m.session("zoe 0", user="zoe").set_items(*many(2)),
    "replace": lambda m: m.session("zoe 0", user="zoe").replace(first_item(m), "zoe anew"),
    "remove": lambda m: m.session("zoe 0", user="zoe").remove(first_item(m)),
    "forget items": lambda m: m.session("zoe 0", user="zoe").forget(first_item(m)),
    "add a file": lambda m: m.session("zoe new", user="zoe").files.add({"url": "zoe.txt"}),
    "add a response": lambda m: m.responses.add(answer("zoe r9", user="zoe")),
    "add it to a session": lambda m: m.responses.add(
        answer("zoe r9", user="zoe"), conversation="zoe 0"
    ),
    "delete a response": lambda m: m.responses.delete("zoe r0", user="zoe"),
    "clear responses": lambda m: m.responses.clear(user="zoe"),
    "add feedback": lambda m: m.feedback.add("zoe r0", rating="negative", comment="zoe frowns"),
    "restore": lambda m: m.user("zoe").restore(EXPORT),
    "import": imported,
    "learn a fact": lambda m: m.user("zoe").facts.add("zoe is tall"),
    "forget": lambda m: m.user("zoe").forget(purge=False),
    "retain": lambda m: m.session("zoe 0", user="zoe").add("zoe goes on", "zoe goes on"),
}


def delete_and_purge(memory):
    memory.session("zoe 0", user="zoe").delete()
    memory.purge()


PURGES = {
    "delete and purge": delete_and_purge,
    "forget and purge": lambda m: m.user("zoe").forget(purge=True),
}
BEFORE = {"fork much": lambda m: m.session("zoe long", user="zoe").add(*many(1_001))}
OPTIONS = {"retain": {"retain": max_messages(1)}}


def prepared(memory):
    """Two users with one of everything, and a session of nobody."""
    for user in ("zoe", "bob"):
        memory.session(f"{user} 0", user=user).add(f"{user} says so", f"{user} goes on")
        memory.session(f"{user} 0", user=user).files.add({"url": f"{user}.txt"})
        memory.responses.add(answer(f"{user} r0", user=user), conversation=f"{user} 0")
        memory.feedback.add(f"{user} r0", rating="positive", comment=f"{user} likes it")
        memory.session(f"{user} 0/helper", user=user, agent="helper").add("hidden from lists")
        memory.user(user).facts.add(f"{user} said it")
        summary = {"session": f"{user} 0", "text": f"{user} was here", "user": user}
        record = Record("summary", "summary", json.dumps(summary), memory._engine.now())
        memory._engine.commit(memory._engine.stream("summary", f"{user} 0"), put=[record], ttl=None)
    memory.session("nobodys").add("nothing")
    memory.responses.add(answer("nobodys r"), conversation="nobodys")


def records(memory):
    """All that the namespace holds, record by record, past all verbs."""
    prefix = memory._engine.settings.namespace + "/"
    names, cursor = set(), None
    while True:
        page, cursor = memory._engine.backend.streams(prefix, cursor=cursor)
        names.update(page)
        if cursor is None:
            break
    found = {}
    for name in sorted(names):
        pages = memory._engine.read(*(Query(name, kind) for kind in KINDS))
        if any(page.records for page in pages):
            found[name.removeprefix(prefix)] = [one for page in pages for one in page.records]
    return found


def of_user(found, user):
    """The sessions that are there and name the user: their items, by id."""
    sessions = {}
    for name, stored in found.items():
        own = [json.loads(r.body) for r in stored if r.kind == "session"]
        if name.startswith("session/") and own and own[0].get("user") == user:
            sessions[own[0]["id"]] = stored
    return sessions


def naming(found, word):
    """What holds a word: in the name of a stream, an id or a body."""
    return {
        name
        for name, stored in found.items()
        if any(word in text for r in stored for text in (name, r.id, r.body))
    }


def theirs(found, user):
    return {name: found[name] for name in naming(found, user)}


def check_left(memory):
    """What a crash may leave of a user."""
    found = records(memory)
    owned = of_user(found, "zoe")
    listed = {info.id for _, info in scan.sessions(memory._engine, "zoe", None)}
    assert owned.keys() == listed
    lines = [json.loads(line) for line in memory.user("zoe").export().splitlines()[1:]]
    written = {(line["session"], line["kind"], line["id"]) for line in lines if "session" in line}
    there = {(id, r.kind, r.id) for id, stored in owned.items() for r in stored}
    assert written == there
    for id, kind, name in there:
        if kind == "response":
            assert memory.responses.get(name, user="zoe").conversation == id


def check_forgotten(memory, before):
    claimed = "nobodys" in of_user(records(memory), "zoe")
    memory.user("zoe").forget(purge=False)
    found = records(memory)
    assert naming(found, "zoe") == set()
    assert theirs(found, "bob") == theirs(before, "bob")
    mine = {name for name in found if "nobodys" in name}
    assert mine == (set() if claimed else {"session/nobodys", "response/nobodys%20r"})


def cut(backend, name, commits, *, before):
    """A verb in a process that dies; whether it did, and what was there before and is now."""
    options = {"namespace": next(SPACES), **OPTIONS.get(name, {})}
    first = connect(backend, namespace=options["namespace"])
    first._engine.write_counts = None  # nor may it build one while the other is cut
    prepared(first)
    if name in BEFORE:
        BEFORE[name](first)
    stored = records(first)
    died = False
    try:
        memory = connect(Dying(backend, commits, before=before), **options)
        memory._engine.write_counts = None  # commits are counted: no index in the background
        (VERBS | PURGES)[name](memory)
    except Cut:
        died = True
    return died, connect(backend, **options), stored


@cache
def commits_of(name):
    """How often a verb commits, sweeps and purges."""
    ends = (cut(MemoryBackend(), name, at, before=False)[0] for at in itertools.count(1))
    return sum(1 for _ in itertools.takewhile(bool, ends))


CASES = [
    *itertools.product((*EMBEDDED, "postgres", "mysql", "redis"), VERBS),
    *itertools.product(["memory", "sqlite"], PURGES),
    ("file", "delete and purge"),
    *itertools.product(["mongodb"], ["claim", "delete"]),  # whose stand-in is slow
]


@sampled
@pytest.mark.proves("D7")
@pytest.mark.parametrize(("backend", "name"), CASES, indirect=["backend"])
def test_a_verb_cut_at_any_commit_loses_no_session_and_is_forgotten(backend, name, request):
    store = request.node.callspec.params["backend"]
    if SOAK or store in EMBEDDED:
        assert cut_everywhere(backend, name) > 0, "there was nothing to cut"
        return
    first = random.Random(name).randrange(commits_of(name))
    at = (first + SERVERS.index(store)) % commits_of(name) + 1
    assert cut_at(backend, name, at), f"it came to its end before commit {at}"


def cut_everywhere(backend, name):
    """Until it comes to its end; how often it was cut."""
    return next(at for at in itertools.count() if not cut_at(backend, name, at + 1))


def cut_at(backend, name, commits):
    """Check what a verb leaves that is cut before a commit, and right after it; whether it was."""
    _, memory, stored = cut(backend, name, commits, before=True)
    check_left(memory)
    check_forgotten(memory, stored)
    died, memory, stored = cut(backend, name, commits, before=False)
    check_left(memory)
    with suppress(Conflict, NotFound, InputError):  # done already
        (VERBS | PURGES)[name](memory)
    check_left(memory)
    check_forgotten(memory, stored)
    return died
