"""The public verbs, called on a store that may hold a damaged record."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from threadkeep.api.memory import Memory
from threadkeep.api.session import Session
from threadkeep.api.user import User

Verb = Callable[[Memory], Any]


def _prompts(memory: Memory, session: str) -> list[Any]:
    window = memory.session(session).window()
    return [window.to_openai(), window.to_responses(), window.to_anthropic(), window.tokens]


def _of_user(name: str) -> dict[str, Verb]:
    def user(memory: Memory) -> User:
        return memory.user(name)

    return {
        "user.sessions": lambda m: user(m).sessions(),
        "user.export": lambda m: user(m).export(),
        "user.recall": lambda m: user(m).recall("nuts"),
        "user.context": lambda m: user(m).context("nuts"),
        "user.facts": lambda m: user(m).facts.list(status=None),
        "user.instructions": lambda m: user(m).instructions.list(status=None),
        "user.conversations": lambda m: user(m).conversations.list(),
        "user.responses": lambda m: user(m).responses.list(),
        "user.usage": lambda m: user(m).responses.usage(by="day"),
        "user.feedback": lambda m: user(m).feedback.list(),
        "user.counts": lambda m: user(m).feedback.counts(by="day"),
    }


OF_EVERYBODY: Final[Mapping[str, Verb]] = {
    "sessions": lambda m: m.sessions(limit=100),
    "conversations": lambda m: m.conversations.list(metadata={"plan": "gold"}),
    "responses": lambda m: m.responses.list(),
    "usage": lambda m: m.responses.usage(),
    "feedback": lambda m: m.feedback.list(),
    "sweep": lambda m: m.sweep(),
    "check": lambda m: m.check(),
}
"""Verbs over all sessions of a namespace: none may fail."""


def of_user(name: str) -> dict[str, Verb]:
    """Verbs over all that a user has: none may fail."""
    return {f"{verb_name} of {name}": verb_call for verb_name, verb_call in _of_user(name).items()}


def reads_of_session(session: str) -> dict[str, Verb]:
    """Verbs that read one session: they give what they can read, or raise a threadkeep error."""

    def chat(memory: Memory) -> Session:
        return memory.session(session)

    return {
        "items": lambda m: chat(m).items(),
        "items, last": lambda m: chat(m).items(last=2),
        "items, after": lambda m: chat(m).items(after="i1", limit=2),
        "prompts": partial(_prompts, session=session),
        "prompts of a window": lambda m: chat(m).window(max_tokens=20).to_openai(),
        "html": lambda m: chat(m)._repr_html_(),
        "info": lambda m: chat(m).info(),
        "context": lambda m: chat(m).context("nuts"),
        "summary": lambda m: chat(m).summary(),
        "files": lambda m: chat(m).files.list(),
        "conversation": lambda m: m.conversations.get(session),
        "conversation.items": lambda m: m.conversations.items(session, order="desc"),
        "conversation.item": lambda m: m.conversations.item(session, "i1"),
        "response": lambda m: m.responses.get(f"{session}-r0"),
        "chain": lambda m: m.responses.chain(f"{session}-r1"),
        "responses of it": lambda m: m.responses.list(conversation=session),
        "feedback on it": lambda m: m.feedback.list(response=f"{session}-r0"),
    }


def writes_to_session(session: str) -> dict[str, Verb]:
    """Verbs that change one session, in an order in which each finds something to do."""

    def chat(memory: Memory) -> Session:
        return memory.session(session)

    response_id = f"{session}-r0"
    repeated_item = {"role": "user", "content": "x", "id": "i1"}
    queued_response = {"id": response_id, "output": [], "status": "queued"}
    return {
        "add": lambda m: chat(m).add("again"),
        "add an item once more": lambda m: chat(m).add(repeated_item),
        "update": lambda m: chat(m).update(title="T", metadata={"n": 1}),
        "replace": lambda m: chat(m).replace("i4", "other words"),
        "fork": lambda m: chat(m).fork("copy").items(),
        "rate": lambda m: m.feedback.add(response_id, rating="negative"),
        "continue": lambda m: m.responses.add(_next(session), user="ada"),
        "record again": lambda m: m.responses.add(queued_response, user="ada"),
        "remove feedback": lambda m: [
            m.feedback.delete(response_id, feedback.id)
            for feedback in m.feedback.list(response=response_id)
        ],
        "delete a response": lambda m: m.responses.delete(response_id),
        "forget an item": lambda m: chat(m).forget("i1"),
        "rewind": lambda m: chat(m).rewind(last=1),
        "set_items": lambda m: chat(m).set_items("anew"),
        "clear": lambda m: chat(m).clear(files=True),
        "learn": lambda m: m.user("ada").facts.add("Ada is tall"),
        "instruct": lambda m: m.user("ada").instructions.add("Answer in French"),
    }


def _next(session: str) -> dict[str, Any]:
    """A response that goes on from one of the session."""
    return {"id": f"{session}-next", "output": [], "previous_response_id": f"{session}-r1"}
