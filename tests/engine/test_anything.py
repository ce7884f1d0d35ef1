"""Whatever is passed to whatever verb: it works, or an error of ours says what is wrong."""

from __future__ import annotations

import inspect

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engine.anything import anything, messages
from tests.window.looking import many
from threadkeep import Memory, connect
from threadkeep.errors import ThreadkeepError

pytestmark = pytest.mark.slow

VERBS = [
    "chat", "chat.files", "chat.facts", "memory", "user", "user.facts", "user.instructions",
    "memory.conversations", "memory.responses", "memory.feedback",
]  # fmt: skip


def opened(memory: Memory, path: str) -> object:
    """What has the verbs, with something in it."""
    chat = memory.session("c", user="ada")
    chat.add(*({"role": "user", "content": f"{n}", "id": f"m{n}"} for n in range(3)))
    said = {"id": "r0", "output": [{"type": "message", "role": "assistant", "content": "x"}]}
    memory.responses.add(said, conversation="c", user="ada")
    known = {"chat": chat, "memory": memory, "user": memory.user("ada")}
    first, _, second = path.partition(".")
    return getattr(known[first], second) if second else known[first]


def verbs(path: str) -> list[str]:
    """The public verbs, without their twins."""
    with connect("memory://") as memory:
        target = opened(memory, path)
        named = [name for name in dir(target) if name[0] != "_" and "close" not in name]
        return [
            name
            for name in named
            if callable(getattr(target, name))
            and name != "to_thread"  # a coroutine function, whose callable is the caller's own
            and not (name[0] == "a" and name[1:] in named)
        ]


def arguments(draw, verb):
    """Of every parameter that is needed, and of some that are not."""
    given, named = [], {}
    for parameter in inspect.signature(verb).parameters.values():
        needed = parameter.default is parameter.empty
        if parameter.kind is parameter.VAR_POSITIONAL:
            given += draw(st.lists(anything, max_size=2))
        elif parameter.kind is parameter.KEYWORD_ONLY:
            if needed or draw(st.booleans()):
                named[parameter.name] = draw(anything)
        elif parameter.kind is not parameter.VAR_KEYWORD and (needed or draw(st.booleans())):
            given.append(draw(anything))
    return given, named


@pytest.mark.parametrize(("path", "name"), [(path, n) for path in VERBS for n in verbs(path)])
def test_a_verb_takes_its_arguments_or_says_what_is_wrong(path, name):
    @settings(many, max_examples=many.max_examples // 5)
    @given(st.data())
    def call(data):
        with connect("memory://") as memory:
            verb = getattr(opened(memory, path), name)
            given, named = arguments(data.draw, verb)
            before = [(item.id, item.content) for item in memory.session("c").items()]
            try:
                found = verb(*given, **named)
            except ThreadkeepError:
                assert [(i.id, i.content) for i in memory.session("c").items()] == before
            else:
                assert not inspect.isgenerator(found) or list(found) is not None

    call()


@many
@given(st.lists(messages, max_size=3))
def test_whatever_looks_like_messages_is_stored_and_shown_to_every_provider_or_refused(said):
    with connect("memory://") as memory:
        chat = memory.session("c")
        try:
            chat.add(*said)
        except ThreadkeepError:
            assert chat.items() == []
            return
        assert [item.type for item in chat.items() if "unreadable" in item.metadata] == []
        window = chat.window()
        assert window.tokens >= 0
        for shown in (window.to_openai(), window.to_responses(), window.to_anthropic()):
            assert isinstance(shown, list)
