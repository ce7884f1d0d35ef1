"""The command line of the demo. Exit codes: 0 fine, 1 something failed, 2 wrong input."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from examples.demo import EndpointError, importing, terminal
from threadkeep.errors import ConfigError, InputError, ThreadkeepError


def main(arguments: Sequence[str] | None = None) -> int:
    terminal.prepare()
    options = _options(arguments)
    try:
        return _run(options)
    except (EndpointError, ThreadkeepError) as error:
        return _failed(error, 2 if isinstance(error, (ConfigError, InputError)) else 1)
    except BrokenPipeError:
        raise
    except (ValueError, OSError, RecursionError) as error:
        return _failed(error, 2)


def _run(options: argparse.Namespace) -> int:
    if options.input is not None:
        return 0 if importing.run(options.input, options.store or _temporary()) else 1
    if options.store and options.store.partition(":")[0] in {"memory", "none"}:
        raise ConfigError(
            f"{options.store} ends with the process, and the story restarts it: "
            "name a file, as in sqlite:///demo.db"
        )
    from examples.demo import story  # only here: its openai client takes seconds to import

    story.run(options.store or _temporary())
    return 0


def _temporary() -> str:
    return f"sqlite:///{Path(tempfile.mkdtemp(prefix='threadkeep-demo-'), 'chat.db')}"


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m examples.demo",
        description="A remembered chat, explained as it runs; needs neither key nor network.",
        epilog="With OPENAI_API_KEY or OPENAI_BASE_URL set it talks to that endpoint.",
    )
    parser.add_argument(
        "--input",
        metavar="FILE",
        help="import the conversations of a file: OpenAI-style messages (JSON or JSON Lines), "
        "a ChatGPT export, LoCoMo",
    )
    parser.add_argument(
        "--store", metavar="URL", help="where to remember (default: SQLite in a temporary folder)"
    )
    return parser.parse_args(arguments)


def _failed(error: BaseException, status: int) -> int:
    message = " ".join(str(error).split()) or type(error).__name__
    print(f"demo: {message}", file=sys.stderr)
    return status


if __name__ == "__main__":
    try:
        status = main()
    except BrokenPipeError:  # piped into head: nobody reads on
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 0
    sys.exit(status)
