"""The names of the tables, validated here and quoted wherever they become SQL."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from threadkeep.errors import ConfigError
from threadkeep.printable import shown

DEFAULT: Final = "threadkeep"

_PART: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_MAX_LENGTH: Final = 48  # with a suffix such as `_streams` it fits PostgreSQL's 63 and MySQL's 64


class TableNames(NamedTuple):
    """The names of the tables and indexes of a store, without quotes."""

    schema: str | None
    records: str

    @property
    def streams(self) -> str:
        return self.derived("streams")

    @property
    def meta(self) -> str:
        return self.derived("meta")

    def derived(self, suffix: str) -> str:
        """The name of a table or index that belongs to the table of records."""
        return (
            f"{self.records}_{suffix}"
            if not self.records.isupper()
            else f"{self.records}_{suffix}".upper()
        )

    def __str__(self) -> str:
        return f"{self.schema}.{self.records}" if self.schema else self.records


def parse(table_name: object) -> TableNames:
    """Parse `table` or `schema.table`.

    Raises:
        ConfigError: a name has other characters than letters, digits and `_`, or is too long.
    """
    name_parts = table_name.split(".") if isinstance(table_name, str) else []
    if not 1 <= len(name_parts) <= 2 or not all(map(_is_valid, name_parts)):
        raise ConfigError(
            f"table_name must be a name such as {shown(DEFAULT)} or 'schema.{DEFAULT}': "
            "letters, digits "
            f"and underscores, at most {_MAX_LENGTH} of them, not beginning with a digit"
        )
    return TableNames(name_parts[0] if len(name_parts) == 2 else None, name_parts[-1])


def _is_valid(part: str) -> bool:
    return bool(_PART.fullmatch(part)) and len(part) <= _MAX_LENGTH
