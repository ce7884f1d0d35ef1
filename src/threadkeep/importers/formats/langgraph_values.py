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
            raise Malformed("the value is no JSON") from None
    if type == "pickle":
        raise Malformed("a pickle, which is never loaded: it may run code")
    if type is not None and "+" in type:
        raise Malformed("the value is encrypted: langchain_threadkeep.import_checkpoints reads it")
    raise Malformed(f"the value is of the unknown type {shown(type, 40)}")


def _unpack(data: bytes) -> Any:
    try:
        import ormsgpack
    except ImportError:
        raise Malformed('it needs ormsgpack: pip install "threadkeep[langchain]"') from None
    try:
        return ormsgpack.unpackb(data, ext_hook=_fields, option=ormsgpack.OPT_NON_STR_KEYS)
    except (ValueError, RecursionError):
        raise Malformed("the value is no MessagePack: damaged, or cut off?") from None


def _fields(code: int, payload: bytes) -> Any:
    """What an object was made of, without the object."""
    if code == _ARRAY:
        return None
    content = _unpack(payload)
    if code == _DELTA_SNAPSHOT or not isinstance(content, list):
        return content
    return content[_CONTENT] if len(content) > _CONTENT else None
