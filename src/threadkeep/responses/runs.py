"""The runs of a session: what follows a user's message, up to the next one of its branch.

Where responses of a run are stored, these are its calls, since its items repeat what they took;
else the assistant's items are.
"""

from __future__ import annotations

from collections.abc import Iterator
from operator import attrgetter
from typing import Final, NamedTuple

from threadkeep.core.response_codec import ResponseEntry
from threadkeep.sessions.branch_paths import BranchTree, is_hidden_on_its_branch
from threadkeep.types import Item
from threadkeep.types.branches import MAIN
from threadkeep.types.usage import TokenCounts, token_counts

RESPONSE_ID: Final = "response_id"
"""The key in an item's metadata that items have in common which are of one call."""

_BRANCH: Final = "branch"  # of items that are hidden because another branch of a chat is shown
_SEQ: Final = attrgetter("seq")


class Call(NamedTuple):
    """One call to a model.

    Attributes:
        id: of the response, or of the item.
        run: the id of the user's message before it; empty = there is none.
        run_seq: the seq of that message, else 0.
        model: which model answered; empty = not known.
        at: when, in epoch seconds.
        tools: the names of the tools that it calls, each once.
        tokens: what it took; `None` = it came without usage.
    """

    id: str
    run: str
    run_seq: int
    model: str
    at: float
    tools: tuple[str, ...]
    tokens: TokenCounts | None


class Run:
    """The calls of a run, as far as it was read."""

    def __init__(self, id: str = "", seq: int = 0) -> None:
        self.id, self.seq = id, seq
        self.has_responses = False
        self._calls: dict[str, Call] = {}
        self._step: Call | None = None  # items without usage, which go on to the next item
        self._last: Call | None = None

    def response(self, entry: ResponseEntry) -> Call:
        self.has_responses = True
        self._calls.clear()
        usage = entry.usage
        tokens = TokenCounts(
            usage.input_tokens, usage.output_tokens, usage.total_tokens,
            entry.cached, entry.reasoning,
        )  # fmt: skip
        return Call(
            entry.id, self.id, self.seq, entry.model or "", entry.created_at, entry.tools,
            tokens if any(tokens) else None,
        )  # fmt: skip

    def item(self, item: Item, at: float) -> None:
        """Take note of an item: the assistant's become calls, others end a step."""
        if self.has_responses:
            return
        if item.role != "assistant":
            self._step = None
            return
        shared_id = item.metadata.get(RESPONSE_ID)
        call_key = shared_id if isinstance(shared_id, str) else None
        call_so_far = self._calls.get(call_key) if call_key else self._step
        if item.type == "notice" and self._last is not None and self._last.tokens is None:
            call_so_far = self._last  # a notice says what the call before it took
        call = self._joined(call_so_far, item, at)
        self._calls[call_key or call.id] = self._last = call
        self._step = None if call_key or call.tokens else call

    def item_calls(self) -> Iterator[Call]:
        """The calls that the items stand for."""
        return iter(() if self.has_responses else self._calls.values())

    def _joined(self, call_so_far: Call | None, item: Item, at: float) -> Call:
        """A call with one item more; each item says what the whole call took, the last one best."""
        usage = token_counts(item.usage or {})
        tool_names = [tool_call["name"] for tool_call in item.tool_calls]
        if call_so_far is None:
            call_so_far = Call(item.id, self.id, self.seq, "", at, (), None)
        return call_so_far._replace(
            model=item.model or call_so_far.model,
            tools=tuple(dict.fromkeys([*call_so_far.tools, *tool_names])),
            tokens=usage if any(usage) else call_so_far.tokens,
        )


class BranchRuns:
    """The runs of a session with branches: each follows its own branch, whatever lies between."""

    def __init__(self, tree: BranchTree) -> None:
        self._tree = tree
        self._runs: dict[str, list[Run]] = {MAIN: [Run()]}
        self._branch = MAIN  # of the last item

    def add(self, item: Item, at: float) -> None:
        """Take note of the next item."""
        self._branch = self._tree.owner(item)
        if begins_run(item):
            self._runs.setdefault(self._branch, []).append(Run(item.id, item.seq))
        else:
            self._run_on(self._branch).item(item, at)

    def response(self, entry: ResponseEntry) -> Call:
        """The call that a response is, in the run of its branch."""
        is_known = entry.branch in self._tree.branches
        return self._run_on(str(entry.branch) if is_known else self._branch).response(entry)

    def item_calls(self) -> Iterator[Call]:
        """The calls that the items of all runs stand for."""
        return (call for runs in self._runs.values() for run in runs for call in run.item_calls())

    def _run_on(self, branch: str) -> Run:
        """The last run of a branch."""
        branch_runs = self._runs.setdefault(branch, [])
        if not branch_runs:
            branch_runs.append(self._run_of_ancestors(branch))
        return branch_runs[-1]

    def _run_of_ancestors(self, branch: str) -> Run:
        """The run that goes on where a branch begins, without its calls."""
        limits = self._tree.limits(branch)
        earlier_runs = [
            run for name, limit in limits.items() for run in self._runs.get(name, [])
            if run.seq <= limit
        ]  # fmt: skip
        origin = max(earlier_runs, key=_SEQ, default=Run())
        return Run(origin.id, origin.seq)


def begins_run(item: Item) -> bool:
    """Return True for what a user said, on any branch; what is hidden there is a program's note."""
    is_user_message = item.role == "user" and item.type == "message"
    return is_user_message and (not is_hidden_on_its_branch(item) or _BRANCH in item.metadata)
