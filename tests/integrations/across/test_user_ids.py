"""A user id is the user of its text, or an error: at no entry does it open another's session."""

from __future__ import annotations

import asyncio
import enum
import hashlib
import inspect
from collections import UserString
from decimal import Decimal
from fractions import Fraction
from types import SimpleNamespace
from typing import Any
from unittest.mock import NonCallableMagicMock
from uuid import UUID, uuid4

import numpy as np
import pytest
from agents import RunContextWrapper
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from langchain_threadkeep import ThreadkeepStore
from openai_agents_threadkeep import ThreadkeepSession
from tests.integrations.across.user_id_entries import READERS, SILENT, WRITERS, middleware
from threadkeep import connect
from threadkeep.errors import ConfigError, NotOwner
from threadkeep.service import HistoryService

ENTRIES = {**READERS, **WRITERS, **SILENT}
SECRET = "a word for mallory alone"


class Plan(enum.StrEnum):
    ADA = "ada"


class Mixed(str, enum.Enum):  # noqa: UP042 - whose str() is another than its value
    ADA = "ada"


class Number(enum.IntEnum):
    SEVEN = 7


class MixedNumber(int, enum.Enum):
    SEVEN = 7


class Sly(str):
    """Says that it is somebody else."""

    def __str__(self):
        return "mallory"

    def __repr__(self):
        return "mallory"

    def __format__(self, _):
        return "mallory"

    def __eq__(self, other):
        return True

    __hash__ = str.__hash__


class Posing:
    """Says that it is a str, and whose."""

    __class__ = str  # type: ignore[assignment]  # as proxies do

    def __str__(self):
        return "mallory"


class SlyUUID(UUID):
    def __str__(self):
        return "mallory"


ID = "0d9f1e9c-1b5f-4b5e-9d53-3f2f0d7a6c11"

USERS = [
    ("ada", "ada"),
    ("\u00e1d\u00e1", "\u00e1d\u00e1"),
    (" ", " "),
    ("None", "None"),
    ("0", "0"),
    (7, "7"),
    (0, "0"),
    (-1, "-1"),
    (10**30, "1" + "0" * 30),
    (UUID(ID), ID),
    (SlyUUID(ID), ID),
    (Plan.ADA, "ada"),
    (Mixed.ADA, "ada"),
    (Number.SEVEN, "7"),
    (MixedNumber.SEVEN, "7"),
    (Sly("ada"), "ada"),
    (np.str_("ada"), "ada"),
]
"""An id, and the user that it is."""

NOBODY = [
    "",
    Sly(""),
    b"",
    b"mallory",
    bytearray(b"mallory"),
    memoryview(b"mallory"),
    UserString("mallory"),
    True,
    False,
    0.0,
    7.0,
    float("nan"),
    7j,
    Decimal(7),
    Fraction(7),
    np.int64(7),
    np.float64(7),
    np.bool_(True),
    10**5000,
    ["mallory"],
    ("mallory",),
    {"mallory"},
    {"user_id": "mallory"},
    {},
    object(),
    Posing(),
    NonCallableMagicMock(spec=str),
    NonCallableMagicMock(spec=UUID),
    SimpleNamespace(user_id="mallory"),
    Exception("mallory"),
    ...,
]
"""What is no id; a `str()` of it, or nobody, would be some other user's or the operator's door."""

scalars = st.one_of(
    st.text(max_size=8).map(lambda text: (text, text or None)),
    st.integers().map(lambda number: (number, f"{number:d}")),
    st.uuids().map(lambda id: (id, str(id))),
    st.sampled_from(USERS),
    st.one_of(st.booleans(), st.floats(), st.binary(max_size=8), st.decimals()).map(
        lambda value: (value, None)
    ),
    st.lists(st.text(max_size=3), max_size=2).map(lambda value: (value, None)),
    st.sampled_from(NOBODY).map(lambda value: (value, None)),
)


@pytest.fixture
def service(tmp_path) -> Any:
    """A history service, whose `Memory` all other entries share; mallory has a session there."""
    service: Any = HistoryService({"type": "memory"}, f"ids-{uuid4()}")
    with service:
        service.folder = tmp_path
        yield planted(service)


def planted(service):
    theirs = service.memory.session("theirs", user="mallory")
    if theirs.info() is None:
        theirs.add(SECRET)
        service.memory.user("mallory").facts.add(SECRET)
        service.memory.session("ours").add(f"the operator's: {SECRET}")
    return service


def run(entry, service, session, value):
    result = entry(service, session, value)
    return str(asyncio.run(_settled(result)) if inspect.isawaitable(result) else result)


async def _settled(result):
    return await result


def versions(service):
    """Of every stream there is: any commit makes another."""
    return {name: s.version for name, s in service.memory._engine.backend._streams.items()}


def mark(user):
    """A word for the user that nothing rewrites."""
    return f"x{hashlib.sha256(user.encode('utf-8', 'surrogatepass')).hexdigest()[:12]}"


def own_session(memory, user):
    """A session of the user with a fact, a response and feedback, each of which says whose."""
    chat = memory.session(f"own of {user}", user=user)
    if chat.info() is None:
        chat.add(f"fact of {mark(user)}")
        chat.update(title=f"fact of {mark(user)}")
        memory.user(user).facts.add(f"the fact of {mark(user)} is known")
        answer = {"id": f"r of {user}", "output": [], "conversation": chat.id}
        memory.responses.add(answer, user=user)
        memory.feedback.add(
            answer["id"], rating="positive", comment=f"fact of {mark(user)}", user=user
        )
    return chat.id


def check(service, name, value, user):
    """The rule: exactly that user's, or an error and nothing done."""
    if user is None:
        refused(service, ENTRIES[name], value)
    elif name in READERS:
        session = own_session(service.memory, user)
        assert f"fact of {mark(user)}" in run(READERS[name], service, session, value)
        assert not_read(service, READERS[name], value)
    elif name in WRITERS:
        session = f"new {uuid4()}"
        run(WRITERS[name], service, session, value)
        assert service.memory.session(session).info().user == user
        assert not_read(service, WRITERS[name], value)
    else:
        assert not_read(service, ENTRIES[name], value)


def refused(service, entry, value):
    before = versions(service)
    for session in ("theirs", "ours", "new"):
        with pytest.raises(ConfigError) as caught:
            run(entry, service, session, value)
        text = str(caught.value)
        assert "user" in text or "identity" in text  # where it stands
        assert "UUID" in text  # what to pass
        assert "mallory" not in text  # never the value
        assert len(text) < 300
    assert versions(service) == before


def not_read(service, entry, value):
    """Whether mallory's session stays mallory's, and unread."""
    before = service.memory.session("theirs").items()
    try:
        answer = run(entry, service, "theirs", value)
    except NotOwner as error:
        answer = str(error)
    return SECRET not in answer and service.memory.session("theirs").items() == before


@pytest.mark.parametrize("name", ENTRIES)
def test_an_id_is_the_user_of_its_text(service, name):
    for value, user in USERS:
        check(service, name, value, user)


@pytest.mark.parametrize("name", ENTRIES)
def test_anything_else_is_an_error_and_does_nothing(service, name):
    for value in NOBODY:
        check(service, name, value, None)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.sampled_from(sorted(ENTRIES)), case=scalars)
@example(name="ThreadkeepSession object context", case=(7, "7"))
def test_any_value_at_any_entry(service, name, case):
    value, user = case
    if user != "mallory":
        check(service, name, value, user)


def test_none_goes_on_to_the_next_place(service):
    memory = service.memory
    sources: list[Any] = ["ada", lambda _: None]
    for number, source in enumerate(sources):
        middleware(service, f"c{number}", source, {"user_id": None}, {"user_id": None})
        chat = ThreadkeepSession(f"a{number}", memory, user=source)
        item: Any = {"role": "user", "content": "hello"}
        asyncio.run(chat.add_items([item], wrapper=RunContextWrapper({"user_id": None})))
        owners = {memory.session(f"{name}{number}").info().user for name in "ca"}
        assert owners == {"ada" if source == "ada" else None}


def test_the_first_place_decides_even_where_it_is_wrong(service):
    for wrong in ("", False, 0.0, b""):
        with pytest.raises(ConfigError, match="context"):
            middleware(service, "c", "ada", {"user_id": "ada"}, {"user_id": wrong})
        with pytest.raises(ConfigError, match="gives for the run"):
            middleware(service, "c", lambda _, wrong=wrong: wrong, {"user_id": "ada"})


class Request:
    """A context whose user cannot be had: not signed in, perhaps."""

    user: Any

    @property
    def user_id(self):
        return self.user.id


def test_a_property_that_fails_is_not_nobody(service):
    chat = ThreadkeepSession("theirs", service.memory)
    with pytest.raises(ConfigError, match="user_id of the run's context"):
        asyncio.run(chat.get_items(wrapper=RunContextWrapper(Request())))
    with pytest.raises(ConfigError, match="user_id of the run's context"):
        middleware(service, "theirs", context=Request())


def test_a_wrong_id_is_refused_before_there_is_a_run(service):
    from langchain_threadkeep import ThreadkeepMiddleware, load_history_node, memory_tools
    from openai_agents_threadkeep import instructions

    wrong: Any = b"ada"
    for make in (ThreadkeepMiddleware, load_history_node, memory_tools, instructions):
        with pytest.raises(ConfigError, match="user"):
            make(service.memory, user=wrong)


def test_labels_of_a_store_are_texts_or_errors():
    with connect("memory://") as memory:
        store: Any = ThreadkeepStore(memory)
        store.put(("memories", "7"), "k", {"said": SECRET})
        for value in NOBODY:
            with pytest.raises((ValueError, TypeError)):
                store.put(("memories", value), "k", {"said": "other"})
            with pytest.raises((ValueError, TypeError)):
                store.get(("memories", value), "k")
        assert store.get(("memories", "7"), "k").value == {"said": SECRET}
