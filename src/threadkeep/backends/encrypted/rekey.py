"""Key rotation: rewraps data keys with the first key, and encrypts plain text."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

from threadkeep.backends.encrypted.backend import EncryptedBackend
from threadkeep.backends.encrypted.blind_ids import IdBlinder
from threadkeep.backends.encrypted.cipher import AuthenticationFailed
from threadkeep.backends.encrypted.envelope import is_outdated, rewrap_record
from threadkeep.core import store_record
from threadkeep.errors import Conflict
from threadkeep.types import KEEP, Drop, Page, Query, Record
from threadkeep.types.batching import batches
from threadkeep.types.record_kinds import KINDS

_PAGE: Final = 500
_TRIES: Final = 20


class Rekeyed(NamedTuple):
    """What `rekey` did to one stream.

    Attributes:
        stream: its name.
        renewed: how many records were rewrapped or encrypted.
        current: how many already used the first key.
        unreadable: how many could not be decrypted, and were not changed.
        encrypted: how many of the renewed were plain text before.
    """

    stream: str
    renewed: int = 0
    current: int = 0
    unreadable: int = 0
    encrypted: int = 0


def rekey(
    backend: EncryptedBackend,
    prefix: str = "",
    *,
    kinds: Sequence[str] = KINDS,
    clock: Callable[[], float] = time.time,
) -> Iterator[Rekeyed]:
    """Bring each record under the first key, in the newest format; reports on each stream.

    It may be interrupted and repeated. Others may write meanwhile, if they have both keys with
    the new one first. A plain-text namespace is closed to all until it is encrypted completely:
    stop processes that write without a key before. Expiry times do not change.

    Args:
        backend: a backend with the new key first, and all keys in use.
        prefix: a prefix of stream names, such as a namespace and a slash.
        kinds: the kinds of records to rekey.
        clock: returns epoch seconds.

    Raises:
        WrongKey: a record needs a key that is not in the ring.
        BackendError: a stream changed too often to be rewritten.
    """
    task = _RekeyTask(backend, [kind for kind in kinds if kind != store_record.KIND], clock)
    blinder_by_namespace: dict[str, IdBlinder | None] = {}
    for stream_name in _stream_names(backend, prefix):
        namespace = stream_name.partition("/")[0]
        if namespace not in blinder_by_namespace:
            blinder_by_namespace[namespace] = _start_encryption(backend, stream_name, clock())
        yield _rekey_stream(task, stream_name, blinder_by_namespace[namespace])
    for namespace, blinder in blinder_by_namespace.items():
        if blinder is not None:
            yield from _finish_encryption(task, namespace, blinder)


class _RekeyTask(NamedTuple):
    """The parameters of one `rekey` call."""

    backend: EncryptedBackend
    kinds: Sequence[str]
    clock: Callable[[], float]


def _stream_names(backend: EncryptedBackend, prefix: str) -> Iterator[str]:
    cursor = None
    while True:
        stream_names, cursor = backend.inner.streams(prefix, cursor=cursor)
        yield from stream_names
        if cursor is None:
            return


def _start_encryption(backend: EncryptedBackend, stream: str, now: float) -> IdBlinder | None:
    """Close a plain-text namespace and return its id blinder; `None` = it is not plain text."""
    for _ in range(_TRIES):
        store_state = store_record.read(backend.inner, stream, now)
        if store_state.encrypted:
            return backend.blinders.open(stream, store_state) if store_state.unfinished else None
        blinder = backend.blinders.create(stream, store_state, now, unfinished=True)
        if blinder is not None:
            return blinder
    raise store_record.contention_error(stream)


def _finish_encryption(task: _RekeyTask, namespace: str, blinder: IdBlinder) -> Iterator[Rekeyed]:
    """Encrypt a namespace until no plain text remains, then open it to holders of the key."""
    backend, keyring_stream_name = task.backend, store_record.store_stream(namespace)
    for _ in range(_TRIES):
        renewal_reports = [
            report
            for name in _stream_names(backend, namespace)
            if store_record.store_stream(name) == keyring_stream_name
            and (report := _rekey_stream(task, name, blinder)).renewed
        ]
        yield from renewal_reports
        if renewal_reports:
            continue
        now = task.clock()
        store_state = store_record.read(backend.inner, keyring_stream_name, now)
        store_entry = store_record.record(blinder.keyring, now)
        if not store_state.unfinished or store_record.put(
            backend.inner, keyring_stream_name, store_state, [store_entry], now
        ):
            return
    raise store_record.contention_error(keyring_stream_name)


def _rekey_stream(task: _RekeyTask, stream: str, blinder: IdBlinder | None) -> Rekeyed:
    stream_report = Rekeyed(stream)
    for kind in task.kinds:
        last_seq: int | None = 0
        while last_seq is not None:
            query = Query(stream, kind, _PAGE, after=last_seq)
            stream_report, last_seq = _rekey_page(task, stream_report, query, blinder)
    return stream_report


def _rekey_page(
    task: _RekeyTask, report: Rekeyed, query: Query, blinder: IdBlinder | None
) -> tuple[Rekeyed, int | None]:
    """Rekey one page, retried on conflicts; return the report and the seq to continue after."""
    backend, now = task.backend, task.clock()
    for attempt in range(1, _TRIES + 1):
        (page,) = backend.inner.read(query, now=now)
        renewals, unreadable_count = _outdated_records(backend, query.stream, page, blinder, now)
        try:
            _replace_records(backend, query.stream, page.version, renewals, now)
        except Conflict:
            if attempt == _TRIES:
                raise
            continue
        break
    current_count = len(page.records) - len(renewals) - unreadable_count
    encrypted_count = len(renewals) if blinder else 0
    new_report = Rekeyed(
        report.stream,
        report.renewed + len(renewals),
        report.current + current_count,
        report.unreadable + unreadable_count,
        report.encrypted + encrypted_count,
    )
    return new_report, page.records[-1].seq if len(page.records) == _PAGE else None


def _outdated_records(
    backend: EncryptedBackend, stream: str, page: Page, blinder: IdBlinder | None, now: float
) -> tuple[list[tuple[str, Record]], int]:
    """The rewritten records, each with its stored id, and the number of unreadable ones."""
    keyring = _keyring_id(backend, stream, blinder, now)
    renewals: list[tuple[str, Record]] = []
    unreadable_count = 0
    for record in page.records:
        try:
            if blinder is not None and not record.body.startswith(store_record.SEALED):
                renewals.append((record.id, backend.seal(stream, record, blinder)))
            elif is_outdated(backend.ring, record.body, keyring):
                new_body = rewrap_record(backend.ring, stream, record, keyring)
                renewals.append((record.id, replace(record, body=new_body)))
        except AuthenticationFailed:
            unreadable_count += 1
    return renewals, unreadable_count


def _keyring_id(
    backend: EncryptedBackend, stream: str, blinder: IdBlinder | None, now: float
) -> str | None:
    """The id of a stream's keyring; `None` = it is the stream of the keyring itself."""
    if store_record.is_store_stream(stream):
        return None
    blinder = blinder or backend.blinders.find(stream, now)
    return None if blinder is None else blinder.keyring


def _replace_records(
    backend: EncryptedBackend,
    stream: str,
    version: int,
    renewals: list[tuple[str, Record]],
    now: float,
) -> None:
    """Replace the records; one whose id becomes hidden moves to the end of its kind."""
    old_id_by_key = {(record.kind, record.id): old_id for old_id, record in renewals}
    for record_batch in batches(record for _, record in renewals):
        renamed_records = [
            record for record in record_batch if old_id_by_key[record.kind, record.id] != record.id
        ]
        drops = [
            Drop(record.kind, [old_id_by_key[record.kind, record.id]]) for record in renamed_records
        ]
        commit = backend.inner.commit(
            stream, put=record_batch, drop=drops, ttl=KEEP, expect=version, now=now
        )
        version = commit.version
