"""The names of the tables: validated, never anything else, and quoted before they meet SQL."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from threadkeep.errors import ConfigError

DEFAULT: Final = "session_history"

_PART: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_LONGEST: Final = 48  # with `_streams` and the like it fits PostgreSQL's 63 and MySQL's 64


class Names(NamedTuple):
    """Of one store: the tables and indexes, without schema and quotes."""

    schema: str | None
    records: str

    @property
    def streams(self) -> str:
        return self.beside("streams")

    @property
    def meta(self) -> str:
        return self.beside("meta")

    def beside(self, what: str) -> str:
        """The name of a table or index that belongs to the table of records."""
        return (
            f"{self.records}_{what}"
            if not self.records.isupper()
            else f"{self.records}_{what}".upper()
        )

    def __str__(self) -> str:
        return f"{self.schema}.{self.records}" if self.schema else self.records


def parse(table_name: object) -> Names:
    """`table` or `schema.table`.

    Raises:
        ConfigError: it is not made of letters, digits and underscores, or too long.
    """
    parts = table_name.split(".") if isinstance(table_name, str) else []
    if not 1 <= len(parts) <= 2 or not all(map(_fits, parts)):
        raise ConfigError(
            f"table_name must be a name such as {DEFAULT!r} or 'schema.{DEFAULT}': letters, digits "
            f"and underscores, at most {_LONGEST} of them, not beginning with a digit"
        )
    return Names(parts[0] if len(parts) == 2 else None, parts[-1])


def _fits(part: str) -> bool:
    return bool(_PART.fullmatch(part)) and len(part) <= _LONGEST
