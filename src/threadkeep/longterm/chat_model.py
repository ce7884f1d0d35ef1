"""The model that reads conversations: an OpenAI-compatible endpoint, or any callable."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from threadkeep.errors import MissingExtra, ThreadkeepError
from threadkeep.longterm.settings import Ask, Learning
from threadkeep.window import tokens

if TYPE_CHECKING:
    from openai import OpenAI

Messages = list[dict[str, Any]]


class Answer(NamedTuple):
    """What a model said, and what it cost in tokens of prompt and answer."""

    text: str
    prompt: int
    completion: int


class ModelFailed(ThreadkeepError):
    """The model did not answer.

    Attributes:
        retry_after: seconds it asked to be left alone, if it did.
    """

    def __init__(self, reason: str, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class ChatModel(Protocol):
    """Answers messages of OpenAI Chat, in JSON of a schema if it can; thread-safe."""

    def ask(self, messages: Messages, schema: Mapping[str, Any]) -> Answer:
        """The answer.

        Raises:
            ModelFailed: there is none; the reason holds no secret and no text of a message.
        """
        ...

    def close(self) -> None:
        """Let go what was opened. May be called twice."""
        ...


def model_of(said: Learning) -> ChatModel:
    """The model that was named; no I/O.

    Raises:
        MissingExtra: it needs a package that is not installed.
    """
    if said.call is not None:
        return Called(said.call)
    if importlib.util.find_spec("openai") is None:
        raise MissingExtra(
            'llm= needs a package that is not installed: pip install "threadkeep[llm]"'
        )
    return Endpoint(said)


class Called:
    """A callable of the application's own; what it costs is estimated."""

    def __init__(self, call: Ask) -> None:
        self._call = call

    def ask(self, messages: Messages, schema: Mapping[str, Any]) -> Answer:
        try:
            text = self._call(messages)
        except Exception as error:  # whatever theirs may raise
            raise ModelFailed(type(error).__name__, _retry_after(error)) from error
        if not isinstance(text, str):
            raise ModelFailed(f"it returned a {type(text).__name__} instead of a text")
        asked = sum(tokens.estimate(str(message["content"])) for message in messages)
        return Answer(text, asked, tokens.estimate(text))

    def close(self) -> None:
        """It is not ours."""


FORMATS: Final = ("json_schema", "json_object", None)
"""Ways to ask for JSON, the best first; not every endpoint takes each."""

_REFUSED: Final = frozenset({400, 404, 415, 422, 501})


class Endpoint:
    """A model behind an OpenAI-compatible endpoint. The client is made when first needed."""

    def __init__(self, said: Learning) -> None:
        self._said = said
        self._clients: dict[int, OpenAI] = {}  # by process: none survives a fork
        self._format = 0

    def ask(self, messages: Messages, schema: Mapping[str, Any]) -> Answer:
        import openai

        for place in range(self._format, len(FORMATS)):
            try:
                answer = self._ask(messages, _format(FORMATS[place], schema))
            except openai.APIStatusError as error:
                if error.status_code in _REFUSED and place + 1 < len(FORMATS):
                    continue  # it may be the format that it does not take
                raise _failed(error) from error
            except openai.OpenAIError as error:
                raise _failed(error) from error
            self._format = place
            return answer
        raise AssertionError("the last format raises or answers")

    def close(self) -> None:
        client = self._clients.pop(os.getpid(), None)
        if client is not None:
            client.close()

    def _ask(self, messages: Messages, format: dict[str, Any]) -> Answer:
        create: Any = self._client().chat.completions.create
        done = create(model=self._said.model, messages=messages, **format)
        try:
            text = done.choices[0].message.content
        except (AttributeError, IndexError, TypeError) as error:
            raise ModelFailed("the answer is not one of Chat Completions") from error
        if not text:
            raise ModelFailed("the answer has no text")
        return Answer(text, *_spent(done, messages, text))

    def _client(self) -> OpenAI:
        from openai import OpenAI

        found, key = self._clients.get(os.getpid()), self._said.api_key
        current = key() if callable(key) else key
        if found is None:
            made = OpenAI(
                api_key=current,
                base_url=self._said.base_url,
                timeout=self._said.timeout,
                max_retries=0,  # when to try again is written down where other workers see it
            )
            found = self._clients.setdefault(os.getpid(), made)
        return found.with_options(api_key=current) if callable(key) else found


def _format(name: str | None, schema: Mapping[str, Any]) -> dict[str, Any]:
    if name is None:
        return {}
    said: dict[str, Any] = {"type": name}
    if name == "json_schema":
        said[name] = {"name": "learned", "schema": dict(schema), "strict": True}
    return {"response_format": said}


def _spent(done: Any, messages: Messages, text: str) -> tuple[int, int]:
    usage = getattr(done, "usage", None)
    asked, said = (getattr(usage, name, None) for name in ("prompt_tokens", "completion_tokens"))
    if isinstance(asked, int) and isinstance(said, int):
        return asked, said
    whole = sum(tokens.estimate(str(message["content"])) for message in messages)
    return whole, tokens.estimate(text)


def _failed(error: Exception) -> ModelFailed:
    """The error by its class and status alone: its text may quote the prompt, or a key."""
    status = getattr(error, "status_code", None)
    name = type(error).__name__
    return ModelFailed(f"{status} {name}" if status else name, _retry_after(error))


def _retry_after(error: Exception) -> float | None:
    headers = getattr(getattr(error, "response", None), "headers", None)
    if headers is None:
        return None
    try:
        if "retry-after-ms" in headers:
            return max(0.0, float(headers["retry-after-ms"]) / 1_000)
        return max(0.0, float(headers["retry-after"]))
    except (KeyError, ValueError, TypeError):
        return None
