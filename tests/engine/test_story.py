"""Any story of a few sessions, told to a Memory and to plain lists: both must say the same."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.engine.doubles import Clock
from threadkeep import connect
from threadkeep.backends.memory import MemoryBackend
from threadkeep.backends.sqlite import SqliteBackend
from threadkeep.errors import Conflict, NotFound, NotOwner

TTL = 100.0
IDS = ["a", "b", "c"]
USERS = ["ada", "bob"]

sessions = st.sampled_from(IDS)
users = st.sampled_from([*USERS, None])
keys = st.sampled_from([f"k{n}" for n in range(6)])
places = st.integers(0, 5)
texts = st.text(max_size=3)


@dataclass
class Life:
    """A session as plain values."""

    user: str | None
    ends: float
    items: list[list[str]] = field(default_factory=list)  # id, text
    files: dict[str, str] = field(default_factory=dict)
    title: str | None = None


class Story(RuleBasedStateMachine):
    """Handles are kept from step to step, so that what they remember is tried too."""

    kind = "memory"

    @initialize()
    def begin(self):
        self.clock = Clock()
        self.backend = SqliteBackend(":memory:") if self.kind == "sqlite" else MemoryBackend()
        self.memory = connect(self.backend, clock=self.clock, ttl=TTL)
        self.handles: dict = {}
        self.lives: dict[str, Life] = {}

    def teardown(self):
        self.memory.close()
        self.backend.close()

    def chat(self, id, user):
        if (id, user) not in self.handles:
            self.handles[id, user] = self.memory.session(id, user=user)
        return self.handles[id, user]

    def life(self, id):
        life = self.lives.get(id)
        return life if life and self.clock.now < life.ends else None

    def refused(self, id, user):
        life = self.life(id)
        return life is not None and user is not None and life.user not in (None, user)

    def wrote(self, id, user):
        """The life that a write of a user goes to."""
        life = self.life(id)
        if life is None:
            life = self.lives[id] = Life(user, 0)
        life.user = life.user or user
        life.ends = self.clock.now + TTL
        return life

    def owned(self, id, user, act):
        """Does something, unless the session is another user's; whether it was done."""
        if self.refused(id, user):
            with pytest.raises(NotOwner):
                act()
            return False
        act()
        return True

    @rule(id=sessions, user=users, said=st.dictionaries(keys, texts, max_size=4))
    def add(self, id, user, said):
        messages = [{"role": "user", "content": text, "id": key} for key, text in said.items()]
        if not messages:
            assert self.chat(id, user).add() == []
        elif self.owned(id, user, lambda: self.chat(id, user).add(*messages)):
            life = self.wrote(id, user)
            for key, text in said.items():
                known = next((item for item in life.items if item[0] == key), None)
                if known:
                    known[1] = text
                else:
                    life.items.append([key, text])

    @rule(id=sessions, user=users, count=st.integers(1, 3))
    def add_without_ids(self, id, user, count):
        added: list = []
        if self.owned(id, user, lambda: added.extend(self.chat(id, user).add(*["x"] * count))):
            self.wrote(id, user).items += [[item.id, "x"] for item in added]

    @rule(id=sessions, user=users, key=keys, text=texts)
    def replace(self, id, user, key, text):
        life = self.life(id)
        known = next((item for item in life.items if item[0] == key), None) if life else None
        act = lambda: self.chat(id, user).replace(key, text)  # noqa: E731
        if known is None and not self.refused(id, user):
            with pytest.raises(NotFound):
                act()
        elif self.owned(id, user, act) and known is not None:
            self.wrote(id, user)
            known[1] = text

    @rule(id=sessions, user=users, place=places)
    def rewind(self, id, user, place):
        life = self.life(id)
        ids = [item[0] for item in life.items] if life else []
        if self.refused(id, user):
            self.owned(id, user, lambda: self.chat(id, user).rewind(before="k0"))
        elif place < len(ids):
            taken = self.chat(id, user).rewind(before=ids[place])
            assert [item.id for item in taken] == ids[place:]
            del self.wrote(id, user).items[place:]
        else:
            with pytest.raises(NotFound):
                self.chat(id, user).rewind(before="unknown")

    @rule(id=sessions, user=users, keep=st.integers(0, 4), files=st.booleans())
    def clear(self, id, user, keep, files):
        if self.owned(id, user, lambda: self.chat(id, user).clear(keep_last=keep, files=files)):
            life = self.life(id)
            if life and (files or len(life.items) > keep):
                life = self.wrote(id, user)
                life.items = life.items[-keep:] if keep else []
                life.files = {} if files else life.files

    @rule(id=sessions, user=users, key=keys)
    def remove(self, id, user, key):
        if self.owned(id, user, lambda: self.chat(id, user).remove(key)) and self.life(id):
            life = self.wrote(id, user)
            life.items = [item for item in life.items if item[0] != key]

    @rule(id=sessions, user=users)
    def delete(self, id, user):
        if self.owned(id, user, lambda: self.chat(id, user).delete()):
            self.lives.pop(id, None)

    @rule(id=sessions, user=users, title=texts)
    def update(self, id, user, title):
        if self.owned(id, user, lambda: self.chat(id, user).update(title=title)):
            self.wrote(id, user).title = title

    @rule(id=sessions, user=users, key=keys, name=texts)
    def add_file(self, id, user, key, name):
        if self.owned(id, user, lambda: self.chat(id, user).files.add({"url": key, "name": name})):
            self.wrote(id, user).files[key] = name

    @rule(id=sessions, user=users, key=keys)
    def remove_file(self, id, user, key):
        if self.owned(id, user, lambda: self.chat(id, user).files.remove(key)) and self.life(id):
            self.wrote(id, user).files.pop(key, None)

    @rule(id=sessions, user=users, to=sessions, place=places)
    def fork(self, id, user, to, place):
        life = self.life(id)
        ids = [item[0] for item in life.items] if life else []
        upto = ids[place] if place < len(ids) else None
        act = lambda: self.chat(id, user).fork(to, upto=upto)  # noqa: E731
        if self.refused(id, user) or self.refused(to, user):
            with pytest.raises((NotOwner, NotFound) if not life else NotOwner):
                act()
        elif life is None:
            with pytest.raises(NotFound):
                act()
        elif self.life(to):
            with pytest.raises(Conflict):
                act()
        else:
            copied = life.items if upto is None else life.items[: place + 1]
            self.handles[to, user] = act()
            self.lives[to] = Life(
                life.user or user,
                self.clock.now + TTL,
                [list(item) for item in copied],
                dict(life.files),
                life.title,
            )

    @rule(seconds=st.sampled_from([0.5, 30, 59, 61, TTL - 1, TTL]))
    def wait(self, seconds):
        self.clock.tick(seconds)

    @rule()
    def sweep(self):
        self.memory.sweep()

    @precondition(lambda self: len(self.handles) > 3)
    @rule()
    def restart(self):
        self.memory.close()
        self.memory = connect(self.backend, clock=self.clock, ttl=TTL)
        self.handles = {}

    @rule(id=sessions, user=users, place=places, limit=st.integers(0, 4))
    def read_a_part(self, id, user, place, limit):
        life = self.life(id)
        if life is None or self.refused(id, user) or place >= len(life.items):
            return
        chat, ids = self.chat(id, user), [item[0] for item in life.items]
        after = [item.id for item in chat.items(after=ids[place], limit=limit)]
        assert after == ids[place + 1 : place + 1 + limit]
        before = [item.id for item in chat.items(before=ids[place], last=limit)]
        assert before == (ids[:place][-limit:] if limit else [])

    @invariant()
    def both_say_the_same(self):
        for id in IDS:
            life = self.life(id)
            for user in (*USERS, None):
                chat = self.chat(id, user)
                if self.refused(id, user):
                    with pytest.raises(NotOwner):
                        chat.items()
                    continue
                found = [[item.id, item.content] for item in chat.items()]
                assert found == (life.items if life else [])
                files = {file.id: file.name or "" for file in chat.files.list()}
                assert files == (life.files if life else {})
                info = chat.info()
                assert (info is None) == (life is None)
                if info and life:
                    assert (info.user, info.title) == (life.user, life.title)

    @invariant()
    def the_lists_are_right(self):
        live = {id: life for id in IDS if (life := self.life(id))}
        assert sorted(info.id for info in self.memory.sessions()) == sorted(live)
        for user in USERS:
            listed = [info.id for info in self.memory.sessions(user=user)]
            assert sorted(listed) == sorted(id for id, life in live.items() if life.user == user)


class SqliteStory(Story):
    kind = "sqlite"


MANY = settings(
    max_examples=25,
    stateful_step_count=25,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@pytest.mark.parametrize("story", [Story, SqliteStory], ids=["memory", "sqlite"])
def test_any_story(story):
    case = story.TestCase
    case.settings = MANY
    case("runTest").runTest()
