"""A scripted model over HTTP, and memories that learn by it."""

from __future__ import annotations

import json

import pytest

from threadkeep.longterm.extraction.scheduler import ExtractionThread
from threadkeep.testing import ScriptedModel


def asked(request):
    """What the library told the model: the data of the prompt."""
    return json.loads(request["messages"][1]["content"])


def fact(text, *items, **more):
    """A fact as a model answers it."""
    return {"text": text, "items": list(items), "quote": "", "relation": "new", "known": None,
            "confidence": 0.9, "valid_from": None, "valid_to": None, **more}  # fmt: skip


def instruction(text, *items, **more):
    """An instruction as a model answers it."""
    return {"text": text, "items": list(items), "quote": "", "relation": "new", "known": None,
            "confidence": 0.9, "priority": "explicit", **more}  # fmt: skip


def answer(*facts, instructions=(), summary="", topics=()):
    """A whole answer."""
    said = {"facts": list(facts), "instructions": list(instructions)}
    return json.dumps({**said, "summary": {"text": summary, "topics": list(topics)}})


@pytest.fixture
def serve():
    """Starts scripted models; they stop when the test ends."""
    running = []

    def start(replies):
        running.append(ScriptedModel(replies).start())
        return running[-1]

    yield start
    for model in running:
        model.stop()


@pytest.fixture(autouse=True)
def in_background(monkeypatch):
    """Nothing is read there, but what tests want to be: it would meet the test's own `process`."""
    monkeypatch.setattr(ExtractionThread, "start", lambda self: None)


@pytest.fixture
def learning(opened, serve):
    """Opens a memory that learns by a scripted model, when it is told to."""

    def open_learning(replies, wrap=lambda inner: inner, llm=None, **options):
        model = serve(replies)
        said = {"model": "scripted", "api_key": "none", "base_url": model.base_url,
                "every": 1_000, "idle": 3_600, **(llm or {})}  # fmt: skip
        memory = opened(wrap, llm=said, **options)
        return memory, model

    return open_learning
