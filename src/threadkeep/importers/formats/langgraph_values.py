"""Values as LangGraph's serializer writes them, read as plain data: no class is ever called."""

from typing import Any, Final

from threadkeep.importers.fields import Malformed
from threadkeep.importers.json_entries import parsed
from threadkeep.printable import shown

_CONTENT: Final = 2  # of (module, class, content, ...), the payload of an extension
_DELTA_SNAPSHOT: Final = 7
_ARRAY: Final = 6


def decode(type: str | None, data: bytes | str | None) -> Any:
    """A value of the serializer's type, with the fields of objects in the place of them.

    Raises:
        Malformed: it is pickled, encrypted, damaged, or of an unknown type.
    """
    if data is None or type in (None, "null", "empty", "bytes", "bytearray"):
        return None
    if type == "msgpack" and isinstance(data, bytes):
        return _unpack(data)
    if type == "json":
        try:
            return parsed(data)
        except ValueError:
            raise Malformed("the value is not JSON") from None
    if type == "pickle":
        raise Malformed("a pickle, which is never loaded: it may run code")
    if type is not None and "+" in type:
        raise Malformed("the value is encrypted: langchain_threadkeep.import_checkpoints reads it")
    raise Malformed(f"the value is of the unknown type {shown(type, 40)}")


def _unpack(packed_bytes: bytes) -> Any:
    try:
        import ormsgpack
    except ImportError:
        raise Malformed('it needs ormsgpack: pip install "threadkeep[langchain]"') from None
    try:
        return ormsgpack.unpackb(packed_bytes, ext_hook=_fields, option=ormsgpack.OPT_NON_STR_KEYS)
    except (ValueError, RecursionError):
        raise Malformed("the value is not MessagePack: damaged, or cut off?") from None


def _fields(code: int, packed_bytes: bytes) -> Any:
    """What an object was made of, without the object."""
    if code == _ARRAY:
        return None
    raw_parts = _unpack(packed_bytes)
    if code == _DELTA_SNAPSHOT or not isinstance(raw_parts, list):
        return raw_parts
    return raw_parts[_CONTENT] if len(raw_parts) > _CONTENT else None
