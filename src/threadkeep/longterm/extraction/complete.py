"""One question to the model, with one more try if the answer is no JSON, and what it cost."""

from __future__ import annotations

from dataclasses import dataclass

from threadkeep.longterm.chat_model import (
    Answer,
    ChatModel,
    Messages,
    ModelFailed,
)
from threadkeep.longterm.extraction import prompt
from threadkeep.longterm.extraction.batch import Batch
from threadkeep.longterm.extraction.reply import Answered, understood


@dataclass(slots=True)
class Cost:
    """What was spent, also on answers that were of no use."""

    calls: int = 0
    prompt: int = 0
    completion: int = 0

    def add(self, answer: Answer) -> None:
        """Count an answer; its call was counted before it was made."""
        self.prompt += answer.prompt
        self.completion += answer.completion


def ask(
    model: ChatModel, messages: Messages, batch: Batch, *, sum_up: bool, cost: Cost
) -> Answered:
    """What the model makes of a batch.

    Raises:
        ModelFailed: it did not answer, or nothing that can be understood, twice.
    """
    schema = prompt.schema(sum_up=sum_up)
    cost.calls += 1
    answer = model.ask(messages, schema)
    cost.add(answer)
    first = understood(answer.text, batch)
    if first is not None and first.whole:
        return first
    again = [
        *messages,
        {"role": "assistant", "content": answer.text},
        {"role": "user", "content": prompt.REPAIR},
    ]
    cost.calls += 1
    try:
        answer = model.ask(again, schema)
    except ModelFailed:
        if first is None:
            raise
        return first
    cost.add(answer)
    second = understood(answer.text, batch)
    if second is None or (first is not None and not second.whole):
        second = first
    if second is None:
        raise ModelFailed("the answer is no JSON")
    return second
