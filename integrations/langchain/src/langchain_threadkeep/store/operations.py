"""The methods of a LangGraph store as batched operations, with dots allowed in labels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, cast

from langgraph.store.base import (
    NOT_PROVIDED,
    BaseStore,
    GetOp,
    Item,
    ListNamespacesOp,
    MatchCondition,
    NamespacePath,
    NotProvided,
    PutOp,
    SearchItem,
    SearchOp,
)

from langchain_threadkeep.store.addresses import validated
from threadkeep.errors import InputError

Namespaces = list[tuple[str, ...]]
Index = Literal[False] | list[str] | None


class StoreOperations(BaseStore):
    """`BaseStore` without its ban on dots, so that an email address can be a label."""

    def get(
        self, namespace: tuple[str, ...], key: str, *, refresh_ttl: bool | None = None
    ) -> Item | None:
        return cast("Item | None", self.batch([self._get_op(namespace, key, refresh_ttl)])[0])

    async def aget(
        self, namespace: tuple[str, ...], key: str, *, refresh_ttl: bool | None = None
    ) -> Item | None:
        operation_results = await self.abatch([self._get_op(namespace, key, refresh_ttl)])
        return cast("Item | None", operation_results[0])

    def search(
        self,
        namespace_prefix: tuple[str, ...],
        /,
        *,
        query: str | None = None,
        filter: dict[str, Any] | None = None,
        limit: int = 10,
        offset: int = 0,
        refresh_ttl: bool | None = None,
    ) -> list[SearchItem]:
        is_refreshing = self._refresh(refresh_ttl)
        search_op = SearchOp(
            validated(namespace_prefix), filter, limit, offset, query, is_refreshing
        )
        return cast("list[SearchItem]", self.batch([search_op])[0])

    async def asearch(
        self,
        namespace_prefix: tuple[str, ...],
        /,
        *,
        query: str | None = None,
        filter: dict[str, Any] | None = None,
        limit: int = 10,
        offset: int = 0,
        refresh_ttl: bool | None = None,
    ) -> list[SearchItem]:
        is_refreshing = self._refresh(refresh_ttl)
        search_op = SearchOp(
            validated(namespace_prefix), filter, limit, offset, query, is_refreshing
        )
        return cast("list[SearchItem]", (await self.abatch([search_op]))[0])

    def put(
        self,
        namespace: tuple[str, ...],
        key: str,
        value: Mapping[str, Any] | None,
        index: Index = None,
        *,
        ttl: float | NotProvided | None = NOT_PROVIDED,
    ) -> None:
        self.batch([self._put_op(namespace, key, value, index, ttl)])

    async def aput(
        self,
        namespace: tuple[str, ...],
        key: str,
        value: Mapping[str, Any] | None,
        index: Index = None,
        *,
        ttl: float | NotProvided | None = NOT_PROVIDED,
    ) -> None:
        await self.abatch([self._put_op(namespace, key, value, index, ttl)])

    def delete(self, namespace: tuple[str, ...], key: str) -> None:
        self.batch([PutOp(validated(namespace), str(key), None)])

    async def adelete(self, namespace: tuple[str, ...], key: str) -> None:
        await self.abatch([PutOp(validated(namespace), str(key), None)])

    def list_namespaces(
        self,
        *,
        prefix: NamespacePath | None = None,
        suffix: NamespacePath | None = None,
        max_depth: int | None = None,
        limit: int = 100,
        offset: int = 0,
    ) -> Namespaces:
        list_op = _list_op(prefix, suffix, max_depth, limit, offset)
        return cast("Namespaces", self.batch([list_op])[0])

    async def alist_namespaces(
        self,
        *,
        prefix: NamespacePath | None = None,
        suffix: NamespacePath | None = None,
        max_depth: int | None = None,
        limit: int = 100,
        offset: int = 0,
    ) -> Namespaces:
        list_op = _list_op(prefix, suffix, max_depth, limit, offset)
        return cast("Namespaces", (await self.abatch([list_op]))[0])

    def _get_op(self, namespace: tuple[str, ...], key: str, refresh: bool | None) -> GetOp:
        return GetOp(validated(namespace), str(key), self._refresh(refresh))

    def _put_op(
        self,
        namespace: tuple[str, ...],
        key: str,
        value: Mapping[str, Any] | None,
        index: Index,
        ttl: float | NotProvided | None,
    ) -> PutOp:
        if isinstance(ttl, NotProvided):
            ttl = (self.ttl_config or {}).get("default_ttl")
        if not (value is None or isinstance(value, Mapping)):
            raise InputError(
                f"value must be a dict, got {type(value).__name__}: write {{'value': ...}}"
            )
        stored_value = None if value is None else dict(value)
        return PutOp(validated(namespace, for_write=True), str(key), stored_value, index, ttl)

    def _refresh(self, refresh_ttl: bool | None) -> bool:
        return (
            (self.ttl_config or {}).get("refresh_on_read", True)
            if refresh_ttl is None
            else refresh_ttl
        )


def _list_op(
    prefix: NamespacePath | None,
    suffix: NamespacePath | None,
    max_depth: int | None,
    limit: int,
    offset: int,
) -> ListNamespacesOp:
    conditions = []
    if prefix:
        conditions.append(MatchCondition(match_type="prefix", path=validated(prefix)))
    if suffix:
        conditions.append(MatchCondition(match_type="suffix", path=validated(suffix)))
    return ListNamespacesOp(tuple(conditions) or None, max_depth, limit, offset)
