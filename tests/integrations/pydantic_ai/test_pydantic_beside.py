"""Drawn histories in the framework's own store and in ours: every primitive does the same."""

from __future__ import annotations

import copy

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from pydantic_ai.conversation import Conversation, ConversationTypeAdapter
from pydantic_ai.conversation_store import (
    ConversationConflict,
    ConversationEntry,
    ConversationRecord,
    InMemoryConversationStore,
)
from pydantic_ai.exceptions import UserError
from pydantic_ai.messages import ToolCallPart
from pydantic_ai.tools import DeferredToolRequests
from pydantic_ai.usage import RunUsage

import threadkeep
from pydantic_ai_threadkeep import ThreadkeepConversationStore
from tests.integrations.pydantic_ai.conftest import MESSAGES, Beside, many, run

CONVERSATIONS = st.sampled_from(["a", "b", "c/ü", "d"])
SCOPES = st.sampled_from([None, None, "ada", "bob"])
NEW = st.lists(MESSAGES, max_size=3)


class Stores(RuleBasedStateMachine):
    """A store of each kind, and the conversations that an application holds."""

    backend = "memory://"

    @initialize()
    def open(self):
        self.memory = threadkeep.connect(self.backend)
        self.both = Beside(ThreadkeepConversationStore(self.memory), InMemoryConversationStore())
        self.loaded = {}
        self.entries = []

    def teardown(self):
        if hasattr(self, "memory"):
            self.memory.close()

    def attempt(self, coroutine):
        """Both may refuse, if both do."""
        try:
            return run(coroutine)
        except (ConversationConflict, UserError):
            return None

    def keep(self, conversation):
        if conversation is not None:
            self.loaded.setdefault(conversation.conversation_id, []).append(conversation)

    def held(self, id, data):
        return data.draw(st.sampled_from(self.loaded.get(id) or [Conversation(conversation_id=id)]))

    @rule(id=CONVERSATIONS, new=NEW, scope=SCOPES, data=st.data())
    def say(self, id, new, scope, data):
        conversation = self.held(id, data)
        conversation.messages = [*conversation.messages, *new]
        conversation.usage = conversation.usage + RunUsage(requests=1)
        calls = [ToolCallPart("pay", {"sum": 1}, "call_9")]
        waits = data.draw(st.sampled_from([None, DeferredToolRequests(approvals=calls)]))
        conversation.deferred_tool_requests = waits
        for entry in self.attempt(self.both.save(conversation, scope=scope)) or []:
            self.entries.append(entry.id)
        self.keep(conversation)

    @rule(id=CONVERSATIONS, cut=st.integers(0, 4), new=NEW, data=st.data())
    def rewrite(self, id, cut, new, data):
        """A history that a capability rewrote, without the mark of what is stored."""
        conversation = copy.deepcopy(self.held(id, data))
        conversation.messages = [*conversation.messages[:cut], *new]
        conversation.new_message_index = None
        for entry in self.attempt(self.both.save(conversation)) or []:
            self.entries.append(entry.id)
        self.keep(conversation)

    @rule(id=CONVERSATIONS, limit=st.none() | st.integers(0, 5), scope=SCOPES)
    def load(self, id, limit, scope):
        self.keep(self.attempt(self.both.load(id, limit=limit, scope=scope)))

    @rule(id=CONVERSATIONS, limit=st.none() | st.integers(0, 5))
    def load_entries(self, id, limit):
        self.attempt(self.both.load_entries(id, limit=limit))

    @rule(id=CONVERSATIONS, data=st.data())
    def serialize(self, id, data):
        """A conversation that went through JSON is compared with what is stored."""
        conversation = self.held(id, data)
        dumped = ConversationTypeAdapter.dump_json(conversation)
        self.keep(ConversationTypeAdapter.validate_json(dumped))

    @rule(id=CONVERSATIONS, at=st.integers(0, 6), data=st.data())
    def branch(self, id, at, data):
        held = self.held(id, data)
        branched = self.both.branch(id, at=at, expected_revision=held.revision)
        self.keep(self.attempt(branched))

    @precondition(lambda self: self.entries)
    @rule(id=CONVERSATIONS, data=st.data())
    def switch(self, id, data):
        entry = data.draw(st.sampled_from(self.entries))
        record = run(self.both.ours.read_record(id))
        revision = None if record is None else record.revision
        self.keep(self.attempt(self.both.branch(id, from_entry=entry, expected_revision=revision)))

    @rule(id=CONVERSATIONS, at=st.none() | st.integers(0, 6), new=CONVERSATIONS, scope=SCOPES)
    def fork(self, id, at, new, scope):
        forked = self.both.fork(id, at=at, new_conversation_id=new, scope=scope)
        self.keep(self.attempt(forked))

    @rule(id=CONVERSATIONS, scope=SCOPES)
    def delete(self, id, scope):
        self.attempt(self.both.delete(id, scope=scope))

    @rule(scope=SCOPES, limit=st.none() | st.integers(0, 4))
    def listing(self, scope, limit):
        self.attempt(self.both.list_conversations(scope=scope, limit=limit))

    @precondition(lambda self: self.entries)
    @rule(data=st.data())
    def read_any_entry(self, data):
        entry = data.draw(st.sampled_from(self.entries))
        try:
            run(self.both.read_entry(entry))
            run(self.both.read_history(entry, limit=data.draw(st.none() | st.integers(1, 3))))
        except LookupError:
            pass

    @rule()
    def forget_what_was_read(self):
        """As another process, which has nothing in its caches."""
        self.both.ours = ThreadkeepConversationStore(self.memory)

    @rule(id=CONVERSATIONS)
    def others_see_what_the_record_says(self, id):
        loaded = run(self.both.ours.load(id))
        parts = [] if loaded is None else [part for m in loaded.messages for part in m.parts]
        requests = sum(m.kind == "request" for m in loaded.messages) if loaded else 0
        if loaded is None:
            assert self.memory.session(id).items() == []
        elif (run(self.both.ours.read_record(id))).forked_from is None:
            responses = len(loaded.messages) - requests
            said = sum(len(m.parts) or 1 for m in loaded.messages if m.kind == "request")
            assert len(self.memory.session(id).items()) == responses + said, parts


class SqliteStores(Stores):
    backend = "sqlite:///:memory:"


TestStores = Stores.TestCase
TestStores.settings = settings(many, stateful_step_count=25)

TestSqliteStores = pytest.mark.slow(SqliteStores.TestCase)
TestSqliteStores.settings = settings(many, stateful_step_count=25)


def test_a_record_that_does_not_end_with_its_last_entry_is_refused(store):
    entry = ConversationEntry(parent_id=None, message=None)
    record = ConversationRecord(conversation_id="c", head_id="other")
    with pytest.raises(threadkeep.errors.InputError, match="head_id"):
        run(store.write_record(record, new_entries=[entry], expected_revision=None))
    assert run(store.load("c")) is None


@pytest.mark.proves("D22")
def test_a_stale_revision_is_refused_by_the_primitives_themselves(store):
    both = Beside(store, InMemoryConversationStore())
    first = ConversationRecord(conversation_id="c", head_id=None, revision="1")
    run(both.write_record(first, expected_revision=None))
    second = ConversationRecord(conversation_id="c", head_id=None, revision="2")
    run(both.write_record(second, expected_revision="1"))
    for stale in (None, "1", "other"):
        with pytest.raises(ConversationConflict):
            run(both.write_record(first, expected_revision=stale))
    with pytest.raises(ConversationConflict):
        run(both.delete_record("c", expected_revision="1"))
    lost = ConversationRecord(conversation_id="c", head_id="nowhere", revision="3")
    with pytest.raises(ConversationConflict):
        run(both.write_record(lost, expected_revision="2"))
    assert run(both.read_record("c")) == second
