"""No wrapper forgets a verb or a capability of its store: by inspection of the protocols."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path
from typing import Any

import pytest

import threadkeep
from tests.wrappers.conftest import NOW, STREAM
from threadkeep import connect, protocols
from threadkeep.backends.common.wrapper import CAPABILITIES, BackendWrapper
from threadkeep.backends.encrypted import EncryptedBackend, new_key
from threadkeep.backends.memory import MemoryBackend
from threadkeep.backends.observed import ObservedBackend
from threadkeep.protocols import Backend, SupportsDescribe, SupportsViews, WrapsBackend
from threadkeep.serve.store_metrics import MeteredBackend, StoreMetrics
from threadkeep.types import Drop, Query, Record

WRAPPERS: dict[str, Any] = {
    "BackendWrapper": BackendWrapper,
    "ObservedBackend": ObservedBackend,
    "EncryptedBackend": lambda inner: EncryptedBackend(inner, new_key()),
    "MeteredBackend": lambda inner: MeteredBackend(inner, StoreMetrics(connect(inner)._engine)),
}
EVERY_CAPABILITY = [value for name, value in vars(protocols).items() if name.startswith("Supports")]
EXCEPTIONS = {  # which differ from the store's, and why
    ("EncryptedBackend", SupportsViews): False,  # views would see nothing
    ("EncryptedBackend", SupportsDescribe): True,  # the key is worth describing
}
STAYS_OPEN = "MeteredBackend"  # its engine closes the store
ARGUMENTS = {
    "queries": Query(STREAM, "item", ids=["a"]),
    "stream": STREAM,
    "put": [Record("item", "a", "{}", NOW)],
    "drop": [Drop("item", ["b"])],
    "ttl": 60,
    "expect": 0,
    "token": "t",
    "now": NOW,
    "prefix": "default/",
    "cursor": None,
    "limit": 7,
    "renew": True,
}
ENCRYPTED = {"put"}  # what a wrapper may hand on as something else
ANSWERS = {"dict[str, str]": {"a": "b"}, "list[str]": ["a"], "float | None": 1.5}


def methods(protocol):
    return [
        name
        for name, value in vars(protocol).items()
        if inspect.isfunction(value) and not name.startswith("_")
    ]


def capability_methods():
    return [(capability, name) for capability in EVERY_CAPABILITY for name in methods(capability)]


def store(*capabilities):
    """A store with these capabilities and no other; `calls` has what reached it."""
    inner, calls = MemoryBackend(), []

    def spy(protocol, name):
        signature = inspect.signature(getattr(protocol, name))

        def method(self, *args, **kwargs):
            bound = signature.bind(self, *args, **kwargs)
            bound.apply_defaults()
            calls.append((name, {k: v for k, v in bound.arguments.items() if k != "self"}))
            if protocol is Backend:
                return getattr(inner, name)(*args, **kwargs)
            return ANSWERS[signature.return_annotation]

        return method

    offered = [(Backend, name) for name in methods(Backend)]
    offered += [(capability, name) for capability in capabilities for name in methods(capability)]
    members = {name: spy(protocol, name) for protocol, name in offered}
    return type("Store", (), {**members, "calls": calls, "blocking": False})()


def call(backend, protocol, name):
    """Call a method with every argument; returns them, and the answer."""
    positional, keywords, told = [], {}, {}
    for parameter in [*inspect.signature(getattr(protocol, name)).parameters.values()][1:]:
        value = ARGUMENTS[parameter.name]
        is_rest = parameter.kind is parameter.VAR_POSITIONAL
        told[parameter.name] = (value,) if is_rest else value
        if parameter.kind is parameter.KEYWORD_ONLY:
            keywords[parameter.name] = value
        else:
            positional.append(value)
    return told, getattr(backend, name)(*positional, **keywords)


def without(arguments, names):
    return {name: value for name, value in arguments.items() if name not in names}


@pytest.mark.parametrize("name", methods(Backend))
@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_each_verb_reaches_the_store_with_its_arguments(wrapper, name):
    inner = store()
    backend = WRAPPERS[wrapper](inner)
    inner.calls.clear()
    told, _ = call(backend, Backend, name)
    arrived = [given for called, given in inner.calls if called == name]
    if (wrapper, name) == (STAYS_OPEN, "close"):
        assert arrived == []
    else:
        assert without(arrived[-1], ENCRYPTED) == without(told, ENCRYPTED)


@pytest.mark.parametrize(("capability", "name"), capability_methods())
@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_each_capability_is_answered_as_the_store_has_it(wrapper, capability, name):
    inner = store(capability)
    backend = WRAPPERS[wrapper](inner)
    supported = EXCEPTIONS.get((wrapper, capability), True)
    assert isinstance(backend, capability) == supported
    if supported:
        told, answer = call(backend, capability, name)
        assert inner.calls[-1] == (name, told)
        if isinstance(answer, dict):
            answer.pop("encryption", None)  # what a wrapper adds
        assert answer == ANSWERS[inspect.signature(getattr(capability, name)).return_annotation]


@pytest.mark.parametrize("capability", EVERY_CAPABILITY)
@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_no_capability_is_pretended(wrapper, capability):
    backend = WRAPPERS[wrapper](store())
    assert isinstance(backend, capability) == EXCEPTIONS.get((wrapper, capability), False)
    assert isinstance(backend, Backend)
    assert isinstance(backend, WrapsBackend)


def test_every_capability_of_the_protocols_is_known():
    assert {capability: tuple(methods(capability)) for capability in EVERY_CAPABILITY} == (
        CAPABILITIES
    )


def test_every_wrapper_is_tried_here():
    found = {"BackendWrapper"}
    for path in Path(threadkeep.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef) and "BackendWrapper" in map(ast.unparse, node.bases):
                found.add(node.name)
    assert found == set(WRAPPERS)


def test_what_the_store_keeps_after_a_purge_is_never_hidden():
    with connect(store(), key=new_key(), observe=True) as memory:
        assert memory.purge() == ["the store's own files"]
