"""Random programs on a graph, with LangGraph's own checkpointer and ours side by side.

A `Pair` writes to both and compares every answer; afterwards the whole history is read through
either of them, and compared as well.
"""

import operator
import random
import threading
from typing import Annotated, Any, TypedDict

from langchain_core.messages import AIMessage, HumanMessage, RemoveMessage, ToolMessage
from langgraph.channels.delta import DeltaChannel
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.errors import EmptyInputError
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import (
    REMOVE_ALL_MESSAGES,
    _messages_delta_reducer,
    add_messages,
)
from langgraph.types import Command, Send, interrupt

from langchain_threadkeep import ThreadkeepSaver

CONFIG = {"configurable": {"thread_id": "t"}}
LEAVES = ["text", 1, 2.5, None, True, ["a", {"b": [1]}], {"k": {"l": "m"}}]


class Pair(BaseCheckpointSaver[str]):
    """Two checkpointers as one: whatever they answer must be equal."""

    def __init__(self, theirs, ours):
        super().__init__()
        self.theirs, self.ours = theirs, ours
        self._lock = threading.RLock()  # both see each step in the same order

    def get_next_version(self, current, channel):
        return self.ours.get_next_version(current, channel)

    def get_tuple(self, config):
        with self._lock:
            theirs, ours = self.theirs.get_tuple(config), self.ours.get_tuple(config)
        same(plain(ours), plain(theirs))
        return ours

    def list(self, config, **how):
        with self._lock:
            ours = list(self.ours.list(config, **how))
            theirs = list(self.theirs.list(config, **how))
        assert sorted(map(plain, ours), key=str) == sorted(map(plain, theirs), key=str)
        return iter(ours)

    def put(self, config, checkpoint, metadata, new_versions):
        with self._lock:
            theirs = self.theirs.put(config, checkpoint, metadata, new_versions)
            ours = self.ours.put(config, checkpoint, metadata, new_versions)
        assert ours == theirs
        return ours

    def put_writes(self, config, writes, task_id, task_path=""):
        with self._lock:
            self.theirs.put_writes(config, writes, task_id, task_path)
            self.ours.put_writes(config, writes, task_id, task_path)

    def get_delta_channel_history(self, *, config, channels):
        with self._lock:
            ours = self.ours.get_delta_channel_history(config=config, channels=channels)
            theirs = self.theirs.get_delta_channel_history(config=config, channels=channels)
        assert ours == theirs
        return ours


def same(ours, theirs, path="saved"):
    """Two values as `shape` gives them are equal; else the first difference is named."""
    if type(ours) is type(theirs) is list and len(ours) == len(theirs):
        for n, (one, other) in enumerate(zip(ours, theirs, strict=True)):
            same(one, other, f"{path}[{n}]")
    elif type(ours) is type(theirs) is dict and ours.keys() == theirs.keys():
        for name, value in ours.items():
            same(value, theirs[name], f"{path}[{name!r}]")
    else:
        assert ours == theirs, f"{path}: {ours!s:.300} is not {theirs!s:.300}"


def plain(saved):
    """A checkpoint as values that can be compared: types of messages and values included."""
    if saved is None:
        return None
    checkpoint = dict(saved.checkpoint)
    return shape(
        (saved.config, checkpoint, saved.metadata, saved.parent_config, saved.pending_writes)
    )


def shape(value: Any) -> Any:
    """A value with the types of its parts."""
    if isinstance(value, dict):
        return {name: shape(entry) for name, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [type(value).__name__ if not isinstance(value, tuple) else "", *map(shape, value)]
    if hasattr(value, "__pydantic_fields__"):
        return [type(value).__name__, shape(dict(value.__dict__))]
    if isinstance(value, str):
        return str(value)
    return value if value is None or isinstance(value, (bool, int, float)) else repr(value)


class Inner(TypedDict):
    messages: Annotated[list, add_messages]
    count: int


def graph_of(reducer: Any, saver: Any) -> Any:
    """A graph whose nodes do what the plan in its state says, one entry after the other."""
    failed: set[str] = set()

    class State(TypedDict):
        messages: Annotated[list, reducer]
        log: Annotated[list, operator.add]
        notes: Any
        plan: list

    class Job(TypedDict):
        number: int
        said: list

    def done(state, **update):
        return {"plan": state["plan"][1:], **update}

    def act(state):
        return state["plan"][0]

    def answer(state):
        """An answer, or several messages."""
        return done(state, messages=[made(spec) for spec in act(state)["say"]])

    def edit(state):
        ids = [m.id for m in state["messages"]]
        place = act(state)["place"]
        if not ids:
            return done(state)
        return done(state, messages=[AIMessage(act(state)["text"], id=ids[place % len(ids)])])

    def remove(state):
        ids = [m.id for m in state["messages"]]
        if not ids:
            return done(state)
        return done(state, messages=[RemoveMessage(id=ids[act(state)["place"] % len(ids)])])

    def clear(state):
        return done(state, messages=[RemoveMessage(id=REMOVE_ALL_MESSAGES), AIMessage("c", id="c")])

    def change(state):
        """Change a message in place, and touch the channel."""
        messages = state["messages"]
        if messages:
            place = act(state)["place"]
            message = messages[-1 - place % min(len(messages), act(state)["reach"])]
            mutate(message, act(state))
        said = [AIMessage("touched", id=act(state)["id"])] if act(state)["touch"] else []
        return done(state, messages=said)

    def note(state):
        """Change a plain value in place, or give it anew."""
        notes = state.get("notes") or {"entries": []}
        notes["entries"].append(act(state)["leaf"])
        return done(state, notes=notes, log=act(state)["lines"])

    def fan(state):
        return done(state)

    def worker(job):
        said = [AIMessage(f"worker {job['number']}", id=f"{job['said'][0].id}-{job['number']}")]
        return {"log": [{"worker": job["number"]}], "messages": said}

    def ask(state):
        reply = interrupt({"question": act(state)["text"], "about": state["messages"][-1:]})
        return done(state, messages=[HumanMessage(str(reply), id=act(state)["id"])])

    def fail(state):
        if act(state)["fails"] and act(state)["id"] not in failed:
            failed.add(act(state)["id"])
            raise ValueError("failed")
        return done(state)

    inner = StateGraph(Inner)
    inner.add_node("first", lambda s: {"messages": [AIMessage("inner", id="inner-1")]})
    inner.add_node("second", lambda s: {"count": len(s["messages"])})
    inner.add_edge(START, "first")
    inner.add_edge("first", "second")
    compiled_inner = inner.compile()

    def sub(state):
        found = compiled_inner.invoke({"messages": state["messages"][-3:], "count": 0})
        return done(state, log=[{"inner": found["count"]}], messages=found["messages"][-1:])

    def route(state):
        if not state["plan"]:
            return END
        entry = state["plan"][0]
        if entry["do"] == "fan":
            said = state["messages"][-1:] or [AIMessage("nobody", id="nobody")]
            jobs = [Send("worker", {"number": n, "said": said}) for n in range(entry["jobs"])]
            return ["fan", *jobs]
        return entry["do"]

    builder = StateGraph(State)
    nodes = [answer, edit, remove, clear, change, note, fan, ask, fail, sub]
    names = [node.__name__ for node in nodes]
    for node in nodes:
        builder.add_node(node.__name__, node)
        builder.add_conditional_edges(node.__name__, route, [*names, "worker", END])
    builder.add_node("worker", worker)
    builder.add_conditional_edges(START, route, [*names, "worker", END])
    return builder.compile(checkpointer=saver)


def made(spec):
    """The message of a description."""
    kind, id, text = spec["kind"], spec["id"], spec["text"]
    if kind == "human":
        return HumanMessage(text, id=id, name=spec.get("name"))
    if kind == "call":
        call = {"name": "f", "args": {"x": [1, {"y": text}]}, "id": f"call-{id}"}
        return AIMessage([{"type": "text", "text": text}], id=id, tool_calls=[call])
    if kind == "tool":
        return ToolMessage(text, id=id, tool_call_id=f"call-{id}", artifact=spec.get("artifact"))
    return AIMessage(text, id=id, response_metadata={"model_name": "m", "n": 1})


def mutate(message, entry):
    """Change a message at some depth."""
    match entry["depth"]:
        case 0:
            message.content = entry["text"]
        case 1:
            message.additional_kwargs["k"] = entry["text"]
        case 2:
            message.response_metadata.setdefault("deep", {}).setdefault("l", []).append(1)
        case _:
            if isinstance(message.content, list) and message.content:
                message.content[0]["text"] = entry["text"]
            else:
                message.name = "n"


class Program:
    """A random program; the same for the same seed.

    Args:
        seed: of the program.
        open_memory: opens the one store again.
        strict: whether messages of any age are changed in place.
    """

    def __init__(self, seed, open_memory, *, strict=False):
        self._random = random.Random(seed)
        self._open, self._strict = open_memory, strict
        self._number = 0
        delta = DeltaChannel(
            _messages_delta_reducer, snapshot_frequency=self._random.choice([2, 3, 50])
        )
        self._reducer = self._random.choice([add_messages, add_messages, delta])
        self.theirs = InMemorySaver()
        self._savers = [self._new_saver() for _ in range(self._random.choice([1, 1, 2]))]
        self._cold = self._random.random() < 0.3
        self.steps = []
        self.alone = False

    def run(self, turns):
        """Run it, then compare the histories."""
        for _ in range(turns):
            self._turn()
        self.compare()

    @classmethod
    def on(cls, saver, seed, turns):
        """Run a program on another checkpointer alone."""
        program = cls(seed, lambda: "memory://")
        program.theirs, program.alone, program._reducer = saver, True, add_messages
        for _ in range(turns):
            program._turn()

    def compare(self):
        """Compare the whole history, as each checkpointer tells it alone."""
        ours = graph_of(self._reducer, self._savers[0])
        theirs = graph_of(self._reducer, self.theirs)
        cold = graph_of(self._reducer, self._new_saver())
        expected = [snapshot(s) for s in theirs.get_state_history(CONFIG)]
        same([snapshot(s) for s in ours.get_state_history(CONFIG)], expected, "warm")
        same([snapshot(s) for s in cold.get_state_history(CONFIG)], expected, "cold")
        assert expected

    def _new_saver(self):
        return ThreadkeepSaver(self._open(), strict=self._strict, on_conflict="last")

    def _turn(self):
        if self._cold:
            self._savers[0] = self._new_saver()
        saver = Pair(self.theirs, self._random.choice(self._savers))
        graph = graph_of(self._reducer, self.theirs if self.alone else saver)
        history = list(graph_of(self._reducer, self.theirs).get_state_history(CONFIG))
        choice = self._random.random()
        durability = self._random.choice(["sync", "sync", "exit"])
        try:
            if history and history[0].interrupts and choice < 0.7:
                self.steps.append("resume")
                graph.invoke(Command(resume=self._text()), CONFIG, durability=durability)
            elif history and choice < 0.12:
                config = self._random.choice(history).config
                self.steps.append("rewind")
                graph.invoke(self._input(), config, durability=durability)
            elif history and choice < 0.2:
                self.steps.append("replay")
                graph.invoke(None, self._random.choice(history).config, durability=durability)
            elif history and choice < 0.3:
                self._update(graph, history)
            else:  # async only where nothing changes in place, which would race with the saving
                given = self._input()
                if not any(entry["do"] in ("change", "note") for entry in given["plan"]):
                    durability = self._random.choice([durability, "async"])
                self.steps.append((durability, given))
                graph.invoke(given, CONFIG, durability=durability)
        except EmptyInputError:
            pass  # a replay of a checkpoint at which nothing is due
        except ValueError as error:
            if str(error) != "failed":
                raise

    def _update(self, graph, history):
        self.steps.append("update")
        config = CONFIG if self._random.random() < 0.5 else self._random.choice(history).config
        values = {"messages": [self._made(["ai", "human"])], "plan": []}
        graph.update_state(config, values, as_node="answer")

    def _input(self):
        plan = [self._entry() for _ in range(self._random.randint(0, 4))]
        return {"messages": [self._made(["human"])], "plan": plan, "log": []}

    def _entry(self):
        pick = self._random
        do = pick.choice(
            ["answer"] * 6 + ["edit", "remove", "clear", "change", "change", "note", "note", "fan"]
            + ["ask", "fail", "sub", "sub"]
        )  # fmt: skip
        return {
            "do": do,
            "say": [self._spec(["ai", "call", "tool"]) for _ in range(pick.randint(1, 3))],
            "place": pick.randint(0, 20),
            "reach": 50 if self._strict else 3,
            "text": self._text(),
            "id": self._id(),
            "touch": pick.random() < 0.7,
            "depth": pick.randint(0, 3),
            "leaf": pick.choice(LEAVES),
            "lines": [pick.choice(LEAVES) for _ in range(pick.choice([0, 1, 12]))],
            "jobs": pick.randint(1, 3),
            "fails": pick.random() < 0.5,
        }

    def _spec(self, kinds):
        return {
            "kind": self._random.choice(kinds),
            "id": self._id(),
            "text": self._text(),
            "artifact": self._random.choice([None, [1, 2], {"a": {3}}, b"\x00"]),
        }

    def _made(self, kinds):
        return made(self._spec(kinds))

    def _id(self):
        self._number += 1
        return f"m{self._number}"

    def _text(self):
        return self._random.choice(["ok", "", "é\x00", "long " * 300, f"text {self._number}"])


def snapshot(state):
    """A state of the history: values, tasks, config, parent and metadata."""
    tasks = [
        (task.id, task.name, task.path, task.result, repr(task.error), interrupts(task), task.state)
        for task in state.tasks
    ]
    return shape(
        (
            *(state.values, state.next, state.config, state.metadata, state.created_at),
            *(state.parent_config, tasks, interrupts(state)),
        )
    )


def interrupts(owner):
    """The interrupts of a task or a state."""
    return [(i.id, i.value) for i in owner.interrupts]
