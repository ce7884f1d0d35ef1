"""`threadkeep extract`: extract facts from stored sessions, in a job or a worker."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from typing import Annotated, Final, NoReturn

import typer

from threadkeep import connect
from threadkeep.api.memory import Memory
from threadkeep.cli import output
from threadkeep.cli.store import require_existing
from threadkeep.errors import ConfigError
from threadkeep.longterm.extraction.extractor import Extractor
from threadkeep.longterm.extraction.report import Report
from threadkeep.longterm.settings import parse_settings
from threadkeep.printable import counted

MODEL: Final = "THREADKEEP_LLM_MODEL"
LONGTERM: Final = "THREADKEEP_LONGTERM_URL"


_Longterm = Annotated[
    str | None,
    typer.Option(
        envvar=LONGTERM,
        help="Where what is learned is kept, if not with the sessions.",
        show_default=False,
    ),
]
_Model = Annotated[
    str | None, typer.Option(envvar=MODEL, help="Which model reads.", show_default=False)
]
_BaseUrl = Annotated[
    str | None,
    typer.Option(help="An OpenAI-compatible endpoint [env: OPENAI_BASE_URL].", show_default=False),
]


def extract(
    memory: Memory,
    user: Annotated[str | None, typer.Option(help="Only of this user.", show_default=False)] = None,
    session: Annotated[
        str | None, typer.Option(help="Only from this one.", show_default=False)
    ] = None,
    model: _Model = None,
    base_url: _BaseUrl = None,
    longterm: _Longterm = None,
    retry: Annotated[
        bool, typer.Option("--retry", help="Also what failed too often, or a moment ago.")
    ] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Go on until interrupted.")] = False,
    pause: Annotated[float, typer.Option(min=0.1, help="Seconds between two rounds.")] = 30.0,
    json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False,
) -> int:
    """Learn facts, instructions and summaries from what was said and not read yet.

    The key comes from the environment, OPENAI_API_KEY. Any number of workers may run at once.
    Exit code 1 if something failed; it is tried again by a later run.
    """
    if not model:
        raise ConfigError(f"extract needs a model to read with: --model, or {MODEL}")
    require_existing(memory)
    if longterm is not None:
        _use_longterm_store(memory, longterm)
    extractor = Extractor(memory._engine, parse_settings({"model": model, "base_url": base_url}))
    try:
        extract_once = partial(extractor.extract, user, session, retry=retry)
        if watch:
            _watch(extract_once, pause, json=json)
        report = extract_once()
    finally:
        extractor.close()
    _print_report(report, json=json)
    return int(bool(report.failures or report.dead))


def _use_longterm_store(memory: Memory, longterm: str) -> None:
    """Store facts and summaries in another store, which is closed with the first one."""
    settings = memory._engine.settings
    longterm_memory = connect(longterm, namespace=settings.namespace, key=settings.key)
    memory._engine.use_longterm_store(longterm_memory._engine, owned=True)


def _watch(read: Callable[[], Report], pause: float, *, json: bool) -> NoReturn:
    """Extract in a loop, and print a report of each round that read something."""
    while True:
        report = read()
        if report.sessions:
            _print_report(report, json=json)
        time.sleep(pause)


def _print_report(report: Report, *, json: bool) -> None:
    if json:
        output.print_json(asdict(report))
        return
    output.print_line(
        f"{counted(report.facts, 'fact')}, {counted(report.instructions, 'instruction')} and "
        f"{counted(report.summaries, 'summary', 'summaries')} from "
        f"{counted(report.batches, 'batch', 'batches')} of {counted(report.sessions, 'session')}, "
        f"by {counted(report.calls, 'call')} ({counted(report.prompt_tokens, 'token')} asked, "
        f"{report.completion_tokens} answered)"
    )
    for outcome, remedy in _UNFINISHED.items():
        if count := getattr(report, outcome):
            output.print_line(f"{count} {remedy}", err=True)
    for error in dict.fromkeys(report.errors):
        output.print_line(f"the model failed: {error}", err=True)


_UNFINISHED: Final = {
    "failures": "failed: tried again later",
    "dead": "dead: failed too often; --retry tries again",
    "waiting": "waiting: failed a moment ago; --retry does not wait",
    "busy": "busy: in the hands of another worker",
    "exhausted": "exhausted: the budget of the user is spent for today",
}
