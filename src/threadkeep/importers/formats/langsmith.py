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
    for thread, runs in grouped(_keyed(entries, context)):
        transcript, user, began, answered = Transcript(), None, None, set[str]()
        for run in runs:
            user = user or fields.name(_metadata(run.value).get("user_id"))
            began = began or run.value.get("start_time") or run.value.get("created_at")
            _take(transcript, run, answered)
        yield Chat(thread, context.label, transcript.messages, created_at=began, user=user)


READER: Final = FormatReader("langsmith", "LangSmith's runs", _matches, _read)


def _keyed(entries: Iterator[JsonEntry], context: Context) -> Iterator[Keyed]:
    for entry in entries:
        if not _matches(entry.value):
            context.skip(entry.location, "this is no run")
            continue
        run = entry.value
        is_inner = bool(run.get("parent_run_id"))
        if is_inner and run.get("run_type") not in _MODELS:
            continue  # a step, whose words the run around it has
        began = str(run.get("start_time") or run.get("created_at") or "")
        yield Keyed(_thread(run), f"{int(is_inner)}{began}", entry)


def _thread(run: Mapping[str, Any]) -> str:
    names = (fields.name(_metadata(run).get(key)) for key in _THREADS)
    run_ids = (fields.name(run.get(key)) for key in ("trace_id", "id"))
    return next(filter(None, (*names, *run_ids)), None) or f"langsmith:{fields.digest(dict(run))}"


def _metadata(run: Mapping[str, Any]) -> Mapping[str, Any]:
    extra = run.get("extra")
    metadata = extra.get("metadata") if isinstance(extra, Mapping) else run.get("metadata")
    return metadata if isinstance(metadata, Mapping) else {}


def _take(transcript: Transcript, run: JsonEntry, answered: set[str]) -> None:
    """Add what a run has said; of calls of a model, only where the run around it is unknown."""
    trace = str(run.value.get("trace_id") or run.location)
    if run.value.get("parent_run_id") and trace in answered:
        return
    began, ended = run.value.get("start_time"), run.value.get("end_time")
    inputs = langsmith_messages.inputs(run.value.get("inputs"))
    outputs = langsmith_messages.outputs(run.value.get("outputs"))
    transcript.add(inputs, f"{run.location}.inputs", began)
    transcript.add(outputs, f"{run.location}.outputs", ended or began)
    if (inputs or outputs) and not run.value.get("parent_run_id"):
        answered.add(trace)
