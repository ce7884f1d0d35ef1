"""The story: a chat is remembered, continued by a new process, edited, forked, and repaired;
another one is led by three frameworks in turn.
"""

from __future__ import annotations

import os
import subprocess
import sys

import threadkeep
from examples.demo import EndpointError, measures, script, terminal
from examples.demo.model import described, model
from threadkeep import Memory, Session, Window, errors
from threadkeep.testing import assert_valid

SESSION = "weekend"
FORK = "weekend-coimbra"
CRASHED = "crashed"
SHARED = "shared"
FRAMEWORKS = ("langchain", "llama_index", "openai_agents")
USER = "ada"


def run(store: str) -> None:
    """Tell the whole story.

    Raises:
        EndpointError: the model did not answer.
        ThreadkeepError: the store did not do what it should.
    """
    terminal.row("store", store)
    terminal.row("model", described())
    with threadkeep.connect(store) as memory:
        _forget(memory)
        _remember(memory)
    _restart(store)
    with threadkeep.connect(store) as memory:
        _edit(memory)
        _fork(memory)
        _own(memory)
        _crash(memory, store)
    _share(store)
    measures.show()
    _onwards()


def _forget(memory: Memory) -> None:
    """What an earlier run left in this store."""
    for id in (SESSION, FORK, CRASHED, SHARED):
        memory.session(id).delete()


def _chat(memory: Memory) -> Session:
    return memory.session(SESSION, user=USER)


def _remember(memory: Memory) -> None:
    terminal.heading("1  A chat through the openai client, remembered")
    terminal.code(
        """
        chat = memory.session("weekend", user="ada")
        chat.add("I am Ada, ...")                                     # a user message
        window = chat.window(max_tokens=3000)                         # what the model sees
        reply = client.chat.completions.create(model=..., messages=window.to_openai(), tools=...)
        chat.add(reply)                                               # its answer, tool calls too
        """
    )
    print()
    chat = _chat(memory)
    with model(script.CHAT) as talk:
        for text in (script.OPENING, script.SECOND):
            question = chat.add(text)
            terminal.messages([*question, *talk.answer(chat)])
    info = chat.info()
    terminal.row(
        "", f"stored: {len(chat.items())} items in session {chat.id!r} of {info and info.user!r}"
    )


def _restart(store: str) -> None:
    terminal.heading("2  The process ends, another one goes on")
    terminal.row("process", f"{os.getpid()}, this one, has closed the store")
    if _process("again", store, SESSION):
        raise EndpointError("the second process could not go on with the session (see above)")


def _process(module: str, store: str, session: str) -> int:
    """Run a part of the story in a Python process of its own; its exit code."""
    command = [sys.executable, "-m", f"examples.demo.{module}", store, session, USER]
    return subprocess.run(command, check=False).returncode


def _edit(memory: Memory) -> None:
    terminal.heading("3  The pencil: replace. The retry button: rewind")
    chat = _chat(memory)
    question = next(item for item in chat.items() if item.text == script.SECOND)
    edited = chat.replace(question.id, script.EDITED)
    terminal.row("replace", f"{question.text!r} -> {edited.text!r}, in the same place")
    taken = chat.rewind(before=chat.items(after=edited.id, limit=1)[0].id)
    terminal.row("rewind", f"took back the {len(taken)} items after it, to ask again:")
    with model(script.RETRIED[:1]) as talk:
        terminal.messages([edited, *talk.answer(chat)])


def _fork(memory: Memory) -> None:
    terminal.heading("4  Another way on: fork")
    chat = _chat(memory)
    start = next(item for item in chat.items() if item.text == script.EDITED)
    before = chat.items(before=start.id)[-1]
    fork = chat.fork(FORK, upto=before.id)
    with model(script.RETRIED[1:]) as talk:
        question = fork.add(script.OTHER)
        terminal.messages([*question, *talk.answer(fork)])
    for info in memory.user(USER).sessions():
        origin = f"forked from {info.forked_from!r}" if info.forked_from else "as it was"
        held = len(memory.session(info.id).items())
        terminal.row("session", f"{info.id!r}: {held} items, of {info.user!r}, {origin}")


def _own(memory: Memory) -> None:
    terminal.heading("5  Who may open it")
    terminal.row("ada", f"{len(memory.user(USER).session(SESSION).items())} items")
    try:
        memory.user("bob").session(SESSION).items()
    except errors.NotOwner as error:
        terminal.row("bob", f"NotOwner: {error}")


def _crash(memory: Memory, store: str) -> None:
    terminal.heading("6  A process that dies in the middle of a tool call")
    terminal.say(
        "The model asked for two tools at once; one had answered when the process was killed. "
        "Providers refuse such a history; the window closes it, and the store stays as it was."
    )
    died = _process("crash", store, CRASHED)
    terminal.row("process", f"ended by signal {-died}" if died < 0 else f"ended with code {died}")
    chat = memory.session(CRASHED, user=USER)
    chat.add(script.AFTER)
    window = chat.window()
    terminal.messages(window)
    _check(window)
    made = len(window) - len(chat.items())
    terminal.row(
        "stored", f"{len(chat.items())} items; the window has {len(window)}, {made} synthetic"
    )
    terminal.row("valid", "for OpenAI Chat, OpenAI Responses and Anthropic; sent to the model:")
    with model(script.AFTERWARDS) as talk:
        terminal.messages(talk.answer(chat))


def _share(store: str) -> None:
    terminal.heading("7  One conversation, three frameworks, each in a process of its own")
    terminal.code(
        """
        create_agent(model, tools, middleware=[ThreadkeepMiddleware(memory)])
        SimpleChatEngine.from_defaults(llm=llm, memory=ThreadkeepMemory.from_defaults(...))
        Runner.run(agent, text, session=ThreadkeepSession("shared", memory, user="ada"))
        """
    )
    print()
    for name in FRAMEWORKS:
        if _process(f"frameworks.{name}", store, SHARED):
            raise EndpointError(f"the turn by {name} failed (see above)")
    with threadkeep.connect(store) as memory:
        window = memory.session(SHARED, user=USER).window()
    _check(window)
    terminal.row("valid", f"{len(window)} items, for OpenAI Chat, OpenAI Responses and Anthropic")


def _check(window: Window) -> None:
    """Ask the independent judge whether every provider would take it."""
    for provider, wire in (
        ("openai", window.to_openai()),
        ("responses", window.to_responses()),
        ("anthropic", window.to_anthropic()),
    ):
        assert_valid(wire, provider)


def _onwards() -> None:
    terminal.heading("Where to go next")
    terminal.row(
        "your chats", "make demo INPUT=conversations.json   (ChatGPT export, OpenAI JSON or JSONL)"
    )
    terminal.row("tutorial", "docs/tutorial.md: every line of it runs")
    terminal.row("this store", f"threadkeep.connect(<store>).session({SESSION!r}).items()")
