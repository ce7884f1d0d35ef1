"""The model that reads conversations: an OpenAI-compatible endpoint, or any callable."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from threadkeep.errors import MissingExtra, ThreadkeepError
from threadkeep.longterm.settings import ExtractionSettings, ModelCallable
from threadkeep.window import tokens

if TYPE_CHECKING:
    from openai import OpenAI

Messages = list[dict[str, Any]]


class Completion(NamedTuple):
    """What a model said, and what it cost in tokens of prompt and answer."""

    text: str
    prompt_tokens: int
    completion_tokens: int


class ModelError(ThreadkeepError):
    """The model did not answer.

    Attributes:
        retry_after: seconds it asked to be left alone, if it did.
    """

    def __init__(self, reason: str, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class ChatModel(Protocol):
    """Answers messages of OpenAI Chat, in JSON of a schema if it can; thread-safe."""

    def complete(self, messages: Messages, schema: Mapping[str, Any]) -> Completion:
        """The answer.

        Raises:
            ModelFailed: there is none; the reason holds no secret and no text of a message.
        """
        ...

    def close(self) -> None:
        """Let go what was opened. May be called twice."""
        ...


def create_model(settings: ExtractionSettings) -> ChatModel:
    """The model that was named; no I/O.

    Raises:
        MissingExtra: it needs a package that is not installed.
    """
    if settings.call is not None:
        return CallableModel(settings.call)
    if importlib.util.find_spec("openai") is None:
        raise MissingExtra(
            'llm= needs a package that is not installed: pip install "threadkeep[llm]"'
        )
    return OpenAIModel(settings)


class CallableModel:
    """A callable of the application's own; what it costs is estimated."""

    def __init__(self, call: ModelCallable) -> None:
        self._call = call

    def complete(self, messages: Messages, schema: Mapping[str, Any]) -> Completion:
        try:
            answer_text = self._call(messages)
        except Exception as error:  # whatever theirs may raise
            raise ModelError(type(error).__name__, _retry_after(error)) from error
        if not isinstance(answer_text, str):
            raise ModelError(f"it returned a {type(answer_text).__name__} instead of a text")
        prompt_tokens = sum(tokens.estimate(str(message["content"])) for message in messages)
        return Completion(answer_text, prompt_tokens, tokens.estimate(answer_text))

    def close(self) -> None:
        """It is not ours."""


FORMATS: Final = ("json_schema", "json_object", None)
"""Ways to ask for JSON, the best first; not every endpoint takes each."""

_REFUSED: Final = frozenset({400, 404, 415, 422, 501})


class OpenAIModel:
    """A model behind an OpenAI-compatible endpoint. The client is made when first needed."""

    def __init__(self, settings: ExtractionSettings) -> None:
        self._settings = settings
        self._clients: dict[int, OpenAI] = {}  # by process: none survives a fork
        self._format = 0

    def complete(self, messages: Messages, schema: Mapping[str, Any]) -> Completion:
        import openai

        for format_index in range(self._format, len(FORMATS)):
            try:
                completion = self._complete(messages, _format(FORMATS[format_index], schema))
            except openai.APIStatusError as error:
                if error.status_code in _REFUSED and format_index + 1 < len(FORMATS):
                    continue  # it may be the format that it does not take
                raise _model_error(error) from error
            except openai.OpenAIError as error:
                raise _model_error(error) from error
            self._format = format_index
            return completion
        raise AssertionError("the last format raises or answers")

    def close(self) -> None:
        client = self._clients.pop(os.getpid(), None)
        if client is not None:
            client.close()

    def _complete(self, messages: Messages, format: dict[str, Any]) -> Completion:
        create_completion: Any = self._client().chat.completions.create
        response = create_completion(model=self._settings.model, messages=messages, **format)
        try:
            answer_text = response.choices[0].message.content
        except (AttributeError, IndexError, TypeError) as error:
            raise ModelError("the answer is not one of Chat Completions") from error
        if not answer_text:
            raise ModelError("the answer has no text")
        return Completion(answer_text, *_token_usage(response, messages, answer_text))

    def _client(self) -> OpenAI:
        from openai import OpenAI

        client, key_setting = self._clients.get(os.getpid()), self._settings.api_key
        api_key = key_setting() if callable(key_setting) else key_setting
        if client is None:
            new_client = OpenAI(
                api_key=api_key,
                base_url=self._settings.base_url,
                timeout=self._settings.timeout,
                max_retries=0,  # when to try again is written down where other workers see it
            )
            client = self._clients.setdefault(os.getpid(), new_client)
        return client.with_options(api_key=api_key) if callable(key_setting) else client


def _format(name: str | None, schema: Mapping[str, Any]) -> dict[str, Any]:
    if name is None:
        return {}
    response_format: dict[str, Any] = {"type": name}
    if name == "json_schema":
        response_format[name] = {"name": "learned", "schema": dict(schema), "strict": True}
    return {"response_format": response_format}


def _token_usage(response: Any, messages: Messages, text: str) -> tuple[int, int]:
    usage = getattr(response, "usage", None)
    prompt_tokens, completion_tokens = (
        getattr(usage, usage_field, None) for usage_field in ("prompt_tokens", "completion_tokens")
    )
    if isinstance(prompt_tokens, int) and isinstance(completion_tokens, int):
        return prompt_tokens, completion_tokens
    estimated_prompt = sum(tokens.estimate(str(message["content"])) for message in messages)
    return estimated_prompt, tokens.estimate(text)


def _model_error(error: Exception) -> ModelError:
    """The error by its class and status alone: its text may quote the prompt, or a key."""
    status = getattr(error, "status_code", None)
    error_name = type(error).__name__
    return ModelError(f"{status} {error_name}" if status else error_name, _retry_after(error))


def _retry_after(error: Exception) -> float | None:
    response_headers = getattr(getattr(error, "response", None), "headers", None)
    if response_headers is None:
        return None
    try:
        if "retry-after-ms" in response_headers:
            return max(0.0, float(response_headers["retry-after-ms"]) / 1_000)
        return max(0.0, float(response_headers["retry-after"]))
    except (KeyError, ValueError, TypeError):
        return None
