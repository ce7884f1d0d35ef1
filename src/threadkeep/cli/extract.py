"""`threadkeep extract`: learn from what was said, in a job or a worker of its own."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import Annotated, Final

import typer

from threadkeep import connect
from threadkeep.cli.store import present
from threadkeep.cli.text import as_json
from threadkeep.longterm.extraction.learner import Learner
from threadkeep.longterm.extraction.report import Report
from threadkeep.longterm.options import learning
from threadkeep.memory import Memory

MODEL: Final = "THREADKEEP_LLM_MODEL"
LONGTERM: Final = "THREADKEEP_LONGTERM_URL"


def extract(
    memory: Memory,
    user: Annotated[
        str | None, typer.Option("--user", help="Only of this user.", show_default=False)
    ] = None,
    session: Annotated[
        str | None, typer.Option("--session", help="Only from this one.", show_default=False)
    ] = None,
    model: Annotated[
        str | None,
        typer.Option("--model", envvar=MODEL, help="Which model reads.", show_default=False),
    ] = None,
    base_url: Annotated[
        str | None,
        typer.Option(
            "--base-url",
            help="An OpenAI-compatible endpoint [env: OPENAI_BASE_URL].",
            show_default=False,
        ),
    ] = None,
    longterm: Annotated[
        str | None,
        typer.Option(
            "--longterm",
            envvar=LONGTERM,
            help="Where what is learned is kept, if not with the sessions.",
            show_default=False,
        ),
    ] = None,
    retry: Annotated[
        bool, typer.Option("--retry", help="Also what failed too often, or a moment ago.")
    ] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Go on until interrupted.")] = False,
    pause: Annotated[
        float, typer.Option("--pause", min=0.1, help="Seconds between two rounds.")
    ] = 30.0,
    json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> int:
    """Learn facts, instructions and summaries from what was said and not read yet.

    The key comes from the environment, OPENAI_API_KEY. Any number of workers may run at once.
    Exit code 1 if something failed; it is tried again by a later run.
    """
    present(memory)
    if longterm is not None:
        namespace = memory.engine.settings.namespace
        other = connect(longterm, namespace=namespace, key=memory.engine.settings.key)
        memory.engine.keep_apart(other.engine, owned=True)
    learner = Learner(memory.engine, learning({"model": model, "base_url": base_url}))
    try:
        while True:
            report = learner.process(user, session, retry=retry)
            if not watch:
                _say(report, json=json)
                return int(bool(report.failures or report.dead))
            if report.sessions:
                _say(report, json=json)
            time.sleep(pause)
    finally:
        learner.close()


def _say(report: Report, *, json: bool) -> None:
    if json:
        as_json(asdict(report))
        return
    typer.echo(
        f"{report.facts} facts, {report.instructions} instructions and {report.summaries} "
        f"summaries from {report.batches} batches of {report.sessions} sessions, by "
        f"{report.calls} calls ({report.prompt_tokens} tokens asked, "
        f"{report.completion_tokens} answered)"
    )
    for name, remedy in _LEFT.items():
        if count := getattr(report, name):
            typer.echo(f"{count} {name}: {remedy}", err=True)
    for error in dict.fromkeys(report.errors):
        typer.echo(f"the model failed: {error}", err=True)


_LEFT: Final = {
    "failures": "they are tried again later",
    "dead": "they failed too often; --retry tries them again",
    "waiting": "they failed a moment ago; --retry does not wait",
    "busy": "another worker has them",
    "exhausted": "the budget of their users is spent for today",
}
