"""Every middleware that LangChain ships beside ours, alone and in pairs: the same prompts."""

from __future__ import annotations

import itertools

import langchain.agents.middleware as shipped
import pytest
from langchain_core.messages import AIMessage
from langchain_core.tools import tool
from langgraph.types import Command

from tests.integrations.langchain.agents_beside import (
    CONFIG,
    asks,
    beside,
    content,
    recorder,
)

QUICK = {"max_retries": 2, "initial_delay": 0.0, "jitter": False}
UNTRIED = {
    "AgentMiddleware": "the base class",
    "LLMToolSelectorMiddleware": "needs a model with structured output; it changes tools only",
    "ProviderToolSearchMiddleware": "needs a provider's own tools; it changes tools only",
    "ShellToolMiddleware": "starts a shell; it adds a tool only",
    "AutoModeMiddleware": "beta, needs a decision model; it blocks calls of tools only",
    "ModelRouterMiddleware": "beta, needs a decision model; it changes the model only",
    "HumanInTheLoopMiddleware": "interrupts: see the test of its own",
}

MIDDLEWARES = {
    "ContextEditingMiddleware": lambda path: shipped.ContextEditingMiddleware(
        edits=[shipped.ClearToolUsesEdit(trigger=1, keep=1)]
    ),
    "FilesystemFileSearchMiddleware": lambda path: shipped.FilesystemFileSearchMiddleware(
        root_path=str(path)
    ),
    "LLMToolEmulator": lambda path: shipped.LLMToolEmulator(
        tools=["look"], model=recorder(*["emulated kim@example.org"] * 20)
    ),
    "ModelCallLimitMiddleware": lambda path: shipped.ModelCallLimitMiddleware(run_limit=2),
    "ModelFallbackMiddleware": lambda path: shipped.ModelFallbackMiddleware(recorder("spare")),
    "ModelRetryMiddleware": lambda path: shipped.ModelRetryMiddleware(**QUICK),
    "PIIMiddleware": lambda path: shipped.PIIMiddleware(
        "email", strategy="redact", apply_to_output=True, apply_to_tool_results=True
    ),
    "SummarizationMiddleware": lambda path: shipped.SummarizationMiddleware(
        recorder(*(f"summary {n}" for n in range(20))),
        trigger=("messages", 6),
        keep=("messages", 3),
    ),
    "TodoListMiddleware": lambda path: shipped.TodoListMiddleware(),
    "ToolCallLimitMiddleware": lambda path: shipped.ToolCallLimitMiddleware(run_limit=1),
    "ToolErrorMiddleware": lambda path: shipped.ToolErrorMiddleware(lambda error: f"{error}"),
    "ToolRetryMiddleware": lambda path: shipped.ToolRetryMiddleware(**QUICK),
}
if hasattr(shipped, "ModelRefusalMiddleware"):  # since LangChain 1.5
    MIDDLEWARES["ModelRefusalMiddleware"] = lambda path: shipped.ModelRefusalMiddleware()
CHANGING = (
    "ContextEditingMiddleware", "ModelCallLimitMiddleware", "PIIMiddleware",
    "SummarizationMiddleware", "ToolCallLimitMiddleware", "TodoListMiddleware",
)  # fmt: skip


@tool
def look(what: str) -> str:
    """Look."""
    return f"{what} of kim@example.org"


def calls(*whats):
    return AIMessage(
        "", tool_calls=[{"name": "look", "args": {"what": w}, "id": f"c{w}"} for w in whats]
    )


ANSWERS = [
    calls("1"), "a0 for kim@example.org", calls("2", "3"), calls("4"), "a1", "a2", calls("5"), "a3",
    *(f"more {n}" for n in range(9)),
]  # fmt: skip
QUESTIONS = [f"q{n} by kim@example.org" for n in range(4)]


def compare(path, names, place, checkpointer):
    sides = beside(
        asks(*QUESTIONS), lambda: [MIDDLEWARES[name](path) for name in names], ANSWERS,
        place=place, checkpointer=checkpointer, tools=[look], record_responses=True,
    )  # fmt: skip
    if checkpointer:
        sides.assert_same()
    else:
        for bare, ours in zip(sides.bare.seen, sides.ours.seen, strict=True):
            remaining = iter(content(ours))
            assert all(entry in remaining for entry in content(bare))
    ends_early = "ModelCallLimitMiddleware" in names  # before the state itself is redacted
    if "PIIMiddleware" in names and not ends_early and (checkpointer or place is None):
        stored = sides.memory.session("t").items(hidden=True)
        recorded = sides.memory.responses.list(conversation="t", limit=100)
        assert "kim@" not in str(stored)
        assert "kim@" not in str([r.input for r in recorded])


def test_all_that_are_shipped_are_tried():
    exported = {name for name in shipped.__all__ if name.endswith(("Middleware", "Emulator"))}
    assert exported <= MIDDLEWARES.keys() | UNTRIED.keys()


@pytest.mark.proves("D1")
@pytest.mark.parametrize("checkpointer", [True, False], ids=["saver", "no saver"])
@pytest.mark.parametrize("place", [0, None], ids=["ours first", "ours last"])
@pytest.mark.parametrize("name", MIDDLEWARES)
def test_each_alone(tmp_path, name, place, checkpointer):
    if not checkpointer and place == 0 and name == "ContextEditingMiddleware":
        pytest.skip("it clears results of earlier turns too, which only ours brings")
    compare(tmp_path, [name], place, checkpointer)


PAIRS = list(itertools.permutations(CHANGING, 2))
PII_PAIRS = [names for names in PAIRS if "PIIMiddleware" in names]


@pytest.mark.proves("D1")
@pytest.mark.parametrize("names", PII_PAIRS, ids="+".join)
def test_pairs_with_redaction(tmp_path, names):
    compare(tmp_path, names, None, checkpointer=True)


@pytest.mark.soak
@pytest.mark.parametrize("names", PAIRS, ids="+".join)
def test_pairs(tmp_path, names):
    compare(tmp_path, names, None, checkpointer=True)


@pytest.mark.parametrize("place", [0, None], ids=["ours first", "ours last"])
@pytest.mark.parametrize("decision", ["approve", "edit", "reject"])
def test_human_in_the_loop(decision, place):
    decisions = {
        "approve": {"type": "approve"},
        "edit": {"type": "edit", "edited_action": {"name": "look", "args": {"what": "other"}}},
        "reject": {"type": "reject", "message": "no"},
    }

    def play(agent):
        asks("q0")(agent)
        agent.invoke(Command(resume={"decisions": [decisions[decision]]}), CONFIG)
        asks("q1")(agent)

    review = lambda: [shipped.HumanInTheLoopMiddleware({"look": True})]  # noqa: E731
    beside(play, review, [calls("1"), "a0", "a1"], tools=[look], place=place).assert_same()
