"""Programs of middlewares: what each does, in which hook, and how the agent is run."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from hypothesis import strategies as st
from langchain.agents.middleware import AgentMiddleware
from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    HumanMessage,
    RemoveMessage,
    SystemMessage,
    ToolMessage,
)
from langchain_core.tools import tool
from langgraph.graph.message import REMOVE_ALL_MESSAGES

STATE_HOOKS: Final = ("before_agent", "before_model", "after_model", "after_agent")
HOOKS: Final = (*STATE_HOOKS, "wrap_model_call")
ACTS: Final = ("replace", "redact", "drop", "add", "front", "reorder", "rewrite", "keep")
WAYS: Final = ("sync", "async", "stream", "async stream")

Group = list[BaseMessage]


@dataclass(frozen=True)
class Step:
    """One middleware: an act in a hook, on the group of messages of a number."""

    hook: str
    act: str
    number: int


@dataclass(frozen=True)
class Program:
    """How an agent is made and run.

    Attributes:
        steps: its middlewares.
        place: where ours stands among them.
        turns: for each run, how many tool calls the model makes before it answers.
        checkpointer: whether there is one.
        way: how it is run.
        old: how many turns of the thread come before ours is there.
        cut: whether the process ends, and loses what it knows, between runs.
    """

    steps: tuple[Step, ...]
    place: int
    turns: tuple[int, ...]
    checkpointer: bool
    way: str
    old: int = 0
    cut: bool = False


def programs(
    hooks: Sequence[str] = HOOKS, acts: Sequence[str] = ACTS
) -> st.SearchStrategy[Program]:
    steps = st.builds(
        Step, st.sampled_from(hooks), st.sampled_from(acts), st.integers(min_value=0, max_value=7)
    )
    return st.builds(
        Program,
        steps=st.lists(steps, min_size=1, max_size=3).map(tuple),
        place=st.integers(0, 3),
        turns=st.lists(st.sampled_from([0, 0, 1, 2]), min_size=2, max_size=4).map(tuple),
        checkpointer=st.booleans(),
        way=st.sampled_from(WAYS),
        old=st.sampled_from([0, 0, 0, 1]),
        cut=st.booleans(),
    )


@tool
def look(what: str) -> str:
    """Look."""
    return f"result {what} 4711"


def answers(turns: Sequence[int]) -> list[AIMessage]:
    """What the model says: each text has a number that a redactor takes out."""
    said = []
    for turn, count in enumerate(turns):
        for call in range(count):
            args = {"what": f"{turn}.{call}"}
            calls = [
                {"name": "look", "args": args, "id": f"c{turn}.{call}.{n}"}
                for n in range(1 + call % 2)
            ]
            said.append(AIMessage(f"looking {turn}.{call} 4711", tool_calls=calls))
        said.append(AIMessage(f"answer {turn} 4711"))
    return said


def question(turn: int) -> HumanMessage:
    return HumanMessage(f"question {turn} 4711")


def groups(messages: Sequence[BaseMessage]) -> list[Group]:
    """Messages that stand or go together: calls with their results."""
    found: list[Group] = []
    for message in messages:
        if isinstance(message, ToolMessage) and found:
            found[-1].append(message)
        else:
            found.append([message])
    return found


def flat(grouped: Sequence[Group]) -> list[BaseMessage]:
    return [message for group in grouped for message in group]


def acted(step: Step, messages: Sequence[BaseMessage]) -> list[BaseMessage] | None:
    """The messages as a step leaves them; `None` = as they are."""
    grouped = groups(messages)
    if not grouped or (_is_open(grouped[-1]) and step.act in ("add", "reorder", "drop", "rewrite")):
        return None
    is_answer = step.hook == "after_model"  # without it the agent would ask again
    index = step.number % max(1, len(grouped) - is_answer)
    return _ACTS[step.act](grouped, index, step)


def _is_open(group: Group) -> bool:
    """Whether calls of the group have no results yet: nothing may come between."""
    head = group[0]
    return isinstance(head, AIMessage) and len(head.tool_calls) >= len(group)


def _replace(grouped: list[Group], index: int, step: Step) -> list[BaseMessage]:
    head = grouped[index][0]
    changed = head.model_copy(update={"content": f"replaced by {step.number}"})
    return flat([*grouped[:index], [changed, *grouped[index][1:]], *grouped[index + 1 :]])


def _redact(grouped: list[Group], index: int, step: Step) -> list[BaseMessage]:
    return [
        m.model_copy(update={"content": re.sub("4711", "****", m.content)})
        if "4711" in m.content
        else m
        for m in flat(grouped)
    ]


def _drop(grouped: list[Group], index: int, step: Step) -> list[BaseMessage] | None:
    return flat([*grouped[:index], *grouped[index + 1 :]]) if len(grouped) > 1 else None


def _add(grouped: list[Group], index: int, step: Step) -> list[BaseMessage]:
    kinds: list[type[BaseMessage]] = [HumanMessage, AIMessage, SystemMessage]
    return [*flat(grouped), kinds[step.number % 3](f"added by {step.number}")]


def _front(grouped: list[Group], index: int, step: Step) -> list[BaseMessage]:
    return [HumanMessage(f"before all by {step.number}"), *flat(grouped)]


def _reorder(grouped: list[Group], index: int, step: Step) -> list[BaseMessage]:
    return flat([*grouped[index:-1], *grouped[:index], *grouped[-1:]])


def _rewrite(grouped: list[Group], index: int, step: Step) -> list[BaseMessage]:
    """The newest question as a new message, without its id."""
    spoken = [n for n, group in enumerate(grouped) if isinstance(group[0], HumanMessage)]
    if not spoken:
        return flat(grouped)
    last = spoken[-1]
    return flat([*grouped[:last], [HumanMessage("rewritten")], *grouped[last + 1 :]])


def _keep(grouped: list[Group], index: int, step: Step) -> list[BaseMessage]:
    return flat(grouped[-3:])


_ACTS: Final[dict[str, Callable[[list[Group], int, Step], list[BaseMessage] | None]]] = {
    "replace": _replace, "redact": _redact, "drop": _drop, "add": _add, "front": _front,
    "reorder": _reorder, "rewrite": _rewrite, "keep": _keep,
}  # fmt: skip


def middleware(step: Step, number: int) -> AgentMiddleware:
    """The middleware of a step; in the state it acts at most once in a run, as loops would."""

    def update(state: Any) -> dict[str, Any] | None:
        messages = state["messages"]
        after = acted(step, messages)
        if after is None or after == messages:
            return None
        if [m.id for m in after] == [m.id for m in messages]:
            return {"messages": [m for m, old in zip(after, messages, strict=True) if m is not old]}
        ids = {m.id for m in after}
        removed = [RemoveMessage(m.id) for m in messages if m.id not in ids]
        new = [m for m in after if m.id is None]
        if after == [*(m for m in messages if m.id in ids), *new]:
            return {"messages": [*removed, *new]}
        return {"messages": [RemoveMessage(REMOVE_ALL_MESSAGES), *after]}

    class Acts(AgentMiddleware):
        name = f"acts{number}"

        def wrap_model_call(self, request, handler):
            return handler(self._request(request))

        async def awrap_model_call(self, request, handler):
            return await handler(self._request(request))

        def _request(self, request):
            if step.hook != "wrap_model_call":
                return request
            after = acted(step, request.messages)
            return request if after is None else request.override(messages=after)

    if step.hook != "wrap_model_call":
        setattr(Acts, step.hook, lambda self, state, runtime: update(state))
    return Acts()
