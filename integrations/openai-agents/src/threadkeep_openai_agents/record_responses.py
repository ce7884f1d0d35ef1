"""Answers of a run's models as responses. A `Session` sees items only, so the SDK's hooks do it."""

from __future__ import annotations

import functools
import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary

from agents import ModelResponse, RunHooks
from agents.models import get_default_model

from threadkeep.adapters import record_responses
from threadkeep_openai_agents.identity import Wrapper

if TYPE_CHECKING:
    from threadkeep_openai_agents.session import ThreadkeepSession

Entry = Mapping[str, Any]

_ASKERS: Final = frozenset({"user", "system", "developer"})
_asked: WeakKeyDictionary[Wrapper, list[Entry]] = WeakKeyDictionary()
"""What each run that is under way, and has such hooks, asked its model last."""


class RecordingHooks(RunHooks[Any]):
    """Keeps each answer of a run's models as a `Response` of a session: `Runner.run(hooks=this)`.

    Hooks of your own are a subclass, whose `on_llm_start` and `on_llm_end` call `super()`.

    Args:
        session: where to, for the user of each run.
        model: the name to record, where `RunConfig(model=)` puts another model in the place of
            the agent's, which the SDK does not tell its hooks.
    """

    def __init__(self, session: ThreadkeepSession, *, model: str | None = None) -> None:
        self._session = session
        self._model = model

    async def on_llm_start(
        self, context: Wrapper, agent: Any, system_prompt: str | None, input_items: Sequence[Any]
    ) -> None:
        """Note what is asked."""
        _asked[context] = _new(input_items)

    async def on_llm_end(self, context: Wrapper, agent: Any, response: ModelResponse) -> None:
        """Store what was answered; if that cannot be, it is logged as an error."""
        chat = self._session.open(context)
        answer = _answer(response, self._model or _named(agent.model), _asked.get(context, []))
        await chat.engine.hop(functools.partial(record_responses.record, chat, answer))


def warn_if_unused(
    session: ThreadkeepSession, items: Sequence[Any], wrapper: Wrapper | None
) -> None:
    """Say it where a run whose answers are to be recorded was not given the hooks."""
    recording_ = isinstance(session.hooks, RecordingHooks)
    if recording_ and wrapper is not None and wrapper not in _asked and any(map(_is_said, items)):
        logging.getLogger("threadkeep").warning(
            "record_responses=True recorded nothing of a run in session %r: pass the run "
            "hooks=session.hooks",
            session.session_id,
        )


def _answer(response: ModelResponse, model: str | None, asked: list[Entry]) -> dict[str, Any]:
    output = [item.model_dump(mode="json", exclude_none=True) for item in response.output]
    about: Entry = next((o["provider_data"] for o in output if o.get("provider_data")), {})
    cut = any(entry.get("status") == "incomplete" for entry in output)
    return {
        "id": response.response_id or about.get("response_id"),
        "model": about.get("model") or model,
        "status": "incomplete" if cut else "completed",
        "input": asked,
        "output": output,
        "usage": _usage(response),
    }


def _usage(response: ModelResponse) -> dict[str, Any] | None:
    """As the provider counted; `None` where it did not."""
    usage = response.usage
    if response.raw_usage or not usage.total_tokens:
        return response.raw_usage
    details = ("input_tokens_details", "output_tokens_details")
    return {
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "total_tokens": usage.total_tokens,
        **{name: getattr(usage, name).model_dump(mode="json") for name in details},
    }


def _new(prompt: Sequence[Any]) -> list[Entry]:
    """What of a prompt is new since the model spoke last."""
    new: list[Entry] = []
    for entry in reversed(prompt):
        if not isinstance(entry, Mapping) or _is_said(entry):
            break
        new.append(entry)
    return new[::-1]


def _is_said(entry: Any) -> bool:
    """Whether it is of a model, and no question or result."""
    kind = str(entry.get("type") or "message")
    return entry.get("role") not in _ASKERS and not kind.endswith("_output")


def _named(model: Any) -> str | None:
    if model is None:
        return get_default_model()
    found = model if isinstance(model, str) else getattr(model, "model", None)
    return found if isinstance(found, str) else None
