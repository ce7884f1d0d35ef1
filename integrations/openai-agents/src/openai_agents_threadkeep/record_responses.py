"""Record model answers as responses. A `Session` sees only items, so this needs the SDK's hooks."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from agents import ModelResponse, RunHooks
from agents.models import get_default_model

from openai_agents_threadkeep.identity import Wrapper
from threadkeep.adapters import record_responses
from threadkeep.adapters.arguments import strict_arguments

if TYPE_CHECKING:
    from openai_agents_threadkeep.session import ThreadkeepSession

Entry = Mapping[str, Any]

_run_inputs: WeakKeyDictionary[Wrapper, list[Entry]] = WeakKeyDictionary()
"""The newest model input of each active run that has these hooks."""


class RecordingHooks(RunHooks[Any]):
    """Stores each model answer of a run as a `Response` of a session: `Runner.run(hooks=this)`.

    To combine them with your own hooks, subclass this and call `super()` in `on_llm_start` and
    `on_llm_end`.

    Args:
        session: the session to record to, opened for the user of each run.
        model: the model name to record if `RunConfig(model=)` replaces the agent's model, which
            the SDK does not report to hooks.
    """

    @strict_arguments
    def __init__(self, session: ThreadkeepSession, *, model: str | None = None) -> None:
        self._session = session
        self._model = model

    async def on_llm_start(
        self, context: Wrapper, agent: Any, system_prompt: str | None, input_items: Sequence[Any]
    ) -> None:
        """Remember the model's input."""
        _run_inputs[context] = _new_input(input_items)

    async def on_llm_end(self, context: Wrapper, agent: Any, response: ModelResponse) -> None:
        """Store the answer; a failure is logged as an error."""
        run_session = self._session.open(context)
        answer = _response(
            response, self._model or _model_name(agent.model), _run_inputs.get(context, [])
        )
        await record_responses.arecord(run_session, answer)


def warn_if_unused(
    session: ThreadkeepSession, items: Sequence[Any], wrapper: Wrapper | None
) -> None:
    """Log a warning if answers should be recorded but the run was not given the hooks."""
    has_hooks = isinstance(session.hooks, RecordingHooks)
    if (
        has_hooks
        and wrapper is not None
        and wrapper not in _run_inputs
        and not all(map(record_responses.is_input, items))
    ):
        logging.getLogger("threadkeep").warning(
            "record_responses=True recorded nothing of a run in session %r: pass the run "
            "hooks=session.hooks",
            session.session_id,
        )


def _response(
    response: ModelResponse, model: str | None, input_entries: list[Entry]
) -> dict[str, Any]:
    entries = [item.model_dump(mode="json", exclude_none=True) for item in response.output]
    provider_data: Entry = next((o["provider_data"] for o in entries if o.get("provider_data")), {})
    is_incomplete = any(entry.get("status") == "incomplete" for entry in entries)
    return {
        "id": response.response_id or provider_data.get("response_id"),
        "model": provider_data.get("model") or model,
        "status": "incomplete" if is_incomplete else "completed",
        "input": input_entries,
        "output": entries,
        "usage": _usage(response),
    }


def _usage(response: ModelResponse) -> dict[str, Any] | None:
    """The usage the provider reported; `None` if it reported none."""
    usage = response.usage
    if response.raw_usage or not usage.total_tokens:
        return response.raw_usage
    detail_fields = ("input_tokens_details", "output_tokens_details")
    return {
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "total_tokens": usage.total_tokens,
        **{name: getattr(usage, name).model_dump(mode="json") for name in detail_fields},
    }


def _new_input(prompt: Sequence[Any]) -> list[Entry]:
    """The entries of a prompt after the model's last output."""
    entries: list[Entry] = []
    for entry in reversed(prompt):
        if not isinstance(entry, Mapping) or not record_responses.is_input(entry):
            break
        entries.append(entry)
    return entries[::-1]


def _model_name(model: Any) -> str | None:
    if model is None:
        return get_default_model()
    model_name = model if isinstance(model, str) else getattr(model, "model", None)
    return model_name if isinstance(model_name, str) else None
