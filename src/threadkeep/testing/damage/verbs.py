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
        "user.sessions": lambda memory: user(memory).sessions(),
        "user.export": lambda memory: user(memory).export(),
        "user.recall": lambda memory: user(memory).recall("nuts"),
        "user.context": lambda memory: user(memory).context("nuts"),
        "user.facts": lambda memory: user(memory).facts.list(status=None),
        "user.instructions": lambda memory: user(memory).instructions.list(status=None),
        "user.conversations": lambda memory: user(memory).conversations.list(),
        "user.responses": lambda memory: user(memory).responses.list(),
        "user.usage": lambda memory: user(memory).responses.usage(by="day"),
        "user.feedback": lambda memory: user(memory).feedback.list(),
        "user.counts": lambda memory: user(memory).feedback.counts(by="day"),
    }


OF_EVERYBODY: Final[Mapping[str, Verb]] = {
    "sessions": lambda memory: memory.sessions(limit=100),
    "conversations": lambda memory: memory.conversations.list(metadata={"plan": "gold"}),
    "responses": lambda memory: memory.responses.list(),
    "usage": lambda memory: memory.responses.usage(),
    "feedback": lambda memory: memory.feedback.list(),
    "sweep": lambda memory: memory.sweep(),
    "check": lambda memory: memory.check(),
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
        "items": lambda memory: chat(memory).items(),
        "items, last": lambda memory: chat(memory).items(last=2),
        "items, after": lambda memory: chat(memory).items(after="i1", limit=2),
        "prompts": partial(_prompts, session=session),
        "prompts of a window": lambda memory: chat(memory).window(max_tokens=20).to_openai(),
        "html": lambda memory: chat(memory)._repr_html_(),
        "info": lambda memory: chat(memory).info(),
        "context": lambda memory: chat(memory).context("nuts"),
        "summary": lambda memory: chat(memory).summary(),
        "files": lambda memory: chat(memory).files.list(),
        "conversation": lambda memory: memory.conversations.get(session),
        "conversation.items": lambda memory: memory.conversations.items(session, order="desc"),
        "conversation.item": lambda memory: memory.conversations.item(session, "i1"),
        "response": lambda memory: memory.responses.get(f"{session}-r0"),
        "chain": lambda memory: memory.responses.chain(f"{session}-r1"),
        "responses of it": lambda memory: memory.responses.list(conversation=session),
        "feedback on it": lambda memory: memory.feedback.list(response=f"{session}-r0"),
    }


def writes_to_session(session: str) -> dict[str, Verb]:
    """Verbs that change one session, in an order in which each finds something to do."""

    def chat(memory: Memory) -> Session:
        return memory.session(session)

    response_id = f"{session}-r0"
    repeated_item = {"role": "user", "content": "x", "id": "i1"}
    queued_response = {"id": response_id, "output": [], "status": "queued"}
    return {
        "add": lambda memory: chat(memory).add("again"),
        "add an item once more": lambda memory: chat(memory).add(repeated_item),
        "update": lambda memory: chat(memory).update(title="T", metadata={"n": 1}),
        "replace": lambda memory: chat(memory).replace("i4", "other words"),
        "fork": lambda memory: chat(memory).fork("copy").items(),
        "rate": lambda memory: memory.feedback.add(response_id, rating="negative"),
        "continue": lambda memory: memory.responses.add(_next(session), user="ada"),
        "record again": lambda memory: memory.responses.add(queued_response, user="ada"),
        "remove feedback": lambda memory: [
            memory.feedback.delete(response_id, feedback.id)
            for feedback in memory.feedback.list(response=response_id)
        ],
        "delete a response": lambda memory: memory.responses.delete(response_id),
        "forget an item": lambda memory: chat(memory).forget("i1"),
        "rewind": lambda memory: chat(memory).rewind(last=1),
        "set_items": lambda memory: chat(memory).set_items("anew"),
        "clear": lambda memory: chat(memory).clear(files=True),
        "learn": lambda memory: memory.user("ada").facts.add("Ada is tall"),
        "instruct": lambda memory: memory.user("ada").instructions.add("Answer in French"),
    }


def _next(session: str) -> dict[str, Any]:
    """A response that goes on from one of the session."""
    return {"id": f"{session}-next", "output": [], "previous_response_id": f"{session}-r1"}
