"""What becomes of checkpoints when messages, sessions and users go, and the reverse."""

from __future__ import annotations

from typing import Annotated, TypedDict

import pytest
from langchain_core.messages import AIMessage, HumanMessage, RemoveMessage
from langgraph.channels.delta import DeltaChannel
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph.message import _messages_delta_reducer

from langchain_threadkeep import ThreadkeepSaver
from tests.integrations.langchain.saver.conftest import config
from threadkeep import Record, connect
from threadkeep.core import copy_streams
from threadkeep.errors import ConfigError, NotOwner
from threadkeep.types import KEEP


def texts(state):
    return [message.text for message in state.values["messages"]]


@pytest.fixture
def saver(memory):
    return ThreadkeepSaver(memory)


@pytest.fixture
def graph(saver, chat_graph):
    return chat_graph(saver)


def say(graph, text, id=None, durability=None, **more):
    question = {"messages": [HumanMessage(text, id=id)]}
    return graph.invoke(question, config(**more), durability=durability)


@pytest.mark.proves("D16")
def test_thread_is_a_session(memory, graph):
    say(graph, "my order is 42")
    assert [item.text for item in memory.session("t").items()] == ["my order is 42", "answer 1"]
    assert [info.id for info in memory.sessions()] == ["t"]


@pytest.mark.proves("D16")
@pytest.mark.parametrize(
    "given",
    [HumanMessage("a word like xylophone"), ("user", "a word like xylophone"),
     {"role": "user", "content": "a word like xylophone"}, "a word like xylophone"],
    ids=["message", "pair", "dict", "text"],
)  # fmt: skip
def test_each_message_is_stored_once(memory, graph, stored, given):
    graph.invoke({"messages": [given]}, config())
    graph.invoke({"messages": [("user", "go on")]}, config())
    bodies = [record.body for records in stored(memory).values() for record in records]
    assert sum("xylophone" in body for body in bodies) == 1
    assert sum("answer 1" in body for body in bodies) == 1


def test_deleted_chat_takes_its_checkpoints(memory, graph, stored):
    say(graph, "hello")
    memory.session("t").delete()
    assert not any("checkpoint" in name or "session" in name for name in stored(memory))
    assert graph.get_state(config()).values == {}


def test_deleted_thread_takes_its_session(memory, saver, graph, stored):
    say(graph, "hello")
    saver.delete_thread("t")
    assert memory.session("t").items() == []
    assert not any("checkpoint" in name for name in stored(memory))


def test_session_may_stay_when_its_thread_is_deleted(memory, saver, graph):
    say(graph, "hello")
    saver.delete_thread("t", keep_session=True)
    assert len(memory.session("t").items()) == 2
    assert graph.get_state(config()).values == {}


def test_checkpoint_without_its_messages_says_how_many_are_missing(memory, graph):
    say(graph, "hello", id="u1")
    memory.session("t").clear()
    state = graph.get_state(config())
    assert texts(state) == []
    assert state.metadata["threadkeep_missing"] == 2
    say(graph, "again")
    assert texts(graph.get_state(config())) == ["again", "answer 2"]


def test_rewound_chat_does_not_move_the_graph(memory, graph):
    say(graph, "one")
    say(graph, "two")
    memory.session("t").rewind(last=2)
    state = graph.get_state(config())
    assert texts(state) == ["one", "answer 1"]
    assert state.metadata["step"] == 4


def test_replaced_item_is_what_the_graph_reads(memory, graph):
    say(graph, "hello", id="u1")
    memory.session("t").replace("u1", "edited by the application")
    assert texts(graph.get_state(config()))[0] == "edited by the application"


def test_edit_in_the_state_replaces_the_item_and_old_checkpoints_stay(memory, graph):
    say(graph, "first text", id="u1")
    before = graph.get_state(config()).config
    graph.update_state(config(), {"messages": [HumanMessage("second text", id="u1")]})
    assert memory.session("t").items()[0].text == "second text"
    assert texts(graph.get_state(config()))[0] == "second text"
    assert texts(graph.get_state(before))[0] == "first text"


@pytest.mark.proves("D16")
@pytest.mark.parametrize("as_dict", [False, True], ids=["message", "dict"])
def test_erase_replaced_leaves_the_earlier_text_nowhere(memory, chat_graph, stored, as_dict):
    graph = chat_graph(ThreadkeepSaver(memory, erase_replaced=True))
    given = {"role": "user", "content": "kim@example.org", "id": "u1"}
    message = given if as_dict else HumanMessage("kim@example.org", id="u1")
    graph.invoke({"messages": [message]}, config())
    before = graph.get_state(config()).config
    graph.update_state(config(), {"messages": [HumanMessage("[REDACTED]", id="u1")]})
    bodies = [record.body for records in stored(memory).values() for record in records]
    assert not [body for body in bodies if "kim@" in body]
    assert texts(graph.get_state(before))[0] == "[REDACTED]"
    assert len(list(graph.get_state_history(config()))) == 4


def test_forgotten_item_is_in_no_checkpoint(memory, graph, stored):
    say(graph, "secret one", id="u1")
    graph.update_state(config(), {"messages": [HumanMessage("secret two", id="u1")]})
    memory.session("t").forget("u1")
    bodies = [record.body for records in stored(memory).values() for record in records]
    assert not [body for body in bodies if "secret" in body]
    assert texts(graph.get_state(config())) == ["answer 1"]


def test_removal_from_the_state_leaves_the_item(memory, graph):
    say(graph, "hello", id="u1")
    graph.update_state(config(), {"messages": [RemoveMessage(id="u1")]})
    assert texts(graph.get_state(config())) == ["answer 1"]
    assert memory.session("t").items()[0].text == "hello"


def test_other_users_do_not_see_a_thread(memory, graph, saver):
    say(graph, "hello", user_id="ada")
    assert memory.session("t").info().user == "ada"
    for refused in (
        lambda: graph.get_state(config(user_id="bob")),
        lambda: say(graph, "mine now", user_id="bob"),
        lambda: list(saver.list(config(user_id="bob"))),
        lambda: saver.put_writes(config(user_id="bob", checkpoint_id="x"), [("c", 1)], "task"),
    ):
        with pytest.raises(NotOwner):
            refused()
    assert texts(graph.get_state(config(user_id="ada"))) == ["hello", "answer 1"]


def test_memory_that_requires_a_user_refuses_runs_without_one(opened, chat_graph):
    graph = chat_graph(ThreadkeepSaver(opened(require_user=True)))
    with pytest.raises(ConfigError):
        say(graph, "hello")
    say(graph, "hello", user_id="ada")


def test_forgotten_user_leaves_no_checkpoint(memory, chat_graph, saver, stored):
    say(chat_graph(saver), "hello", user_id="ada")
    only_state = chat_graph(saver, lambda state: {})
    only_state.update_state(config("quiet", user_id="ada"), {"messages": []})
    memory.user("ada").forget(purge=False)
    assert not any("checkpoint" in name for name in stored(memory))


def test_checkpoints_expire_by_their_own_ttl(memory, clock, chat_graph):
    graph = chat_graph(ThreadkeepSaver(memory, checkpoint_ttl=60))
    say(graph, "hello")
    clock.tick(61)
    assert graph.get_state(config()).values == {}
    assert len(memory.session("t").items()) == 2


def test_old_checkpoints_go_beyond_the_number_to_keep(memory, chat_graph):
    saver = ThreadkeepSaver(memory, keep_checkpoints=4)
    graph = chat_graph(saver)
    for number in range(6):
        say(graph, f"question {number}")
    assert 4 <= len(saver.checkpoint_ids("t")) <= 7
    assert len(texts(graph.get_state(config()))) == 12


def test_prune_keeps_the_newest_with_its_messages(memory, saver, graph, stored):
    for number in range(5):
        say(graph, f"question {number}")
    graph.update_state(config(), {"messages": [HumanMessage("edited", id="a3")]})
    before = texts(graph.get_state(config()))
    saver.prune(["t"])
    assert len(saver.checkpoint_ids("t")) == 1
    assert texts(graph.get_state(config())) == before
    say(graph, "go on")
    assert texts(graph.get_state(config()))[:-2] == before


@pytest.mark.parametrize("role", [HumanMessage, AIMessage])
def test_half_of_an_emoji_ends_no_later_run(memory, saver, chat_graph, role):
    def answer(state):
        asked = "|".join(message.content for message in state["messages"])
        asked.encode()  # as a request does
        return {"messages": [AIMessage(f"to {asked}")]}

    graph = chat_graph(saver, answer)
    graph.update_state(config(), {"messages": [role("half \ud83d", id="h1")]})
    say(graph, "go on", id="q1")
    assert texts(graph.get_state(config())) == ["half ?", "go on", "to half ?|go on"]
    assert memory.session("t").items()[0].text == "half ?"


class DeltaState(TypedDict):
    messages: Annotated[list, DeltaChannel(_messages_delta_reducer, snapshot_frequency=50)]


@pytest.mark.parametrize("durability", ["sync", "exit"])
@pytest.mark.parametrize("keep", [1, 3])
def test_a_delta_channel_is_rebuilt_beyond_the_checkpoints_to_keep(
    memory, chat_graph, keep, durability
):
    graph = chat_graph(ThreadkeepSaver(memory, keep_checkpoints=keep), schema=DeltaState)
    for number in range(5):
        say(graph, f"question {number}", id=f"q{number}", durability=durability)
    assert len(texts(graph.get_state(config()))) == 10


@pytest.mark.parametrize("deleted_run", range(3))
def test_a_delta_channel_without_a_run_is_that_of_langgraphs_saver(saver, chat_graph, deleted_run):
    """LangGraph's savers have no `delete_for_runs`: what it says of it is done by hand."""
    histories = []
    for one_saver in (saver, theirs := InMemorySaver()):
        graph = chat_graph(one_saver, lambda state: {"messages": []}, schema=DeltaState)
        for number in range(3):
            graph.invoke(
                {"messages": [HumanMessage(f"question {number}", id=f"q{number}")]},
                {**config(), "metadata": {"run_id": f"run {number}"}},
            )
        if one_saver is theirs:
            for checkpoint in list(theirs.list(config())):
                if checkpoint.metadata["run_id"] == f"run {deleted_run}":
                    checkpoint_id = checkpoint.config["configurable"]["checkpoint_id"]
                    del theirs.storage["t"][""][checkpoint_id]
                    theirs.writes.pop(("t", "", checkpoint_id), None)
        else:
            saver.delete_for_runs([f"run {deleted_run}"])
        histories.append(texts(graph.get_state(config())))
    assert histories[0] == histories[1]


def test_prune_keeps_what_a_delta_channel_is_rebuilt_from(memory, saver, chat_graph):
    graph = chat_graph(saver, schema=DeltaState)
    for number in range(3):
        say(graph, f"question {number}", id=f"q{number}")
    saver.prune(["t"])
    assert len(texts(graph.get_state(config()))) == 6


def test_copied_thread_goes_on_by_itself(memory, saver, graph):
    say(graph, "hello")
    saver.copy_thread("t", "copy")
    say(graph, "only in the copy", thread="copy")
    assert texts(graph.get_state(config())) == ["hello", "answer 1"]
    assert texts(graph.get_state(config("copy")))[:3] == ["hello", "answer 1", "only in the copy"]
    assert [item.text for item in memory.session("copy").items()][:2] == ["hello", "answer 1"]


def test_exported_user_takes_checkpoints_along(memory, clock, chat_graph, saver):
    graph = chat_graph(saver)
    say(graph, "hello", id="u1", user_id="ada")
    graph.update_state(config(user_id="ada"), {"messages": [HumanMessage("edited", id="u1")]})
    lines = memory.user("ada").export()
    ours = config(user_id="ada")
    before = [(s.values, s.config, s.metadata) for s in graph.get_state_history(ours)]
    with connect("memory://", clock=clock) as other:
        assert other.user("ada").restore(lines) == 1
        copy = chat_graph(ThreadkeepSaver(other))
        assert [(s.values, s.config, s.metadata) for s in copy.get_state_history(ours)] == before
        assert other.user("ada").restore(lines) == 0
        with pytest.raises(NotOwner):
            copy.get_state(config(user_id="bob"))
        say(copy, "go on", user_id="ada")


def test_copied_store_takes_checkpoints_along(memory, clock, chat_graph, saver):
    graph = chat_graph(saver)
    say(graph, "hello")
    with connect("memory://", clock=clock) as other:
        names = copy_streams.stream_names(memory.backend)
        outcomes = list(copy_streams.copy(memory.backend, other.backend, names, clock=clock))
        assert {outcome.outcome for outcome in outcomes} == {"copied"}
        copy = chat_graph(ThreadkeepSaver(other))
        assert texts(copy.get_state(config())) == ["hello", "answer 1"]
        say(copy, "go on")


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"on_conflict": "ignore"}, "on_conflict"),
        ({"messages": "messages"}, "messages"),
        ({"lease": 0}, "lease"),
        ({"checkpoint_ttl": -1}, "checkpoint_ttl"),
        ({"keep_checkpoints": 0}, "keep_checkpoints"),
        ({"strickt": True}, "strict"),
    ],
    ids=["on_conflict", "messages", "lease", "checkpoint_ttl", "keep_checkpoints", "unknown"],
)
def test_invalid_option_is_named(memory, options, named):
    with pytest.raises((ConfigError, TypeError), match=named):
        ThreadkeepSaver(memory, **options)


def test_memory_with_a_redactor_is_refused(opened):
    with pytest.raises(ConfigError, match="redactor"):
        ThreadkeepSaver(opened(redactor=lambda text, kind: text))


def test_replaced_message_keeps_its_id(memory, graph, saver):
    say(graph, "hello", id="u1")
    ids = [message.id for message in graph.get_state(config()).values["messages"]]
    for item in memory.session("t").items():
        memory.session("t").replace(item.id, {"role": item.role, "content": f"{item.text}, edited"})
    state = graph.get_state(config())
    assert [message.id for message in state.values["messages"]] == ids
    graph.update_state(config(), {"messages": [RemoveMessage(id=ids[0])]})
    assert texts(graph.get_state(config())) == ["answer 1, edited"]


def test_run_that_writes_while_its_chat_is_deleted_leaves_no_half(memory, graph, saver, stored):
    say(graph, "one")
    newest, backend = graph.get_state(config()).config, memory.backend
    commit, session = backend.commit, f"default/session/{'t'}"

    def interfering(stream, **how):
        if stream == session and how.get("drop"):
            graph.update_state(newest, {"messages": []}, as_node="answer")
        return commit(stream, **how)

    backend.commit = interfering
    memory.session("t").delete()
    del backend.commit
    assert not any("checkpoint" in name for name in stored(memory))


@pytest.mark.parametrize("body", ['{"not": "an item', "[]", "5", '{"role": "user"}x', "{}"])
def test_item_that_cannot_be_read_is_missing_and_the_thread_goes_on(memory, graph, body):
    say(graph, "hello", id="u1")
    say(graph, "again", id="u2")
    engine, stream = memory._engine, memory._engine.stream("session", "t")
    broken = Record("item", "u1", body, engine.now())
    engine.commit(stream, put=[broken], ttl=KEEP)
    state = graph.get_state(config())
    assert texts(state) == ["answer 1", "again", "answer 2"]
    assert state.metadata["threadkeep_missing"] == 1
    say(graph, "go on")
    assert texts(graph.get_state(config()))[-2:] == ["go on", "answer 3"]
