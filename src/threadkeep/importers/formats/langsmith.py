"""LangSmith's runs and examples: one session for each thread, whose runs repeat its history."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from threadkeep.importers import fields
from threadkeep.importers.disk_sort import Keyed, grouped
from threadkeep.importers.formats import langsmith_messages
from threadkeep.importers.transcript import Transcript
from threadkeep.importers.values import Chat, Context, FormatReader, JsonEntry, Part
from threadkeep.types import Json

_THREADS: Final = ("thread_id", "session_id", "conversation_id")  # of the metadata
_MODELS: Final = ("llm", "chat_model")


def _matches(value: Json) -> bool:
    return (
        isinstance(value, Mapping)
        and isinstance(value.get("inputs"), Mapping)
        and "outputs" in value
    )


def _read(entries: Iterator[JsonEntry], context: Context) -> Iterator[Part]:
    for thread_id, thread_runs in grouped(_keyed(entries, context)):
        transcript, user, started_at, answered_traces = Transcript(), None, None, set[str]()
        for run in thread_runs:
            user = user or fields.name(_metadata(run.value).get("user_id"))
            started_at = started_at or run.value.get("start_time") or run.value.get("created_at")
            _take(transcript, run, answered_traces)
        yield Chat(thread_id, context.label, transcript.messages, created_at=started_at, user=user)


READER: Final = FormatReader("langsmith", "LangSmith's runs", _matches, _read)


def _keyed(entries: Iterator[JsonEntry], context: Context) -> Iterator[Keyed]:
    for entry in entries:
        if not _matches(entry.value):
            context.skip(entry.location, "this is not a run")
            continue
        run = entry.value
        is_child_run = bool(run.get("parent_run_id"))
        if is_child_run and not fields.is_one_of(run.get("run_type"), _MODELS):
            continue  # a step, whose words the run around it has
        started_at = str(run.get("start_time") or run.get("created_at") or "")
        yield Keyed(_thread(run), f"{int(is_child_run)}{started_at}", entry)


def _thread(run: Mapping[str, Any]) -> str:
    thread_ids = (fields.name(_metadata(run).get(field_name)) for field_name in _THREADS)
    run_ids = (fields.name(run.get(field_name)) for field_name in ("trace_id", "id"))
    return (
        next(filter(None, (*thread_ids, *run_ids)), None) or f"langsmith:{fields.digest(dict(run))}"
    )


def _metadata(run: Mapping[str, Any]) -> Mapping[str, Any]:
    extra = run.get("extra")
    raw_metadata = extra.get("metadata") if isinstance(extra, Mapping) else run.get("metadata")
    return raw_metadata if isinstance(raw_metadata, Mapping) else {}


def _take(transcript: Transcript, run_entry: JsonEntry, answered_traces: set[str]) -> None:
    """Add what a run has said; of calls of a model, only where the run around it is unknown."""
    trace_id = str(run_entry.value.get("trace_id") or run_entry.location)
    if run_entry.value.get("parent_run_id") and trace_id in answered_traces:
        return
    started_at, ended_at = run_entry.value.get("start_time"), run_entry.value.get("end_time")
    input_messages = langsmith_messages.inputs(run_entry.value.get("inputs"))
    output_messages = langsmith_messages.outputs(run_entry.value.get("outputs"))
    transcript.add(input_messages, f"{run_entry.location}.inputs", started_at)
    transcript.add(output_messages, f"{run_entry.location}.outputs", ended_at or started_at)
    if (input_messages or output_messages) and not run_entry.value.get("parent_run_id"):
        answered_traces.add(trace_id)
