"""Names that do not exist: the error says the right one, and Python's protocols stay sane."""

from __future__ import annotations

import asyncio
import copy
import inspect
import pickle
import re

import pytest

import threadkeep
from threadkeep import Item, Memory, Session, User, connect
from threadkeep.api.feedback import FeedbackCollection
from threadkeep.api.responses import Responses
from threadkeep.core.peer_collections import VERB_ATTRIBUTES
from threadkeep.core.peer_names import ATTRIBUTES, KEYWORDS

CLASSES = {"Memory": Memory, "Session": Session, "User": User}
HANDLES = {
    "Memory": lambda memory: memory,
    "Session": lambda memory: memory.session("s"),
    "User": lambda memory: memory.user("ada"),
    "Facts": lambda memory: memory.user("ada").facts,
    "Instructions": lambda memory: memory.user("ada").instructions,
    "Files": lambda memory: memory.session("s").files,
    "Conversations": lambda memory: memory.conversations,
    "Responses": lambda memory: memory.responses,
    "FeedbackCollection": lambda memory: memory.feedback,
    "Feedback": lambda memory: memory.feedback,
    "Window": lambda memory: memory.session("s").window(),
    "threadkeep": lambda memory: threadkeep,
    "Item": lambda memory: memory.session("s").add("hello")[0],
    "SessionInfo": lambda memory: memory.session("s").update(title="x"),
    "info": lambda memory: memory.session("s").update(title="x"),
    "Fact": lambda memory: memory.user("ada").facts.add("Ada likes tea"),
    "Instruction": lambda memory: memory.user("ada").instructions.add("Be brief"),
    "Listing": lambda memory: memory.session("s").items(),
}
WORDS = (
    "langchain_threadkeep.", "openai_agents_threadkeep.", "llama_index.", "pydantic_ai_threadkeep.",
    "pandas.DataFrame(", "dataclasses.asdict(", "[dataclasses.asdict(", "[item.text for item in",
    "len(session.items())", "print(item.role", "a session: memory.session(id).window()",
    "the listing itself", "the verbs of memory.session(id)", "nothing, ",
)  # fmt: skip
"""Of adapters and other packages, or words."""


@pytest.fixture(scope="module")
def handles():
    with connect("memory://") as memory:
        yield {name: make(memory) for name, make in HANDLES.items()}


def resolve(handles, path):
    """Follow `memory.user(id).facts.list()` as far as it has names."""
    whole, path = path, re.split(" and |, ", path)[0]
    root = path.partition(".")[0]
    target = handles.get(root, handles.get(root.capitalize()))
    if target is None:
        assert whole.startswith(WORDS)
        return None
    for name in re.findall(r"\.(\w+)", re.sub(r"\(.*?\)", "", path)):
        target = getattr(target, name)
        if name in ("session", "user", "window") and callable(target):
            target = target() if name == "window" else target("x")
    return target


@pytest.mark.parametrize(
    ("cls", "typed", "meant"),
    [(cls, typed, meant) for cls, table in ATTRIBUTES.items() for typed, meant in table.items()],
)
def test_attribute_of_another_library_names_the_right_one(handles, cls, typed, meant):
    assert not hasattr(handles[cls], typed), "it exists: it has no place in the table"
    with pytest.raises(AttributeError, match=f"{typed}'; use {re.escape(meant)}"):
        getattr(handles[cls], typed)
    resolve(handles, meant)


@pytest.mark.parametrize(
    ("verb", "typed", "meant"),
    [
        (verb, typed, meant)
        for verb, table in VERB_ATTRIBUTES.items()
        for typed, meant in table.items()
    ],
)
def test_verb_that_is_a_collection_elsewhere_names_the_right_one(handles, verb, typed, meant):
    cls, name = verb.split(".")
    with pytest.raises(AttributeError, match=f"no {name}.{typed}; use {re.escape(meant)}"):
        getattr(getattr(handles[cls], name), typed)("x", items=[])
    assert resolve(handles, meant.removesuffix(", a verb")) is not None


def test_async_names_are_found_too(handles):
    with pytest.raises(AttributeError, match=r"use session\.items\(\)"):
        _ = handles["Session"].aget_items


@pytest.mark.parametrize("cls", CLASSES)
def test_protocols_stay_sane(handles, cls):
    handle = handles[cls]
    assert not hasattr(handle, "nothing_like_it")
    assert getattr(handle, "nothing_like_it", 5) == 5
    for name in ("__float__", "__deepcopy__", "__getstate__x", "_ipython_display_", "__json__"):
        with pytest.raises(AttributeError) as caught:
            getattr(handle, name)
        assert caught.value.name == name
    assert type(copy.copy(handle)) is CLASSES[cls]
    bare: object = object.__new__(CLASSES[cls])
    with pytest.raises(AttributeError):
        _ = getattr(bare, "messages")  # noqa: B009
    with pytest.raises((pickle.PicklingError, TypeError, AttributeError)):
        pickle.dumps(handle)


CALLS = [
    (lambda h: h["User"].recall("x", limit=3), "k"),
    (lambda h: h["User"].recall("x", top_k=3), "k"),
    (lambda h: h["Session"].window(k=3), "max_exchanges"),
    (lambda h: h["Session"].window(token_limit=3), "max_tokens"),
    (lambda h: h["Session"].window(limit=3), "max_messages"),
    (lambda h: h["Session"].items(n=3), "last"),
    (lambda h: h["Session"].items(lats=3), "last"),
    (lambda h: h["Session"].clear(keep=3), "keep_last"),
    (lambda h: h["Session"].add("x", rol="user"), "role"),
    (lambda h: h["Session"].update(name="x"), "title"),
    (lambda h: h["Memory"].session("x", user_id="ada"), "user"),
    (lambda h: h["Memory"].session(session_id="x"), "id"),
    (lambda h: h["Memory"].sessions(user_id="ada"), "user"),
    (lambda h: h["Memory"].user(user_id="ada"), "id"),
    (lambda h: asyncio.run(h["Session"].aclear(keep=1)), "keep_last"),
    (lambda h: h["Session"].window(system="x"), "policy"),
    (lambda h: h["Session"].replace("id", text="x"), "item"),
    (lambda h: h["Files"].remove(file_id="x"), "id"),
    (lambda h: h["Facts"].add("x", tags={}), "metadata"),
    (lambda h: h["Facts"].get(fact_id="x"), "id"),
    (lambda h: h["Conversations"].list(user_id="ada"), "user"),
    (lambda h: h["FeedbackCollection"].add("r", score="positive"), "rating"),
    (lambda h: asyncio.run(h["FeedbackCollection"].aadd("r", score="positive")), "rating"),
]


@pytest.mark.parametrize(("call", "right"), CALLS, ids=range(len(CALLS)))
def test_unknown_keyword_names_the_right_one(handles, call, right):
    with pytest.raises(TypeError, match=f"unexpected keyword argument.*; did you mean '{right}'"):
        call(handles)


SURPLUS = [
    (lambda h: h["Session"].window(30), r"Session\.window\(\) takes nothing by position; .*max_to"),
    (lambda h: asyncio.run(h["Session"].awindow(30)), r"takes nothing by position; .*max_tokens"),
    (lambda h: h["Session"].items(3), "takes nothing by position; pass by keyword: last, after"),
    (lambda h: h["Session"].branch("b", 0), "takes only name by position; pass by keyword: at"),
    (lambda h: h["Session"].fork("b", 0), "takes only id by position; pass by keyword: upto"),
    (lambda h: h["Memory"].session("s", "ada"), "takes only id by position; .*keyword: user"),
    (lambda h: h["Facts"].add("a", "b"), "takes only text by position; pass by keyword: sources"),
    (lambda h: h["Facts"].forget("a", "b"), r"forget\(\) takes only id by position$"),
    (lambda h: h["FeedbackCollection"].add("r", "positive"), "response by position; .*: rating"),
    (lambda h: h["Files"].add("a", "b"), r"Files\.add\(\) takes only file by position$"),
]


@pytest.mark.parametrize(("call", "message"), SURPLUS, ids=range(len(SURPLUS)))
def test_too_many_positions_say_what_goes_by_keyword(handles, call, message):
    with pytest.raises(TypeError, match=message):
        call(handles)


SPREAD = [
    (lambda h: h["Session"].add(role="user", content="x"), "pass messages by position"),
    (lambda h: h["Session"].remove(ids=["x"]), "pass ids by position"),
    (lambda h: h["Session"].hide(last=1), "pass ids by position"),
    (lambda h: h["Conversations"].add_items("c", items=["x"]), "pass items by position"),
]


@pytest.mark.parametrize(("call", "message"), SPREAD, ids=range(len(SPREAD)))
def test_what_goes_by_position_is_no_keyword(handles, call, message):
    with pytest.raises(TypeError, match=f"unexpected keyword argument.*; {message}"):
        call(handles)


def test_every_keyword_of_the_table_is_one_of_a_verb():
    classes = [*CLASSES.values(), Responses, FeedbackCollection]
    verbs = [v for cls in classes for v in vars(cls).values() if inspect.isfunction(v)]
    names = {name for verb in verbs for name in inspect.signature(verb).parameters}
    assert {meant for right in KEYWORDS.values() for meant in right} <= names


def test_errors_from_inside_a_verb_are_left_as_they_are(handles):
    def merge(metadata):
        raise TypeError("got an unexpected keyword argument 'keep'")

    with pytest.raises(TypeError, match=r"argument 'keep'$"):
        handles["Session"].update(metadata=merge)


def test_a_class_of_values_has_no_more_attributes_than_its_values():
    item = Item(role="user", content="x")
    assert not hasattr(item, "to_dict")
    assert "to_dict" not in dir(item)
    with pytest.raises(AttributeError, match=r"^type object 'Item' has no attribute 'to_dict'$"):
        getattr(Item, "to_dict")  # noqa: B009  # mypy knows that it is not there
