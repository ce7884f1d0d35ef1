"""Which sessions are of the project that an agent works in, by the folder they were held in."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path, PurePath, PurePosixPath, PureWindowsPath
from typing import Final

from threadkeep.api.user import User
from threadkeep.longterm.recall.hits import Hit, Hits
from threadkeep.longterm.recall.query_user import MAX_HITS
from threadkeep.sessions import user_index

FOLDER: Final = "cwd"
"""The key in a session's metadata that names the folder it was held in."""

_MORE: Final = 4  # times as many hits as wanted, since some are of other projects


def project_of(folder: Path) -> str:
    """The project of a folder: the repository that it is in, else the folder itself."""
    folder = Path(os.path.abspath(folder))  # noqa: PTH100  # links stay as programs write them
    return str(next((f for f in (folder, *folder.parents) if (f / ".git").exists()), folder))


def is_in(folder: object, project: str) -> bool:
    """Return True if a folder, as a session's metadata names it, is in a project."""
    if not isinstance(folder, str) or not folder:
        return True  # held in no folder, so that it is of no other project
    path_type: type[PurePath] = PureWindowsPath if "\\" in project + folder else PurePosixPath
    return path_type(folder).is_relative_to(path_type(project))


def recall(user: User, query: str, limit: int, project: str) -> Hits:
    """The best hits that are facts, or were not said in another project."""
    hit_limit = limit
    while True:
        hit_limit = min(hit_limit * _MORE, MAX_HITS)
        hits = user.recall(query, hit_limit)
        project_hits = list(_in_project(user, hits, project))[:limit]
        if len(project_hits) == limit or len(hits) < hit_limit or hit_limit == MAX_HITS:
            return Hits(project_hits, query=query, complete=hits.complete)


def _in_project(user: User, hits: list[Hit], project: str) -> Iterator[Hit]:
    ids = list({hit.session for hit in hits if hit.item is not None and hit.session is not None})
    engine = user._engine
    session_stream_names = [engine.stream("session", session_id) for session_id in ids]
    info_by_session = dict(zip(ids, user_index.read(engine, session_stream_names), strict=True))
    for hit in hits:
        info = info_by_session.get(hit.session) if hit.session is not None else None
        if hit.item is None or info is None or is_in(info.metadata.get(FOLDER), project):
            yield hit
