"""Decodes values of channels, with what is stored beside them."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from typing import Any, Protocol

from langgraph.checkpoint.serde.types import _DeltaSnapshot
from langgraph.types import Send

from langchain_threadkeep.saver.values import MISSING, Form
from threadkeep.printable import shown


class Environment(Protocol):
    """What the decoder looks up."""

    def message(self, reference: str) -> Any:
        """The message of a reference, or `MISSING`."""
        ...

    def text(self, name: str) -> Any:
        """The text stored under a digest, or `MISSING`."""
        ...

    def large(self, name: str, parts: int) -> Form:
        """The form stored under a digest; `None` if it is gone."""
        ...

    def long_list(self, spans: list[list[Any]]) -> list[Any]:
        """The elements of a long list; `MISSING` for each that is gone."""
        ...


class Decoder:
    """Decodes forms.

    Attributes:
        missing: how many messages, large values and elements of lists were stored nowhere.
    """

    def __init__(self, serde: Any, environment: Environment) -> None:
        self._serde = serde
        self._environment = environment
        self.missing = 0

    def decode(self, form: Form) -> Any:
        """The value of a form; `MISSING` if it is gone."""
        if not isinstance(form, dict):
            return form
        ((tag, content),) = form.items()
        if tag == "j":
            return json.loads(json.dumps(content))
        if tag == "s":
            return self._serde.loads_typed((content[0], base64.b64decode(content[1])))
        return self._looked_up(tag, content) if tag in "mrtv" else self._contained(tag, content)

    def _looked_up(self, tag: str, content: Any) -> Any:
        """What is stored elsewhere."""
        if tag == "v" and (large_form := self._environment.large(*content)) is not None:
            return self.decode(large_form)
        if tag == "v":
            self.missing += 1
            return MISSING
        if tag == "r":
            return self._present(self._environment.long_list(content))
        lookup = self._environment.message if tag == "m" else self._environment.text
        stored_value = lookup(content)
        self.missing += stored_value is MISSING
        return stored_value

    def _contained(self, tag: str, content: Any) -> Any:
        """A container of forms."""
        match tag:
            case "l":
                return self._present(map(self.decode, content), counted=True)
            case "d":
                decoded_pairs = (
                    (name, self.decode(element_form)) for name, element_form in content.items()
                )
                return {name: value for name, value in decoded_pairs if value is not MISSING}
            case "S":
                return Send(content[0], self.decode(content[1]))
            case "D":
                return _DeltaSnapshot(self.decode(content))
        raise ValueError(f"the form {shown(tag)} is not known: upgrade langchain-threadkeep")

    def _present(self, values: Iterable[Any], *, counted: bool = False) -> list[Any]:
        present_values = []
        for value in values:
            if value is not MISSING:
                present_values.append(value)
            elif not counted:
                self.missing += 1
        return present_values
