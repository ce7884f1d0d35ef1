"""`ScriptedLearner`: a model to learn with, for notebooks and tests: no key, no network."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any


class ScriptedLearner:
    """A callable for `connect(llm=)` that proposes what its script says, where words are said::

        memory = threadkeep.connect(
            "memory://", llm=ScriptedLearner({"nuts": "The user is allergic to nuts"})
        )

    It cites the message in which the words stand, and it is believed no more than any other model:
    what the message does not say is refused.

    Args:
        facts: sentences by words that a message must hold, in any case of letters.
        instructions: likewise.
        updates: known sentences by the sentences that take their place.

    Attributes:
        calls: what it was asked so far: the data of each prompt.
    """

    def __init__(
        self,
        facts: Mapping[str, str] | None = None,
        instructions: Mapping[str, str] | None = None,
        *,
        updates: Mapping[str, str] | None = None,
    ) -> None:
        self._facts = dict(facts or {})
        self._instructions = dict(instructions or {})
        self._updates = dict(updates or {})
        self.calls: list[dict[str, Any]] = []

    def __call__(self, messages: list[dict[str, Any]]) -> str:
        """The answer to a prompt, as JSON."""
        prompt = json.loads(messages[-1]["content"])
        self.calls.append(prompt)
        if "entries" in prompt:  # the second question: what the script says is meant
            entry_answers = [
                {"number": prompt_entry["number"], "answer": True}
                for prompt_entry in prompt["entries"]
            ]
            return json.dumps({"answers": entry_answers})
        reply_fields = {
            "facts": list(self._proposals(prompt, self._facts, "known_facts")),
            "instructions": list(self._proposals(prompt, self._instructions, "known_instructions")),
        }
        if "summary_so_far" in prompt:
            reply_fields["summary"] = {"text": _summary(prompt), "topics": []}  # type: ignore[assignment]
        return json.dumps(reply_fields, ensure_ascii=False)

    def _proposals(
        self, prompt_fields: dict[str, Any], sentence_by_words: Mapping[str, str], known_key: str
    ) -> Iterator[dict[str, Any]]:
        number_by_sentence = {
            sentence: int(entry_number)
            for entry_number, sentence in prompt_fields[known_key].items()
        }
        for message_line in prompt_fields["messages"]:
            for trigger_words, sentence in sentence_by_words.items():
                if trigger_words.casefold() in message_line["text"].casefold():
                    replaced_number = number_by_sentence.get(self._updates.get(sentence, ""))
                    yield {
                        "text": sentence,
                        "items": [message_line["number"]],
                        "quote": message_line["text"],
                        "relation": "new" if replaced_number is None else "updates",
                        "known": replaced_number,
                        "confidence": 0.9,
                        "priority": "explicit",
                    }


def _summary(prompt_fields: dict[str, Any]) -> str:
    """The summary so far, and how the conversation goes on."""
    last_text = prompt_fields["messages"][-1]["text"] if prompt_fields["messages"] else ""
    return f"{prompt_fields['summary_so_far']} {last_text}".strip()[-500:]
