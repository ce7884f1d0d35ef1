"""One question to the model, with one more try if the answer is no JSON, and what it cost."""

from __future__ import annotations

from dataclasses import dataclass

from threadkeep.longterm.chat_model import (
    ChatModel,
    Completion,
    Messages,
    ModelError,
)
from threadkeep.longterm.extraction import prompt
from threadkeep.longterm.extraction.batch import Batch
from threadkeep.longterm.extraction.reply import ParsedReply, parse_reply


@dataclass(slots=True)
class TokenCost:
    """What was spent, also on answers that were of no use."""

    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0

    def add(self, completion: Completion) -> None:
        """Count an answer; its call was counted before it was made."""
        self.prompt_tokens += completion.prompt_tokens
        self.completion_tokens += completion.completion_tokens


def complete(
    model: ChatModel, messages: Messages, batch: Batch, *, sum_up: bool, cost: TokenCost
) -> ParsedReply:
    """What the model makes of a batch.

    Raises:
        ModelFailed: it did not answer, or nothing that can be understood, twice.
    """
    reply_schema = prompt.reply_schema(sum_up=sum_up)
    cost.calls += 1
    completion = model.complete(messages, reply_schema)
    cost.add(completion)
    first_reply = parse_reply(completion.text, batch)
    if first_reply is not None and first_reply.complete:
        return first_reply
    repair_messages = [
        *messages,
        {"role": "assistant", "content": completion.text},
        {"role": "user", "content": prompt.REPAIR},
    ]
    cost.calls += 1
    try:
        completion = model.complete(repair_messages, reply_schema)
    except ModelError:
        if first_reply is None:
            raise
        return first_reply
    cost.add(completion)
    second_reply = parse_reply(completion.text, batch)
    if second_reply is None or (first_reply is not None and not second_reply.complete):
        second_reply = first_reply
    if second_reply is None:
        raise ModelError("the answer is not JSON")
    return second_reply
